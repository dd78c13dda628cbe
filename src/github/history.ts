import type { Repository } from './repository.ts'

export function history({ octokit, owner, repo }: Repository) {
  return {
    /** A file's text at a commit or branch (null = the default branch); null where there is none. Needs `contents: read`. */
    async readFile(path: string, ref: string | null): Promise<string | null> {
      try {
        const { data } = await octokit.rest.repos.getContent({
          owner,
          repo,
          path,
          ...(ref === null ? {} : { ref }),
          mediaType: { format: 'raw' },
        })
        return data as unknown as string
      } catch (error) {
        if ((error as { status?: number }).status === 404) return null
        throw error
      }
    },

    /** The commit where a branch left `base`; null where they have nothing in common. Needs `contents: read`. */
    async readMergeBase(base: string, head: string): Promise<string | null> {
      try {
        const { data } = await octokit.rest.repos.compareCommitsWithBasehead({
          owner,
          repo,
          basehead: `${base}...${head}`,
          per_page: 1,
        })
        return data.merge_base_commit.sha
      } catch (error) {
        if ((error as { status?: number }).status === 404) return null
        throw error
      }
    },

    /**
     * How `head` stands to `base` through GitHub's API: an ordinary checkout is shallow and knows one commit
     * only. Needs `contents: read`; null when GitHub cannot or may not tell. A commit that is gone (history
     * rewritten) counts as diverged.
     */
    async compare(base: string, head: string): Promise<'identical' | 'ahead' | 'behind' | 'diverged' | null> {
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
