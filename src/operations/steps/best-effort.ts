/** What is nice to have on GitHub: without it the run warns and goes on. */
import type { GitHub } from '../../github/client.ts'
import { GitHubError, isForbidden } from '../../github/errors.ts'
import { COURTESY_ENDS, LAST_WORD_ENDS, type Stop } from '../../runtime/cancellation.ts'

/**
 * Does what is nice to have on GitHub; null when it could not be done. That costs a warning, never the
 * publish. `what` continues "Could not"; what GitHub refuses is warned about once for each permission.
 */
export type Courtesy = <T>(
  what: string,
  permission: string,
  work: (github: GitHub) => Promise<T>,
) => Promise<T | null>

interface Courtesies {
  /** Not begun once the run is stopped: throws its reason. */
  readonly courtesy: Courtesy
  /** What the run says of its own end, however it ended; for some seconds also after it was stopped. */
  readonly lastWord: Courtesy
}

/** What was warned of, so that it is said once: permissions that are missing, and GitHub's other reasons. */
interface Told {
  readonly missing: Set<string>
  readonly reasons: Set<string>
}

/** `connect` makes a connection whose calls end with the signal; null without a token. */
export function createCourtesies(
  connect: ((signal: AbortSignal) => GitHub) | null,
  stop: Stop,
  warnings: string[],
): Courtesies {
  const told: Told = { missing: new Set(), reasons: new Set() }
  // What was begun is seen to its end for a moment: a comment or deployment whose answer is lost cannot be corrected.
  const courtesy = create(connect?.(stop.after(COURTESY_ENDS)) ?? null, told, warnings)
  return {
    courtesy: async (...what) => {
      stop.signal.throwIfAborted()
      const result = await courtesy(...what)
      stop.signal.throwIfAborted()
      return result
    },
    lastWord: create(connect?.(stop.after(LAST_WORD_ENDS)) ?? null, told, warnings),
  }
}

function create(github: GitHub | null, told: Told, warnings: string[]): Courtesy {
  return async (what, permission, work) => {
    if (told.missing.has(permission)) return null
    const warn = (why: string, about = permission) => {
      if (!told.reasons.has(`${about}: ${why}`)) warnings.push(`Could not ${what}: ${why}`)
      told.reasons.add(`${about}: ${why}`)
    }
    if (github === null) {
      told.missing.add(permission)
      warn('the input "github-token" is empty.')
      return null
    }
    try {
      return await work(github)
    } catch (error) {
      if (isForbidden(error)) {
        told.missing.add(permission)
        warn(lacking(permission, error.said))
      } else warn(`${describe(error)}.`, isRefusal(error) ? permission : what)
      return null
    }
  }
}

/** GitHub's decision, which the next attempt meets again. */
function isRefusal(error: unknown): boolean {
  return error instanceof GitHubError && (error.status ?? 500) < 500
}

function lacking(permission: string, said: string): string {
  const [who, where] = /personal access token/i.test(said)
    ? ['the token in "github-token"', 'Add it to the token']
    : ["the job's token", 'Add it under "permissions:" of the job']
  return `${who} lacks the permission "${permission}". ${where}. GitHub says: ${said}.`
}

function describe(error: unknown): string {
  if (!(error instanceof GitHubError)) return (error as Error).message.replace(/\.$/, '')
  const { status, said } = error
  if (status === undefined) return `GitHub gave no answer (${said})`
  return `GitHub answered ${status}${said === '' ? '' : `: ${said}`}`
}
