/** Builds the results about a bundle on a channel out of what a run planned and did. */
import type { Contents } from '../bundle/contents.ts'
import type { BundleRow, ChannelRow } from '../capgo/schema.ts'
import type { MovePlan } from '../plan/channel-change.ts'
import type { BuiltFacts, PublishPlan } from '../plan/publish-facts.ts'
import { activeRollout, type RolloutTarget } from '../plan/rollout.ts'
import type {
  BuildSummary,
  ChannelChangeResult,
  CommitLink,
  DeltaSummary,
  PlannedResult,
  PreviewKeptResult,
  PreviewLinks,
  PublishResult,
  ResultBundle,
  ResultChannel,
  RolloutState,
  SourceMapsLink,
} from './result.ts'
import type { TestersReport } from './testers.ts'

/** The findings of the run, whatever the outcome. */
export interface PublishFindings {
  readonly plan: PublishPlan
  readonly known: BuiltFacts
  readonly built: {
    readonly files: BuildSummary['files']
    readonly excluded: BuildSummary['excluded']
    readonly warnings: readonly string[]
    readonly duration: number | null
  }
  readonly contents: Contents
  readonly consoleUrl: string | null
  /** Milliseconds. */
  readonly upload: number | null
  readonly total: number
}

/** The result of a dry run: what would be done. */
export function plannedResult(findings: PublishFindings): PlannedResult {
  const { plan, known, consoleUrl } = findings
  const { action, channelName } = plan
  const bundle =
    action.do === 'upload'
      ? { id: null, name: action.names[0] ?? '' }
      : { id: action.bundle.id, name: action.bundle.name }
  const doing = {
    upload: `would upload ${bundle.name} and point channel ${channelName} at it`,
    resume: `would finish the upload of ${bundle.name} and point channel ${channelName} at it`,
    promote: `would point channel ${channelName} at bundle ${bundle.name}, which is there already`,
    keep: `would leave channel ${channelName} as it is`,
  }[action.do]
  // How much single files take is known once they are packed.
  const newSize = known.delta === 'only' ? null : known.size
  return {
    ...ownBundle(findings),
    outcome: 'planned',
    reason: `Dry run: it ${doing}. Nothing was written.`,
    channel: {
      name: channelName,
      id: plan.channelId,
      isNew: plan.create !== null,
      public: known.channel?.public ?? plan.create?.public ?? null,
    },
    bundle: {
      ...bundle,
      checksum: known.checksum,
      sha256: known.sha256,
      size: bundle.id === null ? newSize : (known.sizes.get(bundle.id) ?? null),
      url: bundlePage(consoleUrl, plan.appId, bundle.id),
    },
    rollout: plannedRollout(plan.rolloutTarget, bundle.name, known.channel?.version ?? null),
    method: action.do === 'keep' ? null : action.do,
    contents: findings.contents,
  }
}

/** The outcome of a publish, by the channel as it was read back. */
interface ExecutionReport {
  readonly outcome: 'published' | 'unchanged' | 'stale'
  readonly reason: string
  readonly channel: ChannelRow
  readonly bundle: BundleRow | null
  /** Of what the run is about: as it is stored, and before encryption. */
  readonly size: number | null
  readonly sha256: string | null
  readonly delta: DeltaSummary | null
  readonly sourceMaps: SourceMapsLink | null
  readonly warnings: readonly string[]
}

export function publishedResult(findings: PublishFindings, published: ExecutionReport): PublishResult {
  const { plan, known, consoleUrl } = findings
  const { outcome, channel, delta, sourceMaps } = published
  const served = published.bundle ?? channel.version
  const own = ownBundle(findings)
  const about = {
    ...own,
    reason: published.reason,
    channel: { ...channelOf(channel), isNew: plan.create !== null },
    bundle: bundleOf(served, published, consoleUrl, plan.appId),
    rollout: rolloutOf(channel, known.rolloutBundle?.bundle ?? null, served),
    warnings: [...own.warnings, ...published.warnings],
  }
  if (outcome === 'stale') return { ...about, outcome, delta, sourceMaps }
  if (outcome === 'unchanged' || plan.action.do === 'keep')
    return { ...about, outcome: 'unchanged', verified: null }
  return {
    ...about,
    outcome,
    method: plan.action.do,
    contents: findings.contents,
    delta,
    sourceMaps,
    verified: null,
    publishDuration: findings.upload,
  }
}

function ownBundle({ plan, known, built, total }: PublishFindings) {
  const { sha, refName, url } = known.commit
  return {
    kind: 'publish',
    appId: plan.appId,
    before: nameOf(known.channel?.version ?? null),
    commit: { sha, refName, url },
    build: { files: built.files, excluded: built.excluded, duration: built.duration },
    nativeChanges: plan.nativeChanges,
    releaseNotes: plan.releaseNotes,
    preview: null,
    testers: null,
    decisions: plan.decisions,
    warnings: [...built.warnings, ...plan.warnings],
    duration: total,
  } as const
}

/** The facts of a run that moves a bundle. Times in milliseconds. */
interface ChangeFindings {
  readonly plan: MovePlan
  readonly consoleUrl: string | null
  readonly repositoryUrl: string
  /** Of the bundle: as it is stored, and before encryption. */
  readonly size: number | null
  readonly sha256: string | null
  readonly warnings: readonly string[]
  readonly work: number | null
  readonly total: number
}

/** The result of a promotion, a rollback or a change of a rollout; `changed` is null on a dry run. */
export function channelChangeResult(
  { plan, consoleUrl, repositoryUrl, work, total, ...findings }: ChangeFindings,
  changed: { readonly outcome: 'published' | 'unchanged'; readonly channel: ChannelRow } | null,
): ChannelChangeResult {
  const { move, appId, channel, bundle, commit, isDone } = plan
  const before = channel.version
  const about = {
    kind: 'channel-change',
    move,
    consequence: plan.consequence,
    appId,
    channel: channelOf(channel),
    bundle: bundleOf(bundle, findings, consoleUrl, appId),
    before: nameOf(before),
    commit:
      commit === null
        ? null
        : { sha: commit.sha, refName: commit.refName, url: `${repositoryUrl}/commit/${commit.sha}` },
    nativeChanges: isDone ? [] : plan.nativeChanges,
    decisions: plan.decisions,
    testers: null,
    warnings: [...plan.warnings, ...findings.warnings],
    duration: total,
  } as const
  if (changed === null)
    return {
      ...about,
      outcome: 'planned',
      reason: `Dry run: nothing was written. ${plan.why}`,
      rollout: plannedRollout(plan.rolloutTarget, bundle.name, before),
      isDone,
    }
  const { outcome } = changed
  const done = {
    ...about,
    reason: plan.why,
    rollout: rolloutOf(changed.channel, null, bundle),
    verified: null,
  }
  return outcome === 'published' ? { ...done, outcome, publishDuration: work } : { ...done, outcome }
}

/** The result of a run that found a preview in place, before anything was built. Time in milliseconds. */
export function previewKeptResult({
  channel,
  consoleUrl,
  size,
  sha256,
  ...about
}: {
  readonly reason: string
  readonly appId: string
  readonly channel: ChannelRow
  readonly commit: CommitLink
  readonly consoleUrl: string | null
  readonly size: number | null
  readonly sha256: string | null
  readonly testers: TestersReport | null
  readonly preview: PreviewLinks
  readonly duration: number
}): PreviewKeptResult {
  return {
    ...about,
    kind: 'preview-kept',
    outcome: 'unchanged',
    channel: channelOf(channel),
    bundle: bundleOf(channel.version, { size, sha256 }, consoleUrl, about.appId),
    rollout: null,
    before: nameOf(channel.version),
    decisions: [],
    warnings: [],
  }
}

function channelOf({ name, id, public: isPublic }: ChannelRow): ResultChannel {
  return { name, id, isNew: false, public: isPublic }
}

/** `bundle` is null where the channel serves nothing. */
function bundleOf(
  bundle: BundleRow | null,
  { size, sha256 }: { readonly size: number | null; readonly sha256: string | null },
  consoleUrl: string | null,
  appId: string,
): ResultBundle {
  const id = bundle?.id ?? null
  return {
    id,
    name: bundle?.name ?? '',
    checksum: bundle?.checksum ?? null,
    sha256,
    size,
    url: bundlePage(consoleUrl, appId, id),
  }
}

function nameOf(bundle: BundleRow | null) {
  return bundle === null ? null : { id: bundle.id, name: bundle.name }
}

type NamedBundle = Pick<BundleRow, 'id' | 'name'> | null

/** The rollout of a channel; `served` or `running` is its bundle. */
function rolloutOf(channel: ChannelRow, running: NamedBundle, served: NamedBundle): RolloutState | null {
  const active = activeRollout(channel)
  if (active === null) return null
  const bundle = [served, running].find(each => each?.id === active.id)?.name ?? `bundle ${active.id}`
  return { bps: active.bps, paused: active.paused, bundle, stableBundle: channel.version?.name ?? null }
}

function plannedRollout(
  { bps, paused }: RolloutTarget,
  bundle: string,
  stable: NamedBundle,
): RolloutState | null {
  return bps === null ? null : { bps, paused, bundle, stableBundle: stable?.name ?? null }
}

/** The result with what a device was given; null where none asked. */
export function withVerification<R extends PublishResult | ChannelChangeResult>(
  result: R,
  verified: { readonly said: string | null; readonly warnings: readonly string[] } | null,
): R {
  if (verified === null || !('verified' in result)) return result
  return { ...result, verified: verified.said, warnings: [...result.warnings, ...verified.warnings] }
}

/** Page of a bundle in the Capgo console; null where there is none. */
export function bundlePage(consoleUrl: string | null, appId: string, id: number | null): string | null {
  return consoleUrl === null || id === null ? null : `${consoleUrl}/app/${appId}/bundle/${id}`
}
