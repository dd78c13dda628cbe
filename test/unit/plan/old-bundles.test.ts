import { describe, expect, it } from 'vitest'
import type { BundleRow } from '../../../src/capgo/schema.ts'
import { findAbandoned, planHousekeeping } from '../../../src/plan/old-bundles.ts'
import { bundle, channel, line } from './cases/rows.ts'

const ours = (id: number, change: Partial<BundleRow> = {}) =>
  bundle({ id, name: `1.0.${id}`, comment: line('old', id), ...change })
const NONE = { served: 0, rollback: 0, newest: 0, foreign: 0, unfinished: 0 }

describe('planHousekeeping', () => {
  const plan = (bundles: BundleRow[], keep = 0, channels = [] as ReturnType<typeof channel>[]) => {
    const { remove, kept } = planHousekeeping(bundles, channels, keep)
    return { remove: remove.map(({ id }) => id), kept }
  }

  it('takes the oldest first, and leaves the newest', () => {
    const bundles = [3, 1, 4, 2].map(id => ours(id))
    expect(plan(bundles, 2)).toEqual({ remove: [1, 2], kept: { ...NONE, newest: 2 } })
    expect(plan(bundles, 9)).toEqual({ remove: [], kept: { ...NONE, newest: 4 } })
    expect(plan(bundles)).toEqual({ remove: [1, 2, 3, 4], kept: NONE })
  })

  it.each<[string, Partial<BundleRow>, keyof typeof NONE | null]>([
    ['ours', {}, null],
    ['without a word of ours', { comment: null }, 'foreign'],
    ['with other words', { comment: 'by hand' }, 'foreign'],
    ['whose name is no version', { name: 'v1.0.1' }, 'foreign'],
    ['unfinished', { storage_provider: 'r2-direct' }, 'unfinished'],
  ])('one that is %s', (_what, change, reason) => {
    expect(plan([ours(1, change)])).toEqual(
      reason === null ? { remove: [1], kept: NONE } : { remove: [], kept: { ...NONE, [reason]: 1 } },
    )
  })

  it('what a channel serves, rolls out, or would go back to stays', () => {
    const on = (id: number, more = '') => ours(id, { comment: line('production', id, more) })
    const bundles = [on(1), on(2), on(3, ' after 1.0.2'), on(4), ours(5)]
    const production = channel({ version: bundles[2]!, rollout_version: 4, rollout_enabled: true })
    expect(plan(bundles, 0, [production])).toEqual({
      remove: [1, 5],
      kept: { ...NONE, served: 2, rollback: 1 },
    })
    // What was put on another channel is nothing to go back to, and a bundle may have been on both.
    const both = ours(2, { comment: `${line('beta', 2)}\n${line('production', 2)}` })
    expect(
      plan([ours(1, { comment: line('beta', 1) }), both, on(3)], 0, [channel({ version: on(3) })]),
    ).toEqual({
      remove: [1],
      kept: { ...NONE, served: 1, rollback: 1 },
    })
    // One that has nothing to go back to keeps nothing.
    expect(plan([ours(1), ours(2)], 0, [channel({ name: 'beta', version: null })]).remove).toEqual([1, 2])
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
    expect(() => plan([ours(1)], 0, [broken])).toThrow(TypeError)
  })
})

describe('findAbandoned', () => {
  const now = new Date('2026-11-26T12:00:00Z')
  const begun = (created_at: string, change: Partial<BundleRow> = {}) =>
    findAbandoned([ours(1, { created_at, storage_provider: 'r2-direct', ...change })], now).length
  it.each<[string, number, Partial<BundleRow>]>([
    ['2026-11-25T11:59:59Z', 1, {}],
    ['2026-11-25T12:00:00Z', 0, {}],
    ['2026-11-25T12:00:01Z', 0, {}],
    ['2026-11-01T00:00:00Z', 0, { comment: null }],
    ['2026-11-01T00:00:00Z', 0, { name: 'by-hand' }],
  ])('begun at %s: %i (%j)', (at, count, change) => expect(begun(at, change)).toBe(count))
})
