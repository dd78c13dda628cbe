import type { BundleRow, ChannelRow } from '../capgo/schema.ts'
import { ActionError } from '../errors.ts'
import type { MovePlan } from '../plan/channel-change.ts'
import { activeRollout } from '../plan/rollout.ts'
import type { BuiltFacts, PublishPlan } from '../plan/types.ts'
import { explainSystemError } from '../runtime/system-error.ts'
import type { Contents, FailedResult, PublishResult } from './result.ts'

/** Where no content was looked at. */
export const NOTHING_COMPARED: Contents = { change: null, makeup: null }

/** What the run learned, whatever the outcome. */
export interface Findings {
  readonly plan: PublishPlan
  readonly known: BuiltFacts
  readonly built: {
    readonly files: { readonly count: number; readonly bytes: number }
    readonly leftOut: PublishResult['leftOut']
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
export function plannedResult(findings: Findings): PublishResult {
  const { plan, known } = findings
  const { action } = plan
  const bundle =
    action.do === 'upload'
      ? { id: null, name: action.names[0] ?? '' }
      : { id: action.bundle.id, name: action.bundle.name }
  const doing = {
    upload: `would upload ${bundle.name} and point channel ${plan.channelName} at it`,
    resume: `would finish the upload of ${bundle.name} and point channel ${plan.channelName} at it`,
    promote: `would point channel ${plan.channelName} at bundle ${bundle.name}, which is there already`,
    keep: `would leave channel ${plan.channelName} as it is`,
  }[action.do]
  return {
    ...base(findings),
    outcome: 'planned',
    reason: `Dry run: it ${doing}. Nothing was written.`,
    channel: {
      name: plan.channelName,
      id: plan.channelId,
      made: plan.create !== null,
      public: known.channel?.public ?? plan.create?.public ?? null,
    },
    bundle: {
      ...bundle,
      checksum: known.checksum,
      sha256: known.sha256,
      // How much single files take is known once they are packed.
      size:
        bundle.id === null
          ? known.delta === 'only'
            ? null
            : known.size
          : (known.sizes.get(bundle.id) ?? null),
      url: bundlePage(findings.consoleUrl, plan.appId, bundle.id),
    },
    rollout:
      plan.stage.bps === null
        ? null
        : {
            bps: plan.stage.bps,
            paused: plan.stage.paused,
            of: bundle.name,
            others: known.channel?.version?.name ?? null,
          },
    by: action.do === 'keep' ? null : action.do,
  }
}

/** What a channel rolls out; `served` or `running` is its bundle. */
function rolloutOf(
  channel: ChannelRow,
  running: Pick<BundleRow, 'id' | 'name'> | null,
  served: Pick<BundleRow, 'id' | 'name'> | null,
): PublishResult['rollout'] {
  const active = activeRollout(channel)
  if (active === null) return null
  const name = [served, running].find(bundle => bundle?.id === active.id)?.name ?? `bundle ${active.id}`
  return { bps: active.bps, paused: active.paused, of: name, others: channel.version?.name ?? null }
}

/** The result of a publish, by the channel as it was read back. */
export function publishedResult(
  findings: Findings,
  published: {
    readonly outcome: 'published' | 'unchanged' | 'stale'
    readonly reason: string
    readonly channel: ChannelRow
    readonly bundle: BundleRow | null
    /** Of what the run is about: as it is stored, and before encryption. */
    readonly size: number | null
    readonly sha256: string | null
    readonly by: PublishResult['by']
    readonly delta: PublishResult['delta']
    readonly warnings: readonly string[]
  },
): PublishResult {
  const { plan, known } = findings
  const { channel } = published
  const served = published.bundle ?? channel.version
  return {
    ...base(findings),
    outcome: published.outcome,
    reason: published.reason,
    channel: { name: channel.name, id: channel.id, made: plan.create !== null, public: channel.public },
    bundle: {
      id: served?.id ?? null,
      name: served?.name ?? '',
      checksum: served?.checksum ?? null,
      sha256: published.sha256,
      size: published.size,
      url: bundlePage(findings.consoleUrl, plan.appId, served?.id ?? null),
    },
    rollout: rolloutOf(channel, known.running?.bundle ?? null, served),
    by: published.by,
    delta: published.delta,
    warnings: [...base(findings).warnings, ...published.warnings],
    ...(published.outcome === 'published' ? findings.contents : NOTHING_COMPARED),
  }
}

function base(findings: Findings) {
  const { plan, known, built } = findings
  const before = known.channel?.version ?? null
  return {
    kind: 'publish',
    appId: plan.appId,
    before: before === null ? null : { id: before.id, name: before.name },
    delta: null,
    natives: plan.natives,
    preview: null,
    verified: null,
    testers: null,
    commit: { sha: known.commit.sha, refName: known.commit.refName, url: known.commit.url },
    ...findings.contents,
    files: built.files,
    leftOut: built.leftOut,
    sourceMaps: null,
    decisions: plan.decisions,
    warnings: [...built.warnings, ...plan.warnings],
    durations: { build: built.duration, upload: findings.upload, total: findings.total },
  } as const
}

/** The result of a promotion or roll-back; `published` is null on a dry run. Times in milliseconds. */
export function movedResult(
  {
    plan,
    consoleUrl,
    repositoryUrl,
    size,
    sha256,
    work,
    total,
  }: {
    readonly plan: MovePlan
    readonly consoleUrl: string | null
    readonly repositoryUrl: string
    /** Of the bundle: as it is stored, and before encryption. */
    readonly size: number | null
    readonly sha256: string | null
    readonly work: number | null
    readonly total: number
  },
  published: { readonly outcome: 'published' | 'unchanged' | 'stale'; readonly channel: ChannelRow } | null,
  warnings: readonly string[],
): PublishResult {
  const { channel, bundle, commit, stage } = plan
  const before = channel.version
  const planned =
    stage.bps === null
      ? null
      : { bps: stage.bps, paused: stage.paused, of: bundle.name, others: before?.name ?? null }
  return {
    kind: 'publish',
    outcome: published?.outcome ?? 'planned',
    reason: published === null ? `Dry run: nothing was written. ${plan.why}` : plan.why,
    appId: plan.appId,
    channel: { name: channel.name, id: channel.id, made: false, public: channel.public },
    bundle: {
      id: bundle.id,
      name: bundle.name,
      checksum: bundle.checksum,
      sha256,
      size,
      url: bundlePage(consoleUrl, plan.appId, bundle.id),
    },
    rollout: published === null ? planned : rolloutOf(published.channel, null, bundle),
    by: plan.isDone ? null : 'promote',
    before: before === null ? null : { id: before.id, name: before.name },
    commit:
      commit === null
        ? null
        : { sha: commit.sha, refName: commit.refName, url: `${repositoryUrl}/commit/${commit.sha}` },
    ...NOTHING_COMPARED,
    delta: null,
    natives: plan.isDone ? [] : plan.natives,
    files: null,
    leftOut: [],
    sourceMaps: null,
    decisions: plan.decisions,
    testers: null,
    warnings: [...plan.warnings, ...warnings],
    preview: null,
    verified: null,
    durations: { build: null, upload: work, total },
  }
}

/** The result of a run that found what it wants in place, before anything was built. Time in milliseconds. */
export function keptResult(
  {
    appId,
    channel,
    commit,
    consoleUrl,
    sha256,
    size,
  }: {
    readonly appId: string
    readonly channel: ChannelRow
    readonly commit: { readonly sha: string; readonly refName: string; readonly url: string }
    readonly consoleUrl: string | null
    readonly sha256: string | null
    readonly size: number | null
  },
  reason: string,
  total: number,
): PublishResult {
  const served = channel.version
  return {
    kind: 'publish',
    outcome: 'unchanged',
    reason,
    appId,
    channel: { name: channel.name, id: channel.id, made: false, public: channel.public },
    bundle: {
      id: served?.id ?? null,
      name: served?.name ?? '',
      checksum: served?.checksum ?? null,
      sha256,
      size,
      url: bundlePage(consoleUrl, appId, served?.id ?? null),
    },
    rollout: null,
    by: null,
    before: served === null ? null : { id: served.id, name: served.name },
    commit: { sha: commit.sha, refName: commit.refName, url: commit.url },
    ...NOTHING_COMPARED,
    delta: null,
    natives: [],
    files: null,
    leftOut: [],
    sourceMaps: null,
    decisions: [],
    testers: null,
    warnings: [],
    preview: null,
    verified: null,
    durations: { build: null, upload: null, total },
  }
}

/** The result with what a device was given; null where none asked. */
export function withVerification(
  result: PublishResult,
  verified: { readonly said: string | null; readonly warnings: readonly string[] } | null,
): PublishResult {
  if (verified === null) return result
  return { ...result, verified: verified.said, warnings: [...result.warnings, ...verified.warnings] }
}

/** Page of a bundle in the Capgo console; null where there is none. */
export function bundlePage(consoleUrl: string | null, appId: string, id: number | null): string | null {
  return consoleUrl === null || id === null ? null : `${consoleUrl}/app/${appId}/bundle/${id}`
}

/** Any error as a result; one that is not ours is a fault of this action and says so. */
export function failure(
  error: unknown,
  what = 'Publish',
  /** What the run had done before. */
  published: PublishResult | null = null,
): FailedResult {
  const known = error instanceof ActionError ? error : (explainSystemError(error) ?? undefined)
  const hint = known === undefined ? 'Please open an issue with the log of this step.' : (known.hint ?? null)
  const done =
    published?.outcome === 'published'
      ? `Before this, the run put bundle ${published.bundle.name} on channel ${published.channel.name}, and it is there.`
      : null
  return {
    kind: 'failed',
    published,
    outcome: 'failed',
    what,
    code: known?.code ?? 'internal',
    reason:
      known?.message ??
      `This action failed where it should not: ${error instanceof Error ? error.message : String(error)}`,
    hint: [done, hint].filter(part => part !== null).join(' ') || null,
    at: known?.at ?? null,
    output: known?.output ?? null,
    problems: known?.problems ?? [],
    warnings: [],
  }
}
