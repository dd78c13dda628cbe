/** GitHub's refusals, as errors of this action. */
import * as z from 'zod/mini'
import { ActionError, untrusted } from '../errors.ts'

interface Refusal {
  /** As GitHub's documentation names it: `GET /repos/{owner}/{repo}/pulls`. */
  readonly request: string
  readonly status: number | undefined
  readonly reason: string
  readonly retryAfter: number | null
  readonly cause: unknown
}

/** GitHub refused, failed or gave no response. */
export class GitHubError extends ActionError {
  /** Undefined without a response. */
  readonly status: number | undefined
  /** GitHub's own words, without an end mark; empty where it said nothing that a person would read. */
  readonly reason: string
  /** Milliseconds after which it may be asked again: too much was asked at once, and nothing was done. */
  readonly retryAfter: number | null

  constructor({ request, status, reason, retryAfter, cause }: Refusal) {
    super(
      status === undefined ? 'github_unreachable' : `github_${status}`,
      status === undefined
        ? `GitHub did not respond to ${request} (${reason}).`
        : `GitHub answered ${status} to ${request}${reason === '' ? '' : `: ${reason}`}.`,
      { hint: hintFor(status, reason), cause },
    )
    this.status = status
    this.reason = reason
    this.retryAfter = retryAfter
  }
}

function hintFor(status: number | undefined, reason: string): string {
  if (status === undefined || status >= 500)
    return 'GitHub is having problems, or the runner cannot reach it. Re-run the job.'
  if (status === 401) return 'The token in "github-token" is not valid. Check that it has not expired.'
  if (status === 429 || isLimit(reason)) return "GitHub's limit of requests is used up. Re-run the job later."
  if (lacksPermission(status, reason))
    return 'The token lacks a permission. Add it under "permissions:" of the job.'
  if (status === 404) return 'Check that "github-token" is a token for this repository.'
  return "GitHub's message names the cause. Correct it, then re-run the job."
}

/** Any error of Octokit's as one of ours. */
export function toGitHubError(error: unknown, request: string): ActionError {
  const { cause, response, message } = error as Error & { response?: Response }
  if (error instanceof ActionError) return error
  if (cause instanceof ActionError) return cause
  const distrusted = response === undefined ? untrusted(error, "GitHub's API") : null
  if (distrusted !== null) return distrusted
  return describeRefusal({ response, message, request, cause: error })
}

interface Response {
  readonly status: number
  readonly headers?: Readonly<Record<string, string | undefined>>
  readonly data?: unknown
}

/** `message`: what is known without a response. */
function describeRefusal({
  response,
  message,
  ...rest
}: Pick<Refusal, 'request' | 'cause'> & {
  readonly response: Response | undefined
  readonly message: string
}): GitHubError {
  const text = response === undefined ? message : messageOf(response.data)
  return new GitHubError({
    ...rest,
    status: response?.status,
    reason: text
      .replace(/\s+/g, ' ')
      .slice(0, MAX_REASON)
      .replace(/[.\s]+$/, ''),
    retryAfter: response === undefined ? null : pauseOf(response, text),
  })
}

interface GraphqlRefusal {
  readonly headers?: Readonly<Record<string, string>>
  readonly errors?: readonly { readonly type?: string; readonly message: string }[]
}

/** A refusal of GitHub's GraphQL API, whose status is 200. Throws what is none. */
export function toGraphqlError(error: unknown): GitHubError {
  const { headers = {}, errors: [first] = [] } = error as GraphqlRefusal
  if (first === undefined) throw error
  const status = first.type === 'RATE_LIMITED' ? 429 : 422
  const response = { status, headers, data: first }
  return describeRefusal({ response, message: '', request: 'POST /graphql', cause: error })
}

/** GitHub's documentation: without a word on when, a minute at least. */
const DEFAULT_PAUSE = 60_000

/** Milliseconds to wait where too much was asked, or the service is not there for a moment; else null. */
function pauseOf({ status, headers = {} }: Response, reason: string): number | null {
  const { 'retry-after': after, 'x-ratelimit-remaining': remaining, 'x-ratelimit-reset': reset } = headers
  const clock = Date.parse(headers.date ?? '') || Date.now()
  const isLimited =
    status === 429 || (status === 403 && (after !== undefined || remaining === '0' || isLimit(reason)))
  if (!isLimited && !(status === 503 && after !== undefined)) return null
  // Seconds, or a date.
  const asked = Number(after) * 1000 || Date.parse(after ?? '') - clock
  if (Number.isFinite(asked)) return Math.max(0, asked)
  const left = remaining === '0' ? Number(reset) * 1000 - clock : Number.NaN
  return Number.isFinite(left) ? Math.max(1000, left) : DEFAULT_PAUSE
}

/** Characters of what GitHub says that are shown. */
const MAX_REASON = 200

const Refused = z.object({
  message: z.string(),
  errors: z.catch(z.array(z.union([z.string(), z.object({ message: z.nullish(z.string()) })])), []),
})

/** "Validation Failed" says nothing: the errors with it do. The page of a proxy is not GitHub's message. */
function messageOf(data: unknown): string {
  const refused = Refused.safeParse(data)
  if (!refused.success) return ''
  const { message, errors } = refused.data
  const details = errors.flatMap(each => (typeof each === 'string' ? each : each.message) ?? [])
  return [message, ...details].join(': ')
}

/** Whether GitHub refused because the job's token lacks a permission, and for no other reason. */
export function isForbidden(error: unknown): error is GitHubError {
  return error instanceof GitHubError && lacksPermission(error.status, error.reason)
}

/**
 * The words of GitHub for a token that lacks a permission. A locked conversation, an archived repository, a limit of
 * requests, single sign-on and allow lists of addresses are 403 as well, and no permission helps.
 */
function lacksPermission(status: number | undefined, reason: string): boolean {
  return status === 403 && /\bnot accessible by\b|\bmust have \w+ (rights|access)\b/i.test(reason)
}

function isLimit(reason: string): boolean {
  return /\brate limit\b|abuse detection/i.test(reason)
}

export function isNotFound(error: unknown): boolean {
  return error instanceof GitHubError && error.status === 404
}

/** Comments of an issue whose conversation somebody locked. */
export function isLocked(error: unknown): boolean {
  return error instanceof GitHubError && error.status === 403 && /\bis locked\b/i.test(error.reason)
}

/** Issues that were deleted, and those of a repository that has none. */
export function isGone(error: unknown): boolean {
  return error instanceof GitHubError && error.status === 410
}
