import { expect, it } from 'vitest'
import { describeChannels, type StatusFacts } from '../../../src/plan/status.ts'
import { bundle, channel, line } from './cases/rows.ts'

const facts = (change: Partial<StatusFacts>): StatusFacts => ({
  channels: [channel()],
  rolloutBundles: [],
  overrides: [],
  devices: new Map(),
  repositoryUrl: 'https://github.com/o/r',
  repository: 'o/r',
  ...change,
})
const only = (change: Partial<StatusFacts>) => describeChannels(facts(change))[0]!

it('public channels come first, then by name', () => {
  const channels = ['beta', 'zeta', 'alpha', 'main'].map(name =>
    channel({ name, public: ['zeta', 'main'].includes(name) }),
  )
  expect(describeChannels(facts({ channels })).map(each => each.channel)).toEqual([
    'main',
    'zeta',
    'alpha',
    'beta',
  ])
})

it('a bundle is told with its commit, its pull request and its devices', () => {
  const comment = line('production', 5, ' for p/q#12 at 2026-11-26T00:00:00Z instead 1.4.1')
  const devices = new Map([['1.4.0', 3]])
  expect(only({ channels: [channel({ version: bundle({ comment }) })], devices })).toEqual({
    channel: 'production',
    id: 7,
    public: true,
    platforms: ['ios', 'android', 'electron'],
    bundle: {
      id: 1,
      name: '1.4.0',
      since: '2026-11-26T00:00:00Z',
      commit: {
        sha: 'a'.repeat(40),
        ref: 'main',
        url: `https://github.com/o/r/commit/${'a'.repeat(40)}`,
      },
      pull: { number: 12, url: 'https://github.com/p/q/pull/12' },
      rolledBackFrom: '1.4.1',
      devices: 3,
    },
    rollout: null,
    overrides: 0,
  })
})

it('what is not known is null', () => {
  expect(only({ overrides: null })).toMatchObject({
    bundle: { since: null, commit: null, pull: null, rolledBackFrom: null, devices: null },
    overrides: null,
  })
  expect(only({ channels: [channel({ version: null, ios: false, electron: false })] })).toMatchObject({
    platforms: ['android'],
    bundle: null,
  })
  expect(
    only({ channels: [channel({ version: bundle({ comment: line('production', 5) }) })] }).bundle,
  ).toMatchObject({
    pull: null,
    rolledBackFrom: null,
  })
})

it('a rollout is told where its bundle is known', () => {
  const rolling = channel({ rollout_version: 2, rollout_enabled: true, rollout_percentage_bps: 1250 })
  const running = [bundle({ id: 2, name: '1.5.0' })]
  expect(only({ channels: [rolling], rolloutBundles: running }).rollout).toMatchObject({
    name: '1.5.0',
    percentage: 12.5,
    paused: false,
  })
  expect(
    only({ channels: [{ ...rolling, rollout_paused_at: 'x' }], rolloutBundles: running }).rollout?.paused,
  ).toBe(true)
  expect(only({ channels: [rolling] }).rollout).toBeNull()
  expect(
    only({ channels: [{ ...rolling, rollout_enabled: false }], rolloutBundles: running }).rollout,
  ).toBeNull()
})

it('overrides are those of the channel', () => {
  const overrides = [7, 8, 7].map(channel_id => ({ channel_id }) as never)
  expect(only({ overrides }).overrides).toBe(2)
})
