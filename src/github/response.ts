import * as z from 'zod/mini'
import { ActionError } from '../errors.ts'
import type { Repository } from './repository.ts'

/** An environment with more deployments, or a repository with more open pull requests, is none. */
const MAX_PAGES = 200

/** What GitHub answered, checked. Throws `unexpected_answer`, which names the field that is not as it should be. */
export function parseAnswer<T>(schema: z.ZodMiniType<T>, data: unknown, what: string): T {
  const parsed = schema.safeParse(data)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw unexpected(what, `${issue?.path.join('.') || 'body'}: ${issue?.message}`)
}

/**
 * A list page by page, each item checked. The pages are counted here: an address that an answer names is not
 * followed. `key` is where the list stands in the answer; null = the answer is the list.
 */
export async function* readPages<T>(
  { octokit, owner, repo }: Repository,
  route: string,
  parameters: Readonly<Record<string, string | number>>,
  item: z.ZodMiniType<T>,
  key: string | null = null,
): AsyncGenerator<T[]> {
  const schema = z.array(item)
  for (let page = 1; page <= MAX_PAGES; page++) {
    const { data, headers } = await octokit.request(route, {
      owner,
      repo,
      per_page: 100,
      page,
      ...parameters,
    })
    yield key === null
      ? parseAnswer(schema, data, route)
      : (parseAnswer(z.object({ [key]: schema }), data, route)[key] as T[])
    if (!/rel="next"/.test(headers.link ?? '')) return
  }
  throw unexpected(route, `there is no end of its pages`)
}

export async function readAll<T>(...call: Parameters<typeof readPages<T>>): Promise<T[]> {
  const all: T[] = []
  for await (const page of readPages(...call)) all.push(...page)
  return all
}

function unexpected(what: string, why: string): ActionError {
  return new ActionError(
    'unexpected_answer',
    `GitHub's answer to ${what} is not what this action knows (${why}).`,
    { hint: 'Is a proxy in between, or GITHUB_API_URL another server?' },
  )
}
