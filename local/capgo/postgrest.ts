import { Hono } from 'hono'
import type { C, Env } from './context.ts'
import { PgError } from './errors.ts'
import { policy } from './policies.ts'
import { bodyOf, checkedValues, type Request, readRequest, requestKey } from './postgrest-request.ts'
import { answer, isCounted, range, single } from './postgrest-response.ts'
import type { Row, Table } from './postgrest-shape.ts'
import { parseOrder } from './query.ts'
import type { KeyRow, Rows } from './rows.ts'
import { callFunction } from './rpc.ts'
import { primaryKey, tables } from './schema.ts'
import type { Store } from './store.ts'

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
