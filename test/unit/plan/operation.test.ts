import { describe, expect, it } from 'vitest'
import type { FollowedRun, PullRequest, Trigger } from '../../../src/event.ts'
import { EVENTS, ruleOf } from '../../../src/plan/events.ts'
import {
  decideOperation,
  hasNoSecrets,
  isPrivileged,
  type OperationInputs,
} from '../../../src/plan/operation.ts'
import { commitOfPull } from '../../../src/plan/preview.ts'
import { refusalOf, run } from './rows.ts'

const inputs: OperationInputs = {
  operation: null,
  capgoToken: 'key',
  channel: null,
  channels: [{ pattern: 'main', channel: 'production' }],
  previewChannel: 'pr-{number}',
  previewLabel: null,
  previewDrafts: true,
  build: false,
}
const pull: PullRequest = {
  number: 12,
  open: true,
  merged: false,
  draft: false,
  author: 'ada',
  requestedReviewers: [],
  labels: [],
  headSha: 'b'.repeat(40),
  headRef: 'x',
  fork: false,
  baseRef: 'main',
}
const followed: FollowedRun = {
  id: 1,
  event: 'pull_request',
  conclusion: 'success',
  headSha: 'b'.repeat(40),
  headBranch: 'x',
  headOwner: 'ada',
  pulls: [],
}

function trigger(event: string, change: Partial<Trigger> & { full?: string } = {}): Trigger {
  const { full = 'refs/heads/main', action = '', ...more } = change
  const type = full.startsWith('refs/heads/') ? 'branch' : full.startsWith('refs/tags/') ? 'tag' : 'other'
  return {
    event,
    rule: ruleOf(event, action),
    ref: { full, name: full.replace(/^refs\/(heads|tags)\//, ''), type },
    isDefaultBranch: true,
    defaultBranch: 'main',
    commit: run,
    repository: 'octo-org/daybreak',
    repositoryId: 7,
    repositoryUrl: 'https://github.com/octo-org/daybreak',
    runUrl: 'x',
    actor: 'ada',
    pull: null,
    action,
    before: null,
    isDeletion: false,
    isNewBase: false,
    followed: null,
    ...more,
  }
}
const decide = (of: Trigger, change: Partial<OperationInputs> = {}, now: PullRequest | null = null) =>
  decideOperation(of, { ...inputs, ...change }, now)

describe('the rule of an event', () => {
  it.each([
    ['push', '', 'publish'],
    ['release', 'published', 'publish'],
    ['release', 'deleted', 'nothing'],
    ['release', '', 'nothing'],
    ['pull_request', 'assigned', 'preview'],
    ['merge_group', '', 'nothing'],
    ['issue_comment', 'created', 'refuse'],
    ['dynamic', '', 'refuse'],
    ['constructor', '', 'refuse'],
    ['', '', 'refuse'],
  ])('%s %s: %s', (event, action, work) => expect(ruleOf(event, action).work).toBe(work))

  it('only these publish or touch previews', () => {
    const by = (work: string) =>
      Object.entries(EVENTS).flatMap(([name, rule]) => (rule.work === work ? [name] : []))
    expect(by('publish')).toEqual(['push', 'workflow_dispatch', 'repository_dispatch', 'release'])
    expect(by('preview')).toEqual(['pull_request', 'pull_request_target'])
    expect([by('follow'), by('sweep')]).toEqual([['workflow_run'], ['schedule']])
    expect(by('nothing')).toEqual(['create', 'delete', 'merge_group'])
  })
})

describe('a run that is of no pull request', () => {
  it.each<[string, Trigger, Partial<OperationInputs>, object]>([
    [
      'a push',
      trigger('push'),
      {},
      { kind: 'publish', channelName: 'production', why: 'branch main matches "main"' },
    ],
    [
      'a push, with a channel',
      trigger('push'),
      { channel: 'beta' },
      { kind: 'publish', channelName: 'beta', why: 'input "channel"' },
    ],
    [
      'any ref, with a channel',
      trigger('push', { full: 'refs/pull/1/merge' }),
      { channel: 'beta' },
      { kind: 'publish', channelName: 'beta', why: 'input "channel"' },
    ],
    [
      'a branch that is gone',
      trigger('push', { isDeletion: true }),
      {},
      { kind: 'skip', reason: 'The branch was deleted, so nothing is published.' },
    ],
    [
      'a tag that is gone',
      trigger('push', { isDeletion: true, full: 'refs/tags/x' }),
      {},
      { kind: 'skip', reason: 'The tag was deleted, so nothing is published.' },
    ],
    [
      'what does nothing',
      trigger('create'),
      { channel: 'beta' },
      { kind: 'skip', reason: expect.stringContaining('Nothing to do on "create"') },
    ],
    ['the schedule', trigger('schedule'), {}, { kind: 'sweep-previews' }],
    [
      'the schedule, with a channel',
      trigger('schedule'),
      { channel: 'beta' },
      { kind: 'publish', channelName: 'beta' },
    ],
    [
      'a pull request event without one',
      trigger('pull_request'),
      {},
      { kind: 'skip', reason: 'The event "pull_request" is of no pull request.' },
    ],
    [
      'any event, with an operation',
      trigger('issue_comment'),
      { operation: { kind: 'status' } },
      { kind: 'status' },
    ],
    [
      'a tag that is mapped',
      trigger('push', { full: 'refs/tags/v1.0.0' }),
      { channels: [{ pattern: 'v*', channel: 'production' }] },
      { kind: 'publish', why: 'tag v1.0.0 matches "v*"' },
    ],
    [
      'a branch that is not mapped',
      trigger('push', { full: 'refs/heads/x' }),
      {},
      {
        kind: 'skip',
        reason:
          'No channel is mapped to branch x. To publish it, add a line such as "x: x" to the input "channels".',
      },
    ],
  ])('%s', (_what, of, change, expected) => expect(decide(of, change)).toMatchObject(expected))

  it.each<[string, Trigger, Partial<OperationInputs>, RegExp]>([
    [
      'an event that anybody can cause',
      trigger('issue_comment'),
      { channel: 'beta' },
      /^event_unsupported: .*people without write access/,
    ],
    ['a ref that is neither', trigger('push', { full: 'refs/pull/1/merge' }), {}, /^ref_unknown/],
    [
      'a tag named like the default branch',
      trigger('push', { full: 'refs/tags/main' }),
      {},
      /^ref_ambiguous/,
    ],
    [
      'a tag named like the default branch that is mapped in full',
      trigger('push', { full: 'refs/tags/main' }),
      { channels: [{ pattern: 'refs/tags/main', channel: 'beta' }] },
      /^ref_ambiguous/,
    ],
    [
      'a tag named like a mapped branch',
      trigger('push', { full: 'refs/tags/develop' }),
      { channels: [...inputs.channels, { pattern: 'develop', channel: 'beta' }] },
      /^ref_ambiguous/,
    ],
  ])('%s is refused', (_what, of, change, message) =>
    expect(refusalOf(() => decide(of, change))).toMatch(message),
  )

  it('a tag of a branch that is mapped may be mapped in full', () => {
    const channels = ['develop', 'refs/tags/develop'].map(pattern => ({ pattern, channel: 'beta' }))
    expect(decide(trigger('push', { full: 'refs/tags/develop' }), { channels })).toMatchObject({
      kind: 'publish',
    })
    // A branch with that name is no tag.
    expect(decide(trigger('push', { full: 'refs/heads/develop' }), { channels })).toMatchObject({
      kind: 'publish',
    })
    expect(decide(trigger('push', { full: 'refs/tags/x' }))).toMatchObject({ kind: 'skip' })
  })
})

describe('a run that follows another', () => {
  const follow = (change: Partial<FollowedRun> | null, more: Partial<OperationInputs> = {}) =>
    decide(trigger('workflow_run', { followed: change === null ? null : { ...followed, ...change } }), more)
  it.each<[string, Partial<FollowedRun> | null, object]>([
    ['a good one of a pull request', {}, { kind: 'follow-run' }],
    ['none', null, { kind: 'skip', reason: expect.stringContaining('not of a pull request') }],
    [
      'one of a push',
      { event: 'push' },
      { kind: 'skip', reason: expect.stringContaining('not of a pull request') },
    ],
    [
      'one that failed',
      { conclusion: 'failure' },
      { kind: 'skip', reason: expect.stringContaining('ended with "failure"') },
    ],
  ])('%s', (_what, change, expected) => expect(follow(change)).toEqual(expected))
  it('builds nothing', () => {
    expect(refusalOf(() => follow({}, { build: true }))).toMatch(/^unsafe_build: On "workflow_run"/)
  })
})

describe('a run of a pull request', () => {
  const on = (
    action: string,
    {
      was = {},
      now = was,
      target = false,
      more = {},
      ...change
    }: {
      was?: Partial<PullRequest>
      now?: Partial<PullRequest>
      target?: boolean
      more?: Partial<Trigger>
    } & Partial<OperationInputs> = {},
  ) =>
    decide(
      trigger(target ? 'pull_request_target' : 'pull_request', {
        action,
        full: 'refs/pull/12/merge',
        pull: { ...pull, ...was },
        ...more,
      }),
      change,
      { ...pull, ...now },
    )

  it('previews the commit of its event, as the pull request is now', () => {
    expect(on('synchronize', { now: { headSha: 'c'.repeat(40), labels: ['x'] } })).toEqual({
      kind: 'preview',
      pull: { ...pull, headSha: 'c'.repeat(40), labels: ['x'] },
      sha: pull.headSha,
      channelName: 'pr-12',
      why: 'pull request #12',
    })
    expect(on('synchronize', { build: true }).kind).toBe('preview')
    expect(decide(trigger('pull_request', { action: 'opened', pull }))).toMatchObject({
      kind: 'preview',
      pull,
    })
  })

  it.each([
    ['closed', true],
    ['unlabeled', true],
    ['converted_to_draft', true],
    ['edited', false],
    ['synchronize', false],
  ])('that is closed by now, on %s: cleaned up, as what ends it: %s', (action, isEnding) => {
    expect(on(action, { now: { open: false } })).toEqual({
      kind: 'close-preview',
      pull: { ...pull, open: false },
      channelName: 'pr-12',
      why: '#12 was closed',
      isEnding,
    })
  })

  it.each<[string, Parameters<typeof on>[1], object]>([
    ['closed', {}, { kind: 'skip', reason: '#12 is open again, so its preview stays.' }],
    ['closed', { target: true }, { kind: 'skip', reason: '#12 is open again, so its preview stays.' }],
    [
      'unlabeled',
      { target: true },
      { kind: 'skip', reason: expect.stringContaining('still gets a preview') },
    ],
    [
      'converted_to_draft',
      { target: true },
      { kind: 'skip', reason: expect.stringContaining('still gets a preview') },
    ],
    ['unlabeled', {}, { kind: 'preview' }],
    ['opened', { target: true }, { kind: 'preview' }],
  ])('that is open, on %s %j', (action, options, expected) =>
    expect(on(action, options)).toMatchObject(expected),
  )

  it('builds nothing beside secrets', () => {
    expect(refusalOf(() => on('opened', { target: true, build: true }))).toMatch(
      /^unsafe_build: On "pull_request_target"/,
    )
    // What ends a preview builds nothing anyway.
    expect(on('closed', { target: true, build: true, now: { open: false } }).kind).toBe('close-preview')
  })

  it.each<[string, Parameters<typeof on>[1] & {}, RegExp | null]>([
    ['a fork', { was: { fork: true } }, /runs of forks no secrets.*docs\/forks\.md/],
    [
      'Dependabot',
      { more: { actor: 'dependabot[bot]' } },
      /runs of Dependabot no secrets.*Dependabot secret/,
    ],
    ["one's own", {}, null],
  ])('has no secrets: %s', (_what, options, reason) => {
    const none = on('opened', { ...options, capgoToken: '' })
    if (reason === null) expect(none.kind).toBe('preview')
    else expect(none).toEqual({ kind: 'skip', reason: expect.stringMatching(reason) })
    expect(on('opened', options).kind).toBe('preview')
  })

  it('is not on a channel that a branch publishes to', () => {
    const channels = [...inputs.channels, { pattern: 'next', channel: 'pr-12' }]
    expect(refusalOf(() => on('opened', { channels }))).toMatch(
      /^preview_channel_taken: .*#12 would be on channel pr-12/,
    )
    expect(on('closed', { channels, now: { open: false } }).kind).toBe('close-preview')
  })
})

it.each([
  ['pull_request', false],
  ['pull_request_target', true],
  ['workflow_run', true],
  ['push', false],
])('%s is privileged: %s', (event, expected) => expect(isPrivileged({ event })).toBe(expected))

it('a run of no pull request has its secrets', () => {
  expect(hasNoSecrets(trigger('push', { actor: 'dependabot[bot]' }), { ...inputs, capgoToken: '' })).toBe(
    false,
  )
})

it("the commit of a pull request is its head, with the repository's id where it is known", () => {
  const of = commitOfPull(pull, trigger('pull_request'))
  expect(of).toEqual({
    ...run,
    sha: pull.headSha,
    refName: 'x',
    url: `https://github.com/octo-org/daybreak/commit/${pull.headSha}`,
    pull: 'octo-org/daybreak#12',
    repository: 7,
  })
  expect(commitOfPull(pull, trigger('pull_request', { repositoryId: null }))).not.toHaveProperty('repository')
})
