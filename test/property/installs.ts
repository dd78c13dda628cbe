/**
 * Web folders, publishes and deletions, one after another: what the run says is published is what every device installs,
 * byte for byte, also after the server has collected what was deleted.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib'
import fc from 'fast-check'
import { type LocalCapgo, startCapgo } from '../../local/capgo/index.ts'
import { createDecryptor } from '../../local/decrypt.ts'
import { Device } from '../../local/device.ts'
import { createRepository, type Repository } from '../../local/repository.ts'
import { createKeyPair } from '../helpers/key-pair.ts'
import { runHere } from '../integration/in-process.ts'

const APP_ID = 'com.example.app'
const SCRIPT = 'CapacitorUpdater.notifyAppReady()\n'
const CHANNELS = ['production', 'beta', 'next'] as const
/** What the server's queues take, and half of it. */
const ROUND = 10_000
/** Errors of a run that has published nothing; whatever else goes wrong is a fault of the action. */
const REFUSALS = /^(case_conflicts|invalid_file_names|web_dir_invalid|bundle_vanished)$/
/** Plugins: of today, and one that knows no delta files. */
const TODAY = '8.51.23'
const WITHOUT_DELTA = '7.0.34'

/** Path to content. */
type Folder = ReadonlyMap<string, Buffer>

/** Where a deletion and the server's queues come in between a publish: right before this request, or after it. */
const MOMENTS = [
  { method: 'POST', path: /\/files\/upload\/attachments/ },
  { method: 'POST', path: /\/rest\/v1\/app_versions/ },
  { method: 'POST', path: /\/private\/set_manifest/ },
  { method: 'PATCH', path: /\/rest\/v1\/app_versions/ },
  { method: 'PUT', path: /\/bundle/ },
] as const

export interface Change {
  readonly kind:
    | 'add'
    | 'edit'
    | 'remove'
    | 'rename'
    | 'alias'
    | 'compress'
    | 'copy'
    | 'back'
    | 'restore'
    | 'many'
  readonly which: number
  readonly name: string
  readonly content: Content
}
interface Content {
  readonly size: number
  readonly isText: boolean
}
export type Step =
  | {
      readonly do: 'publish'
      readonly changes: readonly Change[]
      readonly channel: (typeof CHANNELS)[number]
      readonly delta: 'auto' | 'true' | 'false' | 'only'
      /** Somebody deletes every bundle that no channel serves, and the queues run. */
      readonly meanwhile: {
        readonly moment: number
        readonly at: 'before' | 'after'
        /** The other channels serve nothing any more, as those of pull requests that are closed. */
        readonly closes: boolean
      } | null
    }
  | { readonly do: 'delete' }
  | { readonly do: 'close'; readonly channel: (typeof CHANNELS)[number] }
  | { readonly do: 'wait'; readonly ms: number }
export interface History {
  readonly profile: 'new' | 'base'
  readonly isEncrypted: boolean
  readonly steps: readonly Step[]
  /** Devices install only what is there in the end. */
  readonly isLarge?: boolean
}

const PIECES = [
  'my photo',
  'my_photo',
  'my+photo',
  'ä',
  'a\u0308',
  'ö',
  'A',
  'a',
  '日本',
  '👍',
  '%20',
  '%',
  '#',
  '?',
  '&',
  "'",
  '"',
  '(',
  ' ',
  '_',
  '-',
  '~',
  '\\',
  '.hidden',
  'x'.repeat(90),
]
const ENDINGS = ['.txt', '.js', '.png', '.br', '.js.br', '.br.br', '.gz', '']
const segment = fc
  .tuple(fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 2 }), fc.constantFrom(...ENDINGS))
  .map(([pieces, ending]) => pieces.join('') + ending)
const name = fc.array(segment, { minLength: 1, maxLength: 3 }).map(parts => parts.join('/'))
/** Around every size from which a file is treated otherwise. */
const SIZES = [0, 1, 9, 8191, 8192, 8193, 65_536, 65_537, 524_288, 524_289]
const content: fc.Arbitrary<Content> = fc.record({
  size: fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 0, max: 300 }) },
    { weight: 2, arbitrary: fc.constantFrom(...SIZES) },
  ),
  isText: fc.boolean(),
})
const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom(
    'add',
    'edit',
    'edit',
    'remove',
    'rename',
    'alias',
    'alias',
    'compress',
    'copy',
    'back',
    'restore',
    'restore',
  ),
  which: fc.nat(50),
  name,
  content,
})
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('publish' as const),
      changes: fc.array(change, { maxLength: 5 }),
      channel: fc.constantFrom(...CHANNELS),
      delta: fc.constantFrom('true', 'true', 'only', 'auto', 'false'),
      meanwhile: fc.option(
        fc.record({
          moment: fc.nat(MOMENTS.length - 1),
          at: fc.constantFrom('before' as const, 'after' as const),
          closes: fc.boolean(),
        }),
      ),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'delete' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('close' as const), channel: fc.constantFrom(...CHANNELS) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(ROUND / 2, ROUND) }),
  },
)
export const histories: fc.Arbitrary<History> = fc.record({
  profile: fc.constantFrom('new', 'new', 'base'),
  isEncrypted: fc.constantFrom(false, false, true),
  steps: fc.array(step, { minLength: 3, maxLength: 8 }),
})

/** Bytes that differ from file to file: `salt` makes an edit one. */
function bytesOf({ size, isText }: Content, salt: number): Buffer {
  const bytes = Buffer.alloc(size)
  let state = (salt * 2_654_435_761 + size) >>> 0 || 1
  for (let at = 0; at < size; at++) {
    if (!isText || at % 64 === 0) {
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      state >>>= 0
    }
    bytes[at] = isText ? 97 + ((state + at) % 16) : state & 255
  }
  return bytes
}

const ODDITIES = ['_', ' ', '+', 'ä', 'ö', '?', '~']
const ODD = /[_ +äö?~]/

/** The folder after a change; `earlier` are those of the publishes before. */
function applyChange(
  folder: Folder,
  { kind, which, name: to, content: of }: Change,
  earlier: readonly Folder[],
  salt: number,
): Folder {
  const names = [...folder.keys()].filter(path => path !== 'index.html' && path !== 'app.js')
  const from = names[which % Math.max(1, names.length)]
  const next = new Map(folder)
  const before = earlier[which % Math.max(1, earlier.length)] ?? folder
  if (kind === 'back') return before
  if (kind === 'restore')
    for (const path of [...before.keys()].slice(0, 1 + (which % 4))) next.set(path, before.get(path)!)
  if (kind === 'many') for (let n = 0; n < which; n++) next.set(`${to}/icon ${n}.svg`, bytesOf(of, n))
  if (kind === 'add') next.set(to, bytesOf(of, salt))
  else if (kind !== 'many' && from !== undefined) {
    const old = folder.get(from)!
    if (kind === 'edit') next.set(from, bytesOf(of, salt))
    if (kind === 'copy') next.set(to, old)
    if (kind === 'compress') next.set(`${from}.br`, brotliCompressSync(old))
    if (kind === 'remove' || kind === 'rename' || kind === 'alias') next.delete(from)
    if (kind === 'rename') next.set(to, old)
    // Names that a careless key would take for the same.
    if (kind === 'alias') next.set(from.replace(ODD, ODDITIES[which % ODDITIES.length]!), old)
  }
  // A name cannot be that of a file and of a folder.
  const foldersOf = (path: string) => [...path.matchAll(/\//g)].map(({ index }) => path.slice(0, index))
  return [...next.keys()].some(path => foldersOf(path).some(folder => next.has(folder))) ? folder : next
}

/** What of a folder goes to devices: compressed copies of files beside them stay out. */
function shipped(folder: Folder): Map<string, Buffer> {
  const isCopy = (path: string, bytes: Buffer) => {
    const plain = path.endsWith('.br') ? folder.get(path.slice(0, -3)) : undefined
    try {
      return plain !== undefined && brotliDecompressSync(bytes).equals(plain)
    } catch {
      return false
    }
  }
  return new Map([...folder].filter(([path, bytes]) => !isCopy(path, bytes)))
}

/** What a history came to, for the test's own account. */
export interface Tally {
  publishes: number
  refused: number
  installs: number
  collected: number
  sentAgain: number
}
export const newTally = (): Tally => ({ publishes: 0, refused: 0, installs: 0, collected: 0, sentAgain: 0 })

const keys = createKeyPair()

/** Plays a history. Throws where a device does not have what the runs said. */
export async function play(history: History, tally: Tally): Promise<void> {
  const { profile, isEncrypted } = history
  const capgo = await startCapgo({ profile, limits: false, now: Date.parse('2026-11-23T11:00:00Z') })
  const repo = createRepository({ files: { 'README.md': 'x' }, branch: 'main' })
  try {
    await new Played(capgo, repo, isEncrypted, tally).play(history)
  } finally {
    await capgo.stop()
    repo.remove()
  }
}

class Played {
  readonly #capgo: LocalCapgo
  readonly #repo: Repository
  readonly #isEncrypted: boolean
  readonly #tally: Tally
  readonly #key: string
  /** Devices that stay, and so have files of earlier bundles. */
  readonly #old = new Map<string, Device>()
  /** What each channel serves, as the runs said, and in which form. */
  readonly #served = new Map<string, { readonly files: Folder; readonly delta: string }>()
  readonly #earlier: Folder[] = []
  #folder: Folder = new Map([
    ['index.html', Buffer.from('<script src="app.js"></script>')],
    ['app.js', Buffer.from(SCRIPT)],
    ['my photo.txt', Buffer.from('a photo')],
    ['ä/ö.js', Buffer.from('// odd')],
    ['lib.js', bytesOf({ size: 9000, isText: true }, 1)],
  ])
  #run = 0

  constructor(capgo: LocalCapgo, repo: Repository, isEncrypted: boolean, tally: Tally) {
    this.#capgo = capgo
    this.#repo = repo
    this.#isEncrypted = isEncrypted
    this.#tally = tally
    capgo.seedApp({ appId: APP_ID })
    this.#key = capgo.seedKey({ appId: APP_ID, role: 'app_admin' })
    for (const channel of CHANNELS)
      capgo.seedChannel({
        appId: APP_ID,
        name: channel,
        public: channel === 'production',
        allow_device_self_set: true,
      })
    const updater = isEncrypted ? { CapacitorUpdater: { publicKey: keys.publicKey } } : {}
    const dependencies = { '@capacitor/core': '8.0.0', '@capgo/capacitor-updater': '8.51.23' }
    const packages = Object.entries(dependencies).map(([of, version]) => [
      `node_modules/${of}/package.json`,
      JSON.stringify({ name: of, version }),
    ])
    repo.write({
      'capacitor.config.json': JSON.stringify({
        appId: APP_ID,
        appName: 'Tiny',
        webDir: 'www',
        plugins: updater,
      }),
      'package.json': JSON.stringify({ name: 'tiny', version: '1.2.0', private: true, dependencies }),
      ...Object.fromEntries(packages),
    })
  }

  async play({ steps, isLarge = false }: History): Promise<void> {
    for (const each of steps) {
      if (each.do === 'publish') await this.#publish(each)
      if (each.do === 'delete') this.#delete()
      if (each.do === 'close') this.#close(each.channel)
      if (each.do === 'wait') this.#capgo.clock.advance(each.ms)
      if (!isLarge) await this.#install(each.do)
    }
    this.#delete()
    this.#collect()
    await this.#install('the end')
  }

  async #publish({ changes, channel, delta, meanwhile }: Extract<Step, { do: 'publish' }>): Promise<void> {
    this.#run++
    for (const [index, each] of changes.entries())
      this.#folder = applyChange(this.#folder, each, this.#earlier, this.#run * 100 + index)
    this.#write()
    const { clock, faults, store } = this.#capgo
    const before = Math.max(0, ...store.list('app_versions').map(({ id }) => id))
    if (meanwhile !== null)
      faults.add({
        match: MOMENTS[meanwhile.moment]!,
        at: meanwhile.at,
        do: () => {
          if (meanwhile.closes) for (const other of CHANNELS) if (other !== channel) this.#close(other)
          this.#delete(before)
          clock.advance(ROUND)
        },
      })
    const run = await runHere({
      repo: this.#repo.path,
      sha: this.#repo.head,
      runId: 9_000_000_000 + this.#run,
      sleep: async ms => {
        clock.advance(ms)
        await sleep(1)
      },
      now: () => new Date(clock.now()),
      inputs: {
        'capgo-token': this.#key,
        'api-url': this.#capgo.url,
        build: 'false',
        deployments: 'false',
        comment: 'false',
        'native-version': '1.0.0',
        channels: `main: ${channel}`,
        delta,
        ...(this.#isEncrypted ? { 'private-key': keys.privateKey } : {}),
      },
    })
    faults.clear()
    this.#tally.publishes++
    if (run.log.some(line => /^Uploaded .* again/.test(line))) this.#tally.sentAgain++
    if (run.isGreen) {
      this.#earlier.push(this.#folder)
      this.#served.set(channel, { files: shipped(this.#folder), delta })
      return
    }
    this.#tally.refused++
    if (!REFUSALS.test(run.outputs['error-code'] ?? ''))
      throw new Error(`The run ended with ${run.outputs['error-code']}: ${run.errors.join('\n')}`)
  }

  #write(): void {
    const www = join(this.#repo.path, 'www')
    rmSync(www, { recursive: true, force: true })
    for (const [path, bytes] of this.#folder) {
      mkdirSync(dirname(join(www, path)), { recursive: true })
      writeFileSync(join(www, path), bytes)
    }
  }

  /** As `DELETE /bundle` does it with each bundle that no channel serves; not with one that is being published. */
  #delete(newest = Number.POSITIVE_INFINITY): void {
    const { store } = this.#capgo
    const served = new Set(store.list('channels', { app_id: APP_ID }).map(({ version }) => version))
    for (const bundle of store.list('app_versions', { app_id: APP_ID, deleted: false }))
      if (!served.has(bundle.id) && bundle.id <= newest && bundle.storage_provider !== 'r2-direct')
        store.update('app_versions', bundle, { deleted: true })
  }

  #close(channel: string): void {
    const { store } = this.#capgo
    store.update('channels', store.find('channels', { app_id: APP_ID, name: channel })!, { version: null })
    this.#served.delete(channel)
  }

  #collect(): void {
    const count = () => this.#capgo.store.list('objects').filter(({ key }) => key.startsWith('orgs/')).length
    const before = count()
    this.#capgo.clock.advance(ROUND)
    this.#tally.collected += before - count()
  }

  /** New phones of both platforms and plugins, and one that was there before. */
  async #install(after: string): Promise<void> {
    for (const [channel, { files, delta }] of this.#served) {
      const known = this.#old.get(channel)
      const fresh = this.#device(channel, 'ios', TODAY)
      this.#old.set(channel, known ?? fresh)
      // A plugin without delta files needs a zip. It compares CRC32, so only encrypted bundles install.
      const takesZip = delta !== 'only' && this.#isEncrypted
      const simple = takesZip ? [this.#device(channel, 'android', WITHOUT_DELTA)] : []
      for (const device of [...(known === undefined ? [] : [known]), fresh, ...simple]) {
        const answer = await device.checkForUpdate()
        if (answer.kind === 'up_to_date' && device === known) continue
        if (answer.kind !== 'update')
          throw new Error(`After ${after} a device on ${channel} gets no bundle: ${answer.error}`)
        const bundle = await device.update().catch(error => {
          throw new Error(
            `After ${after} a device on ${channel} does not install ${answer.version}: ${error}`,
          )
        })
        compare(bundle!.files, files, `${answer.version} after ${after}`)
        this.#tally.installs++
      }
    }
  }

  #device(channel: string, platform: 'android' | 'ios', pluginVersion: string): Device {
    return new Device({
      capgoUrl: this.#capgo.url,
      appId: APP_ID,
      platform,
      pluginVersion,
      defaultChannel: channel,
      ...(this.#isEncrypted ? { decrypt: createDecryptor(keys.publicKey) } : {}),
    })
  }
}

function compare(found: Folder, wanted: Folder, what: string): void {
  for (const [path, bytes] of wanted)
    if (!found.get(path)?.equals(bytes))
      throw new Error(`${what}: ${JSON.stringify(path)} is ${found.has(path) ? 'another' : 'missing'}`)
  for (const path of found.keys())
    if (!wanted.has(path)) throw new Error(`${what}: ${JSON.stringify(path)} is too much`)
}
