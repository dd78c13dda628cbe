/** What a run does, by `ruleOf` and `decideOperation`. */
import type { FollowedRun, PullRequest, Trigger } from '../../../../src/event.ts'
import { type EventWork, ruleOf } from '../../../../src/plan/events.ts'
import type { OperationInputs } from '../../../../src/plan/operation.ts'
import { type Case, fails } from './case.ts'
import { OURS, run } from './rows.ts'

/** An event, its activity type, and what `operation: auto` does on it. */
export const RULES: readonly (readonly [event: string, action: string, work: EventWork])[] = [
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
]

export const inputs: OperationInputs = {
  operation: null,
  capgoToken: 'key',
  channel: null,
  channels: [
    { pattern: 'main', channel: 'production' },
    { pattern: 'develop', channel: 'development' },
  ],
  previewChannel: 'pr-{number}',
  previewLabel: null,
  previewDrafts: true,
  build: false,
}

export const pull: PullRequest = {
  number: 12,
  open: true,
  merged: false,
  draft: false,
  author: 'ada',
  requestedReviewers: [],
  labels: [],
  headSha: OURS,
  headRef: 'feature/login',
  fork: false,
  baseRef: 'main',
}

const followed: FollowedRun = {
  id: 1,
  event: 'pull_request',
  conclusion: 'success',
  headSha: OURS,
  headBranch: 'feature/login',
  headOwner: 'ada',
  pulls: [],
}

export interface OperationGiven {
  readonly event: string
  readonly action?: string
  /** Full; `refs/heads/main` without it. */
  readonly ref?: string
  readonly trigger?: Partial<Trigger>
  /** The pull request of the event, and how it differs from that now. */
  readonly pull?: Partial<PullRequest>
  readonly now?: Partial<PullRequest>
  readonly inputs?: Partial<OperationInputs>
}

export function triggerOf({ event, action = '', ref, pull: of, trigger }: OperationGiven): Trigger {
  const full = ref ?? (of === undefined ? 'refs/heads/main' : 'refs/pull/12/merge')
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
    runUrl: 'https://github.com/octo-org/daybreak/actions/runs/90',
    actor: 'ada',
    pull: of === undefined ? null : { ...pull, ...of },
    action,
    before: null,
    isDeletion: false,
    isPrivate: false,
    issue: null,
    isNewBase: false,
    followed: null,
    ...trigger,
  }
}

export const SKIPPED = '`skipped`'
export const REMOVES = 'remove the preview'
export const LEFT_BEHIND = '`skipped`; a preview that was left behind is removed'
export const SWEEPS = 'remove previews that were left behind'
export const FOLLOWS = 'publish the preview that was built'

type OperationCase = Case<OperationGiven>

const BETA = { result: 'publish to `beta`', why: 'input "channel"' }
const PREVIEW = { result: 'preview on `pr-12`', why: 'pull request #12' }
const mapped = (...patterns: readonly string[]) => ({
  channels: [...inputs.channels, ...patterns.map(pattern => ({ pattern, channel: 'beta' }))],
})
const tags = {
  channels: [
    { pattern: 'v*-rc.*', channel: 'beta' },
    { pattern: 'refs/tags/v*', channel: 'production' },
  ],
}
const SHOWN_TAGS = '`channels`: `v*-rc.*: beta`, `refs/tags/v*: production`'
const NO_SECRETS = 'No preview of #12: GitHub passes no secrets to runs of'

/** Those with a page are in its order. */
const chosen: readonly OperationCase[] = [
  {
    name: 'a push to main',
    page: ['push to `main`', ''],
    given: { event: 'push' },
    result: 'publish to `production`',
    why: 'branch main matches "main"',
  },
  {
    name: 'a push to develop',
    page: ['push to `develop`', ''],
    given: { event: 'push', ref: 'refs/heads/develop' },
    result: 'publish to `development`',
    why: 'branch develop matches "develop"',
  },
  {
    name: 'a push to a branch that is not mapped',
    page: ['push to `feature/login`', ''],
    given: { event: 'push', ref: 'refs/heads/feature/login' },
    result: SKIPPED,
    why: 'No channel is mapped to branch feature/login. To publish it, add a line such as "feature/login: feature-login" to the input "channels".',
  },
  {
    name: 'a push to such a branch, with a channel',
    page: ['push to `feature/login`', '`channel: beta`'],
    given: { event: 'push', ref: 'refs/heads/feature/login', inputs: { channel: 'beta' } },
    ...BETA,
  },
  {
    name: 'a tag that the first line matches',
    page: ['tag `v1.4.0-rc.2`', SHOWN_TAGS],
    given: { event: 'push', ref: 'refs/tags/v1.4.0-rc.2', inputs: tags },
    result: 'publish to `beta`',
    why: 'tag v1.4.0-rc.2 matches "v*-rc.*"',
  },
  {
    name: 'a tag that the second line matches',
    page: ['tag `v1.4.0`', SHOWN_TAGS],
    given: { event: 'push', ref: 'refs/tags/v1.4.0', inputs: tags },
    result: 'publish to `production`',
    why: 'tag v1.4.0 matches "refs/tags/v*"',
  },
  {
    name: 'a pull request that was opened',
    page: ['pull request 12 opened', ''],
    given: { event: 'pull_request', action: 'opened', pull: {} },
    ...PREVIEW,
  },
  {
    name: 'a pull request without the label',
    page: ['the same', '`preview-label: preview`'],
    given: {
      event: 'pull_request',
      action: 'opened',
      pull: {},
      inputs: { previewLabel: 'preview' },
    },
    result: LEFT_BEHIND,
    why: '#12 has no label "preview"',
  },
  {
    name: 'a pull request of a fork, which has no secrets',
    page: ['pull request 12 of a fork', 'no secret'],
    given: {
      event: 'pull_request',
      action: 'opened',
      pull: { fork: true },
      inputs: { capgoToken: '' },
    },
    result: SKIPPED,
    why: `${NO_SECRETS} forks, so this run has no Capgo key. To preview forks safely, build in one workflow and publish in a second one.`,
  },
  {
    name: 'a pull request that was merged',
    page: ['pull request 12 merged', ''],
    given: { event: 'pull_request', action: 'closed', pull: { open: false, merged: true } },
    result: REMOVES,
    why: '#12 was merged',
  },
  {
    name: 'a pull request that was edited after it was merged',
    page: ['pull request 12 edited after it was merged', ''],
    given: { event: 'pull_request', action: 'edited', pull: { open: false, merged: true } },
    result: LEFT_BEHIND,
    why: '#12 was merged',
  },
  {
    name: 'a branch that was deleted',
    page: ['branch `develop` deleted', ''],
    given: { event: 'push', ref: 'refs/heads/develop', trigger: { isDeletion: true } },
    result: SKIPPED,
    why: 'The branch was deleted, so nothing is published.',
  },
  {
    name: 'the schedule',
    page: ['schedule', ''],
    given: { event: 'schedule' },
    result: SWEEPS,
    why: 'a schedule without the input `channel`',
  },
  {
    name: 'the schedule, with a channel',
    given: { event: 'schedule', inputs: { channel: 'beta' } },
    ...BETA,
  },
  { name: 'a push, with a channel', given: { event: 'push', inputs: { channel: 'beta' } }, ...BETA },
  {
    name: 'any ref, with a channel',
    given: { event: 'push', ref: 'refs/pull/1/merge', inputs: { channel: 'beta' } },
    ...BETA,
  },
  {
    name: 'a tag that was deleted',
    given: { event: 'push', ref: 'refs/tags/x', trigger: { isDeletion: true } },
    result: SKIPPED,
    why: 'The tag was deleted, so nothing is published.',
  },
  {
    name: 'what does nothing, whatever the channel is',
    given: { event: 'create', inputs: { channel: 'beta' } },
    result: SKIPPED,
    why: 'Nothing to do on "create": the push of the new branch or tag has a run of its own.',
  },
  {
    name: 'the merge queue, whatever is mapped',
    given: { event: 'merge_group', ref: 'refs/heads/gh-readonly-queue/main/pr-12', inputs: mapped('**') },
    result: SKIPPED,
    why: 'Nothing to do on "merge_group": the merge queue can still drop this commit.',
  },
  {
    name: 'a release that was unpublished',
    given: { event: 'release', action: 'unpublished', ref: 'refs/tags/v1.4.0', inputs: tags },
    result: SKIPPED,
    why: 'Nothing to do on "release": its activity type "unpublished" publishes nothing.',
  },
  {
    name: 'a release that was published',
    given: { event: 'release', action: 'published', ref: 'refs/tags/v1.4.0', inputs: tags },
    result: 'publish to `production`',
    why: 'tag v1.4.0 matches "refs/tags/v*"',
  },
  {
    name: 'a pull request event without one',
    given: { event: 'pull_request' },
    result: SKIPPED,
    why: 'The event "pull_request" belongs to no pull request.',
  },
  {
    name: 'any event, with an operation',
    given: { event: 'issue_comment', inputs: { operation: { kind: 'status' } } },
    result: 'status',
    why: 'input `operation`',
  },
  {
    name: 'a tag that is mapped',
    given: {
      event: 'push',
      ref: 'refs/tags/v1.0.0',
      inputs: { channels: [{ pattern: 'v*', channel: 'production' }] },
    },
    result: 'publish to `production`',
    why: 'tag v1.0.0 matches "v*"',
  },
  {
    name: 'a tag that is not mapped',
    given: { event: 'push', ref: 'refs/tags/x' },
    result: SKIPPED,
    why: /^No channel is mapped to tag x\. .* "refs\/tags\/x: x"/,
  },
  {
    name: 'a tag named like a mapped branch, which is mapped in full',
    given: { event: 'push', ref: 'refs/tags/develop', inputs: mapped('develop', 'refs/tags/develop') },
    result: 'publish to `beta`',
    why: 'tag develop matches "refs/tags/develop"',
  },
  {
    name: 'the branch of that name',
    given: { event: 'push', ref: 'refs/heads/develop', inputs: mapped('refs/tags/develop') },
    result: 'publish to `development`',
    why: 'branch develop matches "develop"',
  },
]

const AMBIGUOUS = (name: string) => ({
  result: fails('ref_ambiguous'),
  why: `The tag "${name}" has the name of a branch that publishes.`,
})

const refused: readonly OperationCase[] = [
  {
    name: 'an event that anybody can cause, whatever the channel is',
    given: { event: 'issue_comment', inputs: { channel: 'beta' } },
    result: fails('event_unsupported'),
    why: 'This action publishes nothing on "issue_comment": people without write access can trigger it.',
  },
  {
    name: 'an event that is not known',
    given: { event: 'dynamic' },
    result: fails('event_unsupported'),
    why: 'This action publishes nothing on "dynamic": this event is unknown.',
  },
  {
    name: 'a ref that is neither a branch nor a tag',
    given: { event: 'push', ref: 'refs/pull/1/merge' },
    result: fails('ref_unknown'),
    why: 'The ref "refs/pull/1/merge" is neither a branch nor a tag.',
  },
  {
    name: 'a tag named like the default branch',
    given: { event: 'push', ref: 'refs/tags/main' },
    ...AMBIGUOUS('main'),
  },
  {
    name: 'a tag named like the default branch, also where it is mapped in full',
    given: {
      event: 'push',
      ref: 'refs/tags/main',
      inputs: { channels: [{ pattern: 'refs/tags/main', channel: 'beta' }] },
    },
    ...AMBIGUOUS('main'),
  },
  {
    name: 'a tag named like a mapped branch',
    given: { event: 'push', ref: 'refs/tags/develop', inputs: mapped('develop') },
    ...AMBIGUOUS('develop'),
  },
]

const NOTHING_TO_PREVIEW = {
  result: SKIPPED,
  why: 'The previous workflow run was not for a pull request, so nothing is previewed.',
}

const following: readonly OperationCase[] = [
  {
    name: 'a good one of a pull request',
    given: { event: 'workflow_run', trigger: { followed } },
    result: FOLLOWS,
    why: '',
  },
  { name: 'none', given: { event: 'workflow_run' }, ...NOTHING_TO_PREVIEW },
  {
    name: 'one of a push',
    given: { event: 'workflow_run', trigger: { followed: { ...followed, event: 'push' } } },
    ...NOTHING_TO_PREVIEW,
  },
  {
    name: 'one that failed',
    given: { event: 'workflow_run', trigger: { followed: { ...followed, conclusion: 'failure' } } },
    result: SKIPPED,
    why: 'The previous workflow run ended with "failure", so nothing is published.',
  },
  {
    name: 'a good one, and builds beside secrets: refused',
    given: { event: 'workflow_run', trigger: { followed }, inputs: { build: true } },
    result: fails('unsafe_build'),
    why: 'Building is not allowed on "workflow_run": untrusted code would run next to your secrets.',
  },
]

const on = (
  action: string,
  { event = 'pull_request', ...given }: Partial<OperationGiven> = {},
): OperationGiven => ({ event, action, pull: {}, ...given })
const target = { event: 'pull_request_target' }
const closed = { now: { open: false } }
const STILL = {
  result: SKIPPED,
  why: '#12 still gets a preview, from the run that builds it.',
}
const OPEN_AGAIN = { result: SKIPPED, why: '#12 is open again, so its preview is kept.' }

const pulls: readonly OperationCase[] = [
  { name: 'opened', given: on('opened'), ...PREVIEW },
  { name: 'that builds', given: on('synchronize', { inputs: { build: true } }), ...PREVIEW },
  ...(['closed', 'unlabeled', 'converted_to_draft'] as const).map(action => ({
    name: `that is closed by now, on ${action}: its end`,
    given: on(action, closed),
    result: REMOVES,
    why: '#12 was closed',
  })),
  ...(['edited', 'synchronize'] as const).map(action => ({
    name: `that is closed by now, on ${action}`,
    given: on(action, closed),
    result: LEFT_BEHIND,
    why: '#12 was closed',
  })),
  {
    name: 'that was merged by now',
    given: on('synchronize', { now: { open: false, merged: true } }),
    result: LEFT_BEHIND,
    why: '#12 was merged',
  },
  {
    name: 'that became a draft, where those have no preview',
    given: on('converted_to_draft', { now: { draft: true }, inputs: { previewDrafts: false } }),
    result: REMOVES,
    why: '#12 is a draft',
  },
  {
    name: 'that lost its label',
    given: on('unlabeled', { inputs: { previewLabel: 'preview' } }),
    result: REMOVES,
    why: '#12 has no label "preview"',
  },
  {
    name: 'that has its label by now',
    given: on('opened', { now: { labels: ['preview'] }, inputs: { previewLabel: 'preview' } }),
    ...PREVIEW,
  },
  { name: 'closed, and open again by now', given: on('closed'), ...OPEN_AGAIN },
  { name: 'closed, and open again by now, beside secrets', given: on('closed', target), ...OPEN_AGAIN },
  { name: 'that lost another label, beside secrets', given: on('unlabeled', target), ...STILL },
  { name: 'that became a draft, beside secrets', given: on('converted_to_draft', target), ...STILL },
  { name: 'that lost another label', given: on('unlabeled'), ...PREVIEW },
  { name: 'opened, beside secrets', given: on('opened', target), ...PREVIEW },
  {
    name: 'opened, and builds beside secrets: refused',
    given: on('opened', { ...target, inputs: { build: true } }),
    result: fails('unsafe_build'),
    why: 'Building is not allowed on "pull_request_target": untrusted code would run next to your secrets.',
  },
  {
    name: 'closed, and would build beside secrets: that builds nothing anyway',
    given: on('closed', { ...target, ...closed, inputs: { build: true } }),
    result: REMOVES,
    why: '#12 was closed',
  },
  {
    name: 'of Dependabot, which has no secrets',
    given: on('opened', { trigger: { actor: 'dependabot[bot]' }, inputs: { capgoToken: '' } }),
    result: SKIPPED,
    why: `${NO_SECRETS} Dependabot, so this run has no Capgo key. To preview its pull requests, store the key as a Dependabot secret too.`,
  },
  { name: 'of a fork, with a key', given: on('opened', { pull: { fork: true } }), ...PREVIEW },
  {
    name: 'of Dependabot, with a key',
    given: on('opened', { trigger: { actor: 'dependabot[bot]' } }),
    ...PREVIEW,
  },
  { name: "of one's own, without a key", given: on('opened', { inputs: { capgoToken: '' } }), ...PREVIEW },
  {
    name: 'whose channel would be one that a branch publishes to: refused',
    given: on('opened', {
      inputs: { channels: [...inputs.channels, { pattern: 'next', channel: 'pr-12' }] },
    }),
    result: fails('preview_channel_taken'),
    why: 'The preview of #12 would use channel pr-12, which a branch publishes to.',
  },
  {
    name: 'closed, whose channel would be one that a branch publishes to',
    given: on('closed', {
      ...closed,
      inputs: { channels: [...inputs.channels, { pattern: 'next', channel: 'pr-12' }] },
    }),
    result: REMOVES,
    why: '#12 was closed',
  },
]

export const OPERATION: Readonly<Record<string, readonly OperationCase[]>> = {
  'a run of': chosen,
  'a run is refused, of': refused,
  'a run that follows another,': following,
  'a run of a pull request': pulls,
}
