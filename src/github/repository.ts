import type { getOctokit } from '@actions/github'

/** What every family of calls needs. */
export interface Repository {
  readonly octokit: ReturnType<typeof getOctokit>
  readonly owner: string
  readonly repo: string
  /** The token is a person's, not a workflow's. */
  readonly isPersonal: boolean
  /** Ends what is not one of Octokit's calls. */
  readonly signal: AbortSignal
  /** Fetches an address that is not of the API, without credentials and without following redirects. */
  readonly fetchUrl: (url: string, signal: AbortSignal) => Promise<Response>
}
