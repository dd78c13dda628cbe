import type { Repository } from './client.ts'

export interface DeploymentRequest {
  /** Commit that is deployed. */
  readonly sha: string
  /** `production`, `preview/pr-12`, … */
  readonly environment: string
  /** Gone some day, as a pull request's environment is. */
  readonly transient: boolean
  readonly description: string
  readonly logUrl: string
}

type State = 'in_progress' | 'success' | 'failure' | 'inactive'

/** GitHub takes 140 characters. */
const LONGEST_DESCRIPTION = 140

export function deployments({ octokit, owner, repo }: Repository) {
  async function setState(
    id: number,
    state: State,
    more: { description?: string; url?: string | null; logUrl?: string } = {},
  ): Promise<void> {
    await octokit.rest.repos.createDeploymentStatus({
      owner,
      repo,
      deployment_id: id,
      state,
      ...(more.description ? { description: more.description.slice(0, LONGEST_DESCRIPTION) } : {}),
      ...(more.url ? { environment_url: more.url } : {}),
      ...(more.logUrl ? { log_url: more.logUrl } : {}),
    })
  }

  return {
    setDeploymentState: setState,

    /** Begins a deployment; checks and merges of the branch are not GitHub's business here. Returns its id. */
    async beginDeployment(request: DeploymentRequest): Promise<number | null> {
      const { data } = await octokit.rest.repos.createDeployment({
        owner,
        repo,
        ref: request.sha,
        environment: request.environment,
        description: request.description.slice(0, LONGEST_DESCRIPTION),
        auto_merge: false,
        required_contexts: [],
        transient_environment: request.transient,
        production_environment: request.environment === 'production',
      })
      if (!('id' in data)) return null
      await setState(data.id, 'in_progress', { logUrl: request.logUrl })
      return data.id
    },

    /** Ends every deployment of an environment. Returns how many there were. */
    async endDeployments(environment: string): Promise<number> {
      const all = await octokit.paginate(octokit.rest.repos.listDeployments, {
        owner,
        repo,
        environment,
        per_page: 100,
      })
      for (const { id } of all) await setState(id, 'inactive')
      return all.length
    },
  }
}
