import * as z from 'zod/mini'
import { parseAnswer, readAll } from './answer.ts'
import type { Repository } from './repository.ts'

export interface DeploymentRequest {
  /** Commit that is deployed. */
  readonly sha: string
  /** `production`, `apps/rider/preview/pr-12`, … */
  readonly environment: string
  /** Gone some day, as a pull request's environment is. */
  readonly transient: boolean
  readonly production: boolean
  readonly description: string
  /** The app on Capgo that is deployed: told again by `readDeployedApps`. */
  readonly appId: string
  /** Page of the workflow run. */
  readonly logUrl: string
}

export type DeploymentState = 'in_progress' | 'success' | 'failure' | 'inactive'

/** GitHub takes 140 characters. */
const LONGEST_DESCRIPTION = 140
/** A success does not retire older deployments of a transient environment; so many of them are looked at. */
const RETIRED_AT_ONCE = 5
const Deployment = z.object({ id: z.int() })
const Status = z.object({ state: z.string() })
/** Of a deployment of ours; others put there what they like, GitHub's own as a text. */
const Deployed = z.object({ payload: z.catch(z.object({ app: z.nullable(z.string()) }), { app: null }) })
const LIST = 'GET /repos/{owner}/{repo}/deployments'

export function deployments(connection: Repository) {
  const { octokit, owner, repo } = connection

  async function setState(
    id: number,
    state: DeploymentState,
    more: { readonly url?: string | null; readonly logUrl?: string } = {},
  ): Promise<void> {
    const { data } = await octokit.rest.repos.createDeploymentStatus({
      owner,
      repo,
      deployment_id: id,
      state,
      ...(more.url ? { environment_url: more.url } : {}),
      ...(more.logUrl ? { log_url: more.logUrl } : {}),
    })
    parseAnswer(Status, data, 'POST of a deployment status')
  }

  async function isInactive(id: number): Promise<boolean> {
    const { data } = await octokit.rest.repos.listDeploymentStatuses({
      owner,
      repo,
      deployment_id: id,
      per_page: 1,
    })
    return parseAnswer(z.array(Status), data, 'GET of deployment statuses')[0]?.state === 'inactive'
  }

  return {
    setDeploymentState: setState,

    /**
     * Begins a deployment; checks and merges of the branch are not GitHub's business here. Returns its id, null
     * when GitHub made none. Needs `deployments: write`.
     */
    async beginDeployment(request: DeploymentRequest): Promise<number | null> {
      const { data } = await octokit.rest.repos.createDeployment({
        owner,
        repo,
        ref: request.sha,
        environment: request.environment,
        description: request.description.slice(0, LONGEST_DESCRIPTION),
        auto_merge: false,
        required_contexts: [],
        payload: { app: request.appId },
        transient_environment: request.transient,
        production_environment: request.production,
      })
      const { id } = parseAnswer(z.partial(Deployment), data, 'POST /repos/{owner}/{repo}/deployments')
      if (id === undefined) return null
      await setState(id, 'in_progress', { logUrl: request.logUrl })
      return id
    },

    /** Sets the deployments before this one of a transient environment to inactive. */
    async retireDeployments(environment: string, newest: number): Promise<void> {
      const { data } = await octokit.rest.repos.listDeployments({
        owner,
        repo,
        environment,
        per_page: RETIRED_AT_ONCE + 1,
      })
      const found = parseAnswer(z.array(Deployment), data, LIST)
      await Promise.all(found.filter(({ id }) => id < newest).map(({ id }) => setState(id, 'inactive')))
    },

    /** Sets every deployment of an environment to inactive that is not so yet. Returns how many there were. */
    async endDeployments(environment: string): Promise<number> {
      const all = await readAll(connection, LIST, { environment }, Deployment)
      let ended = 0
      for (const { id } of all)
        if (!(await isInactive(id))) {
          await setState(id, 'inactive')
          ended++
        }
      return ended
    },

    /** Ids of the apps that were deployed to an environment, as far as its deployments tell. */
    async readDeployedApps(environment: string): Promise<string[]> {
      const all = await readAll(connection, LIST, { environment }, Deployed)
      return [...new Set(all.flatMap(({ payload }) => payload.app ?? []))]
    },
  }
}
