/** The event as GitHub sends it: a payload of a few fields is completed, and what it says is put into the local GitHub. */
import type { HostedRepository } from '../../local/github/index.ts'
import { example, isObject, merge, type Payload, type WorkflowEvent } from '../../local/runner/event.ts'
import { readActivity } from './activity.ts'
import type { Wishes } from './arguments.ts'
import { labelOf, type PullFacts, putPull, readPull, renderPull } from './pull.ts'
import { find, fullRef, refOf } from './refs.ts'
import type { Stage } from './repository.ts'

export interface TriedEvent extends WorkflowEvent {
  /** What actions/checkout takes. */
  readonly checkout: string
  /** In words. */
  readonly title: string
  /** What a person should know about it. */
  readonly notes: readonly string[]
}

/** What an event says besides its payload; the payload is completed with `more`, which yields to what was given. */
interface Place {
  readonly ref: string
  readonly sha: string
  readonly more: Payload
  readonly about: string
  readonly pull?: PullFacts
  readonly notes?: readonly string[]
}

const PULL_EVENTS = /^pull_request(_target|_review|_review_comment|_review_thread)?$/

/** Missing values are added to `problems`; the result is then of no use. */
export async function readEvent(wishes: Wishes, stage: Stage, problems: string[]): Promise<TriedEvent> {
  const { event: name, payload } = wishes
  const { repository, hosted } = stage
  const known = PULL_EVENTS.test(name)
    ? pullRequest(wishes, stage, problems)
    : name === 'push'
      ? push(wishes, stage, problems)
      : other(wishes, stage, problems)
  const { ref, sha, more, about, pull, notes = [] } = known
  const checkout = wishes.checkout === null ? sha : find(repository, wishes.checkout, problems)
  const repositoryJson = describeRepository(hosted, payload)
  if (problems.length === 0 && pull !== undefined) await putPull(pull, hosted)
  if (problems.length === 0) await readActivity(wishes, stage, more, problems)
  const action = payload.action ?? more.action
  const rendered =
    pull === undefined
      ? isObject(more.issue)
        ? { issue: more.issue }
        : {}
      : {
          number: pull.number,
          pull_request: renderPull(
            pull,
            wishes.commit === null ? pull.head.sha : find(repository, wishes.commit, problems),
            repositoryJson,
            isObject(payload.pull_request) ? payload.pull_request : {},
          ),
        }
  const actor = actorOf(payload) ?? pull?.author ?? actorOf(more) ?? 'ada'
  const base = merge(exampleOf(name, String(action ?? '')), more)
  const complete = merge(merge(base, payload), {
    ...rendered,
    ...(typeof payload.label === 'string' ? { label: { name: payload.label } } : {}),
    repository: repositoryJson,
    sender: { login: actor },
  }) as Payload
  return {
    name,
    payload: complete,
    ref,
    sha,
    repository: hosted.name,
    actor,
    headRef: /^pull_request(_target)?$/.test(name) ? (pull?.head.ref ?? '') : '',
    baseRef: /^pull_request(_target)?$/.test(name) ? (pull?.base.ref ?? '') : '',
    checkout,
    title: `${name}${action === undefined ? '' : ` (${action})`}${isObject(more.issue) ? ` of #${more.issue.number}` : about}`,
    notes,
  }
}

function pullRequest(wishes: Wishes, stage: Stage, problems: string[]): Place {
  const { event: name, payload } = wishes
  const { repository, hosted } = stage
  const given = isObject(payload.pull_request) ? payload.pull_request : {}
  const branch = wishes.branch ?? repository.branch
  const number = Number(payload.number ?? given.number ?? numberOf(hosted, branch))
  if (!Number.isSafeInteger(number) || number < 1) problems.push(`The payload's number ${number} is not one.`)
  const isKnown = hosted.issues.get(number)?.pull !== undefined
  const usual = /review/.test(name) ? 'submitted' : isKnown ? 'synchronize' : 'opened'
  const action = String(payload.action ?? usual)
  const label = labelOf(payload)
  const facts = readPull(number, given, { branch, action, label }, stage, problems)
  const isMerge = problems.length === 0 && action === 'closed' && facts.merged && facts.mergeCommit === null
  const { base } = facts
  const subject = `Merge pull request #${number} from ${facts.head.repository.split('/')[0]}/${facts.head.ref}`
  const mergeCommit = isMerge ? repository.mergeInto(base.ref, facts.head.sha, subject) : null
  const pull = { ...facts, mergeCommit: mergeCommit ?? facts.mergeCommit }
  const failure =
    isMerge && mergeCommit === null ? [`It conflicts with ${base.ref}, so nothing was merged.`] : []
  const about = ` of pull request #${number}: ${pull.head.ref} into ${pull.base.ref}`
  const more = { action, number }
  const place = (ref: string, sha: string, notes: readonly string[] = []): Place => ({
    ref,
    sha,
    more,
    about,
    pull,
    notes,
  })
  if (problems.length > 0) return place('', '')
  const { defaultBranch } = repository
  if (name === 'pull_request_target') {
    // Whatever the base is: GitHub takes workflow and checkout from there.
    return place(`refs/heads/${defaultBranch}`, repository.tip(defaultBranch) ?? pull.base.sha)
  }
  if (name === 'pull_request' && action === 'closed' && pull.merged)
    return place(
      `refs/heads/${pull.base.ref}`,
      pull.mergeCommit ?? repository.tip(pull.base.ref) ?? pull.base.sha,
      failure,
    )
  const head = wishes.commit === null ? pull.head.sha : find(repository, wishes.commit, problems)
  const merged = head === '' ? null : repository.mergePull(number, repository.tip(base.ref) ?? base.sha, head)
  const isDirty =
    merged === null
      ? ['GitHub starts no workflow for a pull request that conflicts with its base; its head is tried.']
      : []
  return place(`refs/pull/${number}/merge`, merged ?? head, isDirty)
}

/** The open pull request of a branch; a first one where there is none. */
function numberOf(hosted: HostedRepository, branch: string | null): number {
  const open = [...hosted.issues.values()].filter(({ pull, state }) => pull !== null && state === 'open')
  const own = open.filter(({ pull }) => pull?.head.ref === branch)
  return (own.at(-1) ?? open.at(-1))?.number ?? Math.max(0, ...hosted.issues.keys()) + 1
}

function push(wishes: Wishes, { repository, pushed }: Stage, problems: string[]): Place {
  const { payload } = wishes
  const { defaultBranch } = repository
  const none = '0'.repeat(repository.head.length)
  const branch = wishes.branch ?? repository.branch
  const told = typeof payload.ref === 'string' ? fullRef(payload.ref, 'branch') : null
  const ref = told ?? (wishes.tag === null ? `refs/heads/${branch ?? ''}` : `refs/tags/${wishes.tag}`)
  const name = ref.replace(/^refs\/(heads|tags)\//, '')
  if (name === '')
    problems.push('No branch is checked out there. Name the one that is pushed to with --branch.')
  if (payload.deleted === true) {
    repository.removeBranch(name)
    const before = pushed[name] ?? repository.head
    const more = {
      ref,
      before,
      after: none,
      created: false,
      deleted: true,
      forced: false,
      head_commit: null,
      commits: [],
    }
    // GitHub: the run's ref and commit are then those of the default branch.
    const sha = repository.tip(defaultBranch) ?? repository.head
    return { ref: `refs/heads/${defaultBranch}`, sha, more, about: ` that deletes ${name}` }
  }
  const isTag = ref.startsWith('refs/tags/')
  const newest = isTag || repository.find(ref) !== null ? ref : 'HEAD'
  const wanted = wishes.commit ?? (typeof payload.after === 'string' ? payload.after : newest)
  const after = find(repository, wanted, problems)
  if (problems.length > 0) return { ref, sha: '', more: {}, about: '' }
  // Pushed to a branch that is not there: it is on GitHub from now on.
  if (!isTag && repository.tip(name) === null) repository.makeBranch(name, after)
  const last = pushed[name] === after ? undefined : pushed[name]
  const before = String(payload.before ?? (isTag ? none : (last ?? repository.find(`${after}^`) ?? none)))
  const commit = { id: after, message: repository.subject(after), distinct: true }
  const isNew = before === none
  const forced = !isNew && repository.find(before) !== null && !repository.isAncestor(before, after)
  const more = {
    ref,
    before,
    after,
    created: isNew,
    deleted: false,
    forced,
    base_ref: null,
    head_commit: commit,
    commits: isTag ? [] : [commit],
  }
  return { ref, sha: after, more, about: ` to ${name}${forced ? ', forced' : ''}` }
}

/** Events that are about no pull request, by GitHub's table of what `GITHUB_REF` and `GITHUB_SHA` are then. */
function other(wishes: Wishes, { repository }: Stage, problems: string[]): Place {
  const { event: name, payload } = wishes
  const { defaultBranch } = repository
  const at = (ref: string, wanted: string, more: Payload = {}): Place => {
    const found = find(repository, wishes.commit ?? wanted, problems)
    return { ref, sha: found, more, about: ` on ${ref.replace(/^refs\/(heads|tags)\//, '')}` }
  }
  const branch = wishes.branch ?? repository.branch ?? defaultBranch
  const field = (value: unknown) => (typeof value === 'string' && value !== '' ? value : null)
  switch (name) {
    case 'workflow_dispatch': {
      const ref = refOf(field(payload.ref), wishes, branch)
      return at(ref, ref, { ref, inputs: null })
    }
    case 'create': {
      const isTag = payload.ref_type === 'tag' || wishes.tag !== null
      const ref = fullRef(field(payload.ref) ?? wishes.tag ?? branch, isTag ? 'tag' : 'branch')
      return at(ref, ref, {
        ref: ref.replace(/^refs\/(heads|tags)\//, ''),
        ref_type: isTag ? 'tag' : 'branch',
      })
    }
    case 'delete': {
      const gone = field(payload.ref) ?? wishes.tag ?? branch
      if (payload.ref_type !== 'tag' && gone !== defaultBranch) repository.removeBranch(gone)
      return at(`refs/heads/${defaultBranch}`, defaultBranch, {
        ref: gone,
        ref_type: wishes.tag === null ? 'branch' : 'tag',
      })
    }
    case 'release': {
      const release = isObject(payload.release) ? payload.release : {}
      const tag = field(release.tag_name) ?? wishes.tag
      if (tag === null) problems.push('Which release? Give release.tag_name in the payload, or --tag.')
      const about = {
        tag_name: tag,
        name: tag,
        draft: false,
        prerelease: false,
        target_commitish: defaultBranch,
      }
      return tag === null
        ? at('', defaultBranch)
        : at(`refs/tags/${tag}`, `refs/tags/${tag}`, { action: 'published', release: about })
    }
    case 'merge_group': {
      const group = isObject(payload.merge_group) ? payload.merge_group : {}
      const sha = find(repository, field(group.head_sha) ?? wishes.commit ?? branch, problems)
      const ref = field(group.head_ref) ?? `refs/heads/gh-readonly-queue/${defaultBranch}/pr-1-${sha}`
      const base = { base_ref: `refs/heads/${defaultBranch}`, base_sha: repository.tip(defaultBranch) }
      return at(ref, sha, {
        action: 'checks_requested',
        merge_group: { ...base, head_ref: ref, head_sha: sha },
      })
    }
    case 'deployment':
    case 'deployment_status': {
      const deployment = isObject(payload.deployment) ? payload.deployment : {}
      const named = field(deployment.ref) ?? wishes.tag ?? branch
      const sha = field(deployment.sha) ?? named
      const ref = repository.tip(named) !== null ? `refs/heads/${named}` : `refs/tags/${named}`
      const isCommit = /^[0-9a-f]{40,64}$/.test(named)
      const place = at(isCommit ? '' : ref, sha)
      return { ...place, more: { action: 'created', deployment: { ref: named, sha: place.sha } } }
    }
    case 'schedule':
      return at(`refs/heads/${defaultBranch}`, defaultBranch, { schedule: '17 5 * * *' })
    case 'repository_dispatch':
      return at(`refs/heads/${defaultBranch}`, defaultBranch, { branch: defaultBranch })
    default:
      return at(`refs/heads/${defaultBranch}`, defaultBranch)
  }
}

/** The payload's repository, with what the local one has: name and default branch go before. */
function describeRepository(hosted: HostedRepository, payload: Payload): Payload {
  const { name, repo, owner, id, defaultBranch, isPrivate } = hosted
  const html_url = `https://github.com/${name}`
  const own = { id, name: repo, full_name: name, html_url, default_branch: defaultBranch, private: isPrivate }
  const given = isObject(payload.repository) ? payload.repository : {}
  return merge(merge({ owner: { login: owner }, fork: false }, given), {
    ...own,
    owner: { login: owner },
  }) as Payload
}

/** Who did it: the sender, or the author of the comment or review. */
function actorOf({ sender, comment, review }: Payload): string | null {
  const people = [sender, ...[comment, review].map(said => (isObject(said) ? said.user : null))]
  const known = people.filter(isObject).find(({ login }) => typeof login === 'string')
  return known === undefined ? null : String(known.login)
}

function exampleOf(name: string, action: string): Payload {
  const source = name === 'pull_request_target' ? 'pull_request' : name
  for (const fits of [(payload: Payload) => payload.action === action, () => true])
    try {
      return example(source, fits)
    } catch {
      // GitHub has no example of it.
    }
  return {}
}
