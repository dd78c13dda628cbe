/** The official CLI, of which the local Capgo knows nothing, works against it: what it did is looked at as a device would. */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LocalCapgo, startCapgo } from '../../local/capgo/index.ts'
import { createDecryptor } from '../../local/decrypt.ts'
import { Device } from '../../local/device.ts'
import { unzip } from '../../local/device-files.ts'
import { createKeyPair } from '../helpers/key-pair.ts'
import { runHere } from '../integration/in-process.ts'

const BENCH = fileURLToPath(new URL('../../bench/', import.meta.url))
const CLI = join(BENCH, 'node_modules/@capgo/cli/dist/index.js')
const APP = 'com.example.daybreak'
const SCRIPT = 'CapacitorUpdater.notifyAppReady()\n'

let capgo: LocalCapgo
let key: string
let folder: string

beforeAll(async () => {
  // Its one install script compiles a terminal for its wizards: that takes a C++ compiler, and nothing here uses it.
  if (!existsSync(CLI))
    await promisify(execFile)('npm', ['ci', '--prefix', BENCH, '--no-audit', '--ignore-scripts'])
  // This CLI hands over delta files by a route that older servers lack.
  capgo = await startCapgo({ profile: 'new' })
  capgo.seedApp({ appId: APP })
  key = capgo.seedKey({ appId: APP, role: 'app_admin' })
  folder = mkdtempSync(join(tmpdir(), 'capgo-cli-'))
  write('capacitor.config.json', {
    appId: APP,
    appName: 'Daybreak',
    webDir: 'dist',
    plugins: {
      CapacitorUpdater: {
        localHost: capgo.url,
        localApi: capgo.url,
        localApiFiles: capgo.url,
      },
    },
  })
  const dependencies = { '@capacitor/core': '8.0.0', '@capgo/capacitor-updater': '8.51.2' }
  write('package.json', { name: 'daybreak', version: '1.0.0', private: true, dependencies })
  for (const [name, version] of Object.entries(dependencies))
    write(`node_modules/${name}/package.json`, { name, version })
  write('dist/app.js', SCRIPT)
})

afterAll(async () => {
  await capgo?.stop()
  if (folder) rmSync(folder, { recursive: true, force: true })
})

function write(path: string, content: string | object): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), typeof content === 'string' ? content : JSON.stringify(content, null, 2))
}

/** Runs the CLI in the app's folder; throws with what it printed when it fails. */
function cli(...words: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      cwd: folder,
      timeout: 60_000,
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        CI: 'true',
        CAPGO_DISABLE_TELEMETRY: 'true',
        CAPGO_SKIP_UPDATE_PROMPT: 'true',
        // Whatever it wants of the rest of the world, such as its newest version, fails at once: nobody is on port 9.
        NODE_USE_ENV_PROXY: '1',
        HTTP_PROXY: 'http://127.0.0.1:9',
        HTTPS_PROXY: 'http://127.0.0.1:9',
        NO_PROXY: '127.0.0.1',
      },
    }
    // Nothing is decrypted on the server.
    const login = words[1] === 'decrypt' ? [] : ['--apikey', key]
    execFile(process.execPath, [CLI, ...words, ...login], options, (error, stdout, stderr) => {
      const printed = `${stdout}${stderr}`
      if (error) reject(new Error(`capgo ${words.join(' ')}: exit ${error.code}\n${printed}`))
      else resolve(printed)
    })
  })
}

/** What a phone on this channel has after its next start: every file is downloaded and verified. */
async function shown(channel: string) {
  const device = new Device({
    capgoUrl: capgo.url,
    appId: APP,
    versionBuild: '1.0.0',
    defaultChannel: channel,
  })
  const installed = await device.update()
  const files = [...(installed?.files ?? [])].map(([name, content]) => [name, content.toString()])
  return {
    version: device.installed,
    files: Object.fromEntries(files),
    checksum: installed?.checksum ?? null,
  }
}

const channelNames = () => capgo.store.list('channels', { app_id: APP }).map(({ name }) => name)

it('channel add', async () => {
  await cli('channel', 'add', 'production', APP, '--self-assign')
  expect(channelNames()).toEqual(['production'])
})

it.each([
  ['--zip', '1.0.1', { presigned: 1, tus: 0, manifests: 0 }],
  ['--tus', '1.0.2', { presigned: 0, tus: 1, manifests: 0 }],
  // The zip goes along for old devices.
  ['--delta', '1.0.3', { presigned: 0, tus: 3, manifests: 1 }],
])(
  'bundle upload %s',
  async (way, version, expected) => {
    const page = `<h1>${version}</h1>\n`
    write('dist/index.html', page)
    const before = capgo.requests.length
    await cli('bundle', 'upload', APP, '--bundle', version, '--channel', 'production', way)

    const bundle = capgo.store.find('app_versions', { app_id: APP, name: version })!
    expect(bundle).toMatchObject({ deleted: false, storage_provider: 'r2' })
    expect(await shown('production')).toEqual({
      version,
      files: { 'app.js': SCRIPT, 'index.html': page },
      // A device takes the files of a delta bundle, not its zip.
      checksum: way === '--delta' ? null : bundle.checksum,
    })
    const posts = capgo.requests.slice(before).filter(({ method }) => method === 'POST')
    const count = (start: string) => posts.filter(({ path }) => path.startsWith(start)).length
    expect({
      presigned: count('/files/upload_link'),
      tus: count('/files/upload/attachments'),
      manifests: count('/private/set_manifest'),
    }).toEqual(expected)
  },
  90_000,
)

it('channel set, to a bundle', async () => {
  await cli('channel', 'set', 'production', APP, '--bundle', '1.0.1')
  expect((await shown('production')).version).toBe('1.0.1')
})

it('channel set, an option', async () => {
  await cli('channel', 'set', 'production', APP, '--disable-auto-update', 'minor')
  expect(capgo.store.find('channels', { app_id: APP, name: 'production' })!.disable_auto_update).toBe('minor')
})

it('bundle list', async () => {
  const printed = await cli('bundle', 'list', APP)
  for (const version of ['1.0.1', '1.0.2', '1.0.3']) expect(printed).toContain(version)
})

it('channel delete', async () => {
  await cli('channel', 'delete', 'production', APP)
  expect(channelNames()).toEqual([])
  expect(capgo.deleteAllAttempts).toEqual([])
})

describe('encryption', () => {
  const { privateKey, publicKey } = createKeyPair()
  const page = '<h1>secret</h1><script src="app.js"></script>\n'

  beforeAll(() => {
    const config = JSON.parse(readFileSync(join(folder, 'capacitor.config.json'), 'utf8'))
    config.plugins.CapacitorUpdater.publicKey = publicKey
    write('capacitor.config.json', config)
    write('dist/index.html', page)
  })

  it.each([
    ['--tus', '1.1.1'],
    ['--delta', '1.1.2'],
    ['--delta-only', '1.1.3'],
  ])(
    'bundle upload %s: devices with the key take it',
    async (way, version) => {
      if (!channelNames().includes('sealed')) await cli('channel', 'add', 'sealed', APP, '--self-assign')
      const own = `${page}${version}`
      write('dist/index.html', own)
      const words = ['--bundle', version, '--channel', 'sealed', way, '--key-data-v2', privateKey]
      await cli('bundle', 'upload', APP, ...words)
      const bundle = capgo.store.find('app_versions', { app_id: APP, name: version })!
      expect(bundle.session_key).not.toBe('')
      const options = { capgoUrl: capgo.url, appId: APP, versionBuild: '1.0.0', defaultChannel: 'sealed' }
      const installed = await new Device({ ...options, decrypt: createDecryptor(publicKey) }).update()
      expect(
        [...(installed?.files ?? [])].map(([name, content]) => [name, content.toString()]).sort(),
      ).toEqual([
        ['app.js', SCRIPT],
        ['index.html', own],
      ])
      await expect(new Device(options).update()).rejects.toThrow('decrypt_fail')
    },
    90_000,
  )

  it('bundle decrypt opens what this action published', async () => {
    const appId = `${APP}.sealed`
    capgo.seedApp({ appId })
    const token = capgo.seedKey({ appId, role: 'app_admin' })
    const run = await runHere({
      repo: folder,
      sha: '0123456789abcdef0123456789abcdef01234567',
      inputs: {
        'capgo-token': token,
        'api-url': capgo.url,
        'app-id': appId,
        'private-key': privateKey,
        build: 'false',
        delta: 'false',
      },
    })
    expect(run.outputs.outcome, run.errors.join()).toBe('published')
    const [bundle] = capgo.store.list('app_versions', { app_id: appId, storage_provider: 'r2' })
    const { r2_path: key, session_key: sessionKey, checksum } = bundle!
    const stored = await fetch(`${capgo.url}/files/read/attachments/${key}`)
    writeFileSync(join(folder, 'sealed.zip'), Buffer.from(await stored.arrayBuffer()))
    const words = ['bundle', 'decrypt', 'sealed.zip', sessionKey!, '--checksum', checksum!]
    expect(await cli(...words)).toContain('Checksum matches')
    const files = await unzip(readFileSync(join(folder, 'sealed.zip_decrypted.zip')))
    expect(files.get('app.js')?.toString()).toBe(SCRIPT)
    expect(files.get('index.html')).toEqual(readFileSync(join(folder, 'dist/index.html')))
  })
})
