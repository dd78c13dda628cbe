import {
  type LocalCapgo,
  type LocalCapgoOptions,
  type RecordedRequest,
  type Role,
  type SeedApp,
  type SeedChannel,
  type SeedKey,
  startCapgo,
} from './capgo/index.ts'
import { isWrite } from './capgo/recorder.ts'
import { Device, type DeviceOptions } from './device.ts'

export type { RecordedRequest }

export interface CapgoOptions extends LocalCapgoOptions {
  readonly appId?: string
  readonly app?: Omit<SeedApp, 'appId'>
  /** Role of `token`; `app_developer` may also create channels. */
  readonly role?: Role
  readonly key?: Omit<SeedKey, 'appId' | 'role'>
  /** Names, or whole settings. */
  readonly channels?: readonly (string | Omit<SeedChannel, 'appId'>)[]
}

/** A local Capgo with one app and a key for it. */
export interface TestCapgo extends AsyncDisposable {
  readonly server: LocalCapgo
  readonly url: string
  readonly appId: string
  readonly token: string
  readonly requests: readonly RecordedRequest[]
  /** The `with:` block that leads the action here. */
  readonly inputs: Readonly<Record<'capgo-token' | 'api-url', string>>
  /** The requests that `act` caused. */
  record<T>(act: () => Promise<T>): Promise<{ result: T; requests: RecordedRequest[] }>
  /** A phone with the app. */
  device(options?: Partial<DeviceOptions>): Device
  stop(): Promise<void>
}

export async function startTestCapgo(options: CapgoOptions = {}): Promise<TestCapgo> {
  const {
    appId = 'com.example.daybreak',
    app,
    role = 'app_developer',
    key,
    channels = [],
    ...serverOptions
  } = options
  const server = await startCapgo(serverOptions)
  server.seedApp({ appId, ...app })
  const token = server.seedKey({ appId, role, ...key })
  for (const channel of channels)
    server.seedChannel({ appId, ...(typeof channel === 'string' ? { name: channel } : channel) })
  return {
    server,
    url: server.url,
    appId,
    token,
    requests: server.requests,
    inputs: { 'capgo-token': token, 'api-url': server.url },
    async record(act) {
      const before = server.requests.length
      const result = await act()
      return { result, requests: server.requests.slice(before) }
    },
    device: deviceOptions => new Device({ capgoUrl: server.url, appId, ...deviceOptions }),
    stop: () => server.stop(),
    [Symbol.asyncDispose]: () => server.stop(),
  }
}

/** The requests that changed something, or tried to. */
export function writesOf(requests: readonly RecordedRequest[]): RecordedRequest[] {
  return requests.filter(isWrite)
}

/** `PUT /bundle 200`, with the query cut where it gets long. */
export function describeRequest({ method, path, status }: RecordedRequest): string {
  return `${method.padEnd(5)} ${path.length > 84 ? `${path.slice(0, 83)}…` : path} ${status}`
}
