import { isDeepStrictEqual } from 'node:util'
import { type PullRequest, toPullRequest } from '../event.ts'
import { gatherAppId } from '../gather.ts'
import type { Operation } from '../plan/operation.ts'
import { commitOfPull, pullName } from '../plan/preview.ts'
import { failure } from '../report/outcome.ts'
import type { CleanedResult, RemovedPreview, SkippedResult } from '../report/result.ts'
import type { TestersReport } from '../report/testers.ts'
import {
  findLeftovers,
  findPreviewedPulls,
  type Removed,
  removeAbandoned,
  removeLeftovers,
} from './cleanup.ts'
import { PULL_REQUESTS, writeComment } from './comment.ts'
import type { RunContext } from './context.ts'
import { environmentOf } from './deployment.ts'
import { convergeForPull, convergeOnSchedule, readTestersFile } from './testers.ts'

/** A pull request whose preview shall go. */
interface Closing {
  readonly pull: PullRequest
  /** "#12 was merged". */
  readonly why: string
  /** The channel that it would have by today's inputs; others that it has are found by what they serve. */
  readonly channelName: string | null
  /** Whether its testers are still to be moved on. */
  readonly movesTesters: boolean
}

/** Removes the preview of a pull request; not where the job is run again after the pull request was reopened. */
export async function cleanup(
  operation: Extract<Operation, { kind: 'cleanup' }>,
  context: RunContext,
): Promise<CleanedResult | SkippedResult> {
  const { number } = operation.pull
  const now = await readPull(number, context)
  if (now !== null && hasPreview(now, context))
    return {
      kind: 'skipped',
      outcome: 'skipped',
      reason: `#${number} is open again, so its preview stays.`,
      testers: null,
      warnings: [],
    }
  const appId = await readAppId(context)
  return closePreview(appId, { ...operation, movesTesters: true }, context)
}

/**
 * Removes the previews of every pull request that is no longer open (or has lost the label), and what runs began to
 * upload that were never finished.
 */
export async function sweep(context: RunContext): Promise<CleanedResult> {
  const { inputs, trigger, capgo, github, deps } = context
  const appId = await readAppId(context)
  // First the testers: nobody is on a channel that goes.
  const testers = await convergeOnSchedule(appId, context)
  const numbers = await findPreviewedPulls(appId, trigger.repository, capgo)
  const previews: RemovedPreview[] = []
  for (const number of numbers) {
    const answer = github === null ? null : await github.readPull(number)
    if (answer === null) {
      deps.log.info(`#${number}: GitHub does not show this pull request, so its preview stays.`)
      continue
    }
    const pull = toPullRequest(answer)
    if (hasPreview(pull, context)) {
      deps.log.info(`#${number} is open: its preview stays.`)
      continue
    }
    const why = pull.open
      ? `#${number} has no label "${inputs.previewLabel}"`
      : `#${number} is ${pull.merged ? 'merged' : 'closed'}`
    previews.push(
      ...(await closePreview(appId, { pull, why, channelName: null, movesTesters: false }, context)).previews,
    )
  }
  if (!inputs.dryRun)
    for (const name of await removeAbandoned(appId, deps.now(), capgo))
      deps.log.info(`Bundle ${name} was begun more than a day ago and never finished: removed.`)
  const removed = previews.filter(({ channels, bundles }) => channels.length + bundles.length > 0)
  return {
    kind: 'cleaned',
    outcome: inputs.dryRun ? 'planned' : 'cleaned',
    reason:
      removed.length === 0
        ? 'No preview was left behind.'
        : `Previews of ${removed.map(({ pull }) => `#${pull}`).join(', ')}.`,
    appId,
    previews: removed,
    testers,
    warnings: [],
  }
}

/** The pull request as it is now; null where GitHub does not tell, which is a warning. */
export async function readPull(number: number, { courtesy }: RunContext): Promise<PullRequest | null> {
  return courtesy('see whether the pull request is open', PULL_REQUESTS, async github => {
    const answer = await github.readPull(number)
    return answer === null ? null : toPullRequest(answer)
  })
}

/** Whether it shall have a preview. */
export function hasPreview({ open, labels }: PullRequest, { inputs }: RunContext): boolean {
  return open && (inputs.previewLabel === null || labels.includes(inputs.previewLabel))
}

/** Channel and deployments, the comment says so, and then the bundles, by which a later run would find the rest. */
export async function closePreview(
  appId: string,
  { pull, why, channelName, movesTesters }: Closing,
  context: RunContext,
): Promise<CleanedResult> {
  const { deps, inputs, trigger, capgo, courtesy } = context
  const { number } = pull
  const testers = movesTesters ? await moveTestersOn(appId, number, context) : null
  const leftovers = await findLeftovers(appId, pullName(trigger.repository, number), channelName, capgo)
  if (inputs.dryRun)
    return cleaned(appId, 'planned', why, testers, {
      pull: number,
      why,
      channels: leftovers.channels.map(({ name }) => name),
      bundles: leftovers.bundles.map(({ name }) => name),
      devices: 0,
      kept: leftovers.kept,
    })
  const { sha, url } = commitOfPull(pull, trigger)
  const say = (removed: Removed) =>
    writeComment(
      {
        state: 'closed',
        appId,
        pull: number,
        commit: { sha, url },
        runUrl: trigger.runUrl,
        channel: { name: removed.channels[0] ?? channelName ?? '', id: null, selfAssignable: false },
        bundle: null,
        change: null,
        natives: [],
        nativeChanges: [],
        devices: null,
        deepLink: null,
        web: null,
        testers,
        warnings: [],
        error: null,
        removed: {
          channel: removed.channels.length > 0,
          bundles: removed.bundles.length,
          devices: removed.devices,
          kept: removed.kept,
        },
      },
      context,
    )
  const removed = await deps.log.group(`Remove the preview of #${number}`, async () => {
    let said: Removed | null = null
    const removed = await removeLeftovers(appId, leftovers, capgo, async expected => {
      if (inputs.deployments)
        await courtesy('end the deployments', 'deployments: write', github =>
          github.endDeployments(environmentOf(`preview/pr-${number}`, context), appId),
        )
      await say(expected)
      said = expected
    })
    if (!isDeepStrictEqual(removed, said)) await say(removed)
    for (const name of removed.channels)
      deps.log.info(`Channel ${name} (${removed.devices} devices taken off).`)
    for (const name of removed.bundles) deps.log.info(`Bundle ${name}.`)
    for (const kept of removed.kept) deps.log.info(kept)
    return removed
  })
  return cleaned(appId, 'cleaned', why, testers, { pull: number, why, ...removed })
}

/** Before the channel goes, so that no device is without one. A testers file that is broken does not keep it from going. */
async function moveTestersOn(
  appId: string,
  closing: number,
  context: RunContext,
): Promise<TestersReport | null> {
  try {
    return await convergeForPull(appId, { published: null, closing }, await readTestersFile(context), context)
  } catch (error) {
    context.deps.stop.signal.throwIfAborted()
    const { reason } = failure(error)
    context.deps.log.warning(`The testers were not moved on: ${reason}`)
    return null
  }
}

function cleaned(
  appId: string,
  outcome: CleanedResult['outcome'],
  why: string,
  testers: TestersReport | null,
  preview: RemovedPreview,
): CleanedResult {
  const isEmpty = preview.channels.length + preview.bundles.length === 0
  return {
    kind: 'cleaned',
    outcome,
    reason: isEmpty
      ? `${why}, and nothing of its preview was there.`
      : `${why}, so its preview ${outcome === 'planned' ? 'would go' : 'is gone'}.`,
    appId,
    previews: [preview],
    testers,
    warnings: [],
  }
}

/** The app, and the proof that the key is good: the database answers a wrong key with empty lists. */
async function readAppId({ deps, inputs, trigger, capgo }: RunContext): Promise<string> {
  const appId = await gatherAppId(inputs, trigger, deps)
  await capgo.readApp(appId)
  return appId
}
