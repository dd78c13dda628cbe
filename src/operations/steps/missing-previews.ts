/** Previews that open pull requests should have and have not: what a cleanup took from one that was reopened. */
import { CLOUD } from '../../capgo/hosts.ts'
import type { App, BundleRow, ChannelRow } from '../../capgo/schema.ts'
import type { RunContext } from '../../context.ts'
import type { PullRequest } from '../../event.ts'
import { type NotedRepository, previewedPulls, readServedCommit } from '../../plan/bundle-comment.ts'
import { webPreview } from '../../plan/preview.ts'
import { bundlePage } from '../../report/channel-results.ts'
import { stateOfComment } from '../../report/comment.ts'
import { shortSha } from '../../report/format.ts'
import { readComment, replaceComment } from './comment.ts'
import { environmentOf } from './deployment.ts'
import { aboutPull, onPhone, servedBundle } from './preview-comment.ts'

/** GitHub allows the token of a job 1000 requests an hour; the newest are looked at. */
const MAX_PULLS = 100

/** An open pull request without its preview. */
interface MissingPreview {
  readonly pull: number
  readonly warning: string
}

/**
 * Those that had a preview, or were about to, and whose channel is not there or serves an older commit, although no run
 * is on its way. Each is said in its comment too. `open` are the pull requests that want one; `noted` from `findNoted`.
 */
export async function findMissing(
  {
    app,
    open,
    noted,
    repository,
    unfinished,
  }: {
    readonly app: App
    readonly open: readonly PullRequest[]
    /** Those whose comment does not say "ready". */
    readonly unfinished: readonly number[]
    readonly noted: readonly BundleRow[]
    readonly repository: NotedRepository
  },
  context: RunContext,
): Promise<MissingPreview[]> {
  const { capgo, deps } = context
  const appId = app.app_id
  if (open.length === 0) return []
  const channels = await capgo.listChannels(appId)
  const missing: MissingPreview[] = []
  for (const pull of open.slice(0, MAX_PULLS)) {
    const channel =
      channels.find(each => previewedPulls(each, noted, repository).includes(pull.number)) ?? null
    const why = channel === null ? 'has no channel' : whyOld(channel, pull)
    if (why === null) {
      const isUnsaid = unfinished.includes(pull.number) && !(await isOnItsWay(pull, context))
      if (isUnsaid && channel !== null && !(await sayThere(app, pull, channel, context))) {
        const unknown = {
          appId,
          pull,
          why: 'is open, and its channel serves a bundle of unknown origin',
          channel,
        }
        missing.push({ pull: pull.number, warning: await sayMissing(unknown, context) })
      }
      continue
    }
    const known = await readComment(appId, pull.number, context)
    const isExpected =
      known !== null ? isPromised(known, pull) : channel !== null || (await isDeployed(appId, pull, context))
    if (!isExpected) {
      deps.log.info(`#${pull.number} ${why}: its run has not started yet, or failed.`)
      continue
    }
    if (await isOnItsWay(pull, context)) {
      deps.log.info(`#${pull.number}: a run for ${shortSha(pull.headSha)} is in progress.`)
      continue
    }
    const lost = { appId, pull, why: `is open, and its preview ${why}`, channel }
    missing.push({ pull: pull.number, warning: await sayMissing(lost, context) })
  }
  return missing
}

interface LostPreview {
  readonly appId: string
  readonly pull: PullRequest
  /** Goes on after the pull request's number: "was reopened". */
  readonly why: string
  /** The channel that it still has. */
  readonly channel: ChannelRow | null
}

/** Says in the comment that the preview is missing. Returns it as a warning. */
export async function sayMissing(lost: LostPreview, context: RunContext): Promise<string> {
  const { appId, pull, why, channel } = lost
  const known = await readComment(appId, pull.number, context)
  if (known !== null) {
    const about = aboutPull(appId, pull, context)
    const served = channel === null ? null : servedBy(channel, lost, context)
    const reason = `#${pull.number} ${why}.`
    await replaceComment({ ...about, state: 'missing', reason, served }, context)
  }
  return `#${pull.number} ${why}. To make the preview again, push to it or re-run its workflow.`
}

/** The run that put it there was ended before it could say so, or its last request came late. False where it is not there. */
async function sayThere(
  app: App,
  pull: PullRequest,
  channel: ChannelRow,
  context: RunContext,
): Promise<boolean> {
  const { version } = channel
  const note = version === null ? null : readServedCommit(version, channel.name)
  const known = await readComment(app.app_id, pull.number, context)
  if (version === null || note?.sha !== pull.headSha) return false
  if (known === null) return true
  const { hosts } = context.inputs
  await replaceComment(
    {
      ...aboutPull(app.app_id, pull, context),
      state: 'ready',
      channelName: channel.name,
      bundle: {
        id: version.id,
        name: version.name,
        url: bundlePage(hosts.console, app.app_id, version.id),
        ...onPhone({ appId: app.app_id, app, channel, bundle: version }, context),
      },
      since: note.at,
      duration: null,
      change: null,
      nativeVersions: [],
      nativeChanges: [],
      web: webPreview(app, channel, version, { isCloud: hosts.api === CLOUD.api }),
      testers: null,
      warnings: [],
    },
    context,
  )
  return true
}

function servedBy({ name, version }: ChannelRow, { appId, pull }: LostPreview, context: RunContext) {
  if (version === null) return null
  const note = readServedCommit(version, name)
  return { ...servedBundle({ appId, bundle: version, note }, pull.headSha, context), channelName: name }
}

/** Null where the channel serves the newest commit, or what a person put there instead. */
function whyOld({ name, version }: ChannelRow, { headSha }: PullRequest): string | null {
  const served = version === null ? null : readServedCommit(version, name)
  if (served === null || served.sha === headSha || served.rolledBackFrom !== null) return null
  return `serves ${shortSha(served.sha)}, not its newest commit ${shortSha(headSha)}`
}

/** Whether the comment leads people to expect a preview of this commit. A failure that they know of needs no word. */
function isPromised(text: string, { headSha }: PullRequest): boolean {
  return stateOfComment(text) !== 'failed' || !text.includes(shortSha(headSha))
}

/** Where no comment is written, deployments show that it had one. */
async function isDeployed(appId: string, { number }: PullRequest, context: RunContext): Promise<boolean> {
  if (!context.inputs.deployments) return false
  const apps = await context.bestEffort(
    'look for the deployments of a preview',
    'deployments: write',
    github => github.readDeployedApps(environmentOf(`preview/pr-${number}`, context)),
  )
  return apps?.includes(appId) ?? false
}

/** Without the permission to see runs none is known of: a run on its way writes the comment anew anyway. */
async function isOnItsWay({ headSha }: PullRequest, { github }: RunContext): Promise<boolean> {
  try {
    return (await github?.isRunOnItsWay(headSha)) ?? false
  } catch {
    return false
  }
}
