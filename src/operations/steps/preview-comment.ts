/** Parts of a pull request's comment, made from the facts of a run. */
import type { BundleRow, ChannelRow } from '../../capgo/schema.ts'
import type { RunContext } from '../../context.ts'
import type { PullRequest } from '../../event.ts'
import { readServedCommit, type ServedCommit } from '../../plan/bundle-comment.ts'
import { channelDeepLink, commitOfPull, pullName } from '../../plan/preview.ts'
import { bundlePage } from '../../report/channel-results.ts'
import type { CommentCommit, ServedBundle, ServedPreview } from '../../report/preview-comment.ts'

/** What every comment says. `commit` is the pull request's head where the run is not of another. */
export function aboutPull(
  appId: string,
  pull: PullRequest,
  { trigger }: Pick<RunContext, 'trigger'>,
  { sha, url }: CommentCommit = commitOfPull(pull, trigger),
) {
  return { appId, pull: pull.number, commit: { sha, url }, runUrl: trigger.runUrl }
}

/** A preview whose commit is not, or not yet, on its channel. */
interface UnservedPreview {
  readonly appId: string
  readonly pull: PullRequest
  readonly commit: CommentCommit
  readonly channelName: string
  /** As it was when the run began; null where it is not there. */
  readonly channel: ChannelRow | null
}

export function aboutUnserved(preview: UnservedPreview, context: RunContext) {
  const { appId, pull, commit, channelName } = preview
  return { ...aboutPull(appId, pull, context, commit), channelName, served: servedPreview(preview, context) }
}

/** What the channel serves is a preview of this pull request, or nobody's business here. */
function servedPreview(
  { appId, pull, commit, channelName, channel }: UnservedPreview,
  context: RunContext,
): ServedPreview | null {
  const bundle = channel?.version ?? null
  const note = bundle === null ? null : readServedCommit(bundle, channelName)
  const isOwn = note?.pull === pullName(context.trigger.repository, pull.number)
  if (channel === null || bundle === null || !isOwn) return null
  return { ...servedBundle({ appId, bundle, note }, commit.sha, context), ...onPhone(appId, channel) }
}

/** A bundle that is served instead of the commit `sha`; `note` says what it was built from. */
export function servedBundle(
  {
    appId,
    bundle,
    note,
  }: { readonly appId: string; readonly bundle: BundleRow; readonly note: ServedCommit | null },
  sha: string,
  { inputs, trigger }: RunContext,
): ServedBundle {
  return {
    id: bundle.id,
    name: bundle.name,
    url: bundlePage(inputs.hosts.console, appId, bundle.id),
    from:
      note === null || note.sha === sha
        ? null
        : { sha: note.sha, url: `${trigger.repositoryUrl}/commit/${note.sha}` },
  }
}

export function onPhone(appId: string, channel: ChannelRow) {
  return { deepLink: channelDeepLink(appId, channel), selfAssignable: channel.allow_device_self_set }
}
