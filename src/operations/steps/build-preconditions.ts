/** The preconditions of a build: what would refuse the publish after it is reported before it. */
import type { Capgo } from '../../capgo/client.ts'
import type { BundleRow } from '../../capgo/schema.ts'
import { readServedCommit } from '../../plan/bundle-comment.ts'
import type { PublishFacts } from '../../plan/publish-facts.ts'
import {
  activeRollout,
  decideRolloutTarget,
  EVERYBODY,
  type RolloutTarget,
  rolloutActive,
  shareOf,
} from '../../plan/rollout.ts'
import { isStale } from '../../plan/staleness.ts'
import { requirePromotion } from './promote-channel.ts'
import type { PublishInputs } from './publish-inputs.ts'
import type { ReadStanding } from './standing.ts'

/** Throws `rollout_active`, `permission_missing`, `on_premise_app`. */
export async function requireBeforeBuild(
  { app, facts }: Pick<PublishInputs, 'app' | 'facts'>,
  standingTo: ReadStanding,
  capgo: Capgo,
): Promise<void> {
  const { appId, channel, channelName } = facts
  const rolloutTarget = await foreseeRollout(facts, standingTo, capgo)
  const checks = [
    requirePromotion({ appId, channelName, channelId: channel?.id ?? null, rolloutTarget }, capgo),
    capgo.requirePermission('upload a bundle', 'app.upload_bundle', { appId, channelId: null }),
    capgo.requireStorage(app.owner_org, appId),
  ]
  for (const check of await Promise.allSettled(checks)) if (check.status === 'rejected') throw check.reason
}

/** A run that repeats its own rollout, or that is older, leaves the channel alone: no rollout is in its way. */
async function foreseeRollout(
  facts: PublishFacts,
  standingTo: ReadStanding,
  capgo: Capgo,
): Promise<RolloutTarget> {
  const { appId, channel, channelName, commit, rollout } = facts
  const active = channel === null || channel.version === null ? null : activeRollout(channel)
  if (channel === null || active === null || rollout.onActive !== 'fail')
    return decideRolloutTarget(channel, null, rollout).target
  const bundle = await capgo.readBundleById(appId, active.id)
  const isOwn = bundle !== null && readServedCommit(bundle, channelName)?.sha === commit.sha
  const isOlderThan = async (served: BundleRow | null) =>
    served !== null && isStale({ ...facts, ours: commit, standing: await standingTo(served) }) !== null
  if (
    (isOwn && shareOf(rollout) !== null) ||
    (await isOlderThan(channel.version)) ||
    (await isOlderThan(bundle))
  )
    return EVERYBODY
  throw rolloutActive(channel.name, active, bundle?.name ?? null)
}
