/** Some histories under faults; `npm run histories` plays them for as long as one likes (docs/development/reliability.md). */
import { describe, expect, it } from 'vitest'
import { EXAMPLES } from './examples.ts'
import { play } from './play.ts'
import { trySeed } from './seeds.ts'
import { renderTally, Tally } from './tally.ts'

/** Seeds that once failed for different reasons stand first. */
const SEEDS = [16, 44, 410145, 410289, 500057, 500148, 500249, 700078, 810000, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
/** Seconds to look for a smaller history when one fails. */
const SHRINK = 60

const tally = new Tally()

describe('after a history that is worth to be played each time', () => {
  it.each(Object.entries(EXAMPLES))('%s', (_title, history) => play(history, new Tally()))
})

describe('after a history under faults and one calm run everything is as it should be', () => {
  it.each(SEEDS)(
    'seed %i',
    async seed => {
      const failure = await trySeed(seed, tally, SHRINK)
      expect(failure?.story ?? null, `npm run histories -- --seed ${seed}`).toBeNull()
    },
    (SHRINK + 300) * 1000,
  )

  it('faults did strike', () => {
    console.log(renderTally(tally, 0, 0))
    expect(tally.histories).toBe(SEEDS.length)
    expect([...tally.faults.values()].reduce((sum, times) => sum + times, 0)).toBeGreaterThan(SEEDS.length)
  })
})
