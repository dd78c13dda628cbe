/** A preview is there: its testers get it, and the comment of the pull request says how. */
import { CLOUD } from '../../capgo/hosts.ts'
import type { BundleRow, ChannelRow } from '../../capgo/schema.ts'
import type { RunContext } from '../../context.ts'
import type { PullRequest } from '../../event.ts'
import { readServedCommit } from '../../plan/bundle-comment.ts'
import { channelDeepLink, webPreview } from '../../plan/preview.ts'
import type { NativeVersion } from '../../plan/types.ts'
import { firstRefusal } from '../../plan/version.ts'
import type { DescribedCommit, ReadyComment } from '../../report/preview-comment.ts'
import { failuresOf } from '../../report/report.ts'
import type { PublishResult } from '../../report/result.ts'
import { writeComment } from './comment.ts'
import { aboutPull, aboutUnserved, onPhone } from './preview-comment.ts'
import type { PublishInputs } from './publish-inputs.ts'
import type { PublishOutcome } from './publish-outcome.ts'
import { compareContents } from './served-contents.ts'
import { type PreviewTesters, reconcileForPull } from './testers.ts'

/** A preview that a run published, or a dry run would. */
interface PublishedPreview {
  readonly prepared: PublishInputs
  readonly outcome: PublishOutcome
  readonly pull: PullRequest
  readonly commit: DescribedCommit
  readonly testers: PreviewTesters | null
}

/**
 * Its devices come to it, and the comment says how to get it. A run that was overtaken leaves that to the newer one.
 * Returns the run's result with what people need.
 */
export async function announcePreview(
  { prepared, outcome, pull, commit, ...published }: PublishedPreview,
  context: RunContext,
): Promise<PublishResult> {
  const { inputs, capgo, deps } = context
  const now = deps.now().toISOString()
  const { result, channel, base, bundle: built } = outcome
  if (channel === null) return result
  const { facts, project, app } = prepared
  const { appId } = project
  const served = channel.version
  const isCloud = inputs.hosts.api === CLOUD.api
  const web = served === null ? null : webPreview(app, channel, served, { isCloud })
  const links = {
    pull: pull.number,
    deepLink: channelDeepLink(appId, channel),
    webUrl: web !== null && 'url' in web ? web.url : null,
  }
  if (result.outcome === 'stale' || served === null || web === null) {
    // This run's own "building" must not stay; the comment of a newer run is left alone.
    const about = aboutUnserved({ ...facts, app, channel, pull, commit }, context)
    const commentUrl = await writeComment({ ...about, state: 'kept', reason: result.reason }, context)
    return { ...result, preview: { ...links, commentUrl } }
  }
  const testers =
    published.testers === null ? null : await reconcileForPull(appId, published.testers, context)
  const { change } = await compareContents(base?.version ?? null, built.content, capgo)
  const isOlder = result.outcome === 'unchanged'
  const commentUrl = await writeComment(
    {
      ...aboutPull(appId, pull, context, commit),
      state: 'ready',
      channelName: channel.name,
      bundle: {
        id: served.id,
        name: served.name,
        url: result.bundle.url,
        ...onPhone({ appId, app, channel, bundle: served }, context),
      },
      since: isOlder ? (readServedCommit(served, channel.name)?.at ?? null) : now,
      duration: isOlder ? null : result.duration,
      change:
        change === null || base === null
          ? null
          : { ...change, channel: base.name, download: downloadOf(outcome) },
      releaseNotes: result.releaseNotes,
      nativeVersions: nativeVersionsOf(project.natives, served, channel),
      nativeChanges: result.nativeChanges,
      web,
      testers,
      warnings: [...result.warnings, ...failuresOf({ ...result, testers }).map(({ message }) => message)],
    },
    context,
  )
  return { ...result, testers, preview: { ...links, commentUrl } }
}

/** Bytes that a device downloads which has the bundle of the base branch. */
function downloadOf({ result, bundle }: PublishOutcome): number {
  const sent = 'delta' in result ? result.delta?.sentBytes : undefined
  return sent ?? bundle.content.zip.size
}

function nativeVersionsOf(
  versions: readonly NativeVersion[],
  { name, min_update_version: minimum }: BundleRow,
  channel: ChannelRow,
): ReadyComment['nativeVersions'] {
  return versions.map(native => ({
    platform: native.platform,
    version: native.version,
    refusal: firstRefusal(name, [native], channel, minimum)?.refusal.rule ?? null,
  }))
}
