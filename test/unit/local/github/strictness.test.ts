import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { secondaryRateLimit } from '../../../../local/github/index.ts'
import { checkAnswer, findOperation } from '../../../../local/github/openapi.ts'
import { createWorld, failure, REPOSITORY, where } from './world.ts'

test('a field that GitHub does not know is refused and kept', async () => {
  const { github, hosted, as } = await createWorld({ strict: false })
  hosted.addIssue()
  const { rest } = as()
  const invented = { ...where, issue_number: 1, body: 'Hello', colour: 'red' }
  expect((await failure(rest.issues.createComment(invented))).status).toBe(500)
  expect(github.violations).toEqual([
    {
      request: `POST /repos/${REPOSITORY}/issues/1/comments`,
      where: 'request body',
      problems: ['(all) must NOT have additional properties: colour'],
    },
  ])
  expect(hosted.comments).toEqual([])
})

test.each([
  ['a missing field', 'POST', '/deployments', {}, 'request body', "(all) must have required property 'ref'"],
  [
    'a wrong type',
    'POST',
    '/deployments',
    { ref: 'main', auto_merge: 'no' },
    'request body',
    '/auto_merge must be boolean',
  ],
  ['a missing body', 'POST', '/deployments', undefined, 'request body', 'a body is missing'],
  ['a body too many', 'DELETE', '/deployments/1', { a: 1 }, 'request body', 'no body belongs here'],
  ['an unknown query', 'GET', '/pulls?colour=red', undefined, 'query', 'colour is unknown'],
  [
    'a wrong query',
    'GET',
    '/pulls?state=merged',
    undefined,
    'query',
    'state must be equal to one of the allowed values: open, closed, all',
  ],
  ['no number', 'GET', '/issues/seven', undefined, 'path', 'issue_number must be integer'],
  [
    'an unknown path',
    'GET',
    '/bundles',
    undefined,
    'operation',
    'GitHub has no such operation, or openapi.json is without it',
  ],
  [
    'another method',
    'PUT',
    '/pulls',
    {},
    'operation',
    'GitHub has no such operation, or openapi.json is without it',
  ],
] as const)('%s', async (_, method, path, body, place, problem) => {
  const { github } = await createWorld({ strict: false })
  const response = await fetch(`${github.url}/repos/${REPOSITORY}${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  expect(response.status).toBe(500)
  expect(github.violations).toEqual([
    { request: `${method} /repos/${REPOSITORY}${path}`, where: place, problems: [problem] },
  ])
})

test('an answer that GitHub would not give is refused too', async () => {
  const { github, hosted, as } = await createWorld({ strict: false })
  hosted.addIssue().createdAt = 'yesterday'
  expect((await failure(as().rest.issues.get({ ...where, issue_number: 1 }))).status).toBe(500)
  expect(github.violations).toEqual([
    {
      request: `GET /repos/${REPOSITORY}/issues/1`,
      where: 'answer',
      problems: ['/created_at must match format "date-time"'],
    },
  ])
})

test('answers are closed at every depth', async () => {
  const { hosted, github } = await createWorld()
  const comment = hosted.addComment(hosted.addIssue().number, { body: 'Hello' })
  const response = await fetch(`${github.url}/repos/${REPOSITORY}/issues/comments/${comment.id}`)
  const json = (await response.json()) as { user: Record<string, unknown> }
  const { operation } = findOperation('GET', `/repos/${REPOSITORY}/issues/comments/1`)!
  expect(checkAnswer(operation, 200, json)).toEqual([])
  json.user.favouriteColour = 'red'
  expect(checkAnswer(operation, 200, json)).toEqual([
    '/user must NOT have additional properties: favouriteColour',
  ])
  delete json.user.favouriteColour
  delete json.user.login
  expect(checkAnswer(operation, 200, json)).toEqual(["/user must have required property 'login'"])
  expect(checkAnswer(operation, 201, json)).toEqual(['status 201 is unknown'])
})

test('every operation of the description is served', async () => {
  const { github, as } = await createWorld({ strict: false })
  const { operations } = JSON.parse(
    readFileSync(new URL('../../../../local/github/openapi.json', import.meta.url), 'utf8'),
  ) as { operations: Record<string, { method: string; path: string; body?: unknown }> }
  const { request } = as()
  for (const { method, path } of Object.values(operations)) {
    const filled = path
      .replace('{owner}/{repo}', REPOSITORY)
      .replace('{archive_format}', 'zip')
      .replace(/\{\w+\}/g, '1')
    const body = {
      ...(/deployments$/.test(path) && { ref: 'main' }),
      ...(/statuses/.test(path) && { state: 'success' }),
      ...(/git\/trees$/.test(path) && { tree: [] }),
      ...(/git\/commits$/.test(path) && { message: 'Add', tree: '1' }),
      ...(/git\/refs$/.test(path) && { ref: 'refs/heads/x', sha: '1' }),
      ...(/git\/refs\//.test(path) && { sha: '1' }),
      ...(/pulls$/.test(path) && { head: 'x', base: 'main' }),
    }
    const comment = /comments/.test(path) ? { body: 'Hello' } : {}
    await request(
      `${method} ${filled}`,
      ['POST', 'PATCH', 'PUT'].includes(method) ? { ...body, ...comment } : {},
    ).catch(() => {})
  }
  expect(github.requests.map(({ operation }) => operation)).toEqual(Object.keys(operations))
  expect(github.violations).toEqual([])
})

test('faults strike before and after the effect', async () => {
  const { github, hosted, as } = await createWorld()
  hosted.addIssue()
  const { rest } = as()
  const write = (body: string) => rest.issues.createComment({ ...where, issue_number: 1, body })
  const match = { method: 'POST', path: `/repos/${REPOSITORY}/issues/1/comments` }

  github.faults.add({
    match,
    do: { status: 502, headers: { 'content-type': 'text/html' }, body: '<h1>Oops</h1>' },
  })
  expect((await failure(write('One'))).status).toBe(502)
  github.faults.add({ match, do: 'drop' })
  expect((await failure(write('Two'))).status).toBe(500)
  expect(hosted.comments).toEqual([])
  github.faults.add({ match, at: 'after', do: 'drop' })
  await failure(write('Three'))
  github.faults.add({ match, do: () => void hosted.comments.splice(0) })
  await write('Four')
  expect(hosted.comments.map(({ body }) => body)).toEqual(['Four'])
  expect(github.requests.map(({ status }) => status)).toEqual([502, 0, 0, 201])
})

test('too many writes at once', async () => {
  const { github, hosted, as } = await createWorld()
  hosted.addIssue()
  github.faults.add(secondaryRateLimit({ match: { method: 'POST' }, retryAfterSeconds: 1 }))
  const { rest } = as()
  const write = () => rest.issues.createComment({ ...where, issue_number: 1, body: 'Hello' })
  const limited = await failure(write())
  expect([limited.status, limited.response.headers['retry-after']]).toEqual([403, '1'])
  expect(limited.message).toContain('secondary rate limit')
  expect((await write()).status).toBe(201)
})
