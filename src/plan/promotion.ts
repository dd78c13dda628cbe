/** A promotion: the bundle of one channel goes to another. */
import type { BundleRow, ChannelRow, ServedBundle } from '../capgo/schema.ts'
import { ActionError } from '../errors.ts'
import { readServedCommit, type ServedCommit } from './bundle-comment.ts'
import { channelWarnings } from './channel.ts'
import {
  type MoveFacts,
  type MovePlan,
  NOT_JUDGED,
  NOT_OURS,
  noteMove,
  originOf,
  whyNotReady,
} from './channel-change.ts'
import { refusedByAll } from './delivery.ts'
import { compareNativePackages, isShielded, listNativeChanges, type NativeChange } from './native-changes.ts'
import { nativeVersionDecisions, nativeVersionsOn } from './native-versions.ts'
import { activeRollout, decideRolloutTarget, EVERYBODY, formatShare, isAt } from './rollout.ts'
import { staleByOrder } from './staleness.ts'
import type { Decision, OnIncompatible, Relation } from './types.ts'
import { firstRefusal } from './version.ts'

export interface PromotionFacts extends MoveFacts {
  readonly from: ChannelRow
  /** What `from` serves. */
  readonly bundle: ServedBundle
  /** Null = `fail`. */
  readonly onIncompatible: OnIncompatible | null
  /** Why devices could not take what is stored of it, as the end of a sentence; null when they can. */
  readonly fault: string | null
  readonly to: ChannelRow
  /** How the bundle's commit stands to the one that `to` serves. */
  readonly relation: Relation
}

/** A reason for which a promotion is refused, or null. In this order; the first that speaks ends the run. */
type Rule = (facts: PromotionFacts) => ActionError | null

const RULES: readonly Rule[] = [checkReady, checkOrder, checkDelivery, checkNativeCode]

/**
 * The plan by which `to` serves the bundle of `from`. Throws `bundle_not_ready`, `bundle_rolled_back`,
 * `promotion_older`, `promotion_refused`, `native_incompatible` or `rollout_active`; nothing was written then.
 */
export function planPromotion(facts: PromotionFacts): MovePlan {
  const { appId, from, to, bundle, nativeVersions: natives, run } = facts
  const origin = originOf(bundle, from.name)
  for (const rule of RULES) {
    const refused = rule(facts)
    if (refused !== null) throw refused
  }
  const {
    target: stage,
    why,
    warning,
  } = isServed(facts)
    ? { target: EVERYBODY, why: null, warning: null }
    : decideRolloutTarget(to, facts.rolloutBundleName, facts.rollout)
  const older = olderThanServed(facts)
  const served = to.version
  const decisions: Decision[] = [
    { what: 'bundle', value: bundle.name, why: `channel ${from.name} serves it` },
    { what: 'channel', value: to.name, why: 'input "to"' },
    ...nativeVersionDecisions(natives),
  ]
  if (older !== null)
    decisions.push({ what: 'forced', value: 'older bundle', why: `${older}; input "force"` })
  if (why !== null)
    decisions.push({
      what: 'rollout',
      value: stage.bps === null ? 'everybody' : formatShare(stage.bps),
      why,
    })
  const isDone = isServed(facts) || isAt(stage, bundle.id, to)
  return {
    move: { kind: 'promotion', from: from.name },
    appId,
    channel: to,
    bundle,
    rolloutTarget: stage,
    isDone,
    why: isDone
      ? `Channel ${to.name} already serves ${bundle.name}, like ${from.name}.`
      : `Channel ${to.name} gets ${bundle.name} from ${from.name}, byte for byte.`,
    consequence: '',
    comment: isDone
      ? null
      : noteMove({
          bundle,
          channel: to,
          origin,
          run,
          circumstances: {
            previous: served?.name ?? null,
            ...(older === null || served === null
              ? {}
              : { rolledBackFrom: namedWithCommit(served, to.name) }),
          },
        }),
    rolledBack: null,
    commit: origin,
    nativeChanges: changedNatives(facts),
    decisions,
    warnings: [...(warning === null ? [] : [warning]), ...warningsOf(facts, origin)],
  }
}

function warningsOf(facts: PromotionFacts, origin: ServedCommit | null): string[] {
  const { from, to, bundle } = facts
  const lack = facts.onIncompatible === 'warn' ? lackOf(facts) : null
  return [
    ...(lack === null ? [] : [lack]),
    ...channelWarnings(to),
    ...(activeRollout(from) === null
      ? []
      : [
          `Channel ${from.name} is rolling out another bundle. ${bundle.name} is the bundle of its other devices.`,
        ]),
    ...(facts.nativeVersions.length === 0 ? [NOT_JUDGED] : []),
    ...(origin === null ? [NOT_OURS] : []),
  ]
}

/** A bundle and the commit for which it was on the channel. */
export function namedWithCommit(
  bundle: Pick<BundleRow, 'name' | 'comment'>,
  channelName: string,
): { name: string; sha: string | null } {
  return { name: bundle.name, sha: readServedCommit(bundle, channelName)?.sha ?? null }
}

/** Everybody on `to` has it, and nothing else is rolled out. */
function isServed({ to, bundle }: PromotionFacts): boolean {
  return to.version?.id === bundle.id && activeRollout(to) === null
}

function checkReady({ bundle, from, fault }: PromotionFacts): ActionError | null {
  const why = whyNotReady(bundle, fault)
  return why === null
    ? null
    : new ActionError(
        'bundle_not_ready',
        `Bundle ${bundle.name} on channel ${from.name} is not ready: ${why}.`,
        { hint: `Publish to channel ${from.name} again, then promote it.` },
      )
}

function checkOrder(facts: PromotionFacts): ActionError | null {
  const { to, bundle, force } = facts
  if (force || isServed(facts)) return null
  const rolledBackBy = readServedCommit(bundle, to.name)?.rolledBackBy
  if (rolledBackBy != null)
    return new ActionError(
      'bundle_rolled_back',
      `${bundle.name} was rolled back on channel ${to.name} (run ${rolledBackBy.run}).`,
      {
        hint: 'Publish a commit that fixes it, and promote that. To bring back this bundle, set "force: true".',
      },
    )
  const older = olderThanServed(facts)
  return older === null
    ? null
    : new ActionError('promotion_older', `Channel ${to.name} serves a newer bundle: ${older}.`, {
        hint: `Publish to channel ${facts.from.name} first. To go back on purpose, use "operation: rollback" with "channel: ${to.name}", or set "force: true".`,
      })
}

/** Why the bundle is older than what `to` serves, or null. Without commits to compare, by when they were made. */
function olderThanServed({ from, to, bundle, relation, run }: PromotionFacts): string | null {
  const served = to.version
  if (served === null || served.id === bundle.id) return null
  const ours = originOf(bundle, from.name)
  const theirs = originOf(served, to.name)
  if (ours !== null && theirs !== null) {
    const commit = { ...run, sha: ours.sha, refName: ours.refName, runId: ours.runId }
    // The rule of a rollback is about runs; this one is about the two bundles.
    const stale = staleByOrder(commit, { ...theirs, rolledBackFrom: null }, relation)
    if (stale === null) return null
    const which = `${bundle.name} was built from ${ours.sha.slice(0, 7)} (${ours.refName}, run ${ours.run})`
    const than = `${served.name} of ${theirs.sha.slice(0, 7)} (${theirs.refName}, run ${theirs.run})`
    return `${which}, which is older than ${than}${relation === 'behind' ? '' : ' by the order of the runs, since the branches differ'}`
  }
  return Date.parse(bundle.created_at) < Date.parse(served.created_at)
    ? `${bundle.name} was created before ${served.name}, and their commits are not known`
    : null
}

/** How its native packages differ from those of what `to` serves. */
function changedNatives({ bundle, to }: PromotionFacts): NativeChange[] {
  return compareNativePackages(bundle.native_packages ?? [], to.version?.native_packages ?? null)
}

/** Native code that apps on `to` lack; null when nothing. A minimum native version keeps them away. */
function lackOf(facts: PromotionFacts): string | null {
  const { to, bundle } = facts
  const served = to.version
  const broken = changedNatives(facts).filter(({ compatible }) => !compatible)
  if (broken.length === 0 || isShielded(to, bundle.min_update_version)) return null
  return `Installed apps on channel ${to.name} (with ${served?.name}) lack native code of ${bundle.name}: ${listNativeChanges(broken)}.`
}

function checkNativeCode(facts: PromotionFacts): ActionError | null {
  const lack = facts.onIncompatible === null || facts.onIncompatible === 'fail' ? lackOf(facts) : null
  return lack === null
    ? null
    : new ActionError('native_incompatible', lack, {
        hint: 'Release the app to the stores first, then promote with "on-incompatible: warn".',
      })
}

function checkDelivery({ to, bundle, nativeVersions: natives }: PromotionFacts): ActionError | null {
  const all = refusedByAll(bundle, to)
  const refused = firstRefusal(bundle.name, nativeVersionsOn(natives, to), to, bundle.min_update_version)
  const hint = `Publish the commit to channel ${to.name} directly ("channel: ${to.name}"), which chooses a name that devices accept. Or change the rule of the channel in the Capgo console.`
  if (all !== null)
    return new ActionError(
      'promotion_refused',
      `No device would accept ${bundle.name} on channel ${to.name}: ${all.rule}.`,
      { hint },
    )
  return refused === null
    ? null
    : new ActionError(
        'promotion_refused',
        `Devices on native ${refused.native.version} (${refused.native.source}) would not accept ${bundle.name} on channel ${to.name}: ${refused.refusal.rule}.`,
        { hint: `${hint} If the stores have another native version, set the input "native-version".` },
      )
}
