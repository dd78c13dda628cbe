import { Hono } from 'hono'
import { requireKey } from './auth.ts'
import { formRefused, pageOf, promote } from './bundles.ts'
import { allowed, type Body, bodyOrQuery, type C, type Env, isAppId, jsonBody } from './context.ts'
import { noRows, PgError, refuse } from './errors.ts'
import { can, isLockedOut } from './permissions.ts'
import { policy } from './policies.ts'
import { literal } from './query.ts'
import type { ChannelRow } from './rows.ts'
import { schema, updatePackages } from './schema.ts'

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

/** Fields whose spelling is the column's, or has its own name; null means unchanged. */
const settings: Record<string, keyof ChannelRow> = {
  public: 'public',
  disableAutoUpdate: 'disable_auto_update',
  disableAutoUpdateUnderNative: 'disable_auto_update_under_native',
  allow_device_self_set: 'allow_device_self_set',
  allow_emulator: 'allow_emulator',
  allow_device: 'allow_device',
  allow_dev: 'allow_dev',
  allow_prod: 'allow_prod',
  ios: 'ios',
  android: 'android',
  electron: 'electron',
}

const reserved = (name: unknown) => name === 'builtin' || name === 'unknown'
const snake = (name: string) => name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)

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

function plainSettings(body: Body): Partial<ChannelRow> {
  const given = Object.entries(settings).filter(
    ([field]) => body[field] !== undefined && body[field] !== null,
  )
  const patch = Object.fromEntries(given.map(([field, column]) => [column, body[field]]))
  // A public channel of one phone platform is not meant for electron.
  if (patch.electron === undefined && body.public && body.ios !== body.android) patch.electron = false
  return patch
}

/** camelCase wins over snake_case. */
const either = (body: Body, name: string) => (body[name] === undefined ? body[snake(name)] : body[name])

function wholeNumber(body: Body, name: string, low: number, high: number): number | null | undefined {
  const value = either(body, name)
  if (value === undefined || value === null) return value
  if (!Number.isInteger(value) || value < low || value > high) {
    const info = { field: name, value, min: low, max: high }
    throw refuse('invalid_rollout_config', `${name} must be an integer between ${low} and ${high}`, info)
  }
  return value
}

const unlessNull = <T>(value: T | null | undefined, column: keyof ChannelRow) =>
  value === null || value === undefined ? {} : { [column]: value }
const given = <T>(value: T | undefined, column: keyof ChannelRow) =>
  value === undefined ? {} : { [column]: value }

function rolloutSettings(c: C, body: Body, existing: ChannelRow | undefined): Partial<ChannelRow> {
  const { app_id, channel: name } = body
  const percentage = either(body, 'rolloutPercentage')
  if (percentage !== undefined && percentage !== null && !(percentage >= 0 && percentage <= 100)) {
    const info = { rolloutPercentage: percentage }
    throw refuse('invalid_rollout_percentage', 'Rollout percentage must be between 0 and 100', info)
  }
  const bps =
    wholeNumber(body, 'rolloutPercentageBps', 0, 10_000) ??
    (percentage == null ? undefined : Math.round(percentage * 100))
  const ttl = wholeNumber(body, 'rolloutCacheTtlSeconds', 60, 31_536_000)
  const target = either(body, 'rolloutVersion')
  const promotes = either(body, 'promoteToStable')
  if (target !== undefined || body.rollback || promotes) {
    if (!existing) throw refuse('cannot_find_channel', 'Cannot find channel', { app_id, channel: name })
    if (!allowed(c, 'channel.promote_bundle', app_id, existing.id)) {
      const info = { app_id, channel: name, channelId: existing.id }
      throw refuse('cannot_promote_bundle', "You can't promote bundles on this channel", info)
    }
  }
  const version = body.version
  const hasNoStable =
    (version === undefined && (existing?.version ?? null) === null) ||
    version === null ||
    version === 'unknown'
  if (target && hasNoStable)
    throw refuse('missing_stable_version', 'Cannot set rollout target without a stable bundle', {
      app_id,
      channel: name,
    })

  const paused = either(body, 'rolloutPaused')
  const now = c.get('capgo').store.now()
  let pausedAt = either(body, 'rolloutPausedAt')
  if (pausedAt === undefined && paused !== undefined && paused !== null) pausedAt = paused ? now : null
  return {
    ...unlessNull(bps, 'rollout_percentage_bps'),
    ...unlessNull(ttl, 'rollout_cache_ttl_seconds'),
    ...unlessNull(either(body, 'rolloutEnabled'), 'rollout_enabled'),
    ...given(either(body, 'rolloutPauseReason'), 'rollout_pause_reason'),
    ...given(pausedAt, 'rollout_paused_at'),
    ...(pausedAt === null ? { rollout_pause_reason: null } : {}),
    ...(target === undefined ? {} : { rollout_version: target ? bundleId(c, app_id, target) : null }),
    ...(body.rollback ? noRollout : {}),
  }
}

const noRollout = {
  rollout_version: null,
  rollout_enabled: false,
  rollout_percentage_bps: 0,
  rollout_paused_at: null,
  rollout_pause_reason: null,
}

function promotedRollout(
  body: Body,
  existing: ChannelRow | undefined,
  patch: Partial<ChannelRow>,
): Partial<ChannelRow> {
  const version = patch.rollout_version ?? existing?.rollout_version
  if (!version) {
    const info = { app_id: body.app_id, channel: body.channel }
    throw refuse('missing_rollout_version', 'Cannot promote without a rollout version', info)
  }
  return { version, ...noRollout }
}

function autoPause(body: Body): Partial<ChannelRow> {
  const confidence = either(body, 'autoPauseConfidence')
  if (confidence !== undefined && confidence !== null && !(confidence > 0 && confidence < 1)) {
    const message = 'Auto-pause confidence must be greater than 0 and less than 1'
    throw refuse('invalid_auto_pause_confidence', message, { autoPauseConfidence: confidence })
  }
  const action = either(body, 'autoPauseAction')
  if (action && !['pause', 'rollback', 'notify'].includes(action)) {
    const message = 'Auto-pause action must be pause, rollback, or notify'
    throw refuse('invalid_auto_pause_action', message, { autoPauseAction: action })
  }
  return {
    ...unlessNull(either(body, 'autoPauseEnabled'), 'auto_pause_enabled'),
    ...unlessNull(wholeNumber(body, 'autoPauseWindowMinutes', 1, 10_080), 'auto_pause_window_minutes'),
    ...given(wholeNumber(body, 'autoPauseFailureRateBps', 0, 10_000), 'auto_pause_failure_rate_bps'),
    ...unlessNull(confidence, 'auto_pause_confidence'),
    ...given(
      wholeNumber(body, 'autoPauseMinAttempts', 0, Number.MAX_SAFE_INTEGER),
      'auto_pause_min_attempts',
    ),
    ...given(
      wholeNumber(body, 'autoPauseMinFailures', 0, Number.MAX_SAFE_INTEGER),
      'auto_pause_min_failures',
    ),
    ...unlessNull(action, 'auto_pause_action'),
    ...unlessNull(wholeNumber(body, 'autoPauseCooldownMinutes', 0, 10_080), 'auto_pause_cooldown_minutes'),
  }
}

// [N]
function updatePackage(body: Body): Partial<ChannelRow> {
  const value = either(body, 'updatePackage')
  if (value === undefined || value === null) return {}
  if (!updatePackages.includes(value))
    throw refuse('invalid_update_package', 'Invalid update package', { updatePackage: value })
  return { update_package: value }
}

/** What the database would make of the values; its errors (a wrong enum value) reach the caller as 500. */
function checkValues(patch: Partial<ChannelRow>): void {
  for (const [name, value] of Object.entries(patch)) {
    const column = schema.channels.columns[name as keyof ChannelRow]
    const stored = literal(column, value)
    if (value !== null) Object.assign(patch, { [name]: column.kind === 'bool' ? stored === 1 : stored })
  }
}

/** Trap kept: an unknown bundle is an unhandled error (500), because the service lets it escape. */
function bundleId(c: C, app_id: string, bundle: string | number): number {
  const where = typeof bundle === 'number' ? { id: bundle } : { name: bundle }
  const found = c.get('capgo').store.find('app_versions', { app_id, deleted: false, ...where })
  if (!found) throw new PgError('PGRST116', 'Cannot find version')
  return found.id
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
