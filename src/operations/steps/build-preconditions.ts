/** The preconditions of a build: what would refuse the publish after it is reported before it. */
import type { Capgo } from '../../capgo/client.ts'
import type { BundleRow } from '../../capgo/schema.ts'
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

/**
 * Throws `rollout_active`, `permission_missing`. Only the build shows whether the content is stored already, which needs
 * neither room in the plan nor the permission to upload: neither is asked for.
 */
export async function requireBeforeBuild(
  { facts }: Pick<PublishInputs, 'facts'>,
  standingTo: ReadStanding,
  capgo: Capgo,
): Promise<void> {
  const { appId, channel, channelName } = facts
  const rolloutTarget = await foreseeRollout(facts, standingTo, capgo)
  await requirePromotion({ appId, channelName, channelId: channel?.id ?? null, rolloutTarget }, capgo)
}

/** A run with the content of its own rollout, or an older one, leaves the channel alone. Only the build knows the content. */
async function foreseeRollout(
  facts: PublishFacts,
  standingTo: ReadStanding,
  capgo: Capgo,
): Promise<RolloutTarget> {
  const { appId, channel, commit, rollout } = facts
  const active = channel === null || channel.version === null ? null : activeRollout(channel)
  if (channel === null || active === null || rollout.onActive !== 'fail')
    return decideRolloutTarget(channel, null, rollout).target
  if (shareOf(rollout) !== null) return EVERYBODY
  const bundle = await capgo.readBundleById(appId, active.id)
  const isOlderThan = async (served: BundleRow | null) =>
    served !== null && isStale({ ...facts, ours: commit, standing: await standingTo(served) }) !== null
  if ((await isOlderThan(channel.version)) || (await isOlderThan(bundle))) return EVERYBODY
  throw rolloutActive(channel.name, active, bundle?.name ?? null)
}
