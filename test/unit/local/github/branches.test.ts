import { expect, test } from 'vitest'
import { createWorld, failure, type Octokit, where } from './world.ts'

const WRITE = { contents: 'write', 'pull-requests': 'write', issues: 'write' } as const

/** A commit that nobody's branch has. */
async function commit(
  { rest }: Octokit,
  parents: readonly string[],
  files: Readonly<Record<string, string>>,
) {
  const { data: base } = await rest.git.getCommit({ ...where, commit_sha: parents[0]! })
  const { data: tree } = await rest.git.createTree({
    ...where,
    base_tree: base.tree.sha,
    tree: Object.entries(files).map(([path, content]) => ({ path, content, mode: '100644', type: 'blob' })),
  })
  const made = await rest.git.createCommit({
    ...where,
    message: 'Add',
    tree: tree.sha,
    parents: [...parents],
  })
  return made.data.sha
}

test('a commit is written, and a branch made of it and moved on, but never back', async () => {
  const { git, as } = await createWorld()
  const octokit = as(WRITE)
  const { rest } = octokit
  const main = git.shaOf('main')
  const first = await commit(octokit, [main], { 'a/b.txt': 'one' })
  const ref = 'heads/team/x'
  await rest.git.createRef({ ...where, ref: `refs/${ref}`, sha: first })
  expect(git.git(['show', 'team/x:a/b.txt'])).toBe('one')
  expect(git.git(['show', 'team/x:README.md'])).toBe('Daybreak')
  expect(git.git(['log', '-1', '--format=%an: %s', 'team/x'])).toBe('github-actions[bot]: Add')
  expect(await failure(rest.git.createRef({ ...where, ref: `refs/${ref}`, sha: first }))).toMatchObject({
    status: 422,
    message: expect.stringContaining('Reference already exists'),
  })
  const second = await commit(octokit, [first], { 'a/b.txt': 'two' })
  await rest.git.updateRef({ ...where, ref, sha: second })
  expect(await failure(rest.git.updateRef({ ...where, ref, sha: first }))).toMatchObject({
    status: 422,
    message: expect.stringContaining('Update is not a fast forward'),
  })
  const { data } = await rest.git.listMatchingRefs({ ...where, ref: 'heads/team/' })
  expect(data.map(each => [each.ref, each.object.sha])).toEqual([[`refs/${ref}`, second]])
  await rest.git.updateRef({ ...where, ref, sha: first, force: true })
  expect(git.shaOf('team/x')).toBe(first)
})

test('a rule keeps the default branch, and a setting keeps workflows from opening pull requests', async () => {
  const { git, hosted, as } = await createWorld()
  const octokit = as(WRITE)
  const { rest } = octokit
  const sha = await commit(octokit, [git.shaOf('main')], { 'a.txt': 'one' })
  hosted.protectsDefaultBranch = true
  expect((await failure(rest.git.updateRef({ ...where, ref: 'heads/main', sha }))).status).toBe(422)
  await rest.git.createRef({ ...where, ref: 'refs/heads/x', sha })
  const pull = { ...where, title: 'Add', head: 'x', base: 'main' }
  hosted.letsActionsOpenPulls = false
  expect(await failure(rest.pulls.create(pull))).toMatchObject({
    status: 403,
    message: expect.stringContaining('not permitted to create or approve pull requests'),
  })
  hosted.letsActionsOpenPulls = true
  const { data } = await rest.pulls.create(pull)
  expect(data).toMatchObject({ number: 1, user: { login: 'github-actions[bot]' }, head: { sha }, commits: 1 })
  expect((await failure(rest.pulls.create(pull))).status).toBe(422)
  expect((await failure(rest.pulls.create({ ...pull, head: 'main' }))).status).toBe(422)
  // An open pull request follows its branch.
  const next = await commit(octokit, [sha], { 'a.txt': 'two' })
  await rest.git.updateRef({ ...where, ref: 'heads/x', sha: next })
  expect((await rest.pulls.get({ ...where, pull_number: 1 })).data.head.sha).toBe(next)
})

test('open issues are listed with pull requests among them, of one person too, and closed', async () => {
  const { hosted, as } = await createWorld()
  const { rest } = as(WRITE)
  hosted.addIssue({ number: 3, author: 'eve', body: 'x' })
  hosted.addIssue({ number: 4 })
  await hosted.addPull({ number: 5, head: { ref: 'main' } })
  const list = async (more: object = {}) =>
    (await rest.issues.listForRepo({ ...where, ...more })).data.map(({ number }) => number)
  expect(await list()).toEqual([5, 4, 3])
  expect(await list({ creator: 'eve' })).toEqual([3])
  await rest.issues.update({ ...where, issue_number: 4, state: 'closed', state_reason: 'completed' })
  expect(await list({ direction: 'asc' })).toEqual([3, 5])
  hosted.collaborators.add('eve')
  const { data } = await rest.issues.get({ ...where, issue_number: 3 })
  expect(data).toMatchObject({ author_association: 'COLLABORATOR', state: 'open' })
})

test('a pull request is closed, and its branch goes where it still is as seen', async () => {
  const { git, hosted, as } = await createWorld()
  const octokit = as(WRITE)
  const { rest } = octokit
  const sha = await commit(octokit, [git.shaOf('main')], { 'a.txt': 'one' })
  await rest.git.createRef({ ...where, ref: 'refs/heads/x', sha })
  await rest.pulls.create({ ...where, title: 'Add', head: 'x', base: 'main' })
  await rest.pulls.update({ ...where, pull_number: 1, state: 'closed' })
  expect(hosted.pull(1)).toMatchObject({ issue: { state: 'closed' }, pull: { mergedAt: null } })
  const { data } = await rest.repos.get(where)
  const remove = (from: Octokit, beforeOid: string) => {
    const update = { name: 'refs/heads/x', beforeOid, afterOid: '0'.repeat(40) }
    const input = { repositoryId: data.node_id, refUpdates: [update] }
    return from.graphql(
      'mutation($input: UpdateRefsInput!) { updateRefs(input: $input) { clientMutationId } }',
      { input },
    )
  }
  await expect(remove(octokit, git.shaOf('main'))).rejects.toThrow('is not at')
  await expect(remove(as({ contents: 'read' }), sha)).rejects.toThrow('not accessible by integration')
  expect(git.shaOf('x')).toBe(sha)
  await remove(octokit, sha)
  expect(() => git.shaOf('x')).toThrow()
})

test.each([
  ['octo-org', 'admin'],
  ['ada', 'write'],
  ['bob', 'read'],
  ['mallory', 'none'],
] as const)('%s may %s in a private repository', async (username, permission) => {
  const { hosted, as } = await createWorld({ private: true })
  hosted.collaborators.add('ada')
  hosted.readers.add('bob')
  const { data } = await as().rest.repos.getCollaboratorPermissionLevel({ ...where, username })
  expect(data.permission).toBe(permission)
})
