import { CLOUD } from '../capgo/hosts.ts'
import type { ChannelRow } from '../capgo/schema.ts'
import type { RunContext } from '../context.ts'
import { RefGone } from '../errors.ts'
import type { PullRequest } from '../event.ts'
import { gatherCheckedOut, gatherContents } from '../gather.ts'
import type { Inputs } from '../inputs/inputs.ts'
import { readServedCommit } from '../plan/bundle-comment.ts'
import { matchChannel } from '../plan/channel.ts'
import { isPrivileged, type Operation } from '../plan/operation.ts'
import {
  channelDeepLink,
  commitOfPull,
  pullName,
  refuseChannel,
  refusePreview,
  webPreview,
} from '../plan/preview.ts'
import type { Head } from '../plan/staleness.ts'
import type { Commit } from '../plan/types.ts'
import { firstRefusal } from '../plan/version.ts'
import { bundlePage, failure, keptResult } from '../report/outcome.ts'
import type { PreviewComment } from '../report/preview.ts'
import { failuresOf } from '../report/report.ts'
import type { CleanedResult, PublishResult, Result } from '../report/result.ts'
import { blame } from '../runtime/cancellation.ts'
import { privateValues } from '../runtime/environment.ts'
import { createRedactor } from '../runtime/redaction.ts'
import { closePreview, readPull } from './close-preview.ts'
import { type Delivered, deliver, type Prepared, prepare } from './publish.ts'
import { findAppIds } from './steps/app-ids.ts'
import { isAnnounced, PULL_REQUESTS, updateTesterSection, writeComment } from './steps/comment.ts'
import { measure, plainSha256 } from './steps/served-contents.ts'
import { readProposed } from './steps/testers-versions.ts'
import { convergeForPull, foreseeForPull, type PreviewTesters } from './testers.ts'

/**
 * Publishes a pull request's head on a channel of its own and says in its comment how to get it. `takeBuild`
 * returns the folder of a web build that another run made; null = it is built here.
 */
export async function preview(
  operation: Extract<Operation, { kind: 'preview' }>,
  takeBuild: (() => Promise<string>) | null,
  context: RunContext,
): Promise<Result> {
  const { deps, trigger } = context
  const { pull } = operation
  const sha = takeBuild === null ? await readHeadOfCheckout(operation, context) : operation.sha
  const commit = {
    ...commitOfPull({ ...pull, headSha: sha }, trigger),
    at: deps.now().toISOString(),
  }
  let prepared: Prepared | null = null
  let delivered: Delivered | null = null
  try {
    // A broken testers file, and what keeps its devices from the preview, is told of before anything is built.
    const proposed = await readProposed(pull, context)
    prepared = await prepare(
      {
        channelName: operation.channelName,
        why: operation.why,
        purpose: { kind: 'preview', pull: pull.number },
        commit,
        commitWhy: null,
        isChosen: false,
        readHead: () => headOfPull(pull.number, context),
        // A preview is for its testers, all of them.
        rollout: { bps: null, onActive: context.inputs.onActiveRollout },
        environment: `preview/pr-${pull.number}`,
        baseChannel: baseChannelOf(pull, context.inputs),
        takesBuild: takeBuild !== null,
      },
      context,
    )
    const { channel: before } = prepared.facts
    const refused = before === null ? null : refuseChannel(before, commit)
    if (refused !== null) throw refused
    const testers = await foreseeForPull(
      { pull, channel: operation.channelName, proposed },
      prepared.project.appId,
      context,
    )
    if (takeBuild === null && (await isShown(prepared, pull, context)))
      return await keepShown(prepared, pull, testers, context)
    await writeComment(describe('building', { ...prepared.facts, pull }, context), context)
    delivered = await deliver(prepared, takeBuild === null ? null : await takeBuild(), context)
    return (
      (await closedMeanwhile(prepared, pull, context)) ??
      (await announce(prepared, delivered, pull, testers, context))
    )
  } catch (error) {
    const { stop } = context.deps
    const closed =
      stop.signal.aborted || prepared === null ? null : await closedMeanwhile(prepared, pull, context)
    if (closed !== null) return closed
    if (error instanceof RefGone) {
      if (prepared !== null)
        await writeComment(
          { ...describe('kept', { ...prepared.facts, pull }, context), reason: error.message },
          context,
        )
      return { kind: 'skipped', outcome: 'skipped', reason: error.message, testers: null, warnings: [] }
    }
    const channel = delivered?.channel ?? prepared?.facts.channel ?? null
    await sayFailed(error, { ...operation, commit, channel }, prepared, context)
    throw error
  }
}

/** In the comment, also where the app's own config cannot be read: else "ready" of an older commit stays there. */
async function sayFailed(
  error: unknown,
  known: {
    readonly pull: PullRequest
    readonly channelName: string
    readonly channel: ChannelRow | null
    readonly commit: Commit
  },
  prepared: Prepared | null,
  context: RunContext,
): Promise<void> {
  const { stop } = context.deps
  const { code, reason, hint, output } = failure(blame(error, stop))
  const hide = createRedactor(privateValues(prepared?.project.buildEnv ?? {}))
  const told = { code, message: hide(reason), hint, output: output === null ? null : hide(output) }
  const isLate = stop.signal.aborted
  const appId =
    prepared?.project.appId ??
    (isLate ? null : await findAppIds(known.pull.number, context).catch(() => null))?.[0] ??
    context.inputs.appId
  if (appId === null) return
  const channel =
    known.channel ??
    (isLate ? null : await context.capgo.readChannel(appId, known.channelName).catch(() => null))
  await writeComment({ ...describe('failed', { ...known, appId, channel }, context), error: told }, context)
}

/**
 * The head that is checked out: the event's, by itself or merged into its base, or that of now, where the checkout was
 * made by name. Another commit is published as the event's head, with a warning.
 */
async function readHeadOfCheckout(
  { pull, sha }: Extract<Operation, { kind: 'preview' }>,
  { deps, inputs, trigger }: RunContext,
): Promise<string> {
  if (isPrivileged(trigger)) return sha
  const checkedOut = await gatherCheckedOut(inputs, trigger, deps)
  if (checkedOut === null || checkedOut.sha === trigger.commit.sha) return sha
  const isOf = (head: string) => checkedOut.sha === head || checkedOut.parents.includes(head)
  if (isOf(sha)) return sha
  if (isOf(pull.headSha)) return pull.headSha
  deps.log.warning(
    `Commit ${checkedOut.sha.slice(0, 7)} is checked out, which is neither the head of #${pull.number} (${sha.slice(0, 7)}) nor its merge into the base branch. Its content is published as ${sha.slice(0, 7)}. Check the input "ref" of actions/checkout.`,
  )
  return sha
}

/** The pull request's newest commit, as GitHub tells it now. Throws `RefGone` where it wants no preview any more. */
async function headOfPull(number: number, context: RunContext): Promise<Head> {
  const now = await readPull(number, context)
  if (now === null) return { kind: 'unknown' }
  const end = refusePreview(now, context.inputs)
  if (end !== null) throw new RefGone(`${end}, so nothing is published.`)
  return { kind: 'at', sha: now.headSha }
}

/** Activity types that come with another content. */
const CONTENT: ReadonlySet<string> = new Set(['opened', 'synchronize', 'reopened'])

/** Whether an event that changes no content finds the preview of this very commit in place. */
async function isShown(
  { facts, project }: Prepared,
  pull: PullRequest,
  context: RunContext,
): Promise<boolean> {
  const { action, isNewBase, commit, repository } = context.trigger
  if (CONTENT.has(action) || isNewBase || commit.runAttempt > 1) return false
  const { channel, channelName } = facts
  const served = channel?.version ? readServedCommit(channel.version, channelName) : null
  return (
    served?.sha === facts.commit.sha &&
    served.pull === pullName(repository, pull.number) &&
    (await isAnnounced(project.appId, pull.number, facts.commit.sha, context))
  )
}

/** Nothing is built; who gets the preview may have changed all the same. */
async function keepShown(
  { project, facts }: Prepared,
  pull: PullRequest,
  previewed: PreviewTesters | null,
  context: RunContext,
): Promise<PublishResult> {
  const channel = facts.channel!
  const { appId } = project
  const testers = previewed === null ? null : await convergeForPull(appId, previewed, context)
  if (testers !== null && !context.inputs.dryRun && context.inputs.comment)
    await context.courtesy('say in the comment who has the preview', PULL_REQUESTS, github =>
      updateTesterSection(appId, pull.number, testers.rows, github, context.inputs.capgoToken),
    )
  return {
    ...keptResult(
      {
        appId,
        channel,
        commit: facts.commit,
        consoleUrl: context.inputs.hosts.console,
        sha256: channel.version === null ? null : plainSha256(channel.version, null),
        size: channel.version === null ? null : await measure(channel.version, context.capgo),
      },
      `The preview of #${pull.number} shows ${facts.commit.sha.slice(0, 7)} already, and "${context.trigger.action}" changes no content.`,
      context.deps.clock() - context.began,
    ),
    testers,
    preview: {
      pull: pull.number,
      deepLink: channelDeepLink(appId, channel),
      webUrl: null,
      commentUrl: null,
    },
  }
}

/** What the branch publishes to that the pull request wants to be merged into. */
function baseChannelOf({ baseRef }: PullRequest, { channels }: Inputs): string | null {
  return matchChannel({ name: baseRef, full: `refs/heads/${baseRef}` }, channels)?.channel ?? null
}

/** A pull request that was closed while its preview was made: the run that cleaned up came too early. */
async function closedMeanwhile(
  { project }: Prepared,
  pull: PullRequest,
  context: RunContext,
): Promise<CleanedResult | null> {
  const { inputs } = context
  if (inputs.dryRun) return null
  const now = await readPull(pull.number, context)
  const why = now === null ? null : refusePreview(now, inputs)
  if (now === null || why === null) return null
  return closePreview(project.appId, { pull: now, why, channelName: null, movesTesters: true }, context)
}

/** The comment that says how to get it. A run that was overtaken leaves that to the newer one. */
async function announce(
  prepared: Prepared,
  { result, channel, base, built }: Delivered,
  pull: PullRequest,
  previewed: PreviewTesters | null,
  context: RunContext,
): Promise<PublishResult> {
  const { inputs, capgo } = context
  if (channel === null) return result
  const appId = prepared.project.appId
  const deepLink = channelDeepLink(appId, channel)
  const served = channel.version
  const web =
    served === null ? null : webPreview(prepared.app, channel, served, inputs.hosts.api === CLOUD.api)
  const shown = { pull: pull.number, deepLink, webUrl: web !== null && 'url' in web ? web.url : null }
  if (result.outcome === 'stale' || served === null) {
    // This run's own "building" must not stay; the comment of a newer run is left alone.
    const kept = describe('kept', { ...prepared.facts, channel, pull }, context)
    const commentUrl = await writeComment({ ...kept, reason: result.reason }, context)
    return { ...result, preview: { ...shown, commentUrl } }
  }

  const testers = previewed === null ? null : await convergeForPull(appId, previewed, context)
  const [{ change }, devices] = await Promise.all([
    gatherContents(base?.version ?? null, built.content, capgo),
    capgo.countOverrides(appId, channel.id).catch(() => null),
  ])
  const commentUrl = await writeComment(
    {
      ...describe('ready', { ...prepared.facts, pull }, context),
      channel: { name: channel.name, id: channel.id, selfAssignable: channel.allow_device_self_set },
      bundle: {
        id: served.id,
        name: served.name,
        size: result.bundle.size,
        url: result.bundle.url,
        from: null,
      },
      change:
        change === null || base === null
          ? null
          : {
              ...change,
              channel: base.name,
              download: result.delta?.sentBytes ?? built.content.zip.size,
            },
      natives: prepared.project.natives.map(native => ({
        platform: native.platform,
        version: native.version,
        refusal:
          firstRefusal(served.name, [native], channel, served.min_update_version)?.refusal.rule ?? null,
      })),
      devices,
      nativeChanges: result.natives,
      deepLink,
      web,
      testers,
      warnings: [...result.warnings, ...failuresOf({ ...result, testers }).map(({ message }) => message)],
    },
    context,
  )
  return { ...result, testers, preview: { ...shown, commentUrl } }
}

/** What a comment says whatever came of the run: the channel as it was when the run began. */
function describe(
  state: PreviewComment['state'],
  {
    appId,
    channelName,
    channel,
    commit,
    pull,
  }: {
    readonly appId: string
    readonly channelName: string
    readonly channel: ChannelRow | null
    readonly commit: Commit
    readonly pull: PullRequest
  },
  { inputs, trigger }: RunContext,
): PreviewComment {
  const version = channel?.version ?? null
  const from = version === null ? null : readServedCommit(version, channelName)
  // What the channel serves is a preview of this pull request, or nobody's business here.
  const served = from?.pull === pullName(trigger.repository, pull.number) ? version : null
  return {
    state,
    appId,
    pull: pull.number,
    commit: { sha: commit.sha, url: commit.url },
    runUrl: trigger.runUrl,
    channel: {
      name: channelName,
      id: channel?.id ?? null,
      selfAssignable: channel?.allow_device_self_set ?? true,
    },
    bundle:
      served === null
        ? null
        : {
            id: served.id,
            name: served.name,
            size: null,
            url: bundlePage(inputs.hosts.console, appId, served.id),
            from:
              from === null || from.sha === commit.sha
                ? null
                : { sha: from.sha, url: `${trigger.repositoryUrl}/commit/${from.sha}` },
          },
    change: null,
    natives: [],
    nativeChanges: [],
    devices: null,
    deepLink: channel === null || served === null ? null : channelDeepLink(appId, channel),
    web: null,
    testers: null,
    warnings: [],
    error: null,
    missing: null,
    removed: null,
  }
}
