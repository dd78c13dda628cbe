import { getOctokit } from '@actions/github'

/** How `head` stands to `base` in GitHub's eyes; null when it cannot or may not tell. */
export interface History {
  compare(base: string, head: string): Promise<'identical' | 'ahead' | 'behind' | 'diverged' | null>
}

/**
 * The repository's history through GitHub's API: an ordinary checkout is shallow and knows one commit only.
 * Needs `contents: read`. A commit that is gone (history rewritten) counts as diverged.
 */
export function connectHistory(
  token: string,
  repository: string,
  apiUrl: string,
  userAgent: string,
): History {
  const [owner = '', repo = ''] = repository.split('/')
  return {
    async compare(base, head) {
      if (token === '') return null
      const octokit = getOctokit(token, { baseUrl: apiUrl, userAgent, log: silent })
      try {
        const { data } = await octokit.rest.repos.compareCommitsWithBasehead({
          owner,
          repo,
          basehead: `${base}...${head}`,
          per_page: 1,
        })
        return data.status
      } catch (error) {
        return (error as { status?: number }).status === 404 ? 'diverged' : null
      }
    },
  }
}

const silent = { debug() {}, info() {}, warn() {}, error() {} }
