/** A preview is there: its testers get it, and the comment of the pull request says how. */
import { CLOUD } from '../../capgo/hosts.ts'
import type { BundleRow, ChannelRow } from '../../capgo/schema.ts'
import type { RunContext } from '../../context.ts'
import type { PullRequest } from '../../event.ts'
import { channelDeepLink, webPreview } from '../../plan/preview.ts'
import type { NativeVersion } from '../../plan/types.ts'
import { firstRefusal } from '../../plan/version.ts'
import type { ReadyComment } from '../../report/preview-comment.ts'
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
  readonly testers: PreviewTesters | null
}

/**
 * Its devices come to it, and the comment says how to get it. A run that was overtaken leaves that to the newer one.
 * Returns the run's result with what people need.
 */
export async function announcePreview(
  { prepared, outcome, pull, ...published }: PublishedPreview,
  context: RunContext,
): Promise<PublishResult> {
  const { inputs, capgo } = context
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
    const about = aboutUnserved({ ...facts, channel, pull }, context)
    const commentUrl = await writeComment({ ...about, state: 'kept', reason: result.reason }, context)
    return { ...result, preview: { ...links, commentUrl } }
  }
  const testers =
    published.testers === null ? null : await reconcileForPull(appId, published.testers, context)
  const [{ change }, devices] = await Promise.all([
    compareContents(base?.version ?? null, built.content, capgo),
    capgo.countOverrides(appId, channel.id).catch(() => null),
  ])
  const commentUrl = await writeComment(
    {
      ...aboutPull(appId, pull, context, facts.commit),
      state: 'ready',
      channelName: channel.name,
      bundle: { ...bundleOf(served, result), ...onPhone(appId, channel) },
      change:
        change === null || base === null
          ? null
          : { ...change, channel: base.name, download: downloadOf(outcome) },
      releaseNotes: result.releaseNotes,
      nativeVersions: nativeVersionsOf(project.natives, served, channel),
      nativeChanges: result.nativeChanges,
      devices,
      web,
      testers,
      warnings: [...result.warnings, ...failuresOf({ ...result, testers }).map(({ message }) => message)],
    },
    context,
  )
  return { ...result, testers, preview: { ...links, commentUrl } }
}

function bundleOf({ id, name }: BundleRow, { bundle: { size, url } }: PublishResult) {
  return { id, name, size, url }
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
