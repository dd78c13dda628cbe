import { expect, test } from 'vitest'
import { guessAppId, readApp } from '../../../scripts/trial.ts'
import { makeProject } from '../checkout/project.ts'

const UPDATER = { dependencies: { '@capgo/capacitor-updater': '8.0.0' } }
const CORE = { dependencies: { '@capacitor/core': '8.0.0' } }

test.each<[string, object, object, string | null]>([
  ['an app that asks', {}, UPDATER, null],
  ['an app without the plugin', {}, CORE, 'it has no @capgo/capacitor-updater'],
  ['a page', { server: { url: 'http://192.168.0.2:8100' } }, UPDATER, 'it loads http://192.168.0.2:8100'],
  ['no page', { server: { androidScheme: 'https' } }, UPDATER, null],
  ['updates off', { plugins: { CapacitorUpdater: { autoUpdate: false } } }, UPDATER, 'autoUpdate is off'],
  [
    'another server',
    { plugins: { CapacitorUpdater: { updateUrl: 'https://updates.example.com' } } },
    UPDATER,
    'it asks https://updates.example.com',
  ],
  [
    'a name that only ends alike',
    { plugins: { CapacitorUpdater: { updateUrl: 'https://notcapgo.app/updates' } } },
    UPDATER,
    'it asks https://notcapgo.app',
  ],
  [
    'Capgo by name',
    { plugins: { CapacitorUpdater: { updateUrl: 'https://plugin.capgo.app/updates' } } },
    UPDATER,
    null,
  ],
  [
    'one on this machine',
    { plugins: { CapacitorUpdater: { updateUrl: 'http://localhost:54321/updates' } } },
    UPDATER,
    null,
  ],
])('phones with %s', async (_, config, manifest, said) => {
  const root = makeProject({
    'capacitor.config.json': { appId: 'com.example.app', webDir: 'www', ...config },
    'package.json': manifest,
  })
  const app = await readApp(root, {})
  expect(app?.silence).toEqual(said === null ? null : expect.stringContaining(said))
})

test('a phone has the plugin that is installed', async () => {
  const plugin = 'node_modules/@capgo/capacitor-updater'
  const root = makeProject({
    'capacitor.config.json': { appId: 'com.example.app', webDir: 'www' },
    'package.json': { dependencies: { '@capgo/capacitor-updater': '^6.0.0' } },
  })
  expect((await readApp(root, {}))?.pluginVersion).toBe('6.0.0')
  const installed = makeProject({
    'capacitor.config.json': { appId: 'com.example.app', webDir: 'www' },
    'package.json': { dependencies: { '@capgo/capacitor-updater': '^6.0.0' } },
    [`${plugin}/package.json`]: { version: '6.39.0', capacitor: { ios: {} } },
    [`${plugin}/ios/Plugin.swift`]: '//',
  })
  expect((await readApp(installed, {}))?.pluginVersion).toBe('6.39.0')
})

test.each([
  ["import 'dotenv/config'\nexport default { appId: 'com.example.app' }", 'com.example.app'],
  ['const c = {\n  appId : "com.example.my_app",\n}', 'com.example.my_app'],
  ['export default { appId: process.env.APP_ID }', null],
])('the app id of a config that cannot be read yet', async (text, id) => {
  expect(await guessAppId(makeProject({ 'capacitor.config.ts': text }), {})).toBe(id)
})
