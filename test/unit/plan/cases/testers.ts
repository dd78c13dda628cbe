/** Which device belongs on which channel, by `planTesters`; and how two states of the testers file differ. */
import type { Tester } from '../../../../src/plan/tester-list.ts'
import type { Assignment, PreviewChannel, TesterFacts } from '../../../../src/plan/testers.ts'

export const tester = (
  device: string,
  channel: string | null = null,
  change: Partial<Tester> = {},
): Tester => ({
  device,
  channel,
  name: null,
  github: null,
  groups: [],
  until: null,
  line: 1,
  column: 1,
  ...change,
})

/** Where devices are: channels by device. */
export const on = (overrides: Readonly<Record<string, string>>): TesterFacts['overrides'] =>
  new Map(
    Object.entries(overrides).map(([device, channel]) => [
      device,
      { channel, channelId: 1, updatedAt: '2026-11-20T00:00:00.000Z' },
    ]),
  )

export const testerFacts = (change: Partial<TesterFacts>): TesterFacts => ({
  testers: [],
  earlier: null,
  previews: [],
  overrides: new Map(),
  assign: null,
  prune: 'removed',
  today: '2026-11-26',
  renewBefore: '2026-11-12T00:00:00.000Z',
  ...change,
})

/** Pull request 12 of ada, with a preview. */
export const preview = (change: Partial<PreviewChannel> = {}): PreviewChannel => {
  const { pull = 12 } = change
  return { channel: `pr-${pull}`, pull, open: { author: 'ada', reviewers: [] }, testers: null, ...change }
}

export interface TestersCase {
  readonly name: string
  readonly given: Partial<TesterFacts>
  /** What becomes of each device, and where it is then; null = on no channel. */
  readonly plan: Readonly<Record<string, readonly [Assignment['state'], string | null]>>
}

/** `ada` was named for alpha, then for beta, and is named for gamma now. */
const threePushes = [tester('ada', 'alpha'), tester('ada', 'beta'), tester('ada', 'gamma')]

const listed = (
  name: string,
  [named, earlier, from]: readonly [string | null, readonly Tester[] | null, string],
  ...ada: TestersCase['plan'][string]
): TestersCase => ({
  name,
  given: { testers: [tester('ada', named)], earlier, overrides: on({ ada: from }) },
  plan: { ada },
})
const unlisted = (
  name: string,
  [earlier, from, prune]: readonly [readonly Tester[], string, TesterFacts['prune']],
  plan: TestersCase['plan'],
): TestersCase => ({
  name,
  given: { previews: [preview()], earlier, prune, overrides: on({ ada: from }) },
  plan,
})
const RELEASED: TestersCase['plan'] = { ada: ['release', null] }

const ada = tester('ada', null, { github: 'Ada', groups: ['qa'] })
const bob = tester('bob', null, { github: 'bob' })
const eve = tester('eve')
/** Who gets the preview of ada's pull request, which BOB and zoe review. */
const wanted = (
  name: string,
  assign: TesterFacts['assign'],
  devices: readonly string[],
  testers = [ada, bob, eve],
): TestersCase => ({
  name,
  given: {
    testers,
    previews: [preview({ open: { author: 'ada', reviewers: ['BOB', 'zoe'] } })],
    assign,
  },
  plan: Object.fromEntries(
    testers.map(({ device }) => [device, devices.includes(device) ? ['set', 'pr-12'] : ['none', null]]),
  ),
})

const past = tester('ada', 'beta', { until: '2026-11-25' })
const moves = { testers: [tester('ada', 'gamma')], previews: [preview()], overrides: on({ ada: 'alpha' }) }
const strangers: Partial<TesterFacts> = {
  testers: [tester('bob', 'beta')],
  earlier: [tester('ada', 'beta')],
  previews: [preview()],
  overrides: on({ ada: 'beta', bob: 'beta', eve: 'beta', fay: 'pr-12', gus: 'support' }),
  assign: [],
}

export const TESTERS: Readonly<Record<string, readonly TestersCase[]>> = {
  'a listed device': [
    listed(
      'moves on from each channel that a version named',
      ['gamma', threePushes, 'alpha'],
      'set',
      'gamma',
    ),
    listed('moves on from the second one too', ['gamma', threePushes, 'beta'], 'set', 'gamma'),
    listed(
      'is released where the file names it for no channel now',
      [null, threePushes, 'beta'],
      'release',
      null,
    ),
    listed('stays where no version put it', ['gamma', threePushes, 'support'], 'by_hand', 'gamma'),
    listed(
      'stays where only another device was put',
      ['gamma', [tester('bob', 'beta')], 'beta'],
      'by_hand',
      'gamma',
    ),
    listed('stays where the history is not known', ['gamma', null, 'beta'], 'by_hand', 'gamma'),
    listed('is where it belongs', ['gamma', null, 'gamma'], 'there', 'gamma'),
    {
      name: 'comes from nowhere',
      given: { testers: [tester('ada', 'beta')] },
      plan: { ada: ['set', 'beta'] },
    },
    {
      name: 'comes back from a preview that is over',
      given: {
        testers: [tester('ada', 'beta')],
        previews: [preview({ open: null })],
        overrides: on({ ada: 'pr-12' }),
      },
      plan: { ada: ['set', 'beta'] },
    },
    {
      name: 'belongs nowhere, and is nowhere',
      given: { testers: [tester('ada')] },
      plan: { ada: ['none', null] },
    },
    {
      name: 'stays on an old channel where no version put it, though a preview wants it',
      given: moves,
      plan: { ada: ['by_hand', 'pr-12'] },
    },
    {
      name: 'goes from an old channel of the file to a preview',
      given: { ...moves, earlier: threePushes },
      plan: { ada: ['set', 'pr-12'] },
    },
    {
      name: 'stays on a preview that is over, with prune: never',
      given: {
        testers: [tester('ada')],
        previews: [preview({ open: null })],
        overrides: on({ ada: 'pr-12' }),
        prune: 'never',
      },
      plan: { ada: ['there', 'pr-12'] },
    },
  ],
  'a device that is not listed': [
    unlisted(
      'is released from a channel that any version named',
      [threePushes, 'alpha', 'removed'],
      RELEASED,
    ),
    unlisted('is released from a preview', [threePushes, 'pr-12', 'removed'], RELEASED),
    unlisted('stays where no version put it', [threePushes, 'support', 'removed'], {}),
    unlisted('stays with prune: never', [threePushes, 'alpha', 'never'], {}),
    unlisted('was never in it, and stays', [[], 'alpha', 'removed'], {}),
    unlisted(
      'was never in it, and goes with prune: exclusive',
      [[tester('bob', 'alpha')], 'alpha', 'exclusive'],
      RELEASED,
    ),
    unlisted(
      'is on a channel of an old version: exclusive takes it off',
      [[tester('bob', 'old'), tester('bob', 'new')], 'old', 'exclusive'],
      RELEASED,
    ),
    {
      name: 'was in the file, and is nowhere',
      given: { earlier: [tester('ada', 'beta')] },
      plan: {},
    },
    {
      name: 'is a stranger: exclusive takes it off once, from channels of the file and previews alone',
      given: { ...strangers, prune: 'exclusive' },
      plan: {
        bob: ['there', 'beta'],
        ada: ['release', null],
        eve: ['release', null],
        fay: ['release', null],
      },
    },
    {
      name: 'is a stranger: else it stays',
      given: strangers,
      plan: { bob: ['there', 'beta'], ada: ['release', null] },
    },
  ],
  'a preview goes to': [
    wanted('the author, where the file has logins', null, ['ada']),
    wanted('the author', [{ kind: 'author' }], ['ada']),
    wanted('reviewers', [{ kind: 'reviewers' }], ['bob']),
    wanted('both', [{ kind: 'author' }, { kind: 'reviewers' }], ['ada', 'bob']),
    wanted('all', [{ kind: 'all' }], ['ada', 'bob', 'eve']),
    wanted('a group', [{ kind: 'group', name: 'qa' }], ['ada']),
    wanted('another group', [{ kind: 'group', name: 'dev' }], []),
    wanted('nobody', [], []),
    wanted('everybody, where the file has no logins', null, ['eve', 'fay'], [eve, tester('fay')]),
    {
      name: 'nobody, when it is over',
      given: { previews: [preview({ open: null })], testers: [eve] },
      plan: { eve: ['none', null] },
    },
    {
      name: 'the testers of its own file',
      given: { previews: [preview({ testers: [bob] })], testers: [eve], assign: [{ kind: 'all' }] },
      plan: { bob: ['set', 'pr-12'], eve: ['none', null] },
    },
    {
      name: 'nobody whom a person put elsewhere, also where only its own file has the device',
      given: {
        previews: [preview({ testers: [bob] })],
        assign: [{ kind: 'all' }],
        overrides: on({ bob: 'support' }),
      },
      plan: { bob: ['by_hand', 'pr-12'] },
    },
    {
      name: 'who is on an older one, where it is the newest',
      given: {
        previews: [preview(), preview({ pull: 30 })],
        testers: [eve],
        overrides: on({ eve: 'pr-12' }),
      },
      plan: { eve: ['set', 'pr-30'] },
    },
  ],
  'a device whose last day is over': [
    {
      name: 'leaves its channel',
      given: { testers: [past], overrides: on({ ada: 'beta' }) },
      plan: { ada: ['expired', null] },
    },
    { name: 'is nowhere', given: { testers: [past] }, plan: { ada: ['expired', null] } },
    {
      name: 'stays with prune: never',
      given: { testers: [past], overrides: on({ ada: 'beta' }), prune: 'never' },
      plan: { ada: ['there', 'beta'] },
    },
    {
      name: 'gets no preview',
      given: { testers: [past], previews: [preview()] },
      plan: { ada: ['expired', null] },
    },
    {
      name: 'leaves a preview',
      given: { testers: [past], previews: [preview()], overrides: on({ ada: 'pr-12' }) },
      plan: { ada: ['expired', null] },
    },
  ],
}

/** Whether who was in the file earlier could decide: where devices are, and whether others than the listed matter. */
export const HISTORY: readonly (readonly [
  what: string,
  overrides: Readonly<Record<string, string>>,
  prune: TesterFacts['prune'],
  isWhole: boolean,
  isAskedFor: boolean,
])[] = [
  ['nothing is there', {}, 'removed', true, false],
  ['all is as the file says', { ada: 'beta' }, 'removed', true, false],
  ['a listed device is elsewhere', { ada: 'alpha' }, 'removed', false, true],
  ['somebody who is not listed is somewhere', { eve: 'alpha' }, 'removed', true, true],
  ['the same, and only the listed matter', { eve: 'alpha' }, 'removed', false, false],
  ['the same, and nobody is taken off', { eve: 'alpha' }, 'never', true, false],
]

const a = tester('a', 'beta')
const b = tester('b', 'beta')
const moved = tester('b', 'alpha')

/** The file where the branch began, the default branch's now, the branch's own, and what merging gives. */
export const MERGES: readonly (readonly [
  what: string,
  old: readonly Tester[],
  current: readonly Tester[],
  own: readonly Tester[],
  merged: readonly Tester[],
])[] = [
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
]
