/** `operation: cleanup`: old bundles are deleted, each by its name. */
import { notDeleted } from '../capgo/channel-deletes.ts'
import type { BundleRow } from '../capgo/schema.ts'
import type { RunContext } from '../context.ts'
import { ActionError } from '../errors.ts'
import { type OldBundlesPlan, planOldBundles } from '../plan/old-bundles.ts'
import type { ExplicitOperation } from '../plan/operation.ts'
import { plural } from '../report/format.ts'
import { progressReporter } from '../report/progress.ts'
import type { OldBundlesResult } from '../report/result.ts'
import { listKept } from '../report/status.ts'
import { readApp } from './steps/app.ts'

/** So many errors are listed one by one. */
const MAX_ERRORS = 10

/** Throws `cleanup_incomplete` when some could not be deleted. */
export async function deleteOldBundles(
  { keep }: Extract<ExplicitOperation, { kind: 'delete-old-bundles' }>,
  context: RunContext,
): Promise<OldBundlesResult> {
  const { inputs, capgo } = context
  const { appId } = await readApp(context)
  const { remove, kept } = await context.deps.log.group('Find old bundles', () =>
    planDeletion(appId, keep, context),
  )
  context.deps.log.info(describePlan(remove.length, kept))
  if (remove.length > 0)
    await capgo.requirePermission('delete bundles', 'bundle.delete', { appId, channelId: null })
  const base = { kind: 'old-bundles', appId, keep, kept, testers: null, warnings: [] } as const
  if (inputs.dryRun)
    return {
      ...base,
      outcome: 'planned',
      reason:
        remove.length === 0
          ? 'Dry run: no old bundle would be deleted.'
          : `Dry run: ${plural(remove.length, 'old bundle')} would be deleted. Nothing was written.`,
      removed: remove.map(named),
      linked: [],
    }
  if (remove.length === 0)
    return {
      ...base,
      outcome: 'cleaned',
      reason: 'No old bundle to delete.',
      removed: [],
      linked: [],
    }
  const { deleted, linked } = await deleteAll(appId, remove, context)
  return {
    ...base,
    outcome: 'cleaned',
    reason: `${plural(deleted.length, 'old bundle')} deleted.`,
    removed: deleted.map(named),
    linked: linked.map(({ name }) => name),
  }
}

async function planDeletion(appId: string, keep: number, { capgo }: RunContext): Promise<OldBundlesPlan> {
  // The bundles first: what is put on a channel in between is on it then.
  const bundles = await capgo.listBundles(appId)
  const channels = await capgo.listChannels(appId)
  return planOldBundles(bundles, channels, keep)
}

function describePlan(count: number, kept: OldBundlesPlan['kept']): string {
  const stay = listKept(kept)
  return `Plan: delete ${plural(count, 'bundle')}${stay.length === 0 ? '' : `, keep ${stay.join(', ')}`}.`
}

/** Returns those that are gone, and those that a channel came to serve meanwhile. */
async function deleteAll(
  appId: string,
  remove: readonly BundleRow[],
  { deps, capgo }: RunContext,
): Promise<{ deleted: BundleRow[]; linked: BundleRow[] }> {
  const { log, clock } = deps
  const answers = await log.group('Delete old bundles', async () => {
    const say = progressReporter(
      log,
      clock,
      (done, total) => `Deleted ${done} of ${plural(total, 'bundle')}.`,
    )
    const names = remove.map(({ name }) => name)
    const answers = await capgo.deleteBundles(appId, names, tried => say(tried, names.length))
    const ids = remove.filter(({ name }) => answers.get(name) === 'deleted').map(({ id }) => id)
    for (const { name } of await capgo.readRemaining(appId, ids))
      answers.set(name, notDeleted(`bundle ${name}`))
    return answers
  })
  const of = (answer: 'deleted' | 'linked') => remove.filter(({ name }) => answers.get(name) === answer)
  const failures = [...answers].flatMap(([name, answer]) =>
    answer instanceof ActionError ? [{ name, message: answer.message }] : [],
  )
  const deleted = of('deleted')
  requireNone(failures, deleted.length)
  return { deleted, linked: of('linked') }
}

function requireNone(
  failures: readonly { readonly name: string; readonly message: string }[],
  deleted: number,
): void {
  const [first] = failures
  if (first === undefined) return
  throw new ActionError(
    'cleanup_incomplete',
    `Could not delete ${plural(failures.length, 'old bundle')} (${deleted} deleted): ${first.message}`,
    {
      hint: 'Re-run the job. It continues with the rest.',
      // One alone is in the message already.
      problems: (failures.length === 1 ? [] : failures.slice(0, MAX_ERRORS)).map(({ name, message }) => ({
        message: `${name}: ${message}`,
        at: null,
      })),
    },
  )
}

function named({ id, name, created_at }: BundleRow): OldBundlesResult['removed'][number] {
  return { id, name, made: created_at }
}
