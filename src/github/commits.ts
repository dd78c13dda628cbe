/** Commits, refs and files as GitHub has them. */
import * as z from 'zod/mini'
import { GitHubError, isForbidden, isNotFound } from './errors.ts'
import type { Repository } from './repository.ts'
import { parseResponse, Sha } from './response.ts'

const Comparison = z.object({
  status: z.enum(['identical', 'ahead', 'behind', 'diverged']),
  merge_base_commit: z.object({ sha: Sha }),
})
type Comparison = z.infer<typeof Comparison>
/** The same response, where its commits are wanted. */
const ComparedCommits = z.object({
  total_commits: z.int(),
  commits: z.array(
    z.object({
      sha: Sha,
      parents: z.array(z.object({ sha: Sha })),
      commit: z.object({ message: z.string() }),
    }),
  ),
})
const COMPARE = 'GET /repos/{owner}/{repo}/compare/{basehead}'
/** GitHub lists no more on a page. */
const COMMITS_PER_PAGE = 100

const ListedCommit = z.object({
  sha: Sha,
  commit: z.object({
    message: z.string(),
    author: z.nullish(z.object({ name: z.nullish(z.string()) })),
    committer: z.nullish(z.object({ date: z.nullish(z.string()) })),
  }),
  /** Null where GitHub knows no account of this address. */
  author: z.nullish(z.object({ login: z.optional(z.string()) })),
})

export interface Commit {
  readonly sha: string
  /** When it was committed, as GitHub writes times; null when GitHub does not report it. */
  readonly at: string | null
  /** First line of the message. */
  readonly title: string
  /** `@ada`; the name that git has where GitHub knows no account. */
  readonly author: string | null
}

const Activity = z.object({ before: Sha })
/** Each costs two requests. */
const MAX_DROPPED = 10

/** A commit of a comparison. */
interface ComparedCommit {
  readonly sha: string
  readonly parents: readonly string[]
  readonly message: string
}

/** The status where a repository has no such ref. */
const NO_SUCH_REF = 422

export function history({ octokit, owner, repo }: Repository) {
  /** First pages by their commits: what is compared once is compared for ever. */
  const asked = new Map<string, Promise<unknown>>()

  async function readPage(basehead: string, page: number): Promise<unknown> {
    const { data } = await octokit.rest.repos.compareCommitsWithBasehead({
      owner,
      repo,
      basehead,
      per_page: COMMITS_PER_PAGE,
      page,
    })
    return data
  }

  function readFirstPage(base: string, head: string): Promise<unknown> {
    const basehead = `${base}...${head}`
    const data = asked.get(basehead) ?? readPage(basehead, 1)
    asked.set(basehead, data)
    data.catch(() => asked.delete(basehead))
    return data
  }

  async function readComparison(base: string, head: string): Promise<Comparison> {
    return parseResponse(Comparison, await readFirstPage(base, head), COMPARE)
  }

  return {
    /**
     * The newest commit of a branch or tag (`refs/heads/main`), `null` when it is gone. Needs `contents: read`; where
     * that is missing GitHub may answer 404, so that is thrown.
     */
    async readHead(ref: string): Promise<string | null> {
      try {
        const { data } = await octokit.rest.repos.getCommit({
          owner,
          repo,
          ref: ref.replace(/^refs\//, ''),
          mediaType: { format: 'sha' },
        })
        // Octokit gives bytes where the response's type does not say that it is text.
        const text: unknown = data
        const sha = text instanceof ArrayBuffer ? Buffer.from(text).toString() : text
        return parseResponse(Sha, sha, 'GET /repos/{owner}/{repo}/commits/{ref}')
      } catch (error) {
        if (error instanceof GitHubError && error.status === NO_SUCH_REF) return null
        throw error
      }
    },

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
        return parseResponse(z.string(), data, 'GET /repos/{owner}/{repo}/contents/{path}')
      } catch (error) {
        if (isNotFound(error)) return null
        throw error
      }
    },

    /**
     * Commits of the default branch, or from another commit on, that changed a file (null = any), the newest first,
     * `most` at most (100 are the most). By the committers' clocks; of a merge those of the branch too. Needs `contents: read`.
     */
    async listCommits(path: string | null, most: number, from: string | null = null): Promise<Commit[]> {
      const { data } = await octokit.rest.repos.listCommits({
        owner,
        repo,
        per_page: most,
        ...(from === null ? {} : { sha: from }),
        ...(path === null ? {} : { path }),
      })
      return parseResponse(z.array(ListedCommit), data, 'GET /repos/{owner}/{repo}/commits').map(
        ({ sha, commit, author }) => ({
          sha,
          at: commit.committer?.date ?? null,
          title: commit.message.split('\n', 1).join(),
          author: author?.login === undefined ? (commit.author?.name ?? null) : `@${author.login}`,
        }),
      )
    },

    /**
     * The heads that force-pushes took off a branch within 90 days, the newest first. None where GitHub does not know the
     * request, as older servers, or refuses it: the branch's own history is worth more than these.
     */
    async listDroppedHeads(branch: string): Promise<string[]> {
      try {
        const { data } = await octokit.rest.repos.listActivities({
          owner,
          repo,
          ref: `refs/heads/${branch}`,
          activity_type: 'force_push',
          time_period: 'quarter',
          per_page: MAX_DROPPED,
        })
        return parseResponse(z.array(Activity), data, 'GET /repos/{owner}/{repo}/activity').map(
          ({ before }) => before,
        )
      } catch (error) {
        if (isNotFound(error) || isForbidden(error)) return []
        throw error
      }
    },

    /**
     * The commits that `head` has and `base` has not, oldest first, and how many they are; of more than two pages the
     * first and the last. Asks nothing anew where the two were compared before. Needs `contents: read`.
     */
    async listChanges(base: string, head: string): Promise<{ commits: ComparedCommit[]; total: number }> {
      const first = parseResponse(ComparedCommits, await readFirstPage(base, head), COMPARE)
      const total = first.total_commits
      const lastPage = Math.ceil(total / COMMITS_PER_PAGE)
      const last =
        lastPage <= 1
          ? []
          : parseResponse(ComparedCommits, await readPage(`${base}...${head}`, lastPage), COMPARE).commits
      const commits = [...first.commits, ...last].map(({ sha, parents, commit }) => ({
        sha,
        parents: parents.map(parent => parent.sha),
        message: commit.message,
      }))
      return { commits, total }
    },

    /** The commit where a branch left `base`; null where they have nothing in common. Needs `contents: read`. */
    async readMergeBase(base: string, head: string): Promise<string | null> {
      try {
        return (await readComparison(base, head)).merge_base_commit.sha
      } catch (error) {
        if (isNotFound(error)) return null
        throw error
      }
    },

    /**
     * How `head` stands to `base` through GitHub's API: an ordinary checkout is shallow and knows one commit
     * only. Needs `contents: read`; null when GitHub does not report it. A commit that is gone (history rewritten) counts as
     * diverged.
     */
    async compare(base: string, head: string): Promise<Comparison['status'] | null> {
      try {
        return (await readComparison(base, head)).status
      } catch (error) {
        return isNotFound(error) ? 'diverged' : null
      }
    },
  }
}
