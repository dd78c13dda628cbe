import type { SQLInputValue } from 'node:sqlite'
import { Hono } from 'hono'
import { findKey } from './auth.ts'
import type { C, Env } from './context.ts'
import { noRows, PgError } from './errors.ts'
import { policy } from './policies.ts'
import {
  columnsOf,
  type Embedded,
  literal,
  parseFilters,
  parseOrder,
  parseSelect,
  type Selection,
} from './query.ts'
import type { KeyRow, Rows } from './rows.ts'
import { callFunction } from './rpc.ts'
import { foreignKeys, primaryKey, tables } from './schema.ts'
import type { Store } from './store.ts'

type Row = Record<string, unknown>
type Table = keyof Rows

/** A default setup answers at most so many rows (contract 9.7). */
const MAX_ROWS = 1_000
const OBJECT = 'application/vnd.pgrst.object+json'
const reserved = new Set(['select', 'order', 'limit', 'offset', 'on_conflict', 'columns', 'apikey'])

export const postgrest = new Hono<Env>()

postgrest.onError((error, c) => {
  if (!(error instanceof PgError)) {
    console.error(error)
    return c.json({ code: 'XX000', message: 'Internal error', details: null, hint: null }, 500)
  }
  // Seen both ways: 401 with a key that is known, 403 with another.
  const isRefusal = error.code === '42501' && requestKey(c) !== undefined
  return c.json(error.body(), isRefusal ? 401 : error.status)
})

postgrest.use('/*', async (c, next) => {
  const given = c.req.header('apikey') ?? c.req.query('apikey')
  if (!given)
    return c.json(
      { message: 'No API key found in request', hint: 'No `apikey` request header or url param was found.' },
      401,
    )
  if (given !== c.get('capgo').anonKey)
    return c.json({ message: 'Invalid API key', hint: 'Double check your Supabase `anon` API key.' }, 401)
  return next()
})

/** Functions whose list is one JSON value and not a set of rows. */
const SCALARS = new Set(['get_organization_cli_warnings'])

postgrest.post('/rpc/:name', async c => answerFunction(c, ((await bodyOf(c)) ?? {}) as Row))
postgrest.get('/rpc/:name', c => answerFunction(c, c.req.query()))

/** A value is one row. */
function answerFunction(c: C, args: Row): Response {
  const name = c.req.param('name') ?? ''
  const result = callFunction(c, name, args, requestKey(c))
  const count = Array.isArray(result) && !SCALARS.has(name) ? result.length : 1
  c.header('Content-Range', range(0, count, isCounted(c) ? count : undefined))
  return c.json(result as never)
}

// The router answers HEAD with the GET handler and drops the body.
postgrest.get('/:table', c => {
  const { store } = c.get('capgo')
  const request = readRequest(c)
  const { table, filters, params } = request
  const order = parseOrder(table, store.profile, params.get('order'))
  const visible = policy(store, request.key, table, 'select')
  const rows = store.select(table, filters.sql, filters.values, order).filter(row => visible(row as Row))
  return answer(c, request, rows as Row[], 200)
})

postgrest.post('/:table', async c => {
  const { store } = c.get('capgo')
  const request = readRequest(c)
  const { table, key, params } = request
  const body = await bodyOf(c)
  const given = (Array.isArray(body) ? body : [body]) as Row[]
  const merge = request.prefer.includes('resolution=merge-duplicates')
  const ignore = request.prefer.includes('resolution=ignore-duplicates')
  const conflictColumns = params
    .get('on_conflict')
    ?.split(',')
    .map(name => name.trim()) ?? [primaryKey(table)]
  const as = { key }
  const rows = store.transaction(() =>
    given.flatMap(item => {
      const values = checkedValues(store, table, item)
      const draft = store.draft(table, values, as) as Row
      if (!policy(store, key, table, 'insert')(draft)) throw forbidden(table)
      // PostgREST refuses to return a row that the key cannot read.
      if (request.isGivenBack && !policy(store, key, table, 'select')(draft)) throw forbidden(table)
      const clash = merge || ignore ? findClash(store, table, conflictColumns, draft) : undefined
      if (!clash) return [store.write(table, draft, as) as Row]
      if (ignore) return []
      if (!policy(store, key, table, 'update')(clash)) throw forbidden(table, ' (USING expression)')
      return [change(store, table, clash, values, key)]
    }),
  )
  return answer(c, request, rows, 201)
})

postgrest.patch('/:table', async c => {
  const { store } = c.get('capgo')
  const request = readRequest(c)
  const values = checkedValues(store, request.table, (await bodyOf(c)) as Row)
  if (Object.keys(values).length === 0) throw new PgError('PGRST102', 'Empty or invalid json')
  const rows = store.transaction(() => {
    const changed = matching(c, request, 'update', 'UPDATE').map(row =>
      change(store, request.table, row, values, request.key),
    )
    if (request.single && changed.length !== 1) throw single(changed.length)
    return changed
  })
  return answer(c, request, rows, request.isGivenBack ? 200 : 204)
})

postgrest.delete('/:table', c => {
  const { store } = c.get('capgo')
  const request = readRequest(c)
  const rows = store.transaction(() => {
    const gone = matching(c, request, 'delete', 'DELETE')
    if (request.single && gone.length !== 1) throw single(gone.length)
    for (const row of gone) store.remove(request.table, row[primaryKey(request.table)] as string | number)
    return gone
  })
  return answer(c, request, rows, request.isGivenBack ? 200 : 204)
})

interface Request {
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
const requestKey = (c: C) => findKey(c.get('capgo').store, c.req.header('capgkey'))

function readRequest(c: C): Request {
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

async function bodyOf(c: C): Promise<unknown> {
  try {
    return JSON.parse((await c.req.text()) || '{}')
  } catch {
    throw new PgError('PGRST102', 'Empty or invalid json')
  }
}

function checkedValues(store: Store, table: Table, item: Row): Partial<Rows[Table]> {
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

function findClash(store: Store, table: Table, columns: string[], draft: Row): Row | undefined {
  const known = (tables[table]!.unique ?? []).some(
    group => group.length === columns.length && group.every(name => columns.includes(name)),
  )
  if (!known && !(columns.length === 1 && columns[0] === primaryKey(table)))
    throw new PgError(
      '42P10',
      'there is no unique or exclusion constraint matching the ON CONFLICT specification',
    )
  if (columns.some(name => draft[name] === undefined)) return undefined
  return store.find(
    table,
    Object.fromEntries(columns.map(name => [name, draft[name]])) as Partial<Rows[Table]>,
  ) as Row | undefined
}

function change(
  store: Store,
  table: Table,
  row: Row,
  values: Partial<Rows[Table]>,
  key: KeyRow | undefined,
): Row {
  const as = { key }
  const next = store.revise(table, row as Rows[Table], values, as)
  if (!policy(store, key, table, 'update')(next as Row)) throw forbidden(table)
  return store.rewrite(table, row as Rows[Table], next) as Row
}

function matching(c: C, request: Request, verb: 'update' | 'delete', word: string): Row[] {
  const { store } = c.get('capgo')
  const { table, filters, key } = request
  if (filters.count === 0) throw new PgError('21000', `${word} requires a WHERE clause`)
  const visible = policy(store, key, table, 'select')
  const mutable = policy(store, key, table, verb)
  return store
    .select(table, filters.sql, filters.values)
    .filter(row => visible(row as Row) && mutable(row as Row)) as Row[]
}

const forbidden = (table: string, which = '') =>
  new PgError('42501', `new row violates row-level security policy${which} for table "${table}"`)

const single = (count: number) => new PgError('PGRST116', noRows.message, `The result contains ${count} rows`)

const range = (from: number, count: number, total: number | undefined) =>
  `${count === 0 ? '*' : `${from}-${from + count - 1}`}/${total ?? '*'}`

const isCounted = (c: C) => (c.req.header('prefer') ?? '').includes('count=exact')

function answer(c: C, request: Request, all: Row[], status: 200 | 201 | 204): Response {
  const isRead = c.req.method === 'GET' || c.req.method === 'HEAD'
  const counted = isCounted(c)
  const shaped = all.map(request.shape).filter(row => row !== undefined)
  const { rows, from } = isRead ? page(c, request, shaped) : { rows: shaped, from: 0 }
  if (request.single && (isRead || request.isGivenBack) && rows.length !== 1) throw single(rows.length)
  // Rows that are new or gone stand in no range.
  const ranged = isRead || c.req.method === 'PATCH' ? rows.length : 0
  c.header('Content-Range', range(from, ranged, counted ? shaped.length : undefined))
  if (!isRead && !request.isGivenBack) {
    const [key, row] = [primaryKey(request.table), all[0]]
    if (status === 201 && all.length === 1 && request.prefer.includes('return=headers-only'))
      c.header('Location', `/${request.table}?${key}=eq.${row![key]}`)
    return c.body(null, status)
  }
  if (request.single) {
    c.header('Content-Type', `${OBJECT}; charset=utf-8`)
    return c.body(JSON.stringify(rows[0]), status as 200)
  }
  c.header('Content-Type', 'application/json; charset=utf-8')
  const partial = isRead && counted && rows.length < shaped.length
  return c.body(JSON.stringify(rows), partial ? 206 : (status as 200))
}

function page(c: C, request: Request, rows: Row[]): { rows: Row[]; from: number } {
  const whole = (name: string, fallback: number) => {
    const text = request.params.get(name)
    if (text === null) return fallback
    if (!/^\d+$/.test(text)) throw new PgError('PGRST100', `"failed to parse ${name} (${text})"`)
    return Number(text)
  }
  const asked = /^(\d+)-(\d*)$/.exec(c.req.header('range') ?? '')
  const first = asked ? Number(asked[1]) : 0
  const offset = whole('offset', 0) + first
  const wanted = asked?.[2] ? Number(asked[2]) - first + 1 : MAX_ROWS
  const limit = Math.min(whole('limit', MAX_ROWS), wanted, MAX_ROWS)
  if (isCounted(c) && offset > rows.length) {
    c.header('Content-Range', range(0, 0, rows.length))
    throw new PgError(
      'PGRST103',
      'Requested range not satisfiable',
      `An offset of ${offset} was requested, but there are only ${rows.length} rows.`,
    )
  }
  return { rows: rows.slice(offset, offset + limit), from: offset }
}

/** Turns a stored row into what `select` asks for; undefined drops a row whose `!inner` relative is missing. */
function shaper(
  store: Store,
  table: string,
  select: Selection,
  key: KeyRow | undefined,
): (row: Row) => Row | undefined {
  const columns = columnsOf(table, store.profile)
  const wanted =
    select.columns === '*'
      ? Object.keys(columns).map(name => ({ as: name, column: name, cast: undefined }))
      : select.columns
  for (const { column } of wanted)
    if (!columns[column]) throw new PgError('42703', `column ${table}.${column} does not exist`)
  const relatives = select.embedded.map(embedded => ({
    embedded,
    load: relation(store, table, embedded, key),
  }))
  return row => {
    const result: Row = {}
    for (const { as, column, cast } of wanted)
      result[as] = cast === 'text' && row[column] !== null ? String(row[column]) : row[column]
    for (const { embedded, load } of relatives) {
      const relative = load(row)
      if (embedded.inner && (relative === null || (Array.isArray(relative) && relative.length === 0)))
        return undefined
      result[embedded.as] = relative
    }
    return result
  }
}

function relation(
  store: Store,
  table: string,
  embedded: Embedded,
  key: KeyRow | undefined,
): (row: Row) => Row | Row[] | null {
  const { target, hint } = embedded
  const named = (fk: (typeof foreignKeys)[number]) =>
    !hint || fk.name === hint || fk.column === hint || fk.target === hint
  // A column that is a foreign key may stand for its table: version(name).
  const toOne = foreignKeys.filter(
    fk => fk.from === table && (fk.column === target || (fk.to === target && named(fk))),
  )
  const toMany = foreignKeys.filter(fk => fk.to === table && fk.from === target && named(fk))
  const found = [...toOne, ...toMany]
  if (found.length === 0)
    throw new PgError(
      'PGRST200',
      `Could not find a relationship between '${table}' and '${target}' in the schema cache`,
    )
  if (found.length > 1)
    throw new PgError(
      'PGRST201',
      `Could not embed because more than one relationship was found for '${table}' and '${target}'`,
    )
  const fk = found[0]!
  const isOne = toOne.length === 1
  const other = (isOne ? fk.to : fk.from) as Table
  const shape = shaper(store, other, embedded.select, key)
  const visible = policy(store, key, other, 'select')
  const filters = parseFilters(other, store.profile, embedded.params, reserved, embedded.select)
  // They are found one by one, wherever they lie.
  const order = parseOrder(other, store.profile, embedded.params.get('order') ?? primaryKey(other))
  const offset = Number(embedded.params.get('offset') ?? 0)
  const limit = Math.min(Number(embedded.params.get('limit') ?? MAX_ROWS), MAX_ROWS)
  return row => {
    const value = row[isOne ? fk.column : fk.target]
    const column = isOne ? fk.target : fk.column
    const rows =
      value === null
        ? []
        : store
            .select(
              other,
              `${filters.sql} AND "${column}" = ?`,
              [...filters.values, value as SQLInputValue],
              order,
            )
            .filter(relative => visible(relative as Row))
            .slice(offset, offset + limit)
    const shaped = rows.map(relative => shape(relative as Row)).filter(relative => relative !== undefined)
    return isOne ? (shaped[0] ?? null) : shaped
  }
}
