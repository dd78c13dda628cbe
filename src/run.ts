import type { Deps, RunContext } from './context.ts'
import { ActionError, RefGone } from './errors.ts'
import { readTrigger } from './event.ts'
import { gatherAppId, gatherCheckedOut } from './gather.ts'
import { type Inputs, readInputs } from './inputs/inputs.ts'
import { closePreview } from './operations/close-preview.ts'
import { keepHouse } from './operations/delete-old-bundles.ts'
import { followRun } from './operations/follow-run.ts'
import { preview } from './operations/preview.ts'
import { promote } from './operations/promote.ts'
import { deliver, prepare } from './operations/publish.ts'
import { rollBack } from './operations/rollback.ts'
import { changeRollout } from './operations/rollout.ts'
import { readStatus } from './operations/status.ts'
import { createCourtesies } from './operations/steps/best-effort.ts'
import { readPull } from './operations/steps/pull-request.ts'
import { headOfRef } from './operations/steps/standing.ts'
import { sweepPreviews } from './operations/sweep-previews.ts'
import { convergeOnDefaultBranch, foreseeOnDefaultBranch, readStandingFile } from './operations/testers.ts'
import { decideOperation, type Operation } from './plan/operation.ts'
import { failuresOf, report } from './report/report.ts'
import type { ChannelResult, Result } from './report/result.ts'
import { failure, skippedResult } from './report/results.ts'
import { blame, type Stop, WORK_ENDS } from './runtime/cancellation.ts'

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
  report({ ...result, warnings: [...result.warnings, ...warnings] }, deps)
  return result.kind !== 'failed' && failuresOf(result).length === 0
}

/** What devices can be given already, however the run ends. */
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
  requireToken(inputs)
  deps.stop.limit(inputs.timeout)
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
    github: connect?.(deps.stop.signal) ?? null,
    ...createCourtesies(connect, deps.stop, warnings),
    began,
    over: over.signal,
    onServed: result => {
      done.published = result
    },
  }
  const work = bringUpToDate(operation, context).then(now => operate(now, context))
  // Whatever fails once the run is stopped fails because of that; and what takes no notice is left behind.
  return Promise.race([work, late(deps.stop)])
    .catch((error: unknown) => failure(blame(error, deps.stop), TITLES[operation.kind], done.published))
    .finally(() => over.abort())
}

/**
 * What a pull request's event asks for follows from what the pull request is now: GitHub repeats events, and replaces a
 * queued run by that of a later one.
 */
async function bringUpToDate(operation: Operation, context: RunContext): Promise<Operation> {
  const { trigger, inputs } = context
  if (trigger.pull === null || inputs.operation !== null) return operation
  return decideOperation(trigger, inputs, await readPull(trigger.pull.number, context))
}

/** Rejects some seconds after the run was stopped. */
function late(stop: Stop): Promise<never> {
  const end = stop.after(WORK_ENDS)
  return new Promise((_, reject) => {
    end.addEventListener('abort', () => reject(end.reason), { once: true })
  })
}

/** How an operation is called when it fails; the others publish. */
const TITLES: Partial<Record<Operation['kind'], string>> = {
  preview: 'Preview',
  follow: 'Preview',
  cleanup: 'Clean-up',
  sweep: 'Clean-up',
  promote: 'Promotion',
  rollback: 'Roll-back',
  rollout: 'Change of the rollout',
  status: 'Status',
  housekeep: 'Clean-up',
}

async function operate(operation: Operation, context: RunContext): Promise<Result> {
  switch (operation.kind) {
    case 'skip':
      return skippedResult(
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
      return closePreview(operation, context)
    case 'sweep':
      return sweepPreviews(context)
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
  const { deps, inputs, trigger } = context
  const purpose = { kind: 'branch', isDefaultBranch: trigger.isDefaultBranch } as const
  // A broken testers file is told of before anything is built.
  const testersFile = await readStandingFile(context)
  const chosen = await readChosenCommit(context)
  const sha = chosen ?? trigger.commit.sha
  const target = {
    channelName,
    why,
    purpose,
    commit: {
      ...trigger.commit,
      sha,
      url: `${trigger.repositoryUrl}/commit/${sha}`,
      at: deps.now().toISOString(),
    },
    commitWhy:
      chosen === null
        ? null
        : `it is checked out; the run itself is of ${trigger.ref.name} at ${trigger.commit.sha.slice(0, 7)}`,
    isChosen: chosen !== null,
    readHead: headOfRef(context),
    rollout: { bps: inputs.rollout, onActive: inputs.onActiveRollout },
    environment: channelName,
    baseChannel: null,
    takesBuild: false,
  }
  try {
    const prepared = await prepare(target, context)
    const { appId } = prepared.project
    const settled = await foreseeOnDefaultBranch(testersFile, appId, channelName, context)
    const { result } = await deliver(prepared, null, context)
    const testers = settled ?? (await convergeOnDefaultBranch(testersFile, async () => appId, context))
    return { ...result, testers }
  } catch (error) {
    if (error instanceof RefGone) return skippedResult({ reason: error.message })
    throw error
  }
}

/** The commit that is checked out, where that is another than the run's own; null where it is that one. */
async function readChosenCommit({ deps, inputs, trigger }: RunContext): Promise<string | null> {
  const checkedOut = await gatherCheckedOut(inputs, trigger, deps)
  return checkedOut === null || checkedOut.sha === trigger.commit.sha ? null : checkedOut.sha
}

function requireToken({ capgoToken }: Inputs): void {
  if (capgoToken === '')
    throw new ActionError('no_token', 'The input "capgo-token" is empty.', {
      hint: 'Store a Capgo API key as a repository secret and pass it: capgo-token: ${{ secrets.CAPGO_TOKEN }}. Workflows of forks and Dependabot get no secrets.',
    })
}
