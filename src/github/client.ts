import { getOctokit } from '@actions/github'
import pRetry from 'p-retry'
import { artifacts } from './artifacts.ts'
import { comments } from './comment.ts'
import { deployments } from './deployment.ts'
import { history } from './history.ts'
import { pulls } from './pulls.ts'
import type { Repository } from './repository.ts'

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
  readonly fetchUrl: Repository['fetchUrl']
}

export type GitHub = ReturnType<typeof connectGitHub>

/** Milliseconds for one try; GitHub itself gives up after 10 s. */
const TIMEOUT = 30_000

/** The repository on GitHub. Calls throw Octokit's errors (`isForbidden` reads them), and the signal's reason. */
export function connectGitHub({
  token,
  repository,
  apiUrl,
  userAgent,
  redact,
  signal,
  fetchUrl,
}: GitHubOptions) {
  const [owner = '', repo = ''] = repository.split('/')
  const limited = () => AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)])
  const octokit = getOctokit(token, { baseUrl: apiUrl, userAgent, log: silent })
  octokit.hook.before('request', options => {
    for (const name of ['body', 'description'])
      if (typeof options[name] === 'string') options[name] = redact(options[name])
  })
  octokit.hook.wrap('request', (request, options) =>
    pRetry(() => request({ ...options, request: { ...options.request, signal: limited() } }), {
      signal,
      // What may be done twice; a comment or deployment that was made although the answer was lost may not.
      retries: options.method === 'POST' ? 0 : 2,
      minTimeout: 300,
      shouldRetry: ({ error }) => ((error as { status?: number }).status ?? 500) >= 500,
    }).catch((error: unknown) => {
      signal.throwIfAborted()
      throw error
    }),
  )
  const connection: Repository = {
    octokit,
    owner,
    repo,
    isPersonal: /^(ghp_|gho_|github_pat_)/.test(token),
    signal,
    fetchUrl,
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
