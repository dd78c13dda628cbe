import { ActionError } from './errors.ts'
import type { Ref } from './plan/channel.ts'
import type { Commit } from './plan/types.ts'

/** What started the run: the runner's variables and the webhook payload. */
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
  /** Who is asked to review; whoever has done so is no longer among them. */
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
}

/** What the event asks for. */
export interface Trigger {
  /** `push`, `workflow_dispatch`, `release`, … */
  readonly event: string
  readonly ref: Ref & { readonly type: 'branch' | 'tag' | 'other' }
  /** Whether the ref is the repository's default branch, or a tag. */
  readonly isDefaultBranch: boolean
  readonly commit: Commit
  /** `owner/name`. */
  readonly repository: string
  /** Page of the repository. */
  readonly repositoryUrl: string
  /** Page of this run. */
  readonly runUrl: string
  readonly actor: string
  readonly pull: PullRequest | null
  /** The payload's `action`: `opened`, `closed`, `unlabeled`, … */
  readonly action: string
  /** The commit that the branch had before the push; null when it had none. */
  readonly before: string | null
  /** The label that was put on or taken off. */
  readonly label: string | null
  readonly followed: FollowedRun | null
}

/**
 * The event as data. Throws `not_on_github` when a variable is missing that the runner always sets.
 */
export function readTrigger({ env, payload }: EventSource): Trigger {
  const need = (name: string): string => {
    const value = env[name]
    if (value) return value
    throw new ActionError('not_on_github', `The environment has no ${name}.`, {
      hint: 'This action runs as a step of a GitHub Actions workflow; to try it elsewhere, set the variables that the runner sets.',
    })
  }
  const full = need('GITHUB_REF')
  const sha = need('GITHUB_SHA')
  const repository = need('GITHUB_REPOSITORY')
  const type = full.startsWith('refs/heads/') ? 'branch' : full.startsWith('refs/tags/') ? 'tag' : 'other'
  const name = full.replace(/^refs\/(heads|tags)\//, '')
  const defaultBranch = at(payload, 'repository', 'default_branch')
  const server = need('GITHUB_SERVER_URL')
  const event = need('GITHUB_EVENT_NAME')
  const pullData = at(payload, 'pull_request') as PullData | undefined
  const pull = event.startsWith('pull_request') && pullData !== undefined ? toPullRequest(pullData) : null
  const runData = event === 'workflow_run' ? (at(payload, 'workflow_run') as RunData | undefined) : undefined
  return {
    event,
    ref: { full, name, type },
    isDefaultBranch: type === 'tag' || (type === 'branch' && name === defaultBranch),
    repository,
    repositoryUrl: `${server}/${repository}`,
    runUrl: `${server}/${repository}/actions/runs/${need('GITHUB_RUN_ID')}`,
    actor: env.GITHUB_ACTOR ?? '',
    pull,
    action: String(at(payload, 'action') ?? ''),
    before: event === 'push' ? commitBefore(at(payload, 'before')) : null,
    label: (at(payload, 'label', 'name') as string | undefined) ?? null,
    followed: runData === undefined ? null : toFollowedRun(runData),
    commit: {
      sha,
      refName: name,
      runId: Number(need('GITHUB_RUN_ID')),
      runNumber: Number(need('GITHUB_RUN_NUMBER')),
      runAttempt: Number(need('GITHUB_RUN_ATTEMPT')),
      url: `${server}/${repository}/commit/${sha}`,
    },
  }
}

/** GitHub writes zeros where there was no commit. */
function commitBefore(sha: unknown): string | null {
  return typeof sha === 'string' && /[1-9a-f]/.test(sha) ? sha : null
}

/** A pull request as GitHub sends it, in events and answers alike. */
export interface PullData {
  readonly number: number
  readonly state: string
  readonly merged_at?: string | null
  readonly draft?: boolean
  readonly user: { readonly login: string } | null
  readonly requested_reviewers?: readonly { readonly login?: string }[] | null
  readonly labels: readonly { readonly name: string }[]
  readonly head: {
    readonly sha: string
    readonly ref: string
    readonly repo: { readonly full_name: string } | null
  }
  readonly base: { readonly ref: string; readonly repo: { readonly full_name: string } }
}

export function toPullRequest(data: PullData): PullRequest {
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

interface RunData {
  readonly id: number
  readonly event: string
  readonly conclusion: string | null
  readonly head_sha: string
  readonly head_branch: string | null
  readonly head_repository: { readonly owner: { readonly login: string } } | null
}

function toFollowedRun(data: RunData): FollowedRun {
  return {
    id: data.id,
    event: data.event,
    conclusion: data.conclusion ?? '',
    headSha: data.head_sha,
    headBranch: data.head_branch ?? '',
    headOwner: data.head_repository?.owner.login ?? '',
  }
}

function at(value: unknown, ...path: string[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>)[key] : undefined,
    value,
  )
}
