/**
 * The one way to Capgo's servers: bounds of time and size, retries, `Retry-After`, redaction, user agent, no
 * redirects. No encoding is asked for, so nothing is unpacked.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import pRetry, { AbortError } from 'p-retry'
import { type Dispatcher, request } from 'undici'
import { ActionError, untrusted } from '../errors.ts'
import { isSystemError } from '../runtime/system-error.ts'
import { createLoad, isKeyRefused } from './load.ts'
import { isPassing, LONGEST_RETRY_AFTER, retryAfter } from './transient.ts'

export interface Call {
  /** What is being done, for messages: "promote the bundle". */
  readonly what: string
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly json?: unknown
  /** A body of bytes, opened anew for each try. */
  readonly body?: { readonly open: () => AsyncGenerator<Uint8Array>; readonly length: number }
  /**
   * `repeat`: doing it twice does no harm, so faults are tried again. `once`: a lost answer is the caller's to
   * look into; only refusals that say "not now" are tried again.
   */
  readonly retry: 'repeat' | 'once'
  /** Statuses of 500 and above that are an answer here and no fault. */
  readonly answers?: readonly number[]
  /** Milliseconds for the whole exchange. */
  readonly timeout?: number
  /** Milliseconds within which another try may begin, where that is less than `PATIENCE`. */
  readonly patience?: number
  /**
   * Takes the body of a 2xx answer piece by piece instead of `text`; called anew from the start on a retry. What
   * it throws ends the exchange: an `ActionError` as it is, anything else as no answer.
   */
  readonly onBody?: () => (piece: Buffer) => void
}

export interface Answer {
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

export interface HttpOptions {
  readonly dispatcher: Dispatcher
  readonly userAgent: string
  /** Answers are read without the secrets that they echo: whatever quotes them then cannot tell any. */
  readonly redact: (text: string) => string
  readonly sleep: (ms: number) => Promise<void>
  /** Ends every call, and every pause between two tries, with its reason. */
  readonly signal: AbortSignal
  readonly onRetry: (message: string) => void
  /** First pause between two tries in milliseconds; doubles, with jitter. */
  readonly firstPause?: number
  /** Milliseconds for which a server that has answered before may be out of reach: the runner has lost its network. */
  readonly outage?: number
  /** Milliseconds after which a transfer is given up in which nothing moves. */
  readonly stall?: number
}

/** A call that got no answer at all, however often it was tried. */
export class ConnectionError extends ActionError {}

/** 30 s for JSON calls (contract of the API: suggested client timeouts). */
const TIMEOUT = 30_000
const TRIES = 5
/** From the last byte of a request to the first of its answer: a store takes its time over a large chunk. */
const SILENT = 120_000
/** Between two pieces of an answer. */
const STALLED = 30_000
/** Bytes of an answer that is no download. 1000 rows with all that they can hold have some 20 MB. */
const LONGEST_ANSWER = 32 * 1024 * 1024
const FIRST_PAUSE = 500
const LONGEST_PAUSE = 10_000
const OUTAGE = 90_000
const STALL = 60_000
/** All tries of a call and the pauses between them: no other try begins later. */
export const PATIENCE = 180_000

export type Http = ReturnType<typeof createHttp>

export function createHttp(options: HttpOptions) {
  /** Origins that have answered: when they are gone, it is not for a wrong address. */
  const known = new Set<string>()
  const load = createLoad()
  /** What the server's clock said when the last answer came. */
  let told: { readonly date: number; readonly at: number } | null = null

  /**
   * Sends a call and returns the answer, whatever its status. Throws `ConnectionError` when there is none,
   * `answer_too_long` for one that does not end, `redirect_refused` for a redirect: credentials follow none; and the
   * signal's reason.
   */
  async function send(call: Call): Promise<Answer> {
    const began = performance.now()
    const patience = call.patience ?? Math.max(PATIENCE, call.timeout ?? 0)
    let paused = 0
    const hasKey = call.headers?.capgkey !== undefined
    const mayBeOut = (error: Error) =>
      error instanceof ConnectionError &&
      known.has(originOf(call.url)) &&
      performance.now() - began < (options.outage ?? OUTAGE)
    let tries = 0
    return pRetry(
      async () => {
        tries++
        const answer = hasKey ? await takeTurn(call) : await exchange(call)
        if (isPassing(answer, call) || load.isPassing(answer)) throw new PassingFault(answer)
        return answer
      },
      {
        retries: Number.POSITIVE_INFINITY,
        minTimeout: options.firstPause ?? FIRST_PAUSE,
        maxTimeout: LONGEST_PAUSE,
        factor: 2,
        randomize: true,
        signal: options.signal,
        shouldRetry: async ({ error }) => {
          const passing =
            error instanceof PassingFault ||
            (error instanceof ConnectionError && (call.retry === 'repeat' || neverSent(error)))
          if (!passing || (tries >= TRIES && !mayBeOut(error))) return false
          const pause = error instanceof PassingFault ? retryAfter(error.answer) : null
          paused += pause ?? 0
          if (Math.max(paused, performance.now() - began + (pause ?? 0)) > patience) return false
          options.onRetry(
            `${call.what}: ${error instanceof PassingFault ? error.message : 'no answer'}; trying again${pause ? ` in ${Math.ceil(pause / 1000)} s` : ''}${tries < TRIES ? ` (${tries + 1} of ${TRIES})` : ''}`,
          )
          if (pause !== null) await sleep(pause)
          return true
        },
      },
    ).catch((error: unknown) => {
      if (!(error instanceof PassingFault)) throw error
      const { answer } = error
      return isKeyRefused(answer) ? load.giveUp(answer) : answer
    })
  }

  /** Sends a call with the key as soon as few enough others are under way. */
  async function takeTurn(call: Call): Promise<Answer> {
    const place = await load.enter()
    if (place === null) return load.lastAnswer()!
    let answer: Answer | null = null
    try {
      options.signal.throwIfAborted()
      answer = await exchange(call)
    } finally {
      load.leave(place, call, answer)
    }
    return isKeyRefused(answer) ? (load.lastAnswer() ?? answer) : answer
  }

  async function exchange(call: Call): Promise<Answer> {
    const bytes = call.body?.open()
    const watch = call.body === undefined ? null : watchStall(options.stall ?? STALL)
    const bounds = [options.signal, AbortSignal.timeout(call.timeout ?? TIMEOUT)]
    try {
      const response = await request(call.url, {
        dispatcher: options.dispatcher,
        method: call.method,
        headers: {
          'user-agent': options.userAgent,
          ...(call.json === undefined ? {} : { 'content-type': 'application/json' }),
          ...(call.body === undefined ? {} : { 'content-length': String(call.body.length) }),
          ...call.headers,
        },
        body:
          call.json !== undefined
            ? JSON.stringify(call.json)
            : bytes && watch
              ? (watch.over(bytes) as never)
              : null,
        signal: AbortSignal.any(watch === null ? bounds : [...bounds, watch.signal]),
        headersTimeout: SILENT,
        bodyTimeout: STALLED,
      })
      known.add(originOf(call.url))
      told = readDate(response.headers) ?? told
      const pieces: Buffer[] = []
      const take = response.statusCode < 300 && call.onBody ? call.onBody() : collect(pieces, call)
      // Leaving the loop by a throw closes the connection.
      for await (const piece of response.body) take(piece as Buffer)
      // The connection takes another request in the next turn of the loop; one that comes before opens a new one.
      await nextTurn()
      if (response.statusCode >= 300 && response.statusCode < 400 && response.statusCode !== 304)
        throw new AbortError(
          new ActionError(
            'redirect_refused',
            `Could not ${call.what}: ${originOf(call.url)} answered with a redirect.`,
            {
              hint: 'The Capgo key is never sent on to another address. Set api-url (files-url, database-url) to the final address.',
            },
          ),
        )
      const { text, json } = read(Buffer.concat(pieces), options.redact)
      return { status: response.statusCode, headers: response.headers, text, json, code: codeOf(json) }
    } catch (error) {
      options.signal.throwIfAborted()
      if (error instanceof AbortError || error instanceof ActionError) throw error
      // A file that is sent, and not the way to Capgo.
      if (isSystemError(error)) throw new AbortError(error)
      const cause = error as Error & { code?: string }
      const distrusted = untrusted(error, `Could not ${call.what}: ${originOf(call.url)}`)
      if (distrusted !== null) throw distrusted
      throw new ConnectionError(
        'no_connection',
        `Could not ${call.what}: no answer from ${originOf(call.url)} (${cause.code ?? cause.name}: ${options.redact(cause.message)}).`,
        {
          hint: 'Is the address right, and can the runner reach it? A run that died half way is finished by running it again.',
          cause,
          passing: true,
        },
      )
    } finally {
      watch?.end()
      await bytes?.return(undefined)
    }
  }

  /** Waits as long as the answer asks for, else longer with each try; returns the milliseconds. */
  async function pause(answer: Answer | null, tries: number): Promise<number> {
    const asked = answer === null ? null : retryAfter(answer)
    const backoff = Math.min(LONGEST_PAUSE, (options.firstPause ?? FIRST_PAUSE) * 2 ** (tries - 1))
    const milliseconds = asked === null ? backoff : Math.min(asked, LONGEST_RETRY_AFTER)
    await sleep(milliseconds)
    return milliseconds
  }

  async function sleep(ms: number): Promise<void> {
    options.signal.throwIfAborted()
    await options.sleep(ms)
    options.signal.throwIfAborted()
  }

  /** The server's time of day, by its last answer; the runner's own before there is one. A runner's clock may be wrong. */
  function now(): Date {
    return told === null ? new Date() : new Date(told.date + performance.now() - told.at)
  }

  return { send, pause, sleep, now }
}

/** When an answer was made; null where a cache kept it, or it does not say. */
function readDate({ date, age }: Answer['headers']) {
  const parsed = Date.parse(String(date))
  return Number.isNaN(parsed) || Number(age) > 0 ? null : { date: parsed, at: performance.now() }
}

/** Gives an upload up of which no byte has moved for so many milliseconds; sockets alone would wait for a quarter of an hour. */
function watchStall(after: number) {
  const controller = new AbortController()
  const timer = setTimeout(
    () => controller.abort(new DOMException(`nothing moved for ${after} ms`, 'TimeoutError')),
    after,
  )
  return {
    signal: controller.signal,
    async *over(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const chunk of chunks) {
        timer.refresh()
        yield chunk
      }
      clearTimeout(timer)
    },
    end: () => clearTimeout(timer),
  }
}

/** An answer that says "not now". */
class PassingFault extends Error {
  readonly answer: Answer

  constructor(answer: Answer) {
    super(`HTTP ${answer.status}${answer.code ? ` ${answer.code}` : ''}`)
    this.answer = answer
  }
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

/** Gathers an answer, up to its bound. */
function collect(pieces: Buffer[], { what, url }: Call): (piece: Buffer) => void {
  let size = 0
  return piece => {
    size += piece.length
    if (size > LONGEST_ANSWER)
      throw new ActionError(
        'answer_too_long',
        `Could not ${what}: the answer of ${originOf(url)} has more than ${LONGEST_ANSWER / 1024 / 1024} MiB.`,
        {
          hint: 'No answer of a Capgo server is that long. Is api-url (files-url, database-url) the right address?',
        },
      )
    pieces.push(piece)
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true })

function read(bytes: Buffer, redact: HttpOptions['redact']): { text: string; json: unknown } {
  const text = redact(bytes.toString('utf8'))
  try {
    UTF8.decode(bytes)
    return { text, json: JSON.parse(text) }
  } catch {
    return { text, json: undefined }
  }
}

function originOf(url: string): string {
  return URL.parse(url)?.origin ?? 'an address that is none'
}

/** Codes of Capgo and PostgREST are words; a sentence, or worse, is no code. */
const CODE = /^\w[\w.-]{0,63}$/

function codeOf(json: unknown): string {
  if (typeof json !== 'object' || json === null) return ''
  const { error, code, message } = json as { error?: unknown; code?: unknown; message?: unknown }
  // A trigger of the database always refuses with this code. Its message begins with the reason, as one word.
  const rule = code === 'P0001' ? /^(\w+)(?=:|$)/.exec(String(message))?.[1] : undefined
  const found = typeof error === 'string' ? error : (rule ?? code)
  return typeof found === 'string' && CODE.test(found) ? found : ''
}
