// State for tests and demos, written without going through the API.
import { createHash } from 'node:crypto'
import { insertManifest } from './manifests.ts'
import { bundlePath } from './objects.ts'
import type { Role } from './roles.ts'
import type { AppRow, BundleRow, ChannelRow, DeviceRow, KeyRow, OverrideRow } from './rows.ts'
import type { Store } from './store.ts'

const SHARED_ORG = 'Local organization'
const SHARED_USER = '6b0f3a52-3c1e-4f7a-9d54-0c2b8f1e7a10'

const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex')

const contentTypes: Record<string, string> = {
  html: 'text/html',
  css: 'text/css',
  js: 'text/javascript',
  json: 'application/json',
}

export function seeders(store: Store) {
  const appOf = (appId: string): AppRow => {
    const app = store.find('apps', { app_id: appId })
    if (!app) throw new Error(`seedApp({ appId: '${appId}' }) comes first`)
    return app
  }
  const bundleId = (appId: string, bundle: string | number | null | undefined): number | null => {
    if (bundle === null || bundle === undefined || typeof bundle === 'number') return bundle ?? null
    const found = store.find('app_versions', { app_id: appId, name: bundle })
    if (!found) throw new Error(`no bundle ${bundle} of ${appId}`)
    return found.id
  }
  const channelOf = (appId: string, name: string): ChannelRow => {
    const channel = store.find('channels', { app_id: appId, name })
    if (!channel) throw new Error(`no channel ${name} of ${appId}`)
    return channel
  }

  function seedApp(app: SeedApp): AppRow {
    const special = app.planValid === false || app.blockedBy2fa || app.encryption || app.cliWarnings
    const name = app.org ?? (special ? `Organization of ${app.appId}` : SHARED_ORG)
    const org =
      store.find('orgs', { name }) ??
      store.insert('orgs', {
        name,
        plan_valid: app.planValid ?? true,
        enforcing_2fa: app.blockedBy2fa ?? false,
        enforce_encrypted_bundles: Boolean(app.encryption),
        required_encryption_key: typeof app.encryption === 'string' ? app.encryption : null,
        cli_warnings: app.cliWarnings ?? [],
      })
    return store.insert('apps', {
      app_id: app.appId,
      name: app.name ?? app.appId,
      owner_org: org.id,
      user_id: SHARED_USER,
      allow_preview: app.allowPreview ?? false,
      expose_metadata: app.exposeMetadata ?? false,
      retention: app.retention ?? 2_592_000,
      block_provider_infra_requests: app.blockProviderInfraRequests ?? true,
      default_upload_channel: app.defaultUploadChannel ?? 'dev',
    })
  }

  function seedKey(key: SeedKey): string {
    const app = appOf(key.appId)
    const value = key.key ?? crypto.randomUUID()
    const row: KeyRow = store.insert('apikeys', {
      key: key.hashed ? null : value,
      key_hash: key.hashed ? sha256(value) : null,
      user_id: key.user ?? SHARED_USER,
      expires_at: key.expired ? new Date(store.clock.now() - 60_000).toISOString() : null,
      without: key.without ?? [],
    })
    const isOrg = key.role.startsWith('org_')
    store.insert('role_bindings', {
      key_rbac_id: row.rbac_id,
      role: key.role,
      org: isOrg ? app.owner_org : null,
      app_id: isOrg ? null : app.app_id,
      channel_id: key.channel ? channelOf(key.appId, key.channel).id : null,
    })
    return value
  }

  function seedChannel({ appId, bundle, rolloutBundle, ...columns }: SeedChannel): ChannelRow {
    appOf(appId)
    return store.insert('channels', {
      created_by: SHARED_USER,
      ...columns,
      app_id: appId,
      version: bundleId(appId, bundle) ?? columns.version ?? null,
      rollout_version: bundleId(appId, rolloutBundle) ?? columns.rollout_version ?? null,
    })
  }

  function seedBundle({ appId, bytes, files, ...columns }: SeedBundle): BundleRow {
    const app = appOf(appId)
    const path = bundlePath({ owner_org: app.owner_org, app_id: appId, name: columns.name })
    const isEmpty = columns.external_url || (files && !bytes) || columns.storage_provider === 'r2-direct'
    const bundle = store.insert('app_versions', {
      checksum: sha256(bytes ?? `${appId} ${columns.name}`),
      r2_path: isEmpty && !bytes ? null : path,
      storage_provider: columns.external_url ? 'external' : 'r2',
      user_id: SHARED_USER,
      ...columns,
      app_id: appId,
    })
    if (bytes) store.objects.put(bundle.r2_path ?? path, bytes, 'application/zip')
    if (files) {
      const entries = files.map(file => {
        const file_hash = sha256(file.bytes)
        const name = file.name.split('/').map(encodeURIComponent).join('/')
        const s3_path = `orgs/${app.owner_org}/apps/${appId}/delta/${sha256(file_hash)}_${name}`
        const type = contentTypes[file.name.split('.').pop() ?? ''] ?? 'application/octet-stream'
        store.objects.put(s3_path, file.bytes, type)
        return { file_name: file.name, s3_path, file_hash }
      })
      insertManifest(store, bundle, entries)
    }
    return store.find('app_versions', { id: bundle.id })!
  }

  /** As if it had been there for long: the app's counter counts it at once. */
  function seedOverride({
    appId,
    deviceId,
    channel,
  }: {
    appId: string
    deviceId: string
    channel: string
  }): OverrideRow {
    const { id } = channelOf(appId, channel)
    const override = store.insert('channel_devices', {
      app_id: appId,
      device_id: deviceId.toLowerCase(),
      channel_id: id,
    })
    const job = store.list('jobs', { kind: 'override_count', app_id: appId }, 'ORDER BY id DESC LIMIT 1')[0]!
    store.remove('jobs', job.id)
    const app = appOf(appId)
    store.update('apps', app, { channel_device_count: app.channel_device_count + 1 })
    return override
  }

  function seedDevice(device: SeedDevice): DeviceRow {
    const {
      appId,
      deviceId,
      platform = 'ios',
      versionBuild = '1.0.0',
      versionName,
      pluginVersion = '8.51.2',
      channel,
      ...columns
    } = device
    appOf(appId)
    const row = store.insert('devices', {
      platform,
      version_build: versionBuild,
      version_name: versionName ?? versionBuild,
      plugin_version: pluginVersion,
      os_version: '17.0',
      updated_at: store.now(),
      ...columns,
      app_id: appId,
      device_id: deviceId.toLowerCase(),
    })
    if (channel) seedOverride({ appId, deviceId, channel })
    return row
  }

  return { seedApp, seedKey, seedChannel, seedBundle, seedDevice, seedOverride }
}

export interface SeedApp {
  appId: string
  name?: string
  /** Owner organisation; apps seeded without one share one organisation. */
  org?: string
  allowPreview?: boolean
  exposeMetadata?: boolean
  /** false = the organisation's plan is exhausted or cancelled. */
  planValid?: boolean
  /** The organisation demands two-factor authentication, which the owner of every key lacks. */
  blockedBy2fa?: boolean
  /** The organisation takes encrypted bundles alone: with any key (`true`), or with one of this key id. */
  encryption?: boolean | string
  retention?: number
  blockProviderInfraRequests?: boolean
  defaultUploadChannel?: string
  /** Warnings of RPC `get_organization_cli_warnings`. */
  cliWarnings?: { message: string; fatal: boolean }[]
}

export interface SeedKey {
  appId: string
  role: Role
  /** Permission names taken away from the role. */
  without?: string[]
  /** For the `channel_*` roles: the channel the role is bound to. */
  channel?: string
  expired?: boolean
  /** Only the SHA-256 of the key is stored. */
  hashed?: boolean
  /** Owner of the key; keys seeded without one share one user. */
  user?: string
  /** The key itself, instead of a random UUID. */
  key?: string
}

export type SeedChannel = {
  appId: string
  name: string
  bundle?: string | number | null
  rolloutBundle?: string | number | null
} & Partial<Omit<ChannelRow, 'id' | 'app_id' | 'name'>>
export type SeedBundle = {
  appId: string
  name: string
  checksum?: string
  /** The stored zip. Without it the row is ready but has no object, unless `r2_path` is null too. */
  bytes?: Uint8Array
  /** Delta files of the bundle: stored, and listed in the manifest table. */
  files?: { name: string; bytes: Uint8Array }[]
} & Partial<Omit<BundleRow, 'id' | 'app_id' | 'name' | 'checksum' | 'manifest'>>
export type SeedDevice = {
  appId: string
  deviceId: string
  platform?: 'ios' | 'android' | 'electron'
  versionBuild?: string
  versionName?: string
  pluginVersion?: string
  /** Pins the device to this channel (an override row), as the device API would. */
  channel?: string
} & Partial<Omit<DeviceRow, 'app_id' | 'device_id'>>
