/** Puts testers' devices where the file and the open pull requests want them. */
import type { Capgo } from '../capgo/client.ts'
import type { DeviceRow } from '../capgo/schema.ts'
import type { RunContext } from '../context.ts'
import { ActionError } from '../errors.ts'
import type { PullRequest } from '../event.ts'
import { compareTesters } from '../plan/tester-list.ts'
import type { Assignment, TestersPlan } from '../plan/testers.ts'
import { nameDevices, type TesterRow, type TestersReport } from '../report/testers.ts'
import { PULL_REQUESTS, updateTesterSection } from './steps/comment.ts'
import { groupFailures, toRow } from './steps/tester-rows.ts'
import { type Applied, apply, NOTHING_APPLIED } from './steps/testers-apply.ts'
import { type Looked, look, type Scope, type Wanted, WHOLE } from './steps/testers-look.ts'
import {
  isOnDefaultBranch,
  pathOf,
  readCheckedOut,
  readMerged,
  readStanding,
  readStandingOrRemoved,
  requireFile,
  type TestersFile,
} from './steps/testers-versions.ts'

/** The testers of a pull request's preview, looked at before it is built. */
export interface PreviewTesters {
  readonly pull: PullRequest
  readonly channel: string
  readonly proposed: TestersFile | null
}

/** The file that a run of the default branch has. To be read before anything is built: a build may write to the checkout. */
export async function readStandingFile(context: RunContext): Promise<TestersFile | null> {
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
  const wanted = await readWanted(file, context)
  if (wanted === null) return null
  const looked = await foresee(appId, wanted, { ...WHOLE, channel }, context)
  return looked.changes.length + looked.plan.renewals.size === 0 ? reportOf(looked, wanted, null) : null
}

/** A run on the default branch: everything is as the newest file says. `file` from `readStandingFile`. */
export async function convergeOnDefaultBranch(
  file: TestersFile | null,
  readAppId: () => Promise<string>,
  context: RunContext,
): Promise<TestersReport | null> {
  if (!isOnDefaultBranch(context)) return null
  if (file === null && !(await removedByPush(context))) return null
  const wanted = await readWanted(file, context)
  return wanted === null ? null : converge(await readAppId(), wanted, WHOLE, context)
}

/** The scheduled run: everything, with what is near its end renewed. */
export async function convergeOnSchedule(appId: string, context: RunContext): Promise<TestersReport | null> {
  const wanted = await readWanted(await readCheckedOut(context), context)
  return wanted === null ? null : converge(appId, wanted, WHOLE, context)
}

/**
 * Before a pull request's preview is built: its devices could be put on it. Throws else, also where the file is
 * broken. Null where neither the pull request nor the default branch has a testers file.
 */
export async function foreseeForPull(
  { pull, channel, proposed }: PreviewTesters,
  appId: string,
  context: RunContext,
): Promise<PreviewTesters | null> {
  const wanted = await readWantedByPull({ pull, channel, proposed }, context)
  if (wanted === null) return null
  if (wanted !== 'unknown')
    await foresee(appId, wanted, { isWhole: false, published: pull, closing: null, channel }, context)
  return { pull, channel, proposed }
}

/** The preview is there: its devices come to it, and everybody else is where the default branch's file says. */
export async function convergeForPull(
  appId: string,
  preview: PreviewTesters,
  context: RunContext,
): Promise<TestersReport | null> {
  const { pull } = preview
  const wanted = await readWantedByPull(preview, context)
  if (wanted === null || wanted === 'unknown') return null
  const scope = { isWhole: false, published: pull, closing: null, channel: null }
  const report = await converge(appId, wanted, scope, context)
  const isMerging = wanted.merged !== null && pull.baseRef === context.trigger.defaultBranch
  return isMerging ? { ...report, merging: compareTesters(wanted.standing.testers, wanted.merged) } : report
}

/** A preview is going: its devices go where they belong now. */
export async function convergeForClosing(
  appId: string,
  closing: number,
  context: RunContext,
): Promise<TestersReport | null> {
  const standing = await readStanding(null, context)
  if (standing === null || standing === 'unknown') return null
  const wanted = { standing, isCheckedOut: false, merged: null }
  return converge(appId, wanted, { isWhole: false, published: null, closing, channel: null }, context)
}

/** `checkedOut` is the default branch's as this run has it. */
async function readWanted(checkedOut: TestersFile | null, context: RunContext): Promise<Wanted | null> {
  const own = isOnDefaultBranch(context) ? checkedOut : null
  const standing = await readStandingOrRemoved(own, context)
  return standing === null || standing === 'unknown'
    ? null
    : { standing, isCheckedOut: standing === checkedOut, merged: null }
}

async function readWantedByPull(
  { pull, proposed }: PreviewTesters,
  context: RunContext,
): Promise<Wanted | null | 'unknown'> {
  const newest = await readStanding(null, context)
  if (newest === 'unknown' || (newest === null && proposed === null)) return newest
  const standing = newest ?? { path: pathOf(context.inputs), text: '', testers: [] }
  return { standing, isCheckedOut: false, merged: await readMerged(pull, proposed, standing, context) }
}

/** Whether the push took the file away. */
async function removedByPush({ trigger, courtesy, inputs, github }: RunContext): Promise<boolean> {
  if (trigger.event !== 'push' || trigger.before === null || github === null) return false
  const path = pathOf(inputs)
  const before = await courtesy(`read ${path} as it was before the push`, 'contents: read', each =>
    each.readFile(path, trigger.before),
  )
  return before !== null
}

/** Looks, and throws what would keep devices from where they belong: all at once. */
async function foresee(appId: string, wanted: Wanted, scope: Scope, context: RunContext): Promise<Looked> {
  const looked = await look(appId, wanted, scope, context)
  const failures = failuresOf(looked.plan, looked.obstacles, wanted)
  const [first] = failures
  if (first === undefined) return looked
  const problems = failures.map(({ message, devices, at }) => ({
    message: `${nameDevices(devices)}: ${message}`,
    at,
  }))
  throw new ActionError(
    first.code,
    problems.length === 1
      ? problems[0]!.message
      : `${problems.length} mistakes keep testers' devices from their channels.`,
    {
      hint: `${[...new Set(failures.flatMap(({ hint }) => hint ?? []))].join(' ')} Nothing was changed.`,
      ...(first.at === null ? {} : { at: first.at }),
      problems: problems.length === 1 ? [] : problems,
    },
  )
}

function failuresOf(
  plan: TestersPlan,
  errors: ReadonlyMap<string, ActionError>,
  { standing, isCheckedOut }: Wanted,
) {
  return groupFailures(
    plan.assignments.flatMap(({ device, tester }) => {
      const error = errors.get(device)
      if (error === undefined) return []
      const at =
        isCheckedOut && tester !== null && standing.testers.includes(tester)
          ? { file: standing.path, line: tester.line, column: tester.column }
          : null
      return [{ device, error, at }]
    }),
  )
}

/** Looks, changes, reads back. Throws only where nothing was begun. */
async function converge(
  appId: string,
  wanted: Wanted,
  scope: Scope,
  context: RunContext,
): Promise<TestersReport> {
  const { deps, inputs } = context
  return deps.log.group('Testers', async () => {
    const looked = await look(appId, wanted, scope, context)
    const { capgo, channels, previews, plan, changes, obstacles } = looked
    deps.log.info(
      `${plan.assignments.length} devices, ${changes.length} to change, ${[...plan.renewals.values()].flat().length} to renew.`,
    )
    const applied = inputs.dryRun ? NOTHING_APPLIED : await apply(appId, looked, context)
    const errors = new Map([...obstacles, ...applied.failed])
    const open = new Map(
      previews.flatMap(({ pull, open, channel }) => (open === null ? [] : [[channel, pull]])),
    )
    const touched = pullsTouched(changes, open, scope)
    const seen = await readKnownDevices(appId, plan.assignments, touched, capgo, context)
    const rowOf = (assignment: Assignment): TesterRow =>
      toRow(applied.moved.get(assignment.device) ?? assignment, {
        open,
        errors,
        channels,
        known: seen,
        planned: inputs.dryRun,
      })
    const rowsOf = (pull: number) =>
      plan.assignments
        .filter(each => each.pull === pull || each.others.includes(pull) || each.expiredFor.includes(pull))
        .map(each => ({ ...rowOf(each), ...(each.others.includes(pull) ? { takenBy: each.pull } : {}) }))
    if (!inputs.dryRun)
      for (const pull of touched)
        if (pull !== scope.published?.number)
          await context.courtesy('update the comment of the other pull request', PULL_REQUESTS, github =>
            updateTesterSection(appId, pull, rowsOf(pull), github, inputs.capgoToken),
          )
    const closing = previews.find(({ pull }) => pull === scope.closing)?.channel
    const tried = changes.filter(({ device }) => !obstacles.has(device))
    return {
      ...reportOf(looked, wanted, applied),
      rows:
        scope.published !== null
          ? rowsOf(scope.published.number)
          : tried.filter(({ from }) => closing === undefined || from === closing).map(rowOf),
      changed: tried.map(rowOf),
    }
  })
}

/** Without rows. */
function reportOf(looked: Looked, wanted: Wanted, applied: Applied | null): TestersReport {
  const { failed, moved, renewed } = applied ?? NOTHING_APPLIED
  const errors = new Map([...looked.obstacles, ...failed])
  const done = looked.changes.filter(({ device }) => !errors.has(device) && !moved.has(device))
  return {
    rows: [],
    changed: [],
    counts: {
      assigned: done.filter(({ to }) => to !== null).length,
      released: done.filter(({ to }) => to === null).length,
      renewed,
      failed: errors.size,
      total: wanted.standing.testers.length,
    },
    failures: failuresOf(looked.plan, errors, wanted),
    merging: null,
  }
}

/** Open pull requests that win or lose a device. */
function pullsTouched(
  changes: readonly Assignment[],
  open: ReadonlyMap<string, number>,
  { published }: Scope,
): Set<number> {
  const pulls = new Set<number>()
  for (const { from, to } of changes)
    for (const channel of [from, to]) {
      const pull = channel === null ? undefined : open.get(channel)
      if (pull !== undefined) pulls.add(pull)
    }
  if (published !== null) pulls.add(published.number)
  return pulls
}

/** A courtesy: without it the table says nothing about what will install. */
async function readKnownDevices(
  appId: string,
  assignments: readonly Assignment[],
  pulls: ReadonlySet<number>,
  capgo: Capgo,
  { deps }: RunContext,
): Promise<ReadonlyMap<string, DeviceRow> | null> {
  const ids = assignments
    .filter(({ pull, others }) => [pull, ...others].some(number => number !== null && pulls.has(number)))
    .map(({ device }) => device)
  if (ids.length === 0) return null
  try {
    const rows = await capgo.readDevices(appId, ids)
    return new Map(rows.map(row => [row.device_id.toLowerCase(), row]))
  } catch (error) {
    deps.stop.signal.throwIfAborted()
    deps.log.info(`Whether the devices will take it is not known: ${(error as Error).message}`)
    return null
  }
}
