import { describe, expect, test } from 'vitest'
import type { Permissions } from '../../../../local/github/index.ts'
import { createWorld, failure, type Octokit, REPOSITORY, type World, where } from './world.ts'

type Call = (octokit: Octokit, world: World) => Promise<unknown>

/** Each with the permissions that suffice, each alone, and GitHub's header about them. */
const calls: { name: string; call: Call; sufficient: Permissions[]; header: string }[] = [
  {
    name: 'writing a comment',
    call: ({ rest }) => rest.issues.createComment({ ...where, issue_number: 1, body: 'Hello' }),
    sufficient: [{ issues: 'write' }, { 'pull-requests': 'write' }],
    header: 'issues=write; pull_requests=write',
  },
  {
    name: 'reading comments',
    call: ({ rest }) => rest.issues.listComments({ ...where, issue_number: 1 }),
    sufficient: [{ issues: 'read' }, { 'pull-requests': 'read' }, { issues: 'write' }],
    header: 'issues=read; pull_requests=read',
  },
  {
    name: 'reading pull requests',
    call: ({ rest }) => rest.pulls.list(where),
    sufficient: [{ 'pull-requests': 'read' }],
    header: 'pull_requests=read',
  },
  {
    name: 'comparing commits',
    call: ({ rest }) => rest.repos.compareCommitsWithBasehead({ ...where, basehead: 'main...main' }),
    sufficient: [{ contents: 'read' }],
    header: 'contents=read',
  },
  {
    name: 'beginning a deployment',
    call: ({ rest }) =>
      rest.repos.createDeployment({ ...where, ref: 'main', auto_merge: false, required_contexts: [] }),
    sufficient: [{ deployments: 'write' }],
    header: 'deployments=write',
  },
  {
    name: 'listing runs',
    call: ({ rest }) => rest.actions.listWorkflowRunsForRepo(where),
    sufficient: [{ actions: 'read' }],
    header: 'actions=read',
  },
  {
    name: 'making an environment',
    call: ({ rest }) => rest.repos.createOrUpdateEnvironment({ ...where, environment_name: 'preview/pr-1' }),
    sufficient: [{ administration: 'write' }],
    header: 'administration=write',
  },
]

describe.each(calls)('$name in a private repository', ({ call, sufficient, header }) => {
  test('is refused with the name of the permission', async () => {
    const world = await createWorld({ private: true })
    world.hosted.addIssue()
    const kinds = new Set(sufficient.flatMap(each => Object.keys(each)))
    const others: Permissions = Object.fromEntries(
      ['actions', 'administration', 'contents', 'deployments', 'issues', 'pull-requests']
        .filter(each => !kinds.has(each))
        .map(each => [each, 'write']),
    )
    const { status, message, response } = await failure(call(world.as(others), world))
    expect(status).toBe(403)
    expect(message).toContain('Resource not accessible by integration')
    expect(response.headers['x-accepted-github-permissions']).toBe(header)
    expect(response.data.status).toBe('403')
  })

  test.each(sufficient)('is allowed with %o', async permissions => {
    const world = await createWorld({ private: true })
    world.hosted.addIssue()
    await call(world.as(permissions), world)
  })

  test('does not exist for strangers', async () => {
    const world = await createWorld({ private: true })
    world.hosted.addIssue()
    const other = world.github.addToken({ repository: 'someone/else', permissions: sufficient[0]! })
    expect((await failure(call(world.connect(other), world))).status).toBe(404)
  })
})

test('reading is not writing', async () => {
  const { hosted, as } = await createWorld()
  hosted.addIssue()
  const readOnly = as({ issues: 'read', 'pull-requests': 'read', deployments: 'read' })
  const write = readOnly.rest.issues.createComment({ ...where, issue_number: 1, body: 'Hello' })
  expect((await failure(write)).status).toBe(403)
  const deploy = readOnly.rest.repos.createDeployment({ ...where, ref: 'main', required_contexts: [] })
  expect((await failure(deploy)).status).toBe(403)
  expect(hosted.comments).toEqual([])
  expect(hosted.deployments).toEqual([])
})

test('everybody reads what is public, and writes nothing', async () => {
  const world = await createWorld()
  world.hosted.addIssue()
  const nothing = world.as({})
  expect((await nothing.rest.issues.listComments({ ...where, issue_number: 1 })).status).toBe(200)
  expect((await nothing.rest.repos.get(where)).data.full_name).toBe(REPOSITORY)
  const stranger = world.connect(
    world.github.addToken({ repository: 'a/b', permissions: { issues: 'write' } }),
  )
  const write = stranger.rest.issues.createComment({ ...where, issue_number: 1, body: 'Hello' })
  expect((await failure(write)).status).toBe(403)

  const anonymous = await fetch(`${world.github.url}/repos/${REPOSITORY}/issues/1`)
  expect(anonymous.status).toBe(200)
  const body = JSON.stringify({ body: 'Hello' })
  const refused = await fetch(`${world.github.url}/repos/${REPOSITORY}/issues/1/comments`, {
    method: 'POST',
    body,
  })
  expect(refused.status).toBe(401)
  expect(await refused.json()).toMatchObject({ message: 'Requires authentication' })
})

test('the token of a workflow is no user; that of a person is', async () => {
  const { github, as, connect } = await createWorld()
  const refused = await failure(as().rest.users.getAuthenticated())
  expect([refused.status, refused.message]).toEqual([
    403,
    expect.stringContaining('Resource not accessible by integration'),
  ])
  const person = connect(github.addToken({ repository: REPOSITORY, login: 'grace', permissions: {} }))
  expect((await person.rest.users.getAuthenticated()).data).toMatchObject({ login: 'grace', type: 'User' })
  const write = person.rest.repos.createDeployment({ ...where, ref: 'main', required_contexts: [] })
  expect((await failure(write)).message).toContain('Resource not accessible by personal access token')
})

test('a token that nobody gave is refused', async () => {
  const { connect } = await createWorld()
  const { status, message } = await failure(connect('ghs_invented').rest.repos.get(where))
  expect([status, message]).toEqual([401, expect.stringContaining('Bad credentials')])
})

test('who does not say who calls is refused', async () => {
  const { github } = await createWorld()
  const { request } = await import('undici')
  const { statusCode, body } = await request(`${github.url}/repos/${REPOSITORY}`)
  await body.dump()
  expect(statusCode).toBe(403)
})

test('the log holds no token', async () => {
  const { github, as } = await createWorld()
  await as().rest.repos.get(where)
  expect(github.requests).toHaveLength(1)
  expect(JSON.stringify(github.requests)).not.toMatch(/ghs_/)
})
