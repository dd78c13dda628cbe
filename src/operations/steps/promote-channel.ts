/** The last step of a publish, the only one that devices see: the channel gets the bundle, and is read back. */
import type { Capgo } from '../../capgo/client.ts'
import type { BundleRow, ChannelRow } from '../../capgo/schema.ts'
import { ActionError } from '../../errors.ts'
import { checkPreviewChannel } from '../../plan/preview.ts'
import type { PublishPlan } from '../../plan/publish-facts.ts'
import { formatShare, isAt } from '../../plan/rollout.ts'
import { assign, requireAssignment } from './assign.ts'
import type { ChannelOutcome, ExecutionContext } from './execution-context.ts'

/** Checks the permission for the last write before the first one. Throws `permission_missing`. */
export async function requirePromotion(
  plan: Pick<PublishPlan, 'appId' | 'channelId' | 'channelName' | 'rolloutTarget'>,
  capgo: Capgo,
): Promise<void> {
  const { appId, channelId, channelName } = plan
  if (channelId === null)
    await capgo.requirePermission(`create channel ${channelName}`, 'app.create_channel', { appId, channelId })
  else await requireAssignment(plan.rolloutTarget, appId, { id: channelId, name: channelName }, capgo)
}

/** `channel` as it was read last. Throws `not_served` where somebody else changed it at the same moment. */
export async function promoteChannel(
  plan: PublishPlan,
  bundle: BundleRow,
  channel: ChannelRow | null,
  context: ExecutionContext,
): Promise<ChannelOutcome> {
  const { capgo, commit } = context
  const stale = await context.staleBy(channel)
  if (channel !== null && stale !== null) return staleOutcome(channel, stale)
  context.log(
    `${channel === null ? 'Creating' : 'Updating'} channel ${plan.channelName}, then reading it back.`,
  )
  const target = channel ?? (await makeChannel(plan, bundle, capgo))
  // The channel as it is now: since the first look it may have become the public one, or another's.
  const refused = target === null || !commit.pull ? null : checkPreviewChannel(target, commit)
  if (refused !== null) throw refused
  if (target !== null && !isAt(plan.rolloutTarget, bundle.id, target))
    await assign(plan.rolloutTarget, bundle, { appId: plan.appId, channel: target }, capgo)

  const served = await readBack(plan, capgo)
  if (isAt(plan.rolloutTarget, bundle.id, served))
    return {
      outcome: 'published',
      reason:
        plan.rolloutTarget.bps === null
          ? `Channel ${plan.channelName} serves bundle ${bundle.name}.`
          : `Channel ${plan.channelName} rolls bundle ${bundle.name} out to ${formatShare(plan.rolloutTarget.bps)} of its devices.`,
      channel: served,
      bundle,
    }
  const overtaken = await context.staleBy(served)
  if (overtaken !== null) return staleOutcome(served, overtaken)
  throw new ActionError(
    'not_served',
    `Capgo accepted bundle ${bundle.name} for channel ${plan.channelName}, but the channel serves ${served.version?.name ?? 'nothing'}.`,
    { hint: 'Another job or person changed the channel at the same moment. Re-run the job.' },
  )
}

function staleOutcome(channel: ChannelRow, why: string): ChannelOutcome {
  return { outcome: 'stale', reason: sentence(why), channel, bundle: null }
}

/** Null when the channel was made with the bundle on it; else the channel that was there after all. */
async function makeChannel(plan: PublishPlan, bundle: BundleRow, capgo: Capgo): Promise<ChannelRow | null> {
  // It was there when the plan was made.
  if (plan.create === null) return readBack(plan, capgo)
  const id = await capgo.createChannel({
    appId: plan.appId,
    name: plan.channelName,
    bundleName: bundle.name,
    fields: plan.create,
  })
  return id === null ? readBack(plan, capgo) : null
}

export function readBack(plan: PublishPlan, capgo: Capgo): Promise<ChannelRow> {
  return capgo.requireChannel(plan.appId, plan.channelName)
}

/** A reason as a sentence of its own. */
export function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}
