// What Capgo's database does on its own around each write.
import { isDeepStrictEqual } from 'node:util'
import { pgTime } from './clock.ts'
import { PgError } from './errors.ts'
import { can, previewOwner } from './permissions.ts'
import type { Actor, AppRow, BundleRow, ChannelRow, OverrideRow, Store } from './store.ts'

/** Consumers of the counter and manifest queues run about every 10 s; 8 s was seen for the first override (contract 19). */
export const OVERRIDE_COUNT_MS = 8_000
export const MANIFEST_ROWS_MS = 10_000

type Row = Record<string, unknown>

export const bundlePath = (bundle: { owner_org: string; app_id: string; name: string }) =>
  `orgs/${bundle.owner_org}/apps/${bundle.app_id}/${bundle.name}.zip`

export function beforeInsert(store: Store, table: string, row: Row, as: Actor): void {
  if (table === 'app_versions') insertBundle(store, row as unknown as BundleRow, as)
  if (table === 'channels') insertChannel(store, row as unknown as ChannelRow, as)
  if (table === 'channel_devices') {
    const override = row as unknown as OverrideRow
    override.owner_org = ownerOf(store, override.app_id)
  }
}

export function beforeUpdate(store: Store, table: string, old: Row, next: Row, as: Actor): void {
  if (table === 'app_versions')
    updateBundle(store, old as unknown as BundleRow, next as unknown as BundleRow, as)
  if (table === 'channels')
    updateChannel(store, old as unknown as ChannelRow, next as unknown as ChannelRow, as)
  if (table === 'channel_devices') next.owner_org = ownerOf(store, next.app_id as string)
}

export function afterInsert(store: Store, table: string, row: Row, as: Actor): void {
  if (table === 'channels') {
    const channel = row as unknown as ChannelRow
    const owner = previewOwner(store, as.key, channel.app_id)
    if (owner)
      store.insert('role_bindings', {
        key_rbac_id: owner,
        role: 'channel_preview',
        app_id: channel.app_id,
        channel_id: channel.id,
      })
    normalisePublic(store, channel)
    countRollouts(store, channel.app_id)
  }
  if (table === 'channel_devices')
    store.schedule('override_count', OVERRIDE_COUNT_MS, {
      app_id: (row as unknown as OverrideRow).app_id,
      delta: 1,
    })
  if (table === 'app_versions') {
    const bundle = row as unknown as BundleRow
    const app = store.find('apps', { app_id: bundle.app_id })
    if (app) store.update('apps', app, { last_version: bundle.name })
  }
}

export function afterUpdate(store: Store, table: string, old: Row, next: Row, _as: Actor): void {
  if (table === 'channels') {
    const [before, channel] = [old as unknown as ChannelRow, next as unknown as ChannelRow]
    const reach = (['public', 'ios', 'android', 'electron'] as const).some(
      name => before[name] !== channel[name],
    )
    if (reach) normalisePublic(store, channel)
    countRollouts(store, channel.app_id)
  }
  if (table === 'app_versions') {
    const [before, bundle] = [old as unknown as BundleRow, next as unknown as BundleRow]
    // The queue listens to updates only: a manifest given with the insert alone is never taken up.
    if (bundle.manifest !== null)
      store.schedule('manifest_rows', MANIFEST_ROWS_MS, { app_id: bundle.app_id, ref: bundle.id })
    if (bundle.deleted && !before.deleted)
      store.schedule('bundle_removed', MANIFEST_ROWS_MS, { app_id: bundle.app_id, ref: bundle.id })
  }
}

export function afterDelete(store: Store, table: string, old: Row): void {
  if (table === 'channels') {
    const channel = old as unknown as ChannelRow
    for (const override of store.list('channel_devices', { channel_id: channel.id }))
      store.remove('channel_devices', override.id)
    for (const binding of store.list('role_bindings', { channel_id: channel.id }))
      store.remove('role_bindings', binding.id)
    for (const chosen of store.list('self_channels', { channel_id: channel.id }))
      store.remove('self_channels', chosen.id)
    countRollouts(store, channel.app_id)
  }
  if (table === 'channel_devices')
    store.schedule('override_count', OVERRIDE_COUNT_MS, {
      app_id: (old as unknown as OverrideRow).app_id,
      delta: -1,
    })
  if (table === 'app_versions') {
    const bundle = old as unknown as BundleRow
    for (const channel of store.list('channels', { version: bundle.id }))
      store.update('channels', channel, { version: null })
    for (const channel of store.list('channels', { rollout_version: bundle.id }))
      store.update('channels', channel, { rollout_version: null })
    dropManifest(store, bundle)
  }
  if (table === 'apps') {
    const app = old as unknown as AppRow
    for (const channel of store.list('channels', { app_id: app.app_id })) store.remove('channels', channel.id)
    for (const bundle of store.list('app_versions', { app_id: app.app_id }))
      store.remove('app_versions', bundle.id)
    for (const device of store.list('devices', { app_id: app.app_id })) store.remove('devices', device.id)
  }
}

/** Where an object goes that nobody uses any more; the store empties it after seven days. */
export const retired = (path: string) => `deleted-after-7-days/${path}`

/**
 * Deletes the delta rows of a bundle. The object of a row is retired unless another bundle has a row with the same hash
 * and file name: rows of another name that point at the same object do not count.
 */
export function dropManifest(store: Store, bundle: BundleRow): void {
  const rows = store.list('manifest', { app_version_id: bundle.id })
  if (rows.length === 0) return
  for (const { id, file_hash, file_name, s3_path } of rows) {
    const users = store.select(
      'manifest',
      'file_hash = ? AND file_name = ? AND app_version_id <> ?',
      [file_hash, file_name, bundle.id],
      'LIMIT 1',
    )
    if (users.length === 0) store.objects.move(s3_path, retired(s3_path))
    store.remove('manifest', id)
  }
  const app = store.find('apps', { app_id: bundle.app_id })
  if (app) store.update('apps', app, { manifest_bundle_count: Math.max(0, app.manifest_bundle_count - 1) })
}

function ownerOf(store: Store, appId: string): string {
  // The trigger fills the org from the app; an unknown app fails the row security or the foreign key.
  return store.find('apps', { app_id: appId })?.owner_org ?? ''
}

function insertBundle(store: Store, bundle: BundleRow, as: Actor): void {
  bundle.owner_org = ownerOf(store, bundle.app_id)
  bundle.created_by_apikey_rbac_id = previewOwner(store, as.key, bundle.app_id)
  bundle.manifest_count ??= 0
  if (as.key) requireEncryption(store, bundle)
  if (store.profile === 'new') checkUploadPath(bundle)
}

/** Why the organisation does not take the bundle as it is encrypted, or null. Asked before row security. */
export function refuseUnencrypted(
  store: Store,
  { owner_org, session_key, key_id }: Partial<Pick<BundleRow, 'owner_org' | 'session_key' | 'key_id'>>,
): { code: string; message: string } | null {
  const org = store.find('orgs', { id: String(owner_org) })
  if (!org?.enforce_encrypted_bundles) return null
  if (!session_key)
    return {
      code: 'encryption_required',
      message:
        'This organization requires all bundles to be encrypted. Please upload an encrypted bundle with a session_key.',
    }
  const required = org.required_encryption_key
  if (!required) return null
  const specific = 'This organization requires bundles to be encrypted with a specific key.'
  if (!key_id)
    return {
      code: 'encryption_key_required',
      message: `${specific} The uploaded bundle does not have a key_id.`,
    }
  // Key ids have 20 characters, and what is demanded may have 21.
  if (key_id === required.slice(0, 20) || key_id.startsWith(required)) return null
  return {
    code: 'encryption_key_mismatch',
    message: `${specific} The uploaded bundle was encrypted with a different key.`,
  }
}

function requireEncryption(store: Store, bundle: BundleRow): void {
  const refused = refuseUnencrypted(store, bundle)
  if (refused !== null) throw new PgError('P0001', `${refused.code}: ${refused.message}`)
}

const frozen = [
  'name',
  'app_id',
  'session_key',
  'key_id',
  'storage_provider',
  'r2_path',
  'external_url',
  'checksum',
  'native_packages',
] as const
// [N] set once, even while in progress
const identity = ['checksum', 'session_key', 'key_id', 'external_url', 'native_packages'] as const

const differs = (a: unknown, b: unknown) => !isDeepStrictEqual(a, b)

function updateBundle(store: Store, old: BundleRow, next: BundleRow, as: Actor): void {
  next.id = old.id
  next.owner_org = ownerOf(store, next.app_id)
  next.created_by_apikey_rbac_id = old.created_by_apikey_rbac_id
  const ready = old.storage_provider !== 'r2-direct'
  const changesContent = frozen.some(name => differs(old[name], next[name]))
  const changesManifest = next.manifest !== null && differs(old.manifest, next.manifest)
  if (ready && as.key && (changesContent || changesManifest))
    throw new PgError(
      'P0001',
      'bundle_already_ready: Bundle content cannot be changed after upload is complete. Upload a new bundle instead.',
    )
  if (as.key && (['app_id', 'session_key', 'key_id'] as const).some(name => differs(old[name], next[name])))
    requireEncryption(store, next)
  if (store.profile === 'new' && !ready && as.key) {
    const changed = identity.find(name => old[name] !== null && differs(old[name], next[name]))
    if (changed)
      throw new PgError('P0001', `bundle_identity_locked: ${changed} cannot be changed once it is set.`)
    if (changesManifest)
      throw new PgError(
        'P0001',
        'r2_direct_manifest_jsonb: the manifest of a bundle in progress is set by /private/set_manifest.',
      )
    checkUploadPath(next)
  }
  ownPreviewBundle(store, old, as)
  if (next.deleted && !old.deleted) next.deleted_at = store.now()
  if (!next.deleted) next.deleted_at = null
}

function checkUploadPath(bundle: BundleRow): void {
  if (bundle.r2_path !== null && bundle.r2_path !== bundlePath(bundle))
    throw new PgError('P0001', `invalid_r2_path: expected ${bundlePath(bundle)}`)
}

function ownPreviewBundle(store: Store, bundle: BundleRow, as: Actor): void {
  const owner = previewOwner(store, as.key, bundle.app_id)
  if (owner === null) return
  if (bundle.created_by_apikey_rbac_id !== owner)
    throw new PgError('42501', 'PREVIEW_APIKEY_CAN_ONLY_MANAGE_OWN_BUNDLE')
  const serving = store.select('channels', '(version = ? OR rollout_version = ?)', [bundle.id, bundle.id])
  const foreign = serving.some(
    channel =>
      !store.find('role_bindings', { key_rbac_id: owner, role: 'channel_preview', channel_id: channel.id }),
  )
  if (foreign) throw new PgError('42501', 'PREVIEW_APIKEY_CANNOT_MUTATE_SHARED_BUNDLE')
}

function insertChannel(store: Store, channel: ChannelRow, as: Actor): void {
  channel.owner_org = ownerOf(store, channel.app_id)
  channel.created_by ??= as.key?.user_id as string
  for (const bundle of [channel.version, channel.rollout_version]) checkTarget(store, channel, bundle, as)
}

function updateChannel(store: Store, old: ChannelRow, next: ChannelRow, as: Actor): void {
  next.id = old.id
  next.created_by = old.created_by
  next.rbac_id = old.rbac_id
  next.owner_org = ownerOf(store, next.app_id)
  // The row is written anew in the first free place.
  if (next.version !== old.version)
    next.place = Math.min(0, ...store.list('channels').map(({ place }) => place)) - 1
  const promotes = next.version !== old.version || next.rollout_version !== old.rollout_version
  if (promotes && as.key && !can(store, as.key, 'channel.promote_bundle', next.app_id, next.id))
    throw new PgError('42501', 'PERMISSION_DENIED_CHANNEL_PROMOTE_BUNDLE')
  if (next.version !== old.version) checkTarget(store, next, next.version, as)
  if (next.rollout_version !== old.rollout_version) {
    checkTarget(store, next, next.rollout_version, as)
    next.rollout_id = crypto.randomUUID()
  }
  if (store.profile === 'new') checkPackage(store, old, next)
  // [N] a promotion ends the rollout that was running beside the old bundle
  const onlyStable = next.version !== old.version && next.rollout_version === old.rollout_version
  if (store.profile === 'new' && onlyStable && old.rollout_version !== null) {
    next.rollout_version = null
    next.rollout_enabled = false
    next.rollout_percentage_bps = 0
    next.rollout_paused_at = null
    next.rollout_pause_reason = null
  }
}

/** [N] a channel may demand that its bundles come as a zip, or as delta files: `enforce_channel_update_package_bundle`. */
function checkPackage(store: Store, old: ChannelRow, next: ChannelRow): void {
  const wanted = next.update_package
  if (
    wanted === old.update_package &&
    next.version === old.version &&
    next.rollout_version === old.rollout_version
  )
    return
  for (const id of [next.version, next.rollout_version]) {
    const bundle = id === null ? undefined : store.find('app_versions', { id })
    if (!bundle) continue
    const isStored = bundle.storage_provider !== 'r2-direct' && bundle.r2_path !== null
    const hasZip = isStored || (bundle.storage_provider === 'external' && bundle.external_url !== null)
    const hasFiles = store.count('manifest', { app_version_id: bundle.id }) > 0 || bundle.manifest !== null
    const lacks = (form: string) =>
      new PgError(
        '22023',
        `CHANNEL_${form.toUpperCase()}_REQUIRED: Channel "${next.name}" requires a ${form} package, but bundle "${bundle.name}" has none.`,
      )
    if (wanted.startsWith('zip') && !hasZip) throw lacks('zip')
    if (wanted.startsWith('delta') && !hasFiles) throw lacks('delta')
  }
}

function checkTarget(store: Store, channel: ChannelRow, bundleId: number | null, as: Actor): void {
  if (bundleId === null) return
  const bundle = store.find('app_versions', { id: bundleId })
  // Whether the bundle is ready is not asked: a channel can be pointed at one that is still in progress.
  if (!bundle || bundle.deleted || bundle.app_id !== channel.app_id)
    throw new PgError('P0001', 'INVALID_CHANNEL_VERSION')
  const owner = previewOwner(store, as.key, channel.app_id)
  if (owner !== null && bundle.created_by_apikey_rbac_id !== owner)
    throw new PgError('42501', 'PREVIEW_APIKEY_CAN_ONLY_PROMOTE_OWN_BUNDLE')
}

// One public channel per app and platform: the newest wins, the others turn private without a word.
function normalisePublic(store: Store, channel: ChannelRow): void {
  if (!channel.public) return
  for (const other of store.list('channels', { app_id: channel.app_id, public: true })) {
    const overlaps = (['ios', 'android', 'electron'] as const).some(
      platform => channel[platform] && other[platform],
    )
    if (other.id !== channel.id && overlaps) store.update('channels', other, { public: false })
  }
}

function countRollouts(store: Store, appId: string): void {
  const app = store.find('apps', { app_id: appId })
  if (!app) return
  const started = store
    .list('channels', { app_id: appId, rollout_enabled: true })
    .filter(channel => channel.rollout_version !== null && channel.rollout_percentage_bps > 0)
  const paused = started.filter(channel => channel.rollout_paused_at !== null)
  const names = paused.map(channel => store.find('app_versions', { id: channel.rollout_version! })?.name)
  const rollout_channel_count = started.length - paused.length
  const rollout_paused_version_names = names.filter(name => name !== undefined).sort()
  if (
    differs(
      [app.rollout_channel_count, app.rollout_paused_version_names],
      [rollout_channel_count, rollout_paused_version_names],
    )
  )
    store.update('apps', app, { rollout_channel_count, rollout_paused_version_names })
}

export const isOlderThan = (time: string | null, now: number, ms: number) =>
  time !== null && time < pgTime(now - ms)
