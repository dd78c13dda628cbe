/** A response of one of Capgo's servers, and what its headers and its body say. */
import type * as z from 'zod/mini'
import { ActionError } from '../errors.ts'

export interface HttpResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  /** Parsed body, undefined when it is not JSON in UTF-8. */
  readonly json: unknown
  /** Capgo's `error` or PostgREST's `code`, '' without one: a word that can stand in an output and in a sentence. */
  readonly code: string
  /** The key was refused, and it had worked before. */
  readonly keyWorked?: true
}

const UTF8 = new TextDecoder('utf-8', { fatal: true })

/** Text and JSON of a body, and the code in it. */
export function readBody(
  bytes: Buffer,
  redact: (text: string) => string,
): Pick<HttpResponse, 'text' | 'json' | 'code'> {
  const text = redact(bytes.toString('utf8'))
  let json: unknown
  try {
    UTF8.decode(bytes)
    json = JSON.parse(text)
  } catch {
    json = undefined
  }
  return { text, json, code: codeOf(json) }
}

/** Codes of Capgo and PostgREST are words; a sentence, or worse, is not a code. */
const CODE = /^\w[\w.-]{0,63}$/

function codeOf(json: unknown): string {
  if (typeof json !== 'object' || json === null) return ''
  const { error, code, message } = json as { error?: unknown; code?: unknown; message?: unknown }
  // A trigger of the database always refuses with this code. Its message begins with the reason, as one word.
  const rule = code === 'P0001' ? /^(\w+)(?=:|$)/.exec(String(message))?.[1] : undefined
  const found = typeof error === 'string' ? error : (rule ?? code)
  return typeof found === 'string' && CODE.test(found) ? found : ''
}

/** How many there are in all (rows, or bytes), by the header content-range; null where it does not say. */
export function totalOf({ headers }: HttpResponse): number | null {
  const total = /\/(\d+)$/.exec(String(headers['content-range'] ?? ''))?.[1]
  return total === undefined ? null : Number(total)
}

/** Milliseconds that the server asks to wait, or null when it names no pause. */
export function retryAfter({ headers, json }: HttpResponse): number | null {
  const header = headers['retry-after']
  // Seconds, or a date (RFC 9110) by the server's clock: the runner's may be wrong.
  const clock = Date.parse(String(headers.date)) || Date.now()
  const pause = Number(header) * 1000 || Date.parse(String(header)) - clock
  if (Number.isFinite(pause) && pause > 0) return pause
  const seconds = (json as { moreInfo?: { retryAfterSeconds?: unknown } } | undefined)?.moreInfo
    ?.retryAfterSeconds
  return typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : null
}

/** The parsed body; throws `unexpected_response`, which names the field that is not as it should be. */
export function parseResponse<T>(schema: z.ZodMiniType<T>, { json }: HttpResponse, purpose: string): T {
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw unexpected(
    purpose,
    json === undefined ? 'it is not JSON' : `${issue?.path.join('.') || 'body'}: ${issue?.message}`,
  )
}

/** A response that no Capgo server gives. */
export function unexpected(purpose: string, why: string): ActionError {
  return new ActionError(
    'unexpected_response',
    `Could not ${purpose}: Capgo's response has an unknown format (${why}).`,
    {
      hint: 'Check that api-url (database-url) is a Capgo server. A newer server can need a newer version of this action.',
    },
  )
}
