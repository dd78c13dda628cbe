/** Testers' devices come to where they belong: gather, plan, execute, report. */
import type { RunContext } from '../../context.ts'
import { ActionError } from '../../errors.ts'
import { devicesOfPull, openPulls, touchedPulls } from '../../plan/tester-changes.ts'
import type { Tester } from '../../plan/tester-list.ts'
import type { Assignment } from '../../plan/testers.ts'
import { plural } from '../../report/format.ts'
import { groupFailures, testerRow } from '../../report/tester-results.ts'
import { nameDevices, type TesterFailure, type TesterRow, type TestersReport } from '../../report/testers.ts'
import { PULL_REQUESTS, updateTesterSection } from './comment.ts'
import { readKnownDevices, type TestersRun } from './tester-facts.ts'
import { applyChanges, NOTHING_APPLIED, type TesterOutcome } from './tester-overrides.ts'
import { pageOfEntry, pageToAddPhone } from './tester-pages.ts'
import { prepareTesters, type TestersWork } from './tester-work.ts'

/**
 * Before anything is built: throws what would keep devices from where they belong, all at once. Returns what there is
 * to say where nothing is to be done, else null.
 */
export async function foreseeTesters(run: TestersRun, context: RunContext): Promise<TestersReport | null> {
  const work = await prepareTesters(run, context)
  const [failure, ...more] = failuresOf(work, work.obstacles)
  if (failure !== undefined) throw asOneError(failure, more)
  return work.changes.writes.length + work.plan.renewals.size === 0 ? reportOf(work, NOTHING_APPLIED) : null
}

/** Changes, and reads back. Throws only where nothing was begun. */
export async function reconcileTesters(run: TestersRun, context: RunContext): Promise<TestersReport> {
  const { deps, inputs } = context
  const work = await deps.log.group('Read the test devices', () => prepareTesters(run, context))
  deps.log.info(describeWork(work))
  return deps.log.group('Change the test devices', async () => {
    const outcome = inputs.dryRun
      ? { ...NOTHING_APPLIED, renewed: countRenewals(work) }
      : await applyChanges(work, context)
    const rows = await describeRows(work, outcome, context)
    const addPhone = await pageToAddPhone(run.lists.newest, deps.workspace, context.trigger)
    if (!inputs.dryRun) await updateOtherComments(rows, addPhone, run, context)
    const isPlanned = inputs.dryRun
    return { ...reportOf(work, outcome), isPlanned, rows: rows.own, changed: rows.changed, addPhone }
  })
}

function describeWork(work: TestersWork): string {
  const { plan, changes } = work
  return `Plan: ${plural(plan.assignments.length, 'test device')}, ${changes.writes.length} to change, ${countRenewals(work)} to renew.`
}

function countRenewals({ plan }: TestersWork): number {
  return [...plan.renewals.values()].flat().length
}

/** The single devices in the report. */
interface Rows {
  /** Of the pull request that the run is about, else of the run. */
  readonly own: readonly TesterRow[]
  readonly changed: readonly TesterRow[]
  /** Of other open pull requests that won or lost a device. */
  readonly ofOthers: ReadonlyMap<number, readonly TesterRow[]>
}

async function describeRows(
  work: TestersWork,
  { moved, failed }: TesterOutcome,
  context: RunContext,
): Promise<Rows> {
  const { run, channels, facts, plan, changes, obstacles, capgo } = work
  const { published, closing } = run.scope
  const open = openPulls(facts.previews)
  const touched = touchedPulls(changes.writes, open)
  const pulls = published === null ? touched : new Set([...touched, published.number])
  const shown = plan.assignments
    .filter(({ pull, others }) => [pull, ...others].some(number => number !== null && pulls.has(number)))
    .map(({ device }) => device)
  const known = await readKnownDevices(run.appId, shown, capgo, context)
  const errors = new Map([...obstacles, ...failed])
  const pageOf = (tester: Tester) => pageOfEntry(tester, run, context.trigger)
  const rowFacts = { open, errors, channels, known, planned: context.inputs.dryRun, pageOf }
  const rowOf = (assignment: Assignment): TesterRow =>
    testerRow(moved.get(assignment.device) ?? assignment, rowFacts)
  const rowsOf = (number: number): TesterRow[] =>
    devicesOfPull(plan.assignments, number).map(each => ({
      ...rowOf(each),
      takenBy: each.others.includes(number) ? each.pull : null,
    }))
  const tried = changes.writes.filter(({ device }) => !obstacles.has(device))
  const closed = facts.previews.find(({ pull }) => pull === closing)?.channel
  return {
    own:
      published !== null
        ? rowsOf(published.number)
        : tried.filter(({ from }) => closed === undefined || from === closed).map(rowOf),
    changed: tried.map(rowOf),
    ofOthers: new Map(
      [...pulls].filter(pull => pull !== published?.number).map(pull => [pull, rowsOf(pull)]),
    ),
  }
}

async function updateOtherComments(
  { ofOthers }: Rows,
  addPhone: string | null,
  { appId }: TestersRun,
  context: RunContext,
): Promise<void> {
  for (const [pull, rows] of ofOthers)
    await context.bestEffort('update the comment of the other pull request', PULL_REQUESTS, github =>
      updateTesterSection({ appId, pull, testers: { rows, addPhone } }, github, context),
    )
}

/** Without rows and pages. */
function reportOf(work: TestersWork, { failed, moved, renewed }: TesterOutcome): TestersReport {
  const { run, changes, obstacles } = work
  const errors = new Map([...obstacles, ...failed])
  const done = changes.writes.filter(({ device }) => !errors.has(device) && !moved.has(device))
  return {
    rows: [],
    changed: [],
    counts: {
      assigned: done.filter(({ to }) => to !== null).length,
      released: done.filter(({ to }) => to === null).length,
      renewed,
      failed: errors.size,
      total: run.lists.newest.testers.length,
    },
    failures: failuresOf(work, errors),
    isPlanned: false,
    merging: null,
    addPhone: null,
  }
}

function failuresOf({ plan, run }: TestersWork, errors: ReadonlyMap<string, ActionError>): TesterFailure[] {
  const { newest, isCheckedOut } = run.lists
  return groupFailures(
    plan.assignments.flatMap(({ device, tester }) => {
      const error = errors.get(device)
      if (error === undefined) return []
      const at =
        isCheckedOut && tester !== null && newest.testers.includes(tester)
          ? { file: newest.path, line: tester.line, column: tester.column }
          : null
      return [{ device, error, at }]
    }),
  )
}

function asOneError(first: TesterFailure, more: readonly TesterFailure[]): ActionError {
  const all = [first, ...more]
  const say = ({ message, devices }: TesterFailure) => `${nameDevices(devices)}: ${message}`
  return new ActionError(
    first.code,
    more.length === 0 ? say(first) : `${all.length} errors prevent the assignment of testers' devices.`,
    {
      hint: `${[...new Set(all.flatMap(({ hint }) => hint ?? []))].join(' ')} Nothing was changed.`,
      ...(first.at === null ? {} : { at: first.at }),
      problems: more.length === 0 ? [] : all.map(each => ({ message: say(each), at: each.at })),
    },
  )
}
