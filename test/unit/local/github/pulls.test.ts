import { expect, test } from 'vitest'
import { createWorld, failure, REPOSITORY, type World, where } from './world.ts'

/** Number 1 on `evening`, 2 on `evening` of ada's fork, 3 on `night` into `develop`, closed. */
async function withPulls(): Promise<World & { evening: string; night: string; base: string }> {
  const world = await createWorld()
  const { git, hosted } = world
  const base = git.head
  git.branch('develop')
  git.branch('evening', 'main')
  git.commit({ 'src/greeting.ts': 'good\nevening\n' })
  const evening = git.commit({ 'README.md': null }, 'Remove the read-me')
  git.branch('night', 'main')
  const night = git.commit({ 'src/night.ts': 'good night\n' })
  await hosted.addPull({
    head: { ref: 'evening' },
    title: 'Evening',
    labels: ['preview'],
    reviewers: ['grace'],
    draft: true,
  })
  await hosted.addPull({ head: { ref: 'evening', fork: 'ada/daybreak' }, title: 'From a fork' })
  await hosted.addPull({ head: { ref: 'night' }, base: { ref: 'develop' }, state: 'closed' })
  return { ...world, evening, night, base }
}

test('pull requests are listed newest first, by state, base and head', async () => {
  const { rest } = (await withPulls()).as()
  const list = async (query: Parameters<typeof rest.pulls.list>[0] extends infer P ? Partial<P> : never) =>
    (await rest.pulls.list({ ...where, ...query })).data.map(({ number }) => number)
  expect(await list({})).toEqual([2, 1])
  expect(await list({ state: 'all' })).toEqual([3, 2, 1])
  expect(await list({ state: 'closed' })).toEqual([3])
  expect(await list({ state: 'all', base: 'develop' })).toEqual([3])
  expect(await list({ direction: 'asc' })).toEqual([1, 2])
  expect(await list({ head: 'octo-org:evening' })).toEqual([1])
  expect(await list({ head: 'ada:evening' })).toEqual([2])
  // GitHub's trap: without the owner it filters nothing.
  expect(await list({ head: 'night' })).toEqual([2, 1])
  expect(await list({ per_page: 1, page: 2 })).toEqual([1])
})

test('a pull request has its head, base, labels and numbers', async () => {
  const { as, evening, base } = await withPulls()
  const { data } = await as().rest.pulls.get({ ...where, pull_number: 1 })
  expect(data).toMatchObject({
    number: 1,
    state: 'open',
    draft: true,
    title: 'Evening',
    labels: [{ name: 'preview' }],
    head: { ref: 'evening', sha: evening, repo: { full_name: REPOSITORY, fork: false } },
    base: { ref: 'main', sha: base, repo: { full_name: REPOSITORY } },
    requested_reviewers: [{ login: 'grace' }],
    merged: false,
    commits: 2,
    changed_files: 2,
    additions: 2,
    deletions: 1,
  })
  const { data: fork } = await as().rest.pulls.get({ ...where, pull_number: 2 })
  expect(fork.head).toMatchObject({
    label: 'ada:evening',
    repo: { full_name: 'ada/daybreak', fork: true },
    user: { login: 'ada' },
  })
  expect(fork.base.repo.fork).toBe(false)
  expect((await failure(as().rest.pulls.get({ ...where, pull_number: 9 }))).status).toBe(404)
})

test('a pull request changes as people change it', async () => {
  const { hosted, as, night } = await withPulls()
  const { issue, pull } = hosted.pull(1)
  issue.title = 'Evening and night'
  issue.labels = []
  pull.head.sha = night
  pull.base.ref = 'develop'
  const get = async () => (await as().rest.pulls.get({ ...where, pull_number: 1 })).data
  expect(await get()).toMatchObject({
    title: 'Evening and night',
    labels: [],
    head: { sha: night },
    base: { ref: 'develop' },
  })
  hosted.closePull(1, { merged: true })
  expect(await get()).toMatchObject({ state: 'closed', merged: true, mergeable: null })
  hosted.reopenPull(1)
  expect(await get()).toMatchObject({ state: 'open', closed_at: null })
})

test('its files, renames included', async () => {
  const { git, hosted, as } = await withPulls()
  git.checkout('evening')
  git.commit({ 'a b/ü.txt': 'one\ntwo\nthree\nfour\n', 'logo.png': Buffer.from([0, 1, 2, 0]) })
  git.branch('later')
  git.write({ 'src/greeting.ts': null, 'src/hello.ts': 'good\nevening\n' })
  hosted.pull(1).pull.head.sha = git.commit({ 'a b/ü.txt': 'one\n2\nthree\nfour\n' })
  const { data } = await as().rest.pulls.listFiles({ ...where, pull_number: 1 })
  expect(data.map(file => [file.status, file.filename, file.additions, file.deletions])).toEqual([
    ['removed', 'README.md', 0, 1],
    ['added', 'a b/ü.txt', 4, 0],
    ['added', 'logo.png', 0, 0],
    ['added', 'src/hello.ts', 2, 0],
  ])
  hosted.pull(1).pull.base.sha = git.git(['rev-parse', 'evening'])
  const { data: since } = await as().rest.pulls.listFiles({ ...where, pull_number: 1 })
  expect(since.map(file => [file.status, file.filename, file.previous_filename, file.changes])).toEqual([
    ['modified', 'a b/ü.txt', undefined, 2],
    ['renamed', 'src/hello.ts', 'src/greeting.ts', 0],
  ])
})

test('its reviewers and reviews', async () => {
  const { hosted, git, as } = await createWorld()
  git.branch('evening')
  const sha = git.commit({ 'a.txt': 'a' })
  await hosted.addPull({
    head: { ref: 'evening' },
    reviewers: ['grace', 'linus'],
    reviews: [{ author: 'barbara', state: 'APPROVED', body: 'Lovely' }],
  })
  const { rest } = as()
  const { data: requested } = await rest.pulls.listRequestedReviewers({ ...where, pull_number: 1 })
  expect(requested.users.map(({ login }) => login)).toEqual(['grace', 'linus'])
  const { data: reviews } = await rest.pulls.listReviews({ ...where, pull_number: 1 })
  expect(reviews).toMatchObject([
    { user: { login: 'barbara' }, state: 'APPROVED', body: 'Lovely', commit_id: sha },
  ])
})

test('the pull requests of a commit: its own, not those of forks, not those it came before', async () => {
  const { as, evening, night, base, hosted } = await withPulls()
  const { rest } = as()
  const of = async (sha: string) =>
    (await rest.repos.listPullRequestsAssociatedWithCommit({ ...where, commit_sha: sha })).data.map(
      ({ number }) => number,
    )
  expect(await of(evening)).toEqual([1])
  expect(await of(base)).toEqual([])
  expect(await of(night)).toEqual([])
  hosted.closePull(3, { merged: true })
  expect(await of(night)).toEqual([3])
})
