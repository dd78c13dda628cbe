/** The request by which a channel gives a bundle to its devices, or to some of them. */
import type { Capgo } from '../../capgo/client.ts'
import type { RolloutFields } from '../../capgo/rollouts.ts'
import type { BundleRow, ChannelRow } from '../../capgo/schema.ts'
import { type RolloutTarget, rolloutChanged } from '../../plan/rollout.ts'

/** The permissions that giving a bundle to a channel takes; throws `permission_missing` for the first that lacks. */
export async function requireAssignment(
  stage: RolloutTarget,
  appId: string,
  channel: { readonly id: number; readonly name: string },
  capgo: Capgo,
): Promise<void> {
  const scope = { appId, channelId: channel.id }
  const needs = [
    capgo.requirePermission(`set channel ${channel.name} to a bundle`, 'channel.promote_bundle', scope),
    ...(stage.bps === null && stage.rolloutBundleId === null
      ? []
      : [
          capgo.requirePermission(
            `change the rollout of channel ${channel.name}`,
            'channel.update_settings',
            scope,
          ),
        ]),
  ]
  for (const result of await Promise.allSettled(needs)) if (result.status === 'rejected') throw result.reason
}

/**
 * Gives the bundle to those that the stage says, in one request; the caller reads the channel back. Throws
 * `rollout_changed` when the channel's rollout is not the one that was planned for.
 */
export async function assign(
  stage: RolloutTarget,
  bundle: Pick<BundleRow, 'id' | 'name'>,
  { appId, channel }: { readonly appId: string; readonly channel: ChannelRow },
  capgo: Capgo,
): Promise<void> {
  const changed = rolloutChanged(stage, channel)
  if (changed !== null) throw changed
  if (stage.bps === null && stage.rolloutBundleId === null) return capgo.promote(appId, bundle.id, channel)
  await capgo.changeRollout(appId, channel, fieldsOf(stage, bundle, channel))
}

function fieldsOf(
  { bps, rolloutBundleId: running, paused }: RolloutTarget,
  bundle: Pick<BundleRow, 'id' | 'name'>,
  channel: ChannelRow,
): RolloutFields {
  const isRunning = running === bundle.id
  if (bps !== null)
    return {
      // Only where it changes: devices would be drawn anew.
      ...(isRunning ? {} : { rolloutVersion: bundle.id }),
      rolloutPercentageBps: bps,
      rolloutEnabled: true,
      rolloutPaused: paused,
    }
  if (isRunning) return { promoteToStable: true }
  return channel.version?.id === bundle.id ? { rollback: true } : { version: bundle.name, rollback: true }
}
