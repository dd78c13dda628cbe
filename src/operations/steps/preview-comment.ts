/** Parts of a pull request's comment, made from the facts of a run. */
import { CLOUD } from '../../capgo/hosts.ts'
import type { App, BundleRow, ChannelRow } from '../../capgo/schema.ts'
import type { RunContext } from '../../context.ts'
import type { PullRequest } from '../../event.ts'
import { readServedCommit, type ServedCommit } from '../../plan/bundle-comment.ts'
import { channelDeepLink, commitOfPull, previewObstacle, pullName } from '../../plan/preview.ts'
import { bundlePage } from '../../report/channel-results.ts'
import type {
  CommentCommit,
  DescribedCommit,
  OnPhone,
  ServedBundle,
  ServedPreview,
} from '../../report/preview-comment.ts'

/** The commit with title and author, as far as GitHub says them: that is one request, and no reason to warn. */
export async function describeCommit(
  { sha, url }: CommentCommit,
  { author }: PullRequest,
  { inputs, github }: RunContext,
): Promise<DescribedCommit> {
  const isWanted = inputs.comment && !inputs.dryRun
  const [found] = isWanted ? ((await github?.listCommits(null, 1, sha).catch(() => [])) ?? []) : []
  return { sha, url, title: found?.title ?? null, author: found?.author ?? `@${author}` }
}

/** Facts of every comment. `commit` is the pull request's head where the run is not of another. */
export function aboutPull(
  appId: string,
  pull: PullRequest,
  { trigger, deps }: Pick<RunContext, 'trigger' | 'deps'>,
  commit: DescribedCommit = undescribed(commitOfPull(pull, trigger)),
) {
  const { documents } = deps
  return { appId, pull: pull.number, commit, runUrl: trigger.runUrl, documents }
}

function undescribed({ sha, url }: CommentCommit): DescribedCommit {
  return { sha, url, title: null, author: null }
}

/** A preview whose commit is not, or not yet, on its channel. */
interface UnservedPreview {
  readonly appId: string
  /** Null where it could not be read. */
  readonly app: App | null
  readonly pull: PullRequest
  readonly commit: DescribedCommit
  readonly channelName: string
  /** As it was when the run began; null where it is not there. */
  readonly channel: ChannelRow | null
}

export function aboutUnserved(preview: UnservedPreview, context: RunContext) {
  const { appId, pull, commit, channelName } = preview
  return { ...aboutPull(appId, pull, context, commit), channelName, served: servedPreview(preview, context) }
}

/** The bundle on the channel, where it is a preview of this pull request. */
function servedPreview(
  { appId, app, pull, commit, channelName, channel }: UnservedPreview,
  context: RunContext,
): ServedPreview | null {
  const bundle = channel?.version ?? null
  const note = bundle === null ? null : readServedCommit(bundle, channelName)
  const isOwn = note?.pull === pullName(context.trigger.repository, pull.number)
  if (channel === null || bundle === null || !isOwn) return null
  return {
    ...servedBundle({ appId, bundle, note }, commit.sha, context),
    ...onPhone({ appId, app, channel, bundle }, context),
  }
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

interface PhonePreview extends Pick<UnservedPreview, 'appId' | 'app'> {
  readonly channel: ChannelRow
  readonly bundle: BundleRow
}

export function onPhone({ appId, app, channel, bundle }: PhonePreview, { inputs }: RunContext): OnPhone {
  const { hosts } = inputs
  return {
    deepLink: channelDeepLink(appId, channel),
    obstacle: previewObstacle(app, bundle, { isCloud: hosts.api === CLOUD.api }),
    settings: hosts.console === null ? null : `${hosts.console}/app/${appId}/info`,
    selfAssignable: channel.allow_device_self_set,
  }
}
