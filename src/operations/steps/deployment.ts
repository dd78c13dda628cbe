/** A publish shown as a deployment on GitHub. */
import { resolve } from 'node:path'
import type { ChannelRow } from '../../capgo/schema.ts'
import type { RunContext } from '../../context.ts'
import { RefGone } from '../../errors.ts'
import type { PublishPlan } from '../../plan/publish-facts.ts'
import { NO_RELEASE_NOTES, type ReleaseNotes, summariseReleaseNotes } from '../../plan/release-notes.ts'
import { bundlePage } from '../../report/channel-results.ts'
import { makeVisible } from '../../report/markdown.ts'
import { shownPath } from '../../runtime/paths.ts'
import type { ChannelOutcome } from './execution-context.ts'

const PERMISSION = 'deployments: write'
/** Other descriptions (of labels, of a commit's status) are refused with these: "doesn't accept 4-byte Unicode". */
const REFUSED = /(?:[\u{10000}-\u{10ffff}]\ufe0f?\u200d?)+ ?/gu

/** The deployed bundle. */
interface DeploymentSubject {
  /** `production`, `preview/pr-12`: the app's folder goes before it. */
  readonly environment: string
  readonly commit: { readonly sha: string }
  readonly purpose: { readonly kind: 'branch' | 'preview' }
}

/**
 * The name of an environment on GitHub, with the folder of an app that is not at the root before it: apps of one
 * repository have channels of the same name, and GitHub takes a deployment for the end of the one before it.
 */
export function environmentOf(name: string, { deps, inputs }: Pick<RunContext, 'deps' | 'inputs'>): string {
  const folder = shownPath(deps.workspace, resolve(deps.workspace, inputs.workingDirectory))
  return folder === '' ? name : `${folder}/${name}`
}

/** Shows the publish as a deployment on GitHub, from its beginning to what came of it. */
export async function withDeployment<T extends Pick<ChannelOutcome, 'outcome' | 'channel'>>(
  { environment: name, commit, purpose }: DeploymentSubject,
  plan: Pick<PublishPlan, 'appId' | 'channelName'> & Partial<Pick<PublishPlan, 'releaseNotes'>>,
  context: RunContext,
  publish: () => Promise<T>,
): Promise<T> {
  const { inputs, trigger, bestEffort, finalUpdate } = context
  if (!inputs.deployments) return publish()
  const environment = environmentOf(name, context)
  const transient = purpose.kind === 'preview'
  const production = name === 'production'
  const beginning = bestEffort('show the deployment', PERMISSION, github =>
    github.beginDeployment({
      appId: plan.appId,
      sha: commit.sha,
      environment,
      transient,
      production,
      channel: plan.channelName,
      changes: room => summariseReleaseNotes(describable(plan.releaseNotes ?? NO_RELEASE_NOTES), room),
      logUrl: trigger.runUrl,
    }),
  )
  // The caller that awaits it gets the error. Until then it must not end the process as an unhandled rejection.
  beginning.catch(() => {})
  const end = async (state: 'success' | 'failure' | 'inactive', channel: ChannelRow | null) => {
    const id = await beginning
    if (id === null) return
    await finalUpdate('show how the deployment ended', PERMISSION, async github => {
      const url = bundlePage(inputs.hosts.console, plan.appId, channel?.version?.id ?? null)
      await github.setDeploymentState(id, state, { url, logUrl: trigger.runUrl })
      // As GitHub does it for those that are neither, but for our own alone.
      if (!production && state === 'success') await github.retireDeployments(environment, plan.appId, id)
    })
  }
  let published: T
  try {
    published = await publish()
  } catch (error) {
    await end(error instanceof RefGone ? 'inactive' : 'failure', null)
    throw error
  }
  await end(published.outcome === 'stale' ? 'inactive' : 'success', published.channel)
  return published
}

function describable({ titles, more }: ReleaseNotes): ReleaseNotes {
  const texts = titles.map(title => makeVisible(title.replace(REFUSED, '').trim()))
  const shown = texts.filter(text => text !== '')
  return { titles: shown, more: more + texts.length - shown.length }
}
