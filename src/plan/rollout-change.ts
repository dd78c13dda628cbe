/** The plan of `operation: rollout`: the change of an existing rollout. */
import type { BundleRow, ChannelRow } from '../capgo/schema.ts'
import { ActionError } from '../errors.ts'
import { noteRollback, readServedCommit } from './bundle-comment.ts'
import { type MovePlan, noteMove, originOf, unchanged } from './channel-change.ts'
import {
  ALL,
  activeRollout,
  formatShare,
  isAt,
  type Rollout,
  type RolloutChange,
  type RolloutTarget,
} from './rollout.ts'
import type { Commit, Decision } from './types.ts'

export interface RolloutFacts {
  readonly appId: string
  readonly channel: ChannelRow
  /** The bundle that the channel rolls out; null when it does not exist (any more). */
  readonly rolloutBundle: BundleRow | null
  readonly change: RolloutChange
  readonly run: Commit
}

/** What `operation: rollout` has to do. Throws `no_rollout` when nothing is rolled out. */
export function planRolloutChange(facts: RolloutFacts): MovePlan {
  const { appId, channel, rolloutBundle, run } = facts
  const change = named(facts.change)
  const rollout = activeRollout(channel)
  const served = channel.version
  if (change.kind === 'finish' && rollout === null && served !== null && isOfRun(served, channel, run))
    return unchanged({
      move: { kind: 'rollout', change: change.kind },
      appId,
      channel,
      bundle: served,
      why: 'An earlier attempt of this run finished the rollout.',
      decisions: [ofChannel(channel)],
    })
  if (rollout === null || rolloutBundle === null || served === null)
    throw new ActionError('no_rollout', `Channel ${channel.name} has no running rollout.`, {
      hint: `It serves ${served?.name ?? 'nothing'} to all devices. The rollout may be finished or cancelled already. A publish or promotion with "rollout: 10" begins one.`,
    })
  const bundle = change.kind === 'cancel' ? served : rolloutBundle
  const stage = stageOf(change, rollout)
  const withdrawn = change.kind === 'cancel' ? noteRollback(rolloutBundle.comment, channel.name, run) : null
  return {
    move: { kind: 'rollout', change: change.kind },
    appId,
    channel,
    bundle,
    rolloutTarget: stage,
    isDone: isAt(stage, bundle.id, channel),
    ...describeChange(change, rollout, rolloutBundle.name, channel),
    comment:
      change.kind === 'finish'
        ? noteMove({
            bundle: rolloutBundle,
            channel,
            origin: originOf(rolloutBundle, channel.name),
            run,
            circumstances: { previous: served.name },
          })
        : null,
    rolledBack: withdrawn === null ? null : { bundle: rolloutBundle, comment: withdrawn },
    commit: originOf(bundle, channel.name),
    nativeChanges: [],
    decisions: [
      ofChannel(channel),
      { what: 'rolled out', value: rolloutBundle.name, why: `${describeNow(rollout)} until now` },
      { what: 'the others', value: served.name, why: 'the stable bundle of the channel' },
      {
        what: 'rollout',
        value: change.kind === 'share' ? formatShare(change.bps) : change.kind,
        why: 'input "rollout"',
      },
    ],
    warnings: [],
  }
}

/** All devices are everybody: the rollout is finished. */
function named(change: RolloutChange): RolloutChange {
  return change.kind === 'share' && change.bps >= ALL ? { kind: 'finish' } : change
}

function stageOf(change: RolloutChange, { id, bps, paused }: Rollout): RolloutTarget {
  switch (change.kind) {
    case 'share':
      // A percentage also resumes the rollout.
      return { bps: change.bps, rolloutBundleId: id, paused: false }
    case 'pause':
      return { bps, rolloutBundleId: id, paused: true }
    case 'resume':
      return { bps, rolloutBundleId: id, paused: false }
    case 'finish':
    case 'cancel':
      return { bps: null, rolloutBundleId: id, paused }
  }
}

function describeNow({ bps, paused }: Rollout): string {
  return `${formatShare(bps)}${paused ? ', paused' : ''}`
}

function describeChange(
  change: RolloutChange,
  rollout: Rollout,
  name: string,
  { name: channelName, version }: ChannelRow,
): Pick<MovePlan, 'why' | 'consequence'> {
  const now = describeNow(rollout)
  const of = `The rollout of ${name} on channel ${channelName}`
  const share = formatShare(rollout.bps)
  switch (change.kind) {
    case 'share': {
      if (change.bps === rollout.bps && !rollout.paused)
        return {
          why: `Channel ${channelName} already gives ${name} to ${now} of its devices.`,
          consequence: '',
        }
      return {
        why: `Channel ${channelName} gives ${name} to ${formatShare(change.bps)} of its devices instead of ${now}.`,
        consequence: `${share} had it before.${change.bps < rollout.bps ? ' Devices that have it keep it.' : ''}`,
      }
    }
    case 'pause':
      return rollout.paused
        ? { why: `${of} is paused already.`, consequence: '' }
        : {
            why: `${of} is paused at ${share}.`,
            consequence: 'Devices that have it keep it. No other device gets it.',
          }
    case 'resume':
      return rollout.paused
        ? { why: `${of} continues at ${share}.`, consequence: '' }
        : { why: `${of} is not paused.`, consequence: '' }
    case 'finish':
      return {
        why: `All devices on channel ${channelName} get ${name} instead of ${share} of them.`,
        consequence: '',
      }
    case 'cancel':
      return {
        why: `${of} is cancelled at ${share}: all devices get ${version?.name ?? 'nothing'}.`,
        consequence: `Devices that have ${name} (${share}) return, too.`,
      }
  }
}

function isOfRun(bundle: BundleRow, channel: ChannelRow, run: Commit): boolean {
  return readServedCommit(bundle, channel.name)?.runId === run.runId
}

function ofChannel({ name }: ChannelRow): Decision {
  return { what: 'channel', value: name, why: 'input "channel"' }
}
