/** Removes the preview of a pull request: what the operations do that end one. */
import { isDeepStrictEqual } from 'node:util'
import type { RunContext } from '../../context.ts'
import type { PullRequest } from '../../event.ts'
import type { NotedRepository } from '../../plan/bundle-comment.ts'
import { wantsPreview } from '../../plan/preview.ts'
import type { Leftovers } from '../../plan/preview-leftovers.ts'
import { stateOfComment } from '../../report/comment.ts'
import { plural } from '../../report/format.ts'
import type { PreviewComment } from '../../report/preview-comment.ts'
import type { ClosedPreview, PreviewsClosedResult } from '../../report/result.ts'
import { failure } from '../../report/results.ts'
import type { TestersReport } from '../../report/testers.ts'
import { readComment, writeComment } from './comment.ts'
import { environmentOf } from './deployment.ts'
import { sayMissing } from './missing-previews.ts'
import { aboutPull } from './preview-comment.ts'
import { findLeftovers, findNoted, type RemovedParts, removeLeftovers } from './preview-leftovers.ts'
import { readPull } from './pull-request.ts'
import { readRepository } from './repository.ts'
import { reconcileForClosing } from './testers.ts'

/** A pull request whose preview goes. */
interface EndedPreview {
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

/** Channel and deployments, the comment says so, and then the bundles, by which a later run would find the rest. */
export async function removePreview(
  appId: string,
  closing: EndedPreview,
  context: RunContext,
): Promise<PreviewsClosedResult> {
  const { inputs, capgo } = context
  const { pull, why, channelName } = closing
  const { number } = pull
  const testers = closing.movesTesters ? await moveTestersOn(appId, number, context) : null
  const noted = await findNoted(appId, number, capgo)
  const repository = closing.repository ?? (await readRepository(noted, context))
  const leftovers = await findLeftovers(appId, { number, channelName, noted, repository }, capgo)
  const removal = { appId, closing, leftovers, testers }
  if (inputs.dryRun) return rehearse(removal, context)
  const { removed, isReopened } = await remove(removal, context)
  const preview = { pull: number, why, ...removed }
  const result = closedResult(appId, preview, testers)
  // Reopened while it was removed: that run has found what was going to go.
  const now = await readPull(number, context)
  if (now === null || !wantsPreview(now, inputs)) return result
  const hasLost = !isEmpty(removed)
  const lost = { appId, pull: now, why: 'was reopened while its preview was removed', channel: null }
  const warnings = hasLost ? [await sayMissing(lost, context)] : []
  const stays = isReopened ? `, so ${hasLost ? 'the rest of its preview' : 'its preview'} is kept` : ''
  return { ...result, reason: `#${number} is open again${stays}.`, warnings }
}

interface Removal {
  readonly appId: string
  readonly closing: EndedPreview
  readonly leftovers: Leftovers
  readonly testers: TestersReport | null
}

/** The plan of a dry run. Throws `permission_missing` where the key cannot delete a channel. */
async function rehearse(
  { appId, closing, leftovers, testers }: Removal,
  { capgo }: RunContext,
): Promise<PreviewsClosedResult> {
  const { pull, why } = closing
  for (const { id, name } of leftovers.channels)
    await capgo.requirePermission(`delete channel ${name}`, 'channel.delete', { appId, channelId: id })
  const planned = { pull: pull.number, why, ...namesOf(leftovers), devices: 0 }
  const result = closedResult(appId, planned, testers)
  return {
    ...result,
    outcome: 'planned',
    reason: isEmpty(planned) ? result.reason : `${why}, so its preview would be deleted.`,
  }
}

/** Removes it, and says so before the bundles go, and again where that came out differently. */
async function remove(removal: Removal, context: RunContext) {
  const { appId, closing, leftovers } = removal
  const { deps, inputs, capgo, bestEffort } = context
  const { number } = closing.pull
  let announced: RemovedParts | null = null
  const say = async (removed: RemovedParts): Promise<void> => {
    announced = structuredClone(removed)
    const known = isEmpty(removed) && removed.devices === 0 ? await readComment(appId, number, context) : null
    // Results of an earlier run are not reported again.
    if (known !== null && stateOfComment(known) === 'closed') return
    await writeComment(describe(removed, removal, context), context)
  }
  return deps.log.group(`Delete the preview of #${number}`, async () => {
    const { removed, isReopened, error } = await removeLeftovers(appId, leftovers, capgo, {
      async mayGoOn() {
        const now = await readPull(number, context)
        return now === null || !wantsPreview(now, inputs)
      },
      async announce(expected) {
        if (inputs.deployments)
          await bestEffort('end the deployments', 'deployments: write', github =>
            github.endDeployments(environmentOf(`preview/pr-${number}`, context), appId),
          )
        await say(expected)
      },
    })
    if (!isReopened && !isDeepStrictEqual(removed, announced)) await say(removed)
    for (const name of removed.channels)
      deps.log.info(
        `Deleted channel ${name}${removed.devices === 0 ? '' : ` (${plural(removed.devices, 'device')} on it)`}.`,
      )
    for (const name of removed.bundles) deps.log.info(`Deleted bundle ${name}.`)
    for (const kept of removed.kept) deps.log.info(kept)
    if (error !== null) throw error
    return { removed, isReopened }
  })
}

function describe(
  { channels, bundles, devices, kept }: RemovedParts,
  { appId, closing, testers }: Removal,
  context: RunContext,
): PreviewComment {
  return {
    ...aboutPull(appId, closing.pull, context),
    state: 'closed',
    why: closing.why,
    removed: { channel: channels[0] ?? null, bundles: bundles.length, devices, kept },
    testers: testers?.rows ?? [],
  }
}

function namesOf({ channels, taken, bundles, kept }: Leftovers) {
  return {
    channels: channels.map(({ name }) => name),
    bundles: bundles.map(({ name }) => name),
    kept: [
      ...kept,
      ...taken.map(
        ({ channel, before }) =>
          `Channel ${channel.name} would be kept and return to its bundle before the preview (${before}): no preview created it.`,
      ),
    ],
  }
}

function isEmpty({ channels, bundles }: Pick<RemovedParts, 'channels' | 'bundles'>): boolean {
  return channels.length + bundles.length === 0
}

/** Before the channel goes, so that no device is without one. A testers file that is broken does not keep it from going. */
async function moveTestersOn(
  appId: string,
  closing: number,
  context: RunContext,
): Promise<TestersReport | null> {
  try {
    return await reconcileForClosing(appId, closing, context)
  } catch (error) {
    context.deps.cancellation.signal.throwIfAborted()
    const { reason } = failure(error)
    context.deps.log.warning(`The testers were not moved: ${reason}`)
    return null
  }
}

function closedResult(
  appId: string,
  preview: ClosedPreview,
  testers: TestersReport | null,
): PreviewsClosedResult {
  const end = isEmpty(preview) ? 'and it had no preview to delete' : 'so its preview is deleted'
  return {
    kind: 'previews-closed',
    outcome: 'cleaned',
    reason: `${preview.why}, ${end}.`,
    appId,
    previews: [preview],
    testers,
    warnings: [],
  }
}
