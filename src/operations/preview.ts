/** The head of a pull request on a channel of its own, and a comment that says how to get it. */
import type { ChannelRow } from '../capgo/schema.ts'
import type { RunContext } from '../context.ts'
import { RefGone } from '../errors.ts'
import type { PullRequest } from '../event.ts'
import type { Inputs } from '../inputs/inputs.ts'
import { readServedCommit } from '../plan/bundle-comment.ts'
import { matchChannel } from '../plan/channel.ts'
import type { Operation } from '../plan/operation.ts'
import {
  channelDeepLink,
  checkPreviewChannel,
  commitOfPull,
  pullName,
  whyNoPreview,
} from '../plan/preview.ts'
import type { Commit } from '../plan/types.ts'
import { previewKeptResult } from '../report/channel-results.ts'
import { shortSha } from '../report/format.ts'
import type { DescribedCommit } from '../report/preview-comment.ts'
import type { PreviewKeptResult, PreviewsClosedResult, Result } from '../report/result.ts'
import { failure, skippedResult } from '../report/results.ts'
import { cancellationOr } from '../runtime/cancellation.ts'
import { privateValues } from '../runtime/environment.ts'
import { createRedactor } from '../runtime/redaction.ts'
import { announcePreview } from './steps/announce-preview.ts'
import { findAppIds } from './steps/app-ids.ts'
import { isAnnounced, PULL_REQUESTS, updateTesterSection, writeComment } from './steps/comment.ts'
import { aboutUnserved, describeCommit } from './steps/preview-comment.ts'
import { planPublication } from './steps/publication.ts'
import { gatherPublishInputs, type PublishInputs } from './steps/publish-inputs.ts'
import { carryOut } from './steps/publish-outcome.ts'
import type { PublishTarget } from './steps/publish-target.ts'
import { readHeadOfCheckout, readHeadOfPull, readPull } from './steps/pull-request.ts'
import { removePreview } from './steps/remove-preview.ts'
import { measure, plainSha256 } from './steps/served-contents.ts'
import { foreseeForPull, type PreviewTesters, reconcileForPull } from './steps/testers.ts'
import { readProposed } from './steps/testers-file.ts'

type PreviewOperation = Extract<Operation, { kind: 'preview' }>

/** Returns the folder of a web build that another run made; null = it is built here. */
type TakeBuild = (() => Promise<string>) | null

/** Facts that the run has of its preview so far. */
interface Progress {
  readonly pull: PullRequest
  readonly channelName: string
  readonly commit: Commit
  /** The commit as the comment shows it, asked for beside everything else. */
  readonly described: Promise<DescribedCommit>
  /** Null before the project and Capgo were read. */
  prepared: PublishInputs | null
  /** As it was read last; null where it is not there. */
  channel: ChannelRow | null
}

/** Publishes a pull request's head on a channel of its own and says in its comment how to get it. */
export async function preview(
  operation: PreviewOperation,
  takeBuild: TakeBuild,
  context: RunContext,
): Promise<Result> {
  const { pull, channelName } = operation
  const commit = await readCommit(operation, takeBuild, context)
  const described = describeCommit(commit, pull, context)
  const progress: Progress = { pull, channelName, commit, described, prepared: null, channel: null }
  try {
    // A broken testers file, and what keeps its devices from the preview, is reported before anything is built.
    const proposed = await readProposed(pull, context)
    const prepared = await gatherPublishInputs(targetOf(operation, commit, takeBuild, context), context)
    const { appId } = prepared.project
    progress.prepared = prepared
    progress.channel = prepared.facts.channel
    requireOwnChannel(progress)
    const testers = await foreseeForPull({ pull, channel: channelName, proposed }, appId, context)
    const shown = takeBuild === null ? await findShown(prepared, pull, context) : null
    if (shown !== null) return await keepShown({ appId, channel: shown, pull, commit, testers }, context)

    const about = await aboutProgress(appId, progress, context)
    await writeComment({ ...about, state: 'building', since: commit.at ?? null }, context)
    const webBuild = takeBuild === null ? null : await takeBuild()
    const publication = await planPublication(prepared, webBuild, context)
    const outcome = await carryOut(publication, context)
    progress.channel = outcome.channel ?? progress.channel

    return (
      (await closeMeanwhile(prepared, pull, context)) ??
      (await announcePreview({ prepared, outcome, pull, testers, commit: await described }, context))
    )
  } catch (error) {
    return await endWithout(error, progress, context)
  }
}

async function aboutProgress(appId: string, progress: Progress, context: RunContext) {
  const { prepared, described } = progress
  const facts = { ...progress, appId, app: prepared?.app ?? null, commit: await described }
  return aboutUnserved(facts, context)
}

async function readCommit(
  { pull, sha }: PreviewOperation,
  takeBuild: TakeBuild,
  context: RunContext,
): Promise<Commit> {
  const { deps, trigger } = context
  const headSha = takeBuild === null ? await readHeadOfCheckout(pull, sha, context) : sha
  return { ...commitOfPull({ ...pull, headSha }, trigger), at: deps.now().toISOString() }
}

function targetOf(
  { pull, channelName, why }: PreviewOperation,
  commit: Commit,
  takeBuild: TakeBuild,
  context: RunContext,
): PublishTarget {
  const { inputs } = context
  return {
    channelName,
    why,
    purpose: { kind: 'preview', pull: pull.number },
    commit,
    commitWhy: null,
    isChosen: false,
    readHead: () => readHeadOfPull(pull.number, context),
    // A preview is for its testers, all of them.
    rollout: { bps: null, onActive: inputs.onActiveRollout },
    environment: `preview/pr-${pull.number}`,
    baseChannel: baseChannelOf(pull, inputs),
    takesBuild: takeBuild !== null,
  }
}

/** The channel of the branch that the pull request is to be merged into. */
function baseChannelOf({ baseRef }: PullRequest, { channels }: Inputs): string | null {
  return matchChannel({ name: baseRef, full: `refs/heads/${baseRef}` }, channels)?.channel ?? null
}

/** Throws `preview_channel_taken`. */
function requireOwnChannel({ channel, commit }: Progress): void {
  const refused = channel === null ? null : checkPreviewChannel(channel, commit)
  if (refused !== null) throw refused
}

/** Activity types that come with another content. */
const CONTENT: ReadonlySet<string> = new Set(['opened', 'synchronize', 'reopened'])

/** The channel, where an event that changes no content finds the preview of this very commit in place. */
async function findShown(
  { facts, project }: PublishInputs,
  { number }: PullRequest,
  context: RunContext,
): Promise<ChannelRow | null> {
  const { action, isNewBase, commit, repository } = context.trigger
  if (CONTENT.has(action) || isNewBase || commit.runAttempt > 1) return null
  const { channel, channelName } = facts
  const served = channel?.version ? readServedCommit(channel.version, channelName) : null
  const isOurs = served?.sha === facts.commit.sha && served.pull === pullName(repository, number)
  return isOurs && (await isAnnounced(project.appId, number, facts.commit.sha, context)) ? channel : null
}

/** Nothing is built; who gets the preview may have changed all the same. */
async function keepShown(
  shown: {
    readonly appId: string
    readonly channel: ChannelRow
    readonly pull: PullRequest
    readonly commit: Commit
    readonly testers: PreviewTesters | null
  },
  context: RunContext,
): Promise<PreviewKeptResult> {
  const { appId, channel, commit } = shown
  const { deps, inputs, trigger, capgo } = context
  const { number } = shown.pull
  const testers = shown.testers === null ? null : await reconcileForPull(appId, shown.testers, context)
  if (testers !== null && !inputs.dryRun)
    await context.bestEffort('update the testers in the comment', PULL_REQUESTS, github =>
      updateTesterSection({ appId, pull: number, testers }, github, context),
    )
  const { version } = channel
  return previewKeptResult({
    reason: `The preview of #${number} already shows ${shortSha(commit.sha)}, and "${trigger.action}" changes no content.`,
    appId,
    channel,
    commit: { sha: commit.sha, refName: commit.refName, url: commit.url },
    consoleUrl: inputs.hosts.console,
    sha256: version === null ? null : plainSha256(version, null),
    size: version === null ? null : await measure(version, capgo),
    testers,
    preview: { pull: number, deepLink: channelDeepLink(appId, channel), webUrl: null, commentUrl: null },
    duration: deps.clock() - context.began,
  })
}

/** A pull request that was closed while its preview was made: the run that removed it came too early. */
async function closeMeanwhile(
  { project }: PublishInputs,
  pull: PullRequest,
  context: RunContext,
): Promise<PreviewsClosedResult | null> {
  const { inputs } = context
  if (inputs.dryRun) return null
  const now = await readPull(pull.number, context)
  const why = now === null ? null : whyNoPreview(now, inputs)
  if (now === null || why === null) return null
  return removePreview(project.appId, { pull: now, why, channelName: null, movesTesters: true }, context)
}

/** The run made no preview: why is said in the comment, also where there was nothing to publish. */
async function endWithout(error: unknown, progress: Progress, context: RunContext): Promise<Result> {
  const { prepared, pull } = progress
  const isStopped = context.deps.cancellation.signal.aborted
  const closed = isStopped || prepared === null ? null : await closeMeanwhile(prepared, pull, context)
  if (closed !== null) return closed
  if (error instanceof RefGone) {
    const { message: reason } = error
    if (prepared !== null) {
      const { channel } = prepared.facts
      const about = await aboutProgress(prepared.project.appId, { ...progress, channel }, context)
      await writeComment({ ...about, state: 'kept', reason }, context)
    }
    return skippedResult({ reason })
  }
  await sayFailed(error, progress, context)
  throw error
}

/** In the comment, also where the app's own config cannot be read: else "ready" of an older commit stays there. */
async function sayFailed(error: unknown, progress: Progress, context: RunContext): Promise<void> {
  const { deps, inputs, capgo } = context
  const { prepared, pull, channelName } = progress
  const { code, reason, hint, output } = failure(cancellationOr(error, deps.cancellation))
  const isLate = deps.cancellation.signal.aborted
  const found = prepared === null && !isLate ? await findAppIds(pull.number, context).catch(() => null) : null
  const appId = prepared?.project.appId ?? found?.[0] ?? inputs.appId
  if (appId === null) return
  const channel =
    progress.channel ?? (isLate ? null : await capgo.readChannel(appId, channelName).catch(() => null))
  const hide = createRedactor(privateValues(prepared?.project.buildEnv ?? {}))
  const shown = { code, message: hide(reason), hint, output: output === null ? null : hide(output) }
  const about = await aboutProgress(appId, { ...progress, channel }, context)
  await writeComment({ ...about, state: 'failed', error: shown }, context)
}
