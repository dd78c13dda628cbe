import { expect, test } from 'vitest'
import { createWorld, failure, type Octokit, where } from './world.ts'

const deploy = async (
  { rest }: Octokit,
  more: { ref: string; environment?: string; [name: string]: unknown },
) => {
  const { data, status } = await rest.repos.createDeployment({
    ...where,
    auto_merge: false,
    required_contexts: [],
    ...more,
  })
  return { status, id: 'id' in data ? data.id : 0, data }
}

test('a deployment and its statuses, newest first', async () => {
  const { git, as } = await createWorld()
  const octokit = as({ deployments: 'write' })
  const { id, data } = await deploy(octokit, {
    ref: git.head,
    environment: 'preview/pr-12',
    description: 'Preview',
    transient_environment: true,
    production_environment: false,
  })
  expect(data).toMatchObject({
    sha: git.head,
    ref: git.head,
    environment: 'preview/pr-12',
    transient_environment: true,
    production_environment: false,
    creator: { login: 'github-actions[bot]' },
  })
  const status = { ...where, deployment_id: id }
  await octokit.rest.repos.createDeploymentStatus({ ...status, state: 'in_progress' })
  const { data: success } = await octokit.rest.repos.createDeploymentStatus({
    ...status,
    state: 'success',
    environment_url: 'https://web.example.com/p/12',
    log_url: 'https://github.com/octo-org/daybreak/actions/runs/1',
    description: 'On channel pr-12',
  })
  expect(success).toMatchObject({ state: 'success', environment_url: 'https://web.example.com/p/12' })
  const { data: all } = await octokit.rest.repos.listDeploymentStatuses(status)
  expect(all.map(({ state }) => state)).toEqual(['success', 'in_progress'])
  expect(all[1]?.environment_url).toBe('')
  const { data: read } = await octokit.rest.repos.getDeployment(status)
  expect(read.id).toBe(id)
})

test('deployments by environment, commit and ref, newest first', async () => {
  const { git, as } = await createWorld()
  const octokit = as()
  const first = await deploy(octokit, { ref: git.head, environment: 'preview/pr-1' })
  const second = await deploy(octokit, { ref: 'main', environment: 'Preview/PR-1' })
  const third = await deploy(octokit, { ref: 'main' })
  const list = async (query: Record<string, string>) =>
    (await octokit.rest.repos.listDeployments({ ...where, ...query })).data.map(({ id }) => id)
  expect(await list({})).toEqual([third.id, second.id, first.id])
  expect(await list({ environment: 'preview/pr-1' })).toEqual([second.id, first.id])
  expect(await list({ ref: 'main' })).toEqual([third.id, second.id])
  expect(await list({ sha: git.head })).toHaveLength(3)
  expect(third.data).toMatchObject({ environment: 'production', production_environment: true })
})

test('a success ends those before it, save transient and production ones', async () => {
  const { as, hosted } = await createWorld()
  const octokit = as()
  const succeed = async (environment: string, more = {}) => {
    const { id } = await deploy(octokit, { ref: 'main', environment, ...more })
    await octokit.rest.repos.createDeploymentStatus({ ...where, deployment_id: id, state: 'success' })
  }
  await succeed('development')
  await succeed('development')
  await succeed('preview/pr-1', { transient_environment: true })
  await succeed('preview/pr-1', { transient_environment: true })
  await succeed('production')
  await succeed('production')
  expect(
    hosted.deployments.map(({ environment, statuses }) => [environment, statuses.at(-1)?.state]),
  ).toEqual([
    ['development', 'inactive'],
    ['development', 'success'],
    ['preview/pr-1', 'success'],
    ['preview/pr-1', 'success'],
    ['production', 'success'],
    ['production', 'success'],
  ])
})

test('an active deployment is not deleted unless it is the only one', async () => {
  const { as } = await createWorld()
  const octokit = as()
  const { id } = await deploy(octokit, { ref: 'main', environment: 'preview/pr-1' })
  const other = await deploy(octokit, { ref: 'main', environment: 'preview/pr-1' })
  const one = { ...where, deployment_id: id }
  const refused = await failure(octokit.rest.repos.deleteDeployment(one))
  expect(refused.status).toBe(422)
  expect(refused.message).toContain('We cannot delete an active deployment')
  await octokit.rest.repos.createDeploymentStatus({ ...one, state: 'inactive' })
  expect((await octokit.rest.repos.deleteDeployment(one)).status).toBe(204)
  expect((await octokit.rest.repos.deleteDeployment({ ...where, deployment_id: other.id })).status).toBe(204)
  expect((await failure(octokit.rest.repos.getDeployment(one))).status).toBe(404)
})

test('what GitHub refuses', async () => {
  const { git, as } = await createWorld()
  const octokit = as()
  const unknown = await failure(deploy(octokit, { ref: 'gone' }))
  expect([unknown.status, unknown.response.data.message]).toEqual([422, 'No ref found for: gone'])
  const waiting = octokit.rest.repos.createDeployment({ ...where, ref: 'main' })
  expect((await failure(waiting)).status).toBe(409)

  git.branch('evening')
  git.checkout('main')
  git.commit({ 'a.txt': 'a' })
  expect((await deploy(octokit, { ref: 'evening', auto_merge: true })).status).toBe(202)

  const { id } = await deploy(octokit, { ref: 'main' })
  const state = (more: object) =>
    octokit.rest.repos.createDeploymentStatus({ ...where, deployment_id: id, state: 'success', ...more })
  expect((await failure(state({ description: 'a'.repeat(141) }))).message).toContain(
    'maximum is 140 characters',
  )
  const scheme = await failure(state({ environment_url: 'capgo://preview/12' }))
  expect([scheme.status, scheme.message]).toEqual([422, expect.stringContaining('http(s) scheme')])
  expect((await state({ description: 'a'.repeat(140) })).status).toBe(201)
})

test('environments are made by deployments, read, changed and deleted', async () => {
  const { as, hosted } = await createWorld()
  const octokit = as()
  const environment = { ...where, environment_name: 'preview/pr-12' }
  expect((await failure(octokit.rest.repos.getEnvironment(environment))).status).toBe(404)
  await deploy(octokit, { ref: 'main', environment: 'preview/pr-12' })
  expect((await octokit.rest.repos.getEnvironment(environment)).data.name).toBe('preview/pr-12')
  const { data } = await octokit.rest.repos.createOrUpdateEnvironment({ ...environment, wait_timer: 5 })
  expect(data.protection_rules).toMatchObject([{ type: 'wait_timer', wait_timer: 5 }])
  expect(hosted.environments).toHaveLength(1)
  expect((await octokit.rest.repos.deleteAnEnvironment(environment)).status).toBe(204)
  expect(hosted.environments).toEqual([])
})
