/** `workflow_run`: what another run built for a pull request becomes its preview. */
import { join } from 'node:path'
import { extractArtifact } from '../bundle/artifact.ts'
import type { RunContext } from '../context.ts'
import { ActionError } from '../errors.ts'
import { type FollowedRun, type PullRequest, toPullRequest } from '../event.ts'
import type { GitHub } from '../github/client.ts'
import type { Inputs } from '../inputs/inputs.ts'
import { decidePreview } from '../plan/operation.ts'
import { shortSha } from '../report/format.ts'
import type { Result } from '../report/result.ts'
import { skippedResult } from '../report/results.ts'
import { preview } from './preview.ts'
import { requireGitHub } from './steps/pull-request.ts'

/** Bytes of a web build's zip that are downloaded at most: Capgo takes no larger bundle either. */
const MAX_ARTIFACT = 1024 * 1024 * 1024

/**
 * Publishes what the run before this one built, for the pull request that it was of. GitHub names no pull
 * request when it comes from a fork, so it is found by its head. Its build is untrusted: nothing of it is run.
 */
export async function followRun(context: RunContext): Promise<Result> {
  const { inputs, trigger } = context
  const run = trigger.followed
  if (run === null) return skippedResult({ reason: 'This run follows no other workflow run.' })
  const github = requireGitHub(context, 'find the pull request and the artifact of the previous workflow run')
  const open = (await github.listPullsOfBranch(run.headOwner, run.headBranch)).map(each =>
    toPullRequest(each),
  )
  const pull = await findPull(open, run, github, inputs)
  if (pull === undefined) return skippedResult({ reason: whyNone(open, run) })
  const operation = decidePreview(pull, run.headSha, inputs)
  if (operation.kind === 'skip') return skippedResult(operation)
  return preview(operation, () => takeArtifact(run.id, pull.number, github, context), context)
}

/**
 * The pull request that the run was of: of the very commit that was built. One branch may have pull requests against
 * several bases, each with a run of its own that builds its own merge. Which of them a run was of, its event says where
 * it names one of them, else the artifact's name where that has the number. The name is untrusted, so it only
 * chooses among those.
 */
async function findPull(
  open: readonly PullRequest[],
  run: FollowedRun,
  github: GitHub,
  inputs: Inputs,
): Promise<PullRequest | undefined> {
  const built = open.filter(({ headSha }) => headSha === run.headSha)
  if (built.length < 2) return built[0]
  const named = built.filter(({ number }) => run.pulls.includes(number))
  if (named.length === 1) return named[0]
  const kept = inputs.artifact.includes('{number}')
    ? await Promise.all(
        built.map(
          async ({ number }) => (await github.findArtifact(run.id, artifactName(inputs, number))) !== null,
        ),
      )
    : []
  const pulls = built.filter((_, at) => kept[at])
  if (pulls.length === 1) return pulls[0]
  throw new ActionError(
    'pull_ambiguous',
    `${built.map(({ number }) => `#${number}`).join(' and ')} have the same branch and commit, and it is not known which one run ${run.id} built.`,
    {
      hint: 'Add the number of the pull request to the name of the artifact: web-${{ github.event.pull_request.number }}. Set the input "artifact" to web-{number}.',
    },
  )
}

function whyNone([first]: readonly PullRequest[], { headOwner, headBranch, headSha }: FollowedRun): string {
  return first === undefined
    ? `No open pull request comes from ${headOwner}:${headBranch}, because it was closed meanwhile.`
    : `#${first.number} has a newer commit than ${shortSha(headSha)}, which its own run publishes.`
}

function artifactName({ artifact }: Inputs, number: number): string {
  return artifact.replaceAll('{number}', String(number))
}

/** The run's artifact, unpacked; as untrusted as the code of a fork. */
function takeArtifact(
  runId: number,
  pull: number,
  github: GitHub,
  { deps, inputs }: RunContext,
): Promise<string> {
  const name = artifactName(inputs, pull)
  return deps.log.group(`Download artifact "${name}" of run ${runId}`, async () => {
    const artifact = await github.findArtifact(runId, name)
    if (artifact === null || artifact.expired)
      throw new ActionError(
        'artifact_missing',
        `Run ${runId} ${artifact === null ? `has no artifact "${name}"` : `has an artifact "${name}", but it has expired`}.`,
        {
          hint: 'Upload the web folder with actions/upload-artifact under that name, or set the input "artifact".',
        },
      )
    const zip = join(deps.scratch, 'artifact.zip')
    await github.downloadArtifact(artifact.id, zip, MAX_ARTIFACT)
    return extractArtifact(zip, join(deps.scratch, 'artifact'))
  })
}
