// PostgREST's query language -> SQL over the tables of schema.ts.
import type { SQLInputValue } from 'node:sqlite'
import { PgError } from './errors.ts'
import { type Column, tables } from './schema.ts'
import { toSql } from './sql.ts'
import type { Profile } from './store.ts'

interface Selected {
  /** Name in the answer. */
  as: string
  column: string
  /** `::text` and the like. */
  cast?: string
}

export interface Embedded {
  as: string
  target: string
  /** Name of the foreign key or column that says which relationship is meant. */
  hint?: string
  inner: boolean
  select: Selection
  /** Filters, order and limit of the embedded rows: `alias.column=eq.1`. */
  params: URLSearchParams
}

export interface Selection {
  columns: Selected[] | '*'
  embedded: Embedded[]
}

export interface Condition {
  sql: string
  values: SQLInputValue[]
}

const notParsed = (text: string) => new PgError('PGRST100', `"failed to parse (${text})"`)

export function columnsOf(table: string, profile: Profile): Record<string, Column> {
  return Object.fromEntries(
    Object.entries(tables[table]!.columns).filter(
      ([, column]) => !column.hidden && (!column.newer || profile === 'new'),
    ),
  )
}

/** Splits at commas that are not inside brackets or double quotes. */
function splitList(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let isQuoted = false
  let part = ''
  for (let index = 0; index < text.length; index++) {
    const letter = text[index]!
    if (isQuoted && letter === '\\') {
      part += letter + (text[++index] ?? '')
      continue
    }
    if (letter === '"') isQuoted = !isQuoted
    if (!isQuoted && letter === '(') depth++
    if (!isQuoted && letter === ')') depth--
    if (letter === ',' && depth === 0 && !isQuoted) {
      parts.push(part)
      part = ''
    } else part += letter
  }
  if (part !== '' || parts.length > 0) parts.push(part)
  if (depth !== 0 || isQuoted) throw notParsed(text)
  return parts
}

const unquote = (text: string) =>
  text.startsWith('"') && text.endsWith('"') && text.length > 1
    ? text.slice(1, -1).replace(/\\(.)/g, '$1')
    : text

export function parseSelect(
  text: string | undefined,
  params: URLSearchParams = new URLSearchParams(),
  depth = 0,
): Selection {
  if (depth > 5) throw notParsed('select nested too deep')
  const selection: Selection = { columns: [], embedded: [] }
  for (const item of splitList((text ?? '').trim() || '*').map(part => part.trim())) {
    const embed = /^(?:([^:(]+):)?([^!(]+)((?:![^!(]+)*)\((.*)\)$/s.exec(item)
    if (embed) {
      const [, alias, target = '', modifiers = '', inside = ''] = embed
      const hints = modifiers.split('!').filter(Boolean)
      const hint = hints.find(name => name !== 'inner' && name !== 'left')
      const as = alias ?? target
      const own = new URLSearchParams(
        [...params]
          .filter(([name]) => name.startsWith(`${as}.`))
          .map(([name, value]): [string, string] => [name.slice(as.length + 1), value]),
      )
      selection.embedded.push({
        as,
        params: own,
        target,
        ...(hint ? { hint } : {}),
        inner: hints.includes('inner'),
        select: parseSelect(inside, own, depth + 1),
      })
    } else if (item === '*') selection.columns = '*'
    else {
      const column = /^(?:([^:]+):(?!:))?([^:]+)(?:::(\w+))?$/.exec(item)
      if (!column) throw notParsed(item)
      const [, alias, name = '', cast] = column
      const selected = { as: alias ?? name, column: name, ...(cast ? { cast } : {}) }
      if (selection.columns !== '*') selection.columns.push(selected)
      else if (alias) throw notParsed(item)
    }
  }
  return selection
}

const comparisons: Record<string, string> = { eq: '=', neq: '<>', gt: '>', gte: '>=', lt: '<', lte: '<=' }

/** All filters of a query string, joined by AND. `reserved` names are not filters, nor are those of embedded rows. */
export function parseFilters(
  table: string,
  profile: Profile,
  params: URLSearchParams,
  reserved: ReadonlySet<string>,
  select?: Selection,
): Condition & { count: number } {
  const conditions: Condition[] = []
  const isOfEmbedded = (name: string) => select?.embedded.some(({ as }) => name.startsWith(`${as}.`))
  for (const [name, value] of params) {
    if (reserved.has(name) || isOfEmbedded(name)) continue
    const embedded = /^(?!not\.)(.+)\.[^.]+$/.exec(name)?.[1]
    if (embedded !== undefined)
      throw new PgError('PGRST108', `'${embedded}' is not an embedded resource in this request`)
    if (/^(not\.)?(and|or)$/.test(name)) conditions.push(logical(table, profile, name, value))
    else conditions.push(filter(table, profile, name, value))
  }
  return {
    sql: conditions.map(condition => condition.sql).join(' AND ') || '1',
    values: conditions.flatMap(condition => condition.values),
    count: conditions.length,
  }
}

function logical(table: string, profile: Profile, operator: string, text: string): Condition {
  const inside = /^\((.*)\)$/s.exec(text.trim())?.[1]
  if (inside === undefined) throw notParsed(text)
  const parts = splitList(inside).map(part => {
    const nested = /^((?:not\.)?(?:and|or))(\(.*\))$/s.exec(part)
    if (nested) return logical(table, profile, nested[1]!, nested[2]!)
    const dot = part.indexOf('.')
    if (dot < 0) throw notParsed(part)
    return filter(table, profile, part.slice(0, dot), part.slice(dot + 1))
  })
  if (parts.length === 0) throw notParsed(text)
  const joined = parts.map(part => part.sql).join(operator.endsWith('or') ? ' OR ' : ' AND ')
  return {
    sql: operator.startsWith('not.') ? `NOT (${joined})` : `(${joined})`,
    values: parts.flatMap(part => part.values),
  }
}

function filter(table: string, profile: Profile, name: string, text: string): Condition {
  const column = columnsOf(table, profile)[name]
  if (!column) throw new PgError('42703', `column ${table}.${name} does not exist`)
  const parts = /^(not\.)?(\w+)(?:\(any\))?\.(.*)$/s.exec(text)
  if (!parts) throw notParsed(text)
  const [, not, operator = '', value = ''] = parts
  const condition = compare(`"${name}"`, column, operator, value)
  return not ? { sql: `NOT (${condition.sql})`, values: condition.values } : condition
}

function compare(name: string, column: Column, operator: string, text: string): Condition {
  const symbol = comparisons[operator]
  if (symbol) return { sql: `${name} ${symbol} ?`, values: [literal(column, unquoteIn(text, operator))] }
  if (operator === 'in') {
    const inside = /^\((.*)\)$/s.exec(text)?.[1]
    if (inside === undefined) throw notParsed(text)
    const values = inside === '' ? [] : splitList(inside).map(part => literal(column, unquote(part)))
    return { sql: `${name} IN (${values.map(() => '?').join(', ')})`, values }
  }
  if (operator === 'is') {
    const tests: Record<string, string> = {
      null: 'IS NULL',
      not_null: 'IS NOT NULL',
      true: 'IS 1',
      false: 'IS 0',
      unknown: 'IS NULL',
    }
    const test = tests[text.toLowerCase()]
    if (!test) throw notParsed(text)
    return { sql: `${name} ${test}`, values: [] }
  }
  if (operator === 'isdistinct') return { sql: `${name} IS NOT ?`, values: [literal(column, text)] }
  if (operator === 'like' || operator === 'ilike')
    return { sql: `pg_like(${name}, ?, ${operator === 'ilike' ? 1 : 0})`, values: [text] }
  throw notParsed(`${operator}.${text}`)
}

// PostgREST takes a quoted value as it stands in a plain filter; inside or=(…) quotes protect commas.
const unquoteIn = (text: string, _operator: string) => (/^".*[,()].*"$/s.test(text) ? unquote(text) : text)

/** A text as a value of the column's type; 22P02 when it is not one. */
export function literal(column: Column, value: unknown): SQLInputValue {
  const typeNames = {
    int: 'bigint',
    real: 'double precision',
    bool: 'boolean',
    time: 'timestamp with time zone',
    text: 'text',
    json: 'json',
  }
  const wrong = () =>
    new PgError('22P02', `invalid input syntax for type ${typeNames[column.kind]}: "${String(value)}"`)
  if (value === null) return null
  if (column.kind === 'int') {
    if (!/^-?\d+$/.test(String(value).trim())) throw wrong()
    return Number(value)
  }
  if (column.kind === 'real') {
    if (String(value).trim() === '' || !Number.isFinite(Number(value))) throw wrong()
    return Number(value)
  }
  if (column.kind === 'bool') {
    const bool = { true: 1, t: 1, '1': 1, false: 0, f: 0, '0': 0 }[String(value).toLowerCase()]
    if (bool === undefined) throw wrong()
    return bool
  }
  if (column.kind === 'time') {
    if (Number.isNaN(new Date(String(value)).getTime())) throw wrong()
    return toSql('time', value)
  }
  if (column.kind === 'json') return typeof value === 'string' ? value : JSON.stringify(value)
  if (column.values && !column.values.includes(String(value)))
    throw new PgError('22P02', `invalid input value for enum: "${String(value)}"`)
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** `order=a.desc,b.asc.nullslast`; PostgreSQL sorts nulls last going up and first going down. */
export function parseOrder(table: string, profile: Profile, text: string | null): string {
  if (!text) return 'place' in tables[table]!.columns ? 'ORDER BY place, rowid' : 'ORDER BY rowid'
  const terms = splitList(text).map(part => {
    const [name = '', ...modifiers] = part.trim().split('.')
    if (!columnsOf(table, profile)[name]) throw new PgError('42703', `column ${table}.${name} does not exist`)
    if (!modifiers.every(word => ['asc', 'desc', 'nullsfirst', 'nullslast'].includes(word)))
      throw notParsed(part)
    const isDown = modifiers.includes('desc')
    const nullsFirst = modifiers.includes('nullsfirst') || (isDown && !modifiers.includes('nullslast'))
    return `"${name}" ${isDown ? 'DESC' : 'ASC'} NULLS ${nullsFirst ? 'FIRST' : 'LAST'}`
  })
  return `ORDER BY ${terms.join(', ')}, rowid`
}
