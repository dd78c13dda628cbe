import { describe, expect, it } from 'vitest'
import {
  asksForHistory,
  type PreviewChannel,
  planTesters,
  type TesterFacts,
  versionsThatCount,
} from '../../../src/plan/testers.ts'
import type { Tester } from '../../../src/testers-file.ts'

const tester = (device: string, channel: string | null = null): Tester => ({
  device,
  channel,
  name: null,
  github: null,
  groups: [],
  until: null,
  line: 1,
  column: 1,
})
const on = (overrides: Record<string, string>) =>
  new Map(
    Object.entries(overrides).map(([device, channel]) => [
      device,
      { channel, channelId: 1, updatedAt: '2026-11-20T00:00:00.000Z' },
    ]),
  )
const facts = (more: Partial<TesterFacts>): TesterFacts => ({
  testers: [],
  earlier: null,
  previews: [],
  overrides: new Map(),
  assign: null,
  prune: 'removed',
  today: '2026-11-26',
  renewBefore: '2026-11-12T00:00:00.000Z',
  ...more,
})
const planned = (given: TesterFacts) =>
  Object.fromEntries(
    planTesters(given).assignments.map(({ device, state, to }) => [device, [state, to] as const]),
  )
const preview: PreviewChannel = {
  channel: 'pr-12',
  pull: 12,
  open: { author: 'ada', reviewers: [] },
  testers: null,
}

describe('what was ever in the file', () => {
  /** `ada` was named for alpha, then for beta, and is named for gamma now. */
  const threePushes = [tester('ada', 'alpha'), tester('ada', 'beta'), tester('ada', 'gamma')]

  it.each([
    // file now | earlier | where the device is | what becomes of it
    ['moves on from each channel that a version named', 'gamma', threePushes, 'alpha', ['set', 'gamma']],
    ['the same, from the second', 'gamma', threePushes, 'beta', ['set', 'gamma']],
    ['is released where the file names it for no channel now', null, threePushes, 'beta', ['release', null]],
    ['stays where no version put it', 'gamma', threePushes, 'support', ['by_hand', 'gamma']],
    [
      'stays where only another device was put',
      'gamma',
      [tester('bob', 'beta')],
      'beta',
      ['by_hand', 'gamma'],
    ],
    ['stays where the history is not known', 'gamma', null, 'beta', ['by_hand', 'gamma']],
    ['is where it belongs', 'gamma', null, 'gamma', ['there', 'gamma']],
  ] as const)('a listed device %s', (_, channel, earlier, from, expected) => {
    const given = facts({ testers: [tester('ada', channel)], earlier, overrides: on({ ada: from }) })
    expect(planned(given)).toEqual({ ada: expected })
  })

  it.each([
    ['is released from a channel that any version named', threePushes, 'alpha', 'removed', ['release', null]],
    ['is released from a preview', threePushes, 'pr-12', 'removed', ['release', null]],
    ['stays where no version put it', threePushes, 'support', 'removed', undefined],
    ['stays with prune: never', threePushes, 'alpha', 'never', undefined],
    ['was never in it, and stays', [], 'alpha', 'removed', undefined],
    [
      'was never in it, and goes with prune: exclusive',
      [tester('bob', 'alpha')],
      'alpha',
      'exclusive',
      ['release', null],
    ],
    [
      'is on a channel of an old version: exclusive takes it off',
      [tester('bob', 'old'), tester('bob', 'new')],
      'old',
      'exclusive',
      ['release', null],
    ],
  ] as const)('a device that is not listed %s', (_, earlier, from, prune, expected) => {
    const given = facts({ previews: [preview], earlier, prune, overrides: on({ ada: from }) })
    expect(planned(given).ada).toEqual(expected)
  })

  it('takes a device from an old channel to a preview', () => {
    const given = facts({
      testers: [tester('ada', 'gamma')],
      previews: [preview],
      overrides: on({ ada: 'alpha' }),
    })
    expect(planned(given).ada?.[0]).toBe('by_hand')
    expect(planned({ ...given, earlier: threePushes }).ada).toEqual(['set', 'pr-12'])
  })

  it.each([
    ['nothing is there', {}, 'removed', true, false],
    ['all is as the file says', { ada: 'beta' }, 'removed', true, false],
    ['a listed device is elsewhere', { ada: 'alpha' }, 'removed', false, true],
    ['somebody who is not listed is somewhere', { eve: 'alpha' }, 'removed', true, true],
    ['the same, and only the listed matter', { eve: 'alpha' }, 'removed', false, false],
    ['the same, and nobody is taken off', { eve: 'alpha' }, 'never', true, false],
  ] as const)('is asked for where it could decide: %s', (_, overrides, prune, isWhole, expected) => {
    const given = facts({ testers: [tester('ada', 'beta')], prune, overrides: on(overrides) })
    expect(asksForHistory(planTesters(given), given, isWhole)).toBe(expected)
  })
})

describe('versions of the file', () => {
  const at = (...days: (number | null)[]) =>
    days.map((day, index) => ({
      sha: String(index),
      at: day === null ? null : new Date(Date.UTC(2026, 10, 26) - day * 86_400_000).toISOString(),
    }))
  const count = (versions: ReturnType<typeof at>, until: string | null) => {
    const { counted, leftOut } = versionsThatCount(versions, until)
    return [counted.map(({ sha }) => sha).join(''), leftOut]
  }
  const now = '2026-11-26T00:00:00Z'

  it.each([
    ['those of the last 90 days, and the one before them', at(1, 30, 89, 100, 200), now, ['0123', 0]],
    ['the newest alone where it is old', at(199, 200), now, ['0', 0]],
    ['all of a repository whose commits are all old', at(199, 200), at(198)[0]!.at, ['01', 0]],
    ['by its own newest commit where the branch is not known', at(199, 200, 300), null, ['012', 0]],
    ['those without a date', at(1, null, 2), now, ['012', 0]],
    ['none', [], now, ['', 0]],
  ] as const)('%s', (_, versions, until, expected) => {
    expect(count(versions as ReturnType<typeof at>, until)).toEqual(expected)
  })

  it('50 at most, and how many more there would be', () => {
    const { counted, leftOut } = versionsThatCount(at(...Array<number>(60).fill(1)), now)
    expect([counted.length, leftOut]).toEqual([50, 10])
  })
})
