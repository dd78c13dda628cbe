// GitHub's rate limits, as faults.
import type { FaultInput } from '../capgo/faults.ts'

/** What GitHub does to who writes too much at once, for `faults.add`. */
export function secondaryRateLimit({
  retryAfterSeconds,
  ...rest
}: Omit<FaultInput, 'do' | 'match'> & {
  match?: FaultInput['match']
  retryAfterSeconds?: number
} = {}): FaultInput {
  return {
    match: {},
    ...rest,
    do: {
      status: 403,
      headers: retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) },
      body: {
        documentation_url:
          'https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits',
        message:
          'You have exceeded a secondary rate limit and have been temporarily blocked from content creation. Please retry your request again later.',
      },
    },
  }
}

/** What GitHub answers when the limit of requests for an hour is used up, for `faults.add`. */
export function primaryRateLimit(more: Omit<FaultInput, 'do'>): FaultInput {
  return {
    ...more,
    do: {
      status: 403,
      headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '4102444800' },
      body: {
        message: 'API rate limit exceeded for installation ID 12345678.',
        documentation_url: 'https://docs.github.com/rest/overview/resources-in-the-rest-api#rate-limiting',
        status: '403',
      },
    },
  }
}
