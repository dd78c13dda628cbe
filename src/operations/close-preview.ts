/** A pull request was closed, or wants no preview any more: its preview goes. */
import { isDeepStrictEqual } from 'node:util'
import type { RunContext } from '../context.ts'
import { type PullRequest, toPullRequest } from '../event.ts'
import type { NotedRepository } from '../plan/bundle-comment.ts'
import type { Operation } from '../plan/operation.ts'
import { commitOfPull, wantsPreview } from '../plan/preview.ts'
import { stateOfComment } from '../report/comment.ts'
import { failure, skippedResult } from '../report/outcome.ts'
import type { CleanedResult, RemovedPreview, SkippedResult } from '../report/result.ts'
import type { TestersReport } from '../report/testers.ts'
import { findAppIds } from './steps/app-ids.ts'
import { PULL_REQUESTS, readComment, writeComment } from './steps/comment.ts'
import { environmentOf } from './steps/deployment.ts'
import { sayMissing } from './steps/missing-previews.ts'
import {
  findLeftovers,
  findNoted,
  type Leftovers,
  type Removed,
  removeLeftovers,
} from './steps/preview-leftovers.ts'
import { readRepository } from './steps/repository.ts'
import { convergeForClosing } from './testers.ts'

/** A pull request whose preview goes. */
interface Closing {
  readonly pull: PullRequest
  /** "#12 was merged". */
  readonly why: string
  /** The channel that it would have by today's inputs; others that it has are found by what they serve. */
  readonly channelName: string | null
  /** Whether its testers are still to be moved on. */
  readonly movesTesters: boolean
  /** Where it is known already. */
  readonly repository?: NotedRepository
}

type Close = Extract<Operation, { kind: 'close-preview' }>

/** Removes the preview of a pull request whose event says that it ends, or that wants none. */
export function closePreview(operation: Close, context: RunContext): Promise<CleanedResult | SkippedResult> {
  return operation.isEnding ? closeEnded(operation, context) : closeUnwanted(operation, context)
}

/**
 * A pull request that wants no preview and whose event does not say that one ends: the run of the event that said so
 * may have been replaced by this one. What cannot be looked at is a warning here.
 */
async function closeUnwanted(operation: Close, context: RunContext): Promise<CleanedResult | SkippedResult> {
  const { number } = operation.pull
  const reason = `${operation.why}, so it gets no preview.`
  try {
    const result = await closeEnded(operation, context)
    const isEmpty =
      result.kind === 'cleaned' &&
      result.previews.every(({ channels, bundles }) => channels.length + bundles.length === 0)
    return isEmpty ? skippedResult({ reason }) : result
  } catch (error) {
    context.deps.stop.signal.throwIfAborted()
    const { reason: why } = failure(error)
    const warnings = [`Could not check whether #${number} still has a preview: ${why}`]
    return skippedResult({ reason, warnings })
  }
}

/** Not where the job is run again after the pull request was reopened. */
async function closeEnded(operation: Close, context: RunContext): Promise<CleanedResult | SkippedResult> {
  const { number } = operation.pull
  const now = await readPull(number, context)
  if (now !== null && wantsPreview(now, context.inputs))
    return skippedResult({ reason: `#${number} is open again, so its preview stays.` })
  const [appId, ...others] = await findAppIds(number, context)
  const closing = { ...operation, movesTesters: true }
  const first = await removePreview(appId, closing, context)
  const results = [first]
  for (const other of others) results.push(await removePreview(other, closing, context))
  return {
    ...first,
    reason: [...new Set(results.map(({ reason }) => reason))].join(' '),
    previews: results.flatMap(({ previews }) => previews),
    warnings: results.flatMap(({ warnings }) => warnings),
  }
}

/** The pull request as it is now; null where GitHub does not tell, which is a warning. */
export async function readPull(number: number, { courtesy }: RunContext): Promise<PullRequest | null> {
  return courtesy('see whether the pull request is open', PULL_REQUESTS, async github => {
    const answer = await github.readPull(number)
    return answer === null ? null : toPullRequest(answer)
  })
}

/** Channel and deployments, the comment says so, and then the bundles, by which a later run would find the rest. */
export async function removePreview(
  appId: string,
  closing: Closing,
  context: RunContext,
): Promise<CleanedResult> {
  const { inputs, capgo } = context
  const { pull, why, channelName } = closing
  const { number } = pull
  const testers = closing.movesTesters ? await moveTestersOn(appId, number, context) : null
  const noted = await findNoted(appId, number, capgo)
  const repository = closing.repository ?? (await readRepository(noted, context))
  const leftovers = await findLeftovers(appId, number, channelName, noted, repository, capgo)
  if (inputs.dryRun) {
    for (const { id, name } of leftovers.channels)
      await capgo.requirePermission(`delete channel ${name}`, 'channel.delete', { appId, channelId: id })
    const planned = { ...namesOf(leftovers), pull: number, why, devices: 0 }
    return cleaned(appId, 'planned', `${why}, so its preview would go.`, testers, planned)
  }
  const { removed, isReopened } = await remove(appId, closing, leftovers, testers, context)
  // Reopened while it was removed: that run has found what was going to go.
  const now = await readPull(number, context)
  const isOpen = now !== null && wantsPreview(now, inputs)
  const preview = { pull: number, why, ...removed }
  if (!isOpen) return cleaned(appId, 'cleaned', `${why}, so its preview is gone.`, testers, preview)
  const hasLost = removed.channels.length + removed.bundles.length > 0
  const warnings = hasLost
    ? [await sayMissing(appId, now, 'was reopened while its preview was removed', null, context)]
    : []
  const stays = isReopened ? `, so ${hasLost ? 'the rest of its preview' : 'its preview'} stays` : ''
  return {
    ...cleaned(appId, 'cleaned', why, testers, preview),
    reason: `#${number} is open again${stays}.`,
    warnings,
  }
}

/** Removes it, and says so before the bundles go, and again where that came out differently. */
async function remove(
  appId: string,
  { pull, channelName }: Closing,
  leftovers: Leftovers,
  testers: TestersReport | null,
  context: RunContext,
) {
  const { deps, inputs, capgo, courtesy } = context
  const { number } = pull
  let said: Removed | null = null
  const say = async (removed: Removed): Promise<void> => {
    said = structuredClone(removed)
    const isNothing = removed.channels.length + removed.bundles.length + removed.devices === 0
    const known = isNothing ? await readComment(appId, number, context) : null
    // What an earlier run removed and said is not said anew.
    if (known !== null && stateOfComment(known.body) === 'closed') return
    await writeComment(describe(appId, pull, channelName, removed, testers, context), context)
  }
  return deps.log.group(`Remove the preview of #${number}`, async () => {
    const { removed, isReopened, error } = await removeLeftovers(appId, leftovers, capgo, {
      async mayGoOn() {
        const now = await readPull(number, context)
        return now === null || !wantsPreview(now, inputs)
      },
      async announce(expected) {
        if (inputs.deployments)
          await courtesy('end the deployments', 'deployments: write', github =>
            github.endDeployments(environmentOf(`preview/pr-${number}`, context), appId),
          )
        await say(expected)
      },
    })
    if (!isReopened && !isDeepStrictEqual(removed, said)) await say(removed)
    for (const name of removed.channels)
      deps.log.info(`Channel ${name} (${removed.devices} devices taken off).`)
    for (const name of removed.bundles) deps.log.info(`Bundle ${name}.`)
    for (const kept of removed.kept) deps.log.info(kept)
    if (error !== null) throw error
    return { removed, isReopened }
  })
}

function describe(
  appId: string,
  pull: PullRequest,
  channelName: string | null,
  removed: Removed,
  testers: TestersReport | null,
  { trigger }: RunContext,
) {
  const { sha, url } = commitOfPull(pull, trigger)
  return {
    state: 'closed',
    appId,
    pull: pull.number,
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
    missing: null,
    removed: {
      channel: removed.channels.length > 0,
      bundles: removed.bundles.length,
      devices: removed.devices,
      kept: removed.kept,
    },
  } as const
}

function namesOf({ channels, taken, bundles, kept }: Leftovers) {
  return {
    channels: channels.map(({ name }) => name),
    bundles: bundles.map(({ name }) => name),
    kept: [
      ...kept,
      ...taken.map(
        ({ channel, before }) =>
          `Channel ${channel.name} would stay and get back what it served before the preview (${before}): no preview made it.`,
      ),
    ],
  }
}

/** Before the channel goes, so that no device is without one. A testers file that is broken does not keep it from going. */
async function moveTestersOn(
  appId: string,
  closing: number,
  context: RunContext,
): Promise<TestersReport | null> {
  try {
    return await convergeForClosing(appId, closing, context)
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
  reason: string,
  testers: TestersReport | null,
  preview: RemovedPreview,
): CleanedResult {
  const isEmpty = preview.channels.length + preview.bundles.length === 0
  return {
    kind: 'cleaned',
    outcome,
    reason: isEmpty ? `${preview.why}, and nothing of its preview was there.` : reason,
    appId,
    previews: [preview],
    testers,
    warnings: [],
  }
}
