import type { Deps } from './deps.ts'
import { ActionError } from './errors.ts'
import { readTrigger } from './event.ts'
import { gatherAppId } from './gather.ts'
import { type Inputs, readInputs } from './inputs.ts'
import { cleanup, sweep } from './operations/close.ts'
import type { RunContext } from './operations/context.ts'
import { createCourtesies } from './operations/courtesy.ts'
import { deliver, prepare } from './operations/deliver.ts'
import { followRun } from './operations/follow.ts'
import { keepHouse } from './operations/housekeeping.ts'
import { preview } from './operations/preview.ts'
import { promote } from './operations/promote.ts'
import { rollBack } from './operations/rollback.ts'
import { changeRollout } from './operations/rollout.ts'
import { readStatus } from './operations/status.ts'
import { convergeOnDefaultBranch, readStandingFile } from './operations/testers.ts'
import { decideOperation, type Operation } from './plan/operation.ts'
import { failure } from './report/outcome.ts'
import { failuresOf, report } from './report/report.ts'
import type { PublishResult, Result, SkippedResult } from './report/result.ts'
import type { TestersReport } from './report/testers.ts'
import { blame, type Stop, WORK_ENDS } from './stop.ts'

/** inputs -> gather -> plan -> execute -> report. Never throws; says whether the run is green. */
export async function run(deps: Deps): Promise<boolean> {
  /** What went wrong without failing the run. */
  const warnings: string[] = []
  const done: Done = { published: null }
  const work = execute(deps, warnings, done)
  // Also after the last child has ended: nothing that is not this run's stands in the files of its outputs.
  const result = await work
    .finally(deps.requireUntouched)
    .catch((error: unknown) => failure(error, undefined, done.published))
  await report({ ...result, warnings: [...result.warnings, ...warnings] }, deps)
  return result.kind !== 'failed' && failuresOf(result).length === 0
}

/** What devices can be given already, however the run ends. */
interface Done {
  published: PublishResult | null
}

async function execute(deps: Deps, warnings: string[], done: Done): Promise<Result> {
  const began = deps.clock()
  const inputs = readInputs(deps.readInput)
  const trigger = readTrigger(deps)
  const operation = decideOperation(trigger, inputs)
  if (operation.kind === 'skip' && trigger.pull !== null) return skipped(operation, null)
  // A token may be missing where there is nothing to do.
  if (operation.kind === 'skip' && inputs.capgoToken === '') return skipped(operation, null)
  requireToken(inputs)
  deps.stop.limit(inputs.timeout)
  const connect =
    inputs.githubToken === ''
      ? null
      : (signal: AbortSignal) => deps.connectGitHub(inputs.githubToken, trigger.repository, signal)
  const over = new AbortController()
  const work = operate(operation, {
    deps,
    inputs,
    trigger,
    capgo: deps.connectCapgo(inputs.capgoToken, inputs.hosts),
    github: connect?.(deps.stop.signal) ?? null,
    ...createCourtesies(connect, deps.stop, warnings),
    began,
    over: over.signal,
    onServed: result => {
      done.published = result
    },
  })
  // Whatever fails once the run is stopped fails because of that; and what takes no notice is left behind.
  return Promise.race([work, late(deps.stop)])
    .catch((error: unknown) => failure(blame(error, deps.stop), TITLES[operation.kind], done.published))
    .finally(() => over.abort())
}

/** Rejects some seconds after the run was stopped. */
function late(stop: Stop): Promise<never> {
  const end = stop.after(WORK_ENDS)
  return new Promise((_, reject) => {
    end.addEventListener('abort', () => reject(end.reason), { once: true })
  })
}

/** How an operation is called when it fails; the others publish, or clean up after what was published. */
const TITLES: Partial<Record<Operation['kind'], string>> = {
  promote: 'Promotion',
  rollback: 'Roll-back',
  rollout: 'Change of the rollout',
  status: 'Status',
  housekeep: 'Clean-up',
}

async function operate(operation: Operation, context: RunContext): Promise<Result> {
  switch (operation.kind) {
    case 'skip':
      return skipped(
        operation,
        await convergeOnDefaultBranch(
          await readStandingFile(context),
          () => gatherAppId(context.inputs, context.trigger, context.deps),
          context,
        ),
      )
    case 'publish':
      return publish(operation, context)
    case 'preview':
      return preview(operation, null, context)
    case 'follow':
      return followRun(context)
    case 'cleanup':
      return cleanup(operation, context)
    case 'sweep':
      return sweep(context)
    case 'promote':
      return promote(operation, context)
    case 'rollback':
      return rollBack(operation, context)
    case 'rollout':
      return changeRollout(operation, context)
    case 'status':
      return readStatus(context)
    case 'housekeep':
      return keepHouse(operation, context)
  }
}

async function publish(
  { channelName, why }: Extract<Operation, { kind: 'publish' }>,
  context: RunContext,
): Promise<Result> {
  const { commit, isDefaultBranch } = context.trigger
  const purpose = { kind: 'branch', isDefaultBranch } as const
  const target = {
    channelName,
    why,
    purpose,
    commit: { ...commit, at: context.deps.now().toISOString() },
    rollout: { bps: context.inputs.rollout, onActive: context.inputs.onActiveRollout },
    environment: channelName,
    baseChannel: null,
    takesBuild: false,
  }
  // A broken testers file is told of before anything is built.
  const testersFile = await readStandingFile(context)
  const prepared = await prepare(target, context)
  const { result } = await deliver(prepared, null, context)
  const testers = await convergeOnDefaultBranch(testersFile, async () => prepared.project.appId, context)
  return { ...result, testers }
}

function skipped(
  { reason }: Extract<Operation, { kind: 'skip' }>,
  testers: TestersReport | null,
): SkippedResult {
  return { kind: 'skipped', outcome: 'skipped', reason, testers, warnings: [] }
}

function requireToken({ capgoToken }: Inputs): void {
  if (capgoToken === '')
    throw new ActionError('no_token', 'The input "capgo-token" is empty.', {
      hint: 'Store a Capgo API key as a repository secret and pass it: capgo-token: ${{ secrets.CAPGO_TOKEN }}. Workflows of forks and Dependabot get no secrets.',
    })
}
