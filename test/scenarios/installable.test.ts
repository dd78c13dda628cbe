import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { Device } from '../../local/device.ts'
import { createKeyPair } from '../helpers/key-pair.ts'
import { openPull } from './pull.ts'
import { APP_ID, createBuiltWorld, createWorld, type World, webFolder } from './scenario.ts'
import { bundlesOf, channelOf, dispatch, servedBy } from './stages.ts'

const keys = () => createKeyPair()
const configWith = (publicKey?: string) => ({
  appId: APP_ID,
  appName: 'Tiny',
  webDir: 'www',
  ...(publicKey === undefined ? {} : { plugins: { CapacitorUpdater: { publicKey } } }),
})
const json = (value: unknown) => JSON.stringify(value, null, 2)

/** What somebody else wrote into the store. */
const spoil = ({ capgo }: World, key: string) =>
  capgo.store.objects.put(key, Buffer.from('something else'), 'application/octet-stream')
const objectsBelow = ({ capgo }: World, part: string) =>
  capgo.store.list('objects', {}).filter(({ key }) => key.includes(part))

describe('verify', () => {
  it('decrypts what a device downloads, and a run that fails after the publish tells what it published', async () => {
    const { privateKey, publicKey } = keys()
    const world = await createBuiltWorld({
      role: 'app_admin',
      files: { 'capacitor.config.json': json(configWith(publicKey)) },
    })
    const encrypted = { 'private-key': privateKey, verify: 'true' }
    const run = await world.push('main', { inputs: encrypted })
    expect(run.exitCode, run.visibleLog).toBe(0)
    expect(run.summary).toMatch(/Verified: .* is what was published/)
    const bundle = servedBy(world, 'production')!
    const stored = world.capgo.store.objects.stat(bundle.r2_path!)!
    expect(run.outputs).toMatchObject({ checksum: bundle.checksum, size: String(stored.size) })
    expect(run.outputs.sha256).toMatch(/^[0-9a-f]{64}$/)
    expect(run.outputs.checksum).not.toBe(run.outputs.sha256)

    // Another run has no private key: the public one of the config opens it.
    world.capgo.seedChannel({ appId: APP_ID, name: 'beta', allow_device_self_set: true })
    const to = { operation: 'promote', from: 'production', to: 'beta', verify: 'true' }
    const promoted = await dispatch(world, to)
    expect(promoted.outputs, promoted.visibleLog).toMatchObject({
      outcome: 'published',
      sha256: run.outputs.sha256,
      size: String(stored.size),
    })
    world.repo.commit({ 'capacitor.config.json': null })
    const blind = await dispatch(world, { ...to, 'app-id': APP_ID })
    expect(blind.outputs['error-code'], blind.visibleLog).toBe('verify_impossible')
    world.repo.git(['reset', '--hard', 'HEAD^'])

    // Garbage of the right size, as a device would get it.
    world.repo.commit(webFolder('Next'))
    world.capgo.faults.add({
      match: { method: 'GET', path: /\/files\/read\/.*key=/ },
      do: {
        status: 200,
        headers: { 'content-type': 'application/zip' },
        body: 'g'.repeat(stored.size),
      },
      times: 20,
    })
    const garbage = await world.push('main', { inputs: encrypted })
    expect(garbage.exitCode).toBe(1)
    expect(garbage.outputs, garbage.visibleLog).toMatchObject({
      outcome: 'failed',
      'error-code': 'download_differs',
      channel: 'production',
      'bundle-id': String(servedBy(world, 'production')!.id),
      'bundle-version': servedBy(world, 'production')!.name,
    })
    expect(garbage.visibleLog).toContain('Bundle 1.2.1-production.')
  })

  it('looks at every delta file, and says the size of what is stored', async () => {
    const world = await createBuiltWorld({ inputs: { delta: 'only', verify: 'true' } })
    const run = await world.push('main')
    expect(run.exitCode, run.visibleLog).toBe(0)
    expect(run.summary).toMatch(/all 2 delta files are there, and 2 of them were downloaded/)
    const size = objectsBelow(world, '/delta/').reduce((sum, object) => sum + object.size, 0)
    expect(run.outputs.size).toBe(String(size))
    // The very same again: nothing is uploaded, and a device is asked as again.
    const again = await world.push('main')
    expect(again.outputs, again.visibleLog).toMatchObject({ outcome: 'unchanged', size: String(size) })
    // A zip was not asked for until now.
    const both = await world.push('main', { inputs: { delta: 'true' } })
    expect(both.outputs.outcome, both.visibleLog).toBe('published')
    expect(servedBy(world, 'production')).toMatchObject({ manifest_count: 2 })
    expect(servedBy(world, 'production')!.r2_path).not.toBeNull()
    const [object] = objectsBelow(world, 'app.js')
    spoil(world, object!.key)
    const spoilt = await world.push('main', { inputs: { delta: 'true' } })
    expect(spoilt.outputs['error-code'], spoilt.visibleLog).toBe('download_differs')
    expect(spoilt.outputs.reason).toContain('app.js')
  })

  it('fails where no device that is known is answered', async () => {
    const world = await createBuiltWorld()
    await world.push('main')
    world.capgo.store.update('channels', channelOf(world, 'production'), { android: false })
    world.repo.commit(webFolder('Next'))
    const run = await world.push('main', { inputs: { verify: 'true' } })
    expect(run.outputs['error-code'], run.visibleLog).toBe('verify_impossible')
    expect(run.outputs.reason).toContain('is off for android')
    expect(bundlesOf(world)).toHaveLength(1)
  })
})

describe('what is stored is checked before devices can see it', () => {
  it('when content is reused, promoted or rolled back to', async () => {
    const world = await createBuiltWorld({ role: 'app_admin' })
    await world.push('main')
    const first = servedBy(world, 'production')!
    world.repo.commit(webFolder('Next'))
    await world.push('main')
    spoil(world, first.r2_path!)
    const back = await dispatch(world, { operation: 'rollback', channel: 'production' })
    expect(back.outputs['error-code'], back.visibleLog).toBe('bundle_not_ready')
    expect(back.outputs.reason).toContain('stored content differs from the upload')
    // The same content for another channel: it is uploaded under another name.
    world.repo.branch('develop')
    world.repo.commit(webFolder('Hello'))
    const reused = await world.push('develop')
    expect(reused.outputs.outcome, reused.visibleLog).toBe('published')
    const now = servedBy(world, 'development')!
    expect(now.id).not.toBe(first.id)
    const sha256 = createHash('sha256')
    for await (const piece of world.capgo.store.objects.read(now.r2_path!)) sha256.update(piece)
    expect(sha256.digest('hex')).toBe(reused.outputs.sha256)
    spoil(world, now.r2_path!)
    const to = { operation: 'promote', from: 'development', to: 'production' }
    const promoted = await dispatch(world, to)
    expect(promoted.outputs['error-code'], promoted.visibleLog).toBe('bundle_not_ready')
  })
})

describe('what the repository says against a publish', () => {
  it('is a warning, and at the top of the summary, in a dry run too, and a preview has nothing to do with defaultChannel', async () => {
    const config = {
      ...configWith(),
      server: { url: 'https://app.example.com' },
      plugins: {
        CapacitorUpdater: {
          defaultChannel: 'beta',
          autoUpdate: 'off',
          updateUrl: 'https://x.example/updates',
        },
      },
    }
    const world = await createBuiltWorld({
      role: 'app_admin',
      files: {
        'capacitor.config.json': json(config),
        'package.json': json({ version: '1.2.0', dependencies: { '@capgo/capacitor-updater': '^9.0.0' } }),
        'android/app/build.gradle': 'android {\n  defaultConfig {\n    versionName appVersion\n  }\n}\n',
        'ios/App/App/Info.plist': '<key>CFBundleShortVersionString</key>\n<string>1.0</string>\n',
      },
    })
    const [channel, ...others] = [
      'follow channel "beta"',
      'server.url',
      'autoUpdate is off',
      'updateUrl in',
      'deprecated',
      'android/app/build.gradle:3 has "versionName appVersion"',
    ]
    for (const inputs of [{ 'dry-run': 'true' }, {}] as Record<string, string>[]) {
      const run = await world.push('main', { inputs })
      expect(run.exitCode, run.visibleLog).toBe(0)
      const lines = run.visibleLog.split('\n')
      for (const said of [channel!, ...others]) {
        expect(
          lines.filter(line => line.startsWith('Warning: ') && line.includes(said)),
          said,
        ).toHaveLength(1)
        expect(run.summary.indexOf(said), said).toBeGreaterThan(0)
        expect(run.summary.indexOf(said), said).toBeLessThan(run.summary.indexOf('How this was decided'))
      }
    }
    const pull = await openPull(world, { files: webFolder('Preview') })
    const preview = await pull.run('opened')
    expect(preview.outputs.outcome, preview.visibleLog).toBe('published')
    expect(preview.visibleLog).not.toContain(channel)
    for (const said of others) expect(pull.comments()[0]).toContain(said)
  })

  it('an app without the updater is refused before it is built, or told of', async () => {
    const world = await createBuiltWorld({
      files: { 'package.json': json({ version: '1.2.0', dependencies: { '@capacitor/core': '8.0.0' } }) },
    })
    const run = await world.push('main', { inputs: { build: 'true' } })
    expect(run.outputs['error-code'], run.visibleLog).toBe('updater_missing')
    expect(run.visibleLog).not.toContain('Install dependencies')
    const told = await world.push('main', { inputs: { 'check-notify-app-ready': 'false' } })
    expect(told.outputs.outcome, told.visibleLog).toBe('published')
    expect(told.summary).toContain('has no dependency')
  })
})

describe('the plugin that is installed', () => {
  it('is warned about where it compares CRC32, and its devices take nothing', async () => {
    const plugin = 'node_modules/@capgo/capacitor-updater'
    const world = await createBuiltWorld({
      role: 'app_admin',
      files: {
        'package.json': json({ version: '1.2.0', dependencies: { '@capgo/capacitor-updater': '^6.0.33' } }),
        [`${plugin}/package.json`]: json({ version: '6.14.26', capacitor: { ios: { src: 'ios' } } }),
        [`${plugin}/ios/Plugin.swift`]: '//',
      },
    })
    const run = await world.push('main')
    expect(run.outputs.outcome, run.visibleLog).toBe('published')
    expect(run.visibleLog).toMatch(
      /^Warning: Apps with @capgo\/capacitor-updater 6\.14\.26 reject this bundle/m,
    )
    expect(run.summary).toContain('capacitor-updater 6.14.26')
    const device = new Device({ capgoUrl: world.capgo.url, appId: APP_ID, pluginVersion: '6.14.26' })
    await expect(device.update()).rejects.toMatchObject({ code: 'checksum_fail' })
  })
})

describe('the Capacitor config', () => {
  it('is read for its key and version also where app-id and web-dir are given', async () => {
    const world = await createBuiltWorld({
      files: { 'capacitor.config.json': json(configWith(keys().publicKey)) },
      inputs: { 'app-id': APP_ID, 'web-dir': 'www' },
    })
    const { privateKey } = keys()
    const wrong = await world.push('main', { inputs: { 'private-key': privateKey } })
    expect(wrong.outputs['error-code'], wrong.visibleLog).toBe('public_key_mismatch')
    const promote = { operation: 'promote', from: 'a', to: 'b', 'private-key': privateKey }
    expect((await dispatch(world, promote)).outputs['error-code']).toBe('public_key_mismatch')
    // One that cannot be read is in the way where the key hangs on it, and else told.
    world.repo.commit({
      'capacitor.config.json': null,
      'capacitor.config.ts': "throw new Error('API_URL is not set')",
    })
    const broken = await world.push('main', { inputs: { 'private-key': privateKey } })
    expect(broken.outputs['error-code'], broken.visibleLog).toBe('config_failed')
    const plain = await world.push('main')
    expect(plain.outputs.outcome, plain.visibleLog).toBe('published')
    expect(plain.visibleLog).toContain('the Capacitor config was not read (config_failed')
  })

  it('is read again once the packages are there that it imports; package.json may lie above it', async () => {
    const packages = {
      '': { name: 'nx', version: '3.1.0', dependencies: { settings: 'file:libs/settings' } },
      'libs/settings': { name: 'settings', version: '1.0.0' },
      'node_modules/settings': { resolved: 'libs/settings', link: true },
    }
    const world = await createWorld({
      files: {
        'package.json': json({ ...packages[''], scripts: { 'build:mobile': 'node build.js' } }),
        'package-lock.json': json({ name: 'nx', version: '3.1.0', lockfileVersion: 3, packages }),
        'libs/settings/package.json': json({ ...packages['libs/settings'], main: 'index.js' }),
        'libs/settings/index.js': `exports.appId = '${APP_ID}'`,
        'build.js': `const { cpSync } = require('fs'); cpSync('apps/mobile/page', 'dist/mobile', { recursive: true })`,
        'apps/mobile/page/index.html': '<script src="app.js"></script>',
        'apps/mobile/page/app.js': 'CapacitorUpdater.notifyAppReady()',
        'apps/mobile/capacitor.config.ts': `import { appId } from 'settings'
          import type { CapacitorConfig } from '@capacitor/cli'
          export default { appId, webDir: '../../dist/mobile' } satisfies CapacitorConfig`,
        '.gitignore': 'dist\nnode_modules\n',
      },
      inputs: { 'working-directory': 'apps/mobile', 'build-script': 'build:mobile' },
      builds: true,
    })
    const run = await world.push('main')
    expect(run.outputs, run.visibleLog).toMatchObject({ outcome: 'published', 'bundle-version': '3.1.0' })
    expect(run.visibleLog).toContain('Dependencies are installed before the Capacitor config is read.')
    expect(run.visibleLog.match(/Installed with npm ci|Dependencies are already installed/g)).toEqual([
      'Installed with npm ci',
      'Dependencies are already installed',
    ])
  })
})
