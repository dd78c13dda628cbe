/** Comments of this action on pull requests and issues. */
import * as z from 'zod/mini'
import { GitHubError, isNotFound } from './errors.ts'
import type { Repository } from './repository.ts'
import { parseResponse, readAll } from './response.ts'

export interface OwnComment {
  readonly id: number
  readonly body: string
  readonly url: string
}

/**
 * The proof in a comment's text. `sealed`: whoever holds the key wrote it, as this very comment. `signed`: the
 * key's holder wrote such a text; a copy of it says the same. `former`: in the form of other keys and former versions.
 * `marked`: it has the marker alone.
 */
export type Proof = 'sealed' | 'signed' | 'former' | 'marked'

/** Whether the key's holder wrote the text. */
export const isProven = (proof: Proof) => proof === 'sealed' || proof === 'signed'

/** How comments of ours are known. */
export interface Mark {
  /** Their beginning. */
  readonly begins: string
  prove(comment: { readonly id: number; readonly body: string }): Proof
}

/** Of 100 comments; a busy repository has thousands a week. */
const MAX_RECENT_PAGES = 10

/** The author of what every workflow of a repository writes. */
const WORKFLOW_BOT = 'github-actions[bot]'

const Author = z.object({ login: z.string() })
const Written = z.object({ id: z.int(), html_url: z.string(), user: z.nullish(Author) })
const Comment = z.extend(Written, { body: z.nullish(z.string()) })
type Comment = z.infer<typeof Comment>
const RepositoryComment = z.extend(Comment, { issue_url: z.string() })

interface FoundComment extends OwnComment {
  readonly author: string | undefined
  readonly proof: Proof
}

export function comments(connection: Repository) {
  const { octokit, owner, repo, isInstallation } = connection
  /** The authors that this token is known to write as. */
  const logins = new Set<string>()
  let asked = false
  // GitHub's list may be older than its answer to a write: what was made here, and what is gone.
  const made = new Map<number, Comment & { readonly issue: number }>()
  const gone = new Set<number>()

  /** Only a person's token can ask; what another wrote as is seen when it has written. */
  async function learnLogin(): Promise<void> {
    if (asked || isInstallation) return
    asked = true
    try {
      const { data } = await octokit.rest.users.getAuthenticated()
      logins.add(parseResponse(Author, data, 'GET /user').login)
    } catch (error) {
      if (!(error instanceof GitHubError) || ![403, 404].includes(error.status ?? 0)) throw error
    }
  }

  /**
   * Whether a comment is ours. Text alone proves nothing, save a seal: anybody can copy it, people and bots, and a
   * token that may write comments can change those of others.
   */
  function isOurs({ proof, author = '' }: FoundComment): boolean {
    if (proof === 'sealed') return true
    if (author === WORKFLOW_BOT) return true
    return proof !== 'marked' && logins.has(author)
  }

  async function keepOurs(written: readonly Comment[], { begins, prove }: Mark): Promise<FoundComment[]> {
    const found = written.flatMap(({ id, user, body, html_url }) =>
      body?.startsWith(begins)
        ? [{ id, body, url: html_url, author: user?.login, proof: prove({ id, body }) }]
        : [],
    )
    if (found.some(({ proof }) => proof !== 'sealed')) await learnLogin()
    return found.filter(isOurs)
  }

  return {
    /** Our comments, the oldest first, through all pages. Needs `pull-requests: read`. */
    async findComments(issue: number, mark: Mark): Promise<OwnComment[]> {
      const route = 'GET /repos/{owner}/{repo}/issues/{issue_number}/comments'
      const listed = await readAll(connection, { route, parameters: { issue_number: issue }, item: Comment })
      const ids = new Set(listed.map(({ id }) => id))
      const unlisted = [...made.values()].filter(each => each.issue === issue && !ids.has(each.id))
      const there = [...listed, ...unlisted].filter(({ id }) => !gone.has(id))
      return (await keepOurs(there, mark)).toSorted((one, other) => one.id - other.id)
    },

    /** Needs `pull-requests: write`. */
    async deleteComment(id: number): Promise<void> {
      try {
        await octokit.rest.issues.deleteComment({ owner, repo, comment_id: id })
      } catch (error) {
        if (!isNotFound(error)) throw error
      }
      gone.add(id)
    },

    /**
     * Our comments in the whole repository that were changed since then, each with the number of its pull request: of
     * all comments the newest 1,000. Needs `pull-requests: read`.
     */
    async listRecentComments(since: Date, mark: Mark): Promise<{ issue: number; body: string }[]> {
      const route = 'GET /repos/{owner}/{repo}/issues/comments'
      const parameters = { sort: 'updated', direction: 'desc', since: since.toISOString() }
      const all = await readAll(connection, {
        route,
        parameters,
        item: RepositoryComment,
        maxPages: MAX_RECENT_PAGES,
      })
      const ours = await keepOurs(all, mark)
      const issues = new Map(all.map(({ id, issue_url }) => [id, Number(/\d+$/.exec(issue_url)?.[0])]))
      return ours.map(({ id, body }) => ({ issue: issues.get(id) ?? 0, body }))
    },

    /** Null when a person deleted it meanwhile. Needs `pull-requests: write`. */
    async updateComment(id: number, body: string): Promise<OwnComment | null> {
      try {
        const { data } = await octokit.rest.issues.updateComment({ owner, repo, comment_id: id, body })
        const own = made.get(id)
        if (own !== undefined) made.set(id, { ...own, body })
        return { id, body, url: parseResponse(Written, data, 'PATCH of a comment').html_url }
      } catch (error) {
        if (!isNotFound(error)) throw error
        gone.add(id)
        return null
      }
    },

    /**
     * Writes a new comment. Another run may have written one at the same moment: `findComments` shows both. Needs
     * `pull-requests: write`.
     */
    async createComment(issue: number, body: string): Promise<OwnComment> {
      const { data } = await octokit.rest.issues.createComment({ owner, repo, issue_number: issue, body })
      const written = parseResponse(Written, data, 'POST of a comment')
      const { id, html_url, user } = written
      if (user) logins.add(user.login)
      made.set(id, { ...written, body, issue })
      return { id, body, url: html_url }
    },
  }
}
