import { expect, it } from 'vitest'
import type { MovePlan } from '../../../src/plan/channel-change.ts'
import { namedWithCommit, planPromotion } from '../../../src/plan/promotion.ts'
import { DONE, PROMOTION, promotionFacts, served, serves } from './cases/promotion.ts'
import { decided, eachCase, matching } from './decided.ts'

eachCase(
  PROMOTION,
  ({ given, warnings = [], stage = {}, decisions = {}, noted, notNoted, changed = [], ...expected }) => {
    const plan = decided(
      expected,
      () => planPromotion(promotionFacts(given)),
      ({ isDone, bundle, why }) => [isDone ? DONE : serves(bundle.name), why],
    )
    if (plan === null) return
    expect(plan.warnings).toEqual(warnings.map(matching))
    expect(plan.rolloutTarget).toMatchObject(stage)
    expect(plan.nativeChanges.map(({ name }) => name)).toEqual(changed)
    for (const [label, line] of Object.entries(decisions))
      expect(linesOf(plan, label)).toEqual([matching(line)])
    // What is done already is noted already, and what is not ours is not noted.
    expect(plan.comment === null).toBe(plan.isDone || plan.commit === null)
    if (noted !== undefined) expect(plan.comment).toMatch(noted)
    if (notNoted !== undefined) expect(plan.comment).not.toMatch(notNoted)
    expect(plan.rolledBack).toBeNull()
  },
)

const linesOf = ({ decisions }: MovePlan, label: string) =>
  decisions.filter(({ what }) => what === label).map(({ value, why }) => `${value}: ${why}`)

it('a promotion says of which app, commit and channel it is', () => {
  const plan = planPromotion(promotionFacts())
  expect(plan.appId).toBe('com.example.app')
  expect(plan.channel.name).toBe('production')
  expect(plan.commit).toMatchObject({ sha: 'b'.repeat(40), refName: 'main' })
  expect(plan.decisions.map(({ what }) => what)).toEqual(['bundle', 'channel', 'native version'])
})

it('a bundle is named with the commit for which it was on the channel', () => {
  expect(namedWithCommit(served(), 'production')).toEqual({ name: '1.3.0', sha: 'a'.repeat(40) })
  expect(namedWithCommit(served(), 'beta')).toEqual({ name: '1.3.0', sha: null })
})
