import type { GitHub } from '../github/client.ts'
import { GitHubError, isForbidden } from '../github/refusal.ts'

/**
 * Does what is nice to have on GitHub; null when it could not be done. That costs a warning, never the
 * publish. `what` continues "Could not"; a missing permission is warned about once.
 */
export type Courtesy = <T>(
  what: string,
  permission: string,
  work: (github: GitHub) => Promise<T>,
) => Promise<T | null>

export function createCourtesy(github: GitHub | null, warnings: string[]): Courtesy {
  const missing = new Set<string>()
  return async (what, permission, work) => {
    if (missing.has(permission)) return null
    if (github === null) {
      missing.add(permission)
      warnings.push(`Could not ${what}: the input "github-token" is empty.`)
      return null
    }
    try {
      return await work(github)
    } catch (error) {
      const forbidden = isForbidden(error)
      if (forbidden) missing.add(permission)
      warnings.push(
        forbidden
          ? `Could not ${what}: the job's token lacks the permission "${permission}". Add it under "permissions:" of the job.`
          : `Could not ${what}: ${describe(error)}.`,
      )
      return null
    }
  }
}

function describe(error: unknown): string {
  if (!(error instanceof GitHubError)) return (error as Error).message.replace(/\.$/, '')
  return error.status === undefined
    ? `GitHub gave no answer (${error.said.slice(0, 200)})`
    : `GitHub answered ${error.status}`
}
