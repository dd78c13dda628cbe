/** The door: who can enroll a device. Closed until a token or a list of app users is set. Put a check of your own here. */
import { Refusal } from './refusal.ts'
import type { Settings } from './settings.ts'

/** Throws a `Refusal` for everybody who is not allowed. */
export type Allow = (request: Request) => Promise<void>

const TIMEOUT_MS = 5_000

export function chooseDoor({ token, users, userinfoUrl }: Settings): Allow {
  if (userinfoUrl !== null) return appUsers(userinfoUrl, users)
  if (token !== null) return sharedToken(token)
  return async () => {
    throw new Refusal(
      403,
      'closed',
      'Nobody can enroll yet. Set ENROLL_TOKEN, or APP_USERS and USERINFO_URL.',
    )
  }
}

/** One token for everybody, in `Authorization: Bearer`. */
function sharedToken(token: string): Allow {
  return async request => {
    if (!(await areSame(bearerOf(request), token)))
      throw new Refusal(401, 'wrong_token', 'The token is wrong.', { 'WWW-Authenticate': 'Bearer' })
  }
}

/**
 * Users of the app. The app sends the access token of its own login; the login's OpenID Connect address answers whom it
 * belongs to. An e-mail address counts once it is verified.
 */
function appUsers(userinfoUrl: string, users: readonly string[]): Allow {
  const known = new Set(users.map(user => user.toLowerCase()))
  return async request => {
    const token = bearerOf(request)
    const answer =
      token === ''
        ? null
        : await fetch(userinfoUrl, {
            headers: { authorization: `Bearer ${token}` },
            redirect: 'manual',
            signal: AbortSignal.timeout(TIMEOUT_MS),
          }).catch(() => {
            throw new Refusal(502, 'login_unreachable', "The app's login does not answer. Try again later.")
          })
    if (answer !== null && answer.status >= 500)
      throw new Refusal(502, 'login_unreachable', "The app's login does not answer. Try again later.")
    if (answer === null || answer.status !== 200)
      throw new Refusal(401, 'not_signed_in', 'Sign in to the app first.', { 'WWW-Authenticate': 'Bearer' })
    const { sub, email, email_verified } = ((await answer.json().catch(() => null)) ?? {}) as Record<
      string,
      unknown
    >
    const names = [sub, email_verified === true ? email : null].filter(name => typeof name === 'string')
    if (!names.some(name => known.has(name.toLowerCase())))
      throw new Refusal(403, 'not_a_tester', 'This account is not on the list of testers.')
  }
}

function bearerOf(request: Request): string {
  return /^Bearer +(\S+)$/i.exec(request.headers.get('authorization') ?? '')?.[1] ?? ''
}

/** Takes the same time however much of the text is right. */
async function areSame(given: string, wanted: string): Promise<boolean> {
  const digest = async (text: string) =>
    new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
  const [one, other] = await Promise.all([digest(given), digest(wanted)])
  return one.reduce((difference, byte, index) => difference | (byte ^ (other[index] ?? 0)), 0) === 0
}
