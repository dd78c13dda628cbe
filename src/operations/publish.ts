/** A push to a mapped branch or tag: its channel serves the bundle built from that commit. */
import type { RunContext } from '../context.ts'
import { RefGone } from '../errors.ts'
import type { Operation } from '../plan/operation.ts'
import type { PublishResult, SkippedResult } from '../report/result.ts'
import { skippedResult } from '../report/results.ts'
import { planPublication } from './steps/publication.ts'
import { gatherPublishInputs } from './steps/publish-inputs.ts'
import { carryOut } from './steps/publish-outcome.ts'
import type { PublishTarget } from './steps/publish-target.ts'
import { headOfRef } from './steps/standing.ts'
import { foreseeOnDefaultBranch, readFileOfDefaultBranch, reconcileOnDefaultBranch } from './steps/testers.ts'
import { readCheckedOutCommit } from './steps/workplace.ts'

type Publish = Extract<Operation, { kind: 'publish' }>

/** On the default branch the testers' devices are where the testers file says, too. */
export async function publish(
  operation: Publish,
  context: RunContext,
): Promise<PublishResult | SkippedResult> {
  // A broken testers file is reported before anything is built.
  const testersFile = await readFileOfDefaultBranch(context)
  const target = await targetOf(operation, context)
  try {
    const inputs = await gatherPublishInputs(target, context)
    const { appId } = inputs.project
    const settled = await foreseeOnDefaultBranch(testersFile, appId, target.channelName, context)
    const publication = await planPublication(inputs, null, context)
    const { result } = await carryOut(publication, context)
    const testers = settled ?? (await reconcileOnDefaultBranch(testersFile, async () => appId, context))
    return { ...result, testers }
  } catch (error) {
    if (error instanceof RefGone) return skippedResult({ reason: error.message })
    throw error
  }
}

async function targetOf({ channelName, why }: Publish, context: RunContext): Promise<PublishTarget> {
  const { deps, inputs, trigger } = context
  const { commit, isDefaultBranch, ref, repositoryUrl } = trigger
  const chosen = await readChosenCommit(context)
  const sha = chosen ?? commit.sha
  return {
    channelName,
    why,
    purpose: { kind: 'branch', isDefaultBranch },
    commit: { ...commit, sha, url: `${repositoryUrl}/commit/${sha}`, at: deps.now().toISOString() },
    commitWhy:
      chosen === null ? null : `checked out by this job, instead of ${ref.name} at ${commit.sha.slice(0, 7)}`,
    isChosen: chosen !== null,
    readHead: headOfRef(context),
    rollout: { bps: inputs.rollout, onActive: inputs.onActiveRollout },
    environment: channelName,
    baseChannel: null,
    takesBuild: false,
  }
}

/** The commit that is checked out, where that is another than the run's own; null where it is that one. */
async function readChosenCommit(context: RunContext): Promise<string | null> {
  const checkedOut = await readCheckedOutCommit(context)
  return checkedOut === null || checkedOut.sha === context.trigger.commit.sha ? null : checkedOut.sha
}
