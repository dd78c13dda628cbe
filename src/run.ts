/** One run: the event and the inputs decide the operation, which is carried out and reported. */
import type { Deps, RunContext } from './context.ts'
import { readTrigger } from './event.ts'
import { missingToken, readInputs } from './inputs/inputs.ts'
import { closePreview } from './operations/close-preview.ts'
import { deleteOldBundles } from './operations/delete-old-bundles.ts'
import { readDevices } from './operations/devices.ts'
import { enroll } from './operations/enroll.ts'
import { followRun } from './operations/follow-run.ts'
import { preview } from './operations/preview.ts'
import { promote } from './operations/promote.ts'
import { publish } from './operations/publish.ts'
import { rollBack } from './operations/rollback.ts'
import { changeRollout } from './operations/rollout.ts'
import { skip } from './operations/skip.ts'
import { readStatus } from './operations/status.ts'
import { createBestEfforts } from './operations/steps/best-effort.ts'
import { readPull } from './operations/steps/pull-request.ts'
import { sweepPreviews } from './operations/sweep-previews.ts'
import { decideOperation, type Operation } from './plan/operation.ts'
import { failuresOf, report } from './report/report.ts'
import type { ChannelResult, Result } from './report/result.ts'
import { failure, skippedResult } from './report/results.ts'
import { type Cancellation, cancellationOr, WORK_GRACE } from './runtime/cancellation.ts'

/** inputs -> gather -> plan -> execute -> report. Never throws; says whether the run is green. */
export async function run(deps: Deps): Promise<boolean> {
  /** Faults that do not fail the run. */
  const warnings: string[] = []
  const done: Done = { published: null }
  const work = execute(deps, warnings, done)
  // Also after the last child has ended: nothing foreign may be left in the runner's output files.
  const result = await work
    .finally(deps.requireUntouched)
    .catch((error: unknown) => failure(error, undefined, done.published))
  report({ ...result, warnings: [...result.warnings, ...warnings] }, deps)
  return result.kind !== 'failed' && failuresOf(result).length === 0
}

/** The bundle that devices can get already, however the run ends. */
interface Done {
  published: ChannelResult | null
}

async function execute(deps: Deps, warnings: string[], done: Done): Promise<Result> {
  const began = deps.clock()
  const trigger = readTrigger(deps)
  const inputs = readInputs(deps.readInput, trigger.defaultBranch)
  const operation = decideOperation(trigger, inputs)
  // A token may be missing where there is nothing to do.
  const isOver = trigger.pull !== null || trigger.rule.work === 'nothing' || inputs.capgoToken === ''
  if (operation.kind === 'skip' && isOver) return skippedResult(operation)
  if (inputs.capgoToken === '') throw missingToken()
  deps.cancellation.limit(inputs.timeout)
  const connect =
    inputs.githubToken === ''
      ? null
      : (signal: AbortSignal) => deps.connectGitHub(inputs.githubToken, trigger.repository, signal)
  const over = new AbortController()
  const context: RunContext = {
    deps,
    inputs,
    trigger,
    capgo: deps.connectCapgo(inputs.capgoToken, inputs.hosts),
    github: connect?.(deps.cancellation.signal) ?? null,
    ...createBestEfforts(connect, deps.cancellation, warnings),
    seenSections: new Map(),
    began,
    over: over.signal,
    onServed: result => {
      done.published = result
    },
  }
  const work = bringUpToDate(operation, context).then(now => operate(now, context))
  // After a stop, every failure is reported as the stop; work that ignores the signal is abandoned.
  return Promise.race([work, late(deps.cancellation)])
    .catch((error: unknown) =>
      failure(cancellationOr(error, deps.cancellation), TITLES[operation.kind], done.published),
    )
    .finally(() => over.abort())
}

/**
 * The state of the pull request now decides, not its event: GitHub repeats events, and replaces a
 * queued run by that of a later one.
 */
async function bringUpToDate(operation: Operation, context: RunContext): Promise<Operation> {
  const { trigger, inputs } = context
  if (trigger.pull === null || inputs.operation !== null) return operation
  return decideOperation(trigger, inputs, await readPull(trigger.pull.number, context))
}

/** Rejects some seconds after the run was stopped. */
function late(stop: Cancellation): Promise<never> {
  const end = stop.after(WORK_GRACE)
  return new Promise((_, reject) => {
    end.addEventListener('abort', () => reject(end.reason), { once: true })
  })
}

/** How an operation is called when it fails. */
const TITLES: Readonly<Record<Operation['kind'], string>> = {
  skip: 'Publish',
  publish: 'Publish',
  preview: 'Preview',
  'follow-run': 'Preview',
  'close-preview': 'Cleanup',
  'sweep-previews': 'Cleanup',
  promote: 'Promotion',
  rollback: 'Rollback',
  rollout: 'Rollout change',
  status: 'Status',
  devices: 'Devices',
  enroll: 'Enrolment',
  'delete-old-bundles': 'Cleanup',
}

function operate(operation: Operation, context: RunContext): Promise<Result> {
  switch (operation.kind) {
    case 'skip':
      return skip(operation, context)
    case 'publish':
      return publish(operation, context)
    case 'preview':
      return preview(operation, null, context)
    case 'follow-run':
      return followRun(context)
    case 'close-preview':
      return closePreview(operation, context)
    case 'sweep-previews':
      return sweepPreviews(context)
    case 'promote':
      return promote(operation, context)
    case 'rollback':
      return rollBack(operation, context)
    case 'rollout':
      return changeRollout(operation, context)
    case 'status':
      return readStatus(context)
    case 'devices':
      return readDevices(operation, context)
    case 'enroll':
      return enroll(operation, context)
    case 'delete-old-bundles':
      return deleteOldBundles(operation, context)
  }
}
