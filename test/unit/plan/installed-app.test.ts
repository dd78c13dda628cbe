import { expect, test } from 'vitest'
import { type AppFacts, judgeApp } from '../../../src/plan/installed-app.ts'

const QUIET: AppFacts = {
  file: 'capacitor.config.ts',
  defaultChannel: null,
  serverUrl: null,
  isUpdateOff: false,
  updateUrl: null,
  pluginUrl: 'https://plugin.capgo.app',
  updaterVersion: '8.51.23',
  channelName: 'production',
  purpose: 'branch',
}

test.each<[string, Partial<AppFacts>, RegExp | null]>([
  ['nothing', {}, null],
  ['nothing is known', { updaterVersion: null }, null],
  ['the same channel', { defaultChannel: 'production' }, null],
  ['another channel', { defaultChannel: 'beta' }, /follow channel "beta" .*publishes to "production"/],
  ['another case', { defaultChannel: 'Production' }, /follow channel "Production"/],
  ['another channel than that of a preview', { defaultChannel: 'beta', purpose: 'preview' }, null],
  ['a page', { serverUrl: 'http://192.168.0.2:5173' }, /server\.url/],
  ['a page, of a preview', { serverUrl: 'https://app.example.com', purpose: 'preview' }, /server\.url/],
  ['updates off', { isUpdateOff: true }, /autoUpdate is off/],
  ['the cloud by name', { updateUrl: 'https://plugin.capgo.app/updates' }, null],
  ['the cloud by an older name', { updateUrl: 'https://api.capgo.app/updates/' }, null],
  ['elsewhere', { updateUrl: 'https://updates.example.com/updates' }, /ask "https:\/\/updates\.example/],
  ['a name that only ends alike', { updateUrl: 'https://notcapgo.app/updates' }, /ask "https/],
  ['no address', { updateUrl: 'updates' }, /ask "updates"/],
  [
    'self-hosted, the same',
    { pluginUrl: 'https://x.example/functions/v1/', updateUrl: 'https://x.example/functions/v1/updates/' },
    null,
  ],
  [
    'self-hosted, another path',
    { pluginUrl: 'https://x.example/functions/v1', updateUrl: 'https://x.example/updates' },
    /publishes for "https:\/\/x\.example\/functions\/v1\/updates"/,
  ],
  ['self-hosted, and apps ask the cloud', { pluginUrl: 'https://x.example' }, /ask Capgo Cloud/],
  ['a local server', { pluginUrl: 'http://127.0.0.1:54321' }, null],
  [
    'a local server, and apps ask the cloud by name',
    { pluginUrl: 'http://localhost:1', updateUrl: 'https://plugin.capgo.app/updates' },
    /ask "https/,
  ],
  [
    'a plugin that Capgo answers no more',
    { updaterVersion: '4.17.11' },
    /4\.17\.11, and Capgo updates apps from version 5/,
  ],
  ['the oldest that it answers', { updaterVersion: '5.0.0' }, null],
  ['a deprecated major', { updaterVersion: '9.0.0' }, /deprecated/],
  ['another deprecated major', { updaterVersion: '10.0.0' }, /deprecated/],
])('%s', (_, facts, said) => {
  expect(judgeApp({ ...QUIET, ...facts })).toEqual(said === null ? [] : [expect.stringMatching(said)])
})

test('all of it at once', () => {
  const facts = {
    defaultChannel: 'beta',
    serverUrl: 'x',
    isUpdateOff: true,
    updateUrl: 'x',
    updaterVersion: '9.0.0',
  }
  expect(judgeApp({ ...QUIET, ...facts })).toHaveLength(5)
})
