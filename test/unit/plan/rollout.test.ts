import { describe, expect, it } from 'vitest'
import { activeRollout, describeRollout, isAt, rolloutActive, shareOf } from '../../../src/plan/rollout.ts'
import { channel } from './cases/rows.ts'

describe('a rollout', () => {
  const rolling = (change: object = {}) =>
    channel({ rollout_version: 5, rollout_enabled: true, rollout_percentage_bps: 1000, ...change })
  it.each([
    ['is there', {}, { id: 5, bps: 1000, paused: false }],
    ['is there, paused', { rollout_paused_at: 'x' }, { id: 5, bps: 1000, paused: true }],
    ['is not there', { rollout_version: null }, null],
    ['is switched off', { rollout_enabled: false }, null],
  ])('%s', (_what, change, expected) => expect(activeRollout(rolling(change))).toEqual(expected))

  it.each([
    [null, null],
    [0, 0],
    [9_999, 9_999],
    [10_000, null],
    [10_001, null],
  ])('a share of %s is %s', (bps, expected) => expect(shareOf({ bps })).toBe(expected))

  const some = { bps: 1000, rolloutBundleId: null, paused: false }
  const all = { bps: null, rolloutBundleId: null, paused: false }
  it.each([
    ['some have it', some, 5, {}, true],
    ['some have another', some, 6, {}, false],
    ['another share', some, 5, { rollout_percentage_bps: 500 }, false],
    ['paused, which was not asked for', some, 5, { rollout_paused_at: 'x' }, false],
    ['paused, as asked for', { ...some, paused: true }, 5, { rollout_paused_at: 'x' }, true],
    ['none is rolled out', some, 5, { rollout_version: null }, false],
    ['everybody has it', all, 1, { rollout_version: null }, true],
    ['everybody has another', all, 2, { rollout_version: null }, false],
    ['not everybody has it', all, 1, {}, false],
    ['nothing is served', all, 1, { rollout_version: null, version: null }, false],
  ])('is as it should be: %s', (_what, stage, id, change, expected) =>
    expect(isAt(stage, id, rolling(change))).toBe(expected),
  )

  it('is told by name', () => {
    const active = { id: 5, bps: 1250, paused: true }
    expect(describeRollout(active, '1.5.0')).toBe('1.5.0 to 12.5% (paused)')
    expect(describeRollout({ ...active, paused: false }, '1.5.0')).toBe('1.5.0 to 12.5%')
    expect(rolloutActive('production', active, null).message).toContain('bundle 5 to 12.5% (paused)')
    expect(rolloutActive('production', active, '1.5.0').message).toContain('1.5.0 to 12.5% (paused)')
  })
})
