import { describe, expect, it } from 'vitest'
import { devicesOfPull, openPulls, planChanges, touchedPulls } from '../../../src/plan/tester-changes.ts'
import { type Assignment, requireGroups } from '../../../src/plan/testers.ts'
import { channel } from './cases/rows.ts'
import { preview, tester } from './cases/testers.ts'
import { refusalOf } from './decided.ts'

const assignment = (change: Partial<Assignment> = {}): Assignment => ({
  device: 'ada',
  tester: tester('ada'),
  from: null,
  to: 'beta',
  pull: null,
  others: [],
  expiredFor: [],
  state: 'set',
  ...change,
})
const CHANNELS = [
  channel({ id: 1, name: 'production', public: true }),
  channel({ id: 2, name: 'beta', public: false }),
  channel({ id: 3, name: 'pr-12', public: false }),
]
const changes = (assignments: readonly Assignment[], newChannel: string | null = null) =>
  planChanges({ assignments, renewals: new Map() }, CHANNELS, newChannel)

it.each<[string, Partial<Assignment>, boolean]>([
  ['a device comes to a channel', {}, true],
  ['moves to another', { from: 'pr-12' }, true],
  ['is released', { from: 'beta', to: null, state: 'release' }, true],
  ['expires, and is released', { from: 'beta', to: null, state: 'expired' }, true],
  ['has expired, and is on no channel', { to: null, state: 'expired' }, false],
  ['is there', { from: 'beta', state: 'there' }, false],
  ['stays where somebody put it', { from: 'production', state: 'by_hand' }, false],
  ['belongs on no channel', { to: null, state: 'none' }, false],
])('what takes a write: a device that %s', (_what, change, isWrite) =>
  expect(changes([assignment(change)]).writes).toHaveLength(isWrite ? 1 : 0),
)

it.each<[string, string, string | null, string | null]>([
  ['a private channel', 'beta', null, null],
  ['a public one', 'production', null, 'public_channel'],
  ['one that is not there', 'gamma', null, 'channel_unknown'],
  ['one that this run makes', 'gamma', 'gamma', null],
  ['another than the one that it makes', 'delta', 'gamma', 'channel_unknown'],
])('a device can be put on %s (%s)', (_what, to, newChannel, code) => {
  const { wrongChannels, permissions } = changes([assignment({ to })], newChannel)
  expect(wrongChannels.get('ada')?.code ?? null).toBe(code)
  // What cannot be done needs no permission.
  expect(permissions).toHaveLength(code === null ? 1 : 0)
})

describe('the permissions', () => {
  it('are asked for once for each channel, and apart for taking devices off it', () => {
    const off = { from: 'beta', to: null, state: 'release' } as const
    expect(
      changes([
        assignment({ device: 'ada' }),
        assignment({ device: 'ben', ...off }),
        assignment({ device: 'cem', from: 'pr-12' }),
        assignment({ device: 'dan', ...off, from: 'pr-12' }),
      ]).permissions,
    ).toEqual([
      { devices: ['ada', 'cem'], channelId: 2, takes: 'on' },
      { devices: ['ben'], channelId: 2, takes: 'off' },
      { devices: ['dan'], channelId: 3, takes: 'off' },
    ])
  })
  it('of a channel that the run makes, or that is hidden, are those of the app', () => {
    expect(changes([assignment({ to: 'gamma' })], 'gamma').permissions[0]?.channelId).toBeNull()
    const hidden = assignment({ from: '#9', to: null, state: 'release' })
    expect(changes([hidden]).permissions[0]?.channelId).toBeNull()
  })
  it('are needed for renewals too', () => {
    const renewals = new Map([[2, ['ada', 'ben']]])
    expect(planChanges({ assignments: [], renewals }, CHANNELS, null)).toEqual({
      writes: [],
      wrongChannels: new Map(),
      permissions: [{ devices: ['ada', 'ben'], channelId: 2, takes: 'on' }],
    })
  })
})

it('the comments of open pull requests that win or lose a device change', () => {
  const open = openPulls([preview(), preview({ pull: 9 }), preview({ pull: 7, open: null })])
  expect(open).toEqual(
    new Map([
      ['pr-12', 12],
      ['pr-9', 9],
    ]),
  )
  const writes = [
    assignment({ from: 'pr-9', to: 'pr-12' }),
    assignment({ from: 'pr-7', to: 'beta' }),
    assignment({ from: null, to: 'pr-12' }),
  ]
  expect([...touchedPulls(writes, open)]).toEqual([9, 12])
})

it('a pull request shows devices that it has, that a newer one has, and whose last day is over', () => {
  const all = [
    assignment({ device: 'has', pull: 12 }),
    assignment({ device: 'lost', pull: 13, others: [12] }),
    assignment({ device: 'over', expiredFor: [12] }),
    assignment({ device: 'other', pull: 13 }),
  ]
  expect(devicesOfPull(all, 12).map(({ device }) => device)).toEqual(['has', 'lost', 'over'])
})

it.each([
  ['that is there', ['qa', 'ops'], null],
  ['that is not', ['ops'], 'invalid_input: Input "assign-testers": testers.json has no group "qa".'],
  ['where there is none', [], 'invalid_input: Input "assign-testers": testers.json has no group "qa".'],
])('assign-testers names a group %s', (_what, groups, refusal) => {
  const check = () =>
    requireGroups(
      [{ kind: 'all' }, { kind: 'group', name: 'qa' }],
      [tester('ada', null, { groups })],
      'testers.json',
    )
  if (refusal === null) expect(check).not.toThrow()
  else expect(refusalOf(check)).toBe(refusal)
})
