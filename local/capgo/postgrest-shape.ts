// The columns of `select`, and the embedded rows of other tables.
import type { SQLInputValue } from 'node:sqlite'
import { PgError } from './errors.ts'
import { foreignKeys } from './foreign-keys.ts'
import { policy } from './policies.ts'
import { columnsOf, type Embedded, parseFilters, parseOrder, type Selection } from './query.ts'
import type { KeyRow, Rows } from './rows.ts'
import { primaryKey } from './schema.ts'
import type { Store } from './store.ts'

export type Row = Record<string, unknown>
export type Table = keyof Rows
export const reserved = new Set(['select', 'order', 'limit', 'offset', 'on_conflict', 'columns', 'apikey'])
/** A default setup answers at most so many rows (contract 9.7). */
export const MAX_ROWS = 1_000

/** Turns a stored row into what `select` asks for; undefined drops a row whose `!inner` relative is missing. */
export function shaper(
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
  // A foreign key's column can be used as its table's name: version(name).
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
