// The programmatic face of the local Capgo. Tests and the demo code against these types.
import type { Clock } from './clock.ts'
import type { FaultInput } from './faults.ts'
import type { Role } from './permissions.ts'
import type { AppRow, BundleRow, ChannelRow, DeviceRow, OverrideRow, Store } from './store.ts'

export type Runtime = 'workerd' | 'edge'
export type Profile = 'base' | 'new'

export interface LocalCapgoOptions {
  /**
   * So many requests with a key can be under way (with `latencyMs`): the database has no connection for another one, and
   * refuses it as if its key were wrong.
   */
  connections?: number
  /** Default 0: a free port. Always 127.0.0.1. */
  port?: number
  /** Directory for the SQLite file and the stored objects. Without it: memory, and a temporary directory that stop() removes. */
  database?: string
  /** Which of Capgo's two runtimes to resemble; default `workerd`, the cloud's. */
  runtime?: Runtime
  /** `new` adds what newer Capgo servers do (marked [N] in this server's code); default `base`. */
  profile?: Profile
  /** Overrides of the answer of `/files/config`. */
  filesConfig?: Partial<Record<string, unknown>>
  /** Rate limits; default on. */
  limits?: boolean
  /** Waited before a request is handled and again before it is answered, milliseconds each. */
  latencyMs?: number
  /** Where the clock starts, epoch milliseconds; it then stands still and moves by `advance` only. Without it the clock is real time plus advances. */
  now?: number
}

/** One request as the server saw it. Keys are shortened in `headers`; `body` is set for JSON only. */
export interface RecordedRequest {
  n: number
  method: string
  /** With the query string. */
  path: string
  host?: string
  /** Answered status; 0 while in progress and for requests whose connection was cut. */
  status: number
  requestBytes: number
  responseBytes: number
  headers: Record<string, string>
  body?: unknown
}

export interface Faults {
  /** Called for each request before it is handled, and again after handling, before the answer is sent. */
  add(fault: FaultInput): void
  clear(): void
}

export interface SeedApp {
  appId: string
  name?: string
  /** Owner organisation; apps seeded without one share one organisation. */
  org?: string
  allowPreview?: boolean
  exposeMetadata?: boolean
  /** false = the organisation's plan is exhausted or cancelled. */
  planValid?: boolean
  /** The organisation demands two-factor authentication, which the owner of every key lacks. */
  blockedBy2fa?: boolean
  /** The organisation takes encrypted bundles alone: with any key (`true`), or with one of this key id. */
  encryption?: boolean | string
  retention?: number
  blockProviderInfraRequests?: boolean
  defaultUploadChannel?: string
  /** Warnings of RPC `get_organization_cli_warnings`. */
  cliWarnings?: { message: string; fatal: boolean }[]
}

export interface SeedKey {
  appId: string
  role: Role
  /** Permission names taken away from the role. */
  without?: string[]
  /** For the `channel_*` roles: the channel the role is bound to. */
  channel?: string
  expired?: boolean
  /** Only the SHA-256 of the key is stored. */
  hashed?: boolean
  /** Owner of the key; keys seeded without one share one user. */
  user?: string
  /** The key itself, instead of a random UUID. */
  key?: string
}

export type SeedChannel = {
  appId: string
  name: string
  bundle?: string | number | null
  rolloutBundle?: string | number | null
} & Partial<Omit<ChannelRow, 'id' | 'app_id' | 'name'>>

export type SeedBundle = {
  appId: string
  name: string
  checksum?: string
  /** The stored zip. Without it the row is ready but has no object, unless `r2_path` is null too. */
  bytes?: Uint8Array
  /** Delta files of the bundle: stored, and listed in the manifest table. */
  files?: { name: string; bytes: Uint8Array }[]
} & Partial<Omit<BundleRow, 'id' | 'app_id' | 'name' | 'checksum' | 'manifest'>>

export type SeedDevice = {
  appId: string
  deviceId: string
  platform?: 'ios' | 'android' | 'electron'
  versionBuild?: string
  versionName?: string
  pluginVersion?: string
  /** Pins the device to this channel (an override row), as the device API would. */
  channel?: string
} & Partial<Omit<DeviceRow, 'app_id' | 'device_id'>>

export interface LocalCapgo {
  /** `http://127.0.0.1:<port>`: give it to the action as `api-url`. */
  readonly url: string
  readonly clock: Clock
  /** Every request, in order. */
  readonly requests: RecordedRequest[]
  /** Requests that would have deleted every bundle no channel serves (`DELETE /bundle` without a version). A client test asserts that it is empty. */
  readonly deleteAllAttempts: RecordedRequest[]
  readonly faults: Faults
  readonly store: Store
  /** The constant that `apikey` must be for the database REST. */
  readonly anonKey: string
  seedApp(app: SeedApp): AppRow
  /** Returns the plaintext key, a UUID. */
  seedKey(key: SeedKey): string
  seedChannel(channel: SeedChannel): ChannelRow
  seedBundle(bundle: SeedBundle): BundleRow
  seedDevice(device: SeedDevice): DeviceRow
  seedOverride(override: { appId: string; deviceId: string; channel: string }): OverrideRow
  stop(): Promise<void>
}
