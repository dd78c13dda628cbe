import { ActionError } from '../errors.ts'

/** GitHub refused, failed or gave no answer. */
export class GitHubError extends ActionError {
  /** Undefined without an answer. */
  readonly status: number | undefined
  /** GitHub's own words. */
  readonly said: string

  /** `request` as GitHub's documentation names it: `GET /repos/{owner}/{repo}/pulls`. */
  constructor(request: string, status: number | undefined, said: string, cause: unknown) {
    super(
      status === undefined ? 'github_unreachable' : `github_${status}`,
      status === undefined
        ? `GitHub gave no answer to ${request} (${said.slice(0, 200)}).`
        : `GitHub answered ${status} to ${request}.`,
      { hint: hintFor(status), cause },
    )
    this.status = status
    this.said = said
  }
}

function hintFor(status: number | undefined): string {
  if (status === undefined || status >= 500)
    return 'GitHub has trouble, or cannot be reached. Run the job again.'
  if (status === 401) return 'The input "github-token" is not valid (any more).'
  if (status === 403 || status === 429)
    return 'GitHub\'s limit of requests is used up, or the job\'s token lacks a permission: see "permissions:" in the README.'
  return 'Is "github-token" a token of this repository?'
}

/** Any error of Octokit's as one of ours. */
export function toGitHubError(error: unknown, request: string): ActionError {
  const { cause, response, message } = error as Error & { response?: { status: number } }
  if (error instanceof ActionError) return error
  if (cause instanceof ActionError) return cause
  return new GitHubError(request, response?.status, message, error)
}

/** Whether GitHub refused because the job's token lacks a permission. */
export function isForbidden(error: unknown): boolean {
  return (
    error instanceof GitHubError &&
    error.status === 403 &&
    /not accessible|must have|permission/i.test(error.said)
  )
}

export function isNotFound(error: unknown): boolean {
  return error instanceof GitHubError && error.status === 404
}
