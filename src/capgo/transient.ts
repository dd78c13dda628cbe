/** Answers that say "not now", and how long they ask to wait. */
import type { Answer, Call } from './http.ts'

/** A server that asks for a longer pause than this is not waited for. */
export const LONGEST_RETRY_AFTER = 120_000

export function isPassing(answer: Answer, call: Call): boolean {
  if (call.answers?.includes(answer.status)) return false
  if (asksTooMuch(answer)) return false
  // `on_premise_app` says that the plan does not allow it; no waiting helps. What stands before Capgo has no code.
  if (answer.status === 429) return answer.code !== 'on_premise_app' && !isLockout(answer)
  if (answer.status === 503) return call.retry === 'repeat' || retryAfter(answer) !== null
  return isFault(answer) && call.retry === 'repeat'
}

/** The server had trouble of its own, or did not get the whole request in time (408, 425). */
export function isFault({ status }: Answer): boolean {
  return status >= 500 || status === 408 || status === 425
}

/** Twenty wrong keys from one address lock it for 15 minutes; each further call makes it longer. */
function isLockout(answer: Answer): boolean {
  return answer.text.includes('too_many_failed_auth_attempts')
}

/** The pause is longer than a job should wait. */
export function asksTooMuch(answer: Answer): boolean {
  return (retryAfter(answer) ?? 0) > LONGEST_RETRY_AFTER
}

/** Milliseconds, or null when the server names no pause. */
export function retryAfter(answer: Answer): number | null {
  const header = answer.headers['retry-after']
  // Seconds, or a date (RFC 9110) by the server's clock: the runner's may be wrong.
  const clock = Date.parse(String(answer.headers.date)) || Date.now()
  const asked = Number(header) * 1000 || Date.parse(String(header)) - clock
  if (Number.isFinite(asked) && asked > 0) return asked
  const body = (answer.json as { moreInfo?: { retryAfterSeconds?: unknown } } | undefined)?.moreInfo
    ?.retryAfterSeconds
  return typeof body === 'number' && body > 0 ? body * 1000 : null
}
