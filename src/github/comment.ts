import * as z from 'zod/mini'
import { parseAnswer, readPages } from './answer.ts'
import { isNotFound } from './refusal.ts'
import type { Repository } from './repository.ts'

/** A comment of ours on a pull request. */
export interface OwnComment {
  readonly id: number
  readonly body: string
  readonly url: string
}

const Written = z.object({ id: z.int(), html_url: z.string() })
const Author = z.object({ login: z.string(), type: z.optional(z.string()) })
const Comment = z.extend(Written, { user: z.nullish(Author), body: z.nullish(z.string()) })

export function comments(connection: Repository) {
  const { octokit, owner, repo, isPersonal } = connection

  /**
   * Whether an author is this token's. Text alone proves nothing: anybody can write a marker, and a token that
   * may write comments can change those of people. A workflow's token writes as a bot and cannot ask its name.
   */
  async function ours(): Promise<(author: z.infer<typeof Author> | null | undefined) => boolean> {
    if (!isPersonal) return author => author?.type === 'Bot'
    const { data } = await octokit.rest.users.getAuthenticated()
    const { login } = parseAnswer(Author, data, 'GET /user')
    return author => author?.login === login
  }

  /** Our comments that begin with this marker, oldest first, through all pages. */
  async function findComments(issue: number, marker: string): Promise<OwnComment[]> {
    const isOurs = await ours()
    const found: OwnComment[] = []
    const route = 'GET /repos/{owner}/{repo}/issues/{issue_number}/comments'
    for await (const page of readPages(connection, route, { issue_number: issue }, Comment))
      for (const { id, user, body, html_url } of page)
        if (isOurs(user) && body?.startsWith(marker)) found.push({ id, body, url: html_url })
    return found
  }

  /**
   * Our oldest comment that begins with this marker, the one that counts; others go. There may be more than one: two
   * runs at once may both find none and write one, and a run may be stopped before it takes its own back.
   */
  async function findComment(issue: number, marker: string): Promise<OwnComment | null> {
    const [first, ...others] = await findComments(issue, marker)
    for (const { id } of others) await deleteComment(id)
    return first ?? null
  }

  async function deleteComment(id: number): Promise<void> {
    try {
      await octokit.rest.issues.deleteComment({ owner, repo, comment_id: id })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }

  return {
    findComments,

    /** Needs `pull-requests: write` where there is more than one, else `read`. */
    findComment,

    /** Null when a person deleted it meanwhile. Needs `pull-requests: write`. */
    async updateComment(id: number, body: string): Promise<OwnComment | null> {
      try {
        const { data } = await octokit.rest.issues.updateComment({ owner, repo, comment_id: id, body })
        return { id, body, url: parseAnswer(Written, data, 'PATCH of a comment').html_url }
      } catch (error) {
        if (isNotFound(error)) return null
        throw error
      }
    },

    /**
     * Writes a new comment. Another run may have written one at the same moment: the comment that counts is returned,
     * and it may hold the other run's text.
     */
    async createComment(issue: number, marker: string, body: string): Promise<OwnComment> {
      const { data } = await octokit.rest.issues.createComment({ owner, repo, issue_number: issue, body })
      const { id, html_url } = parseAnswer(Written, data, 'POST of a comment')
      const made = { id, body, url: html_url }
      return (await findComment(issue, marker)) ?? made
    },
  }
}
