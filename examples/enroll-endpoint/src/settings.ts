/** Settings of the endpoint, from the environment of Node or the bindings of a Worker. */

export interface Settings {
  /** Secret. A key of the role app_developer for this app alone. */
  readonly capgoKey: string
  readonly capgoUrl: string
  readonly appId: string
  /** The channels that a tester can join. */
  readonly channels: readonly string[]
  /** Web pages and apps that a browser lets call this endpoint. */
  readonly origins: readonly string[]
  /** Secret that the app sends; null where app users are asked for instead. */
  readonly token: string | null
  /** Users of the app, by id or verified e-mail address, and where the app's login answers who a token belongs to. */
  readonly users: readonly string[]
  readonly userinfoUrl: string | null
}

export type Environment = Readonly<Record<string, string | undefined>>

/** A token that somebody guesses opens the door. */
const SHORTEST_TOKEN = 20

/** As a browser sends it. Neither "*" nor "null", which is every page in a frame without rights. */
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#A-Z]+$/

/** Throws an error that names everything that is wrong. */
export function readSettings(environment: Environment): Settings {
  const mistakes: string[] = []
  const read = (name: string) => environment[name]?.trim() || null
  const demand = (name: string, what: string) => {
    const value = read(name)
    if (value === null) mistakes.push(`${name} is missing: ${what}.`)
    return value ?? ''
  }
  const readList = (name: string, between = /[\s,]+/) =>
    (read(name) ?? '').split(between).filter(entry => entry !== '')
  const readUrl = (name: string) => {
    const value = read(name)
    if (value !== null && !isSafe(value)) mistakes.push(`${name} must be an https address, not "${value}".`)
    return value
  }

  const settings: Settings = {
    capgoKey: demand('CAPGO_KEY', 'an API key of Capgo, as a secret'),
    capgoUrl: (readUrl('CAPGO_URL') ?? 'https://api.capgo.app').replace(/\/+$/, ''),
    appId: demand('APP_ID', 'the app id, such as com.example.app'),
    // The name of a channel can have spaces.
    channels: readList('CHANNELS', /\s*,\s*/),
    origins: readList('ORIGINS'),
    token: read('ENROLL_TOKEN'),
    users: readList('APP_USERS'),
    userinfoUrl: readUrl('USERINFO_URL'),
  }
  if (settings.channels.length === 0)
    mistakes.push('CHANNELS is missing: the channels that testers can join.')
  for (const origin of settings.origins.filter(origin => !ORIGIN.test(origin)))
    mistakes.push(
      `ORIGINS must have origins such as https://localhost, in lower case and without a path, not "${origin}".`,
    )
  if (settings.token !== null && settings.token.length < SHORTEST_TOKEN)
    mistakes.push(`ENROLL_TOKEN must have at least ${SHORTEST_TOKEN} characters.`)
  if ((settings.userinfoUrl === null) !== (settings.users.length === 0))
    mistakes.push('APP_USERS and USERINFO_URL belong together: set both, or neither.')
  if (mistakes.length > 0) throw new Error(mistakes.join('\n'))
  return settings
}

/** A key or a token in clear text is for this machine only. */
export function isSafe(address: string): boolean {
  if (!URL.canParse(address)) return false
  const { protocol, hostname } = new URL(address)
  return protocol === 'https:' || (protocol === 'http:' && ['127.0.0.1', 'localhost'].includes(hostname))
}
