/** Capgo's refusals, as errors of this action. */
import type { CapgoCode, ErrorCode } from '../error-codes.ts'
import { ActionError } from '../errors.ts'
import { LEAST_ROLE, type Permission } from './permissions.ts'
import { type HttpResponse, retryAfter } from './response.ts'
import { asksTooMuch, isFault } from './transient.ts'

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

/**
 * A response that refuses, as an error that teaches. Never quotes `moreInfo`: it can echo the request.
 * `needs` is the permission whose lack looks like this response.
 */
export function refusal(purpose: string, response: HttpResponse, needs?: Permission): ActionError {
  const code = wrapped(response) ?? response.code
  if (asksTooMuch(response) && (code === '' || code === 'too_many_requests' || isFault(response)))
    return askedToWait(purpose, code, response)
  const known = response.keyWorked ? KEY_WORKED : explain(code)
  if (known !== undefined)
    return new ActionError(codeFor(code, response), known.message, {
      hint: known.hint,
      cause: summary(response),
      transient: code === 'too_many_requests' || response.keyWorked === true,
    })
  if (needs !== undefined && isPermissionRefusal(response)) return permissionMissing(purpose, needs, response)
  return new ActionError(
    codeFor(code, response),
    `Could not ${purpose}: Capgo answered ${response.status}${code ? ` ${code}` : ''}${messageOf(response)}.`,
    {
      transient: isFault(response) || (response.status === 429 && code !== 'on_premise_app'),
      hint: isFault(response)
        ? 'Capgo has trouble. Run the job again later: it goes on where this run stopped.'
        : 'That is a code of Capgo itself. docs/troubleshooting.md has those that are known.',
      cause: summary(response),
    },
  )
}

/** Capgo's code as it is, or the status where it gave none. */
function codeFor(code: string, { status }: HttpResponse): ErrorCode {
  return code === '' ? `http_${status}` : (code as CapgoCode)
}

function explain(code: string): Meaning | undefined {
  return Object.hasOwn(MEANINGS, code) ? MEANINGS[code as keyof typeof MEANINGS] : undefined
}

/** Codes inside of other responses: the database has some in its message. */
function wrapped({ text }: HttpResponse): string | undefined {
  return /too_many_failed_auth_attempts|CHANNEL_(?:ZIP|DELTA)_REQUIRED/.exec(text)?.[0].toLowerCase()
}

/** A pause that no job should sit out. */
function askedToWait(purpose: string, code: string, response: HttpResponse): ActionError {
  const minutes = Math.ceil((retryAfter(response) ?? 0) / 60_000)
  return new ActionError(
    codeFor(code, response),
    `Could not ${purpose}: Capgo answered ${response.status}${code ? ` ${code}` : ''} and asks to come back in ${minutes} minutes.`,
    {
      hint: `This run does not wait that long. Run the job again in ${minutes} minutes: it goes on where this run stopped.`,
      transient: true,
      cause: summary(response),
    },
  )
}

export function permissionMissing(purpose: string, needs: Permission, response?: HttpResponse): ActionError {
  return new ActionError(
    'permission_missing',
    `The Capgo key cannot ${purpose}: permission ${needs} is missing.`,
    {
      hint: `Give the key's role that permission in the Capgo console. The least privileged role that includes it is ${LEAST_ROLE[needs]}.`,
      cause: response === undefined ? undefined : summary(response),
    },
  )
}

/** Almost every refusal of Capgo is a 400 or 401 with one of these codes; PostgREST says 42501. */
function isPermissionRefusal(response: HttpResponse): boolean {
  return /^(cannot_access_app|cannot_access_channel|app_access_denied|insufficient_permissions|not_authorized|cannot_delete_bundle|cannot_promote_bundle|permission_denied|42501)$/.test(
    response.code,
  )
}

function messageOf(response: HttpResponse): string {
  const message = (response.json as { message?: unknown } | undefined)?.message
  return typeof message === 'string' && message !== '' ? ` (${message.slice(0, 200)})` : ''
}

function summary(response: HttpResponse): string {
  return `HTTP ${response.status} ${response.code}`.trim()
}
