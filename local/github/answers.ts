import type { Operation, Values } from './openapi.ts'
import type { Clock } from './records.ts'
import type { Resources } from './resources.ts'
import type { HostedRepository } from './state.ts'

/** What a handler is given. */
export interface Call {
  readonly operation: Operation
  readonly repository: HostedRepository
  readonly path: Values
  readonly query: Values
  readonly body: Readonly<Record<string, unknown>>
  readonly accept: string
  /** Whole, with the query. */
  readonly url: URL
  /** Login of the token's owner. */
  readonly login: string
  readonly clock: Clock
  readonly resources: Resources
  /** Short-lived address of an artifact at the store of files. */
  signArtifact(repository: HostedRepository, id: number): string
}

export interface Answer {
  readonly status: number
  readonly json?: unknown
  readonly bytes?: Uint8Array
  readonly headers?: Readonly<Record<string, string>>
}

export type Handler = (call: Call) => Answer | Promise<Answer>

export const ok = (json: unknown, headers: Record<string, string> = {}): Answer => ({
  status: 200,
  json,
  headers,
})
export const created = (json: unknown): Answer => ({ status: 201, json })
export const noContent: Answer = { status: 204 }

/** An answer that ends the handler. */
export class Refusal extends Error {
  readonly status: number
  readonly more: Readonly<Record<string, unknown>>
  readonly headers: Readonly<Record<string, string>>

  constructor(
    status: number,
    message: string,
    more: Record<string, unknown> = {},
    headers: Record<string, string> = {},
  ) {
    super(message)
    this.status = status
    this.more = more
    this.headers = headers
  }
}

export const notFound = () => new Refusal(404, 'Not Found')

/** One problem with one field, in the form that GitHub's description gives. */
export function invalid(resource: string, field: string, code: string, message: string): Refusal {
  return new Refusal(422, 'Validation Failed', { errors: [{ resource, field, code, message }] })
}

const DEFAULT_PAGE = 30
const MAX_PAGE = 100

/** The page that the query asks for, and the Link header to the others. */
export function paginate<Item>(
  { url, query }: Pick<Call, 'url' | 'query'>,
  all: readonly Item[],
  { defaultPage = DEFAULT_PAGE, longestPage = MAX_PAGE } = {},
): { items: readonly Item[]; headers: Record<string, string> } {
  const size = Math.min(Math.max(Number(query.per_page ?? defaultPage), 1), longestPage)
  const page = Math.max(Number(query.page ?? 1), 1)
  const last = Math.max(1, Math.ceil(all.length / size))
  const link = (number: number, relation: string) => {
    const there = new URL(url)
    there.searchParams.set('page', String(number))
    return `<${there}>; rel="${relation}"`
  }
  const links = [
    ...(page > 1 ? [link(page - 1, 'prev')] : []),
    ...(page < last ? [link(page + 1, 'next'), link(last, 'last')] : []),
    ...(page > 1 ? [link(1, 'first')] : []),
  ]
  return {
    items: all.slice((page - 1) * size, page * size),
    headers: links.length > 0 ? { link: links.join(', ') } : {},
  }
}
