import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { createWorld, failure, where } from './world.ts'

const zip = new TextEncoder().encode('PK, as far as anybody here knows')

test('a run knows its pull request, unless it is from a fork', async () => {
  const { git, hosted, as } = await createWorld()
  git.branch('evening')
  const sha = git.commit({ 'a.txt': 'a' }, 'Evening')
  await hosted.addPull({ number: 7, head: { ref: 'evening' } })
  const own = hosted.addRun({ headBranch: 'evening', headSha: sha })
  const foreign = hosted.addRun({ headBranch: 'evening', headSha: 'f'.repeat(40), fork: 'ada/daybreak' })
  const { rest } = as()
  const { data } = await rest.actions.getWorkflowRun({ ...where, run_id: own.id })
  expect(data).toMatchObject({
    head_sha: sha,
    display_title: 'Evening',
    conclusion: 'success',
    pull_requests: [{ number: 7, head: { ref: 'evening', sha } }],
  })
  const { data: fork } = await rest.actions.getWorkflowRun({ ...where, run_id: foreign.id })
  expect(fork).toMatchObject({
    pull_requests: [],
    head_commit: null,
    head_repository: { full_name: 'ada/daybreak' },
  })
  expect((await failure(rest.actions.getWorkflowRun({ ...where, run_id: 1 }))).status).toBe(404)
})

test('runs by event, branch, commit and status', async () => {
  const { git, hosted, as } = await createWorld()
  const first = hosted.addRun({ headBranch: 'main', headSha: git.head, event: 'push' })
  const second = hosted.addRun({ headBranch: 'evening', headSha: 'f'.repeat(40), conclusion: 'failure' })
  const { rest } = as()
  const list = async (query: object) => {
    const { data } = await rest.actions.listWorkflowRunsForRepo({ ...where, ...query })
    expect(data.total_count).toBe(data.workflow_runs.length)
    return data.workflow_runs.map(({ id }) => id)
  }
  expect(await list({})).toEqual([second.id, first.id])
  expect(await list({ event: 'push' })).toEqual([first.id])
  expect(await list({ branch: 'evening' })).toEqual([second.id])
  expect(await list({ head_sha: git.head })).toEqual([first.id])
  expect(await list({ status: 'failure' })).toEqual([second.id])
  expect(await list({ status: 'completed' })).toEqual([second.id, first.id])
})

test('an artifact is listed and downloaded from elsewhere, without the token', async () => {
  const { github, git, hosted, as } = await createWorld()
  const run = hosted.addRun({ headBranch: 'main', headSha: git.head })
  const other = hosted.addRun({ headBranch: 'main', headSha: git.head })
  const artifact = hosted.addArtifact({ runId: run.id, name: 'web', zip })
  hosted.addArtifact({ runId: run.id, name: 'logs', zip })
  hosted.addArtifact({ runId: other.id, name: 'web', zip })
  const { rest } = as({ actions: 'read' })

  const { data } = await rest.actions.listWorkflowRunArtifacts({ ...where, run_id: run.id, name: 'web' })
  expect(data.total_count).toBe(1)
  expect(data.artifacts[0]).toMatchObject({
    id: artifact.id,
    size_in_bytes: zip.length,
    digest: `sha256:${createHash('sha256').update(zip).digest('hex')}`,
    workflow_run: { id: run.id, head_sha: git.head },
  })
  const one = { ...where, artifact_id: artifact.id }
  expect((await rest.actions.getArtifact(one)).data.name).toBe('web')

  const download = await rest.actions.downloadArtifact({ ...one, archive_format: 'zip' })
  expect(new Uint8Array(download.data as ArrayBuffer)).toEqual(zip)
  expect(new URL(download.url).origin).toBe(github.filesUrl)
  const withToken = await fetch(download.url, { headers: { authorization: 'Bearer ghs_secret' } })
  expect(withToken.status).toBe(400)
  const unsigned = await fetch(download.url.replace(/sig=.*/, 'sig=guess'))
  expect(unsigned.status).toBe(403)
})

test('an expired artifact, a lying size, and no permission', async () => {
  const { git, hosted, as } = await createWorld()
  const run = hosted.addRun({ headBranch: 'main', headSha: git.head })
  const expired = hosted.addArtifact({ runId: run.id, name: 'web', zip, expired: true, sizeInBytes: 3 })
  const { rest } = as({ actions: 'read' })
  const one = { ...where, artifact_id: expired.id }
  expect((await rest.actions.getArtifact(one)).data).toMatchObject({ expired: true, size_in_bytes: 3 })
  expect((await failure(rest.actions.downloadArtifact({ ...one, archive_format: 'zip' }))).status).toBe(410)
  // Not even in a public repository.
  const refused = await failure(as({}).rest.actions.downloadArtifact({ ...one, archive_format: 'zip' }))
  expect(refused.status).toBe(403)
})
