/** The client for one repository on GitHub. */
import { setTimeout as passTime } from 'node:timers/promises'
import { describeRetry } from '../runtime/retry.ts'
import { artifacts } from './artifacts.ts'
import { branches } from './branches.ts'
import { comments } from './comments.ts'
import { history } from './commits.ts'
import { deployments } from './deployments.ts'
import { GitHubError, toGitHubError } from './errors.ts'
import { boundedFetch, type Fetch } from './http.ts'
import { issues } from './issues.ts'
import { pulls } from './pulls.ts'
import { type Repository, RestOctokit } from './repository.ts'
import { runs } from './runs.ts'

export interface GitHubOptions {
  readonly token: string
  /** `owner/name`. */
  readonly repository: string
  readonly apiUrl: string
  readonly userAgent: string
  /** GitHub masks no comment and no deployment. */
  readonly redact: (text: string) => string
  /** Ends every call with its reason. */
  readonly signal: AbortSignal
  readonly fetch: Fetch
  /** Says in the log what failed, before each pause. */
  readonly onRetry?: (message: string) => void
  /** First pause between two tries in milliseconds; doubles. */
  readonly firstPause?: number
  /** Milliseconds until a write that was under way has arrived, and every reader sees it. */
  readonly settling?: number
  /** Passes so many milliseconds, less when the signal is aborted. */
  readonly sleep?: (ms: number) => Promise<void>
}

const MAX_ATTEMPTS = 3
const FIRST_PAUSE = 300
const SETTLING = 1_500
/** A GitHub that asks for a longer pause than this is not waited for: a comment is not worth it. */
const MAX_RETRY_AFTER = 60_000

export type GitHub = ReturnType<typeof connectGitHub>

/** The repository on GitHub. Calls throw `ActionError`, `GitHubError` where GitHub refused, and the signal's reason. */
export function connectGitHub({
  token,
  repository,
  apiUrl,
  userAgent,
  redact,
  signal,
  fetch,
  onRetry = () => {},
  firstPause = FIRST_PAUSE,
  settling = SETTLING,
  sleep = ms => passTime(ms, undefined, { signal }).catch(() => {}),
}: GitHubOptions) {
  const [owner = '', repo = ''] = repository.split('/')
  const octokit = new RestOctokit({
    auth: token,
    baseUrl: apiUrl,
    userAgent,
    log: silent,
    request: { fetch: boundedFetch(fetch, apiUrl, signal) },
  })
  octokit.hook.before('request', options => {
    for (const name of ['body', 'description'])
      if (typeof options[name] === 'string') options[name] = redact(options[name])
  })
  octokit.hook.wrap('request', async (request, options) => {
    for (let attempts = 1; ; attempts++) {
      signal.throwIfAborted()
      try {
        return await request(options)
      } catch (error) {
        signal.throwIfAborted()
        const failure = toGitHubError(error, `${options.method} ${options.url}`)
        const pause = failure instanceof GitHubError ? pauseAfter(failure, options.method) : null
        if (pause === null || attempts >= MAX_ATTEMPTS) throw failure
        const milliseconds = pause === 'short' ? firstPause * 2 ** (attempts - 1) : pause
        onRetry(describeRetry(failure.message, milliseconds, [attempts + 1, MAX_ATTEMPTS]))
        await sleep(milliseconds)
      }
    }
  })
  const connection: Repository = {
    octokit,
    owner,
    repo,
    isInstallation: token.startsWith('ghs_'),
    signal,
    fetch,
    onRetry,
  }
  return {
    ...artifacts(connection),
    ...branches(connection),
    ...comments(connection),
    ...deployments(connection),
    ...history(connection),
    ...issues(connection),
    ...pulls(connection),
    ...runs(connection),
    /** Waits until writes of others that were under way have arrived; not always as long, so that two runs part. */
    settle: () => sleep(settling * (1 + Math.random() / 2)),
  }
}

/** Milliseconds before another attempt, as long as GitHub asks for; null where there is none. */
function pauseAfter({ retryAfter, status = 500 }: GitHubError, method: string): number | 'short' | null {
  if (retryAfter !== null) return retryAfter > MAX_RETRY_AFTER ? null : retryAfter
  // Requests that can be repeated. A POST cannot: it may have worked although its response was lost.
  return method !== 'POST' && (status >= 500 || status === 408) ? 'short' : null
}

const silent = { debug() {}, info() {}, warn() {}, error() {} }
