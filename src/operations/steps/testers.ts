/** Which testers' devices an operation is about, and what the testers file says of them. */
import type { RunContext } from '../../context.ts'
import type { PullRequest } from '../../event.ts'
import { compareTesters } from '../../plan/tester-list.ts'
import type { TestersReport } from '../../report/testers.ts'
import { foreseeTesters, reconcileTesters } from './reconcile-testers.ts'
import { type TesterLists, WHOLE } from './tester-facts.ts'
import {
  isOnDefaultBranch,
  pathOf,
  readCheckedOut,
  readMerged,
  readNewest,
  readNewestOrRemoved,
  requireFile,
  type TestersFile,
} from './testers-file.ts'

/** The testers of a pull request's preview, looked at before it is built. */
export interface PreviewTesters {
  readonly pull: PullRequest
  readonly channel: string
  readonly proposed: TestersFile | null
}

/** The file that a run of the default branch has. To be read before anything is built: a build may write to the checkout. */
export async function readFileOfDefaultBranch(context: RunContext): Promise<TestersFile | null> {
  if (isOnDefaultBranch(context)) return readCheckedOut(context)
  await requireFile(context)
  return null
}

/**
 * Before anything is built: the run of the default branch would be able to do all that the file wants. Throws else.
 * Returns what there is to say where nothing is to be done, which is then not looked at again.
 */
export async function foreseeOnDefaultBranch(
  file: TestersFile | null,
  appId: string,
  channel: string,
  context: RunContext,
): Promise<TestersReport | null> {
  if (file === null || !isOnDefaultBranch(context)) return null
  const lists = await readLists(file, context)
  return lists === null ? null : foreseeTesters({ appId, scope: { ...WHOLE, channel }, lists }, context)
}

/** A run on the default branch: everything is as the newest file says. `file` from `readFileOfDefaultBranch`. */
export async function reconcileOnDefaultBranch(
  file: TestersFile | null,
  readAppId: () => Promise<string>,
  context: RunContext,
): Promise<TestersReport | null> {
  if (!isOnDefaultBranch(context)) return null
  if (file === null && !(await removedByPush(context))) return null
  const lists = await readLists(file, context)
  return lists === null ? null : reconcileTesters({ appId: await readAppId(), scope: WHOLE, lists }, context)
}

/** The scheduled run: everything, with what is near its end renewed. */
export async function reconcileOnSchedule(appId: string, context: RunContext): Promise<TestersReport | null> {
  const lists = await readLists(await readCheckedOut(context), context)
  return lists === null ? null : reconcileTesters({ appId, scope: WHOLE, lists }, context)
}

/**
 * Before a pull request's preview is built: its devices could be put on it. Throws else, also where the file is
 * broken. Null where neither the pull request nor the default branch has a testers file.
 */
export async function foreseeForPull(
  preview: PreviewTesters,
  appId: string,
  context: RunContext,
): Promise<PreviewTesters | null> {
  const { pull, channel } = preview
  const lists = await readListsByPull(preview, context)
  if (lists === null) return null
  const scope = { isWhole: false, published: pull, closing: null, channel }
  if (lists !== 'unknown') await foreseeTesters({ appId, scope, lists }, context)
  return preview
}

/** The preview is there: its devices come to it, and everybody else is where the default branch's file says. */
export async function reconcileForPull(
  appId: string,
  preview: PreviewTesters,
  context: RunContext,
): Promise<TestersReport | null> {
  const { pull } = preview
  const lists = await readListsByPull(preview, context)
  if (lists === null || lists === 'unknown') return null
  const scope = { isWhole: false, published: pull, closing: null, channel: null }
  const report = await reconcileTesters({ appId, scope, lists }, context)
  return lists.proposed !== null && pull.baseRef === context.trigger.defaultBranch
    ? { ...report, merging: compareTesters(lists.newest.testers, lists.proposed) }
    : report
}

/** A preview is going: its devices go where they belong now. */
export async function reconcileForClosing(
  appId: string,
  closing: number,
  context: RunContext,
): Promise<TestersReport | null> {
  const newest = await readNewest(null, context)
  if (newest === null || newest === 'unknown') return null
  const lists = { newest, isCheckedOut: false, proposed: null }
  const scope = { isWhole: false, published: null, closing, channel: null }
  return reconcileTesters({ appId, scope, lists }, context)
}

/** `checkedOut` is the default branch's as this run has it. */
async function readLists(checkedOut: TestersFile | null, context: RunContext): Promise<TesterLists | null> {
  const own = isOnDefaultBranch(context) ? checkedOut : null
  const newest = await readNewestOrRemoved(own, context)
  return newest === null || newest === 'unknown'
    ? null
    : { newest, isCheckedOut: newest === checkedOut, proposed: null }
}

async function readListsByPull(
  { pull, proposed }: PreviewTesters,
  context: RunContext,
): Promise<TesterLists | null | 'unknown'> {
  const found = await readNewest(null, context)
  if (found === 'unknown' || (found === null && proposed === null)) return found
  const newest = found ?? { path: pathOf(context.inputs), text: '', testers: [] }
  return { newest, isCheckedOut: false, proposed: await readMerged(pull, proposed, newest, context) }
}

/** Whether the push took the file away. */
async function removedByPush({ trigger, bestEffort, inputs, github }: RunContext): Promise<boolean> {
  if (trigger.event !== 'push' || trigger.before === null || github === null) return false
  const path = pathOf(inputs)
  const before = await bestEffort(`read ${path} as it was before the push`, 'contents: read', each =>
    each.readFile(path, trigger.before),
  )
  return before !== null
}
