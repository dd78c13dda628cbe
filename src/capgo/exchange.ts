/** One request and its response: bounds of time and size, redaction, user agent, no redirects. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Dispatcher, request as sendRequest } from 'undici'
import { ActionError, untrusted } from '../errors.ts'
import { isSystemError } from '../runtime/system-error.ts'
import type { HttpRequest } from './request.ts'
import { type HttpResponse, readBody } from './response.ts'

export interface ExchangeOptions {
  readonly dispatcher: Dispatcher
  readonly userAgent: string
  /** Responses are read without the secrets that they echo: whatever quotes them then contains none. */
  readonly redact: (text: string) => string
  /** Ends every request, and every pause between two attempts, with its reason. */
  readonly signal: AbortSignal
  /** Milliseconds after which an upload is given up in which nothing moves. */
  readonly uploadStallTimeout?: number
}

/** A request that got no response at all, however often it was tried. */
export class ConnectionError extends ActionError {}

/** 30 s for JSON requests (contract of the API: suggested client timeouts). */
const TIMEOUT = 30_000
/** From the last byte of a request to the first of its response: a store takes its time over a large chunk. */
const HEADERS_TIMEOUT = 120_000
/** Between two pieces of a response. */
const BODY_TIMEOUT = 30_000
/** Sockets alone would wait for a quarter of an hour. */
const UPLOAD_STALL_TIMEOUT = 60_000
/** Bytes of a response, downloads excepted. 1000 rows with all that they can hold have some 20 MB. */
const MAX_RESPONSE = 32 * 1024 * 1024

/**
 * Sends the request once; `onHeaders` is called as soon as a response begins. Throws `ConnectionError` when there is no
 * response, `response_too_long` for one that does not end, `redirect_refused` for a redirect (credentials follow none), and
 * the signal's reason.
 */
export async function exchange(
  request: HttpRequest,
  options: ExchangeOptions,
  onHeaders: (headers: HttpResponse['headers']) => void,
): Promise<HttpResponse> {
  const { json, body } = request
  const bytes = body?.open()
  const watch =
    bytes === undefined ? null : watchUpload(bytes, options.uploadStallTimeout ?? UPLOAD_STALL_TIMEOUT)
  const bounds = [options.signal, AbortSignal.timeout(request.timeout ?? TIMEOUT)]
  try {
    const { statusCode, headers, body } = await sendRequest(request.url, {
      dispatcher: options.dispatcher,
      method: request.method,
      headers: headersOf(request, options.userAgent),
      body: json !== undefined ? JSON.stringify(json) : ((watch?.body ?? null) as never),
      signal: AbortSignal.any(watch === null ? bounds : [...bounds, watch.signal]),
      headersTimeout: HEADERS_TIMEOUT,
      bodyTimeout: BODY_TIMEOUT,
    })
    onHeaders(headers)
    const pieces: Buffer[] = []
    const read = statusCode < 300 && request.onBody ? request.onBody() : collect(pieces, request)
    // Leaving the loop by a throw closes the connection.
    for await (const piece of body) read(piece as Buffer)
    // The connection takes another request in the next turn of the loop; one that comes before opens a new one.
    await nextTurn()
    if (statusCode >= 300 && statusCode < 400 && statusCode !== 304) throw redirectRefused(request)
    return { status: statusCode, headers, ...readBody(Buffer.concat(pieces), options.redact) }
  } catch (error) {
    options.signal.throwIfAborted()
    throw explain(error, request, options.redact)
  } finally {
    watch?.end()
    await bytes?.return(undefined)
  }
}

function headersOf({ json, body, headers }: HttpRequest, userAgent: string): Record<string, string> {
  return {
    'user-agent': userAgent,
    ...(json === undefined ? {} : { 'content-type': 'application/json' }),
    ...(body === undefined ? {} : { 'content-length': String(body.length) }),
    ...headers,
  }
}

function redirectRefused({ purpose, url }: HttpRequest): ActionError {
  return new ActionError(
    'redirect_refused',
    `Could not ${purpose}: ${originOf(url)} answered with a redirect.`,
    {
      hint: 'The Capgo key is never sent to another address. Set api-url (files-url, database-url) to the final address.',
    },
  )
}

/** Why an exchange ended without a response. */
function explain(error: unknown, { purpose, url }: HttpRequest, redact: (text: string) => string): unknown {
  if (error instanceof ActionError) return error
  // A file that is sent, and not the way to Capgo.
  if (isSystemError(error)) return error
  const cause = error as Error & { code?: string }
  return (
    untrusted(error, `Could not ${purpose}: ${originOf(url)}`) ??
    new ConnectionError(
      'no_connection',
      `Could not ${purpose}: no answer from ${originOf(url)} (${cause.code ?? cause.name}: ${redact(cause.message)}).`,
      {
        hint: 'Check api-url, and that the runner can reach it. Then re-run the job. It continues where this run stopped.',
        cause,
        transient: true,
      },
    )
  )
}

/** Gives an upload up of which no byte has moved for so many milliseconds. */
function watchUpload(chunks: AsyncIterable<Uint8Array>, after: number) {
  const controller = new AbortController()
  const timer = setTimeout(
    () => controller.abort(new DOMException(`no data for ${after} ms`, 'TimeoutError')),
    after,
  )
  async function* watched(): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      timer.refresh()
      yield chunk
    }
    clearTimeout(timer)
  }
  return { signal: controller.signal, body: watched(), end: () => clearTimeout(timer) }
}

/** The request cannot have reached the server. */
export function neverSent(error: ConnectionError): boolean {
  const code = (error.cause as { code?: string } | undefined)?.code
  return (
    code !== undefined &&
    /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ENETUNREACH|ENETDOWN|EHOSTUNREACH|UND_ERR_CONNECT_TIMEOUT)$/.test(
      code,
    )
  )
}

/** Gathers a response, up to its bound. */
function collect(pieces: Buffer[], { purpose, url }: HttpRequest): (piece: Buffer) => void {
  let size = 0
  return piece => {
    size += piece.length
    if (size > MAX_RESPONSE)
      throw new ActionError(
        'response_too_long',
        `Could not ${purpose}: the response of ${originOf(url)} has more than ${MAX_RESPONSE / 1024 / 1024} MiB.`,
        {
          hint: 'A Capgo server never sends that much. Check api-url (files-url, database-url).',
        },
      )
    pieces.push(piece)
  }
}

export function originOf(url: string): string {
  return URL.parse(url)?.origin ?? 'an invalid address'
}
