import {
  type Call,
  created,
  type Handler,
  invalid,
  noContent,
  notFound,
  ok,
  paginate,
  Refusal,
} from '../answers.ts'
import type { Comment, Issue } from '../records.ts'
import { sameName } from '../state.ts'

/** What GitHub's error says. */
const MAX_BODY = 65_536

export const issues: Readonly<Record<string, Handler>> = {
  'issues/get': ({ repository, resources, path }) => {
    const issue = repository.issues.get(Number(path.issue_number))
    if (issue === undefined) throw notFound()
    return ok(resources.issue(repository, issue))
  },

  // Pull requests are issues too.
  'issues/list-for-repo': call => {
    const { repository, resources, query } = call
    const state = query.state ?? 'open'
    const sign = query.direction === 'asc' ? 1 : -1
    const timeOf = (issue: Issue) => (query.sort === 'updated' ? issue.updatedAt : issue.createdAt)
    const wanted = query.labels === undefined ? [] : String(query.labels).split(',')
    const all = [...repository.issues.values()]
      .filter(issue => state === 'all' || issue.state === state)
      .filter(({ author }) => query.creator === undefined || sameName(author, String(query.creator)))
      .filter(({ labels }) => wanted.every(label => labels.some(each => sameName(each, label))))
      .toSorted(
        (one, other) => sign * (timeOf(one).localeCompare(timeOf(other)) || one.number - other.number),
      )
    const { items, headers } = paginate(call, all)
    return ok(
      items.map(issue => resources.issue(repository, issue)),
      headers,
    )
  },

  'issues/update': call => {
    const { repository, resources, body, login } = call
    const issue = repository.issues.get(numberOfIssue(call))!
    if (typeof body.title === 'string') issue.title = body.title
    if (typeof body.body === 'string') issue.body = body.body
    if (body.state === 'closed') repository.closeIssue(issue.number, login)
    if (body.state === 'open') Object.assign(issue, { state: 'open', closedAt: null })
    return ok(resources.issue(repository, issue))
  },

  'issues/list-comments': call => {
    const { repository, resources, query } = call
    const since = Date.parse(String(query.since ?? ''))
    const all = repository
      .commentsOf(numberOfIssue(call))
      .filter(({ updatedAt }) => Number.isNaN(since) || Date.parse(updatedAt) >= since)
    const { items, headers } = paginate(call, all)
    return ok(
      items.map(each => resources.comment(repository, each)),
      headers,
    )
  },

  'issues/list-comments-for-repo': call => {
    const { repository, resources, query } = call
    const since = Date.parse(String(query.since ?? ''))
    const timeOf = (comment: Comment) => (query.sort === 'updated' ? comment.updatedAt : comment.createdAt)
    const all = repository.comments
      .filter(({ updatedAt }) => Number.isNaN(since) || Date.parse(updatedAt) >= since)
      .toSorted((one, other) => timeOf(one).localeCompare(timeOf(other)) || one.id - other.id)
    // Without `sort` GitHub takes no notice of `direction`.
    const isNewestFirst = query.sort !== undefined && query.direction !== 'asc'
    const { items, headers } = paginate(call, isNewestFirst ? all.toReversed() : all)
    return ok(
      items.map(each => resources.comment(repository, each)),
      headers,
    )
  },

  'issues/create-comment': call => {
    const { repository, resources, login } = call
    if (repository.issues.get(numberOfIssue(call))!.locked && login !== repository.owner)
      throw new Refusal(403, 'Unable to create comment because issue is locked.')
    const comment = repository.addComment(numberOfIssue(call), { body: readBody(call), author: login })
    return created(resources.comment(repository, comment))
  },

  'issues/get-comment': call => ok(call.resources.comment(call.repository, findComment(call))),

  // Who may write comments may also change those of others.
  'issues/update-comment': call => {
    const comment = findComment(call)
    comment.body = readBody(call)
    comment.updatedAt = call.clock.now()
    return ok(call.resources.comment(call.repository, comment))
  },

  'issues/delete-comment': call => {
    const { comments } = call.repository
    comments.splice(comments.indexOf(findComment(call)), 1)
    return noContent
  },
}

function numberOfIssue({ repository, path }: Call): number {
  const number = Number(path.issue_number)
  if (!repository.issues.has(number)) throw notFound()
  return number
}

function findComment({ repository, path }: Call): Comment {
  const comment = repository.comments.find(({ id }) => id === path.comment_id)
  if (comment === undefined) throw notFound()
  return comment
}

function readBody({ body }: Call): string {
  const text = String(body.body)
  const refuse = (message: string) => invalid('IssueComment', 'data', 'unprocessable', message)
  if (text.trim() === '') throw refuse('Body cannot be blank')
  // Characters, not UTF-16 units.
  if ([...text].length > MAX_BODY) throw refuse(`Body is too long (maximum is ${MAX_BODY} characters)`)
  return text
}
