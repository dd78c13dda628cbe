/** Channels that demand a form of their bundles: newer servers. */
import { afterAll, expect, it, onTestFinished } from 'vitest'
import { type LocalCapgo, startCapgo } from '../../local/capgo/index.ts'
import { createRepository } from '../../local/repository.ts'
import { dispatchEvent } from '../../local/runner/event.ts'
import { runHere } from './in-process.ts'

const APP_ID = 'com.example.app'
const repo = createRepository({
  files: {
    'capacitor.config.json': JSON.stringify({ appId: APP_ID, webDir: 'www' }),
    'package.json': JSON.stringify({ name: 'tiny', version: '1.2.0' }),
    'www/index.html': '<script src="app.js"></script>',
    'www/app.js': 'CapacitorUpdater.notifyAppReady()',
  },
})
afterAll(() => repo.remove())

async function start(profile: 'base' | 'new', demand: string) {
  const capgo = await startCapgo({ profile })
  onTestFinished(() => capgo.stop())
  capgo.seedApp({ appId: APP_ID })
  const key = capgo.seedKey({ appId: APP_ID, role: 'app_admin' })
  capgo.seedChannel({ appId: APP_ID, name: 'production', public: true, update_package: demand as 'all' })
  const run = (inputs: Record<string, string>, isManual = false) =>
    runHere({
      repo: repo.path,
      sha: repo.head,
      ...(isManual ? { event: dispatchEvent({ ref: 'refs/heads/main', sha: repo.head }) } : {}),
      inputs: { 'capgo-token': key, 'api-url': capgo.url, build: 'false', ...inputs },
    })
  return { capgo, run }
}

const bundlesOf = (capgo: LocalCapgo) => capgo.store.list('app_versions', { app_id: APP_ID })

it.each([
  ['delta', 'false', 'channel_delta_required'],
  ['delta_from_builtin', 'false', 'channel_delta_required'],
  ['zip', 'only', 'channel_zip_required'],
  ['zip_from_builtin', 'only', 'channel_zip_required'],
  ['zip', 'false', ''],
  ['delta', 'only', ''],
  ['all', 'false', ''],
  ['delta', 'true', ''],
])('a channel that takes %s, and delta: %s', async (demand, delta, code) => {
  const { capgo, run } = await start('new', demand)
  for (const more of [{ 'dry-run': 'true' }, {}] as Record<string, string>[]) {
    const { isGreen, outputs, errors } = await run({ delta, ...more })
    expect(outputs['error-code'] ?? '', errors.join()).toBe(code)
    expect(isGreen).toBe(code === '')
    if (code === '') continue
    expect(errors.join()).toContain(`"${demand}"`)
    expect(bundlesOf(capgo)).toEqual([])
  }
})

it('the server says it itself where nobody could know', async () => {
  // The app has no updater installed, so nothing tells that delta files may be made.
  const { run } = await start('new', 'delta')
  const { outputs, errors } = await run({ delta: 'auto' })
  expect(outputs['error-code'], errors.join()).toBe('channel_delta_required')
  expect(errors.join()).toContain('Set the input "delta" to true')
})

it('a bundle that is there is not noted on before it is refused', async () => {
  const { capgo, run } = await start('new', 'all')
  expect((await run({ delta: 'false' })).isGreen).toBe(true)
  const [before] = bundlesOf(capgo)
  const beta = capgo.seedChannel({ appId: APP_ID, name: 'beta', update_package: 'delta' })
  const promote = { operation: 'promote', from: 'production', to: 'beta' }
  for (const more of [{ 'dry-run': 'true' }, {}] as Record<string, string>[]) {
    const { outputs, errors } = await run({ ...promote, ...more }, true)
    expect(outputs['error-code'], errors.join()).toBe('channel_delta_required')
  }
  expect(bundlesOf(capgo)).toEqual([before])
  capgo.store.update('channels', beta, { update_package: 'zip' })
  expect((await run(promote, true)).isGreen).toBe(true)
})

it('servers that know of no such demand are asked, and go on', async () => {
  const { run } = await start('base', 'all')
  const { outputs, errors } = await run({ delta: 'false' })
  expect(outputs.outcome, errors.join()).toBe('published')
})
