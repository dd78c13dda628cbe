/** What `operation: rollout` does with a rollout, by `planRolloutChange`. */
import type { ChannelRow } from '../../../../src/capgo/schema.ts'
import type { MovePlan } from '../../../../src/plan/channel-change.ts'
import { ALL } from '../../../../src/plan/rollout.ts'
import type { RolloutFacts } from '../../../../src/plan/rollout-change.ts'
import { type Case, fails } from './case.ts'
import { commit } from './facts.ts'
import { bundle, channel, line } from './rows.ts'

export interface RolloutCase extends Case<Partial<RolloutFacts> & Pick<RolloutFacts, 'change'>> {
  /** There is nothing to do. */
  readonly isDone?: true
  /** The bundle's comment afterwards, and that of the one that is taken back; null without them. */
  readonly comment?: RegExp
  readonly withdrawal?: NonNullable<MovePlan['rolledBack']>['comment']
}

/** 1.4.0 is rolled out to 25% of the devices, and the others have 1.3.0. */
export const rolling = (change: Partial<ChannelRow> = {}) =>
  channel({
    version: bundle({ id: 2, name: '1.3.0', comment: line('production', 50) }),
    rollout_version: 1,
    rollout_enabled: true,
    rollout_percentage_bps: 2500,
    ...change,
  })
const paused = { channel: rolling({ rollout_paused_at: '2026-11-26T00:00:00Z' }) }

export const rolloutFacts = (change: RolloutCase['given']): RolloutFacts => ({
  appId: 'com.example.app',
  channel: rolling(),
  rolloutBundle: bundle({ comment: line('production', 52, '', 'b') }),
  run: { ...commit, runId: 57 },
  ...change,
})

const share = (bps: number) => ({ kind: 'share', bps }) as const
const goesTo = (whom: string, name = '1.4.0') => `\`${name}\` for ${whom}`
const page = (input: string) => [
  `\`rollout\`, \`rollout: ${input}\``,
  '`1.4.0` goes to 25% of the devices, the others have `1.3.0`',
]

/** An earlier attempt of this run, or another run, finished it on this channel. */
const finished = (runId: number, on = 'production') =>
  channel({ version: bundle({ comment: line(on, runId) }) })
const none = {
  result: fails('no_rollout'),
  why: 'Channel production has no running rollout.',
}
const ABSENT: readonly (readonly [string, Partial<RolloutFacts>])[] = [
  ['there is none', { channel: channel() }],
  ['its bundle is gone', { rolloutBundle: null }],
  ['nothing is served', { channel: rolling({ version: null }) }],
  ['nothing is served at all', { channel: channel({ version: null }) }],
]

const changes: readonly RolloutCase[] = [
  {
    name: 'more',
    page: page('50'),
    given: { change: share(5000) },
    result: goesTo('50% of the devices'),
    why: 'Channel production gives 1.4.0 to 50% of its devices instead of 25%. 25% had it before.',
  },
  {
    name: 'less',
    given: { change: share(500) },
    result: goesTo('5% of the devices'),
    why: 'Channel production gives 1.4.0 to 5% of its devices instead of 25%. 25% had it before. Devices that have it keep it.',
  },
  {
    name: 'the same',
    given: { change: share(2500) },
    result: goesTo('25% of the devices'),
    why: 'Channel production already gives 1.4.0 to 25% of its devices.',
    isDone: true,
  },
  {
    name: 'the same, of one that is paused',
    given: { change: share(2500), ...paused },
    result: goesTo('25% of the devices'),
    why: 'Channel production gives 1.4.0 to 25% of its devices instead of 25%, paused. 25% had it before.',
  },
  {
    name: 'all devices: it is finished',
    given: { change: share(ALL) },
    result: goesTo('everybody'),
    why: 'All devices on channel production get 1.4.0 instead of 25% of them.',
    comment: /^production: .* run 57\.1 \(id 57\) after 1\.3\.0$/,
  },
  {
    name: 'pause',
    page: page('pause'),
    given: { change: { kind: 'pause' } },
    result: goesTo('25% of the devices, paused'),
    why: 'The rollout of 1.4.0 on channel production is paused at 25%. Devices that have it keep it. No other device gets it.',
  },
  {
    name: 'pause what is paused',
    given: { change: { kind: 'pause' }, ...paused },
    result: goesTo('25% of the devices, paused'),
    why: 'The rollout of 1.4.0 on channel production is paused already.',
    isDone: true,
  },
  {
    name: 'resume',
    given: { change: { kind: 'resume' }, ...paused },
    result: goesTo('25% of the devices'),
    why: 'The rollout of 1.4.0 on channel production continues at 25%.',
  },
  {
    name: 'resume what goes on',
    given: { change: { kind: 'resume' } },
    result: goesTo('25% of the devices'),
    why: 'The rollout of 1.4.0 on channel production is not paused.',
    isDone: true,
  },
  {
    name: 'finish',
    page: page('finish'),
    given: { change: { kind: 'finish' } },
    result: goesTo('everybody'),
    why: 'All devices on channel production get 1.4.0 instead of 25% of them.',
    comment: /^production: .* run 57\.1 \(id 57\) after 1\.3\.0$/,
  },
  {
    name: 'finish what is paused',
    given: { change: { kind: 'finish' }, ...paused },
    result: goesTo('everybody'),
    why: 'All devices on channel production get 1.4.0 instead of 25% of them.',
    comment: /^production: .* run 57\.1 \(id 57\) after 1\.3\.0$/,
  },
  {
    name: 'cancel',
    page: page('cancel'),
    given: { change: { kind: 'cancel' } },
    result: goesTo('everybody', '1.3.0'),
    why: 'The rollout of 1.4.0 on channel production is cancelled at 25%: all devices get 1.3.0. Devices that have 1.4.0 (25%) return, too.',
    withdrawal: line('production', 52, ' withdrawn 57.1/57', 'b'),
  },
  {
    name: 'cancel what others rolled out: nothing is noted',
    given: { change: { kind: 'cancel' }, rolloutBundle: bundle() },
    result: goesTo('everybody', '1.3.0'),
    why: /is cancelled at 25%/,
  },
]

const refused: readonly RolloutCase[] = [
  ...ABSENT.flatMap(([name, more]) =>
    (['finish', 'pause'] as const).map(kind => ({
      name: `${kind} where ${name}`,
      given: { change: { kind }, ...more },
      ...none,
    })),
  ),
  {
    name: 'finish what another run finished',
    given: { change: { kind: 'finish' }, channel: finished(56) },
    ...none,
  },
  {
    name: 'finish what this run put on another channel',
    given: { change: { kind: 'finish' }, channel: finished(57, 'beta') },
    ...none,
  },
  {
    name: 'cancel what an earlier attempt of this run finished',
    given: { change: { kind: 'cancel' }, channel: finished(57) },
    ...none,
  },
]

const repeated: readonly RolloutCase[] = [
  {
    name: 'finish what an earlier attempt of this run finished',
    given: { change: { kind: 'finish' }, channel: finished(57) },
    result: goesTo('everybody'),
    why: 'An earlier attempt of this run finished the rollout.',
    isDone: true,
  },
]

export const ROLLOUT_CHANGE = {
  'a change of a rollout': changes,
  'a change of a rollout is refused:': refused,
  'a change of a rollout, by another attempt of the run:': repeated,
}
