import { describe, expect, it } from 'vitest'
import {
  type Assignment,
  asksForHistory,
  asksForReviewers,
  defaultRules,
  planTesters,
  type TesterFacts,
} from '../../../src/plan/testers.ts'
import { HISTORY, on, preview, TESTERS, tester, testerFacts } from './cases/testers.ts'
import { eachCase } from './decided.ts'

eachCase(TESTERS, ({ given, plan }) => {
  const { assignments } = planTesters(testerFacts(given))
  expect(Object.fromEntries(assignments.map(({ device, state, to }) => [device, [state, to]]))).toEqual(plan)
  // Each device once.
  expect(assignments).toHaveLength(Object.keys(plan).length)
})

it.each(HISTORY)(
  'the history is asked for where it could decide: %s',
  (_what, overrides, prune, isWhole, expected) => {
    const given = testerFacts({ testers: [tester('ada', 'beta')], prune, overrides: on(overrides) })
    expect(asksForHistory(planTesters(given), given, { isWhole })).toBe(expected)
  },
)

it('without logins in the file, a preview goes to everybody', () => {
  const eve = tester('eve')
  expect(defaultRules([eve])).toEqual([{ kind: 'all' }])
  expect(defaultRules([eve, tester('bob', null, { github: 'bob' })])).toEqual([{ kind: 'author' }])
})

it.each<[TesterFacts['assign'], boolean]>([
  [null, false],
  [[], false],
  [[{ kind: 'author' }], false],
  [[{ kind: 'author' }, { kind: 'reviewers' }], true],
])('reviewers must be read for %j: %s', (rules, expected) => expect(asksForReviewers(rules)).toBe(expected))

describe('an assignment says', () => {
  it('which pull request won, and which others want the device', () => {
    const eve = tester('eve')
    const given = testerFacts({
      testers: [eve],
      previews: [preview(), preview({ pull: 30 }), preview({ pull: 4 })],
    })
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
  it('which pull requests would want the device, were its last day not over', () => {
    const past = tester('ada', 'beta', { until: '2026-11-25' })
    const [only] = planTesters(testerFacts({ testers: [past], previews: [preview()] })).assignments
    expect(only).toMatchObject({ to: null, pull: null, others: [], expiredFor: [12] })
  })
  it('of a device that left the file, what that said last', () => {
    const ada = tester('ada', 'beta')
    const left = planTesters(testerFacts({ earlier: [ada], overrides: on({ ada: 'beta' }) }))
    expect(left.assignments).toEqual<Assignment[]>([
      {
        device: 'ada',
        tester: ada,
        from: 'beta',
        to: null,
        pull: null,
        others: [],
        expiredFor: [],
        state: 'release',
      },
    ])
  })
  it('of a stranger, nothing', () => {
    const overrides = on({ eve: 'beta' })
    const given = testerFacts({ earlier: [tester('ada', 'beta')], prune: 'exclusive', overrides })
    expect(planTesters(given).assignments).toEqual([
      expect.objectContaining({ device: 'eve', tester: null, from: 'beta' }),
    ])
  })
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
    expect(planTesters(testerFacts({ testers, overrides })).renewals).toEqual(new Map([[1, ['a', 'b']]]))
  })
})
