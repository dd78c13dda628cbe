/** Pull requests, and the repositories that they come from. */
import * as z from 'zod/mini'
import { GitHubError, isNotFound } from './errors.ts'
import { personOf, User } from './people.ts'
import type { Repository } from './repository.ts'
import { parseResponse, readAll } from './response.ts'

const Named = z.object({ id: z.int() })
const Review = z.object({ user: z.nullish(User) })

const Repo = z.object({ full_name: z.string() })
const Proposed = z.object({
  created_at: z.iso.datetime(),
  head: z.object({ ref: z.string(), repo: z.nullish(Repo) }),
  base: z.object({ repo: Repo }),
})
const Numbered = z.object({ number: z.int() })

export interface NewPull {
  readonly title: string
  /** Markdown. */
  readonly body: string
  readonly head: string
  readonly base: string
}

/** Pull requests are given as GitHub answers them, unchecked: `toPullRequest` reads them, as those of events. */
export function pulls(connection: Repository) {
  const { octokit, owner, repo } = connection
  const list = (parameters: Readonly<Record<string, string>>): Promise<unknown[]> =>
    readAll(connection, { route: 'GET /repos/{owner}/{repo}/pulls', parameters, item: z.unknown() })

  return {
    /** Null when the pull request does not exist. Needs `pull-requests: read`. */
    async readPull(number: number): Promise<unknown> {
      try {
        const { data } = await octokit.rest.pulls.get({ owner, repo, pull_number: number })
        return data
      } catch (error) {
        if (isNotFound(error)) return null
        throw error
      }
    },

    /**
     * Id of the repository that has this name (`owner/name`), or had it before it was renamed; null where there is none
     * that the token may see.
     */
    async readRepositoryId(name: string): Promise<number | null> {
      const [owner = '', repo = ''] = name.split('/')
      try {
        const { data } = await octokit.rest.repos.get({ owner, repo })
        return parseResponse(Named, data, 'GET /repos/{owner}/{repo}').id
      } catch (error) {
        if (isNotFound(error)) return null
        throw error
      }
    },

    /** Every open pull request. Needs `pull-requests: read`. */
    listOpenPulls(): Promise<unknown[]> {
      return list({ state: 'open' })
    },

    /**
     * Logins of people who have reviewed a pull request, without bots, which review every one of them. Who is only asked
     * to stands in the pull request itself.
     */
    async listReviewers(number: number): Promise<string[]> {
      const route = 'GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews'
      const reviews = await readAll(connection, { route, parameters: { pull_number: number }, item: Review })
      return [...new Set(reviews.flatMap(({ user }) => personOf(user) ?? []))]
    },

    /**
     * Opens a pull request from a branch of this repository; returns its number. `refused` where the setting "Allow GitHub
     * Actions to create and approve pull requests" is off. Needs `pull-requests: write`.
     */
    async createPull(pull: NewPull): Promise<number | 'refused'> {
      try {
        const { data } = await octokit.rest.pulls.create({ owner, repo, ...pull })
        return parseResponse(Numbered, data, 'POST /repos/{owner}/{repo}/pulls').number
      } catch (error) {
        if (error instanceof GitHubError && /not permitted to create/i.test(error.reason)) return 'refused'
        throw error
      }
    },

    /** Needs `pull-requests: write`. */
    async describePull(number: number, text: Pick<NewPull, 'title' | 'body'>): Promise<void> {
      await octokit.rest.pulls.update({ owner, repo, pull_number: number, ...text })
    },

    /** Needs `pull-requests: write`. */
    async closePull(number: number): Promise<void> {
      await octokit.rest.pulls.update({ owner, repo, pull_number: number, state: 'closed' })
    },

    /** Branches of this repository with pull requests opened since then, of the newest 100. Needs `pull-requests: read`. */
    async listProposedBranches(since: Date): Promise<Set<string>> {
      const recent = await readAll(connection, {
        route: 'GET /repos/{owner}/{repo}/pulls',
        parameters: { state: 'all', sort: 'created', direction: 'desc' },
        item: Proposed,
        maxPages: 1,
      })
      const own = recent.filter(
        ({ created_at, head, base }) =>
          new Date(created_at) > since && head.repo?.full_name === base.repo.full_name,
      )
      return new Set(own.map(({ head }) => head.ref))
    },

    /** Open pull requests whose head is this branch of this owner's copy of the repository. */
    listPullsOfBranch(headOwner: string, headBranch: string): Promise<unknown[]> {
      return list({ state: 'open', head: `${headOwner}:${headBranch}` })
    },
  }
}
