import type { ChannelRow } from '../capgo/wire.ts'
import { ActionError } from '../errors.ts'
import type { BuiltFacts, PublishPlan } from '../plan/types.ts'
import type { ContentChange, FailedResult, PublishResult } from './result.ts'

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
  readonly change: ContentChange | null
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
      size: known.size,
      url: bundlePage(findings.consoleUrl, plan.appId, bundle.id),
    },
    by: action.do === 'keep' ? null : action.do,
  }
}

/** The result of a publish, by the channel as it was read back. */
export function publishedResult(
  findings: Findings,
  published: {
    readonly outcome: 'published' | 'unchanged' | 'stale'
    readonly reason: string
    readonly channel: ChannelRow
    readonly by: PublishResult['by']
    readonly delta: PublishResult['delta']
    readonly warnings: readonly string[]
  },
): PublishResult {
  const { plan, known } = findings
  const { channel } = published
  const served = channel.version
  return {
    ...base(findings),
    outcome: published.outcome,
    reason: published.reason,
    channel: { name: channel.name, id: channel.id, made: plan.create !== null, public: channel.public },
    bundle: {
      id: served?.id ?? null,
      name: served?.name ?? '',
      checksum: served?.checksum ?? null,
      size: served?.checksum === known.checksum ? known.size : null,
      url: bundlePage(findings.consoleUrl, plan.appId, served?.id ?? null),
    },
    by: published.by,
    delta: published.delta,
    warnings: [...base(findings).warnings, ...published.warnings],
    change: published.outcome === 'published' ? findings.change : null,
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
    testers: null,
    commit: { sha: known.commit.sha, refName: known.commit.refName, url: known.commit.url },
    change: findings.change,
    files: built.files,
    leftOut: built.leftOut,
    decisions: plan.decisions,
    warnings: [...built.warnings, ...plan.warnings],
    durations: { build: built.duration, upload: findings.upload, total: findings.total },
  } as const
}

/** Page of a bundle in the Capgo console; null where there is none. */
export function bundlePage(consoleUrl: string | null, appId: string, id: number | null): string | null {
  return consoleUrl === null || id === null ? null : `${consoleUrl}/app/${appId}/bundle/${id}`
}

/** Any error as a result; one that is not ours is a fault of this action and says so. */
export function failure(error: unknown): FailedResult {
  const known = error instanceof ActionError ? error : undefined
  return {
    kind: 'failed',
    outcome: 'failed',
    code: known?.code ?? 'internal',
    reason:
      known?.message ??
      `This action failed where it should not: ${error instanceof Error ? error.message : String(error)}`,
    hint: known === undefined ? 'Please open an issue with the log of this step.' : (known.hint ?? null),
    at: known?.at ?? null,
    output: known?.output ?? null,
    problems: known?.problems ?? [],
    warnings: [],
  }
}
