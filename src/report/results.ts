/** Builds the results of runs that did nothing or failed. */
import { ActionError } from '../errors.ts'
import { explainSystemError } from '../runtime/system-error.ts'
import { describeEnrolment, type EnrolmentComment } from './enrolment.ts'
import type { EnrolmentResult } from './list-results.ts'
import type { ChannelResult, FailedResult, SkippedResult } from './result.ts'
import type { TestersReport } from './testers.ts'

/** Nothing was to be done. */
export function skippedResult(
  { reason, warnings = [] }: { readonly reason: string; readonly warnings?: readonly string[] },
  testers: TestersReport | null = null,
): SkippedResult {
  return { kind: 'skipped', outcome: 'skipped', reason, testers, warnings }
}

/** Requests of testers that were answered, each with its comment. */
export function enrolmentResult(
  answered: readonly {
    readonly thread: { readonly issue: number; readonly comment: { readonly url: string } | null }
    readonly says: EnrolmentComment
  }[],
  testers: TestersReport | null = null,
): EnrolmentResult {
  const states = new Set(answered.map(({ says }) => says.state))
  const [only, another] = answered
  return {
    kind: 'enrolment',
    outcome:
      states.has('joined') || states.has('left') || states.has('withdrawn')
        ? 'enrolled'
        : states.has('waiting')
          ? 'proposed'
          : answered.length === 0
            ? 'unchanged'
            : 'refused',
    reason:
      answered.map(({ thread, says }) => describeEnrolment(thread.issue, says)).join(' ') ||
      'No request waits for an answer.',
    commentUrl: another === undefined ? (only?.thread.comment?.url ?? null) : null,
    testers,
    warnings: [],
  }
}

/** Any error as a result; one that is not ours is a fault of this action and says so. */
export function failure(
  error: unknown,
  what = 'Run',
  /** The channel as the run left it before. */
  published: ChannelResult | null = null,
): FailedResult {
  const known = error instanceof ActionError ? error : (explainSystemError(error) ?? undefined)
  const hint =
    known === undefined
      ? 'This is a bug in the action. Open an issue with the log of this step.'
      : (known.hint ?? null)
  const done =
    published?.outcome === 'published'
      ? `Bundle ${published.bundle.name} is on channel ${published.channel.name}: this run published it before it failed.`
      : null
  return {
    kind: 'failed',
    published,
    outcome: 'failed',
    what,
    code: known?.code ?? 'internal',
    reason: known?.message ?? `Unexpected error: ${error instanceof Error ? error.message : String(error)}`,
    hint: [done, hint].filter(part => part !== null).join(' ') || null,
    at: known?.at ?? null,
    output: known?.output ?? null,
    problems: known?.problems ?? [],
    warnings: [],
  }
}
