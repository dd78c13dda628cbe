import { ActionError } from '../errors.ts'

/** GitHub refused, failed or gave no answer. */
export class GitHubError extends ActionError {
  /** Undefined without an answer. */
  readonly status: number | undefined
  /** GitHub's own words. */
  readonly said: string
  /** Milliseconds after which it may be asked again: too much was asked at once, and nothing was done. */
  readonly retryAfter: number | null

  /** `request` as GitHub's documentation names it: `GET /repos/{owner}/{repo}/pulls`. */
  constructor(
    request: string,
    status: number | undefined,
    said: string,
    retryAfter: number | null,
    cause: unknown,
  ) {
    super(
      status === undefined ? 'github_unreachable' : `github_${status}`,
      status === undefined
        ? `GitHub gave no answer to ${request} (${said.slice(0, 200)}).`
        : `GitHub answered ${status} to ${request}.`,
      { hint: hintFor(status), cause },
    )
    this.status = status
    this.said = said
    this.retryAfter = retryAfter
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
  const { cause, response, message } = error as Error & {
    response?: { status: number; headers?: Record<string, string | undefined> }
  }
  if (error instanceof ActionError) return error
  if (cause instanceof ActionError) return cause
  const seconds = Number(response?.headers?.['retry-after'])
  const isTooMuch = response?.status === 403 || response?.status === 429
  return new GitHubError(
    request,
    response?.status,
    message,
    isTooMuch && seconds > 0 ? seconds * 1000 : null,
    error,
  )
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
