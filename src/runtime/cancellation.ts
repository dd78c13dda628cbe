/** How a run ends before its work is done: cancelled, or its time is up. */
import type { ErrorCode } from '../error-codes.ts'
import { CancelledError } from '../errors.ts'

export interface Cancellation {
  /** Aborted when no work may continue or begin. Its reason is the error that the run fails with. */
  readonly signal: AbortSignal
  /** A signal that is aborted so many milliseconds after `signal`. */
  after(ms: number): AbortSignal
  /** The run's current work, for the message: the title of a group in the log. */
  begin(step: string): void
  /** Stops the run in so many minutes (input `timeout`). */
  limit(minutes: number): void
  /** Stops the run now, because of a signal of the operating system. The first reason counts. */
  cancel(signal: NodeJS.Signals): void
}

/**
 * Milliseconds after the stop. GitHub's runner sends SIGINT, SIGTERM 7.5 s later, and kills 2.5 s after that
 * (`ProcessInvoker.cs` of actions/runner), so that all is said and done before the second signal.
 */
export const BEST_EFFORT_GRACE = 2_000
export const FINAL_UPDATE_GRACE = 5_000
export const WORK_GRACE = 5_500
export const PROCESS_GRACE = 7_000

const REPAIR =
  'Devices see a bundle only after the last step, so nothing is half published. Re-run the job to publish this commit. It continues where this run stopped.'

export function createCancellation(): Cancellation {
  const controller = new AbortController()
  const { signal } = controller
  let step: string | null = null
  const end = (code: ErrorCode, what: string, hint: string) => {
    const where = step === null ? '' : ` during "${step}"`
    if (!signal.aborted) controller.abort(new CancelledError(code, `${what}${where}.`, { hint }))
  }
  return {
    signal,
    after(ms) {
      const later = new AbortController()
      const count = () => setTimeout(() => later.abort(signal.reason), ms).unref()
      if (signal.aborted) count()
      else signal.addEventListener('abort', count, { once: true })
      return later.signal
    },
    begin(title) {
      step = title
    },
    limit(minutes) {
      setTimeout(
        () =>
          end(
            'run_timeout',
            `The run was stopped after ${minutes} ${minutes === 1 ? 'minute' : 'minutes'} (input "timeout")`,
            `${REPAIR} If it needs longer, raise the input "timeout".`,
          ),
        minutes * 60_000,
      ).unref()
    },
    cancel(name) {
      end('cancelled', `The run was cancelled (${name})`, REPAIR)
    },
  }
}

/** The error to report: after a stop, every failure is reported as the stop. */
export function cancellationOr(error: unknown, { signal }: Cancellation): unknown {
  return signal.aborted ? signal.reason : error
}
