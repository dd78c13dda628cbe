// Deployments and environments as GitHub's API describes them.

import type { Deployment, DeploymentStatus, Environment } from '../records.ts'
import type { HostedRepository } from '../state.ts'
import { type Json, nodeId, type RepositoryResources } from './repositories.ts'

export function deploymentResources({ apiOf, webOf, user, app }: RepositoryResources) {
  return {
    deployment(hosted: HostedRepository, deployment: Deployment): Json {
      const url = `${apiOf(hosted.name)}/deployments/${deployment.id}`
      return {
        url,
        id: deployment.id,
        node_id: nodeId('DE', deployment.id),
        task: deployment.task,
        original_environment: deployment.environment,
        environment: deployment.environment,
        description: deployment.description,
        created_at: deployment.createdAt,
        updated_at: deployment.updatedAt,
        statuses_url: `${url}/statuses`,
        repository_url: apiOf(hosted.name),
        creator: user(deployment.creator),
        sha: deployment.sha,
        ref: deployment.ref,
        payload: deployment.payload,
        transient_environment: deployment.transient,
        production_environment: deployment.production,
        performed_via_github_app: app(deployment.creator),
      }
    },

    deploymentStatus(hosted: HostedRepository, { id }: Deployment, status: DeploymentStatus): Json {
      const url = `${apiOf(hosted.name)}/deployments/${id}`
      return {
        url: `${url}/statuses/${status.id}`,
        id: status.id,
        node_id: nodeId('DES', status.id),
        state: status.state,
        creator: user(status.creator),
        description: status.description,
        environment: status.environment,
        target_url: status.logUrl,
        created_at: status.createdAt,
        updated_at: status.createdAt,
        deployment_url: url,
        repository_url: apiOf(hosted.name),
        environment_url: status.environmentUrl,
        log_url: status.logUrl,
        performed_via_github_app: app(status.creator),
      }
    },

    environment(hosted: HostedRepository, environment: Environment): Json {
      const name = encodeURIComponent(environment.name)
      return {
        id: environment.id,
        node_id: nodeId('EN', environment.id),
        name: environment.name,
        url: `${apiOf(hosted.name)}/environments/${name}`,
        html_url: `${webOf(hosted.name)}/deployments/activity_log?environments_filter=${name}`,
        created_at: environment.createdAt,
        updated_at: environment.updatedAt,
        protection_rules:
          environment.waitTimer === 0
            ? []
            : [
                {
                  id: environment.id,
                  node_id: nodeId('GA', environment.id),
                  type: 'wait_timer',
                  wait_timer: environment.waitTimer,
                },
              ],
        deployment_branch_policy: null,
      }
    },
  }
}
