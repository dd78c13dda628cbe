import { describe, expect, it } from 'vitest'
import { type EnrolmentRequest, type EnrolmentRules, planRequest } from '../../../src/plan/enrolment.ts'
import { judgeProgress } from '../../../src/plan/enrolment-progress.ts'
import type { Tester } from '../../../src/plan/tester-list.ts'

const nobody = { name: null, github: null, groups: [], channel: null, until: null }
const tester = (device: string, more: Partial<Tester> = {}): Tester => ({
  device,
  ...nobody,
  line: 1,
  column: 1,
  ...more,
})
const plan = (
  request: Partial<EnrolmentRequest>,
  { testers = [], ...rules }: Partial<EnrolmentRules> & { testers?: Tester[] } = {},
) =>
  planRequest(
    { action: 'join', device: 'd1', name: null, group: null, channel: null, until: null, ...request },
    {
      author: 'eve',
      testers,
      today: '2026-11-26',
      rules: {
        channels: ['beta', 'alpha'],
        groups: ['qa'],
        days: null,
        membersSkipReview: false,
        label: null,
        ...rules,
      },
    },
  ).plan
const own = tester('d1', { github: 'Eve', channel: 'internal', until: '2026-12-01', groups: ['ops'] })

describe('who joins', () => {
  it.each<[string, ReturnType<typeof plan>, object]>([
    [
      'is added with the login',
      plan({ name: 'Eve' }),
      { do: 'add', entry: { ...nobody, device: 'd1', name: 'Eve', github: 'eve' } },
    ],
    [
      'chooses what is allowed',
      plan({ channel: 'beta', group: 'qa' }),
      { do: 'add', entry: { channel: 'beta', groups: ['qa'] } },
    ],
    ['stays as long as the workflow says', plan({}, { days: 30 }), { entry: { until: '2026-12-26' } }],
    ['or shorter', plan({ until: '2026-11-26' }, { days: 30 }), { entry: { until: '2026-11-26' } }],
    ['but not longer', plan({ until: '2026-12-27' }, { days: 30 }), { do: 'refuse' }],
    ['nor into the past', plan({ until: '2026-11-25' }, { days: 30 }), { do: 'refuse' }],
    ['nor at all where the workflow is silent', plan({ until: '2026-12-01' }), { do: 'refuse' }],
    [
      'gets one answer for all mistakes',
      plan({ channel: 'production', group: 'root' }, { channels: [] }),
      { do: 'refuse', problems: ['This form cannot choose a channel.', 'The group must be qa, not "root".'] },
    ],
    [
      'keeps its last day, also where the form sets none',
      plan({ name: 'Eve 2' }, { testers: [own] }),
      { do: 'update', entry: { until: '2026-12-01' } },
    ],
    [
      'changes an own device, and keeps what a lead chose',
      plan({ name: 'Eve 2', group: 'qa' }, { testers: [own], days: 30 }),
      {
        do: 'update',
        entry: {
          name: 'Eve 2',
          github: 'Eve',
          channel: 'internal',
          groups: ['ops', 'qa'],
          until: '2026-12-01',
        },
      },
    ],
    [
      'has nothing to change',
      plan({}, { testers: [tester('d1', { github: 'eve' })], days: 30 }),
      { do: 'nothing' },
    ],
    [
      'cannot take a device of somebody else',
      plan({}, { testers: [tester('d1', { github: 'ada' })] }),
      { do: 'refuse' },
    ],
    ["nor one that is nobody's", plan({}, { testers: [tester('d1')] }), { do: 'refuse' }],
  ])('%s', (_what, planned, expected) => {
    expect(planned).toMatchObject(expected)
  })
})

describe('who leaves', () => {
  it.each<[string, Tester[], string]>([
    ['an own device', [own], 'remove'],
    ['a device of somebody else', [tester('d1', { github: 'ada' })], 'refuse'],
    ["a device that is nobody's", [tester('d1')], 'refuse'],
    ['a device that the file does not have', [tester('d2')], 'refuse'],
  ])('%s: %s', (_what, testers, expected) => {
    expect(plan({ action: 'leave', channel: 'production' }, { testers }).do).toBe(expected)
  })
})

const OPEN = { open: true, merged: false }
const MERGED = { open: false, merged: true }
const CLOSED = { open: false, merged: false }
const asked = { device: 'd1', name: 'Eve', group: null, channel: null, until: null }
const eves = tester('d1', { github: 'eve', name: 'Eve' })
const renamed = tester('d1', { github: 'eve', name: 'old' })
it.each([
  ['add', [], OPEN, 'open'],
  ['add', [], null, 'open'],
  ['add', [], CLOSED, 'declined'],
  ['add', [], MERGED, 'declined'],
  ['add', [eves], OPEN, 'done'],
  ['add', [eves], null, 'done'],
  ['add', [renamed], null, 'done'],
  ['add', [tester('d1')], MERGED, 'done'],
  ['add', [tester('d1')], OPEN, 'declined'],
  ['add', [tester('d1', { github: 'ada' })], null, 'declined'],
  ['update', [renamed], OPEN, 'open'],
  ['update', [renamed], MERGED, 'done'],
  ['update', [eves], null, 'done'],
  ['update', [tester('d1', { github: 'eve', name: 'Eve', until: '2026-12-01' })], OPEN, 'done'],
  ['update', [], OPEN, 'declined'],
  ['update', [], CLOSED, 'declined'],
  ['update', [tester('d1', { github: 'ada' })], OPEN, 'declined'],
  ['remove', [eves], OPEN, 'open'],
  ['remove', [], OPEN, 'done'],
  ['remove', [eves], CLOSED, 'declined'],
  ['remove', [eves], MERGED, 'declined'],
  ['remove', [tester('d1', { github: 'ada' })], OPEN, 'declined'],
] as const)('%s of d1, with %j in the file and the pull request %j: %s', (what, testers, pull, expected) => {
  const action = what === 'remove' ? 'leave' : 'join'
  const request = { do: what, author: 'eve', asked: { action, ...asked } } as const
  expect(judgeProgress(request, { issueOpen: true, pull, testers })).toBe(expected)
  const closed = judgeProgress(request, { issueOpen: false, pull, testers })
  expect(closed).toBe(expected === 'open' ? 'withdrawn' : expected)
})
