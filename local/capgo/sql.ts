// Rows of the tables as SQLite stores them, and back.
import type { SQLInputValue } from 'node:sqlite'
import { pgTime } from './clock.ts'
import { PgError } from './errors.ts'
import { tables } from './schema.ts'

export const quoted = (name: string) => `"${name}"`

export function createTable(name: string, table: (typeof tables)[string]): string {
  const types = { int: 'INTEGER', real: 'REAL', text: 'TEXT', bool: 'INTEGER', time: 'TEXT', json: 'TEXT' }
  const columns = Object.entries(table.columns).map(
    ([column, { kind, primary }]) =>
      `${quoted(column)} ${types[kind]}${primary ? ` PRIMARY KEY${kind === 'int' ? ' AUTOINCREMENT' : ''}` : ''}`,
  )
  const unique = (table.unique ?? []).map(group => `UNIQUE (${group.map(quoted).join(', ')})`)
  return `CREATE TABLE IF NOT EXISTS ${name} (${[...columns, ...unique].join(', ')})`
}

export function conditions(table: string, where: object): { sql: string; values: SQLInputValue[] } {
  const given = Object.entries(where).filter(([, value]) => value !== undefined)
  const sql = given
    .map(([name, value]) => (value === null ? `${quoted(name)} IS NULL` : `${quoted(name)} = ?`))
    .join(' AND ')
  const values = given
    .filter(([, value]) => value !== null)
    .map(([name, value]) => toSql(tables[table]!.columns[name]!.kind, value))
  return { sql: sql || '1', values }
}

export function toSql(kind: string, value: unknown): SQLInputValue {
  if (value === null || value === undefined) return null
  if (kind === 'bool') return value ? 1 : 0
  if (kind === 'json') return JSON.stringify(value)
  if (kind === 'time') return pgTime(new Date(value as string).getTime())
  return value as SQLInputValue
}

export function encode(table: string, row: Row): Record<string, SQLInputValue> {
  const columns = tables[table]!.columns
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, toSql(columns[name]!.kind, value)]),
  )
}

export function decode(table: string, row: Row): Row {
  const result: Row = {}
  for (const [name, { kind }] of Object.entries(tables[table]!.columns)) {
    const value = row[name]
    if (value === null || value === undefined) result[name] = null
    else if (kind === 'bool') result[name] = value === 1
    else if (kind === 'json') result[name] = JSON.parse(String(value))
    else result[name] = value
  }
  return result
}

// A patch as it would come back from the database, so that triggers compare like with like.
export const normalised = (table: string, patch: Row): Row => {
  const given = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined))
  const back = decode(table, encode(table, given))
  return Object.fromEntries(Object.keys(given).map(name => [name, back[name]]))
}

export function uniqueErrors<T>(table: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    const columns = /UNIQUE constraint failed: (.+)/.exec((error as Error).message)?.[1]
    if (columns === undefined) throw error
    const names = columns.split(', ').map(column => column.split('.')[1])
    throw new PgError(
      '23505',
      `duplicate key value violates unique constraint "${table}_${names.join('_')}_key"`,
    )
  }
}

const likes = new Map<string, RegExp>()

export function likeExpression(pattern: string, insensitive: boolean): RegExp {
  const cacheKey = `${insensitive} ${pattern}`
  let expression = likes.get(cacheKey)
  if (!expression) {
    const source = pattern
      .replace(/[\\^$.|?+()[\]{}]/g, '\\$&')
      .replace(/[%*]/g, '.*')
      .replace(/_/g, '.')
    expression = new RegExp(`^${source}$`, insensitive ? 'is' : 's')
    if (likes.size > 500) likes.clear()
    likes.set(cacheKey, expression)
  }
  return expression
}

export type Row = Record<string, unknown>
