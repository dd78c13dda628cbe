import { getOctokit } from '@actions/github'
import pRetry from 'p-retry'
import { artifacts } from './artifacts.ts'
import { comments } from './comment.ts'
import { deployments } from './deployment.ts'
import { history } from './history.ts'
import { boundedFetch, type Fetch } from './http.ts'
import { pulls } from './pulls.ts'
import { GitHubError, toGitHubError } from './refusal.ts'
import type { Repository } from './repository.ts'

export interface GitHubOptions {
  readonly token: string
  /** `owner/name`. */
  readonly repository: string
  readonly apiUrl: string
  readonly userAgent: string
  readonly fetch: Fetch
}

export type GitHub = ReturnType<typeof connectGitHub>

/** The repository on GitHub. Calls throw `ActionError`, and `GitHubError` where GitHub refused. */
export function connectGitHub({ token, repository, apiUrl, userAgent, fetch }: GitHubOptions) {
  const [owner = '', repo = ''] = repository.split('/')
  const octokit = getOctokit(token, {
    baseUrl: apiUrl,
    userAgent,
    log: silent,
    request: { fetch: boundedFetch(fetch, apiUrl) },
  })
  octokit.hook.wrap('request', (request, options) =>
    pRetry(
      async () => {
        try {
          return await request(options)
        } catch (error) {
          throw toGitHubError(error, `${options.method} ${options.url}`)
        }
      },
      {
        // What may be done twice; a comment or deployment that was made although the answer was lost may not.
        retries: options.method === 'POST' ? 0 : 2,
        minTimeout: 300,
        shouldRetry: ({ error }) => error instanceof GitHubError && (error.status ?? 500) >= 500,
      },
    ),
  )
  const connection: Repository = {
    octokit,
    owner,
    repo,
    isPersonal: /^(ghp_|gho_|github_pat_)/.test(token),
    fetch,
  }
  return {
    ...artifacts(connection),
    ...comments(connection),
    ...deployments(connection),
    ...history(connection),
    ...pulls(connection),
  }
}

const silent = { debug() {}, info() {}, warn() {}, error() {} }
