/** What a bundle is made of: delta files, encryption, native packages, source maps. Devices take it in each form. */
import { randomBytes } from 'node:crypto'
import { brotliCompressSync } from 'node:zlib'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createDecryptor } from '../../local/decrypt.ts'
import { Device, type DeviceOptions } from '../../local/device.ts'
import type { Files } from '../../local/repository.ts'
import { createKeyPair } from '../helpers/key-pair.ts'
import { openPull } from './pull.ts'
import {
  APP_ID,
  createWorld as createQuietWorld,
  tinyApp,
  type World,
  type WorldOptions,
  withoutChance,
} from './scenario.ts'
import { dispatch } from './stages.ts'

/** A world whose clock runs fast: the server takes up delta files after some ten seconds. */
async function createWorld(options: WorldOptions): Promise<World> {
  const world = await createQuietWorld(options)
  const clock = setInterval(() => world.capgo.clock.advance(2000), 100)
  onTestFinished(() => clearInterval(clock))
  return world
}

/** It leads to the script that calls notifyAppReady(). */
const page = (text: string) => `<script src="app.js"></script>${text}`
/** Compressible, and larger than what is compressed at all. */
const SCRIPT = `CapacitorUpdater.notifyAppReady();${'console.log("hello");'.repeat(1000)}`
const IMAGE = Buffer.from(Array.from({ length: 9000 }, (_, index) => (index * 7919) % 251))

/** An app whose web build is in the repository; `updater` = version of the plugin. */
function webApp(web: Files, updater: string | null = '8.0.0', config: object = {}): Files {
  return {
    ...tinyApp(),
    'capacitor.config.json': JSON.stringify({
      appId: APP_ID,
      webDir: 'web',
      plugins: { CapacitorUpdater: config },
    }),
    'package.json': JSON.stringify({
      name: 'tiny',
      version: '1.2.0',
      dependencies: updater === null ? {} : { '@capgo/capacitor-updater': updater },
    }),
    ...Object.fromEntries(Object.entries(web).map(([path, content]) => [`web/${path}`, content])),
  }
}

const WEB: Files = {
  'index.html': '<script src="app.js"></script>',
  'app.js': SCRIPT,
  'img/logo.png': IMAGE,
  'a name with spaces & ümlauts.txt': 'text',
  'empty.txt': '',
}

/** Names at which devices undo brotli, around every size at which files are treated otherwise. */
const ENDING_IN_BR: Files = {
  'd.br': 'Demat, bed!',
  'd.br.br': 'twice',
  '.br': 'the ending alone',
  'empty.br': '',
  'Data.BR': 'devices mind the case',
  'folder.br/a.txt': 'a',
  'large.br': randomBytes(9000),
  'on-disk.br': randomBytes(600_000),
  // Beside files that hold something else: no copies.
  lang: 'en',
  'lang.br': 'br',
  longer: SCRIPT.slice(0, -1),
  'longer.br': brotliCompressSync(SCRIPT),
}

const publish = (world: World, inputs: Record<string, string> = {}) =>
  world.push('main', { inputs: { build: 'false', ...inputs } })

const filesSent = (world: World, since: number) =>
  world.capgo.requests
    .slice(since)
    .filter(({ method, path }) => method === 'POST' && path.includes('/files/upload/attachments')).length

const bundleOf = (world: World, name: string) =>
  world.capgo.store.list('app_versions', { app_id: APP_ID, name })[0]!

const device = (world: World, options: Partial<DeviceOptions> = {}) =>
  new Device({ capgoUrl: world.capgo.url, appId: APP_ID, ...options })

async function installed(world: World, options: Partial<DeviceOptions> = {}) {
  const bundle = await device(world, options).update()
  return Object.fromEntries(
    [...(bundle?.files ?? [])].map(([path, content]) => [path, content.toString('latin1')]),
  )
}

const asInstalled = (web: Files) =>
  Object.fromEntries(
    Object.entries(web).map(([path, content]) => [path, Buffer.from(content as string).toString('latin1')]),
  )

describe.each(['new', 'base'] as const)('delta files on a server with the profile %s', profile => {
  it('only what changed is sent, and devices get every file', async () => {
    const world = await createWorld({ files: webApp(WEB), server: { profile }, role: 'app_admin' })
    const run = await publish(world)
    expect(run.exitCode, run.visibleLog).toBe(0)
    expect(run.visibleLog).toContain('Uploaded all 5 files')
    expect(run.visibleLog.includes('Waiting for Capgo to take up 5 files.')).toBe(profile === 'base')
    expect(run.visibleLog).not.toContain('has not taken up')
    expect(await installed(world)).toEqual(asInstalled(WEB))
    const first = device(world)
    const answer = await first.checkForUpdate()
    expect(answer).toMatchObject({ kind: 'update', manifest: { length: 5 } })

    const changed = { ...WEB, 'index.html': '<script src="app.js"></script><p>changed</p>' }
    world.repo.commit({ 'web/index.html': changed['index.html'] })
    const since = world.capgo.requests.length
    const second = await publish(world)
    expect(second.visibleLog).toContain('Uploaded 1 of 5 files')
    // The zip, and the one file.
    expect(filesSent(world, since)).toBe(2)
    expect(await installed(world)).toEqual(asInstalled(changed))
  })

  it('only: there is no zip at all', async () => {
    const world = await createWorld({ files: webApp(WEB), server: { profile }, role: 'app_admin' })
    const run = await publish(world, { delta: 'only' })
    expect(run.exitCode, run.visibleLog).toBe(0)
    const [bundle] = world.capgo.store.list('app_versions', { app_id: APP_ID, name: '1.2.0' })
    expect(bundle).toMatchObject({ r2_path: null, storage_provider: 'r2', manifest_count: 5 })
    expect(await installed(world)).toEqual(asInstalled(WEB))
    world.repo.commit({ 'web/index.html': page('changed') })
    const since = world.capgo.requests.length
    const second = await publish(world, { delta: 'only' })
    expect(second.exitCode, second.visibleLog).toBe(0)
    expect(filesSent(world, since)).toBe(1)
    // Again: nothing is sent, and some of the files that devices are given are looked at.
    const before = world.capgo.requests.length
    const third = await publish(world, { delta: 'only' })
    expect(third.outputs.outcome).toBe('unchanged')
    expect(world.capgo.requests.length - before).toBeLessThanOrEqual(12)
  })

  it('files that another bundle stored are found for a new channel too', async () => {
    const world = await createWorld({ files: webApp(WEB), server: { profile }, role: 'app_admin' })
    await publish(world)
    const pull = await openPull(world, { files: { 'web/index.html': page('preview') } })
    const since = world.capgo.requests.length
    const run = await pull.run('opened', {}, { inputs: { build: 'false' } })
    expect(run.exitCode, run.visibleLog).toBe(0)
    expect(filesSent(world, since)).toBe(2)
  })
})

describe('delta', () => {
  it.each([
    ['the plugin is too old', '7.0.30', {}, 'does not support them'],
    ['nothing tells the plugin', null, {}, '@capgo/capacitor-updater is not installed'],
    ['the server takes none', '8.0.0', { runtime: 'edge' }, 'this server does not support them'],
  ] as const)('auto stays off when %s', async (_, updater, server, why) => {
    const world = await createWorld({ files: webApp(WEB, updater), server })
    const run = await publish(world)
    expect(run.exitCode, run.visibleLog).toBe(0)
    expect(run.visibleLog).toContain(why)
    expect(await installed(world)).toEqual(asInstalled(WEB))
  })

  it('is refused where the user insists and it is not possible', async () => {
    const world = await createWorld({ files: webApp(WEB, '7.0.30') })
    const run = await publish(world, { delta: 'true' })
    expect(run.exitCode).toBe(1)
    expect(run.outputs['error-code']).toBe('delta_impossible')
    expect(world.capgo.store.list('app_versions', { app_id: APP_ID, name: '1.2.0' })).toEqual([])
  })

  it.each([
    ['few files', 5],
    ['more files than are read at once', 1100],
  ])('one file that changed takes thirteen requests, and a look at each file: %s', async (_, count) => {
    const icons = Array.from({ length: count - 5 }, (_, index) => [
      `icons/${index}.svg`,
      `<svg id="${index}"/>`,
    ])
    const web: Files = { ...WEB, ...Object.fromEntries(icons) }
    const grown = `${SCRIPT}console.log("a text that stands nowhere else")`
    const world = await createWorld({
      files: webApp(web),
      server: { profile: 'new' },
      role: 'app_admin',
    })
    await publish(world)
    world.repo.commit({ 'web/app.js': grown })
    const since = world.capgo.requests.length
    const run = await publish(world)
    expect(run.visibleLog).toContain(`Uploaded 1 of ${count.toLocaleString('en-US')} files`)
    expect(run.visibleLog).toMatch(/^▸ 0:\d\d Publish$/m)
    expect(run.visibleLog).toMatch(/^Notice: .* [\d.]+ kB download, \d+ B as an update from 1\.2\.0\.$/m)
    // Each file that the list names is looked at once it does, before the channel moves.
    const all = world.capgo.requests.slice(since)
    const looks = all.filter(({ path }) => path.startsWith('/files/read/'))
    expect(new Set(looks.map(({ path }) => path.replace(/\?.*/, ''))).size).toBe(count)
    expect(looks).toHaveLength(count)
    const order = ['/private/set_manifest', '/files/read/', '/bundle']
    expect(
      order
        .map(part => all.findIndex(({ path }) => path.startsWith(part)))
        .every((at, index, places) => at > (places[index - 1] ?? -1)),
    ).toBe(true)
    const requests = all.filter(request => !looks.includes(request))
    expect(requests.map(({ method, path }) => `${method} ${path.replace(/\?.*/, '')}`).sort()).toEqual(
      [
        // Who, where and what limits.
        'GET /private/config',
        'GET /files/config',
        'GET /rest/v1/apps',
        // May we, and what is there?
        'POST /rest/v1/rpc/cli_check_permission',
        'GET /rest/v1/apps',
        // The plan, the row, the zip and the file, the list of files, the end.
        'POST /rest/v1/rpc/is_allowed_action_org_action',
        'POST /rest/v1/app_versions',
        'POST /files/upload/attachments/',
        'POST /files/upload/attachments/',
        'POST /private/set_manifest',
        'PATCH /rest/v1/app_versions',
        // Promote, read back.
        'PUT /bundle',
        'GET /rest/v1/channels',
      ].sort(),
    )
    // What grew is told by the list of files of the bundle before, in bytes as devices download them.
    const size = (name: string) =>
      world.capgo.store
        .list('manifest', { file_name: 'app.js.br' })
        .find(({ app_version_id }) => app_version_id === bundleOf(world, name).id)?.file_size ?? 0
    const [before, now] = [size('1.2.0'), size(run.outputs['bundle-version']!)]
    expect(before).toBeGreaterThan(0)
    expect(run.summary).toContain('<b>Files:</b> 1 changed since <code>1.2.0</code>')
    expect(run.summary).toContain(`| <code>app.js</code> | ${now} B | +${now - before} B |`)
    expect(await installed(world)).toMatchObject({ 'app.js': grown })
  })

  it('what grew is told by the zips where the server has not told the sizes of files', async () => {
    const world = await createWorld({ files: webApp(WEB) })
    await publish(world)
    for (const file of world.capgo.store.list('manifest', {}))
      world.capgo.store.update('manifest', file, { file_size: 0 })
    world.repo.commit({ 'web/app.js': `${SCRIPT}/* grown */` })
    const since = world.capgo.requests.length
    const run = await publish(world)
    expect(run.summary).toContain('<b>Files:</b> 1 changed since <code>1.2.0</code>')
    expect(
      world.capgo.requests
        .slice(since)
        .filter(({ path }) => path.startsWith('/files/read/') && path.includes('.zip')),
    ).toHaveLength(1)
  })

  it.each(['auto', 'only', 'false'])(
    'names that end in .br arrive with delta %s, and compressed copies stay out',
    async delta => {
      const copies: Files = {
        'app.js.br': brotliCompressSync(SCRIPT),
        'index.html.br': brotliCompressSync(String(WEB['index.html'])),
        'empty.txt.br': brotliCompressSync(''),
      }
      const web = { ...WEB, ...ENDING_IN_BR }
      const world = await createWorld({
        files: webApp({ ...web, ...copies }),
        role: 'app_admin',
        server: { profile: 'new' },
      })
      const run = await publish(world, { delta })
      expect(run.exitCode, run.visibleLog).toBe(0)
      expect(run.visibleLog).toContain('Left out: *.br (compressed copies of 3 files beside them')
      expect(run.summary).toContain('(compressed copies of 3 files beside them')
      expect(await installed(world)).toEqual(asInstalled(web))
      // What was stored under a name in .br is not taken for a file without it.
      const { 'd.br': text, ...left }: Files = { ...web, lang: 'changed' }
      const moved: Files = { ...left, d: text! }
      world.repo.commit({ 'web/d.br': null, 'web/d': text!, 'web/lang': 'changed' })
      const second = await publish(world, { delta })
      expect(second.exitCode, second.visibleLog).toBe(0)
      if (delta !== 'false')
        expect(second.visibleLog).toContain(`Uploaded 2 of ${Object.keys(moved).length} files`)
      expect(await installed(world)).toEqual(asInstalled(moved))
    },
  )

  it('a plan that is exhausted is told before there is a row or a file, whatever the key may', async () => {
    const world = await createWorld({ files: webApp(WEB), role: 'app_uploader', app: { planValid: false } })
    world.capgo.seedChannel({ appId: APP_ID, name: 'production', public: true })
    const run = await publish(world)
    expect(run.outputs['error-code']).toBe('on_premise_app')
    expect(world.capgo.requests.filter(({ path }) => path.includes('/files/upload'))).toEqual([])
    expect(world.capgo.store.list('app_versions', { app_id: APP_ID, name: '1.2.0' })).toEqual([])
  })

  it('with no file to send, the plan is asked for before there is a row', async () => {
    const world = await createWorld({ files: webApp(WEB), role: 'app_uploader' })
    world.capgo.seedChannel({ appId: APP_ID, name: 'production', public: true })
    await publish(world)
    world.repo.commit({ 'web/img/logo.png': null })
    world.capgo.store.update('orgs', world.capgo.store.list('orgs', {})[0]!, { plan_valid: false })
    const run = await publish(world)
    expect(run.outputs['error-code']).toBe('on_premise_app')
    expect(world.capgo.store.list('app_versions', { app_id: APP_ID, storage_provider: 'r2-direct' })).toEqual(
      [],
    )
  })

  it('a name that nobody is free to take ends the files that are under way', async () => {
    const world = await createWorld({ files: webApp(WEB) })
    await publish(world)
    world.repo.commit({ 'web/app.js': `${SCRIPT}/* grown */` })
    world.capgo.faults.add({
      match: { method: 'POST', path: '/rest/v1/app_versions' },
      do: { status: 403, body: JSON.stringify({ code: '42501', message: 'no' }) },
      times: Infinity,
    })
    const run = await publish(world)
    expect(run.outputs['error-code']).toBe('permission_missing')
    expect(await installed(world)).toEqual(asInstalled(WEB))
  })

  it('a run that died while files were sent is finished by the next', async () => {
    const world = await createWorld({ files: webApp(WEB) })
    world.capgo.faults.add({
      match: { method: 'POST', path: '/private/set_manifest' },
      do: { status: 500 },
      times: Infinity,
    })
    const died = await publish(world)
    expect(died.exitCode).toBe(1)
    world.capgo.faults.clear()
    const run = await publish(world)
    expect(run.exitCode, run.visibleLog).toBe(0)
    expect(await installed(world)).toEqual(asInstalled(WEB))
  })
})

describe('encryption', () => {
  const keys = () => createKeyPair()
  const { privateKey, publicKey } = keys()
  const decrypt = createDecryptor(publicKey)

  it.each([
    ['8.0.0', 'auto'],
    ['7.0.30', 'auto'],
    ['8.0.0', 'only'],
    ['8.0.0', 'false'],
  ])('with plugin %s and delta %s: devices with the key take it, others do not', async (updater, delta) => {
    const web = { ...WEB, ...ENDING_IN_BR }
    const world = await createWorld({ files: webApp(web, updater, { publicKey }) })
    const run = await publish(world, { 'private-key': privateKey, delta })
    expect(run.exitCode, run.visibleLog).toBe(0)
    for (const line of privateKey.trim().split('\n').slice(1, -1)) expect(run.log).not.toContain(line)
    const [bundle] = world.capgo.store.list('app_versions', { app_id: APP_ID, name: '1.2.0' })
    expect(bundle?.key_id).toMatch(/^MII/)
    expect(await installed(world, { decrypt, pluginVersion: updater })).toEqual(asInstalled(web))
    await expect(installed(world, { pluginVersion: updater })).rejects.toThrow()
    // The same content again is known by its signature.
    const again = await publish(world, { 'private-key': privateKey, delta })
    expect(again.outputs.outcome).toBe('unchanged')
  })

  it('a run that died is finished with the session key that is stored', async () => {
    const world = await createWorld({ files: webApp(WEB, '8.0.0', { publicKey }) })
    world.capgo.faults.add({
      match: { method: 'PATCH', path: '/rest/v1/app_versions' },
      do: { status: 500 },
      times: Infinity,
    })
    expect((await publish(world, { 'private-key': privateKey })).exitCode).toBe(1)
    world.capgo.faults.clear()
    const [started] = world.capgo.store.list('app_versions', { app_id: APP_ID, name: '1.2.0' })
    const run = await publish(world, { 'private-key': privateKey })
    expect(run.exitCode, run.visibleLog).toBe(0)
    expect(run.visibleLog).toContain('is already uploaded')
    const bundles = world.capgo.store.list('app_versions', { app_id: APP_ID, storage_provider: 'r2' })
    expect(bundles.map(({ session_key }) => session_key)).toContain(started?.session_key)
    expect(await installed(world, { decrypt })).toEqual(asInstalled(WEB))
  })

  it.each([
    ['the config has no public key', {}, privateKey, 'public_key_missing'],
    ['it is of another pair', { publicKey: keys().publicKey }, privateKey, 'public_key_mismatch'],
    ['it is no key', { publicKey }, 'hunter2', 'private_key_invalid'],
    ['the config has the public one alone', { publicKey }, '', 'private_key_missing'],
    ['that is a dry run', { publicKey }, '', 'private_key_missing', { 'dry-run': 'true' }],
    ['the public one is empty', { publicKey: ' ' }, privateKey, 'public_key_missing'],
  ])('is refused before anything is built when %s', async (_, config, key, code, inputs: object = {}) => {
    const world = await createWorld({ files: webApp(WEB, '8.0.0', config) })
    const requests = world.capgo.requests.length
    const run = await publish(world, { 'private-key': key, ...inputs })
    expect(run.exitCode).toBe(1)
    expect(run.outputs['error-code']).toBe(code)
    expect(world.capgo.requests.length).toBe(requests)
  })

  it('a bundle from before the keys, promoted to apps that have them, is told of', async () => {
    const world = await createWorld({ files: webApp(WEB) })
    await publish(world)
    world.capgo.seedChannel({ appId: APP_ID, name: 'beta' })
    world.repo.commit({
      'capacitor.config.json': JSON.stringify({
        appId: APP_ID,
        plugins: { CapacitorUpdater: { publicKey } },
      }),
    })
    const run = await dispatch(world, { operation: 'promote', from: 'production', to: 'beta' })
    expect(run.outputs.outcome, run.visibleLog).toBe('published')
    expect(run.summary).toContain('Bundle 1.2.0 is not encrypted')
  })
})

describe('native packages', () => {
  const withCamera = (version: string): Files => ({
    'package.json': JSON.stringify({
      name: 'tiny',
      version: '1.2.0',
      dependencies: { '@capgo/capacitor-updater': '8.0.0', '@capacitor/camera': version },
    }),
    '.gitignore': '',
    'node_modules/@capacitor/camera/package.json': JSON.stringify({
      name: '@capacitor/camera',
      version,
      capacitor: { ios: { src: 'ios' }, android: { src: 'android' } },
    }),
    'node_modules/@capacitor/camera/ios/Camera.swift': `// ${version}`,
    'node_modules/@capacitor/camera/android/Camera.kt': `// ${version}`,
  })

  it('that installed apps do not have fail the run, and do not where the user says so', async () => {
    const world = await createWorld({ files: { ...webApp(WEB), ...withCamera('7.0.1') } })
    await publish(world)
    world.repo.commit({ ...withCamera('8.0.0'), 'web/index.html': page('needs the new camera') })
    const run = await publish(world)
    expect(run.exitCode).toBe(1)
    expect(run.outputs['error-code']).toBe('native_incompatible')
    expect(withoutChance(run.summary)).toMatchSnapshot()
    expect((await installed(world))['index.html']).toBe(WEB['index.html'])
    const warned = await publish(world, { 'on-incompatible': 'warn' })
    expect(warned.exitCode, warned.visibleLog).toBe(0)
    expect(withoutChance(warned.summary)).toMatchSnapshot()
    world.repo.commit({ ...withCamera('9.0.0'), 'web/index.html': page('and once more') })
    const ignored = await publish(world, { 'on-incompatible': 'ignore' })
    expect(ignored.summary).not.toContain('lack native code')
  })

  it('of a pull request are compared with what its base serves', async () => {
    const world = await createWorld({ files: { ...webApp(WEB), ...withCamera('7.0.1') } })
    await publish(world)
    const pull = await openPull(world, {
      files: { ...withCamera('8.0.0'), 'web/index.html': page('new camera') },
    })
    for (const action of ['opened', 'synchronize'] as const) {
      const run = await pull.run(action, {}, { inputs: { build: 'false' } })
      expect(run.exitCode, run.visibleLog).toBe(0)
      expect(pull.comments()[0]).toContain(
        'capacitor/camera</code> | <code>7.0.1</code> | <code>8.0.0</code>',
      )
    }
  })

  it('raise the minimum native version of a channel that delivers by it', async () => {
    const world = await createWorld({ files: { ...webApp(WEB), ...withCamera('7.0.1') } })
    await publish(world)
    const [channel] = world.capgo.store.list('channels', { app_id: APP_ID, name: 'production' })
    world.capgo.store.update('channels', channel!, { disable_auto_update: 'version_number' })
    world.repo.commit({ 'web/index.html': page('by number') })
    await publish(world, { 'native-version': '1.0.0' })
    expect(world.capgo.store.list('app_versions', { min_update_version: '1.0.0' })).toHaveLength(1)
    world.repo.commit({ ...withCamera('8.0.0'), 'web/index.html': page('newer camera') })
    const refused = await publish(world, { 'native-version': '1.0.0' })
    expect(refused.outputs['error-code']).toBe('native_incompatible')
    const run = await publish(world, { 'native-version': '1.1.0' })
    expect(run.exitCode, run.visibleLog).toBe(0)
    expect(world.capgo.store.list('app_versions', { min_update_version: '1.1.0' })).toHaveLength(1)
    expect(await device(world, { versionBuild: '1.0.0' }).update()).toBeNull()
    expect((await installed(world, { versionBuild: '1.1.0' }))['index.html']).toBe(page('newer camera'))
  })
})

describe('source maps', () => {
  const maps = { ...WEB, 'app.js.map': '{}', 'data/world.map': 'an app’s own' }

  it('stay out of the bundle', async () => {
    const world = await createWorld({ files: webApp(maps) })
    const run = await publish(world)
    expect(run.summary).toContain('1 source map')
    const { 'app.js.map': _, ...expected } = maps
    expect(await installed(world)).toEqual(asInstalled(expected))
  })

  it('go into it with keep', async () => {
    const world = await createWorld({ files: webApp(maps) })
    const run = await publish(world, { 'source-maps': 'keep' })
    expect(run.summary).toContain('are shipped to every device')
    expect(await installed(world)).toEqual(asInstalled(maps))
  })
})
