/** A dry run is red where the run that writes would be, with the same code: for each operation what it can end with before its first write. */
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import {
  type LocalCapgo,
  type LocalCapgoOptions,
  type Permission,
  startCapgo,
} from '../../local/capgo/index.ts'
import { createRepository } from '../../local/repository.ts'
import {
  dispatchEvent,
  pullRequestEvent,
  pushEvent,
  scheduleEvent,
  type WorkflowEvent,
} from '../../local/runner/event.ts'
import { createKeyPair } from '../helpers/key-pair.ts'
import { runHere, type ShortRun } from './in-process.ts'

const APP_ID = 'com.example.app'
const DEVICE = '00000000-0000-4000-8000-000000000001'
const { privateKey, publicKey } = createKeyPair()
const createApp = (updater: object) =>
  createRepository({
    branch: 'main',
    files: {
      'capacitor.config.json': JSON.stringify({
        appId: APP_ID,
        webDir: 'www',
        plugins: { CapacitorUpdater: updater },
      }),
      'package.json': JSON.stringify({
        name: 'tiny',
        version: '1.2.0',
        dependencies: { '@capgo/capacitor-updater': '8.0.0' },
      }),
      'www/index.html': '<script src="app.js"></script>',
      'www/app.js': 'CapacitorUpdater.notifyAppReady()',
      'devices.json': JSON.stringify([{ device: DEVICE, channel: 'nowhere' }]),
      'beta.json': JSON.stringify([{ device: DEVICE, channel: 'beta' }]),
    },
  })
const repo = createApp({})
const encrypted = createApp({ publicKey })
afterAll(() => {
  repo.remove()
  encrypted.remove()
})

const push = pushEvent({ branch: 'main', sha: repo.head })
const byHand = dispatchEvent({ ref: 'refs/heads/main', sha: repo.head })
const schedule = scheduleEvent({ sha: repo.head })
const pull = (action: 'opened' | 'closed') =>
  pullRequestEvent(action, { number: 12, headSha: repo.head, headRef: 'feature', baseRef: 'main' })

interface Case {
  /** What the key must not do. */
  readonly without?: readonly Permission[]
  readonly inputs?: Readonly<Record<string, string>>
  readonly event?: WorkflowEvent
  readonly server?: LocalCapgoOptions
  /** The checkout. */
  readonly app?: typeof repo
  /** What was done before, `publish` by a key that may do everything. */
  readonly before?: (
    capgo: LocalCapgo,
    run: (inputs?: Record<string, string>, event?: WorkflowEvent) => Promise<unknown>,
  ) => unknown
}

const channel =
  (name: string, more = {}) =>
  (capgo: LocalCapgo) =>
    capgo.seedChannel({ appId: APP_ID, name, ...more })
const promote = { operation: 'promote', from: 'development', to: 'production' }
/** Development serves a bundle, and production none. */
const stages: Case['before'] = async (capgo, run) => {
  channel('production')(capgo)
  await run({ channel: 'development' })
}
/** Production serves the second of two bundles. */
const twoBundles: Case['before'] = async (capgo, run) => {
  await run()
  await run({ 'source-maps': 'keep', version: '1.3.0', 'min-update-version': '0.0.1' })
  capgo.store.db.exec("UPDATE app_versions SET checksum = 'x' || checksum")
  await run({ version: '1.4.0' })
}
/** A tenth of production's devices get the second bundle. */
const rollingOut: Case['before'] = async (capgo, run) => {
  await run()
  capgo.store.db.exec("UPDATE app_versions SET checksum = 'x' || checksum")
  await run({ version: '1.4.0', rollout: '10' })
}

const CASES: Record<string, Record<string, Case>> = {
  publish: {
    'permission_missing: upload': { without: ['app.upload_bundle'] },
    'permission_missing: make the channel': { without: ['app.create_channel'] },
    'permission_missing: point the channel': {
      without: ['channel.promote_bundle'],
      before: channel('production'),
    },
    'permission_missing: roll out': {
      without: ['channel.update_settings'],
      inputs: { rollout: '10' },
      before: async (capgo, run) => {
        await run()
        capgo.store.db.exec("UPDATE app_versions SET checksum = 'x' || checksum")
      },
    },
    'permission_missing: devices': {
      without: ['channel.manage_forced_devices'],
      inputs: { 'testers-file': 'beta.json' },
      before: channel('beta'),
    },
    'channel_unknown: of testers': { inputs: { 'testers-file': 'devices.json' } },
    'public_channel: of testers': {
      inputs: { 'testers-file': 'beta.json' },
      before: channel('beta', { public: true }),
    },
    on_premise_app: { before: capgo => capgo.store.db.exec('UPDATE orgs SET plan_valid = 0') },
    'delta_impossible: the server': {
      server: { filesConfig: { partialUpload: false } },
      inputs: { delta: 'true' },
    },
    'delta_impossible: only': {
      server: { filesConfig: { partialUpload: false } },
      inputs: { delta: 'only' },
    },
    bundle_too_large: { server: { filesConfig: { maxUploadLength: 10 } } },
    version_taken: {
      inputs: { version: '1.0.0' },
      before: capgo =>
        capgo.seedBundle({ appId: APP_ID, name: '1.0.0', bytes: Buffer.from('theirs'), comment: null }),
    },
    rollout_active: { inputs: { version: '1.5.0' }, before: rollingOut },
    session_key_unreadable: {
      app: encrypted,
      inputs: { 'private-key': privateKey, delta: 'false' },
      async before(capgo, run) {
        const finalise = { method: 'PATCH', path: /\/rest\/v1\/app_versions/ }
        capgo.faults.add({ match: finalise, times: Number.POSITIVE_INFINITY, do: { status: 503, body: {} } })
        await expect(run({ 'private-key': privateKey, delta: 'false' })).rejects.toThrow('503')
        capgo.faults.clear()
        capgo.store.db.exec(
          "UPDATE app_versions SET session_key = 'broken' WHERE storage_provider = 'r2-direct'",
        )
      },
    },
    verify_impossible: { inputs: { verify: 'true' } },
    app_not_found: { before: capgo => capgo.store.db.exec('DELETE FROM apps') },
  },
  preview: {
    'permission_missing: upload': { event: pull('opened'), without: ['app.upload_bundle'] },
    'permission_missing: make the channel': { event: pull('opened'), without: ['app.create_channel'] },
    'preview_channel_taken: public': {
      event: pull('opened'),
      before: channel('pr-12', { public: true }),
    },
    on_premise_app: {
      event: pull('opened'),
      before: capgo => capgo.store.db.exec('UPDATE orgs SET plan_valid = 0'),
    },
  },
  'clean-up': {
    'permission_missing: delete the channel': {
      event: pull('closed'),
      without: ['channel.delete'],
      before: (_, run) => run({}, pull('opened')),
    },
    'permission_missing: delete the channel with its bundle': {
      event: pull('closed'),
      without: ['channel.delete', 'bundle.delete'],
      before: (_, run) => run({}, pull('opened')),
    },
  },
  schedule: {
    'permission_missing: devices': {
      event: schedule,
      inputs: { 'testers-file': 'beta.json' },
      without: ['channel.manage_forced_devices'],
      before: channel('beta'),
    },
  },
  promote: {
    'channel_unknown: from': { inputs: promote, before: channel('production') },
    'channel_unknown: to': { inputs: promote, before: channel('development') },
    nothing_to_promote: {
      inputs: promote,
      before: capgo => [channel('production')(capgo), channel('development')(capgo)],
    },
    'permission_missing: point the channel': {
      inputs: promote,
      without: ['channel.promote_bundle'],
      before: stages,
    },
    'permission_missing: roll out': {
      inputs: { ...promote, rollout: '10' },
      without: ['channel.update_settings'],
      before: async (capgo, run) => {
        await run()
        capgo.store.db.exec("UPDATE app_versions SET checksum = 'x' || checksum")
        await run({ channel: 'development' })
      },
    },
  },
  'roll back': {
    channel_unknown: { inputs: { operation: 'rollback', channel: 'nowhere' } },
    bundle_unknown: {
      inputs: { operation: 'rollback', channel: 'production', to: '9.9.9' },
      before: (_, run) => run(),
    },
    no_earlier_bundle: {
      inputs: { operation: 'rollback', channel: 'production' },
      before: channel('production'),
    },
    'permission_missing: point the channel': {
      inputs: { operation: 'rollback', channel: 'production', force: 'true' },
      without: ['channel.promote_bundle'],
      before: twoBundles,
    },
  },
  rollout: {
    channel_unknown: { inputs: { operation: 'rollout', channel: 'nowhere', rollout: '20' } },
    no_rollout: {
      inputs: { operation: 'rollout', channel: 'production', rollout: '20' },
      before: (_, run) => run(),
    },
    'permission_missing: settings': {
      inputs: { operation: 'rollout', channel: 'production', rollout: '20' },
      without: ['channel.update_settings'],
      before: rollingOut,
    },
  },
  'old bundles': {
    'permission_missing: delete': {
      inputs: { operation: 'cleanup', keep: '1' },
      without: ['bundle.delete'],
      before: async (capgo, run) => {
        await twoBundles(capgo, run)
        capgo.store.db.exec("UPDATE app_versions SET checksum = 'y' || checksum")
        await run({ version: '1.6.0' })
        capgo.store.db.exec("UPDATE app_versions SET checksum = 'z' || checksum")
        await run({ version: '1.7.0' })
      },
    },
  },
}

const EVENTS: Record<string, WorkflowEvent> = { publish: push }

describe.each(Object.entries(CASES))('%s', (operation, cases) => {
  it.each(Object.entries(cases))(
    '%s',
    async (what, { without = [], inputs, event, server, app = repo, before }) => {
      const capgo = await startCapgo({ limits: false, ...server })
      onTestFinished(() => capgo.stop())
      capgo.seedApp({ appId: APP_ID })
      const admin = capgo.seedKey({ appId: APP_ID, role: 'app_admin' })
      const key = capgo.seedKey({ appId: APP_ID, role: 'app_admin', without: [...without] })
      let runId = 9_000_000_000
      const run = (token: string, more: Readonly<Record<string, string>> = {}, on = event) =>
        runHere({
          repo: app.path,
          sha: app.head,
          runId: ++runId,
          event: on ?? EVENTS[operation] ?? byHand,
          inputs: { 'capgo-token': token, 'api-url': capgo.url, build: 'false', comment: 'false', ...more },
        })
      await before?.(capgo, async (more = {}, on = push) => {
        const { isGreen, errors } = await run(admin, more, on)
        expect(isGreen, errors.join('\n')).toBe(true)
      })
      const from = capgo.requests.length
      const dry = await run(key, { ...inputs, 'dry-run': 'true' })
      const writes = capgo.requests
        .slice(from)
        .filter(
          ({ method, path }) => !/^(GET|HEAD)$/.test(method) && !/\/rpc\/|\/private\/devices/.test(path),
        )
      expect(writes).toEqual([])
      const real = await run(key, inputs)
      const code = what.replace(/:.*/, '')
      const told = [...real.errors, ...real.log].join('\n')
      expect(real.outputs['error-code'], told).toBe(code)
      expect(dry.outputs['error-code'], dry.errors.join('\n')).toBe(code)
      expect(lackedBy(dry)).toEqual(lackedBy(real))
    },
  )
})

describe('a dry run says in what form the bundle is stored, as the real one does', () => {
  const FILES = 'Delta updates are on: devices download only the files that changed.'
  it.each<[string, Record<string, unknown>, string, readonly string[]]>([
    ['single files too', {}, 'auto', [FILES]],
    [
      'a server without single files',
      { partialUpload: false },
      'auto',
      ['Delta updates are off: this server does not support them.'],
    ],
    ['a zip alone', {}, 'false', ['Delta updates are off: input "delta" is false.']],
    [
      'a zip that is larger than Capgo advises',
      { alertUploadSize: 10 },
      'true',
      [
        FILES,
        'The bundle has 301 B. Capgo recommends less than 10 B, because phones download it on mobile networks.',
      ],
    ],
  ])('%s', async (_what, filesConfig, delta, expected) => {
    const capgo = await startCapgo({ limits: false, filesConfig })
    onTestFinished(() => capgo.stop())
    capgo.seedApp({ appId: APP_ID })
    const key = capgo.seedKey({ appId: APP_ID, role: 'app_admin' })
    const inputs = { 'capgo-token': key, 'api-url': capgo.url, build: 'false', delta }
    const forms = async (more: Readonly<Record<string, string>>) => {
      const { isGreen, log, errors } = await runHere({
        repo: repo.path,
        sha: repo.head,
        inputs: { ...inputs, ...more },
      })
      expect(isGreen, errors.join()).toBe(true)
      return log.filter(line => /^(Delta updates are|The bundle has)/.test(line))
    }
    expect(await forms({ 'dry-run': 'true' })).toEqual(expected)
    expect(await forms({})).toEqual(expected)
  })
})

/** The permissions that the errors name. */
function lackedBy({ errors }: ShortRun): string[] {
  return errors.flatMap(error => /the permission ([\w.]+)/.exec(error)?.[1] ?? [])
}
