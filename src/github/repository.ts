/** What every family of requests to GitHub needs. */
import type { RestOctokit } from './client.ts'
import type { Fetch } from './http.ts'

export interface Repository {
  readonly octokit: RestOctokit
  readonly owner: string
  readonly repo: string
  /** The token is a workflow's or another GitHub App's: it cannot ask whom it writes as. */
  readonly isInstallation: boolean
  /** Ends what is not one of Octokit's requests. */
  readonly signal: AbortSignal
  /** For addresses that are not of the API: it sends no credentials. */
  readonly fetch: Fetch
}
