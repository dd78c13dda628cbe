/** Deployments of this action. */
import * as z from 'zod/mini'
import type { Repository } from './repository.ts'
import { parseResponse, readAll } from './response.ts'

export interface DeploymentRequest {
  readonly appId: string
  /** Commit that is deployed. */
  readonly sha: string
  /** `production`, `apps/rider/preview/pr-12`, … */
  readonly environment: string
  /** Gone some day, as a pull request's environment is. */
  readonly transient: boolean
  readonly production: boolean
  readonly channel: string
  /** The titles of the changes, for as many characters as there is room. */
  readonly changes?: (room: number) => string
  /** Page of the workflow run. */
  readonly logUrl: string
}

export type DeploymentState = 'in_progress' | 'success' | 'failure' | 'inactive'

/** GitHub takes 140 characters. */
const MAX_DESCRIPTION = 140
/** So many of the deployments before a new one are looked at. */
const MAX_RETIRED = 5
/** The beginning of the description; former versions wrote nothing else by which theirs are known. */
const DESCRIPTION = 'Capgo channel '
/** In the payload, beside the app's id. */
const MADE_BY = 'capgo-publish-action'
const Deployment = z.object({
  id: z.int(),
  /** GitHub gives an object or a text, as it was sent. */
  payload: z.optional(z.unknown()),
  description: z.nullish(z.string()),
})
const Payload = z.object({ by: z.literal(MADE_BY), app: z.string() })
const Status = z.object({ state: z.string() })
const LIST = 'GET /repos/{owner}/{repo}/deployments'

export function deployments(connection: Repository) {
  const { octokit, owner, repo } = connection

  const list = (environment: string) =>
    readAll(connection, { route: LIST, parameters: { environment }, item: Deployment })

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
      // By default a success ends those before it in the environment, whoever made them.
      auto_inactive: false,
      ...(more.url ? { environment_url: more.url } : {}),
      ...(more.logUrl ? { log_url: more.logUrl } : {}),
    })
    parseResponse(Status, data, 'POST of a deployment status')
  }

  async function isInactive(id: number): Promise<boolean> {
    const { data } = await octokit.rest.repos.listDeploymentStatuses({
      owner,
      repo,
      deployment_id: id,
      per_page: 1,
    })
    return parseResponse(z.array(Status), data, 'GET of deployment statuses')[0]?.state === 'inactive'
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
        description: describe(request),
        payload: { by: MADE_BY, app: request.appId },
        auto_merge: false,
        required_contexts: [],
        transient_environment: request.transient,
        production_environment: request.production,
      })
      const { id } = parseResponse(z.partial(Deployment), data, 'POST /repos/{owner}/{repo}/deployments')
      if (id === undefined) return null
      await setState(id, 'in_progress', { logUrl: request.logUrl })
      return id
    },

    /** Sets the app's deployments before this one to inactive; those of others in the environment stay. */
    async retireDeployments(environment: string, appId: string, newest: number): Promise<void> {
      const { data } = await octokit.rest.repos.listDeployments({
        owner,
        repo,
        environment,
        per_page: MAX_RETIRED + 1,
      })
      const found = parseResponse(z.array(Deployment), data, LIST).filter(isOf(appId))
      await Promise.all(found.filter(({ id }) => id < newest).map(({ id }) => setState(id, 'inactive')))
    },

    /** Sets every deployment of the app in an environment to inactive that is not so yet. Returns how many there were. */
    async endDeployments(environment: string, appId: string): Promise<number> {
      const all = (await list(environment)).filter(isOf(appId))
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
      const all = await list(environment)
      return [...new Set(all.flatMap(each => appOf(each) ?? []))]
    },
  }
}

function describe({ channel, changes = () => '' }: DeploymentRequest): string {
  const where = `${DESCRIPTION}${channel}`.slice(0, MAX_DESCRIPTION)
  const what = changes(MAX_DESCRIPTION - where.length - 2)
  return what === '' ? where : `${where}: ${what}`
}

/** Null where another made the deployment, or a former version of this action. */
function appOf({ payload }: z.infer<typeof Deployment>): string | null {
  return Payload.safeParse(payload).data?.app ?? null
}

/** Whether a deployment is of this app, or a former version's, which named none. */
function isOf(appId: string): (deployment: z.infer<typeof Deployment>) => boolean {
  return deployment => {
    const app = appOf(deployment)
    return app === null ? (deployment.description ?? '').startsWith(DESCRIPTION) : app === appId
  }
}
