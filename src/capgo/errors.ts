import type { CapgoCode, ErrorCode } from '../error-codes.ts'
import { ActionError } from '../errors.ts'
import type { Answer, Call } from './http.ts'
import { asksTooMuch, isFault, retryAfter } from './transient.ts'

interface Meaning {
  readonly message: string
  readonly hint: string
}

/** What a Capgo error code means for the person who set up the workflow. */
const MEANINGS = {
  no_key_provided: {
    message: 'Capgo got no API key.',
    hint: 'Set the input "capgo-token" from a secret, for example ${{ secrets.CAPGO_TOKEN }}.',
  },
  invalid_apikey: {
    message: 'Capgo does not know the API key (wrong, revoked or expired).',
    hint: 'Make a new key in the Capgo console under "API keys" and store it as the secret that "capgo-token" reads. After 20 wrong tries Capgo blocks the runner\'s address for 15 minutes.',
  },
  too_many_failed_auth_attempts: {
    message: "Capgo has blocked this runner's address for 15 minutes after too many wrong API keys.",
    hint: 'Correct the key first, then wait: each further try prolongs the block.',
  },
  too_many_requests: {
    message: 'Capgo takes no more calls of this key for the moment.',
    hint: 'Run the job again in some minutes: it goes on where this run stopped.',
  },
  channel_zip_required: {
    message: 'The channel accepts only bundles with a zip (update package), and this one has none.',
    hint: 'Set the input "delta" to auto or true, or change the update package of the channel in the Capgo console.',
  },
  channel_delta_required: {
    message: 'The channel accepts only bundles with delta files (update package), and this one has none.',
    hint: 'Set the input "delta" to true, or change the update package of the channel in the Capgo console.',
  },
  user_not_found: {
    message: 'Capgo finds nobody to whom the API key belongs.',
    hint: 'Make a new key in the Capgo console under "API keys". A self-hosted database that is short of connections says this too: run the job again.',
  },
  encryption_required: {
    message: "The app's organisation accepts encrypted bundles only, and this bundle is not encrypted.",
    hint: 'Nothing was uploaded. Set the input "private-key" from a secret, and the public key of the same pair in the Capacitor config (plugins.CapacitorUpdater.publicKey). Installed apps need that public key first.',
  },
  encryption_key_required: {
    message:
      "The app's organisation accepts bundles of one encryption key only, and this bundle does not name its key.",
    hint: 'Nothing was uploaded. Set plugins.CapacitorUpdater.publicKey in the Capacitor config to the public key of that pair.',
  },
  encryption_key_mismatch: {
    message:
      "The app's organisation accepts bundles of one encryption key only, and this bundle has another.",
    hint: 'Nothing was uploaded. Use the key pair that the organisation demands: its private key in the input "private-key", its public key in the Capacitor config. An owner of the organisation sees in the Capgo console which one it is.',
  },
  on_premise_app: {
    message: "Capgo refuses: the plan of the app's organisation is exhausted, cancelled or not valid.",
    hint: "Look at the organisation's plan in the Capgo console (storage, devices, payment).",
  },
} satisfies Partial<Record<ErrorCode, Meaning>>

const KEY_WORKED = {
  message: 'Capgo refuses the API key, which worked earlier in this run.',
  hint: 'Was the key revoked, or has it expired? Then store a new one as the secret that "capgo-token" reads. A self-hosted database that is short of connections refuses good keys too: run the job again, or raise its max_connections.',
} as const

/** The permission and the smallest role that has it, for calls that Capgo refuses without naming one. */
export interface Needs {
  readonly permission: string
  readonly role: string
}

/**
 * An answer that refuses, as an error that teaches. Never quotes `moreInfo`: it can echo the request.
 * `needs` names the permission whose lack looks like this answer.
 */
export function refusal(call: Pick<Call, 'what'>, answer: Answer, needs?: Needs): ActionError {
  const code = wrapped(answer) ?? answer.code
  if (asksTooMuch(answer) && (code === '' || code === 'too_many_requests' || isFault(answer)))
    return askedToWait(call.what, code, answer)
  const known = answer.keyWorked ? KEY_WORKED : explain(code)
  if (known !== undefined)
    return new ActionError(codeFor(code, answer), known.message, {
      hint: known.hint,
      cause: summary(answer),
      passing: code === 'too_many_requests' || answer.keyWorked === true,
    })
  if (needs !== undefined && isPermissionRefusal(answer)) return permissionMissing(call.what, needs, answer)
  return new ActionError(
    codeFor(code, answer),
    `Could not ${call.what}: Capgo answered ${answer.status}${code ? ` ${code}` : ''}${messageOf(answer)}.`,
    {
      passing: isFault(answer) || (answer.status === 429 && code !== 'on_premise_app'),
      hint: isFault(answer)
        ? 'Capgo has trouble. Run the job again later: it goes on where this run stopped.'
        : 'That is a code of Capgo itself. docs/troubleshooting.md has those that are known.',
      cause: summary(answer),
    },
  )
}

/** Capgo's code as it is, or the status where it gave none. */
function codeFor(code: string, { status }: Answer): ErrorCode {
  return code === '' ? `http_${status}` : (code as CapgoCode)
}

function explain(code: string): Meaning | undefined {
  return Object.hasOwn(MEANINGS, code) ? MEANINGS[code as keyof typeof MEANINGS] : undefined
}

/** Codes that stand inside of other answers: the database says some in its message. */
function wrapped({ text }: Answer): string | undefined {
  return /too_many_failed_auth_attempts|CHANNEL_(?:ZIP|DELTA)_REQUIRED/.exec(text)?.[0].toLowerCase()
}

/** A pause that no job should sit out. */
function askedToWait(what: string, code: string, answer: Answer): ActionError {
  const minutes = Math.ceil(retryAfter(answer)! / 60_000)
  return new ActionError(
    codeFor(code, answer),
    `Could not ${what}: Capgo answered ${answer.status}${code ? ` ${code}` : ''} and asks to come back in ${minutes} minutes.`,
    {
      hint: `This run does not wait that long. Run the job again in ${minutes} minutes: it goes on where this run stopped.`,
      passing: true,
      cause: summary(answer),
    },
  )
}

export function permissionMissing(what: string, needs: Needs, answer?: Answer): ActionError {
  return new ActionError(
    'permission_missing',
    `The Capgo key cannot ${what}: permission ${needs.permission} is missing.`,
    {
      hint: `Give the key's role that permission in the Capgo console. The least privileged role that includes it is ${needs.role}.`,
      cause: answer === undefined ? undefined : summary(answer),
    },
  )
}

/** Almost every refusal of Capgo is a 400 or 401 with one of these codes; PostgREST says 42501. */
function isPermissionRefusal(answer: Answer): boolean {
  return /^(cannot_access_app|cannot_access_channel|app_access_denied|insufficient_permissions|not_authorized|cannot_delete_bundle|cannot_promote_bundle|permission_denied|42501)$/.test(
    answer.code,
  )
}

function messageOf(answer: Answer): string {
  const message = (answer.json as { message?: unknown } | undefined)?.message
  return typeof message === 'string' && message !== '' ? ` (${message.slice(0, 200)})` : ''
}

function summary(answer: Answer): string {
  return `HTTP ${answer.status} ${answer.code}`.trim()
}
