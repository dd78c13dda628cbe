import { Hono } from 'hono'
import { requireKey } from './auth.ts'
import { formRefused, pageOf, promote } from './bundles.ts'
import {
  autoPause,
  bundleId,
  checkValues,
  plainSettings,
  promotedRollout,
  rolloutSettings,
  updatePackage,
} from './channel-settings.ts'
import { allowed, type Body, bodyOrQuery, type C, type Env, isAppId, jsonBody } from './context.ts'
import { noRows, PgError, refuse } from './errors.ts'
import { can, isLockedOut } from './permissions.ts'
import { policy } from './policies.ts'
import type { ChannelRow } from './rows.ts'

export const channels = new Hono<Env>()
channels.use('/*', requireKey)

const noAccess = (info: Record<string, unknown>) =>
  refuse('cannot_access_app', "You can't access this app", info)
const invalidApp = (app_id: unknown) =>
  refuse('invalid_app_id', 'App ID must be a reverse domain string', { app_id })

channels.get('/', async c => {
  const { store } = c.get('capgo')
  const body = await bodyOrQuery(c)
  const { app_id, channel: name, page } = body
  if (!app_id) throw refuse('missing_app_id', 'Missing app_id', { body })
  if (!isAppId(app_id)) throw invalidApp(app_id)
  if (!allowed(c, 'app.read_channels', app_id)) throw noAccess({ app_id })
  if (name) {
    const channel = findVisible(c, app_id, name)
    // The code is misnamed in the service too.
    if (!channel) throw refuse('cannot_find_version', 'Cannot find version', { supabaseError: noRows })
    return c.json(present(c, channel))
  }
  const visible = policy(store, c.get('key'), 'channels', 'select')
  const rows = store.list('channels', { app_id }, 'ORDER BY created_at, id')
  return c.json(
    pageOf(
      rows.filter(row => visible(row as never)),
      page,
    ).map(channel => present(c, channel)),
  )
})

/** What row security shows of a channel. */
function findVisible(c: C, app_id: string, name: unknown): ChannelRow | undefined {
  const { store } = c.get('capgo')
  const channel = store.find('channels', { app_id, name: String(name) })
  return channel && policy(store, c.get('key'), 'channels', 'select')(channel as never) ? channel : undefined
}

/** A channel as GET /channel shows it: camelCase for what came later, and no platform flags. */
function present(c: C, channel: ChannelRow) {
  const { store, profile } = c.get('capgo')
  const bundle = (id: number | null) => {
    const found = id === null ? undefined : store.find('app_versions', { id })
    return found ? { name: found.name, id: found.id } : null
  }
  return {
    id: channel.id,
    created_at: channel.created_at,
    name: channel.name,
    app_id: channel.app_id,
    created_by: channel.created_by,
    updated_at: channel.updated_at,
    public: channel.public,
    allow_device_self_set: channel.allow_device_self_set,
    allow_emulator: channel.allow_emulator,
    allow_device: channel.allow_device,
    allow_dev: channel.allow_dev,
    allow_prod: channel.allow_prod,
    rollout_version: channel.rollout_version,
    rollout_id: channel.rollout_id,
    rollout_version_info: bundle(channel.rollout_version),
    version: bundle(channel.version),
    disableAutoUpdateUnderNative: channel.disable_auto_update_under_native,
    disableAutoUpdate: channel.disable_auto_update,
    rolloutPercentageBps: channel.rollout_percentage_bps,
    rolloutEnabled: channel.rollout_enabled,
    rolloutPausedAt: channel.rollout_paused_at,
    rolloutPauseReason: channel.rollout_pause_reason,
    rolloutCacheTtlSeconds: channel.rollout_cache_ttl_seconds,
    autoPauseEnabled: channel.auto_pause_enabled,
    autoPauseWindowMinutes: channel.auto_pause_window_minutes,
    autoPauseFailureRateBps: channel.auto_pause_failure_rate_bps,
    autoPauseConfidence: channel.auto_pause_confidence,
    autoPauseMinAttempts: channel.auto_pause_min_attempts,
    autoPauseMinFailures: channel.auto_pause_min_failures,
    autoPauseAction: channel.auto_pause_action,
    autoPauseCooldownMinutes: channel.auto_pause_cooldown_minutes,
    autoPauseLastTriggeredAt: channel.auto_pause_last_triggered_at,
    autoPauseLastCheckedAt: channel.auto_pause_last_checked_at,
    ...(profile === 'new' ? { updatePackage: channel.update_package } : {}),
  }
}

channels.post('/', async c => {
  const { store } = c.get('capgo')
  const body = await jsonBody(c)
  return c.json(store.transaction(() => setChannel(c, body)))
})

const reserved = (name: unknown) => name === 'builtin' || name === 'unknown'

function setChannel(c: C, body: Body): Body {
  const { store, profile } = c.get('capgo')
  const { app_id, channel: name } = body
  if (!app_id) throw refuse('missing_app_id', 'Missing app_id', { body })
  if (!isAppId(app_id)) throw invalidApp(app_id)
  const existing = name === undefined ? undefined : findVisible(c, app_id, name)
  if (existing) {
    if (!allowed(c, 'channel.update_settings', app_id, existing.id)) throw noAccess({ app_id, channel: name })
  } else if (!allowed(c, 'app.create_channel', app_id)) throw noAccess({ app_id })
  // The row is written, and then the server fails because the key cannot read it back.
  if (isLockedOut(store, app_id)) throw new PgError('PGRST116', noRows.message)
  // [N]
  if (profile === 'new' && body.public === true && !allowed(c, 'app.update_settings', app_id))
    throw noAccess({ app_id })

  const wanted = body.version && !reserved(body.version) ? String(body.version) : null
  if (existing && body.version !== undefined && !allowed(c, 'channel.promote_bundle', app_id, existing.id))
    throw noAccess({ app_id, channel: name })
  const stable =
    existing && body.version !== undefined
      ? wanted === null
        ? null
        : bundleId(c, app_id, wanted)
      : undefined

  const patch: Partial<ChannelRow> = {
    ...plainSettings(body),
    ...rolloutSettings(c, body, existing),
    ...autoPause(body),
  }
  if (profile === 'new') Object.assign(patch, updatePackage(body))
  // An existing channel's omitted version is not written, so that a promotion meanwhile is kept.
  if (stable !== undefined) patch.version = stable
  if (body.promoteToStable ?? body.promote_to_stable)
    Object.assign(patch, promotedRollout(body, existing, patch))

  const as = { key: c.get('key') }
  if (existing) {
    checkValues(patch)
    try {
      store.update('channels', existing, patch, as)
    } catch (error) {
      throw (error instanceof PgError ? formRefused(error) : null) ?? error
    }
    return { status: 'ok' }
  }
  if (wanted === null) {
    if (name === undefined) throw new Error('a channel needs a name')
    checkValues(patch)
    store.insert('channels', { ...patch, app_id, name: String(name), created_by: c.get('key').user_id }, as)
    return { status: 'ok' }
  }
  return createAndPromote(c, body, patch, wanted)
}

/** New channel and its first bundle in one transaction: either both are there afterwards or neither. */
function createAndPromote(c: C, body: Body, patch: Partial<ChannelRow>, version: string): Body {
  const { store } = c.get('capgo')
  const { app_id, channel: name } = body
  const as = { key: c.get('key') }
  try {
    checkValues(patch)
    const channel = store.insert(
      'channels',
      { ...patch, app_id, name: String(name), created_by: c.get('key').user_id },
      as,
    )
    if (!can(store, c.get('key'), 'channel.promote_bundle', app_id, channel.id))
      throw noAccess({ app_id, channel_id: channel.id })
    const bundle = store.find('app_versions', { app_id, name: version, deleted: false })
    if (!bundle) throw refuse('cannot_find_version', 'Cannot find version')
    const linked = promote(c, { app_id, version_id: bundle.id, channel_id: channel.id }).channel
    return { status: 'ok', id: linked.id, public: linked.public }
  } catch (error) {
    if (!(error instanceof PgError)) throw error
    throw refuse('cannot_set_bundle_to_channel', 'Cannot set bundle to channel', { error: error.message })
  }
}

channels.delete('/', async c => {
  const { store } = c.get('capgo')
  const body = await bodyOrQuery(c)
  const { app_id, channel: name } = body
  if (!app_id) throw refuse('missing_app_id', 'Missing app_id', { body })
  if (!isAppId(app_id)) throw invalidApp(app_id)
  if (!name) throw refuse('missing_channel_name', 'You must provide a channel name')
  if (body.delete_bundle === true) {
    store.transaction(() => deletePreview(c, app_id, String(name)))
    return c.json({ status: 'ok' })
  }
  const channel = store.find('channels', { app_id, name: String(name) })
  if (!channel || !policy(store, c.get('key'), 'channels', 'select')(channel as never))
    throw refuse('cannot_find_channel', 'Cannot find channel', { supabaseError: noRows })
  if (!allowed(c, 'channel.delete', app_id, channel.id)) throw noAccess({ app_id, channel_id: channel.id })
  store.transaction(() => store.remove('channels', channel.id))
  return c.json({ status: 'ok' })
})

/** Only for an app_preview key on a channel that it made: the channel goes together with the bundles it serves. */
function deletePreview(c: C, app_id: string, name: string): void {
  const { store } = c.get('capgo')
  const key = c.get('key')
  const channel = store.find('channels', { app_id, name })
  if (!channel) throw refuse('cannot_find_channel', 'Cannot find channel')
  const isMine = store.find('role_bindings', {
    key_rbac_id: key.rbac_id,
    role: 'channel_preview',
    channel_id: channel.id,
  })
  if (!allowed(c, 'channel.delete', app_id, channel.id) || !isMine)
    throw noAccess({ app_id, channel_id: String(channel.id) })
  const served = [channel.version, channel.rollout_version].filter(id => id !== null)
  const bundles = served.map(id => store.find('app_versions', { id })!).filter(bundle => !bundle.deleted)
  if (bundles.some(bundle => bundle.created_by_apikey_rbac_id !== key.rbac_id))
    throw refuse('cannot_delete_preview_bundle', 'This API key can only delete its own preview bundle')
  for (const bundle of bundles) {
    const elsewhere = store
      .select('channels', '(version = ? OR rollout_version = ?)', [bundle.id, bundle.id])
      .some(other => other.id !== channel.id)
    if (elsewhere)
      throw refuse('cannot_delete_linked_version', 'Cannot delete a bundle linked to another channel')
  }
  store.remove('channels', channel.id)
  for (const bundle of bundles) store.update('app_versions', bundle, { deleted: true }, { key })
}
