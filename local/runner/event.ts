import { createRequire } from 'node:module'

/** What started a workflow: the webhook's payload and what the runner derives from it. */
export interface WorkflowEvent {
  readonly name: string
  readonly payload: Payload
  /** Full: `refs/heads/main`, `refs/tags/v1.0.0`, `refs/pull/7/merge`. */
  readonly ref: string
  readonly sha: string
  /** `owner/name`. */
  readonly repository: string
  readonly actor: string
  /** Both empty unless it is a pull request. */
  readonly headRef: string
  readonly baseRef: string
}

export type Payload = { [key: string]: unknown }

export interface RepositoryOptions {
  readonly repository?: string
  readonly defaultBranch?: string
  readonly actor?: string
  readonly isPrivate?: boolean
}

const NO_COMMIT = '0'.repeat(40)

type Examples = { name: string; examples: (Payload & { action?: string })[] }[]

/** Payloads as GitHub really sent them. */
const examples = createRequire(import.meta.url)('@octokit/webhooks-examples') as Examples

export function pushEvent(
  options: RepositoryOptions & { branch: string; sha: string; before?: string; message?: string },
): WorkflowEvent {
  const ref = `refs/heads/${options.branch}`
  return pushed(options, ref, options.branch)
}

export function tagPushEvent(
  options: RepositoryOptions & { tag: string; sha: string; message?: string },
): WorkflowEvent {
  return pushed(options, `refs/tags/${options.tag}`, null)
}

function pushed(
  options: RepositoryOptions & { sha: string; before?: string; message?: string },
  ref: string,
  branch: string | null,
): WorkflowEvent {
  const before = options.before ?? NO_COMMIT
  const commit = { id: options.sha, message: options.message ?? 'Change the greeting', distinct: true }
  return complete('push', options, ref, options.sha, {
    ...example(
      'push',
      payload => payload.ref === (branch === null ? 'refs/tags/simple-tag' : 'refs/heads/master'),
    ),
    ref,
    before,
    after: options.sha,
    created: before === NO_COMMIT,
    deleted: false,
    forced: false,
    base_ref: null,
    head_commit: commit,
    commits: branch === null ? [] : [commit],
  })
}

export interface PullRequestOptions extends RepositoryOptions {
  readonly number: number
  readonly headSha: string
  readonly headRef: string
  /** The commit that GitHub makes by merging head into base; `GITHUB_SHA`. */
  readonly mergeSha?: string
  readonly baseRef?: string
  readonly baseSha?: string
  readonly title?: string
  readonly labels?: readonly string[]
  /** The label that was added or removed. */
  readonly label?: string
  readonly merged?: boolean
  /** Logins of who is asked to review. */
  readonly reviewers?: readonly string[]
  readonly draft?: boolean
  /** `owner/name` of the fork that the head is in. */
  readonly fork?: string
  /** `pull_request_target` runs on the base branch with the secrets. */
  readonly target?: boolean
}

export type PullRequestAction =
  | 'opened'
  | 'synchronize'
  | 'reopened'
  | 'closed'
  | 'labeled'
  | 'unlabeled'
  | 'edited'
  | 'assigned'

export function pullRequestEvent(action: PullRequestAction, options: PullRequestOptions): WorkflowEvent {
  // GitHub's examples have none of this action.
  const known = action === 'edited' ? 'opened' : action
  const payload = example('pull_request', each => each.action === known)
  const repository = repositoryOf(options)
  const fork = options.fork ?? repository.full_name
  const baseRef = options.baseRef ?? repository.default_branch
  const baseSha = options.baseSha ?? NO_COMMIT
  const merged = options.merged ?? false
  const pullRequest = merge(payload.pull_request, {
    number: options.number,
    title: options.title ?? 'Greet in the evening too',
    state: action === 'closed' ? 'closed' : 'open',
    html_url: `${repository.html_url}/pull/${options.number}`,
    draft: options.draft ?? false,
    merged,
    merged_at: merged ? '2026-11-23T11:00:00Z' : null,
    merge_commit_sha: options.mergeSha ?? null,
    user: { login: options.actor ?? ACTOR },
    requested_reviewers: (options.reviewers ?? []).map(login => ({ login })),
    labels: (options.labels ?? []).map(name => ({ name })),
    head: {
      ref: options.headRef,
      sha: options.headSha,
      label: `${fork.split('/')[0]}:${options.headRef}`,
      repo: copyOf(repository, fork),
    },
    base: { ref: baseRef, sha: baseSha, label: `${repository.owner.login}:${baseRef}`, repo: repository },
  })
  const onBase = options.target === true || (action === 'closed' && merged)
  const ref = onBase ? `refs/heads/${baseRef}` : `refs/pull/${options.number}/merge`
  const sha = options.target === true ? baseSha : (options.mergeSha ?? options.headSha)
  const event = complete(
    options.target === true ? 'pull_request_target' : 'pull_request',
    options,
    ref,
    sha,
    {
      ...payload,
      action,
      number: options.number,
      pull_request: pullRequest,
      ...(options.label === undefined ? {} : { label: { name: options.label } }),
    },
  )
  return { ...event, headRef: options.headRef, baseRef }
}

export function dispatchEvent(
  options: RepositoryOptions & { ref: string; sha: string; inputs?: Readonly<Record<string, string>> },
): WorkflowEvent {
  return complete('workflow_dispatch', options, options.ref, options.sha, {
    ...example('workflow_dispatch'),
    ref: options.ref,
    workflow: WORKFLOW,
    inputs: options.inputs ?? null,
  })
}

/** Always on the default branch. GitHub has no webhook of this name; the payload is this small. */
export function scheduleEvent(options: RepositoryOptions & { sha: string; cron?: string }): WorkflowEvent {
  const ref = `refs/heads/${options.defaultBranch ?? 'main'}`
  const { repository, sender } = example('push')
  const payload = { repository, sender, schedule: options.cron ?? '17 5 * * *', workflow: WORKFLOW }
  return complete('schedule', options, ref, options.sha, payload)
}

export function releaseEvent(
  options: RepositoryOptions & { tag: string; sha: string; action?: string; prerelease?: boolean },
): WorkflowEvent {
  const payload = example('release', each => each.action === 'published')
  const action = options.action ?? 'published'
  const release = merge(payload.release, {
    tag_name: options.tag,
    name: options.tag,
    prerelease: options.prerelease ?? false,
    draft: false,
    target_commitish: options.defaultBranch ?? 'main',
    html_url: `${repositoryOf(options).html_url}/releases/tag/${options.tag}`,
  })
  return complete('release', options, `refs/tags/${options.tag}`, options.sha, {
    ...payload,
    action,
    release,
  })
}

/** A workflow that runs after another one; on the default branch and with its secrets, whatever the other ran on. */
export function workflowRunEvent(
  options: RepositoryOptions & {
    sha: string
    headSha: string
    headBranch: string
    event?: string
    conclusion?: string
    fork?: string
    runId?: number
  },
): WorkflowEvent {
  const payload = example('workflow_run', each => each.action === 'completed')
  const repository = repositoryOf(options)
  const run = merge(payload.workflow_run, {
    ...(options.runId === undefined ? {} : { id: options.runId }),
    event: options.event ?? 'push',
    status: 'completed',
    conclusion: options.conclusion ?? 'success',
    head_branch: options.headBranch,
    head_sha: options.headSha,
    repository,
    head_repository: copyOf(repository, options.fork ?? repository.full_name),
    pull_requests: [],
  })
  const ref = `refs/heads/${repository.default_branch}`
  return complete('workflow_run', options, ref, options.sha, {
    ...payload,
    action: 'completed',
    workflow_run: run,
  })
}

const WORKFLOW = '.github/workflows/live-updates.yml'
const ACTOR = 'ada'

function complete(
  name: string,
  options: RepositoryOptions,
  ref: string,
  sha: string,
  payload: Payload,
): WorkflowEvent {
  const repository = repositoryOf(options)
  const actor = options.actor ?? ACTOR
  return {
    name,
    ref,
    sha,
    repository: repository.full_name,
    actor,
    headRef: '',
    baseRef: '',
    payload: merge(payload, { repository, sender: { login: actor } }) as Payload,
  }
}

function repositoryOf(options: RepositoryOptions) {
  const fullName = options.repository ?? 'octo-org/daybreak'
  const [owner, name] = fullName.split('/') as [string, string]
  return {
    name,
    full_name: fullName,
    html_url: `https://github.com/${fullName}`,
    default_branch: options.defaultBranch ?? 'main',
    owner: { login: owner },
    fork: false,
    private: options.isPrivate ?? false,
  }
}

/** The repository itself, or somebody's fork of it. */
function copyOf(repository: ReturnType<typeof repositoryOf>, fullName: string): unknown {
  const isFork = fullName !== repository.full_name
  return merge(repository, { full_name: fullName, owner: { login: fullName.split('/')[0] }, fork: isFork })
}

/** A payload as GitHub really sent it; throws where there is none. */
export function example(
  name: string,
  fits: (payload: Payload & { action?: string }) => boolean = () => true,
): Payload {
  const found = examples.find(each => each.name === name)?.examples.find(fits)
  if (found === undefined) throw new Error(`No example of ${name}.`)
  return structuredClone(found)
}

/** `changes` over `base`, objects key by key, everything else replaced. */
export function merge(base: unknown, changes: unknown): unknown {
  if (!isObject(base) || !isObject(changes)) return changes
  const merged: Payload = { ...base }
  for (const [key, value] of Object.entries(changes)) merged[key] = merge(base[key], value)
  return merged
}

export const isObject = (value: unknown): value is Payload =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
