import type { GitHub } from '../github/client.ts'
import { GitHubError, isForbidden } from '../github/refusal.ts'
import { COURTESY_ENDS, LAST_WORD_ENDS, type Stop } from '../stop.ts'

/**
 * Does what is nice to have on GitHub; null when it could not be done. That costs a warning, never the
 * publish. `what` continues "Could not"; a missing permission is warned about once.
 */
export type Courtesy = <T>(
  what: string,
  permission: string,
  work: (github: GitHub) => Promise<T>,
) => Promise<T | null>

export interface Courtesies {
  /** Not begun once the run is stopped: throws its reason. */
  readonly courtesy: Courtesy
  /** What the run says of its own end, however it ended; for some seconds also after it was stopped. */
  readonly lastWord: Courtesy
}

/** `connect` makes a connection whose calls end with the signal; null without a token. */
export function createCourtesies(
  connect: ((signal: AbortSignal) => GitHub) | null,
  stop: Stop,
  warnings: string[],
): Courtesies {
  const missing = new Set<string>()
  // What was begun is seen to its end for a moment: a comment or deployment whose answer is lost cannot be corrected.
  const courtesy = create(connect?.(stop.after(COURTESY_ENDS)) ?? null, missing, warnings)
  return {
    courtesy: async (...what) => {
      stop.signal.throwIfAborted()
      const result = await courtesy(...what)
      stop.signal.throwIfAborted()
      return result
    },
    lastWord: create(connect?.(stop.after(LAST_WORD_ENDS)) ?? null, missing, warnings),
  }
}

function create(github: GitHub | null, missing: Set<string>, warnings: string[]): Courtesy {
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
