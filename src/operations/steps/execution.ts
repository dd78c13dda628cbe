/** Carries out a publish plan. Each step may be repeated, and devices see nothing before the last one. */
import type { BundleRow, ChannelRow } from '../../capgo/schema.ts'
import { ActionError } from '../../errors.ts'
import { readServedCommit } from '../../plan/bundle-comment.ts'
import type { PublishAction, PublishPlan } from '../../plan/publish-facts.ts'
import { reopenRow } from './bundle-row.ts'
import type { DeltaStore } from './delta-upload.ts'
import type { ChannelOutcome, Execution, ExecutionContext } from './execution-context.ts'
import { noteOn } from './note.ts'
import { promoteChannel, readBack, requirePromotion, sentence } from './promote-channel.ts'
import { type StoredBundle, storeBundle } from './upload.ts'

/** Throws `permission_missing` before the first write when the key lacks a permission that the plan needs. */
export async function execute(plan: PublishPlan, context: ExecutionContext): Promise<Execution> {
  const { action } = plan
  if (action.do === 'keep') return keep(plan, action, context)
  const stored =
    action.do === 'promote'
      ? storedBefore(plan, action.bundle, context)
      : await storeBundle(plan, action, context)
  await context.beforeSeen(stored.name)
  const frozen = await stored.freeze()
  const { bundle } = frozen
  const isTaken = stored.takenUp === null || (await stored.takenUp())
  if (!isTaken && stored.isDeltaOnly)
    throw new ActionError(
      'delta_not_taken_up',
      `Capgo has not processed the files of bundle ${bundle.name} yet, so no device could get it.`,
      { hint: 'Nothing was published. The server processes files in the background. Re-run the job later.' },
    )
  const of = {
    size: stored.size,
    delta: stored.delta?.report ?? null,
    files: stored.delta?.files ?? null,
    warnings: isTaken
      ? []
      : ['Capgo has not processed the delta files yet. Until then devices download the whole zip.'],
  }
  // Somebody may have changed it while the server took its time.
  const channel =
    stored.takenUp === null ? frozen.channel : await context.capgo.readChannel(plan.appId, plan.channelName)
  const outcome = withFiles(await promoteChannel(plan, bundle, channel, context), stored.delta)
  if (outcome.outcome === 'published') context.onServed({ ...outcome, ...of })
  return { ...outcome, ...of }
}

/**
 * All that a run can know before it writes: it throws what that would be refused with (`permission_missing`,
 * `on_premise_app`), or cannot do (`session_key_unreadable`). The first write of a real run reports the rest.
 */
export async function rehearse(
  plan: PublishPlan,
  { capgo, app, content }: Pick<ExecutionContext, 'capgo' | 'app' | 'content'>,
): Promise<void> {
  const { action, appId } = plan
  if (action.do === 'keep') return
  await requirePromotion(plan, capgo)
  if (action.do === 'promote') return
  if (action.do === 'resume') reopenRow(action.bundle, content)
  await capgo.requirePermission('upload a bundle', 'app.upload_bundle', { appId, channelId: null })
  await capgo.requireStorage(app.owner_org, appId)
}

/** The server counts the delta files in the background; that they are there is known here. */
function withFiles(outcome: ChannelOutcome, delta: DeltaStore | null): ChannelOutcome {
  const { bundle, channel } = outcome
  if (bundle === null || delta === null) return outcome
  const counted = { manifest_count: delta.manifest.length }
  const version = channel.version?.id === bundle.id ? { ...channel.version, ...counted } : channel.version
  return { ...outcome, bundle: { ...bundle, ...counted }, channel: { ...channel, version } }
}

async function keep(
  plan: PublishPlan,
  action: Extract<PublishAction, { do: 'keep' }>,
  context: ExecutionContext,
): Promise<Execution> {
  const { capgo, commit } = context
  const channel = context.channel ?? (await readBack(plan, capgo))
  // Without this note a slower run of an older commit would not know that it is older.
  if (action.outcome === 'unchanged' && readServedCommit(action.bundle, plan.channelName)?.sha !== commit.sha)
    await note(plan, action.bundle, context)
  const why = plan.decisions.find(decision => decision.what === 'bundle')?.why ?? ''
  const bundle = action.outcome === 'unchanged' ? action.bundle : null
  return {
    outcome: action.outcome,
    reason: sentence(why),
    channel,
    bundle,
    size: null,
    delta: null,
    files: null,
    warnings: [],
  }
}

/** A ready bundle with this content gets this run's commit; without that note it is still promoted. */
function storedBefore(plan: PublishPlan, bundle: BundleRow, context: ExecutionContext): StoredBundle {
  const { capgo } = context
  return {
    name: bundle.name,
    async freeze(): Promise<{ bundle: BundleRow; channel: ChannelRow | null }> {
      await requirePromotion(plan, capgo)
      const [, channel] = await Promise.all([
        note(plan, bundle, context),
        capgo.readChannel(plan.appId, plan.channelName),
      ])
      return { bundle, channel }
    },
    delta: null,
    takenUp: null,
    isDeltaOnly: false,
    size: null,
  }
}

async function note(
  { appId, channelName, comment, link }: PublishPlan,
  bundle: BundleRow,
  { capgo, log }: ExecutionContext,
): Promise<void> {
  const isNoted = await noteOn(bundle, channelName, { noted: comment, link }, { appId, capgo })
  if (!isNoted) log('The commit could not be recorded on the bundle. The publish continues.')
}
