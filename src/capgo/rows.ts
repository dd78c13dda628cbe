/** Lists of the database, however long they are, and the proof that one without rows is true. */
import type * as z from 'zod/mini'
import { apps } from './apps.ts'
import { PAGE, query } from './postgrest.ts'
import { unexpected } from './response.ts'
import type { Rest } from './rest.ts'

export interface Listing<T> {
  readonly table: string
  readonly row: z.ZodMiniType<T>
  /** With `id` among them: pages follow one another by it. */
  readonly columns: string
  readonly filter: Readonly<Record<string, string>>
  readonly order: 'asc' | 'desc'
  /** For messages: "list bundles". */
  readonly purpose: string
}

/** No app has more rows than these pages hold, even where a server gives few at once. */
const MAX_PAGES = 5000

/**
 * Every row, by id and not by offset: rows may come and go meanwhile. Throws the reason where there is none because
 * the key is not good (any more): the database gives such a key empty lists.
 */
export async function readAll<T extends { readonly id: number }>(
  rest: Rest,
  appId: string,
  { table, row, columns, filter, order, purpose }: Listing<T>,
): Promise<T[]> {
  const path = `${table}?${query({
    app_id: `eq.${appId}`,
    ...filter,
    select: columns,
    order: `id.${order}`,
    limit: String(PAGE),
  })}`
  const all: T[] = []
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const last = all.at(-1)
    const after = last === undefined ? '' : `&id=${order === 'asc' ? 'gt' : 'lt'}.${last.id}`
    const { rows, total } = await rest.selectCounted({ purpose, row, path: path + after })
    if (rows.length === 0 && last === undefined) await apps(rest).readApp(appId)
    if (rows.length === 0) return all
    for (const each of rows) {
      const before = all.at(-1)
      if (before !== undefined && (order === 'asc' ? each.id <= before.id : each.id >= before.id))
        throw unexpected(purpose, 'it has rows that were not requested')
      all.push(each)
    }
    // A server may give fewer rows at once than we ask for; without its word only an empty page is the end.
    if (total !== null && total <= rows.length) return all
  }
  throw unexpected(purpose, 'its rows do not end')
}
