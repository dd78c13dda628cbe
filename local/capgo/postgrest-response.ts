import type { C } from './context.ts'
import { noRows, PgError } from './errors.ts'
import { OBJECT, type Request } from './postgrest-request.ts'
import { MAX_ROWS, type Row } from './postgrest-shape.ts'
import { primaryKey } from './schema.ts'

export const single = (count: number) =>
  new PgError('PGRST116', noRows.message, `The result contains ${count} rows`)
export const range = (from: number, count: number, total: number | undefined) =>
  `${count === 0 ? '*' : `${from}-${from + count - 1}`}/${total ?? '*'}`
export const isCounted = (c: C) => (c.req.header('prefer') ?? '').includes('count=exact')

export function answer(c: C, request: Request, all: Row[], status: 200 | 201 | 204): Response {
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
