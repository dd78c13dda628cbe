import { expect, it } from 'vitest'
import type { MovePlan } from '../../../src/plan/channel-change.ts'
import { ALL, formatShare, rolloutChanged } from '../../../src/plan/rollout.ts'
import { planRolloutChange, type RolloutFacts } from '../../../src/plan/rollout-change.ts'
import { channelChangeResult } from '../../../src/report/channel-results.ts'
import { ROLLOUT_CHANGE, rolling, rolloutFacts } from './cases/rollout-change.ts'
import { decided, eachCase, matching } from './decided.ts'

function resultOf({ bundle, rolloutTarget: { bps, paused } }: MovePlan): string {
  const whom = bps === null ? 'everybody' : `${formatShare(bps)} of the devices${paused ? ', paused' : ''}`
  return `\`${bundle.name}\` for ${whom}`
}

eachCase(ROLLOUT_CHANGE, ({ given, isDone = false, comment, withdrawal, ...expected }) => {
  const plan = decided(
    expected,
    () => planRolloutChange(rolloutFacts(given)),
    plan => [resultOf(plan), `${plan.why} ${plan.consequence}`.trim()],
  )
  if (plan === null) return
  expect(plan).toMatchObject({ isDone, nativeChanges: [], warnings: [] } satisfies Partial<MovePlan>)
  expect(plan.comment).toEqual(comment === undefined ? null : matching(comment))
  expect(plan.rolledBack?.comment).toBe(withdrawal)
  // Each says from which commit the bundle is, where that is known.
  expect(plan.commit === null).toBe(plan.bundle.comment === null)
})

it('a plan says how the rollout stands, and who has what', () => {
  const { decisions } = planRolloutChange(rolloutFacts({ change: { kind: 'share', bps: 5000 } }))
  expect(decisions).toEqual([
    { what: 'channel', value: 'production', why: 'input "channel"' },
    { what: 'rolled out', value: '1.4.0', why: '25% until now' },
    { what: 'the others', value: '1.3.0', why: 'the stable bundle of the channel' },
    { what: 'rollout', value: '50%', why: 'input "rollout"' },
  ] satisfies MovePlan['decisions'])
})

it.each<[string, RolloutFacts['change'], object | null, string]>([
  ['pause', { kind: 'pause' }, { bps: 2500, paused: true, bundle: '1.4.0' }, '1.4.0'],
  ['resume', { kind: 'resume' }, { bps: 2500, paused: false, bundle: '1.4.0' }, '1.4.0'],
  ['50%', { kind: 'share', bps: 5000 }, { bps: 5000, paused: false, bundle: '1.4.0' }, '1.4.0'],
  ['finish', { kind: 'finish' }, null, '1.4.0'],
  ['100%', { kind: 'share', bps: ALL }, null, '1.4.0'],
  ['cancel', { kind: 'cancel' }, null, '1.3.0'],
])('a dry run of %s says what would be', (_what, change, rollout, name) => {
  const rollout_paused_at = change.kind === 'resume' ? 'x' : null
  const plan = planRolloutChange(rolloutFacts({ change, channel: rolling({ rollout_paused_at }) }))
  const result = channelChangeResult(
    { plan, consoleUrl: null, repositoryUrl: '', size: 5, sha256: null, work: null, total: 0, warnings: [] },
    null,
  )
  expect(result.outcome).toBe('planned')
  expect(result.bundle).toMatchObject({ name, size: 5 })
  if (rollout === null) expect(result.rollout).toBeNull()
  else expect(result.rollout).toMatchObject(rollout)
})

it.each<[string, number | null, object, boolean]>([
  ['none, and there is none', null, { rollout_version: null }, false],
  ['none, and there is one', null, {}, true],
  ['this one', 1, {}, false],
  ['another', 2, {}, true],
  ['this one, and there is none', 1, { rollout_version: null }, true],
])('others changed the rollout: planned for %s', (_what, running, row, isChanged) => {
  const changed = rolloutChanged({ bps: null, rolloutBundleId: running, paused: false }, rolling(row))
  expect(changed?.code ?? null).toBe(isChanged ? 'rollout_changed' : null)
})
