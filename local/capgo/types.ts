// The programmatic face of the local Capgo. Tests and the demo code against these types.
import type { Clock } from './clock.ts'
import type { Runtime } from './context.ts'
import type { Faults } from './faults.ts'
import type { RecordedRequest } from './recorder.ts'
import type { AppRow, BundleRow, ChannelRow, DeviceRow, OverrideRow } from './rows.ts'
import type { SeedApp, SeedBundle, SeedChannel, SeedDevice, SeedKey } from './seed.ts'
import type { Profile, Store } from './store.ts'

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
