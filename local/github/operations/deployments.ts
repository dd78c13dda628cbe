import {
  type Call,
  created,
  type Handler,
  invalid,
  noContent,
  notFound,
  ok,
  paginate,
  Refusal,
} from '../answers.ts'
import type { Deployment, DeploymentStatus, Environment } from '../records.ts'
import { sameName } from '../state.ts'

const MAX_DESCRIPTION = 140

export const deployments: Readonly<Record<string, Handler>> = {
  'repos/list-deployments': call => {
    const { repository, resources, query } = call
    const all = repository.deployments
      .filter(({ sha, ref, task }) => fits(query.sha, sha) && fits(query.ref, ref) && fits(query.task, task))
      .filter(
        ({ environment }) =>
          query.environment === undefined || sameName(environment, String(query.environment)),
      )
    const { items, headers } = paginate(call, all.toReversed())
    return ok(
      items.map(each => resources.deployment(repository, each)),
      headers,
    )
  },

  'repos/create-deployment': async call => {
    const { repository, resources, body, clock, login } = call
    const ref = String(body.ref)
    const sha = await repository.resolve(ref)
    if (sha === null) throw new Refusal(422, `No ref found for: ${ref}`)
    // By default GitHub merges the default branch in, and waits for every check: one is the job that asks.
    if (body.auto_merge !== false && (await isBehindDefault(call, ref, sha)))
      return {
        status: 202,
        json: { message: `Auto-merged ${repository.defaultBranch} into ${ref} on deployment.` },
      }
    if (body.required_contexts === undefined)
      throw new Refusal(409, `Conflict: Commit status checks failed for ${ref}.`)
    const environment = String(body.environment ?? 'production')
    repository.environment(environment)
    const now = clock.now()
    const deployment: Deployment = {
      id: clock.nextId(),
      sha,
      ref,
      task: String(body.task ?? 'deploy'),
      environment,
      description: (body.description as string | null | undefined) ?? null,
      payload: body.payload ?? {},
      transient: body.transient_environment === true,
      production: (body.production_environment as boolean | undefined) ?? environment === 'production',
      creator: login,
      createdAt: now,
      updatedAt: now,
      statuses: [],
    }
    repository.deployments.push(deployment)
    return created(resources.deployment(repository, deployment))
  },

  'repos/get-deployment': call => ok(call.resources.deployment(call.repository, findDeployment(call))),

  'repos/delete-deployment': call => {
    const { deployments: all } = call.repository
    const deployment = findDeployment(call)
    const isOnly = all.filter(({ environment }) => sameName(environment, deployment.environment)).length === 1
    if (deployment.statuses.at(-1)?.state !== 'inactive' && !isOnly)
      throw new Refusal(422, 'Validation Failed', {
        errors: [
          'We cannot delete an active deployment unless it is the only deployment in a given environment.',
        ],
      })
    all.splice(all.indexOf(deployment), 1)
    return noContent
  },

  'repos/list-deployment-statuses': call => {
    const deployment = findDeployment(call)
    const { items, headers } = paginate(call, deployment.statuses.toReversed())
    return ok(
      items.map(each => call.resources.deploymentStatus(call.repository, deployment, each)),
      headers,
    )
  },

  'repos/create-deployment-status': call => {
    const { repository, resources, body, clock, login } = call
    const deployment = findDeployment(call)
    const text = (name: string) => String(body[name] ?? '')
    if ([...text('description')].length > MAX_DESCRIPTION)
      throw invalid(
        'DeploymentStatus',
        'description',
        'custom',
        `description is too long (maximum is ${MAX_DESCRIPTION} characters)`,
      )
    for (const field of ['target_url', 'log_url', 'environment_url'])
      if (text(field) !== '' && !/^https?:\/\/[^/]/.test(text(field)))
        throw invalid('DeploymentStatus', field, 'custom', `${field} must use http(s) scheme`)
    const environment = body.environment === undefined ? deployment.environment : text('environment')
    const status: DeploymentStatus = {
      id: clock.nextId(),
      state: body.state as DeploymentStatus['state'],
      description: text('description'),
      environment,
      environmentUrl: text('environment_url'),
      logUrl: text('log_url') || text('target_url'),
      creator: login,
      createdAt: clock.now(),
    }
    deployment.environment = environment
    deployment.statuses.push(status)
    deployment.updatedAt = status.createdAt
    repository.environment(environment)
    if (status.state === 'success' && body.auto_inactive !== false) endOlder(call, deployment)
    return created(resources.deploymentStatus(repository, deployment, status))
  },

  'repos/get-environment': call => ok(call.resources.environment(call.repository, findEnvironment(call))),

  'repos/create-or-update-environment': ({ repository, resources, path, body, clock }) => {
    const environment = repository.environment(String(path.environment_name))
    environment.waitTimer = Number(body.wait_timer ?? 0)
    environment.updatedAt = clock.now()
    return ok(resources.environment(repository, environment))
  },

  'repos/delete-an-environment': call => {
    const { environments } = call.repository
    environments.splice(environments.indexOf(findEnvironment(call)), 1)
    return noContent
  },
}

const fits = (wanted: unknown, value: string) => wanted === undefined || wanted === 'none' || wanted === value

async function isBehindDefault({ repository }: Call, ref: string, sha: string): Promise<boolean> {
  // Only a branch can be merged into.
  if ((await repository.git.resolve(`refs/heads/${ref}`)) === null) return false
  const main = await repository.resolve(repository.defaultBranch)
  return main !== null && !(await repository.git.isAncestor(main, sha))
}

/** A success ends those before it in the same environment, save transient and production ones. */
function endOlder({ repository, clock, login }: Call, newest: Deployment): void {
  for (const deployment of repository.deployments) {
    const isOlder = deployment.id < newest.id && sameName(deployment.environment, newest.environment)
    const isSuccess = deployment.statuses.at(-1)?.state === 'success'
    if (!isOlder || !isSuccess || deployment.transient || deployment.production) continue
    deployment.statuses.push({
      id: clock.nextId(),
      state: 'inactive',
      description: '',
      environment: deployment.environment,
      environmentUrl: '',
      logUrl: '',
      creator: login,
      createdAt: clock.now(),
    })
  }
}

function findDeployment({ repository, path }: Call): Deployment {
  const deployment = repository.deployments.find(({ id }) => id === path.deployment_id)
  if (deployment === undefined) throw notFound()
  return deployment
}

function findEnvironment({ repository, path }: Call): Environment {
  const environment = repository.environments.find(({ name }) =>
    sameName(name, String(path.environment_name)),
  )
  if (environment === undefined) throw notFound()
  return environment
}
