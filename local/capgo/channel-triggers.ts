// Triggers of Capgo's database around each write of a channel.
import { isDeepStrictEqual } from 'node:util'
import { PgError } from './errors.ts'
import { can, ownerOf, previewOwner } from './permissions.ts'
import type { Actor, ChannelRow } from './rows.ts'
import type { Store, TableTriggers } from './store.ts'

export const channelTriggers: TableTriggers<ChannelRow> = {
  beforeInsert: insertChannel,
  beforeUpdate: updateChannel,
  afterInsert(store, channel, as) {
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
  },
  afterUpdate(store, old, channel) {
    const reach = (['public', 'ios', 'android', 'electron'] as const).some(
      name => old[name] !== channel[name],
    )
    if (reach) normalisePublic(store, channel)
    countRollouts(store, channel.app_id)
  },
  afterDelete(store, channel) {
    for (const override of store.list('channel_devices', { channel_id: channel.id }))
      store.remove('channel_devices', override.id)
    for (const binding of store.list('role_bindings', { channel_id: channel.id }))
      store.remove('role_bindings', binding.id)
    for (const chosen of store.list('self_channels', { channel_id: channel.id }))
      store.remove('self_channels', chosen.id)
    countRollouts(store, channel.app_id)
  },
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
    !isDeepStrictEqual(
      [app.rollout_channel_count, app.rollout_paused_version_names],
      [rollout_channel_count, rollout_paused_version_names],
    )
  )
    store.update('apps', app, { rollout_channel_count, rollout_paused_version_names })
}
