/** Which bundle a publish puts on its channel: a new one, one that is stored already, or none. */
import type { BundleRow, ChannelRow } from '../capgo/schema.ts'
import { readServedCommit } from './bundle-comment.ts'
import { isReady, type VersionRules } from './delivery.ts'
import { nativeVersionsOn } from './native-versions.ts'
import type { BuiltFacts, PublishAction, PublishFacts } from './publish-facts.ts'
import { minimumNative, misfit } from './reuse.ts'
import { ALL, activeRollout, formatShare, shareOf } from './rollout.ts'
import { isStale, type Standing } from './staleness.ts'
import {
  chooseName,
  DEFAULT_RULES,
  firstRefusal,
  hasOtherName,
  mayShow,
  type NameRequest,
  PREVIEW_RULES,
} from './version.ts'

export interface ActionChoice {
  readonly action: PublishAction
  readonly why: string
  readonly warnings: readonly string[]
}

/** A channel that serves something. */
interface ServingChannel {
  readonly channel: ChannelRow
  readonly served: BundleRow
}

/** A reason to leave the channel alone, or null. In this order; the first that speaks decides. */
type KeepRule = (facts: BuiltFacts, now: ServingChannel) => Omit<ActionChoice, 'warnings'> | null

const KEEP_RULES: readonly KeepRule[] = [keepFromOlder, keepSame, keepRollout, keepFromRolledBack]

/** The action, and its bundle. Throws as `chooseName` does. */
export function chooseAction(facts: BuiltFacts): ActionChoice {
  const { channel } = facts
  if (channel === null || channel.version === null) return { ...takeStored(facts), warnings: [] }
  const now = { channel, served: channel.version }
  for (const rule of KEEP_RULES) {
    const kept = rule(facts, now)
    if (kept !== null) return { ...kept, warnings: [] }
  }
  return { ...takeStored(facts), warnings: warnOfRolledBack(facts) }
}

/** The name that the bundle has, or gets. */
export function nameOf(action: PublishAction): string {
  return action.do === 'upload' ? action.names[0] : action.bundle.name
}

function keepFromOlder(facts: BuiltFacts, { served }: ServingChannel) {
  const stale =
    staleBy(facts, facts.standing) ?? (facts.rolloutBundle && staleBy(facts, facts.rolloutBundle.standing))
  return stale === null ? null : keep('stale', served, stale)
}

function keepSame(facts: BuiltFacts, { channel, served }: ServingChannel) {
  return activeRollout(channel) === null && isWanted(served, facts) && isReady(served)
    ? keep('unchanged', served, 'the channel already serves this content')
    : null
}

function keepRollout(facts: BuiltFacts, { channel }: ServingChannel) {
  const active = activeRollout(channel)
  const rolledOut = facts.rolloutBundle?.bundle
  const continues = shareOf(facts.rollout) !== null || facts.rollout.onActive === 'advance'
  if (active === null || active.bps >= ALL || rolledOut === undefined) return null
  return continues && isWanted(rolledOut, facts)
    ? keep(
        'unchanged',
        rolledOut,
        `the channel already gives this content to ${formatShare(active.bps)} of its devices${active.paused ? ', paused' : ''} ("operation: rollout" changes that)`,
      )
    : null
}

/** The commit that the channel was rolled back from stays off it until something else was published. */
function keepFromRolledBack(facts: BuiltFacts, { served }: ServingChannel) {
  const off = rolledBackContent(facts)
  return off === null || !off.isSameCommit
    ? null
    : keep(
        'stale',
        served,
        `${off.name} of this commit was rolled back by run ${off.run} ("force: true" brings it back)`,
      )
}

/** A later commit with content that was rolled back is a decision to bring it back. */
function warnOfRolledBack(facts: BuiltFacts): string[] {
  const off = rolledBackContent(facts)
  return off === null
    ? []
    : [
        `Run ${off.run} rolled back ${off.name}, which has the same content. It is published again, because ${facts.commit.sha.slice(0, 7)} is another commit. Devices on which it failed never try it again.`,
      ]
}

/** The bundle with this content that the channel was rolled back from; null without one, or with `force`. */
function rolledBackContent({ channel, channelName, bundles, checksum, commit, force }: BuiltFacts): {
  readonly name: string
  readonly run: string
  /** It was built from the run's commit, and nothing was published since. */
  readonly isSameCommit: boolean
} | null {
  if (force) return null
  const own = channel?.version ? readServedCommit(channel.version, channelName) : null
  for (const bundle of bundles) {
    const note = readServedCommit(bundle, channelName)
    if (bundle.checksum !== checksum || note === null || note.rolledBackBy === null) continue
    const { run, runId } = note.rolledBackBy
    const isSameCommit = note.sha === commit.sha && (own === null || own.runId <= runId)
    return { name: bundle.name, run, isSameCommit }
  }
  return null
}

function keep(outcome: 'unchanged' | 'stale', bundle: BundleRow, why: string) {
  return { action: { do: 'keep', outcome, bundle }, why } as const
}

/** A bundle that is stored already, or that an earlier run began to store; else a new one. */
function takeStored(facts: BuiltFacts): Omit<ActionChoice, 'warnings'> {
  const same = facts.bundles.filter(bundle => isReusable(bundle, facts))
  const ready = same.find(isReady)
  if (ready !== undefined)
    return {
      action: { do: 'promote', bundle: ready },
      why: `bundle ${ready.id} has the same content (SHA-256), so nothing is uploaded`,
    }
  const [started] = same
  if (started !== undefined)
    return {
      action: { do: 'resume', bundle: started },
      why: 'an earlier run began to upload this content, and this run finishes it',
    }
  const request = nameRequest(facts, new Set(facts.bundles.map(({ name }) => name)))
  const { names, why } = chooseName(request)
  const notReused = facts.bundles.flatMap(bundle => whyNotReused(bundle, facts)).slice(0, 1)
  return {
    action: { do: 'upload', names, minUpdateVersion: request.minUpdateVersion },
    why: [why, ...notReused].join(', and '),
  }
}

function staleBy({ commit, channelName, isChosen, force }: BuiltFacts, standing: Standing): string | null {
  return isStale({ ours: commit, channelName, standing, isChosen, force })
}

/** It has the content, in the form and under the name that are asked for. */
function isWanted(bundle: BundleRow, facts: BuiltFacts): boolean {
  return (
    bundle.checksum === facts.checksum &&
    !hasOtherName(bundle, facts.wanted) &&
    misfit(bundle, facts) === null
  )
}

/** The channel may show it, and devices take it. */
function isReusable(bundle: BundleRow, facts: BuiltFacts): boolean {
  return (
    isWanted(bundle, facts) &&
    !bundle.deleted &&
    mayShow(bundle.name, facts.wanted.version, facts.channelName, facts.purpose) &&
    firstRefusal(
      bundle.name,
      nativeVersionsOn(facts.nativeVersions, facts.channel),
      rulesOf(facts),
      bundle.min_update_version,
    ) === null
  )
}

function whyNotReused(bundle: BundleRow, facts: BuiltFacts): string[] {
  if (bundle.checksum !== facts.checksum || bundle.deleted) return []
  const reason = misfit(bundle, facts)
  return reason === null ? [] : [`${bundle.name} has this content, but ${reason}`]
}

/** The channel's rules, or those that it will be made with. */
export function rulesOf({ channel, purpose }: Pick<PublishFacts, 'channel' | 'purpose'>): VersionRules {
  return channel ?? (purpose.kind === 'preview' ? PREVIEW_RULES : DEFAULT_RULES)
}

export function nameRequest(facts: PublishFacts, taken: ReadonlySet<string>): NameRequest {
  return {
    wanted: facts.wanted,
    nativeVersions: nativeVersionsOn(facts.nativeVersions, facts.channel),
    rules: rulesOf(facts),
    minUpdateVersion: minimumNative(facts),
    channelName: facts.channelName,
    purpose: facts.purpose,
    commit: facts.commit,
    taken,
  }
}
