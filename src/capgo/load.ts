/**
 * How much is asked with the key at once. A database that is short of connections does not find the key of some
 * requests and refuses them as if it were wrong (seen with 100 connections: 32 requests at once were fine, of 48 it
 * refused 8). Where the key has worked before, such a refusal says "not now": less is asked at once then.
 */
import type { HttpRequest } from './request.ts'
import type { HttpResponse } from './response.ts'

const FIRST = 16
const MAX_CONCURRENCY = 32
/** Capgo locks out an address that sent 20 wrong keys, for 15 minutes, and these refusals count. */
const MAX_WRONG = 19

/** A turn among the requests of this client. */
interface Turn {
  readonly kind: 'turn'
  readonly flight: number
}

/** The key was given up: nothing is asked any more. */
interface NoTurn {
  readonly kind: 'closed'
  /** The answer to every further request. */
  readonly response: HttpResponse
}

export function createLoad() {
  let limit = FIRST
  let most = MAX_CONCURRENCY
  let underWay = 0
  let wrong = 0
  /** Counts how often less was asked: one flight of refusals says so once. */
  let flight = 0
  let hasWorked = false
  let last: HttpResponse | null = null
  const waiting: (() => void)[] = []

  const isFree = () => underWay < Math.min(limit, wrong === 0 ? limit : MAX_WRONG - wrong)

  function admit(): void {
    while (waiting.length > 0 && (last !== null || isFree())) {
      underWay++
      waiting.shift()?.()
    }
  }

  const end = (response: HttpResponse): HttpResponse =>
    (last ??= hasWorked ? { ...response, keyWorked: true } : response)

  return {
    /** Waits for a turn. */
    async enter(): Promise<Turn | NoTurn> {
      if (last !== null) return { kind: 'closed', response: last }
      if (waiting.length === 0 && isFree()) underWay++
      else await new Promise<void>(resolve => waiting.push(resolve))
      if (last === null) return { kind: 'turn', flight }
      underWay--
      return { kind: 'closed', response: last }
    },

    /** Gives the turn back, with what came of it; null where no response came. */
    leave(turn: Turn, request: HttpRequest, response: HttpResponse | null): void {
      const wasFull = underWay >= limit
      underWay--
      if (response !== null && isKeyRefused(response)) {
        if (response.status === 401) wrong++
        if (hasWorked && turn.flight === flight) {
          flight++
          most = Math.max(1, Math.floor(Math.min(limit, underWay + 1) / 2))
          limit = most
        }
        if (wrong >= MAX_WRONG) end(response)
      } else if (response !== null && provesKey(request, response)) {
        hasWorked = true
        if (wasFull && limit < most) limit++
      }
      admit()
    },

    /** Whether the key worked in this run, so that it is not wrong when it is refused now. */
    isTransient: (response: HttpResponse): boolean => hasWorked && last === null && isKeyRefused(response),

    /** The key was refused as often as one waits for. */
    giveUp(response: HttpResponse): HttpResponse {
      const final = end(response)
      admit()
      return final
    },

    /** The replacement for every other response, once the key was given up. */
    lastResponse: (): HttpResponse | null => last,
  }
}

export function isKeyRefused({ status, code }: HttpResponse): boolean {
  return status >= 400 && status < 500 && (code === 'invalid_apikey' || code === 'user_not_found')
}

/**
 * The database answers a wrong key too, with nothing, and some of its functions answer everybody alike; the API and the
 * files service do neither.
 */
function provesKey({ url }: HttpRequest, { status, text }: HttpResponse): boolean {
  if (status >= 300) return false
  const database = /\/rest\/v1\/(rpc\/)?/.exec(url)
  return database === null || (database[1] === undefined && /^\[\s*\{/.test(text))
}
