/** Requests to GitHub whose refusal costs nothing else, and lists that are not read to their end. */
import { expect, it, onTestFinished } from 'vitest'
import { type Permissions, startGitHub } from '../../../local/github/index.ts'
import { createRepository } from '../../../local/repository.ts'
import { connectGitHub } from '../../../src/github/client.ts'
import type { GitHubError } from '../../../src/github/errors.ts'
import { markOf } from '../../../src/operations/steps/comment-marker.ts'

const REPOSITORY = 'octo-org/daybreak'

async function createWorld(permissions: Permissions = { contents: 'read', 'pull-requests': 'read' }) {
  const server = await startGitHub()
  const git = createRepository({ files: { 'README.md': 'Daybreak\n' } })
  onTestFinished(async () => {
    await server.stop()
    git.remove()
  })
  const hosted = server.addRepository({ name: REPOSITORY, gitDir: git.path, private: true })
  const token = server.addToken({ repository: REPOSITORY, permissions })
  const github = connectGitHub({
    token,
    repository: REPOSITORY,
    apiUrl: server.url,
    userAgent: 'test',
    redact: text => text,
    signal: new AbortController().signal,
    fetch,
    firstPause: 1,
  })
  return { server, git, hosted, github }
}

it('heads that a force-push took off are listed, each once, and a fast-forward is none', async () => {
  const { git, github } = await createWorld()
  const first = git.head
  git.commit({ 'README.md': 'Kept\n' }, 'kept')
  const dropped = git.commit({ 'README.md': 'Dropped\n' }, 'dropped')
  git.git(['checkout', '--quiet', '-B', 'main', first])
  expect(await github.listDroppedHeads('main')).toEqual([dropped])
  expect(await github.listDroppedHeads('develop')).toEqual([])
})

it.each([
  [403, 'Resource not accessible by integration', []],
  [404, 'Not Found', []],
  [500, 'Server Error', 'github_500'],
])(
  'where GitHub answers %i to that, the branch has its own history: %s',
  async (status, message, expected) => {
    const { server, github } = await createWorld()
    server.faults.add({ match: { path: /\/activity/ }, do: { status, body: { message } }, times: 9 })
    const answer = await github
      .listDroppedHeads('main')
      .catch((error: unknown) => (error as GitHubError).code)
    expect(answer).toEqual(expected)
    expect(await github.listCommits(null, 1)).toHaveLength(1)
  },
)

it('of 201 commits the first and the last page are read, and a comparison is asked once', async () => {
  const { server, git, github } = await createWorld()
  const base = git.head
  for (let n = 1; n <= 201; n++) git.commit({}, `Commit ${n}`)
  const [{ commits, total }] = await Promise.all([
    github.listChanges(base, git.head),
    github.compare(base, git.head),
  ])
  expect(total).toBe(201)
  expect(commits.map(({ message }) => message)).toEqual([
    ...Array.from({ length: 100 }, (_, n) => `Commit ${n + 1}`),
    'Commit 201',
  ])
  expect(server.requests).toHaveLength(2)
  server.faults.add({ match: { path: /\/compare\// }, do: { status: 404 } })
  await expect(github.listChanges(git.head, base)).rejects.toThrow('404')
  expect(await github.compare(git.head, base), 'what failed is asked anew').toBe('behind')
})

it('of the comments of a repository the newest 1,000 are looked at, in ten requests', async () => {
  const { server, hosted, github } = await createWorld()
  const mark = markOf('key')
  hosted.addIssue({ number: 12 })
  const say = (minute: number, body: string, author = 'ada') =>
    Object.assign(hosted.addComment(12, { body, author }), {
      updatedAt: new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString().replace('.000', ''),
    })
  const ours = `${mark.begins}\nBuilding`
  say(0, ours, 'github-actions[bot]')
  for (let minute = 1; minute <= 1005; minute++) say(minute, 'Hello')
  say(2000, ours, 'github-actions[bot]')
  say(2001, ours, 'mallory')
  const since = new Date(Date.UTC(2025, 11, 31))
  expect(await github.listRecentComments(since, mark)).toEqual([{ issue: 12, body: ours }])
  expect(
    server.requests.filter(({ operation }) => operation === 'issues/list-comments-for-repo'),
  ).toHaveLength(10)
  expect(await github.listRecentComments(new Date(Date.UTC(2026, 0, 3)), mark)).toEqual([])
})

it('a commit has the first line of its message, and the account of its author or else the name that git has', async () => {
  const { server, git, github } = await createWorld()
  const sha = git.commit({ 'README.md': 'Evening\n' }, 'Say good evening\n\nIt was asked for.')
  const [known] = await github.listCommits(null, 1, sha)
  expect(known).toMatchObject({ sha, title: 'Say good evening', author: 'Ada Example' })
  const commit = (account: object | null, name: string | null) => ({
    sha,
    commit: { message: 'Say good evening', author: name === null ? null : { name }, committer: null },
    author: account,
  })
  const body = [commit({ login: 'ada' }, 'Ada'), commit({}, 'Ada'), commit(null, null)]
  server.faults.add({ match: { path: /\/commits/ }, do: { status: 200, body } })
  const authors = (await github.listCommits(null, 3)).map(({ author }) => author)
  expect(authors).toEqual(['@ada', 'Ada', null])
})

it('an issue that was deleted is none, nor is one that was transferred', async () => {
  const { server, hosted, git, github } = await createWorld()
  hosted.addIssue({ number: 5 })
  expect(await github.readIssue(5)).toMatchObject({ number: 5, author: 'ada' })
  const reply = (status: number, headers: Record<string, string> = {}) => {
    server.faults.clear()
    server.faults.add({
      match: { path: /octo-org\/daybreak\/issues\/5$/ },
      do: { status, headers, body: { message: 'This issue was deleted' } },
    })
  }
  reply(410)
  expect(await github.readIssue(5)).toBeNull()
  const other = server.addRepository({ name: 'octo-org/handbook', gitDir: git.path })
  other.addIssue({ number: 5 })
  reply(301, { location: `${server.url}/repositories/${other.id}/issues/5` })
  expect(await github.readIssue(5)).toBeNull()
})

it('deleted accounts and bots do not count as authors or reviewers, and cannot push', async () => {
  const { hosted, github } = await createWorld()
  const authors = ['ada', 'ghost', 'Copilot', 'helper[bot]']
  for (const [index, author] of authors.entries()) hosted.addIssue({ number: index + 1, author })
  const listed = await github.listIssues({ state: 'open', label: null })
  expect(listed.map(({ author }) => author)).toEqual([null, null, null, 'ada'])
  expect(await github.canPush('Copilot')).toBe(false)
  const reviews = ['Copilot', 'coderabbitai[bot]', 'lead'].map(
    author => ({ author, state: 'COMMENTED' }) as const,
  )
  await hosted.addPull({ number: 9, head: { ref: 'main' }, reviews })
  expect(await github.listReviewers(9)).toEqual(['lead'])
})

it('a branch that stays says why, in the words of GitHub', async () => {
  const { server, git, hosted, github } = await createWorld({ contents: 'write' })
  const sha = git.shaOf('main')
  git.git(['branch', 'x'])
  hosted.keepsBranches = true
  expect(await github.deleteBranch('x', sha)).toBe(
    'Repository rule violations found Cannot delete this branch',
  )
  hosted.keepsBranches = false
  const errors = [{ type: 'RATE_LIMITED', message: 'API rate limit exceeded for installation ID 1.' }]
  server.faults.add({ match: { path: '/graphql' }, times: 1, do: { status: 200, body: { errors } } })
  const limited: GitHubError = await github.deleteBranch('x', sha).catch(error => error)
  expect(limited).toMatchObject({ code: 'github_429', retryAfter: 60_000 })
  expect(await github.deleteBranch('x', sha)).toBeNull()
})

it('a pull request that GitHub refuses says why', async () => {
  const { github } = await createWorld({ contents: 'read', 'pull-requests': 'write' })
  const pull = { title: 'Add a tester', body: '', head: 'main', base: 'main' }
  const refused: GitHubError = await github.createPull(pull).catch(error => error)
  expect(refused.message).toBe(
    'GitHub answered 422 to POST /repos/{owner}/{repo}/pulls: Validation Failed: No commits between main and main.',
  )
})
