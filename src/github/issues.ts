/** Issues of the repository. */
import * as z from 'zod/mini'
import { isNotFound } from './errors.ts'
import type { Repository } from './repository.ts'
import { parseResponse, readAll } from './response.ts'

/** Of 100 issues: what is older is not looked for. */
const MAX_ISSUE_PAGES = 10

/** Title and body are other people's text; only the body is read. */
export interface Issue {
  readonly number: number
  readonly isOpen: boolean
  /** Null where the account is gone. */
  readonly author: string | null
  /** `OWNER`, `MEMBER`, `COLLABORATOR`, `CONTRIBUTOR`, `NONE`, … */
  readonly association: string
  readonly body: string
  readonly url: string
}

const IssueData = z.object({
  number: z.int(),
  state: z.string(),
  user: z.nullish(z.object({ login: z.string() })),
  author_association: z.string(),
  body: z.nullish(z.string()),
  html_url: z.string(),
  pull_request: z.optional(z.unknown()),
})

export function issues(connection: Repository) {
  const { octokit, owner, repo } = connection
  return {
    /** Null where it does not exist. Needs `issues: read`. */
    async readIssue(number: number): Promise<Issue | null> {
      try {
        const { data } = await octokit.rest.issues.get({ owner, repo, issue_number: number })
        return toIssue(parseResponse(IssueData, data, 'GET /repos/{owner}/{repo}/issues/{issue_number}'))
      } catch (error) {
        if (isNotFound(error)) return null
        throw error
      }
    },

    /**
     * Open issues, without pull requests: of a person the oldest, else the newest; of all open issues and pull requests
     * 1,000 at most. Needs `issues: read`.
     */
    async listOpenIssues(creator: string | null): Promise<Issue[]> {
      const all = await readAll(connection, {
        route: 'GET /repos/{owner}/{repo}/issues',
        parameters: { state: 'open', ...(creator === null ? {} : { creator, direction: 'asc' }) },
        item: IssueData,
        maxPages: MAX_ISSUE_PAGES,
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
    author: data.user?.login ?? null,
    association: data.author_association,
    body: data.body ?? '',
    url: data.html_url,
  }
}
