// A request to PostgREST, parsed.
import { findKey } from './auth.ts'
import type { C } from './context.ts'
import { PgError } from './errors.ts'
import { type Row, reserved, shaper, type Table } from './postgrest-shape.ts'
import { columnsOf, literal, parseFilters, parseSelect } from './query.ts'
import type { KeyRow, Rows } from './rows.ts'
import { tables } from './schema.ts'
import type { Store } from './store.ts'

export const OBJECT = 'application/vnd.pgrst.object+json'

export interface Request {
  table: Table
  key: KeyRow | undefined
  params: URLSearchParams
  filters: ReturnType<typeof parseFilters>
  /** As `select` asks for. What it asks in vain is refused before anything is changed. */
  shape: (row: Row) => Row | undefined
  prefer: string
  /** Whether a write is answered with its rows. */
  isGivenBack: boolean
  single: boolean
}

/** Row security sees the key of `capgkey`; without one nobody is asking. */
export const requestKey = (c: C) => findKey(c.get('capgo').store, c.req.header('capgkey'))

export function readRequest(c: C): Request {
  const { store } = c.get('capgo')
  const table = c.req.param('table') ?? ''
  if (!tables[table]?.exposed)
    throw new PgError('PGRST205', `Could not find the table 'public.${table}' in the schema cache`)
  const params = new URL(c.req.url).searchParams
  // The filters that supabase-js leaves on an upsert's URL mean nothing.
  const filtered = c.req.method === 'POST' ? new URLSearchParams() : params
  const select = parseSelect(params.get('select') ?? undefined, params)
  const key = requestKey(c)
  return {
    table: table as Table,
    key,
    params,
    filters: parseFilters(table, store.profile, filtered, reserved, select),
    shape: shaper(store, table, select, key),
    prefer: c.req.header('prefer') ?? '',
    isGivenBack: (c.req.header('prefer') ?? '').includes('return=representation'),
    single: (c.req.header('accept') ?? '').includes(OBJECT),
  }
}

export async function bodyOf(c: C): Promise<unknown> {
  try {
    return JSON.parse((await c.req.text()) || '{}')
  } catch {
    throw new PgError('PGRST102', 'Empty or invalid json')
  }
}

export function checkedValues(store: Store, table: Table, item: Row): Partial<Rows[Table]> {
  const columns = columnsOf(table, store.profile)
  if (typeof item !== 'object' || item === null) throw new PgError('PGRST102', 'Empty or invalid json')
  return Object.fromEntries(
    Object.entries(item).map(([name, value]) => {
      const column = columns[name]
      if (!column)
        throw new PgError('PGRST204', `Could not find the '${name}' column of '${table}' in the schema cache`)
      if (value === null) {
        const hasDefault = column.kind === 'bool' || column.required || column.values
        if (hasDefault)
          throw new PgError(
            '23502',
            `null value in column "${name}" of relation "${table}" violates not-null constraint`,
          )
        return [name, null]
      }
      if (column.kind === 'json') return [name, value]
      const stored = literal(column, value)
      if (column.length !== undefined && String(stored).length > column.length)
        throw new PgError('22001', `value too long for type character varying(${column.length})`)
      return [name, column.kind === 'bool' ? stored === 1 : stored]
    }),
  ) as Partial<Rows[Table]>
}
