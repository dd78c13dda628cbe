/**
 * Faults on the wire: every request of a publish is cut before, in the middle of and after it, refused in every way in
 * which Capgo or what stands before it refuses, and stalled. A run ends right or with one clear error, and the next
 * one repairs what is left.
 */
import { createCipheriv } from 'node:crypto'
import { lookup } from 'node:dns'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { Transform } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { Agent } from 'undici'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { FaultInput } from '../../local/capgo/faults.ts'
import {
  type LocalCapgo,
  type LocalCapgoOptions,
  type RecordedRequest,
  startCapgo,
} from '../../local/capgo/index.ts'
import { createDecryptor } from '../../local/decrypt.ts'
import { Device } from '../../local/device.ts'
import { createRepository, type Repository } from '../../local/repository.ts'
import { createKeyPair } from '../helpers/key-pair.ts'
import { runHere, type ShortRun, type ShortRunOptions } from './in-process.ts'

/** Does not deflate: so many bytes are really sent. */
const noise = (bytes: number, seed: number) =>
  createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16)).update(Buffer.alloc(bytes))

const WEB: Readonly<Record<string, string | Buffer>> = {
  'index.html': '<script src="app.js"></script>',
  'app.js': `CapacitorUpdater.notifyAppReady();${'console.log("hello");'.repeat(1000)}`,
  'img/a.png': noise(60_000, 1),
  'img/b.png': noise(20_000, 2),
  'empty.txt': '',
}
const { privateKey, publicKey } = createKeyPair()

let open: Repository
/** The same app with a public key. */
let encrypted: Repository

function createApp(config: object): Repository {
  const updater = { name: '@capgo/capacitor-updater', version: '8.51.2' }
  return createRepository({
    files: {
      'capacitor.config.json': JSON.stringify({
        appId: 'com.example.app',
        webDir: 'web',
        plugins: { CapacitorUpdater: config },
      }),
      'package.json': JSON.stringify({
        name: 'tiny',
        version: '1.2.0',
        dependencies: { [updater.name]: updater.version },
      }),
      [`node_modules/${updater.name}/package.json`]: JSON.stringify(updater),
      ...Object.fromEntries(Object.entries(WEB).map(([path, content]) => [`web/${path}`, content])),
    },
  })
}

beforeAll(() => {
  open = createApp({})
  encrypted = createApp({ publicKey })
  return () => [open, encrypted].map(repo => repo.remove())
})

interface Case {
  readonly server: LocalCapgoOptions
  readonly inputs: Readonly<Record<string, string>>
  /** Which requests are disturbed: those that no other case has. */
  readonly only?: RegExp
}

const UPLOAD = /^(POST|PATCH|HEAD) .*\/files\/upload\/attachments/
const FINISH = /^(PATCH .*app_versions|POST .*set_manifest)/

const CASES: Readonly<Record<string, Case>> = {
  'a zip in one request': { server: {}, inputs: { delta: 'false' } },
  'a zip in several chunks': {
    server: { filesConfig: { maxChunkSize: 30_000 } },
    inputs: { delta: 'false' },
    only: UPLOAD,
  },
  'a zip to a presigned address': {
    server: { filesConfig: { TUSUpload: false, TUSUploadForced: false, partialUpload: false } },
    inputs: { delta: 'false' },
    only: /upload_link|actor_user|^PUT .*\/s3\/|^PATCH .*app_versions/,
  },
  'an encrypted zip to the edge runtime': {
    server: { runtime: 'edge', filesConfig: { maxChunkSize: 50_000 } },
    inputs: { 'private-key': privateKey },
    only: UPLOAD,
  },
  'delta files, handed over by the newer route': {
    server: { profile: 'new' },
    inputs: { delta: 'only' },
    only: new RegExp(`${UPLOAD.source}|${FINISH.source}`),
  },
  'delta files and a zip, handed over the older way': {
    server: { profile: 'base' },
    inputs: { delta: 'true' },
    only: FINISH,
  },
}

const CUTS: readonly Fault[] = (['before', 'middle', 'after'] as const).map(at => ({
  name: `cut ${at}`,
  fault: { at, do: 'drop' },
}))
const REFUSALS: readonly Fault[] = [
  answer(429, { error: 'too_many_requests', moreInfo: { retryAfterSeconds: 1 } }),
  answer(500, { error: 'unknown_error' }),
  answer(502, 'Bad gateway'),
  answer(503, { error: 'upload_retryable' }, { 'Retry-After': '1' }),
  { name: '503 half way', fault: { at: 'middle', do: { status: 503, headers: { 'Retry-After': '1' } } } },
  { name: '502 in place of the answer', fault: { at: 'after', do: { status: 502 } } },
]
const CONFLICTS: readonly Fault[] = [
  answer(409, { error: 'duplicate_upload', message: 'Upload already exists' }),
  answer(409, 'incorrect upload offset'),
]
const STALL: Fault = { name: 'a socket that stalls', fault: { at: 'middle', do: { stallMs: 1_000 } } }

interface Fault {
  readonly name: string
  readonly fault: Omit<FaultInput, 'match'>
}

function answer(status: number, body: unknown, headers: Record<string, string> = {}): Fault {
  return { name: `${status} ${JSON.stringify(body)}`, fault: { do: { status, body, headers } } }
}

/** Faults that make sense for a request. */
function faultsFor({ method, path, requestBytes }: RecordedRequest): readonly Fault[] {
  const isUpload = UPLOAD.test(`${method} ${path}`)
  return [
    ...CUTS.filter(({ fault }) => fault.at !== 'middle' || requestBytes > 0),
    ...REFUSALS.filter(({ fault }) => fault.at !== 'middle' || isUpload),
    ...(isUpload ? CONFLICTS : []),
    ...(requestBytes > 10_000 ? [STALL] : []),
  ]
}

let apps = 0

/** A new app on the server, and runs that publish to it. */
function createSite(capgo: LocalCapgo, inputs: Readonly<Record<string, string>>) {
  const appId = `com.example.app${++apps}`
  capgo.seedApp({ appId })
  const key = capgo.seedKey({ appId, role: 'app_admin' })
  const repo = 'private-key' in inputs ? encrypted : open
  const publish = (more: Partial<ShortRunOptions> = {}): Promise<ShortRun> =>
    runHere({
      repo: repo.path,
      sha: repo.head,
      ...more,
      inputs: {
        'capgo-token': key,
        'api-url': capgo.url,
        'app-id': appId,
        build: 'false',
        ...inputs,
        ...more.inputs,
      },
    })
  /** What a phone has in the end. */
  async function install() {
    capgo.clock.advance(30_000)
    const device = new Device({
      capgoUrl: capgo.url,
      appId,
      ...('private-key' in inputs ? { decrypt: createDecryptor(publicKey) } : {}),
    })
    return (await device.update())?.files ?? null
  }
  const inProgress = () =>
    capgo.store
      .list('app_versions', { app_id: appId, storage_provider: 'r2-direct' })
      .filter(({ deleted }) => !deleted)
      .map(({ name }) => name)
  return { appId, publish, install, inProgress }
}

async function start(options: LocalCapgoOptions): Promise<LocalCapgo> {
  const capgo = await startCapgo({ limits: false, ...options })
  // The server takes up delta files after some ten seconds of its clock.
  const clock = setInterval(() => capgo.clock.advance(2000), 50)
  onTestFinished(async () => {
    clearInterval(clock)
    await capgo.stop()
  })
  return capgo
}

const expected = new Map(Object.entries(WEB).map(([path, content]) => [path, Buffer.from(content)]))

describe.each(Object.entries(CASES))('%s', (_title, { server, inputs, only }) => {
  it('is published in spite of a fault in any request, or by the next run', async () => {
    const capgo = await start(server)
    const undisturbed = createSite(capgo, inputs)
    const first = await undisturbed.publish()
    expect(first.outputs.outcome, first.errors.join()).toBe('published')
    expect(await undisturbed.install()).toEqual(expected)
    const own = (path: string) => path.replaceAll(undisturbed.appId, 'APP')
    const requests = capgo.requests.filter(
      ({ method, path }) =>
        !/\/(updates|stats)$|\/files\/read\//.test(path) &&
        (only === undefined || only.test(`${method} ${path}`)),
    )
    const kinds = new Map(
      requests.map(request => [`${request.method} ${own(request.path).replace(/\?.*/, '')}`, request]),
    )
    expect(kinds.size).toBeGreaterThan(0)

    const needingAnotherRun: string[] = []
    for (const [kind, request] of kinds)
      for (const { name, fault } of faultsFor(request)) {
        const where = `${name}: ${kind}`
        const site = createSite(capgo, inputs)
        const path = request.path.replace(/\?.*/, '').replace(undisturbed.appId, site.appId)
        capgo.faults.add({ match: { method: request.method, path: exactly(path) }, ...fault })
        const run = await site.publish()
        capgo.faults.clear()
        let last = run
        if (!run.isGreen) {
          needingAnotherRun.push(`${where}\n${run.errors.join()}`)
          expect(run.outputs['error-code'], where).toMatch(/^(?!internal)[a-z0-9_]+$/)
          expect(run.errors, where).toHaveLength(1)
          last = await site.publish({ attempt: 2 })
        }
        expect(last.outputs.outcome, `${where}\n${last.errors.join('\n')}`).toMatch(/^(published|unchanged)$/)
        expect(await site.install(), where).toEqual(expected)
        expect(site.inProgress(), where).toEqual([])
      }
    // A single fault is no reason to fail.
    expect(needingAnotherRun).toEqual([])
  }, 600_000)

  it('fails with one clear error while a request never works, and the next run repairs it', async () => {
    const capgo = await start(server)
    const undisturbed = createSite(capgo, inputs)
    await undisturbed.publish()
    const kinds = new Set(
      capgo.requests
        .map(
          ({ method, path }) => `${method} ${path.replace(/\?.*/, '').replaceAll(undisturbed.appId, 'APP')}`,
        )
        .filter(kind => !kind.includes('/files/read/') && (only === undefined || only.test(kind))),
    )
    for (const kind of kinds)
      for (const fault of [{ do: 'drop' }, { at: 'after', do: 'drop' }, { do: { status: 503 } }] as const) {
        const where = `${JSON.stringify(fault)}: ${kind}`
        const site = createSite(capgo, inputs)
        const [method = '', path = ''] = kind.replaceAll('APP', site.appId).split(' ')
        capgo.faults.add({
          match: { method, path: exactly(path) },
          ...fault,
          times: Number.POSITIVE_INFINITY,
        })
        const run = await site.publish({ http: { outage: 100 } })
        capgo.faults.clear()
        if (!run.isGreen) {
          expect(run.outputs['error-code'], where).toMatch(/^(?!internal)[a-z0-9_]+$/)
          expect(run.errors, where).toHaveLength(1)
        }
        const again = run.isGreen ? run : await site.publish({ attempt: 2 })
        expect(again.outputs.outcome, `${where}\n${again.errors.join('\n')}`).toMatch(
          /^(published|unchanged)$/,
        )
        expect(await site.install(), where).toEqual(expected)
        expect(site.inProgress(), where).toEqual([])
      }
  }, 600_000)
})

describe('a runner that loses its network', () => {
  const inputs = { delta: 'false' }

  it.each(['ECONNREFUSED', 'ENOTFOUND'])('in the middle of an upload: %s', async code => {
    const capgo = await start({ filesConfig: { maxChunkSize: 30_000 } })
    const network = await createNetwork(capgo)
    capgo.faults.add({
      match: { method: 'PATCH', path: /upload/ },
      at: 'middle',
      do: () => network.lose(400, code),
    })
    const site = createSite(capgo, inputs)
    const run = await site.publish(network.options)
    expect(run.outputs.outcome, run.errors.join()).toBe('published')
    expect(run.log.filter(line => line.includes('did not answer')).length).toBeGreaterThan(5)
    expect(await site.install()).toEqual(expected)
    // What had arrived was not sent again.
    expect(sentBytes(capgo)).toBeLessThan(zipSize(capgo, site.appId) + 30_000)
  })

  it('for 20 seconds, with the pauses of production', async () => {
    const capgo = await start({})
    const network = await createNetwork(capgo)
    capgo.faults.add({
      match: { method: 'POST', path: /upload/ },
      at: 'middle',
      do: () => network.lose(20_000, 'ENOTFOUND'),
    })
    const site = createSite(capgo, inputs)
    const run = await site.publish({ ...network.options, realPauses: true })
    expect(run.outputs.outcome, run.errors.join()).toBe('published')
    expect(await site.install()).toEqual(expected)
  })

  it('for good: one clear error, and the next run goes on with what is there', async () => {
    const capgo = await start({ filesConfig: { maxChunkSize: 30_000 } })
    const network = await createNetwork(capgo)
    capgo.faults.add({
      match: { method: 'PATCH', path: /upload/, nth: 2 },
      do: () => network.lose(60_000, 'ECONNREFUSED'),
    })
    const site = createSite(capgo, inputs)
    const run = await site.publish({ ...network.options, http: { outage: 200 } })
    expect(run.outputs['error-code']).toBe('no_connection')
    expect(run.errors).toHaveLength(1)
    network.restore()
    const sent = sentBytes(capgo)
    expect(sent).toBeGreaterThanOrEqual(60_000)
    const again = await site.publish({ ...network.options, attempt: 2 })
    expect(again.outputs.outcome, again.errors.join()).toBe('published')
    expect(await site.install()).toEqual(expected)
    // The first two chunks had arrived.
    expect(sentBytes(capgo) - sent).toBe(zipSize(capgo, site.appId) - 60_000)
  })
})

describe('a run that was killed', () => {
  it.each([
    ['in one request', {}],
    ['in chunks', { maxChunkSize: 30_000 }],
  ])('while it sent a zip %s is run again: only the rest is sent', async (_, filesConfig) => {
    const capgo = await start({ filesConfig })
    const site = createSite(capgo, { delta: 'false' })
    const killed = kill(capgo, {
      match: { path: /upload/, nth: 'maxChunkSize' in filesConfig ? 2 : 1 },
      at: 'middle',
    })
    await Promise.all([site.publish({ http: { outage: 0 } }), killed])
    const before = sentBytes(capgo)
    expect(before).toBeGreaterThan(30_000)
    capgo.faults.clear()
    const run = await site.publish({ attempt: 2 })
    expect(run.outputs.outcome, run.errors.join()).toBe('published')
    expect(await site.install()).toEqual(expected)
    expect(sentBytes(capgo)).toBe(zipSize(capgo, site.appId))
  })

  it('while it sent delta files is run again: larger ones are asked for and not sent again', async () => {
    const capgo = await start({ profile: 'new' })
    const site = createSite(capgo, { delta: 'only' })
    const killed = kill(capgo, { match: { path: /set_manifest/ }, at: 'before' })
    await Promise.all([site.publish({ http: { outage: 0 } }), killed])
    const before = sentBytes(capgo)
    expect(before).toBeGreaterThan(80_000)
    capgo.faults.clear()
    const run = await site.publish({ attempt: 2 })
    expect(run.outputs.outcome, run.errors.join()).toBe('published')
    expect(await site.install()).toEqual(expected)
    // The two pictures were there.
    expect(sentBytes(capgo) - before).toBeLessThan(1_000)
  })
})

/** Until the server has taken in what arrived. */
const settled = () => sleep(20)

/** From a request on nothing gets through any more: what a killed run looks like to the server. */
function kill(capgo: LocalCapgo, fault: Pick<FaultInput, 'match' | 'at'>): Promise<void> {
  return new Promise(resolve => {
    capgo.faults.add({
      ...fault,
      async do() {
        await settled()
        capgo.faults.add({ match: {}, do: 'drop', times: Number.POSITIVE_INFINITY })
        setTimeout(resolve, 50)
        throw new Error('the client is gone')
      },
    })
  })
}

const sentBytes = (capgo: LocalCapgo) =>
  capgo.requests
    .filter(({ path }) => path.includes('/files/upload/'))
    .reduce((sum, { requestBytes }) => sum + requestBytes, 0)

function zipSize(capgo: LocalCapgo, appId: string): number {
  const [bundle] = capgo.store.list('app_versions', { app_id: appId })
  return capgo.store.objects.stat(bundle!.r2_path!)!.size
}

/** A wire to the server that can be gone: connections are cut, new ones refused, or the name is not found. */
async function createNetwork(capgo: LocalCapgo) {
  const target = Number(new URL(capgo.url).port)
  const sockets = new Set<Socket>()
  const wire = createServer(client => {
    const server = connect(target, '127.0.0.1')
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
    }
    client.pipe(server)
    // The server names itself where an upload goes on; that has to lead through the wire, too.
    const rename = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        const text = chunk.toString('latin1').replace(`ocation: ${capgo.url}`, `ocation: ${url}`)
        done(null, Buffer.from(text, 'latin1'))
      },
    })
    server.pipe(rename).pipe(client)
  })
  const listen = async (port: number) => {
    wire.listen(port, '127.0.0.1')
    await once(wire, 'listening')
    return (wire.address() as AddressInfo).port
  }
  const port = await listen(0)
  const url = `http://localhost:${port}`
  let hasNames = true
  const dispatcher = new Agent({
    connect: {
      lookup(hostname, options, callback) {
        if (hasNames) lookup(hostname, options, callback)
        else
          callback(Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), { code: 'ENOTFOUND' }), [])
      },
    },
  })
  const restore = () => {
    hasNames = true
    if (!wire.listening) wire.listen(port, '127.0.0.1')
  }
  let timer: NodeJS.Timeout | undefined
  onTestFinished(async () => {
    clearTimeout(timer)
    await dispatcher.destroy()
    wire.close()
  })
  return {
    restore,
    async lose(ms: number, code: string): Promise<void> {
      await settled()
      if (code === 'ENOTFOUND') hasNames = false
      else wire.close()
      for (const socket of sockets) socket.destroy()
      timer = setTimeout(restore, ms)
      throw new Error('the network is gone')
    },
    options: {
      dispatcher,
      inputs: { 'api-url': url, 'database-url': url, 'database-key': capgo.anonKey },
    },
  }
}

/** Of whatever query; addresses of uploads are drawn on the edge runtime. */
function exactly(path: string): RegExp {
  const text = path
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replace(/(upload\/attachments\/)[0-9a-f-]{36}$/, '$1[^?]+')
  return new RegExp(`^${text}(\\?|$)`)
}
