import type { Repository } from './repository.ts'

type Octokit = Repository['octokit']
/** A pull request as GitHub answers it. */
export type PullAnswer = Awaited<ReturnType<Octokit['rest']['pulls']['list']>>['data'][number]

export function pulls({ octokit, owner, repo }: Repository) {
  return {
    /** Null when there is no such pull request. Needs `pull-requests: read`. */
    async readPull(number: number): Promise<PullAnswer | null> {
      try {
        const { data } = await octokit.rest.pulls.get({ owner, repo, pull_number: number })
        return data as unknown as PullAnswer
      } catch (error) {
        if ((error as { status?: number }).status === 404) return null
        throw error
      }
    },

    /** Every open pull request. Needs `pull-requests: read`. */
    listOpenPulls(): Promise<PullAnswer[]> {
      return octokit.paginate(octokit.rest.pulls.list, { owner, repo, state: 'open', per_page: 100 })
    },

    /** Logins of those who have reviewed a pull request; who is only asked to stands in the pull request itself. */
    async listReviewers(number: number): Promise<string[]> {
      const reviews = await octokit.paginate(octokit.rest.pulls.listReviews, {
        owner,
        repo,
        pull_number: number,
        per_page: 100,
      })
      return [...new Set(reviews.flatMap(({ user }) => user?.login ?? []))]
    },

    /** Open pull requests whose head is this branch of this owner's copy of the repository. */
    async listPullsOfBranch(headOwner: string, headBranch: string): Promise<PullAnswer[]> {
      const { data } = await octokit.rest.pulls.list({
        owner,
        repo,
        state: 'open',
        head: `${headOwner}:${headBranch}`,
        per_page: 100,
      })
      return data
    },
  }
}
