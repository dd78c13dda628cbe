import { type Call, created, type Handler, invalid, notFound, ok, paginate, Refusal } from '../answers.ts'
import type { ChangedFile } from '../git.ts'
import type { Issue, Pull } from '../records.ts'
import { WORKFLOW_BOT } from '../resources/repositories.ts'
import type { HostedRepository } from '../state.ts'

type PullIssue = Issue & { pull: Pull }

export const pulls: Readonly<Record<string, Handler>> = {
  'pulls/list': call => {
    const { repository, resources, query } = call
    const state = query.state ?? 'open'
    const all = pullsOf(repository)
      .filter(issue => state === 'all' || issue.state === state)
      .filter(({ pull }) => query.base === undefined || pull.base.ref === query.base)
      .filter(({ pull }) => isHead(pull, query.head))
    const { items, headers } = paginate(call, sort(all, query))
    return ok(
      items.map(issue => resources.pull(repository, issue, issue.pull)),
      headers,
    )
  },

  'pulls/create': async call => {
    const { repository, resources, body, login } = call
    const [head, base] = [String(body.head), String(body.base)]
    if (login === WORKFLOW_BOT && !repository.letsActionsOpenPulls)
      throw new Refusal(403, 'GitHub Actions is not permitted to create or approve pull requests.')
    const refuse = (message: string) => invalid('PullRequest', 'head', 'custom', message)
    const [from, to] = [await repository.git.resolve(head), await repository.git.resolve(base)]
    if (from === null || to === null) throw refuse('is invalid')
    if (pullsOf(repository).some(({ state, pull }) => state === 'open' && pull.head.ref === head))
      throw refuse(`A pull request already exists for ${repository.owner}:${head}.`)
    if (await repository.git.isAncestor(from, to)) throw refuse(`No commits between ${base} and ${head}`)
    const issue = await repository.addPull({
      title: String(body.title),
      body: String(body.body ?? ''),
      author: login,
      head: { ref: head },
      base: { ref: base },
    })
    const { commits, files } = await changesOf(repository, issue.pull)
    return created(resources.fullPull(repository, issue, issue.pull, { commits, files }))
  },

  'pulls/get': async call => {
    const issue = findPull(call)
    const { commits, files } = await changesOf(call.repository, issue.pull)
    return ok(call.resources.fullPull(call.repository, issue, issue.pull, { commits, files }))
  },

  'pulls/update': async call => {
    const { repository, resources, body } = call
    const issue = findPull(call)
    if (typeof body.title === 'string') issue.title = body.title
    if (typeof body.body === 'string') issue.body = body.body
    if (body.state === 'closed' && issue.state === 'open') repository.closePull(issue.number)
    const { commits, files } = await changesOf(repository, issue.pull)
    return ok(resources.fullPull(repository, issue, issue.pull, { commits, files }))
  },

  'pulls/list-files': async call => {
    const { pull } = findPull(call)
    const { files } = await changesOf(call.repository, pull)
    // GitHub stops at 3000.
    const { items, headers } = paginate(call, files.slice(0, 3000))
    return ok(
      items.map(file => call.resources.file(call.repository, pull.head.sha, file)),
      headers,
    )
  },

  'pulls/list-requested-reviewers': call => {
    const { pull } = findPull(call)
    return ok({ users: pull.reviewers.map(call.resources.user), teams: [] })
  },

  'pulls/list-reviews': call => {
    const issue = findPull(call)
    const { items, headers } = paginate(call, issue.pull.reviews)
    return ok(
      items.map(review => call.resources.review(call.repository, issue, review)),
      headers,
    )
  },

  // The repository of the base does not know which of its pull requests a fork's commit belongs to.
  'repos/list-pull-requests-associated-with-commit': async call => {
    const { repository, resources, path } = call
    const { git } = repository
    const sha = await repository.resolve(String(path.commit_sha))
    if (sha === null) throw notFound()
    const found: PullIssue[] = []
    for (const issue of pullsOf(repository)) {
      const { pull } = issue
      if (pull.head.repository !== repository.name) continue
      const isOwn =
        pull.mergeCommitSha === sha ||
        ((await git.isAncestor(sha, pull.head.sha)) && !(await git.isAncestor(sha, pull.base.sha)))
      if (isOwn && (issue.state === 'open' || pull.mergedAt !== null)) found.push(issue)
    }
    const { items, headers } = paginate(call, found)
    return ok(
      items.map(issue => resources.pull(repository, issue, issue.pull)),
      headers,
    )
  },
}

const pullsOf = (repository: HostedRepository) =>
  [...repository.issues.values()].filter((issue): issue is PullIssue => issue.pull !== null)

function findPull({ repository, path }: Call): PullIssue {
  const found = pullsOf(repository).find(({ number }) => number === path.pull_number)
  if (found === undefined) throw notFound()
  return found
}

/** `owner:branch`; GitHub ignores a filter without an owner and answers all of them. */
function isHead({ head }: Pull, wanted: unknown): boolean {
  if (typeof wanted !== 'string' || !wanted.includes(':')) return true
  return `${head.repository.split('/')[0]}:${head.ref}`.toLowerCase() === wanted.toLowerCase()
}

function sort(all: readonly PullIssue[], query: Call['query']): PullIssue[] {
  const isUpdated = query.sort === 'updated'
  const direction = query.direction ?? (query.sort === undefined || query.sort === 'created' ? 'desc' : 'asc')
  const sign = direction === 'asc' ? 1 : -1
  return all.toSorted((a, b) => {
    const byDate = isUpdated ? a.updatedAt.localeCompare(b.updatedAt) : 0
    return sign * (byDate || a.number - b.number)
  })
}

async function changesOf(
  { git }: HostedRepository,
  { base, head }: Pull,
): Promise<{ commits: number; files: readonly ChangedFile[] }> {
  const comparison = await git.compare(base.sha, head.sha)
  if (comparison === null) return { commits: 0, files: [] }
  return { commits: comparison.aheadBy, files: await git.changedFiles(comparison.mergeBase, head.sha) }
}
