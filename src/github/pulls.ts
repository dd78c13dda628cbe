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
