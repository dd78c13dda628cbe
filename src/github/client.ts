import { getOctokit } from '@actions/github'
import { comments } from './comment.ts'
import { deployments } from './deployment.ts'
import { history } from './history.ts'
import { pulls } from './pulls.ts'

export interface GitHubOptions {
  readonly token: string
  /** `owner/name`. */
  readonly repository: string
  readonly apiUrl: string
  readonly userAgent: string
}

/** What every family of calls needs. */
export interface Repository {
  readonly octokit: ReturnType<typeof getOctokit>
  readonly owner: string
  readonly repo: string
  /** The token is a person's, not a workflow's. */
  readonly isPersonal: boolean
}

export type GitHub = ReturnType<typeof connectGitHub>

/** The repository on GitHub. Calls throw Octokit's errors; `isForbidden` reads them. */
export function connectGitHub({ token, repository, apiUrl, userAgent }: GitHubOptions) {
  const [owner = '', repo = ''] = repository.split('/')
  const octokit = getOctokit(token, { baseUrl: apiUrl, userAgent, log: silent })
  const connection: Repository = { octokit, owner, repo, isPersonal: /^(ghp_|gho_|github_pat_)/.test(token) }
  return { ...comments(connection), ...deployments(connection), ...history(connection), ...pulls(connection) }
}

const silent = { debug() {}, info() {}, warn() {}, error() {} }

/** Whether GitHub refused because the job's token lacks a permission. */
export function isForbidden(error: unknown): boolean {
  const { status, message } = error as { status?: number; message?: string }
  return status === 403 && /not accessible|must have|permission/i.test(message ?? '')
}
