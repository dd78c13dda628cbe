import { describe, expect, it } from 'vitest'
import { findEarlier, isRolledBackBy, planRollback } from '../../../src/plan/rollback.ts'
import { DONE, EARLIER, made, ROLLBACK, rollbackFacts, serves, serving } from './cases/rollback.ts'
import { bundle, line } from './cases/rows.ts'
import { decided, eachCase, refusalOf } from './decided.ts'

eachCase(EARLIER, ({ given: { served, bundles }, ...expected }) => {
  decided(
    expected,
    () => findEarlier(serving(served), bundles),
    ({ bundle, why }) => [bundle.name, why],
  )
})

eachCase(ROLLBACK, ({ given, byForce = false, warnings = [], stage = {}, ...expected }) => {
  const plan = decided(
    expected,
    () => planRollback(rollbackFacts(given)),
    ({ isDone, bundle, why, consequence }) => [
      isDone ? DONE : serves(bundle.name),
      `${why} ${consequence}`.trim(),
    ],
  )
  if (plan === null) {
    const forced = refusalOf(() => planRollback(rollbackFacts({ ...given, force: true })))
    expect(forced === 'nothing was thrown').toBe(byForce)
    return
  }
  expect(plan.warnings).toEqual(warnings)
  expect(plan.rolloutTarget).toMatchObject(stage)
  expect(plan.nativeChanges).toEqual([])
  expect(plan.rolledBack?.comment).toBe(expected.withdrawal)
  // What is done already is noted already, and what is not ours is not noted.
  expect(plan.comment === null).toBe(plan.isDone || plan.commit === null)
  if (expected.noted !== undefined) expect(plan.comment).toMatch(expected.noted)
  if (expected.notNoted !== undefined) expect(plan.comment).not.toMatch(expected.notNoted)
  if (expected.insteadOf !== undefined)
    expect(plan.decisions.find(({ what }) => what === 'instead of')?.why).toBe(expected.insteadOf)
})

describe('a rollback says', () => {
  const labels = (given: Parameters<typeof rollbackFacts>[0]) =>
    planRollback(rollbackFacts(given)).decisions.map(({ what }) => what)
  it('what it goes back to, and what it leaves', () => {
    expect(labels({})).toEqual(['channel', 'bundle', 'instead of', 'native version'])
  })
  it('that a rollout ends', () => {
    const rolling = { rollout_version: 5, rollout_enabled: true, rollout_percentage_bps: 500 }
    const rollout = { bps: null, onActive: 'replace' } as const
    expect(labels({ channel: serving(made(3), rolling), rollout }).at(-1)).toBe('rollout')
  })
  it('nothing of what is served already', () => {
    expect(labels({ channel: serving(made(1)) })).toEqual(['channel', 'bundle', 'native version'])
  })
})

describe('isRolledBackBy', () => {
  it.each<[string, string | null, number, boolean]>([
    ['this very run', line('production', 5, ' instead 1.0.9'), 5, true],
    ['another run', line('production', 5, ' instead 1.0.9'), 6, false],
    ['this run, which published it', line('production', 5), 5, false],
    ['this run, on another channel', line('beta', 5, ' instead 1.0.9'), 5, false],
    ['nobody', null, 5, false],
  ])('%s', (_what, comment, runId, expected) => {
    expect(isRolledBackBy(serving(bundle({ comment })), { runId })).toBe(expected)
  })
  it('not where nothing is served', () => {
    expect(isRolledBackBy(serving(null), { runId: 5 })).toBe(false)
  })
})
