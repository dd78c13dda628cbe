/** The pull request of an event: what the payload leaves open comes from GitHub's state and from the repository. */
import type { HostedRepository, Issue, Pull } from '../../local/github/index.ts'
import { example, isObject, merge, type Payload } from '../../local/runner/event.ts'
import type { TriedRepository } from './repository.ts'

export interface PullFacts {
  readonly number: number
  readonly head: { readonly ref: string; readonly sha: string; readonly repository: string }
  readonly base: { readonly ref: string; readonly sha: string }
  readonly state: 'open' | 'closed'
  readonly merged: boolean
  readonly mergeCommit: string | null
  readonly draft: boolean
  readonly labels: readonly string[]
  readonly title: string
  readonly body: string | null
  readonly author: string
  readonly reviewers: readonly string[]
}

/** Where the head is when neither the payload nor GitHub's state tells. */
export interface PullHint {
  readonly branch: string | null
  readonly action: string
  /** Of `labeled` and `unlabeled`. */
  readonly label: string | null
}

/** The state of the pull request now. Missing values are added to `problems`. */
export function readPull(
  number: number,
  given: Payload,
  { branch, action, label }: PullHint,
  { repository, hosted }: { repository: TriedRepository; hosted: HostedRepository },
  problems: string[],
): PullFacts {
  const known = hosted.issues.get(number) ?? null
  const pull = known?.pull ?? null
  const head = isObject(given.head) ? given.head : {}
  const base = isObject(given.base) ? given.base : {}
  const baseRef = text(base.ref) ?? pull?.base.ref ?? repository.defaultBranch
  const headRef = text(head.ref) ?? pull?.head.ref ?? (branch === baseRef ? null : branch)
  if (headRef === null)
    problems.push(
      `The branch of pull request #${number} is not known. Give pull_request.head.ref in the payload, or --branch.`,
    )
  const commitOf = (side: string, sha: string | null, ref: string, before: string | undefined) => {
    const found = repository.find(sha ?? `refs/heads/${ref}`) ?? (sha === null ? before : undefined)
    if (found === undefined)
      problems.push(
        `${sha === null ? `The branch ${ref}` : `The commit ${sha}`} (${side} of pull request #${number}) is not in the repository. Fetch it there first.`,
      )
    return found ?? ''
  }
  const discussion = readDiscussion(given, known, { action, label })
  const { state } = discussion
  const merged = given.merged ?? (given.merged_at === undefined ? pull?.mergedAt : given.merged_at)
  return {
    ...discussion,
    number,
    head: {
      ref: headRef ?? '',
      sha: headRef === null ? '' : commitOf('head', text(head.sha), headRef, pull?.head.sha),
      repository: repositoryOf(head) ?? pull?.head.repository ?? hosted.name,
    },
    base: { ref: baseRef, sha: commitOf('base', text(base.sha), baseRef, pull?.base.sha) },
    merged: state === 'closed' && Boolean(merged),
    mergeCommit: text(given.merge_commit_sha) ?? pull?.mergeCommitSha ?? null,
    draft: Boolean(given.draft ?? draftAfter(action) ?? pull?.draft),
    title: discussion.title ?? `Pull request of ${headRef}`,
    reviewers: loginsOf(given.requested_reviewers) ?? pull?.reviewers ?? [],
  }
}

/** What issues and pull requests have, after an event with this action. */
export function readDiscussion(
  given: Payload,
  known: Issue | null,
  { action, label }: Pick<PullHint, 'action' | 'label'>,
) {
  const state = text(given.state) ?? stateAfter(action) ?? known?.state
  return {
    state: state === 'closed' ? ('closed' as const) : ('open' as const),
    labels: namesOf(given.labels) ?? labelsAfter(action, label, known?.labels ?? []),
    title: text(given.title) ?? known?.title ?? null,
    body: typeof given.body === 'string' ? given.body : (known?.body ?? null),
    author: loginOf(given.user) ?? known?.author ?? 'ada',
  }
}

/** Makes it so on the local GitHub. */
export async function putPull(facts: PullFacts, hosted: HostedRepository): Promise<Issue & { pull: Pull }> {
  const { number, head, base, state, merged, draft, labels, title, body, author, reviewers } = facts
  const known = hosted.issues.get(number)
  if (!known?.pull) {
    hosted.issues.delete(number)
    await hosted.addPull({ number, head, base, author })
  }
  const { issue, pull } = hosted.pull(number)
  if (state === 'open' && issue.state === 'closed') hosted.reopenPull(number)
  if (state === 'closed') hosted.closePull(number, { merged })
  Object.assign(issue, { labels: [...labels], title, body, author })
  const { mergeCommit: mergeCommitSha } = facts
  return Object.assign(issue, {
    pull: Object.assign(pull, { head, base, draft, reviewers: [...reviewers], mergeCommitSha }),
  })
}

/** As GitHub sends it in events; what the payload says of it goes before. `headSha` is that of the event. */
export function renderPull(
  facts: PullFacts,
  headSha: string,
  repositoryJson: Payload,
  given: Payload,
): Payload {
  const { number, head, base, state, merged, draft, labels, title, body, author, reviewers } = facts
  const name = String(repositoryJson.full_name)
  const isFork = head.repository !== name
  const copy = isFork
    ? merge(repositoryJson, {
        full_name: head.repository,
        owner: { login: head.repository.split('/')[0] },
        fork: true,
      })
    : repositoryJson
  const closedAt = state === 'closed' ? new Date().toISOString().replace(/\.\d+/, '') : null
  // Said already, from forms that are shorter than GitHub's.
  const { labels: _labels, user: _user, requested_reviewers: _reviewers, ...rest } = given
  const known = merge(example('pull_request').pull_request, {
    number,
    title,
    body,
    state,
    draft,
    merged,
    closed_at: closedAt,
    merged_at: merged ? closedAt : null,
    merge_commit_sha: facts.mergeCommit,
    html_url: `${repositoryJson.html_url}/pull/${number}`,
    user: { login: author },
    requested_reviewers: reviewers.map(login => ({ login })),
    labels: labels.map(label => ({ name: label })),
    head: { ref: head.ref, sha: headSha, label: `${head.repository.split('/')[0]}:${head.ref}`, repo: copy },
    base: { ref: base.ref, sha: base.sha, label: `${name.split('/')[0]}:${base.ref}`, repo: repositoryJson },
  })
  return merge(merge(known, rest), { head: { sha: headSha } }) as Payload
}

const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : null)

/** Labels in a payload of one's own may be names alone. */
function namesOf(labels: unknown): string[] | null {
  if (!Array.isArray(labels)) return null
  return labels.map(label => (isObject(label) ? String(label.name) : String(label)))
}

/** Of `labeled` and `unlabeled`; in a payload of one's own it may be its name alone. */
export const labelOf = ({ label }: Payload) => namesOf([label ?? ''])?.[0] || null

export const loginOf = (user: unknown) => (isObject(user) ? text(user.login) : text(user))
const loginsOf = (users: unknown) =>
  Array.isArray(users) ? users.flatMap(user => loginOf(user) ?? []) : null

function repositoryOf({ repo }: Payload): string | null {
  // GitHub's word for a fork that is gone.
  if (repo === null) return 'ghost/gone'
  return isObject(repo) ? text(repo.full_name) : null
}

function stateAfter(action: string): 'open' | 'closed' | null {
  if (action === 'closed') return 'closed'
  return ['opened', 'reopened', 'synchronize'].includes(action) ? 'open' : null
}

function draftAfter(action: string): boolean | null {
  if (action === 'converted_to_draft') return true
  return action === 'ready_for_review' ? false : null
}

function labelsAfter(action: string, label: string | null, labels: readonly string[]): string[] {
  const others = labels.filter(each => each !== label)
  if (label === null || !/^(un)?labeled$/.test(action)) return [...labels]
  return action === 'labeled' ? [...others, label] : others
}
