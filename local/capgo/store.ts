import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { type Clock, createClock, pgTime } from './clock.ts'
import { PgError } from './errors.ts'
import { Objects } from './objects.ts'
import type { Actor, JobRow, Rows } from './rows.ts'
import { primaryKey, tables } from './schema.ts'
import {
  conditions,
  createTable,
  decode,
  encode,
  likeExpression,
  normalised,
  quoted,
  type Row,
  uniqueErrors,
} from './sql.ts'

/** `new` adds what newer Capgo servers do (marked [N] in this server's code). */
export type Profile = 'base' | 'new'

/** What happens around a write of a table's row. */
export interface TableTriggers<Row> {
  beforeInsert?(store: Store, row: Row, as: Actor): void
  beforeUpdate?(store: Store, old: Row, next: Row, as: Actor): void
  afterInsert?(store: Store, row: Row, as: Actor): void
  afterUpdate?(store: Store, old: Row, next: Row): void
  afterDelete?(store: Store, old: Row): void
}
export type Triggers = { readonly [T in keyof Rows]?: TableTriggers<Rows[T]> }

export interface StoreOptions {
  database?: string | undefined
  directory: string
  profile: Profile
  now?: number | undefined
  triggers: Triggers
  /** Does what is due by the clock. */
  settle(store: Store): void
}

/** The setting that keeps how far the clock is ahead, in milliseconds. */
const ADVANCED = 'clock_advanced'

type Key = string | number

export class Store {
  readonly db: DatabaseSync
  readonly clock: Clock
  readonly objects: Objects
  readonly profile: Profile
  readonly #triggers: Triggers
  readonly #settle: StoreOptions['settle']

  constructor(options: StoreOptions) {
    this.profile = options.profile
    this.#triggers = options.triggers
    this.#settle = options.settle
    if (options.database) mkdirSync(options.database, { recursive: true })
    this.db = new DatabaseSync(options.database ? join(options.database, 'capgo.sqlite') : ':memory:')
    this.db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF')
    this.db.function('pg_like', { deterministic: true }, (value, pattern, insensitive) =>
      value === null ? null : likeExpression(String(pattern), insensitive === 1).test(String(value)) ? 1 : 0,
    )
    for (const [name, table] of Object.entries(tables)) this.db.exec(createTable(name, table))
    this.db.exec('CREATE INDEX IF NOT EXISTS manifest_by_bundle ON manifest (app_version_id)')
    this.db.exec('CREATE INDEX IF NOT EXISTS manifest_by_content ON manifest (file_hash, file_name)')
    this.db.exec('CREATE INDEX IF NOT EXISTS overrides_by_channel ON channel_devices (channel_id)')
    this.db.exec('CREATE INDEX IF NOT EXISTS bindings_by_key ON role_bindings (key_rbac_id)')
    const isKept = options.database !== undefined
    this.clock = createClock(
      options.now,
      advanced => {
        if (isKept) this.setSetting(ADVANCED, String(advanced))
        this.settle()
      },
      Number(this.setting(ADVANCED) ?? 0),
    )
    this.objects = new Objects(this, options.directory)
    this.settle()
  }

  close(): void {
    this.db.close()
  }

  /** Runs the asynchronous effects that are due. Called before every request and by `clock.advance`. */
  settle(): void {
    this.#settle(this)
  }

  now(): string {
    return pgTime(this.clock.now())
  }

  find<T extends keyof Rows>(table: T, where: Partial<Rows[T]>): Rows[T] | undefined {
    return this.list(table, where, 'LIMIT 1')[0]
  }

  /** Rows in order of creation, unless `tail` (SQL after WHERE) says otherwise. */
  list<T extends keyof Rows>(table: T, where: Partial<Rows[T]> = {}, tail = 'ORDER BY rowid'): Rows[T][] {
    const { sql, values } = conditions(table, where)
    return this.select(table, sql, values, tail)
  }

  /** Rows that satisfy a SQL condition over the table's columns. */
  select<T extends keyof Rows>(
    table: T,
    condition: string,
    values: SQLInputValue[],
    tail = 'ORDER BY rowid',
  ): Rows[T][] {
    const rows = this.#prepare(`SELECT * FROM ${table} WHERE ${condition} ${tail}`).all(...values)
    return rows.map(row => decode(table, row as Row) as Rows[T])
  }

  count<T extends keyof Rows>(table: T, where: Partial<Rows[T]> = {}): number {
    const { sql, values } = conditions(table, where)
    return Number(
      (this.#prepare(`SELECT count(*) AS n FROM ${table} WHERE ${sql}`).get(...values) as { n: number }).n,
    )
  }

  /** Defaults and triggers applied, nothing written: what the row would be. */
  draft<T extends keyof Rows>(table: T, values: Partial<Rows[T]>, as: Actor = {}): Partial<Rows[T]> {
    const row: Row = {}
    for (const [name, column] of Object.entries(tables[table]!.columns)) {
      const given = (values as Row)[name]
      const fallback = typeof column.default === 'function' ? column.default() : (column.default ?? null)
      if (given !== undefined) row[name] = given
      else if (!(column.primary && column.kind === 'int')) row[name] = fallback
    }
    for (const name of ['created_at', 'updated_at']) if (name in row) row[name] ??= this.now()
    this.#triggers[table]?.beforeInsert?.(this, row as unknown as Rows[T], as)
    for (const [name, column] of Object.entries(tables[table]!.columns))
      if (column.required && (row[name] === null || row[name] === undefined))
        throw new PgError(
          '23502',
          `null value in column "${name}" of relation "${table}" violates not-null constraint`,
        )
    return row as Partial<Rows[T]>
  }

  insert<T extends keyof Rows>(table: T, values: Partial<Rows[T]>, as: Actor = {}): Rows[T] {
    return this.write(table, this.draft(table, values, as), as)
  }

  /** Inserts a row that `draft` made. */
  write<T extends keyof Rows>(table: T, drafted: Partial<Rows[T]>, as: Actor = {}): Rows[T] {
    const encoded = encode(table, drafted as Row)
    const names = Object.keys(encoded)
    const sql = `INSERT INTO ${table} (${names.map(quoted).join(', ')}) VALUES (${names.map(() => '?').join(', ')}) RETURNING *`
    const row = uniqueErrors(table, () => this.#prepare(sql).get(...Object.values(encoded)))
    const stored = decode(table, row as Row) as Rows[T]
    this.#triggers[table]?.afterInsert?.(this, stored, as)
    return stored
  }

  update<T extends keyof Rows>(table: T, old: Rows[T], patch: Partial<Rows[T]>, as: Actor = {}): Rows[T] {
    return this.rewrite(table, old, this.revise(table, old, patch, as))
  }

  /** Triggers applied, nothing written: what the row would become. */
  revise<T extends keyof Rows>(table: T, old: Rows[T], patch: Partial<Rows[T]>, as: Actor = {}): Rows[T] {
    const next = { ...old, ...normalised(table, patch as Row) }
    if ('updated_at' in next && !('updated_at' in patch)) next.updated_at = this.now()
    this.#triggers[table]?.beforeUpdate?.(this, old, next, as)
    return next
  }

  /** Writes a row that `revise` made. */
  rewrite<T extends keyof Rows>(table: T, old: Rows[T], next: Rows[T]): Rows[T] {
    const key = primaryKey(table)
    const encoded = encode(table, next as unknown as Row)
    const names = Object.keys(encoded).filter(name => name !== key)
    const sql = `UPDATE ${table} SET ${names.map(name => `${quoted(name)} = ?`).join(', ')} WHERE ${quoted(key)} = ? RETURNING *`
    const values = [...names.map(name => encoded[name]!), (old as unknown as Row)[key] as Key]
    const row = uniqueErrors(table, () => this.#prepare(sql).get(...values))
    const stored = decode(table, row as Row) as Rows[T]
    this.#triggers[table]?.afterUpdate?.(this, old, stored)
    return stored
  }

  remove<T extends keyof Rows>(table: T, key: Key): void {
    const name = primaryKey(table)
    const old = this.find(table, { [name]: key } as Partial<Rows[T]>)
    if (!old) return
    this.#prepare(`DELETE FROM ${table} WHERE ${quoted(name)} = ?`).run(key)
    this.#triggers[table]?.afterDelete?.(this, old)
  }

  /** All or nothing; nests. */
  transaction<T>(work: () => T): T {
    const name = `t${++this.#depth}`
    this.db.exec(`SAVEPOINT ${name}`)
    try {
      const result = work()
      this.db.exec(`RELEASE ${name}`)
      return result
    } catch (error) {
      this.db.exec(`ROLLBACK TO ${name}; RELEASE ${name}`)
      throw error
    } finally {
      this.#depth--
    }
  }
  #depth = 0

  schedule(
    kind: JobRow['kind'],
    afterMs: number,
    job: { app_id: string; ref?: number; delta?: number },
  ): void {
    this.insert('jobs', {
      kind,
      due: this.clock.now() + afterMs,
      app_id: job.app_id,
      ref: job.ref ?? null,
      delta: job.delta ?? 0,
    })
  }

  setting(key: string): string | undefined {
    return this.find('settings', { key })?.value
  }

  setSetting(key: string, value: string): void {
    this.#prepare(
      'INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
    ).run(key, value)
  }

  readonly #statements = new Map<string, ReturnType<DatabaseSync['prepare']>>()
  #prepare(sql: string) {
    let statement = this.#statements.get(sql)
    if (!statement) {
      // Lists of ids make endlessly many different texts.
      if (this.#statements.size > 500) this.#statements.clear()
      statement = this.db.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }
}
