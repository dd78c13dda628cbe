import type { Repository } from './client.ts'

/** A comment of ours on a pull request. */
export interface OwnComment {
  readonly id: number
  readonly body: string
  readonly url: string
}

export function comments({ octokit, owner, repo }: Repository) {
  /**
   * The comment that begins with this marker and was written by a workflow, through all pages. Text alone
   * proves nothing: anybody can write a marker, and a token that may write comments can change those of people.
   */
  async function findComment(issue: number, marker: string): Promise<OwnComment | null> {
    const pages = octokit.paginate.iterator(octokit.rest.issues.listComments, {
      owner,
      repo,
      issue_number: issue,
      per_page: 100,
    })
    for await (const { data } of pages)
      for (const comment of data)
        if (comment.user?.type === 'Bot' && comment.body?.startsWith(marker))
          return { id: comment.id, body: comment.body, url: comment.html_url }
    return null
  }

  return {
    findComment,

    /** Writes the one comment with this marker: changes it where it is, else makes it. Returns its page. */
    async writeComment(
      issue: number,
      marker: string,
      text: string,
      known?: OwnComment | null,
    ): Promise<OwnComment> {
      const body = `${marker}\n${text}`
      const existing = known === undefined ? await findComment(issue, marker) : known
      if (existing?.body === body) return existing
      if (existing !== null) {
        try {
          const { data } = await octokit.rest.issues.updateComment({
            owner,
            repo,
            comment_id: existing.id,
            body,
          })
          return { id: data.id, body, url: data.html_url }
        } catch (error) {
          // A person deleted it meanwhile.
          if ((error as { status?: number }).status !== 404) throw error
        }
      }
      const { data } = await octokit.rest.issues.createComment({ owner, repo, issue_number: issue, body })
      return { id: data.id, body, url: data.html_url }
    },
  }
}
