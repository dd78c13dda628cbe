import { expect, it } from 'vitest'
import { findAbandoned, planOldBundles } from '../../../src/plan/old-bundles.ts'
import { BEGUN, NOW, OLD_BUNDLES, ours } from './cases/old-bundles.ts'
import { channel } from './cases/rows.ts'
import { eachCase } from './decided.ts'

eachCase(OLD_BUNDLES, ({ bundles, channels = [], keep = 0, remove, kept }) => {
  const plan = planOldBundles(bundles, channels, keep)
  expect(plan.remove.map(({ id }) => id)).toEqual(remove)
  expect(plan.kept).toEqual({ served: 0, rollback: 0, newest: 0, foreign: 0, unfinished: 0, ...kept })
})

it('a mistake of ours is not taken for "nothing to go back to"', () => {
  let reads = 0
  const broken = {
    ...channel(),
    // What is served is read first.
    get version(): null {
      if (++reads > 1) throw new TypeError('oops')
      return null
    },
  }
  expect(() => planOldBundles([ours(1)], [broken], 0)).toThrow(TypeError)
})

it.each(BEGUN)('begun at %s: abandoned is %s (%j)', (created_at, isAbandoned, change) => {
  const begun = ours(1, { created_at, storage_provider: 'r2-direct', ...change })
  expect(findAbandoned([begun], new Date(NOW))).toEqual(isAbandoned ? [begun] : [])
})
