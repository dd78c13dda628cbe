/** Nice-to-have requests to GitHub: where one fails, the run warns and continues. */
import type { BestEffort } from '../../context.ts'
import type { GitHub } from '../../github/client.ts'
import { GitHubError, isForbidden } from '../../github/errors.ts'
import { BEST_EFFORT_GRACE, type Cancellation, FINAL_UPDATE_GRACE } from '../../runtime/cancellation.ts'

interface BestEfforts {
  /** Not begun once the run is stopped: throws its reason. */
  readonly bestEffort: BestEffort
  /** Requests about the end of the run, however it ended; for some seconds also after it was stopped. */
  readonly finalUpdate: BestEffort
}

/** Warnings that were given, so that each is given once: permissions that are missing, and GitHub's other reasons. */
interface GivenWarnings {
  readonly missing: Set<string>
  readonly reasons: Set<string>
}

/** `connect` makes a connection whose calls end with the signal; null without a token. */
export function createBestEfforts(
  connect: ((signal: AbortSignal) => GitHub) | null,
  stop: Cancellation,
  warnings: string[],
): BestEfforts {
  const given: GivenWarnings = { missing: new Set(), reasons: new Set() }
  // Requests already sent get a short grace period: a comment or deployment whose answer is lost cannot be corrected.
  const bestEffort = create(connect?.(stop.after(BEST_EFFORT_GRACE)) ?? null, given, warnings)
  return {
    bestEffort: async (...what) => {
      stop.signal.throwIfAborted()
      const result = await bestEffort(...what)
      stop.signal.throwIfAborted()
      return result
    },
    finalUpdate: create(connect?.(stop.after(FINAL_UPDATE_GRACE)) ?? null, given, warnings),
  }
}

function create(github: GitHub | null, given: GivenWarnings, warnings: string[]): BestEffort {
  return async (what, permission, work) => {
    if (given.missing.has(permission)) return null
    const warn = (why: string, about = permission) => {
      if (!given.reasons.has(`${about}: ${why}`)) warnings.push(`Could not ${what}: ${why}`)
      given.reasons.add(`${about}: ${why}`)
    }
    if (github === null) {
      given.missing.add(permission)
      warn('the input "github-token" is empty.')
      return null
    }
    try {
      return await work(github)
    } catch (error) {
      if (isForbidden(error)) {
        given.missing.add(permission)
        warn(lacking(permission, error.reason))
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
  const { status, reason: said } = error
  if (status === undefined) return `GitHub did not respond (${said})`
  return `GitHub answered ${status}${said === '' ? '' : `: ${said}`}`
}
