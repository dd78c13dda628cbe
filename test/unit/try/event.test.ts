/** `npm run try -- --event`: a payload of a few fields becomes the event that GitHub would send. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LocalGitHub, startGitHub } from '../../../local/github/index.ts'
import { createRepository, type Repository } from '../../../local/repository.ts'
import { isObject, type Payload } from '../../../local/runner/event.ts'
import type { Wishes } from '../../../scripts/try/arguments.ts'
import { readWishes } from '../../../scripts/try/arguments.ts'
import { readEvent } from '../../../scripts/try/event.ts'
import { TriedRepository } from '../../../scripts/try/repository.ts'
import { readTrigger } from '../../../src/event.ts'

let repo: Repository
let github: LocalGitHub
const commits = { first: '', main: '', dropped: '', feature: '' }

beforeAll(async () => {
  repo = createRepository({ files: { 'a.txt': 'one' } })
  commits.first = repo.head
  repo.tag('v1.0.0')
  commits.main = repo.commit({ 'a.txt': 'two' })
  repo.branch('feature/evening')
  commits.feature = repo.commit({ 'b.txt': 'one' })
  commits.dropped = repo.commit({ 'b.txt': 'two' })
  repo.git(['reset', '--quiet', '--hard', commits.feature])
  github = await startGitHub()
})
afterAll(async () => {
  await github.stop()
  repo.remove()
})

let repositories = 0
let shared: TriedRepository | undefined

/** A repository on GitHub of its own, and what happens there one after another. */
function createStage(pushed: Readonly<Record<string, string>> = {}, movesBranch = false) {
  // A copy takes its time.
  shared ??= new TriedRepository(repo.path)
  const repository = movesBranch ? new TriedRepository(repo.path) : shared
  const hosted = github.addRepository({ name: `you/app-${++repositories}`, gitDir: repository.path })
  const happens = async (event: string, payload: Payload = {}, more: Partial<Wishes> = {}) => {
    const problems: string[] = []
    const wishes = { ...readWishes([repo.path], '.', [])!, event, payload, ...more }
    const tried = await readEvent(wishes, { repository, hosted, pushed }, problems)
    return { ...tried, problems }
  }
  return { repository, hosted, happens }
}

const named = (sha: string) => Object.entries(commits).find(([, commit]) => commit === sha)?.[0] ?? sha

describe('where it is, as GitHub sets GITHUB_REF and GITHUB_SHA', () => {
  const base = 'refs/heads/main'
  const tag = 'v1.0.0'
  it.each<[string, Payload, Partial<Wishes>, string, string]>([
    ['push', {}, {}, 'refs/heads/feature/evening', 'feature'],
    ['push', {}, { branch: 'main' }, base, 'main'],
    ['push', {}, { branch: 'develop', commit: 'main' }, 'refs/heads/develop', 'main'],
    ['push', {}, { tag }, 'refs/tags/v1.0.0', 'first'],
    ['push', { ref: base }, { commit: 'main~1' }, base, 'first'],
    ['push', { ref: 'refs/heads/feature/evening', deleted: true }, {}, base, 'main'],
    ['create', {}, { tag }, 'refs/tags/v1.0.0', 'first'],
    ['delete', { ref: 'feature/evening', ref_type: 'branch' }, {}, base, 'main'],
    ['release', { release: { tag_name: tag } }, {}, 'refs/tags/v1.0.0', 'first'],
    ['release', {}, { tag }, 'refs/tags/v1.0.0', 'first'],
    ['workflow_dispatch', { ref: base }, {}, base, 'main'],
    ['workflow_dispatch', {}, { tag }, 'refs/tags/v1.0.0', 'first'],
    ['deployment', { deployment: { ref: 'main' } }, {}, base, 'main'],
    ...[
      'schedule',
      'issue_comment',
      'issues',
      'workflow_run',
      'repository_dispatch',
      'watch',
      'fork',
      'gollum',
    ].map(name => [name, {}, {}, base, 'main'] as [string, Payload, Partial<Wishes>, string, string]),
    ['check_run', {}, {}, base, 'main'],
    ['label', {}, {}, base, 'main'],
    ['pull_request_target', { number: 7 }, {}, base, 'main'],
  ])('%s %j %j', async (name, payload, more, ref, sha) => {
    const { happens } = createStage({}, payload.deleted === true || name === 'delete')
    const event = await happens(name, payload, more)
    expect(event.problems).toEqual([])
    expect([event.ref, named(event.sha), named(event.checkout)]).toEqual([ref, sha, sha])
  })

  it('a merge group has its own branch', async () => {
    const { ref, sha } = await createStage().happens('merge_group')
    expect(ref).toBe(`refs/heads/gh-readonly-queue/main/pr-1-${sha}`)
    expect(named(sha)).toBe('feature')
  })

  it('what is checked out can be another commit', async () => {
    const event = await createStage().happens('issue_comment', {}, { checkout: 'feature/evening' })
    expect([named(event.sha), named(event.checkout)]).toEqual(['main', 'feature'])
  })
})

describe('a push', () => {
  it('tells what was before it, and that it was forced', async () => {
    const { happens } = createStage({ 'feature/evening': commits.dropped })
    const { payload } = await happens('push')
    expect(payload).toMatchObject({ forced: true, created: false, deleted: false })
    expect([payload.before, payload.after].map(each => named(String(each)))).toEqual(['dropped', 'feature'])
    expect((await createStage().happens('push')).payload).toMatchObject({
      forced: false,
      before: commits.main,
    })
  })

  it('of a branch that is deleted takes it from GitHub', async () => {
    const { happens, repository } = createStage({}, true)
    const { payload } = await happens('push', { ref: 'refs/heads/feature/evening', deleted: true })
    expect(payload).toMatchObject({ deleted: true, after: '0'.repeat(40) })
    expect(repository.tip('feature/evening')).toBeNull()
    expect(repo.git(['rev-parse', 'feature/evening'])).toBe(commits.feature)
  })
})

describe('a pull request', () => {
  it('is completed from the repository, and goes on from what GitHub has', async () => {
    const { happens, hosted, repository } = createStage({}, true)
    const opened = await happens('pull_request', {
      number: 7,
      pull_request: { user: 'bob', labels: ['preview'] },
    })
    expect(opened).toMatchObject({
      ref: 'refs/pull/7/merge',
      headRef: 'feature/evening',
      baseRef: 'main',
      actor: 'bob',
    })
    expect(opened.payload).toMatchObject({
      action: 'opened',
      number: 7,
      pull_request: {
        state: 'open',
        merged: false,
        head: { sha: commits.feature },
        base: { sha: commits.main },
      },
    })
    expect(repo.git(['log', '-1', '--format=%P', opened.sha], { GIT_DIR: hosted.git.folder })).toBe(
      `${commits.main} ${commits.feature}`,
    )
    await happens('pull_request', { action: 'labeled', number: 7, label: 'urgent' })
    expect(hosted.pull(7).issue.labels).toEqual(['preview', 'urgent'])
    await happens('pull_request', { action: 'unlabeled', number: 7, label: { name: 'preview' } })
    await happens('pull_request', { action: 'converted_to_draft', number: 7 })
    const closed = await happens('pull_request', { action: 'closed', number: 7 })
    expect(closed.ref).toBe('refs/pull/7/merge')
    const edited = await happens('pull_request', { action: 'edited', number: 7 })
    expect(edited.payload.pull_request).toMatchObject({
      state: 'closed',
      draft: true,
      user: { login: 'bob' },
    })
    expect((edited.payload.pull_request as { labels: unknown }).labels).toEqual([{ name: 'urgent' }])
    await happens('pull_request', { action: 'reopened', number: 7 })
    expect(hosted.pull(7).issue.state).toBe('open')
    const merged = await happens('pull_request', {
      action: 'closed',
      pull_request: { number: 7, merged: true },
    })
    expect([merged.ref, merged.sha]).toEqual(['refs/heads/main', repository.tip('main')])
    expect(repository.subject(merged.sha)).toBe('Merge pull request #7 from you/feature/evening')
    expect(repository.isAncestor(commits.feature, merged.sha)).toBe(true)
    expect(repo.git(['rev-parse', 'main'])).toBe(commits.main)
    expect((await happens('pull_request', { action: 'closed', number: 7 })).sha).toBe(merged.sha)
    expect(hosted.pull(7).pull.mergedAt).not.toBeNull()
  })

  it('is not merged twice, and not where it conflicts', async () => {
    const { happens, repository } = createStage({}, true)
    const merge = (number: number, ref: string) =>
      happens('pull_request', { action: 'closed', number, pull_request: { merged: true, head: { ref } } })
    // As with a squash: the content is there.
    repository.makeBranch(
      'main',
      repo.git(['commit-tree', `${commits.feature}^{tree}`, '-p', commits.main, '-m', 'Squash']),
    )
    const squashed = repository.tip('main')
    expect(await merge(7, 'feature/evening')).toMatchObject({ sha: squashed, notes: [] })
    const tree = repo.git(['rev-parse', `${commits.first}^{tree}`])
    repository.makeBranch('other', repo.git(['commit-tree', tree, '-m', 'Unrelated']))
    expect(await merge(8, 'other')).toMatchObject({
      sha: squashed,
      notes: ['It conflicts with main, so nothing was merged.'],
    })
    expect(repository.tip('main')).toBe(squashed)
  })

  it('of a fork, with an older commit than its head', async () => {
    const { happens, hosted } = createStage()
    const head = { ref: 'feature/evening', sha: commits.dropped, repo: { full_name: 'eve/app' } }
    const { payload } = await happens(
      'pull_request',
      { number: 3, pull_request: { head } },
      { commit: commits.feature },
    )
    expect(hosted.pull(3).pull.head).toMatchObject({ repository: 'eve/app', sha: commits.dropped })
    expect(payload.pull_request).toMatchObject({
      head: { sha: commits.feature, repo: { full_name: 'eve/app', fork: true } },
    })
  })

  it('is what a comment on it is about', async () => {
    const { happens, hosted } = createStage()
    await happens('pull_request', { number: 7 })
    const { payload } = await happens('issue_comment', {
      issue: { number: 7 },
      comment: { body: '/publish' },
    })
    expect(payload).toMatchObject({
      action: 'created',
      issue: { number: 7, pull_request: {} },
      comment: { body: '/publish' },
    })
    expect(hosted.commentsOf(7).map(({ body }) => body)).toEqual(['/publish'])
  })

  it('is found by the run of another workflow, with its artifact', async () => {
    const { happens, hosted } = createStage()
    const about = { event: 'pull_request', pull_requests: [{ number: 7, head: { ref: 'feature/evening' } }] }
    const { payload } = await happens(
      'workflow_run',
      { workflow_run: about },
      { artifacts: { web: repo.path } },
    )
    expect(payload).toMatchObject({
      action: 'completed',
      workflow_run: { head_sha: commits.feature, conclusion: 'success' },
    })
    expect(hosted.pull(7).pull.head.sha).toBe(commits.feature)
    expect(hosted.artifacts.map(({ name, runId }) => [name, runId])).toEqual([['web', hosted.runs[0]!.id]])
  })

  it('that cannot be made is told with all that is wrong', async () => {
    const { happens, hosted } = createStage()
    const wrong = { head: { sha: 'f'.repeat(40), ref: 'x' }, base: { ref: 'gone' } }
    const { problems } = await happens(
      'pull_request',
      { number: 7, pull_request: wrong },
      { checkout: 'nowhere' },
    )
    expect(problems).toEqual([
      expect.stringContaining(`The commit ${'f'.repeat(40)} (head of pull request #7)`),
      expect.stringContaining('The branch gone (base of pull request #7)'),
      expect.stringContaining('nowhere'),
    ])
    expect(hosted.issues.size).toBe(0)
  })
})

describe('an issue', () => {
  const answers = { 'Join or leave': 'Join', 'Device id': 'd1' }
  const body = '### Join or leave\n\nJoin\n\n### Device id\n\nd1'

  it('is put on GitHub as the event says, and goes on from what is there', async () => {
    const { happens, hosted } = createStage()
    const issue = { number: 45, body: answers, labels: ['tester'], user: { login: 'eve' } }
    const opened = await happens('issues', { issue })
    expect(opened).toMatchObject({ actor: 'eve', title: 'issues (opened) of #45' })
    expect(opened.payload).toMatchObject({
      action: 'opened',
      issue: { number: 45, body, state: 'open', user: { login: 'eve' } },
      sender: { login: 'eve' },
    })
    expect((opened.payload.issue as Payload).labels).toEqual([{ name: 'tester' }])
    expect(hosted.issues.get(45)).toMatchObject({ body, author: 'eve', labels: ['tester'], pull: null })
    const labeled = await happens('issues', { action: 'labeled', label: 'urgent', sender: { login: 'ada' } })
    expect(labeled).toMatchObject({
      actor: 'ada',
      payload: { issue: { number: 45, body }, label: { name: 'urgent' } },
    })
    await happens('issues', { action: 'unlabeled', issue: { number: 45 }, label: { name: 'tester' } })
    const edited = await happens('issues', { action: 'edited', issue: { number: 45, body: '' } })
    expect(edited).toMatchObject({ actor: 'eve', payload: { issue: { body: '' } } })
    expect(hosted.issues.get(45)).toMatchObject({ body: '', labels: ['urgent'] })
    await happens('issues', { action: 'closed', sender: { login: 'bob' } })
    expect(hosted.issues.get(45)).toMatchObject({ state: 'closed', closedBy: 'bob' })
    const reopened = await happens('issues', { action: 'reopened' })
    expect(reopened.payload.issue).toMatchObject({ number: 45, state: 'open' })
    expect(hosted.issues.get(45)).toMatchObject({ state: 'open', closedAt: null, author: 'eve' })
  })

  it('gets the next number; its author is who sends it, and can push where GitHub calls them a member', async () => {
    const { happens, hosted } = createStage()
    await happens('pull_request', { number: 7 })
    const { payload } = await happens('issues', {
      issue: { body: 'Hello', author_association: 'MEMBER' },
      sender: { login: 'bob' },
    })
    expect(payload.issue).toMatchObject({ number: 8, user: { login: 'bob' } })
    expect([...hosted.collaborators]).toEqual(['bob'])
  })

  it('never takes the number of a pull request', async () => {
    const { happens, hosted } = createStage()
    await happens('pull_request', { number: 7 })
    const { problems } = await happens('issues', { action: 'closed', issue: { number: 7 } })
    expect(problems).toEqual([expect.stringContaining('#7 is a pull request')])
    expect(hosted.pull(7).issue.state).toBe('open')
  })
})

it('is one that the action reads, whatever the event', async () => {
  const events = [
    'push',
    'pull_request',
    'pull_request_review',
    'pull_request_target',
    'schedule',
    'workflow_run',
  ]
  for (const name of [...events, 'issue_comment', 'merge_group', 'deployment_status', 'never_heard_of']) {
    const { ref, sha, payload, repository } = await createStage().happens(name)
    const env = {
      GITHUB_REF: ref,
      GITHUB_SHA: sha,
      GITHUB_REPOSITORY: repository,
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_EVENT_NAME: name,
      GITHUB_RUN_ID: '1',
      GITHUB_RUN_NUMBER: '1',
      GITHUB_RUN_ATTEMPT: '1',
    }
    expect(readTrigger({ env, payload })).toMatchObject({ event: name, defaultBranch: 'main' })
    expect(isObject(payload.sender)).toBe(true)
  }
})

it('keeps what GitHub had for a repository that got another name', async () => {
  const { happens, hosted, repository } = createStage()
  await happens('pull_request', { number: 7, pull_request: { labels: ['preview'] } })
  hosted.addComment(7, { body: 'Hello' })
  hosted.addArtifact({ runId: 1, name: 'web', zip: Buffer.from('zip') })
  const later = await startGitHub()
  const restored = later.addRepository({
    name: 'acme/renamed',
    gitDir: repository.path,
    saved: hosted.save(),
  })
  await later.stop()
  expect(restored).toMatchObject({ id: hosted.id, name: 'acme/renamed', comments: hosted.comments })
  expect(restored.pull(7).issue.labels).toEqual(['preview'])
  expect(restored.pull(7).pull.head.repository).toBe('acme/renamed')
  expect(Buffer.from(restored.artifacts[0]!.zip).toString()).toBe('zip')
  expect(restored.addIssue().id).toBeGreaterThan(hosted.artifacts[0]!.id)
})
