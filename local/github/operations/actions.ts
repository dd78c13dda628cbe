import { type Call, type Handler, notFound, ok, paginate, Refusal } from '../answers.ts'
import type { Artifact, Run } from '../records.ts'

export const actions: Readonly<Record<string, Handler>> = {
  'actions/get-workflow-run': async call => ok(await describeRun(call, findRun(call, call.path.run_id))),

  'actions/list-workflow-runs-for-repo': async call => {
    const { repository, query } = call
    const all = repository.runs
      .filter(run => fits(query.event, run.event) && fits(query.branch, run.headBranch))
      .filter(run => fits(query.head_sha, run.headSha) && fits(query.actor, run.actor))
      .filter(run => fits(query.status, run.status) || query.status === run.conclusion)
    const { items, headers } = paginate(call, all.toReversed())
    const runs = await Promise.all(items.map(run => describeRun(call, run)))
    return ok({ total_count: all.length, workflow_runs: runs }, headers)
  },

  'actions/list-workflow-run-artifacts': call => {
    const { repository, resources, path, query } = call
    const run = findRun(call, path.run_id)
    const all = repository.artifacts.filter(({ runId, name }) => runId === run.id && fits(query.name, name))
    const { items, headers } = paginate(call, query.direction === 'asc' ? all : all.toReversed())
    const artifacts = items.map(each => resources.artifact(repository, each, run))
    return ok({ total_count: all.length, artifacts }, headers)
  },

  'actions/get-artifact': call => {
    const artifact = findArtifact(call)
    return ok(call.resources.artifact(call.repository, artifact, findRun(call, artifact.runId)))
  },

  'actions/download-artifact': call => {
    const { id, expired } = findArtifact(call)
    if (call.path.archive_format !== 'zip') throw notFound()
    if (expired) throw new Refusal(410, 'Artifact has expired')
    return { status: 302, headers: { location: call.signArtifact(call.repository, id) } }
  },
}

const fits = (wanted: unknown, value: string) => wanted === undefined || wanted === value

/** GitHub lists no pull requests for the runs of forks. */
async function describeRun(call: Call, run: Run): Promise<unknown> {
  const { repository, resources, query } = call
  const sha = await repository.git.resolve(run.headSha)
  const hasPulls = run.headRepository === repository.name && query.exclude_pull_requests !== true
  const pulls = [...repository.issues.values()].filter(
    ({ state, pull }) =>
      state === 'open' && pull?.head.ref === run.headBranch && pull.head.repository === repository.name,
  )
  return resources.run(
    repository,
    run,
    sha === null ? null : await repository.git.commit(sha),
    hasPulls ? pulls : [],
  )
}

function findRun({ repository }: Call, id: unknown): Run {
  const run = repository.runs.find(each => each.id === id)
  if (run === undefined) throw notFound()
  return run
}

function findArtifact({ repository, path }: Call): Artifact {
  const artifact = repository.artifacts.find(({ id }) => id === path.artifact_id)
  if (artifact === undefined) throw notFound()
  return artifact
}
