/** The event that started the run, read from GitHub's variables and payload. */
import * as z from 'zod/mini'
import { ActionError } from './errors.ts'
import type { Ref } from './plan/channel.ts'
import { type EventRule, ruleOf } from './plan/events.ts'
import type { Commit } from './plan/types.ts'

/** The start of the run: the runner's variables and the webhook payload. */
export interface EventSource {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly payload: unknown
}

/** A pull request as a preview needs it. Title and names are other people's text. */
export interface PullRequest {
  readonly number: number
  readonly open: boolean
  readonly merged: boolean
  readonly draft: boolean
  readonly author: string
  /** Requested reviewers; GitHub removes a reviewer once the review is submitted. */
  readonly requestedReviewers: readonly string[]
  readonly labels: readonly string[]
  readonly headSha: string
  readonly headRef: string
  /** From another repository, so its runs have none of our secrets. */
  readonly fork: boolean
  readonly baseRef: string
}

/** The run of another workflow that this one follows (`workflow_run`). */
export interface FollowedRun {
  readonly id: number
  /** `pull_request`, `push`, … */
  readonly event: string
  readonly conclusion: string
  readonly headSha: string
  readonly headBranch: string
  readonly headOwner: string
  /** Open pull requests of its branch, as GitHub lists them; empty for forks. */
  readonly pulls: readonly number[]
}

/** The issue of an event, as it was then. Its body is other people's text. */
export interface EventIssue {
  readonly number: number
  readonly body: string
  /** Login of who caused the event. */
  readonly sender: string
}

/** The work that the event asks for. */
export interface Trigger {
  /** `push`, `workflow_dispatch`, `release`, … */
  readonly event: string
  /** The event's default work. */
  readonly rule: EventRule
  readonly ref: Ref & { readonly type: 'branch' | 'tag' | 'other' }
  /** Whether the ref is the repository's default branch, or a tag. */
  readonly isDefaultBranch: boolean
  /** Name of the repository's default branch; null when the event does not have it. */
  readonly defaultBranch: string | null
  readonly commit: Commit
  /** `owner/name`. */
  readonly repository: string
  /** Its id on GitHub, which stays when it is renamed; null when unknown. */
  readonly repositoryId: number | null
  /** Whether only its people see the repository; null where the event does not say. */
  readonly isPrivate: boolean | null
  /** Page of the repository. */
  readonly repositoryUrl: string
  /** Page of this run. */
  readonly runUrl: string
  readonly actor: string
  readonly pull: PullRequest | null
  /** Of the event `issues`. */
  readonly issue: EventIssue | null
  /** The payload's `action`: `opened`, `closed`, `unlabeled`, … */
  readonly action: string
  /** The commit that the branch had before the push; null when it had none. */
  readonly before: string | null
  /** The push removed the branch or tag. */
  readonly isDeletion: boolean
  /** The pull request has another base branch than before. */
  readonly isNewBase: boolean
  readonly followed: FollowedRun | null
}

/**
 * The event as data. Throws `not_on_github` when a variable is missing or wrong that the runner always sets, and
 * `event_invalid` for a payload that is none of GitHub's.
 */
export function readTrigger({ env, payload }: EventSource): Trigger {
  const need = (name: string, form = /./): string => {
    const value = env[name]
    if (value && form.test(value)) return value
    throw notOnGitHub(
      value ? `The variable ${name} is not one that the runner sets.` : `The variable ${name} is missing.`,
    )
  }
  // Empty for a deployment of a commit.
  const full = env.GITHUB_REF === '' ? '' : need('GITHUB_REF')
  const sha = need('GITHUB_SHA', SHA)
  const repository = need('GITHUB_REPOSITORY', /^[^/\s]+\/[^/\s]+$/)
  const type = full.startsWith('refs/heads/') ? 'branch' : full.startsWith('refs/tags/') ? 'tag' : 'other'
  const name = full.replace(/^refs\/(heads|tags)\//, '')
  const server = need('GITHUB_SERVER_URL', ADDRESS)
  if (env.GITHUB_API_URL !== undefined) need('GITHUB_API_URL', ADDRESS)
  const event = need('GITHUB_EVENT_NAME')
  const runId = need('GITHUB_RUN_ID', /^\d+$/)
  const what = `payload of the event "${event}"`
  const told = parse(Payload, payload, what)
  const action = told.action ?? ''
  const rule = told.release?.draft === true ? ruleOf(event, 'draft') : ruleOf(event, action)
  const isPull = rule.work === 'preview'
  const isFollowing = rule.work === 'follow'
  const push = event === 'push' ? parse(PushPayload, payload, what) : null
  // Not skipped where it is missing: such a run would be taken for one of a branch.
  if (isPull && told.pull_request === undefined) throw invalid(what, 'pull_request: is missing')
  if (isFollowing && told.workflow_run === undefined) throw invalid(what, 'workflow_run: is missing')
  return {
    event,
    rule,
    ref: { full, name, type },
    isDefaultBranch: type === 'tag' || (type === 'branch' && name === told.repository?.default_branch),
    defaultBranch: told.repository?.default_branch ?? null,
    repository,
    repositoryId: Number(env.GITHUB_REPOSITORY_ID) || null,
    // All people of an enterprise read an internal repository, which GitHub calls private as well.
    isPrivate: told.repository?.visibility === 'internal' ? false : (told.repository?.private ?? null),
    repositoryUrl: `${server}/${repository}`,
    runUrl: `${server}/${repository}/actions/runs/${runId}`,
    actor: env.GITHUB_ACTOR ?? '',
    pull: isPull ? toPullRequest(told.pull_request, `pull request of the event "${event}"`) : null,
    issue: event === 'issues' ? toIssue(parse(IssuePayload, payload, what)) : null,
    action,
    before: commitOrNone(push?.before),
    isDeletion: push !== null && (push.deleted === true || isNoCommit(push.after)),
    isNewBase: isPull && parse(EditPayload, payload, what).changes?.base != null,
    followed: isFollowing ? toFollowedRun(told.workflow_run) : null,
    commit: {
      sha,
      refName: name,
      runId: Number(runId),
      runNumber: Number(need('GITHUB_RUN_NUMBER', /^\d+$/)),
      runAttempt: Number(need('GITHUB_RUN_ATTEMPT', /^\d+$/)),
      url: `${server}/${repository}/commit/${sha}`,
    },
  }
}

/** Something is missing that the runner always sets. */
export function notOnGitHub(what: string): ActionError {
  return new ActionError('not_on_github', what, {
    hint: 'Run this action as a step of a GitHub Actions workflow. To try it elsewhere, set the variables that the runner sets.',
  })
}

const ADDRESS = /^https?:\/\/[\w.[\]:-]+(?:[/?]|$)/i
/** SHA-1, or SHA-256 where a repository has that. */
const SHA = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/
const Sha = z.string().check(z.regex(SHA, 'is not a commit SHA'))
const Login = z.object({ login: z.string() })
const Named = z.object({ name: z.string() })
const Repository = z.object({ full_name: z.string() })

/** The parts of events that are read; not every event has all of them. */
const Payload = z.object({
  action: z.nullish(z.string()),
  repository: z.nullish(
    z.object({
      default_branch: z.nullish(z.string()),
      private: z.nullish(z.boolean()),
      visibility: z.nullish(z.string()),
    }),
  ),
  pull_request: z.optional(z.unknown()),
  workflow_run: z.optional(z.unknown()),
  release: z.nullish(z.object({ draft: z.nullish(z.boolean()) })),
})

const PushPayload = z.object({
  before: z.nullish(Sha),
  after: z.nullish(Sha),
  deleted: z.nullish(z.boolean()),
})
const IssuePayload = z.object({
  issue: z.object({ number: z.int().check(z.positive()), body: z.nullish(z.string()) }),
  sender: Login,
})
const EditPayload = z.object({ changes: z.nullish(z.object({ base: z.nullish(z.unknown()) })) })

/** A pull request as GitHub sends it, in events and answers alike. */
const PullData = z.object({
  number: z.int().check(z.positive()),
  state: z.string(),
  merged_at: z.nullish(z.string()),
  draft: z.nullish(z.boolean()),
  /** Null where the account is gone. */
  user: z.nullish(Login),
  requested_reviewers: z.nullish(z.array(z.object({ login: z.optional(z.string()) }))),
  labels: z.array(Named),
  /** The repository is null where the fork is gone. */
  head: z.object({ sha: Sha, ref: z.string(), repo: z.nullish(Repository) }),
  base: z.object({ ref: z.string(), repo: Repository }),
})

const RunData = z.object({
  id: z.int().check(z.positive()),
  event: z.string(),
  conclusion: z.nullish(z.string()),
  head_sha: Sha,
  head_branch: z.nullish(z.string()),
  head_repository: z.nullish(z.object({ owner: z.nullish(Login) })),
  pull_requests: z.nullish(z.array(z.object({ number: z.int() }))),
})

/** `what` names it in the error: `event_invalid`. */
export function toPullRequest(from: unknown, what = 'pull request from the GitHub API'): PullRequest {
  const data = parse(PullData, from, what)
  return {
    number: data.number,
    open: data.state === 'open',
    merged: Boolean(data.merged_at),
    draft: data.draft ?? false,
    author: data.user?.login ?? 'ghost',
    requestedReviewers: (data.requested_reviewers ?? []).flatMap(({ login }) => login ?? []),
    labels: data.labels.map(label => label.name),
    headSha: data.head.sha,
    headRef: data.head.ref,
    fork: data.head.repo?.full_name !== data.base.repo.full_name,
    baseRef: data.base.ref,
  }
}

function toIssue({ issue, sender }: z.infer<typeof IssuePayload>): EventIssue {
  return { number: issue.number, body: issue.body ?? '', sender: sender.login }
}

function toFollowedRun(from: unknown): FollowedRun {
  const data = parse(RunData, from, 'run of the event "workflow_run"')
  return {
    id: data.id,
    event: data.event,
    conclusion: data.conclusion ?? '',
    headSha: data.head_sha,
    headBranch: data.head_branch ?? '',
    headOwner: data.head_repository?.owner?.login ?? '',
    pulls: (data.pull_requests ?? []).map(({ number }) => number),
  }
}

/** GitHub writes zeros where there was no commit. */
function isNoCommit(sha: string | null | undefined): boolean {
  return typeof sha === 'string' && /^0+$/.test(sha)
}

function commitOrNone(sha: string | null | undefined): string | null {
  return sha && !isNoCommit(sha) ? sha : null
}

function parse<T>(schema: z.ZodMiniType<T>, value: unknown, what: string): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw invalid(what, `${issue?.path.join('.') || 'as a whole'}: ${issue?.message}`)
}

function invalid(what: string, why: string): ActionError {
  return new ActionError('event_invalid', `The ${what} is not one that GitHub sends (${why}).`, {
    hint: 'Check that GITHUB_EVENT_PATH names the file of the runner, and that GITHUB_API_URL is a GitHub API.',
  })
}
