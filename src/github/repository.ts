/** The repository that every family of requests to GitHub uses. */
import { Octokit } from '@octokit/core'
import { restEndpointMethods } from '@octokit/plugin-rest-endpoint-methods'
import type { Fetch } from './http.ts'

/** Not the toolkit's own: that reads the event while it is loaded, and a broken one would end the process. */
export const RestOctokit = Octokit.plugin(restEndpointMethods)
export type RestOctokit = InstanceType<typeof RestOctokit>

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
  /** Says in the log what failed, before it is tried again. */
  readonly onRetry: (message: string) => void
}
