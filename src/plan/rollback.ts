/** A channel goes back to a bundle that it served before. */
import type { BundleRow, ChannelRow } from '../capgo/schema.ts'
import { ActionError } from '../errors.ts'
import { type Circumstances, noteRollback, readServedCommit, type ServedCommit } from './bundle-comment.ts'
import { channelWarnings } from './channel.ts'
import {
  type MoveFacts,
  type MovePlan,
  NOT_JUDGED,
  NOT_OURS,
  noteMove,
  originOf,
  unchanged,
  whyNotReady,
} from './channel-change.ts'
import { isReady, refusedByAll } from './delivery.ts'
import { nativeVersionDecisions, nativeVersionsOn } from './native-versions.ts'
import { namedWithCommit } from './promotion.ts'
import { decideRolloutTarget } from './rollout.ts'
import type { Decision } from './types.ts'
import { firstRefusal } from './version.ts'

/** The bundle to go back to, and how it was found. */
export interface RollbackTarget {
  readonly bundle: BundleRow
  readonly why: string
}

/** Devices that Capgo knows to run the bundle that is rolled back; best effort. */
export interface AffectedDevices {
  readonly count: number
  /** Of those that were looked at closely: how many would refuse the older bundle, and the rule. */
  readonly refusing: { readonly count: number; readonly of: number; readonly rule: string } | null
}

export interface RollbackFacts extends MoveFacts {
  readonly channel: ChannelRow
  readonly target: RollbackTarget
  /** Why devices could not take what is stored of the target, as the end of a sentence; null when they can. */
  readonly fault: string | null
  /** Null when the key cannot read devices. */
  readonly affected: AffectedDevices | null
}

/** Whether this very run (an earlier attempt of it) rolled the channel back already. */
export function isRolledBackBy(channel: ChannelRow, run: { readonly runId: number }): boolean {
  const noted = channel.version === null ? null : readServedCommit(channel.version, channel.name)
  return noted !== null && noted.rolledBackFrom !== null && noted.runId === run.runId
}

/**
 * The bundle that the channel served before what it serves now. Each bundle's note says after which one it came;
 * else the order of the runs that put bundles on the channel decides. Bundles that are gone,
 * not ready, or were rolled back themselves are passed over. Throws `no_earlier_bundle`.
 *
 * `bundles` are those that have a note for the channel.
 */
export function findEarlier(channel: ChannelRow, bundles: readonly BundleRow[]): RollbackTarget {
  const served = channel.version
  if (served === null)
    throw new ActionError('no_earlier_bundle', `Channel ${channel.name} serves nothing.`, {
      hint: 'Set the input "to" to the name or id of the bundle that it should serve.',
    })
  const noted = bundles.flatMap(bundle => {
    const note = readServedCommit(bundle, channel.name)
    return note === null ? [] : [{ bundle, note }]
  })
  const isGood = ({ bundle, note }: (typeof noted)[number]) => isReady(bundle) && note.rolledBackBy === null
  const now = readServedCommit(served, channel.name)
  const byName = new Map(noted.map(each => [each.bundle.name, each]))
  const seen = new Set([served.name])
  for (let name = now?.previous ?? null; name !== null && !seen.has(name); ) {
    seen.add(name)
    const before = byName.get(name)
    if (before === undefined) break
    if (isGood(before)) return { bundle: before.bundle, why: `channel ${channel.name} served it before` }
    name = before.note.previous
  }
  const [latest] = noted
    .filter(each => isGood(each) && !seen.has(each.bundle.name))
    .filter(({ note }) => now === null || note.runId < now.runId)
    .sort((one, other) => other.note.runId - one.note.runId)
  if (latest !== undefined)
    return {
      bundle: latest.bundle,
      why: `the last bundle on channel ${channel.name} before the current one (run ${latest.note.run})`,
    }
  throw new ActionError(
    'no_earlier_bundle',
    `It is not known what channel ${channel.name} served before ${served.name}.`,
    {
      hint: 'Set the input "to" to the name or id of the bundle that it should serve. Only bundles that this action published, and that still exist, have such a record.',
    },
  )
}

/**
 * The plan by which the channel serves the target. Throws `bundle_not_ready`, `bundle_rolled_back`,
 * `rollback_refused` or `rollout_active`; nothing was written then.
 */
export function planRollback(facts: RollbackFacts): MovePlan {
  const { appId, channel, target, nativeVersions: natives } = facts
  const { bundle } = target
  const served = channel.version
  const decisions: Decision[] = [
    { what: 'channel', value: channel.name, why: 'input "channel"' },
    { what: 'bundle', value: bundle.name, why: target.why },
    ...ofServed(facts),
    ...nativeVersionDecisions(natives),
  ]
  if (served?.id === bundle.id)
    return unchanged({
      move: { kind: 'rollback' },
      appId,
      channel,
      bundle,
      why: `Channel ${channel.name} already serves ${bundle.name}.`,
      decisions,
    })
  requireReady(facts)
  if (!facts.force) {
    requireNotRolledBack(facts)
    requireDelivery(facts)
  }
  // A rollout would continue beside the older bundle: only an explicit input ends it.
  const onActive = facts.rollout.onActive === 'replace' ? 'replace' : 'fail'
  const { target: stage, why } = decideRolloutTarget(channel, facts.rolloutBundleName, {
    bps: null,
    onActive,
  })
  if (why !== null) decisions.push({ what: 'rollout', value: 'everybody', why })
  const origin = originOf(bundle, channel.name)
  const notes = notesOf(facts, origin)
  return {
    move: { kind: 'rollback' },
    appId,
    channel,
    bundle,
    rolloutTarget: stage,
    isDone: false,
    why: `Channel ${channel.name} returns to ${bundle.name}${served === null ? '' : ` instead of ${served.name}`}.`,
    consequence: describeConsequence(facts),
    comment: notes.target,
    rolledBack: notes.served,
    commit: origin,
    // Not judged: installed apps that could run the older bundle then can run it now.
    nativeChanges: [],
    decisions,
    warnings: [
      ...channelWarnings(channel),
      ...affectedWarnings(facts),
      ...(natives.length === 0 ? [NOT_JUDGED] : []),
      ...(origin === null ? [NOT_OURS] : []),
    ],
  }
}

/** The notes on the bundle that the channel goes back to, and on the one that it leaves. */
function notesOf(
  { channel, target: { bundle }, run }: RollbackFacts,
  origin: ServedCommit | null,
): { readonly target: string | null; readonly served: { bundle: BundleRow; comment: string } | null } {
  const served = channel.version
  const note = (circumstances: Circumstances) => noteMove({ bundle, channel, origin, run, circumstances })
  if (served === null) return { target: note({ previous: null }), served: null }
  const noted = readServedCommit(served, channel.name)
  // Going forward again to what a run before rolled back: then what is served now was never the bad one.
  if (noted?.rolledBackFrom?.name === bundle.name)
    return { target: note({ previous: served.name }), served: null }
  const withdrawn = noteRollback(served.comment, channel.name, run)
  return {
    target: note({
      previous: null,
      rolledBackFrom: namedWithCommit(served, channel.name),
      rolledBackEarlier: offBefore(noted),
    }),
    served: withdrawn === null ? null : { bundle: served, comment: withdrawn },
  }
}

/** The bundle that the channel leaves. */
function ofServed({ channel: { version: served }, target, affected }: RollbackFacts): Decision[] {
  return served === null || served.id === target.bundle.id
    ? []
    : [{ what: 'instead of', value: served.name, why: describeAffected(affected) }]
}

/** Commits that were rolled back before, when the channel goes back once more. */
function offBefore(noted: ServedCommit | null): string[] {
  const last = noted?.rolledBackFrom?.sha
  return [...(last ? [last] : []), ...(noted?.rolledBackEarlier ?? [])]
}

function describeConsequence({ channel: { version }, affected }: RollbackFacts): string {
  return version === null || affected === null || affected.count === 0
    ? ''
    : `${runningStill(affected)} ${version.name} until ${affected.count === 1 ? 'its' : 'their'} next update check.`
}

function runningStill({ count }: AffectedDevices): string {
  return count === 1 ? '1 device still runs' : `${count.toLocaleString('en-US')} devices still run`
}

function describeAffected(affected: AffectedDevices | null): string {
  if (affected === null) return 'served now (the key cannot read which devices run it)'
  return `served now (${affected.count === 0 ? 'no known device runs it' : `${runningStill(affected)} it`})`
}

function affectedWarnings({ affected, target }: RollbackFacts): string[] {
  const refusing = affected?.refusing
  return refusing
    ? [
        `${refusing.count} of ${refusing.of} checked devices would reject ${target.bundle.name}: ${refusing.rule}.`,
      ]
    : []
}

function requireReady({ target: { bundle }, fault }: RollbackFacts): void {
  const why = whyNotReady(bundle, fault)
  if (why === null) return
  throw new ActionError('bundle_not_ready', `Bundle ${bundle.name} cannot be served: ${why}.`, {
    hint: 'Set the input "to" to another bundle, or revert the commit and publish that.',
  })
}

function requireNotRolledBack({ target: { bundle }, channel }: RollbackFacts): void {
  const rolledBackBy = readServedCommit(bundle, channel.name)?.rolledBackBy
  if (rolledBackBy == null) return
  throw new ActionError(
    'bundle_rolled_back',
    `${bundle.name} was rolled back on channel ${channel.name} (run ${rolledBackBy.run}).`,
    {
      hint: 'To bring it back anyway, set "force: true". Devices on which it failed never try it again.',
    },
  )
}

function requireDelivery({
  target: { bundle },
  channel,
  nativeVersions: natives,
  affected,
}: RollbackFacts): void {
  const refused = firstRefusal(
    bundle.name,
    nativeVersionsOn(natives, channel),
    channel,
    bundle.min_update_version,
  )
  const refusing = affected?.refusing
  const all = refusedByAll(bundle, channel)
  const rule =
    all !== null
      ? `no device would accept it: ${all.rule}`
      : refused !== null
        ? `devices on native ${refused.native.version} (${refused.native.source}) would not accept it: ${refused.refusal.rule}`
        : refusing && refusing.count === refusing.of
          ? `none of the known devices on the current bundle would accept it: ${refusing.rule}`
          : null
  if (rule === null) return
  throw new ActionError(
    'rollback_refused',
    `Channel ${channel.name} cannot go back to ${bundle.name}: ${rule}.`,
    {
      hint: 'Devices would stay on the bad bundle. Set the input "to" to another bundle, or change the rule of the channel in the Capgo console. Or revert the commit and publish that. If the stores have another native version, set the input "native-version". "force: true" rolls back anyway.',
    },
  )
}

/** Another attempt of a run that rolled back already must not go back further. */
export function planDoneRollback(appId: string, channel: ChannelRow, served: BundleRow): MovePlan {
  return unchanged({
    move: { kind: 'rollback' },
    appId,
    channel,
    bundle: served,
    why: `An earlier attempt of this run rolled channel ${channel.name} back to ${served.name}.`,
    decisions: [
      { what: 'bundle', value: served.name, why: 'an earlier attempt of this run rolled back to it' },
    ],
  })
}
