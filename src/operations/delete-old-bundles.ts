import { notDeleted } from '../capgo/channel-deletes.ts'
import type { RunContext } from '../context.ts'
import { ActionError } from '../errors.ts'
import { planHousekeeping } from '../plan/old-bundles.ts'
import type { ExplicitOperation } from '../plan/operation.ts'
import { plural } from '../report/format.ts'
import { progressReporter } from '../report/progress.ts'
import type { HousekeepingResult } from '../report/result.ts'
import { readApp } from './steps/channel-change.ts'

/** So many errors are told one by one. */
const ERRORS_SHOWN = 10

/** Deletes old bundles, each by its name. Throws `cleanup_incomplete` when some could not be deleted. */
export async function keepHouse(
  { keep }: Extract<ExplicitOperation, { kind: 'housekeep' }>,
  context: RunContext,
): Promise<HousekeepingResult> {
  const { deps, inputs, capgo } = context
  const { log, clock } = deps
  const { appId } = await readApp(context)
  const { remove, kept } = await log.group('Look for old bundles', async () => {
    // The bundles first: what is put on a channel in between is on it then.
    const bundles = await capgo.listBundles(appId)
    const channels = await capgo.listChannels(appId)
    const plan = planHousekeeping(bundles, channels, keep)
    log.info(
      `${plural(bundles.length, 'bundle')}: ${plan.remove.length} to delete, ${plan.kept.served} served, ${plan.kept.rollback} to roll back to, ${plan.kept.newest} among the newest, ${plan.kept.foreign} not made by this action, ${plan.kept.unfinished} unfinished.`,
    )
    return plan
  })
  const base = { kind: 'housekeeping', appId, keep, kept, testers: null, warnings: [] } as const
  const named = remove.map(({ id, name, created_at }) => ({ id, name, made: created_at }))
  if (remove.length > 0)
    await capgo.requirePermission('delete bundles', 'bundle.delete', { appId, channelId: null })
  if (inputs.dryRun)
    return {
      ...base,
      outcome: 'planned',
      reason:
        remove.length === 0
          ? 'Dry run: there is no old bundle to delete.'
          : `Dry run: ${plural(remove.length, 'old bundle')} would be deleted. Nothing was written.`,
      removed: named,
      linked: [],
    }
  if (remove.length === 0)
    return {
      ...base,
      outcome: 'cleaned',
      reason: 'There is no old bundle to delete.',
      removed: [],
      linked: [],
    }
  const answers = await log.group('Delete old bundles', async () => {
    const say = progressReporter(log, clock, (done, total) => `${done} of ${plural(total, 'bundle')}.`)
    const names = remove.map(({ name }) => name)
    const answers = await capgo.deleteBundles(appId, names, tried => say(tried, names.length))
    const deleted = remove.filter(({ name }) => answers.get(name) === 'deleted')
    for (const { name } of await capgo.readRemaining(
      appId,
      deleted.map(({ id }) => id),
    ))
      answers.set(name, notDeleted(`bundle ${name}`))
    return answers
  })
  const failed = [...answers].flatMap(([name, answer]) =>
    answer instanceof ActionError ? [{ name, message: answer.message }] : [],
  )
  const gone = named.filter(({ name }) => answers.get(name) === 'deleted')
  if (failed.length > 0)
    throw new ActionError(
      'cleanup_incomplete',
      `${plural(gone.length, 'old bundle')} deleted, ${failed.length} not: ${failed[0]!.message}`,
      {
        hint: 'Run the job again: it goes on with those that are left.',
        // One alone is in the message already.
        problems: (failed.length === 1 ? [] : failed.slice(0, ERRORS_SHOWN)).map(({ name, message }) => ({
          message: `${name}: ${message}`,
          at: null,
        })),
      },
    )
  const linked = named.filter(({ name }) => answers.get(name) === 'linked').map(({ name }) => name)
  return {
    ...base,
    outcome: 'cleaned',
    reason: `${plural(gone.length, 'old bundle')} deleted.`,
    removed: gone,
    linked,
  }
}
