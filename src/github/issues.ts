/** Issues of the repository. */
import * as z from 'zod/mini'
import { isGone, isNotFound } from './errors.ts'
import { personOf, User } from './people.ts'
import type { Repository } from './repository.ts'
import { parseResponse, readAll } from './response.ts'

/** Of 100 issues: what is older is not looked for. */
const MAX_ISSUE_PAGES = 10

/** Title and body are other people's text; only the body is read. */
export interface Issue {
  readonly number: number
  readonly isOpen: boolean
  /** No GitHub App can write a comment. */
  readonly isLocked: boolean
  /** Null where the account is gone, or is not a person's. */
  readonly author: string | null
  readonly body: string
  readonly labels: readonly string[]
  readonly createdAt: Date
  /** Login; null while it is open, and in lists. */
  readonly closedBy: string | null
}

const IssueData = z.object({
  number: z.int(),
  repository_url: z.string(),
  state: z.string(),
  locked: z.optional(z.boolean()),
  user: z.nullish(User),
  body: z.nullish(z.string()),
  labels: z.array(z.union([z.string(), z.object({ name: z.nullish(z.string()) })])),
  created_at: z.iso.datetime(),
  closed_by: z.nullish(User),
  pull_request: z.optional(z.unknown()),
})

/** The issues that are looked for. */
interface IssueFilter {
  /** Of one person: the 100 that changed last. */
  readonly creator?: string
  /** With this label. */
  readonly label: string | null
  readonly state: 'open' | 'all'
}

export function issues(connection: Repository) {
  const { octokit, owner, repo } = connection
  return {
    /** Null where it does not exist, or not any more. Needs `issues: read`. */
    async readIssue(number: number): Promise<Issue | null> {
      try {
        const { data } = await octokit.rest.issues.get({ owner, repo, issue_number: number })
        const issue = parseResponse(IssueData, data, 'GET /repos/{owner}/{repo}/issues/{issue_number}')
        // GitHub leads from an issue that was transferred to the one in the other repository.
        const isHere = issue.repository_url.toLowerCase().endsWith(`/${owner}/${repo}`.toLowerCase())
        return isHere ? toIssue(issue) : null
      } catch (error) {
        if (isNotFound(error) || isGone(error)) return null
        throw error
      }
    },

    /** Without pull requests, the newest first; of all issues and pull requests 1,000 at most. Needs `issues: read`. */
    async listIssues({ creator, label, state }: IssueFilter): Promise<Issue[]> {
      const all = await readAll(connection, {
        route: 'GET /repos/{owner}/{repo}/issues',
        parameters: {
          state,
          ...(label === null ? {} : { labels: label }),
          ...(creator === undefined ? {} : { creator, sort: 'updated' }),
        },
        item: IssueData,
        maxPages: creator === undefined ? MAX_ISSUE_PAGES : 1,
      })
      return all.filter(each => each.pull_request === undefined).map(toIssue)
    },

    /** Needs `issues: write`. */
    async closeIssue(number: number, reason: 'completed' | 'not_planned'): Promise<void> {
      await octokit.rest.issues.update({
        owner,
        repo,
        issue_number: number,
        state: 'closed',
        state_reason: reason,
      })
    },
  }
}

function toIssue(data: z.infer<typeof IssueData>): Issue {
  return {
    number: data.number,
    isOpen: data.state === 'open',
    isLocked: data.locked === true,
    author: personOf(data.user),
    body: data.body ?? '',
    createdAt: new Date(data.created_at),
    labels: data.labels.flatMap(label => (typeof label === 'string' ? label : label.name) ?? []),
    closedBy: personOf(data.closed_by),
  }
}
