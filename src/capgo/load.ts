/**
 * How much is asked with the key side by side. A database that is short of connections does not find the key of some
 * requests and refuses them as if it were wrong (seen with 100 connections: 32 requests at once were fine, of 48 it
 * refused 8). Where the key has worked before, such a refusal says "not now": less is asked at once then.
 */
import type { Answer, Call } from './http.ts'

const FIRST = 16
const MOST = 32
/** Capgo locks out an address that sent 20 wrong keys, for 15 minutes, and these refusals count. */
const MOST_WRONG = 19

/** Where a call of this client stands among the others. */
export interface Place {
  readonly flight: number
}

export function createLoad() {
  let limit = FIRST
  let most = MOST
  let underWay = 0
  let wrong = 0
  /** Counts how often less was asked: one flight of refusals says so once. */
  let flight = 0
  let hasWorked = false
  /** The key does not work any more: what every further call would be told. */
  let last: Answer | null = null
  const waiting: (() => void)[] = []

  const isFree = () => underWay < Math.min(limit, wrong === 0 ? limit : MOST_WRONG - wrong)

  function admit(): void {
    while (waiting.length > 0 && (last !== null || isFree())) {
      underWay++
      waiting.shift()?.()
    }
  }

  const end = (answer: Answer): Answer => (last ??= hasWorked ? { ...answer, keyWorked: true } : answer)

  return {
    /** Waits for a place; null where the key was given up, so that nothing is asked any more. */
    async enter(): Promise<Place | null> {
      if (last === null && waiting.length === 0 && isFree()) underWay++
      else if (last === null) await new Promise<void>(resolve => waiting.push(resolve))
      else return null
      if (last === null) return { flight }
      underWay--
      return null
    },

    /** Gives the place back, with what came of it; null where no answer came. */
    leave(place: Place, call: Call, answer: Answer | null): void {
      const wasFull = underWay >= limit
      underWay--
      if (answer !== null && isKeyRefused(answer)) {
        if (answer.status === 401) wrong++
        if (hasWorked && place.flight === flight) {
          flight++
          most = Math.max(1, Math.floor(Math.min(limit, underWay + 1) / 2))
          limit = most
        }
        if (wrong >= MOST_WRONG) end(answer)
      } else if (answer !== null && provesKey(call, answer)) {
        hasWorked = true
        if (wasFull && limit < most) limit++
      }
      admit()
    },

    /** Whether the key worked in this run, so that it is not wrong when it is refused now. */
    isPassing: (answer: Answer): boolean => hasWorked && last === null && isKeyRefused(answer),

    /** The key was refused as often as one waits for. */
    giveUp(answer: Answer): Answer {
      const told = end(answer)
      admit()
      return told
    },

    /** What is told instead of another answer, once the key was given up. */
    lastAnswer: (): Answer | null => last,
  }
}

export function isKeyRefused({ status, code }: Answer): boolean {
  return status >= 400 && status < 500 && (code === 'invalid_apikey' || code === 'user_not_found')
}

/**
 * The database answers a wrong key too, with nothing, and some of its functions tell everybody the same; the API and the
 * files service do neither.
 */
function provesKey({ url }: Call, { status, text }: Answer): boolean {
  if (status >= 300) return false
  const database = /\/rest\/v1\/(rpc\/)?/.exec(url)
  return database === null || (database[1] === undefined && /^\[\s*\{/.test(text))
}
