import { expect, test } from 'vitest'
import { createWorld, failure, where } from './world.ts'

test('a comment is created, read, changed and deleted; its author is the workflow', async () => {
  const { hosted, as } = await createWorld()
  hosted.addIssue({ number: 12 })
  const { rest } = as({ issues: 'write' })

  const { data: created } = await rest.issues.createComment({ ...where, issue_number: 12, body: 'Building' })
  expect(created).toMatchObject({ body: 'Building', user: { login: 'github-actions[bot]', type: 'Bot' } })
  expect(created.performed_via_github_app?.slug).toBe('github-actions')
  expect(created.html_url).toBe(`https://github.com/octo-org/daybreak/issues/12#issuecomment-${created.id}`)

  await rest.issues.updateComment({ ...where, comment_id: created.id, body: 'Ready' })
  const { data: read } = await rest.issues.getComment({ ...where, comment_id: created.id })
  expect(read.body).toBe('Ready')
  expect(hosted.commentsOf(12).map(({ body }) => body)).toEqual(['Ready'])

  const { status } = await rest.issues.deleteComment({ ...where, comment_id: created.id })
  expect(status).toBe(204)
  expect((await failure(rest.issues.getComment({ ...where, comment_id: created.id }))).status).toBe(404)
})

test('250 comments come in pages of at most 100, oldest first, with links', async () => {
  const { github, hosted, as } = await createWorld()
  hosted.addIssue({ number: 12 })
  hosted.addIssue({ number: 13 })
  for (let index = 1; index <= 250; index++)
    hosted.addComment(index === 77 ? 13 : 12, { body: `Comment ${index}` })
  hosted.addComment(12, { body: 'Ours', author: 'github-actions[bot]' })
  const octokit = as()

  const all = await octokit.paginate(octokit.rest.issues.listComments, {
    ...where,
    issue_number: 12,
    per_page: 100,
  })
  expect(all).toHaveLength(250)
  expect([all[0]?.body, all[76]?.body, all.at(-1)?.body]).toEqual(['Comment 1', 'Comment 78', 'Ours'])
  expect(all[0]?.user).toMatchObject({ login: 'ada', type: 'User' })
  expect(all.at(-1)?.user?.type).toBe('Bot')
  expect(github.requests.map(({ path }) => path.split('?')[1])).toEqual([
    'per_page=100',
    'per_page=100&page=2',
    'per_page=100&page=3',
  ])

  const list = (query: { per_page?: number; page?: number }) =>
    octokit.rest.issues.listComments({ ...where, issue_number: 12, ...query })
  expect((await list({})).data).toHaveLength(30)
  expect((await list({ per_page: 500 })).data).toHaveLength(100)
  const { headers } = await list({ per_page: 100, page: 2 })
  const relations = [...(headers.link ?? '').matchAll(/[?&]page=(\d+)>; rel="(\w+)"/g)].map(match => [
    match[2],
    match[1],
  ])
  expect(relations).toEqual([
    ['prev', '1'],
    ['next', '3'],
    ['last', '3'],
    ['first', '1'],
  ])
  expect((await list({ page: 9 })).headers.link).not.toContain('rel="next"')
})

test('comments since a moment', async () => {
  const { hosted, as } = await createWorld()
  hosted.addIssue({ number: 12 })
  hosted.addComment(12, { body: 'Old' }).updatedAt = '2020-01-01T00:00:00Z'
  hosted.addComment(12, { body: 'New' })
  const { data } = await as().rest.issues.listComments({
    ...where,
    issue_number: 12,
    since: '2021-01-01T00:00:00Z',
  })
  expect(data.map(({ body }) => body)).toEqual(['New'])
})

test('a comment has 65536 characters at most, and one at least', async () => {
  const { hosted, as } = await createWorld()
  hosted.addIssue({ number: 12 })
  const { rest } = as()
  const write = (body: string) => rest.issues.createComment({ ...where, issue_number: 12, body })

  expect((await write('🌅'.repeat(65_536))).status).toBe(201)
  const long = await failure(write('a'.repeat(65_537)))
  expect(long.status).toBe(422)
  expect(long.response.data).toEqual({
    message: 'Validation Failed',
    errors: [
      {
        resource: 'IssueComment',
        code: 'unprocessable',
        field: 'data',
        message: 'Body is too long (maximum is 65536 characters)',
      },
    ],
    documentation_url: 'https://docs.github.com/rest/issues/comments#create-an-issue-comment',
  })
  expect((await failure(write(' \n'))).status).toBe(422)
  const [first] = hosted.commentsOf(12)
  const change = rest.issues.updateComment({ ...where, comment_id: first!.id, body: 'a'.repeat(65_537) })
  expect((await failure(change)).status).toBe(422)
  expect(hosted.comments).toHaveLength(1)
})

test('a comment on what is not there', async () => {
  const { as } = await createWorld()
  const { rest } = as()
  const nowhere = await failure(rest.issues.createComment({ ...where, issue_number: 99, body: 'Hello' }))
  expect(nowhere.response.data).toEqual({
    message: 'Not Found',
    documentation_url: 'https://docs.github.com/rest/issues/comments#create-an-issue-comment',
    status: '404',
  })
  expect((await failure(rest.issues.updateComment({ ...where, comment_id: 1, body: 'Hello' }))).status).toBe(
    404,
  )
  expect((await failure(rest.issues.get({ ...where, issue_number: 99 }))).status).toBe(404)
})

test('an issue says whether it is a pull request', async () => {
  const { git, hosted, as } = await createWorld()
  git.branch('evening')
  git.commit({ 'a.txt': 'a' })
  hosted.addIssue({ number: 1, title: 'A wish', labels: ['preview'] })
  await hosted.addPull({ number: 2, head: { ref: 'evening' } })
  hosted.addComment(2, { body: 'Nice' })
  const { rest } = as()
  const { data: issue } = await rest.issues.get({ ...where, issue_number: 1 })
  expect(issue).toMatchObject({ title: 'A wish', labels: [{ name: 'preview' }], comments: 0 })
  expect(issue.pull_request).toBeUndefined()
  const { data: pull } = await rest.issues.get({ ...where, issue_number: 2 })
  expect(pull.comments).toBe(1)
  expect(pull.pull_request?.html_url).toBe('https://github.com/octo-org/daybreak/pull/2')
})

test('the comments of a whole repository are listed: those changed last first, with the number of each', async () => {
  const { hosted, as } = await createWorld()
  for (const number of [12, 13]) hosted.addIssue({ number })
  const at = (minute: number) => `2026-01-01T10:0${minute}:00Z`
  for (const [minute, number, body] of [
    [0, 12, 'one'],
    [1, 13, 'two'],
    [2, 12, 'three'],
  ] as const)
    Object.assign(hosted.addComment(number, { body }), { createdAt: at(minute), updatedAt: at(minute) })
  Object.assign(hosted.comments[0]!, { body: 'ONE', updatedAt: at(3) })
  const { rest } = as({ 'pull-requests': 'read' })
  const list = async (more: object) =>
    (await rest.issues.listCommentsForRepo({ ...where, ...more })).data.map(
      ({ issue_url, body }) => `${issue_url.split('/').at(-1)} ${body}`,
    )
  expect(await list({ sort: 'updated', direction: 'desc' })).toEqual(['12 ONE', '12 three', '13 two'])
  expect(await list({ sort: 'updated', since: at(3) })).toEqual(['12 ONE'])
  expect(await list({})).toEqual(['12 ONE', '13 two', '12 three'])
})
