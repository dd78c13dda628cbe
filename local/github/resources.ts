import { commitResources } from './resources/commits.ts'
import { deploymentResources } from './resources/deployments.ts'
import { issueResources } from './resources/issues.ts'
import { repositoryResources } from './resources/repositories.ts'
import { runResources } from './resources/runs.ts'

export type Resources = ReturnType<typeof createResources>

/** What GitHub answers about each thing, in the form that its description gives. `api` and `web` are origins. */
export function createResources(api: string, web: string) {
  const repositories = repositoryResources(api, web)
  return {
    ...repositories,
    ...issueResources(repositories),
    ...commitResources(repositories),
    ...deploymentResources(repositories),
    ...runResources(repositories),
  }
}
