import fc from 'fast-check'
import { type History, histories } from './history.ts'
import { play } from './play.ts'
import { Tally } from './tally.ts'

export interface Failure {
  readonly seed: number
  /** What was done in the smallest history that fails, and what is wrong after it. */
  readonly story: string
  readonly shrinks: number
}

/** Plays the history of a seed; when it fails, looks for a smaller one for so many seconds. */
export async function trySeed(seed: number, tally: Tally, shrinkSeconds: number): Promise<Failure | null> {
  let failedAt: number | null = null
  const property = fc.asyncProperty(fc.noBias(histories), async (history: History) => {
    // Whatever is left when the time is up counts as good, so that the smallest that was found stays.
    if (failedAt !== null && performance.now() - failedAt > shrinkSeconds * 1000) return
    try {
      // Only the history itself is counted, not the smaller ones.
      await play(history, failedAt === null ? tally : new Tally())
    } catch (error) {
      failedAt ??= performance.now()
      throw error
    }
  })
  const found = await fc.check(property, { seed, numRuns: 1 })
  if (!found.failed) return null
  const error = found.errorInstance as Error
  return {
    seed,
    story: error.name === 'Broken' ? error.message : `${error.stack}`,
    shrinks: found.numShrinks,
  }
}
