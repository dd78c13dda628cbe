/**
 * The one way to Capgo's servers: retries, `Retry-After`, and how much is asked at once. No encoding is asked for, so
 * nothing is unpacked.
 */

import { type Attempts, describeRetry } from '../runtime/retry.ts'
import { ConnectionError, type ExchangeOptions, exchange, neverSent, originOf } from './exchange.ts'
import { createLoad, isKeyRefused } from './load.ts'
import type { HttpRequest } from './request.ts'
import { type HttpResponse, retryAfter } from './response.ts'
import { isTransient, MAX_RETRY_AFTER } from './transient.ts'

export interface HttpOptions extends ExchangeOptions {
  readonly sleep: (ms: number) => Promise<void>
  readonly onRetry: (message: string) => void
  /** First pause between two attempts in milliseconds; doubles, with jitter. */
  readonly firstPause?: number
  /** Milliseconds for which a server that has answered before may be out of reach: the runner has lost its network. */
  readonly outage?: number
}

const MAX_ATTEMPTS = 5
const FIRST_PAUSE = 500
const MAX_PAUSE = 10_000
const OUTAGE = 90_000
/** All attempts of a request and the pauses between them: no other attempt begins later. */
export const MAX_RETRY_TIME = 180_000

export type Http = ReturnType<typeof createHttp>

export function createHttp(options: HttpOptions) {
  /** Origins that have answered: when they are gone, it is not for a wrong address. */
  const known = new Set<string>()
  const load = createLoad()
  /** The server's clock at the last response. */
  let clock: { readonly date: number; readonly at: number } | null = null

  /** Sends a request and returns the response, whatever its status. Throws what `exchange` throws. */
  async function send(request: HttpRequest): Promise<HttpResponse> {
    const start = performance.now()
    const maxRetryTime = request.maxRetryTime ?? Math.max(MAX_RETRY_TIME, request.timeout ?? 0)
    const hasKey = request.headers?.capgkey !== undefined
    /** Milliseconds that responses asked to wait. */
    let asked = 0
    for (let attempts = 1; ; attempts++) {
      options.signal.throwIfAborted()
      let response: HttpResponse | null = null
      let error: ConnectionError | null = null
      try {
        response = hasKey ? await takeTurn(request) : await attempt(request)
        if (!isTransient(response, request) && !load.isTransient(response)) return response
      } catch (thrown) {
        if (!(thrown instanceof ConnectionError && (request.retry === 'repeat' || neverSent(thrown))))
          throw thrown
        error = thrown
      }
      const elapsed = performance.now() - start
      const wanted = response === null ? null : retryAfter(response)
      asked += wanted ?? 0
      const mayBeOut =
        error !== null && known.has(originOf(request.url)) && elapsed < (options.outage ?? OUTAGE)
      const isLast = attempts >= MAX_ATTEMPTS && !mayBeOut
      if (isLast || Math.max(asked, elapsed + (wanted ?? 0)) > maxRetryTime) {
        if (response === null) throw error
        return isKeyRefused(response) ? load.giveUp(response) : response
      }
      // With jitter, so that runs which were refused together do not come back together.
      const milliseconds = Math.max(wanted ?? 0, Math.min(MAX_PAUSE, backoff(attempts) * (1 + Math.random())))
      sayRetry(request, response, milliseconds, attempts < MAX_ATTEMPTS ? [attempts + 1, MAX_ATTEMPTS] : null)
      await sleep(milliseconds)
    }
  }

  /** Sends a request with the key as soon as few enough others are under way. */
  async function takeTurn(request: HttpRequest): Promise<HttpResponse> {
    const place = await load.enter()
    if (place.kind === 'closed') return place.response
    let response: HttpResponse | null = null
    try {
      options.signal.throwIfAborted()
      response = await attempt(request)
    } finally {
      load.leave(place, request, response)
    }
    return isKeyRefused(response) ? (load.lastResponse() ?? response) : response
  }

  async function attempt(request: HttpRequest): Promise<HttpResponse> {
    const onHeaders = (headers: HttpResponse['headers']) => {
      known.add(originOf(request.url))
      clock = readClock(headers) ?? clock
    }
    return exchange(request, options, onHeaders)
  }

  function sayRetry(
    { purpose }: Pick<HttpRequest, 'purpose'>,
    response: HttpResponse | null,
    milliseconds: number,
    attempts: Attempts,
  ): void {
    const answer = response === null ? 'did not answer' : `answered ${statusOf(response)}`
    options.onRetry(describeRetry(`Capgo ${answer} (${purpose}).`, milliseconds, attempts))
  }

  /**
   * Waits before the request is sent again, as long as the response asks for, else longer with each attempt; returns the
   * milliseconds.
   */
  async function pause(
    request: Pick<HttpRequest, 'purpose'>,
    response: HttpResponse | null,
    attempts: number,
  ): Promise<number> {
    const wanted = response === null ? null : retryAfter(response)
    const milliseconds =
      wanted === null ? Math.min(MAX_PAUSE, backoff(attempts)) : Math.min(wanted, MAX_RETRY_AFTER)
    sayRetry(request, response, milliseconds, null)
    await sleep(milliseconds)
    return milliseconds
  }

  function backoff(attempts: number): number {
    return (options.firstPause ?? FIRST_PAUSE) * 2 ** (attempts - 1)
  }

  /** Waits so many milliseconds because Capgo allows no more calls until then, and says so in the log. */
  async function waitForLimit(ms: number): Promise<void> {
    options.onRetry(`Waiting ${Math.ceil(ms / 1000)} s: Capgo limits the calls of a key.`)
    await sleep(ms)
  }

  async function sleep(ms: number): Promise<void> {
    options.signal.throwIfAborted()
    await options.sleep(ms)
    options.signal.throwIfAborted()
  }

  /** The server's time of day, by its last response; the runner's own before there is one. A runner's clock may be wrong. */
  function now(): Date {
    return clock === null ? new Date() : new Date(clock.date + performance.now() - clock.at)
  }

  return { send, pause, sleep, waitForLimit, now }
}

/** When a response was made; null where a cache kept it, or it does not say. */
function readClock({ date, age }: HttpResponse['headers']) {
  const parsed = Date.parse(String(date))
  return Number.isNaN(parsed) || Number(age) > 0 ? null : { date: parsed, at: performance.now() }
}

function statusOf({ status, code }: HttpResponse): string {
  return `${status}${code ? ` ${code}` : ''}`
}
