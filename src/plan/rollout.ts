/** A gradual rollout: a new bundle goes to everybody, or to a share of the devices. */
import type { BundleRow, ChannelRow } from '../capgo/schema.ts'
import { ActionError } from '../errors.ts'

/** A change of a rollout by a later run. Basis points: 100 are one percent. */
export type RolloutChange =
  | { readonly kind: 'share'; readonly bps: number }
  | { readonly kind: 'pause' | 'resume' | 'finish' | 'cancel' }

/** The effect of a publish on a channel with an unfinished rollout. */
export type OnActiveRollout = 'fail' | 'replace' | 'advance'

/** The rollout that a publish or promotion asks for. */
export interface RolloutRequest {
  /** Null = everybody, and so are 100 %. */
  readonly bps: number | null
  readonly onActive: OnActiveRollout
}

/** A rollout that is not finished; also one that is paused, or at 0 %. */
export interface Rollout {
  /** Id of the bundle that is rolled out. */
  readonly id: number
  readonly bps: number
  readonly paused: boolean
}

/** The devices that get a bundle, and the running rollout that is expected; another one means that somebody interfered. */
export interface RolloutTarget {
  /** Null = everybody; a rollout that there is, ends. */
  readonly bps: number | null
  /** Id of the bundle that the running rollout has now; null without one. */
  readonly rolloutBundleId: number | null
  readonly paused: boolean
}

export const EVERYBODY: RolloutTarget = { bps: null, rolloutBundleId: null, paused: false }

/** Basis points. */
export const ALL = 10_000

/** The share that is asked for; null = everybody. A rollout to all devices would stay open for ever. */
export function shareOf({ bps }: Pick<RolloutRequest, 'bps'>): number | null {
  return bps === null || bps >= ALL ? null : bps
}

type RolloutColumns = Pick<
  ChannelRow,
  'rollout_version' | 'rollout_enabled' | 'rollout_percentage_bps' | 'rollout_paused_at'
>

/** The channel's rollout, or null when everybody gets the same bundle. */
export function activeRollout(channel: RolloutColumns): Rollout | null {
  return channel.rollout_version === null || !channel.rollout_enabled
    ? null
    : {
        id: channel.rollout_version,
        bps: channel.rollout_percentage_bps,
        paused: channel.rollout_paused_at !== null,
      }
}

/** Whether the channel gives this bundle to those that the stage says. */
export function isAt(
  stage: RolloutTarget,
  bundleId: number,
  channel: RolloutColumns & { readonly version: Pick<BundleRow, 'id'> | null },
): boolean {
  const active = activeRollout(channel)
  if (stage.bps === null) return channel.version?.id === bundleId && active === null
  return active?.id === bundleId && active.bps === stage.bps && active.paused === stage.paused
}

/** `10%`, `12.5%`, from basis points. */
export function formatShare(bps: number): string {
  return `${bps / 100}%`
}

/** `1.4.1 to 10% (paused)`. */
export function describeRollout({ bps, paused }: Rollout, name: string): string {
  return `${name} to ${formatShare(bps)}${paused ? ' (paused)' : ''}`
}

/**
 * The devices that get a new bundle. A channel that serves nothing gives it to everybody: the others have nothing
 * to keep. Throws `rollout_active` where a rollout is not finished and the workflow does not say what to do.
 */
export function decideRolloutTarget(
  channel: (RolloutColumns & Pick<ChannelRow, 'name' | 'version'>) | null,
  /** Name of the bundle that is rolled out, where there is one. */
  rolloutBundleName: string | null,
  { onActive, ...request }: RolloutRequest,
): { readonly target: RolloutTarget; readonly why: string | null; readonly warning: string | null } {
  const bps = shareOf(request)
  if (channel === null || channel.version === null)
    return {
      target: EVERYBODY,
      why: bps === null ? null : 'the channel serves nothing yet, so all devices get the bundle',
      warning:
        bps === null
          ? null
          : `All devices get this bundle instead of ${formatShare(bps)}, because the channel serves nothing yet.`,
    }
  const active = activeRollout(channel)
  const isAll = request.bps !== null && bps === null
  if (active === null)
    return bps === null
      ? { target: EVERYBODY, why: isAll ? '100% are all devices, so no rollout begins' : null, warning: null }
      : {
          target: { bps, rolloutBundleId: null, paused: false },
          why: `the others keep ${channel.version.name}`,
          warning: null,
        }
  const now = `channel ${channel.name} was rolling out ${describeRollout(active, rolloutBundleName ?? `bundle ${active.id}`)}`
  switch (onActive) {
    case 'fail':
      throw rolloutActive(channel.name, active, rolloutBundleName)
    case 'replace':
      return {
        target: { bps, rolloutBundleId: active.id, paused: false },
        why: `${now}, which ends (on-active-rollout: replace)`,
        warning: null,
      }
    case 'advance':
      return {
        // All devices are everybody, unless somebody holds it.
        target: {
          bps: active.paused ? active.bps : shareOf(active),
          rolloutBundleId: active.id,
          paused: active.paused,
        },
        why: `${now}, which continues with this bundle (on-active-rollout: advance)`,
        warning: null,
      }
  }
}

export function rolloutActive(channelName: string, active: Rollout, name: string | null): ActionError {
  return new ActionError(
    'rollout_active',
    `Channel ${channelName} is rolling out ${describeRollout(active, name ?? `bundle ${active.id}`)}.`,
    {
      hint: `Finish or cancel it first: "operation: rollout" with "channel: ${channelName}" and "rollout: finish" or "cancel". Or set "on-active-rollout" to "replace" (it ends) or "advance" (it continues with the new bundle).`,
    },
  )
}

/** Somebody began, changed or ended a rollout while this run worked. Null when it is as it was planned for. */
export function rolloutChanged(stage: RolloutTarget, channel: RolloutColumns & { readonly name: string }) {
  if ((activeRollout(channel)?.id ?? null) === stage.rolloutBundleId) return null
  return new ActionError(
    'rollout_changed',
    `The rollout of channel ${channel.name} was changed while this run worked.`,
    { hint: 'Another job or person changed it. This run did not change the channel. Re-run the job.' },
  )
}
