/** Responses of GitHub, checked, and lists of many pages. */
import * as z from 'zod/mini'
import { ActionError } from '../errors.ts'
import type { Repository } from './repository.ts'

/** An environment with more deployments, or a repository with more open pull requests, is none. */
const MAX_PAGES = 200
/** Items of a page: GitHub gives no more. */
const PAGE = 100

export const Sha = z.string().check(z.regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/))

/** GitHub's response, checked. Throws `unexpected_response`, which names the field that is not as it should be. */
export function parseResponse<T>(schema: z.ZodMiniType<T>, data: unknown, what: string): T {
  const parsed = schema.safeParse(data)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw unexpected(what, `${issue?.path.join('.') || 'body'}: ${issue?.message}`)
}

export interface List<T> {
  /** As GitHub's documentation names it. */
  readonly route: string
  readonly parameters: Readonly<Record<string, string | number>>
  readonly item: z.ZodMiniType<T>
  /** Where the list stands in the response; the response is the list where it is left out. */
  readonly key?: string
  /** Where the first pages are enough; without it a list that does not end is an error. */
  readonly maxPages?: number
}

/**
 * A list with all its pages, each item checked. The pages are counted here: an address that a response names is not
 * followed.
 */
export async function readAll<T>(
  { octokit, owner, repo }: Repository,
  { route, parameters, item, key, maxPages }: List<T>,
): Promise<T[]> {
  const schema = z.array(item)
  const all: T[] = []
  for (let page = 1; page <= (maxPages ?? MAX_PAGES); page++) {
    const { data, headers } = await octokit.request(route, {
      owner,
      repo,
      per_page: PAGE,
      page,
      ...parameters,
    })
    const items =
      key === undefined
        ? parseResponse(schema, data, route)
        : (parseResponse(z.object({ [key]: schema }), data, route)[key] ?? [])
    all.push(...items)
    if (!/rel="next"/.test(headers.link ?? '')) return all
  }
  if (maxPages !== undefined) return all
  throw unexpected(route, 'its pages do not end')
}

function unexpected(what: string, why: string): ActionError {
  return new ActionError(
    'unexpected_response',
    `GitHub's response to ${what} has an unknown format (${why}).`,
    { hint: 'Check for a proxy, and that GITHUB_API_URL is a GitHub API.' },
  )
}
