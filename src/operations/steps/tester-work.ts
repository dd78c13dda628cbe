/** The pending changes of testers' devices: gathered and planned, with nothing changed. */
import type { RunContext } from '../../context.ts'
import type { ActionError } from '../../errors.ts'
import { planChanges, type TesterChanges } from '../../plan/tester-changes.ts'
import { planTesters, type TestersPlan } from '../../plan/testers.ts'
import {
  findLackingPermissions,
  type GatheredTesters,
  gatherTesters,
  type TestersRun,
} from './tester-facts.ts'

/** The state, the wanted state, and the obstacles. */
export interface TestersWork extends GatheredTesters {
  readonly run: TestersRun
  readonly plan: TestersPlan
  readonly changes: TesterChanges
  /** Why a change cannot be made, by device. */
  readonly obstacles: ReadonlyMap<string, ActionError>
}

export async function prepareTesters(run: TestersRun, context: RunContext): Promise<TestersWork> {
  const gathered = await gatherTesters(run, context)
  const plan = planTesters(gathered.facts)
  const changes = planChanges(plan, gathered.channels, run.scope.channel)
  const lacking = await findLackingPermissions(run.appId, changes.permissions, gathered.capgo)
  const obstacles = new Map([...changes.wrongChannels, ...lacking])
  return { ...gathered, run, plan, changes, obstacles }
}
