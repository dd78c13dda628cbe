import type { LocalCapgo } from '../../local/capgo/index.ts'
import type { SeedChannel } from '../../local/capgo/seed.ts'
import type { State } from '../../scripts/distill/recorded.ts'
import { APP, bindPreview, bytes, nextIds, ORG, seedState } from './world.ts'

type Seed = (capgo: LocalCapgo, keys: Readonly<Record<string, string>>, state: State) => void

const bundles = (capgo: LocalCapgo, ...names: string[]) => {
  for (const name of names) capgo.seedBundle({ appId: APP, name, bytes })
}
const channel = (capgo: LocalCapgo, name: string, more: Partial<Omit<SeedChannel, 'appId' | 'name'>> = {}) =>
  capgo.seedChannel({ appId: APP, name, ...more })
const override = (capgo: LocalCapgo, name: string) =>
  capgo.seedOverride({ appId: APP, deviceId: 'somebody', channel: name })

/** Devices that asked for updates a minute after one another, the last first. */
const devices = (capgo: LocalCapgo, count: number) => {
  bundles(capgo, '2.0.0')
  for (let n = 0; n < count; n++)
    capgo.seedDevice({
      appId: APP,
      versionName: '2.0.0',
      deviceId: `aaaaaaaa-0000-4000-8000-${String(n).padStart(12, '0')}`,
      updated_at: new Date(Date.parse('2026-11-23T11:03:39.608Z') - n * 60_000).toISOString(),
    })
}

/** The app as the second set of recordings found it. */
const served = (capgo: LocalCapgo) => {
  nextIds(capgo, { bundle: 5092, channel: 88 })
  bundles(capgo, '4.9.0', '4.9.1', '4.9.2', '5.0.0', '5.0.1', '5.0.2')
  const any = { disable_auto_update: 'none', disable_auto_update_under_native: false } as const
  channel(capgo, 'production', { bundle: '5.0.2', public: true, ...any })
  nextIds(capgo, { channel: 90 })
  channel(capgo, 'ap-new-3', { bundle: '5.0.1' })
}

const demandEncryption = ({ store }: LocalCapgo, required_encryption_key: string | null, isOn = true) =>
  void store.update('orgs', store.find('orgs', { id: ORG })!, {
    enforce_encrypted_bundles: isOn,
    required_encryption_key,
  })

/** What there was before each recording, where its own answers do not tell. */
export const SEEDS: Readonly<Record<string, Seed>> = {
  config: () => {},
  'auth-errors': () => {},
  'permissions-by-role': () => {},
  'failed-auth-rate-limit': () => {},
  'minimal-publish-tus': capgo => nextIds(capgo, { bundle: 54, channel: 10 }),
  'minimal-publish-second-version-same-channel': capgo => {
    nextIds(capgo, { bundle: 55, channel: 10 })
    channel(capgo, 'pr-100')
  },
  'minimal-publish-presigned-put': capgo => nextIds(capgo, { bundle: 56, channel: 10 }),
  'tus-protocol': capgo => nextIds(capgo, { bundle: 57, channel: 10 }),
  'channel-post': capgo => {
    nextIds(capgo, { bundle: 54, channel: 10 })
    bundles(capgo, '2.0.0', '2.0.1')
    channel(capgo, 'pr-100')
  },
  'channel-delete': capgo => {
    nextIds(capgo, { bundle: 54, channel: 10 })
    bundles(capgo, '2.0.0')
    channel(capgo, 'pr-100')
    channel(capgo, 'pr-101')
    override(capgo, 'pr-100')
    channel(capgo, 'public-1', { bundle: '2.0.0', public: true })
  },
  'device-post': capgo => {
    nextIds(capgo, { bundle: 54, channel: 10 })
    for (const name of ['pr-100', 'pr-101']) channel(capgo, name)
    channel(capgo, 'public-1', { public: true })
  },
  'device-rate-limit-same-set': capgo => {
    for (const name of ['pr-100', 'pr-101']) channel(capgo, name)
  },
  'preview-role-lifecycle': capgo => {
    nextIds(capgo, { bundle: 68, channel: 11 })
    channel(capgo, 'pr-101')
    nextIds(capgo, { bundle: 68, channel: 23 })
  },
  'updates-prerelease': capgo => {
    nextIds(capgo, { bundle: 61, channel: 11 })
    channel(capgo, 'pr-101')
    override(capgo, 'pr-101')
    nextIds(capgo, { channel: 21 })
  },
  'updates-first-override-delay': capgo => nextIds(capgo, { bundle: 61, channel: 19 }),
  'updates-override': capgo => {
    bundles(capgo, '2.0.0', '2.0.1')
    channel(capgo, 'pr-100', { bundle: '2.0.1' })
    channel(capgo, 'pr-101', { bundle: '2.0.0', allow_device_self_set: true })
    channel(capgo, 'public-1', { bundle: '2.0.0', public: true })
    override(capgo, 'pr-100')
  },
  'bundle-post-external': capgo => nextIds(capgo, { bundle: 66, channel: 10 }),
  'bundle-delete': capgo => {
    nextIds(capgo, { bundle: 54, channel: 10 })
    bundles(capgo, '2.0.0', '2.0.1', '2.0.2')
    channel(capgo, 'pr-100', { bundle: '2.0.1' })
  },
  'bundle-manifest': capgo => {
    // An app's first override takes some seconds to be seen.
    channel(capgo, 'pr-100')
    override(capgo, 'pr-100')
    nextIds(capgo, { bundle: 29, channel: 22 })
    const files = ['assets/app.css', 'assets/app.js', 'assets/updater.js', 'index.html']
    capgo.seedBundle({
      appId: APP,
      name: '1.2.1',
      bytes,
      files: files.map(name => ({ name, bytes: Buffer.from(name) })),
    })
  },
  'device-get': capgo => {
    devices(capgo, 60)
    channel(capgo, 'pr-100')
  },
  'device-list-pagination': capgo => devices(capgo, 60),
  'cli-channel-delete-preview-key': (capgo, keys, state) => {
    seedState(capgo, state)
    bindPreview(capgo, keys.CAPGO_KEY_APP_PREVIEW!, 'pr-11')
  },
  'cli-upload-preview-key-second': (capgo, keys, state) => {
    seedState(capgo, state)
    bindPreview(capgo, keys.CAPGO_KEY_APP_PREVIEW!, 'pr-11')
  },
  'delta-delete-shared-patched': capgo => nextIds(capgo, { bundle: 5122 }),
  'org-enforcing-2fa': capgo => {
    served(capgo)
    nextIds(capgo, { bundle: 5098 })
    capgo.store.update('orgs', capgo.store.find('orgs', { id: ORG })!, { enforcing_2fa: true })
  },
  'org-encrypted-bundles': capgo => {
    served(capgo)
    nextIds(capgo, { bundle: 5105 })
    demandEncryption(capgo, null)
  },
  'postgrest-content-range': capgo => {
    served(capgo)
    nextIds(capgo, { bundle: 5098 })
    for (let n = 0; n < 11; n++) bundles(capgo, `6.0.${n}`)
    nextIds(capgo, { bundle: 5124 })
  },
  'channels-without-order': capgo => {
    served(capgo)
    nextIds(capgo, { channel: 100 })
  },
  'bundle-metadata': capgo => {
    nextIds(capgo, { bundle: 55, channel: 10 })
    capgo.seedBundle({ appId: APP, name: '2.0.1' })
  },
}

/** What was changed in the database by hand, before which exchange. */
export const CHANGES: Readonly<Record<string, Readonly<Record<number, (capgo: LocalCapgo) => void>>>> = {
  'org-enforcing-2fa': {
    99: ({ store }) => void store.update('orgs', store.find('orgs', { id: ORG })!, { enforcing_2fa: false }),
  },
  'org-encrypted-bundles': {
    18: capgo => demandEncryption(capgo, 'MIIBCgKCAQEA0123abcd'),
    25: capgo => demandEncryption(capgo, 'MIIBCgKCAQEA0123abcde'),
    26: capgo => demandEncryption(capgo, null, false),
  },
}

const STAND_IN = 'a stand-in answered: the Capgo that was run does not know the route'
const COUNTED = 'statistics, which this action does not ask for'
const BLOCKED =
  'the address was blocked by 1,000 requests before; test/unit/local/capgo/limits.test.ts does that'

/** Exchanges that the local Capgo answers otherwise, by their place in the recording, and why that is right. */
export const NOT_REPLAYED: Readonly<Record<string, Readonly<Record<number, string>> | string>> = {
  'bundle-manifest': { 5: "a file's key holds the hash of its content, which is not in the recording" },
  'cli-upload-delta-first': { 34: STAND_IN },
  'cli-upload-delta-second': { 28: STAND_IN },
  'cli-upload-encrypted-delta': { 31: STAND_IN },
  'cli-upload-qr-preview': { 28: STAND_IN },
  'cli-upload-tus-ip-blocked-429': { 19: BLOCKED },
  'cli-upload-zip-ip-blocked-429': { 19: BLOCKED },
  'delta-delete-shared-unpatched':
    'the job that removes the objects died of a mistake of that commit: delta-delete-shared-patched is the rule',
  'device-rate-limit-ip': BLOCKED,
  'org-enforcing-2fa': Object.fromEntries(
    [9, 15, 16, 26, 32, 33, 43, 49, 50, 60, 66, 67, 77, 83, 84].map(index => [index, COUNTED]),
  ),
  preview: 'the names of hosts are not in the recording; test/unit/local/capgo asks for previews',
}
