/*
 * The local Capgo in a process of its own, so that its processor time is nobody's. This file is both sides: imported
 * it starts the process; as that process it serves.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, Server } from 'node:net'
import { fileURLToPath } from 'node:url'
import { type LocalCapgo, type Role, startCapgo } from '../local/capgo/index.ts'

/** What a channel serves. */
export interface Served {
  readonly version: string
  readonly checksum: string | null
  /** Bytes of the stored zip; null when there is none. */
  readonly zip: number | null
  /** SHA-256 of the delta files, sorted. */
  readonly delta: readonly string[]
  /** How many of them are not in the store. */
  readonly missing: number
}

export interface Counts {
  readonly requests: number
  /** `429 POST /files/upload/attachments/`, and how often. */
  readonly refused: Readonly<Record<string, number>>
  /** Bytes of bodies to the server. */
  readonly up: number
}

const methods = (capgo: LocalCapgo) => ({
  /** A new app with an empty public channel. */
  seed(appId: string, channel: string): void {
    capgo.seedApp({ appId })
    capgo.seedChannel({ appId, name: channel, public: true })
  },
  /** A new key. */
  key: (appId: string, role: Role): string => capgo.seedKey({ appId, role }),
  /** What came since the last call. */
  take(): Counts {
    const requests = capgo.requests.splice(0)
    const refused: Record<string, number> = {}
    for (const { status, method, path } of requests) {
      if (status < 400) continue
      const what = `${status} ${method} ${path.replace(/\?.*/, '').slice(0, 50)}`
      refused[what] = (refused[what] ?? 0) + 1
    }
    return {
      requests: requests.length,
      refused,
      up: requests.reduce((sum, { requestBytes }) => sum + requestBytes, 0),
    }
  },
  served(appId: string, name: string): Served | null {
    const { store } = capgo
    // What Capgo does in the background is done.
    capgo.clock.advance(60_000)
    const version = store.find('channels', { app_id: appId, name })?.version
    const bundle = version ? store.find('app_versions', { id: version }) : undefined
    if (bundle === undefined || bundle.storage_provider !== 'r2' || bundle.deleted) return null
    const rows = store.list('manifest', { app_version_id: bundle.id })
    return {
      version: bundle.name,
      checksum: bundle.checksum,
      zip: (bundle.r2_path && store.objects.stat(bundle.r2_path)?.size) || null,
      delta: rows.map(({ file_hash }) => file_hash).sort(),
      missing: rows.filter(({ s3_path }) => !store.objects.stat(s3_path)).length,
    }
  },
  /** Deletes what is stored of the app: disks are finite. */
  forget(appId: string): void {
    for (const { key } of capgo.store.list('objects'))
      if (key.includes(`/apps/${appId}/`)) capgo.store.objects.remove(key)
  },
})

type Methods = ReturnType<typeof methods>
type Remote = { [M in keyof Methods]: (...args: Parameters<Methods[M]>) => Promise<ReturnType<Methods[M]>> }

export interface CapgoProcess extends Remote {
  readonly port: number
  stop(): void
}

/** Clients come through `publicPort`, and are told so. */
export async function startCapgoProcess(
  publicPort: number,
  { limits = true }: { limits?: boolean } = {},
): Promise<CapgoProcess> {
  const child: ChildProcess = fork(fileURLToPath(import.meta.url), [String(publicPort), String(limits)])
  const [port] = (await once(child, 'message')) as [number]
  const waiting: ((answer: { result?: unknown; error?: string }) => void)[] = []
  child.on('message', answer => waiting.shift()?.(answer as { result?: unknown; error?: string }))
  child.on('exit', () => {
    for (const settle of waiting.splice(0)) settle({ error: 'The local Capgo ended.' })
  })
  const call =
    (method: string) =>
    async (...args: unknown[]) => {
      const { promise, resolve } = Promise.withResolvers<{ result?: unknown; error?: string }>()
      waiting.push(resolve)
      child.send({ method, args })
      const { result, error } = await promise
      if (error !== undefined) throw new Error(error)
      return result
    }
  const remote = Object.fromEntries(
    (['seed', 'key', 'take', 'served', 'forget'] satisfies (keyof Methods)[]).map(name => [name, call(name)]),
  ) as unknown as Remote
  return { ...remote, port, stop: () => child.disconnect() }
}

async function serve(publicPort: number, limits: boolean): Promise<void> {
  // What it says of itself (where an upload goes on, signed links) has to lead through the wire, too.
  const realAddress = Server.prototype.address
  let port = 0
  Server.prototype.address = function () {
    const real = realAddress.call(this) as AddressInfo
    port = real.port
    return { ...real, port: publicPort }
  }
  // The CLI hands over delta files by a route that older servers lack.
  const capgo = await startCapgo({ profile: 'new', limits })
  Server.prototype.address = realAddress
  const can = methods(capgo) as unknown as Record<string, (...args: unknown[]) => unknown>
  process.on('message', ({ method, args }: { method: string; args: unknown[] }) => {
    try {
      process.send!({ result: can[method]!(...args) })
    } catch (error) {
      process.send!({ error: (error as Error).stack })
    }
  })
  process.once('disconnect', () => void capgo.stop().then(() => process.exit()))
  // Ctrl+C is for the bench, which then disconnects.
  process.on('SIGINT', () => {})
  process.send!(port)
}

if (import.meta.main) await serve(Number(process.argv[2]), process.argv[3] === 'true')
