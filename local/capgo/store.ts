import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { type Clock, createClock, pgTime } from './clock.ts'
import { runDueEffects } from './effects.ts'
import { PgError } from './errors.ts'
import { Objects } from './objects.ts'
import type { Role } from './permissions.ts'
import { primaryKey, tables } from './schema.ts'
import { afterDelete, afterInsert, afterUpdate, beforeInsert, beforeUpdate } from './triggers.ts'
import type { Profile } from './types.ts'

export interface AppRow {
  created_at: string
  app_id: string
  icon_url: string
  user_id: string | null
  name: string | null
  last_version: string | null
  updated_at: string
  id: string
  retention: number
  owner_org: string
  default_upload_channel: string
  transfer_history: unknown[]
  channel_device_count: number
  manifest_bundle_count: number
  expose_metadata: boolean
  allow_preview: boolean
  allow_device_custom_id: boolean
  need_onboarding: boolean
  existing_app: boolean
  ios_store_url: string | null
  android_store_url: string | null
  block_provider_infra_requests: boolean
  rollout_channel_count: number
  rollout_paused_version_names: string[]
}

export interface ManifestEntry {
  file_name: string
  s3_path: string
  file_hash: string
}

/** A row of `app_versions`. */
export interface BundleRow {
  id: number
  created_at: string
  app_id: string
  name: string
  updated_at: string
  deleted: boolean
  external_url: string | null
  checksum: string | null
  session_key: string | null
  storage_provider: string
  min_update_version: string | null
  native_packages: unknown[] | null
  owner_org: string
  user_id: string | null
  r2_path: string | null
  manifest: ManifestEntry[] | null
  link: string | null
  comment: string | null
  manifest_count: number
  key_id: string | null
  cli_version: string | null
  deleted_at: string | null
  created_by_apikey_rbac_id: string | null
}

export interface ChannelRow {
  id: number
  created_at: string
  name: string
  app_id: string
  version: number | null
  updated_at: string
  public: boolean
  disable_auto_update_under_native: boolean
  ios: boolean
  android: boolean
  electron: boolean
  allow_device_self_set: boolean
  allow_emulator: boolean
  allow_device: boolean
  allow_dev: boolean
  allow_prod: boolean
  disable_auto_update: 'major' | 'minor' | 'patch' | 'version_number' | 'none'
  owner_org: string
  created_by: string
  rbac_id: string
  rollout_version: number | null
  rollout_percentage_bps: number
  rollout_enabled: boolean
  rollout_id: string
  rollout_paused_at: string | null
  rollout_pause_reason: string | null
  rollout_cache_ttl_seconds: number
  auto_pause_enabled: boolean
  auto_pause_window_minutes: number
  auto_pause_failure_rate_bps: number | null
  auto_pause_confidence: number
  auto_pause_min_attempts: number | null
  auto_pause_min_failures: number | null
  auto_pause_action: 'pause' | 'rollback' | 'notify'
  auto_pause_cooldown_minutes: number
  auto_pause_last_triggered_at: string | null
  auto_pause_last_checked_at: string | null
  /** [N] */
  update_package: 'all' | 'zip' | 'delta' | 'zip_from_builtin' | 'delta_from_builtin'
  place: number
}

/** A row of `channel_devices`. */
export interface OverrideRow {
  id: number
  created_at: string
  channel_id: number
  app_id: string
  updated_at: string
  device_id: string
  owner_org: string
}

export interface ManifestRow extends ManifestEntry {
  id: number
  app_version_id: number
  file_size: number
}

export interface DeviceRow {
  id: number
  updated_at: string
  device_id: string
  custom_id: string
  is_prod: boolean
  is_emulator: boolean
  install_source: string | null
  version_name: string | null
  app_id: string
  platform: 'ios' | 'android' | 'electron'
  plugin_version: string
  os_version: string | null
  version_build: string | null
  key_id: string | null
  country_code: string | null
  default_channel: string | null
}

export interface OrgRow {
  id: string
  name: string
  plan_valid: boolean
  /** Two factors are demanded of everybody; nobody here has set them up. */
  enforcing_2fa: boolean
  enforce_encrypted_bundles: boolean
  required_encryption_key: string | null
  cli_warnings: { message: string; fatal: boolean }[]
}

export interface KeyRow {
  id: number
  key: string | null
  key_hash: string | null
  user_id: string
  rbac_id: string
  expires_at: string | null
  without: string[]
}

export interface ObjectRow {
  key: string
  size: number
  content_type: string | null
  etag: string
  sha256: string | null
  created_at: string
}

export interface UploadRow {
  id: string
  path: string
  length: number | null
  offset: number
  content_type: string | null
  sha256: string | null
  expires_at: string
  done: boolean
}

export interface JobRow {
  id: number
  due: number
  kind: 'override_count' | 'manifest_rows' | 'bundle_removed'
  app_id: string
  ref: number | null
  delta: number
}

export interface Rows {
  apps: AppRow
  app_versions: BundleRow
  channels: ChannelRow
  channel_devices: OverrideRow
  manifest: ManifestRow
  orgs: OrgRow
  devices: DeviceRow
  apikeys: KeyRow
  role_bindings: {
    id: number
    key_rbac_id: string
    role: Role
    org: string | null
    app_id: string | null
    channel_id: number | null
  }
  objects: ObjectRow
  uploads: UploadRow
  jobs: JobRow
  stats: {
    id: number
    created_at: string
    app_id: string
    device_id: string
    action: string
    version_name: string | null
    platform: string | null
    metadata: unknown
  }
  self_channels: { id: number; app_id: string; device_id: string; channel_id: number }
  settings: { key: string; value: string }
}

/** Whose write it is; triggers look at it as Capgo's look at the request's key. Nobody = the service itself. */
export interface Actor {
  key?: KeyRow | undefined
}

export interface StoreOptions {
  database?: string | undefined
  directory: string
  profile: Profile
  now?: number | undefined
}

/** The setting that keeps how far the clock is ahead, in milliseconds. */
const ADVANCED = 'clock_advanced'

type Row = Record<string, unknown>
type Key = string | number

export class Store {
  readonly db: DatabaseSync
  readonly clock: Clock
  readonly objects: Objects
  readonly profile: Profile

  constructor(options: StoreOptions) {
    this.profile = options.profile
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
    runDueEffects(this)
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
    beforeInsert(this, table, row, as)
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
    afterInsert(this, table, stored as unknown as Row, as)
    return stored
  }

  update<T extends keyof Rows>(table: T, old: Rows[T], patch: Partial<Rows[T]>, as: Actor = {}): Rows[T] {
    return this.rewrite(table, old, this.revise(table, old, patch, as), as)
  }

  /** Triggers applied, nothing written: what the row would become. */
  revise<T extends keyof Rows>(table: T, old: Rows[T], patch: Partial<Rows[T]>, as: Actor = {}): Rows[T] {
    const next = { ...old, ...normalised(table, patch as Row) } as Row
    if ('updated_at' in next && !('updated_at' in patch)) next.updated_at = this.now()
    beforeUpdate(this, table, old as unknown as Row, next, as)
    return next as Rows[T]
  }

  /** Writes a row that `revise` made. */
  rewrite<T extends keyof Rows>(table: T, old: Rows[T], next: Rows[T], as: Actor = {}): Rows[T] {
    const key = primaryKey(table)
    const encoded = encode(table, next as unknown as Row)
    const names = Object.keys(encoded).filter(name => name !== key)
    const sql = `UPDATE ${table} SET ${names.map(name => `${quoted(name)} = ?`).join(', ')} WHERE ${quoted(key)} = ? RETURNING *`
    const values = [...names.map(name => encoded[name]!), (old as unknown as Row)[key] as Key]
    const row = uniqueErrors(table, () => this.#prepare(sql).get(...values))
    const stored = decode(table, row as Row) as Rows[T]
    afterUpdate(this, table, old as unknown as Row, stored as unknown as Row, as)
    return stored
  }

  remove<T extends keyof Rows>(table: T, key: Key): void {
    const name = primaryKey(table)
    const old = this.find(table, { [name]: key } as Partial<Rows[T]>)
    if (!old) return
    this.#prepare(`DELETE FROM ${table} WHERE ${quoted(name)} = ?`).run(key)
    afterDelete(this, table, old as unknown as Row)
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

const quoted = (name: string) => `"${name}"`

function createTable(name: string, table: (typeof tables)[string]): string {
  const types = { int: 'INTEGER', real: 'REAL', text: 'TEXT', bool: 'INTEGER', time: 'TEXT', json: 'TEXT' }
  const columns = Object.entries(table.columns).map(
    ([column, { kind, primary }]) =>
      `${quoted(column)} ${types[kind]}${primary ? ` PRIMARY KEY${kind === 'int' ? ' AUTOINCREMENT' : ''}` : ''}`,
  )
  const unique = (table.unique ?? []).map(group => `UNIQUE (${group.map(quoted).join(', ')})`)
  return `CREATE TABLE IF NOT EXISTS ${name} (${[...columns, ...unique].join(', ')})`
}

function conditions(table: string, where: object): { sql: string; values: SQLInputValue[] } {
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

function encode(table: string, row: Row): Record<string, SQLInputValue> {
  const columns = tables[table]!.columns
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, toSql(columns[name]!.kind, value)]),
  )
}

function decode(table: string, row: Row): Row {
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
const normalised = (table: string, patch: Row): Row => {
  const given = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined))
  const back = decode(table, encode(table, given))
  return Object.fromEntries(Object.keys(given).map(name => [name, back[name]]))
}

function uniqueErrors<T>(table: string, run: () => T): T {
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
function likeExpression(pattern: string, insensitive: boolean): RegExp {
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
