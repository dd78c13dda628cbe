/** Responses that say "not now". */
import type { HttpRequest } from './request.ts'
import { type HttpResponse, retryAfter } from './response.ts'

/** A server that asks for a longer pause than this is not waited for. */
export const MAX_RETRY_AFTER = 120_000

export function isTransient(response: HttpResponse, request: HttpRequest): boolean {
  if (request.expectedStatuses?.includes(response.status)) return false
  if (asksTooMuch(response)) return false
  // `on_premise_app` says that the plan does not allow it; no waiting helps. What stands before Capgo has no code.
  if (response.status === 429) return response.code !== 'on_premise_app' && !isLockout(response)
  if (response.status === 503) return request.retry === 'repeat' || retryAfter(response) !== null
  return isFault(response) && request.retry === 'repeat'
}

/** The server had trouble of its own, or did not get the whole request in time (408, 425). */
export function isFault({ status }: HttpResponse): boolean {
  return status >= 500 || status === 408 || status === 425
}

/** Twenty wrong keys from one address lock it for 15 minutes; each further request makes it longer. */
function isLockout(response: HttpResponse): boolean {
  return response.text.includes('too_many_failed_auth_attempts')
}

/** The pause is longer than a job should wait. */
export function asksTooMuch(response: HttpResponse): boolean {
  return (retryAfter(response) ?? 0) > MAX_RETRY_AFTER
}
