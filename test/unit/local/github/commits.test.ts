import { expect, test } from 'vitest'
import { createWorld, failure, type Octokit, where } from './world.ts'

const compare = async ({ rest }: Octokit, basehead: string, page = {}) =>
  (await rest.repos.compareCommitsWithBasehead({ ...where, basehead, ...page })).data

test('two commits: identical, ahead, behind, diverged', async () => {
  const { git, as } = await createWorld()
  const first = git.head
  const second = git.commit({ 'a.txt': 'a\n' }, 'Second')
  const third = git.commit({ 'a.txt': 'b\n' }, 'Third')
  git.branch('other', first)
  const other = git.commit({ 'o.txt': 'o\n' })
  const octokit = as()

  expect(await compare(octokit, `${first}...${first}`)).toMatchObject({ status: 'identical', ahead_by: 0 })
  const ahead = await compare(octokit, `${first}...${third}`)
  expect(ahead).toMatchObject({
    status: 'ahead',
    ahead_by: 2,
    behind_by: 0,
    total_commits: 2,
    merge_base_commit: { sha: first },
    files: [{ filename: 'a.txt', status: 'added', additions: 1 }],
  })
  expect(ahead.commits.map(({ sha, commit }) => [sha, commit.message])).toEqual([
    [second, 'Second'],
    [third, 'Third'],
  ])
  const behind = await compare(octokit, `${third}...${first}`)
  expect(behind).toMatchObject({ status: 'behind', behind_by: 2, commits: [], files: [] })
  const diverged = await compare(octokit, `${third}...${other}`)
  expect(diverged).toMatchObject({
    status: 'diverged',
    ahead_by: 1,
    behind_by: 2,
    merge_base_commit: { sha: first },
    files: [{ filename: 'o.txt' }],
  })
})

test('by the names of branches and tags, and of another copy', async () => {
  const { git, hosted, as } = await createWorld()
  git.tag('v1.0.0')
  git.branch('feature/evening')
  const head = git.commit({ 'a.txt': 'a\n' })
  await hosted.addPull({ head: { ref: 'their', sha: head, fork: 'ada/daybreak' } })
  const octokit = as()
  for (const name of ['feature/evening', head, head.slice(0, 8), 'ada:their', 'octo-org:feature/evening'])
    expect(await compare(octokit, `v1.0.0...${name}`), name).toMatchObject({ status: 'ahead', ahead_by: 1 })
})

test('commits in pages, the files with the first', async () => {
  const { git, as } = await createWorld()
  const base = git.head
  for (let index = 0; index < 5; index++) git.commit({ 'a.txt': `${index}\n` }, `Commit ${index}`)
  const octokit = as()
  const pages = [1, 2, 3].map(page => compare(octokit, `${base}...main`, { per_page: 2, page }))
  const [first, second, third] = await Promise.all(pages)
  expect([first, second, third].map(page => page?.commits.map(({ commit }) => commit.message))).toEqual([
    ['Commit 0', 'Commit 1'],
    ['Commit 2', 'Commit 3'],
    ['Commit 4'],
  ])
  expect(first?.total_commits).toBe(5)
  expect([first?.files?.length, second?.files?.length]).toEqual([1, 0])
})

test('what is gone, and what was never together', async () => {
  const { git, as } = await createWorld()
  const octokit = as()
  const gone = await failure(compare(octokit, `${'0'.repeat(39)}1...main`))
  expect([gone.status, gone.response.data.message]).toEqual([404, 'Not Found'])
  git.git(['checkout', '--quiet', '--orphan', 'pages'])
  git.commit({ 'index.html': '<p>' })
  const alien = await failure(compare(octokit, 'main...pages'))
  expect([alien.status, alien.response.data.message]).toEqual([
    404,
    'No common ancestor between main and pages.',
  ])
})

test('what was pushed a moment ago is there', async () => {
  const { git, as } = await createWorld()
  const octokit = as()
  const before = git.head
  expect(await compare(octokit, `${before}...main`)).toMatchObject({ status: 'identical' })
  git.commit({ 'a.txt': 'a' })
  expect(await compare(octokit, `${before}...main`)).toMatchObject({ status: 'ahead' })
  git.git(['reset', '--quiet', '--hard', before])
  git.commit({ 'b.txt': 'b' })
  expect(await compare(octokit, `${before}...main`)).toMatchObject({ status: 'ahead', ahead_by: 1 })
})

test('a commit, a git commit and a ref', async () => {
  const { git, hosted, as } = await createWorld()
  const parent = git.head
  const sha = git.commit({ 'a.txt': 'a' }, 'Greet in the evening\n\nWith a body.')
  git.branch('feature/evening')
  await hosted.addPull({ head: { ref: 'feature/evening' }, mergeCommitSha: parent })
  const { rest } = as()
  const { data: commit } = await rest.repos.getCommit({ ...where, ref: 'feature/evening' })
  expect(commit).toMatchObject({
    sha,
    commit: { message: 'Greet in the evening\n\nWith a body.', author: { email: 'ada@example.com' } },
    parents: [{ sha: parent }],
  })
  const { data: gitCommit } = await rest.git.getCommit({ ...where, commit_sha: sha })
  expect(gitCommit).toMatchObject({ sha, tree: { sha: git.git(['rev-parse', 'HEAD^{tree}']) } })
  expect((await failure(rest.git.getCommit({ ...where, commit_sha: 'main' }))).status).toBe(404)

  const ref = async (name: string) => (await rest.git.getRef({ ...where, ref: name })).data
  expect(await ref('heads/feature/evening')).toMatchObject({
    ref: 'refs/heads/feature/evening',
    object: { sha },
  })
  expect((await ref('pull/1/head')).object.sha).toBe(sha)
  expect((await ref('pull/1/merge')).object.sha).toBe(parent)
  expect((await failure(ref('heads/gone'))).status).toBe(404)
})

test('a file as JSON and raw, at any ref', async () => {
  const { git, as } = await createWorld()
  const text = 'preview: "grüße"\n'.repeat(20)
  git.commit({ 'config/a b.yml': text })
  const first = git.head
  git.commit({ 'config/a b.yml': 'changed\n' })
  const { rest } = as()
  const place = { ...where, path: 'config/a b.yml' }
  const { data } = await rest.repos.getContent({ ...place, ref: first })
  expect(data).toMatchObject({
    type: 'file',
    encoding: 'base64',
    path: 'config/a b.yml',
    size: Buffer.byteLength(text),
  })
  expect(Buffer.from('content' in data ? data.content! : '', 'base64').toString()).toBe(text)
  const raw = await rest.repos.getContent({ ...place, mediaType: { format: 'raw' } })
  expect(raw.data).toBe('changed\n')
  expect((await failure(rest.repos.getContent({ ...place, ref: 'gone' }))).status).toBe(404)
  expect((await failure(rest.repos.getContent({ ...where, path: 'config/c.yml' }))).status).toBe(404)
})

test('a folder, a link and a big file', async () => {
  const { git, as } = await createWorld()
  const { symlinkSync } = await import('node:fs')
  symlinkSync('docs/guide.md', `${git.path}/guide.md`)
  symlinkSync('../outside', `${git.path}/away`)
  git.commit({ 'docs/guide.md': 'Guide\n', 'docs/deep/a.md': 'a', 'big.bin': Buffer.alloc(1_100_000, 1) })
  const { rest } = as()
  const read = async (path: string) => (await rest.repos.getContent({ ...where, path })).data
  const list = (await read('docs')) as { name: string; type: string }[]
  expect(list.map(({ name, type }) => [name, type])).toEqual([
    ['deep', 'dir'],
    ['guide.md', 'file'],
  ])
  expect(((await read('')) as { name: string }[]).map(({ name }) => name)).toEqual([
    'README.md',
    'away',
    'big.bin',
    'docs',
    'guide.md',
  ])
  expect(await read('guide.md')).toMatchObject({ type: 'file', path: 'guide.md', content: 'R3VpZGUK\n' })
  expect(await read('away')).toMatchObject({ type: 'symlink', target: '../outside' })
  expect(await read('big.bin')).toMatchObject({ encoding: 'none', content: '', size: 1_100_000 })
})

test('commits that changed a file, the newest first; also those that removed it', async () => {
  const { git, as } = await createWorld()
  git.commit({ 'list.json': '[1]' }, 'First')
  git.commit({ 'other.txt': 'x' }, 'Something else')
  git.branch('feature')
  const branch = git.commit({ 'list.json': '[1, 2]' }, 'On a branch')
  git.checkout('main')
  git.merge('feature')
  const removal = git.commit({ 'list.json': null }, 'Gone')
  const { rest } = as()
  const list = async (more: Record<string, unknown> = {}) =>
    (await rest.repos.listCommits({ ...where, ...more })).data
  const titles = async (more: Record<string, unknown>) => (await list(more)).map(each => each.commit.message)
  expect(await titles({ path: 'list.json' })).toEqual(['Gone', 'On a branch', 'First'])
  expect(await titles({ path: 'list.json', sha: branch })).toEqual(['On a branch', 'First'])
  expect(await titles({ path: 'list.json', per_page: 1 })).toEqual(['Gone'])
  expect(await titles({ path: 'never.json' })).toEqual([])
  const { committer } = (await list({ path: 'list.json' }))[0]!.commit
  expect(await titles({ path: 'list.json', since: committer!.date })).toEqual(['Gone'])
  expect((await list()).map(({ sha }) => sha)[0]).toBe(removal)
  expect((await failure(list({ sha: 'nowhere' }))).status).toBe(404)
})

test('the activities of a branch: what was pushed, and what a force-push took away', async () => {
  const { git, as } = await createWorld()
  const { rest } = as({ contents: 'read' })
  const first = git.git(['rev-parse', 'HEAD'])
  const dropped = git.commit({ 'README.md': 'Dropped\n' }, 'dropped')
  git.git(['checkout', '--quiet', '-B', 'main', first])
  const list = async (more: object) =>
    (await rest.repos.listActivities({ ...where, ref: 'refs/heads/main', ...more })).data.map(
      ({ activity_type, before, after }) => [activity_type, before, after],
    )
  expect((await list({})).slice(0, 2)).toEqual([
    ['force_push', dropped, first],
    ['push', first, dropped],
  ])
  expect(await list({ activity_type: 'force_push', time_period: 'quarter' })).toEqual([
    ['force_push', dropped, first],
  ])
  expect(await list({ ref: 'refs/heads/other' })).toEqual([])
})
