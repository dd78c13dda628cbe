import { describe, expect, it } from 'vitest'
import {
  compareTesters,
  isPast,
  mergeTesters,
  type Tester,
  versionsThatCount,
} from '../../../src/plan/tester-list.ts'
import {
  type Assignment,
  asksForHistory,
  asksForReviewers,
  defaultRules,
  type PreviewChannel,
  planTesters,
  type TesterFacts,
} from '../../../src/plan/testers.ts'

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
    expect(asksForHistory(planTesters(given), given, { isWhole })).toBe(expected)
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

describe('who gets a preview', () => {
  const ada = { ...tester('ada'), github: 'Ada', groups: ['qa'] }
  const bob = { ...tester('bob'), github: 'bob' }
  const eve = tester('eve')
  const open = { author: 'ada', reviewers: ['BOB', 'zoe'] }
  const wanted = (assign: TesterFacts['assign'], testers = [ada, bob, eve]) =>
    planTesters(facts({ testers, previews: [{ ...preview, open }], assign }))
      .assignments.filter(({ to }) => to === 'pr-12')
      .map(({ device }) => device)
  it.each<[string, TesterFacts['assign'], string[]]>([
    ['the author, where the file has logins', null, ['ada']],
    ['the author', [{ kind: 'author' }], ['ada']],
    ['reviewers', [{ kind: 'reviewers' }], ['bob']],
    ['both', [{ kind: 'author' }, { kind: 'reviewers' }], ['ada', 'bob']],
    ['all', [{ kind: 'all' }], ['ada', 'bob', 'eve']],
    ['a group', [{ kind: 'group', name: 'qa' }], ['ada']],
    ['another group', [{ kind: 'group', name: 'dev' }], []],
    ['nobody', [], []],
  ])('%s', (_what, assign, devices) => expect(wanted(assign)).toEqual(devices))
  it('everybody, where the file has no logins', () => {
    expect(wanted(null, [eve, tester('fay')])).toEqual(['eve', 'fay'])
    expect(defaultRules([eve])).toEqual([{ kind: 'all' }])
    expect(defaultRules([eve, bob])).toEqual([{ kind: 'author' }])
  })
  it.each<[TesterFacts['assign'], boolean]>([
    [null, false],
    [[], false],
    [[{ kind: 'author' }], false],
    [[{ kind: 'author' }, { kind: 'reviewers' }], true],
  ])('reviewers must be read for %j: %s', (rules, expected) => expect(asksForReviewers(rules)).toBe(expected))

  it('the newest pull request wins, and the others are told', () => {
    const of = (pull: number) => ({ ...preview, channel: `pr-${pull}`, pull })
    const given = facts({ testers: [eve], previews: [of(12), of(30), of(4)] })
    expect(planTesters(given).assignments).toEqual<Assignment[]>([
      {
        device: 'eve',
        tester: eve,
        from: null,
        to: 'pr-30',
        pull: 30,
        others: [12, 4],
        expiredFor: [],
        state: 'set',
      },
    ])
  })
  it('a closed one has nobody, and its own file counts for an open one', () => {
    expect(planned(facts({ previews: [{ ...preview, open: null }], testers: [eve] }))).toEqual({
      eve: ['none', null],
    })
    expect(
      planned(
        facts({ previews: [{ ...preview, testers: [bob] }], testers: [eve], assign: [{ kind: 'all' }] }),
      ),
    ).toEqual({
      bob: ['set', 'pr-12'],
      eve: ['none', null],
    })
  })
})

describe('the last day', () => {
  const until = (day: string | null, channel: string | null = 'beta') => ({
    ...tester('ada', channel),
    until: day,
  })
  it.each([
    ['2026-11-25', true],
    ['2026-11-26', false],
    ['2026-11-27', false],
    [null, false],
  ])('%s is over: %s', (day, expected) => expect(isPast(until(day), '2026-11-26')).toBe(expected))

  it('is over: neither the channel nor a preview', () => {
    const past = until('2026-11-25')
    expect(planned(facts({ testers: [past], overrides: on({ ada: 'beta' }) }))).toEqual({
      ada: ['expired', null],
    })
    expect(planned(facts({ testers: [past] }))).toEqual({ ada: ['expired', null] })
    expect(planned(facts({ testers: [past], overrides: on({ ada: 'beta' }), prune: 'never' }))).toEqual({
      ada: ['there', 'beta'],
    })
    const [only] = planTesters(facts({ testers: [past], previews: [preview] })).assignments
    expect(only).toMatchObject({ to: null, pull: null, others: [], expiredFor: [12] })
  })
})

it('a device that belongs nowhere, and is nowhere', () => {
  expect(planned(facts({ testers: [tester('ada')] }))).toEqual({ ada: ['none', null] })
})

describe('renewals', () => {
  const at = (channel: string, channelId: number, day: string) => ({
    channel,
    channelId,
    updatedAt: `${day}T00:00:00.000Z`,
  })
  it('are of the devices that stay, by channel, when they are old enough', () => {
    const testers = ['a', 'b', 'c', 'd', 'e'].map(device => tester(device, 'beta'))
    const overrides = new Map([
      ['a', at('beta', 1, '2026-11-11')],
      ['b', at('beta', 1, '2026-11-01')],
      ['c', at('beta', 1, '2026-11-12')],
      ['d', at('alpha', 2, '2026-11-01')],
    ])
    expect(planTesters(facts({ testers, overrides })).renewals).toEqual(new Map([[1, ['a', 'b']]]))
  })
})

describe('a device that left the file', () => {
  it('is told with what the file said last', () => {
    const left = planTesters(facts({ earlier: [tester('ada', 'beta')], overrides: on({ ada: 'beta' }) }))
    expect(left.assignments).toEqual([
      {
        device: 'ada',
        tester: tester('ada', 'beta'),
        from: 'beta',
        to: null,
        pull: null,
        others: [],
        expiredFor: [],
        state: 'release',
      },
    ])
    expect(planned(facts({ earlier: [tester('ada', 'beta')] }))).toEqual({})
  })
  it('exclusive takes off strangers once, from channels of the file and previews alone', () => {
    const given = facts({
      testers: [tester('bob', 'beta')],
      earlier: [tester('ada', 'beta')],
      previews: [preview],
      prune: 'exclusive',
      overrides: on({ ada: 'beta', bob: 'beta', eve: 'beta', fay: 'pr-12', gus: 'support' }),
    })
    const released = planTesters(given).assignments.filter(({ state }) => state === 'release')
    expect(released.map(({ device }) => device)).toEqual(['ada', 'eve', 'fay'])
    expect(
      planTesters({ ...given, prune: 'removed' }).assignments.filter(({ state }) => state === 'release'),
    ).toHaveLength(1)
  })
})

describe('two states of the file', () => {
  const a = tester('a', 'beta')
  const b = tester('b', 'beta')
  const c = tester('c', 'beta')
  const moved = tester('b', 'alpha')
  it('differ', () => {
    expect(compareTesters([a, b], [moved, c])).toEqual({
      added: [c],
      removed: [a],
      moved: [{ tester: moved, from: 'beta' }],
    })
    expect(compareTesters([a], [{ ...a, line: 9 }])).toEqual({ added: [], removed: [], moved: [] })
  })
  it.each<[string, Tester[], Tester[], Tester[], Tester[]]>([
    ['what the branch adds', [a], [a], [a, b], [a, b]],
    ['what the branch removes', [a, b], [a, b], [a], [a]],
    ['what the branch changes', [b], [b], [moved], [moved]],
    ['what main added meanwhile stays', [a], [a, b], [a], [a, b]],
    ['what main removed meanwhile stays away', [a, b], [a], [a, b], [a]],
    ['what main changed meanwhile stays', [b], [moved], [b], [moved]],
    ['what both changed is as the branch has it', [b], [tester('b', 'gamma')], [moved], [moved]],
    ['what main removed and the branch changed comes back', [b], [], [moved], [moved]],
    ['what both say alike is as it stands on main', [], [{ ...b, line: 5 }], [b], [{ ...b, line: 5 }]],
    ['another place in the file is no change', [b], [moved], [{ ...b, line: 7, column: 3 }], [moved]],
  ])('are merged: %s', (_what, old, current, own, expected) => {
    expect(mergeTesters(old, current, own)).toEqual(expected)
  })
})
