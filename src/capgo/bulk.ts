/** Many requests of one kind at the pace that Capgo allows. */
import PQueue from 'p-queue'
import { ActionError, Stopped } from '../errors.ts'

/**
 * Capgo takes 2000 requests of one key until there was a minute of silence: after so many we are silent, with room for
 * what else the job asks.
 */
export const RATE_LIMIT_PAUSE = 61_000

export interface BulkOptions<T, R> {
  /** Requests at once, and how many begin in an interval of milliseconds. */
  readonly rate: { readonly concurrency: number; readonly interval: number; readonly intervalCap: number }
  /** Requests after which there is a pause of `RATE_LIMIT_PAUSE`; a multiple of `batchSize`. */
  readonly perWindow: number
  /** Items that `select` looks at together; all of a window where it is left out. */
  readonly batchSize?: number
  /** Which items of a batch are tried, decided right before. */
  readonly select?: (batch: readonly T[]) => Promise<readonly T[]>
  readonly sleep: (ms: number) => Promise<void>
  readonly run: (item: T) => Promise<R>
  /** Called after each with the number of items that were tried. */
  readonly onDone: (tried: number) => void
}

/**
 * Tries each item. One that fails does not hinder the others; a missing permission ends it, since it would be the same
 * for all that are left: they get its error untried.
 */
export async function runInBulk<T, R>(
  items: readonly T[],
  { rate, perWindow, batchSize = perWindow, select, sleep, run, onDone }: BulkOptions<T, R>,
): Promise<Map<T, R | ActionError>> {
  const results = new Map<T, R | ActionError>()
  const queue = new PQueue(rate)
  let permanent: ActionError | null = null
  let tried = 0
  const attempt = async (item: T): Promise<void> => {
    if (permanent !== null) {
      results.set(item, permanent)
      return
    }
    try {
      results.set(item, await run(item))
    } catch (error) {
      if (!(error instanceof ActionError) || error instanceof Stopped) {
        queue.clear()
        throw error
      }
      results.set(item, error)
      if (error.code === 'permission_missing' || error.code === 'invalid_apikey') permanent = error
    }
    onDone(++tried)
  }
  for (let from = 0; from < items.length; from += batchSize) {
    if (from > 0 && from % perWindow === 0 && permanent === null) await sleep(RATE_LIMIT_PAUSE)
    const batch = items.slice(from, from + batchSize)
    const chosen = select === undefined ? batch : await select(batch)
    await queue.addAll(chosen.map(item => () => attempt(item)))
  }
  return results
}
