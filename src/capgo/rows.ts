/** Lists of the database, however long they are, and the proof that one without rows is true. */
import * as z from 'zod/mini'
import { apps } from './apps.ts'
import type { Connection } from './connection.ts'
import { refusal } from './errors.ts'
import { PAGE, parseAnswer, query, unexpected } from './postgrest.ts'

export interface Listing<T> {
  readonly table: string
  readonly row: z.ZodMiniType<T>
  /** With `id` among them: pages follow one another by it. */
  readonly columns: string
  readonly filter: Readonly<Record<string, string>>
  readonly order: 'asc' | 'desc'
  /** For messages: "list bundles". */
  readonly what: string
  /** Nothing hangs on whether a list without rows is true. */
  readonly isHarmless?: boolean
}

/** No app has more rows than these pages hold, even where a server gives few at once. */
const MOST_PAGES = 5000

/**
 * Every row, by id and not by offset: rows may come and go meanwhile. Throws what says why where there is none because
 * the key is not good (any more): the database answers such a key with empty lists.
 */
export async function readAll<T extends { readonly id: number }>(
  connection: Connection,
  appId: string,
  { table, row, columns, filter, order, what, isHarmless = false }: Listing<T>,
): Promise<T[]> {
  const { url, headers } = await connection.database()
  const parameters = query({
    app_id: `eq.${appId}`,
    ...filter,
    select: columns,
    order: `id.${order}`,
    limit: String(PAGE),
  })
  const all: T[] = []
  for (let pages = 0; pages < MOST_PAGES; pages++) {
    const last = all.at(-1)
    const after = last === undefined ? '' : `&id=${order === 'asc' ? 'gt' : 'lt'}.${last.id}`
    const call = {
      what,
      method: 'GET',
      url: `${url}/${table}?${parameters}${after}`,
      headers: { ...headers, prefer: 'count=exact' },
      retry: 'repeat',
    } as const
    const answer = await connection.http.send(call)
    // 206 when there are more rows than the answer has.
    if (answer.status !== 200 && answer.status !== 206) throw refusal(call, answer)
    const page = parseAnswer(z.array(row), answer, call)
    if (page.length === 0 && last === undefined && !isHarmless) await apps(connection).readApp(appId)
    if (page.length === 0) return all
    for (const each of page) {
      const before = all.at(-1)
      if (before !== undefined && (order === 'asc' ? each.id <= before.id : each.id >= before.id))
        throw unexpected(call, 'rows that were not asked for')
      all.push(each)
    }
    // A server may give fewer rows at once than we ask for; without its word only an empty page is the end.
    const total = Number(/\/(\d+)$/.exec(String(answer.headers['content-range'] ?? ''))?.[1])
    if (total <= page.length) return all
  }
  throw unexpected({ what }, 'there is no end of them')
}
