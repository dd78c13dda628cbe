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

/** The meaning of Capgo's error codes for the person who set up the workflow. */
const MEANINGS = {
  no_key_provided: {
    message: 'Capgo received no API key.',
    hint: 'Set the input "capgo-token" from a secret, for example ${{ secrets.CAPGO_TOKEN }}. A proxy can also remove the header with the key.',
  },
  invalid_apikey: {
    message: 'Capgo rejects the API key: it is wrong, revoked or expired.',
    hint: 'Create a new key in the Capgo console ("API keys"), and store it as the secret for "capgo-token". After 20 wrong attempts, Capgo blocks the address of the runner for 15 minutes.',
  },
  too_many_failed_auth_attempts: {
    message: "Capgo blocks this runner's address for 15 minutes, because of too many wrong API keys.",
    hint: 'Correct the key first, then wait. Each further attempt extends the block.',
  },
  too_many_requests: {
    message: 'Capgo limits the requests of this key for now.',
    hint: 'Re-run the job in a few minutes. It continues where this run stopped.',
  },
  channel_zip_required: {
    message: 'The channel accepts only bundles with a zip (update package), which this bundle does not have.',
    hint: 'Set the input "delta" to auto or true, or change the update package of the channel in the Capgo console.',
  },
  channel_delta_required: {
    message:
      'The channel accepts only bundles with delta files (update package), which this bundle does not have.',
    hint: 'Set the input "delta" to true, or change the update package of the channel in the Capgo console.',
  },
  user_not_found: {
    message: 'Capgo cannot find the owner of the API key.',
    hint: 'Re-run the job: a self-hosted database that is short of connections also causes this. If it fails again, create a new key in the Capgo console ("API keys").',
  },
  encryption_required: {
    message: "The app's organisation accepts only encrypted bundles, and this bundle is not encrypted.",
    hint: 'Nothing was uploaded. Set the input "private-key" from a secret. Set plugins.CapacitorUpdater.publicKey in the Capacitor config to the public key of the pair. Installed apps need that public key first.',
  },
  encryption_key_required: {
    message: "The app's organisation accepts only one encryption key, and this bundle does not name its key.",
    hint: 'Nothing was uploaded. Set plugins.CapacitorUpdater.publicKey in the Capacitor config to the public key of that pair.',
  },
  encryption_key_mismatch: {
    message: "The app's organisation accepts only one encryption key, and this bundle has another.",
    hint: 'Nothing was uploaded. Use the key pair of the organisation: the private key as the input "private-key", the public key in the Capacitor config. Owners of the organisation see the required key in the Capgo console.',
  },
  on_premise_app: {
    message: "The plan of the app's organisation is exhausted, cancelled or not valid.",
    hint: "Check the organisation's plan in the Capgo console: storage, devices and payment.",
  },
} satisfies Partial<Record<ErrorCode, Meaning>>

const KEY_WORKED = {
  message: 'Capgo rejects the API key, which worked earlier in this run.',
  hint: 'If the key was revoked or has expired, store a new one as the secret for "capgo-token". A self-hosted database that is short of connections also rejects good keys. Re-run the job, or raise max_connections of the database.',
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
        ? 'Capgo is having problems. Re-run the job later. It continues where this run stopped.'
        : 'This code comes from Capgo. Check the app, the channel and the key in the Capgo console.',
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
    `Could not ${purpose}: Capgo answered ${response.status}${code ? ` ${code}` : ''} and asks to retry in ${minutes} minutes.`,
    {
      hint: `This run does not wait that long. Re-run the job in ${minutes} minutes. It continues where this run stopped.`,
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
      hint: `Add it to the role of the key in the Capgo console. The least privileged role that includes it is ${LEAST_ROLE[needs]}.`,
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
