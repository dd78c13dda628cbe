import { hideSecrets } from '../bundle/environment.ts'
import { CLOUD } from '../capgo/hosts.ts'
import { ActionError } from '../errors.ts'
import type { PullRequest } from '../event.ts'
import { gatherContents } from '../gather.ts'
import type { Inputs } from '../inputs.ts'
import { matchChannel } from '../plan/channel.ts'
import { readServedCommit } from '../plan/lineage.ts'
import type { Operation } from '../plan/operation.ts'
import { channelDeepLink, commitOfPull, webPreview } from '../plan/preview.ts'
import { firstRefusal } from '../plan/version.ts'
import { bundlePage, failure } from '../report/outcome.ts'
import type { PreviewComment } from '../report/preview.ts'
import { failuresOf } from '../report/report.ts'
import type { CleanedResult, PublishResult, Result } from '../report/result.ts'
import { blame } from '../stop.ts'
import { closePreview, hasPreview, readPull } from './close.ts'
import { writeComment } from './comment.ts'
import type { RunContext } from './context.ts'
import { type Delivered, deliver, type Prepared, prepare } from './deliver.ts'
import { convergeForPull, readTestersFile, type TestersFile } from './testers.ts'

/**
 * Publishes a pull request's head on a channel of its own and says in its comment how to get it. `takeBuild`
 * returns the folder of a web build that another run made; null = it is built here.
 */
export async function preview(
  { pull, channelName, why }: Extract<Operation, { kind: 'preview' }>,
  takeBuild: (() => Promise<string>) | null,
  context: RunContext,
): Promise<Result> {
  // A broken testers file is told of before anything is built.
  const testersFile = await readTestersFile(context)
  const prepared = await prepare(
    {
      channelName,
      why,
      purpose: { kind: 'preview', pull: pull.number },
      commit: { ...commitOfPull(pull, context.trigger), at: context.deps.now().toISOString() },
      // A preview is for its testers, all of them.
      rollout: { bps: null, onActive: context.inputs.onActiveRollout },
      environment: `preview/pr-${pull.number}`,
      baseChannel: baseChannelOf(pull, context.inputs),
      takesBuild: takeBuild !== null,
    },
    context,
  )
  checkChannel(prepared, pull, context.inputs)
  let delivered: Delivered | null = null
  try {
    await writeComment(describe('building', prepared, pull, context), context)
    delivered = await deliver(prepared, takeBuild === null ? null : await takeBuild(), context)
    return (
      (await closedMeanwhile(prepared, pull, context)) ??
      (await announce(prepared, delivered, pull, testersFile, context))
    )
  } catch (error) {
    const { stop } = context.deps
    const closed = stop.signal.aborted ? null : await closedMeanwhile(prepared, pull, context)
    if (closed !== null) return closed
    const { code, reason, hint, output } = failure(blame(error, stop))
    const channel = delivered?.channel ?? prepared.facts.channel
    const hide = (text: string) => hideSecrets(text, prepared.project.buildEnv)
    await writeComment(
      {
        ...describe('failed', { ...prepared, facts: { ...prepared.facts, channel } }, pull, context),
        error: { code, message: hide(reason), hint, output: output === null ? null : hide(output) },
      },
      context,
    )
    throw error
  }
}

/** What the branch publishes to that the pull request wants to be merged into. */
function baseChannelOf({ baseRef }: PullRequest, { channels }: Inputs): string | null {
  return matchChannel({ name: baseRef, full: `refs/heads/${baseRef}` }, channels)?.channel ?? null
}

/**
 * A preview never replaces what others are on: the public channel, what a branch publishes to, and, where the
 * pull request's branch chooses the name, anything that is not a preview.
 */
function checkChannel({ facts }: Prepared, pull: PullRequest, { previewChannel }: Inputs): void {
  const { channel } = facts
  if (channel === null) return
  const served = channel.version === null ? null : readServedCommit(channel.version, channel.name)
  const isPreview = served !== null && served.pull !== null
  const isUnknown = channel.version !== null && served === null
  const mayTake = channel.version === null || isPreview || (isUnknown && !previewChannel.includes('{branch}'))
  if (mayTake && !channel.public) return
  const what = channel.public
    ? "is the app's public channel"
    : `serves ${channel.version?.name}, which ${served === null ? 'is no preview' : `${served.refName} published`}`
  throw new ActionError(
    'preview_channel_taken',
    `Channel ${channel.name} ${what}; the preview of #${pull.number} must not replace that.`,
    { hint: 'Give previews channels of their own, such as preview-channel: pr-{number}.' },
  )
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
  if (now === null || hasPreview(now, context)) return null
  const why = now.open
    ? `label "${inputs.previewLabel}" was taken off #${pull.number}`
    : `#${pull.number} was ${now.merged ? 'merged' : 'closed'}`
  return closePreview(project.appId, { pull: now, why, channelName: null, movesTesters: true }, context)
}

/** The comment that says how to get it. A run that was overtaken leaves that to the newer one. */
async function announce(
  prepared: Prepared,
  { result, channel, base, built }: Delivered,
  pull: PullRequest,
  testersFile: TestersFile | null,
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
  if (result.outcome === 'stale' || served === null)
    return { ...result, preview: { ...shown, commentUrl: null } }

  const testers = await convergeForPull(appId, { published: pull, closing: null }, testersFile, context)
  const [{ change }, devices] = await Promise.all([
    gatherContents(base?.version ?? null, built.content, capgo),
    capgo.countOverrides(appId, channel.id).catch(() => null),
  ])
  const commentUrl = await writeComment(
    {
      ...describe('ready', prepared, pull, context),
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
  { project, facts }: Prepared,
  pull: PullRequest,
  { inputs, trigger }: RunContext,
): PreviewComment {
  const { channel, commit } = facts
  const served = channel?.version ?? null
  const from = served === null ? null : readServedCommit(served, facts.channelName)
  return {
    state,
    appId: project.appId,
    pull: pull.number,
    commit: { sha: commit.sha, url: commit.url },
    runUrl: trigger.runUrl,
    channel: {
      name: facts.channelName,
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
            url: bundlePage(inputs.hosts.console, project.appId, served.id),
            from:
              from === null || from.sha === commit.sha
                ? null
                : { sha: from.sha, url: `${trigger.repositoryUrl}/commit/${from.sha}` },
          },
    change: null,
    natives: [],
    nativeChanges: [],
    devices: null,
    deepLink: channel === null || served === null ? null : channelDeepLink(project.appId, channel),
    web: null,
    testers: null,
    warnings: [],
    error: null,
    removed: null,
  }
}
