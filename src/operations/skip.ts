/** A run that publishes nothing: on the default branch it still puts the testers' devices where the testers file says. */
import type { RunContext } from '../context.ts'
import type { Operation } from '../plan/operation.ts'
import type { SkippedResult } from '../report/result.ts'
import { skippedResult } from '../report/results.ts'
import { readAppId } from './steps/app-config.ts'
import { readFileOfDefaultBranch, reconcileOnDefaultBranch } from './steps/testers.ts'

export async function skip(
  operation: Extract<Operation, { kind: 'skip' }>,
  context: RunContext,
): Promise<SkippedResult> {
  const file = await readFileOfDefaultBranch(context)
  const testers = await reconcileOnDefaultBranch(file, () => readAppId(context), context)
  return skippedResult(operation, testers)
}
