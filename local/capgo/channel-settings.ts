// The settings that `POST /channel` takes.
import { allowed, type Body, type C } from './context.ts'
import { PgError, refuse } from './errors.ts'
import { literal } from './query.ts'
import type { ChannelRow } from './rows.ts'
import { schema, updatePackages } from './schema.ts'

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
const snake = (name: string) => name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
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

export function plainSettings(body: Body): Partial<ChannelRow> {
  const given = Object.entries(settings).filter(
    ([field]) => body[field] !== undefined && body[field] !== null,
  )
  const patch = Object.fromEntries(given.map(([field, column]) => [column, body[field]]))
  // A public channel of one phone platform is not meant for electron.
  if (patch.electron === undefined && body.public && body.ios !== body.android) patch.electron = false
  return patch
}

export function rolloutSettings(c: C, body: Body, existing: ChannelRow | undefined): Partial<ChannelRow> {
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

export function promotedRollout(
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

export function autoPause(body: Body): Partial<ChannelRow> {
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
export function updatePackage(body: Body): Partial<ChannelRow> {
  const value = either(body, 'updatePackage')
  if (value === undefined || value === null) return {}
  if (!updatePackages.includes(value))
    throw refuse('invalid_update_package', 'Invalid update package', { updatePackage: value })
  return { update_package: value }
}

/** What the database would make of the values; its errors (a wrong enum value) reach the caller as 500. */
export function checkValues(patch: Partial<ChannelRow>): void {
  for (const [name, value] of Object.entries(patch)) {
    const column = schema.channels.columns[name as keyof ChannelRow]
    const stored = literal(column, value)
    if (value !== null) Object.assign(patch, { [name]: column.kind === 'bool' ? stored === 1 : stored })
  }
}

/** Trap kept: an unknown bundle is an unhandled error (500), because the service lets it escape. */
export function bundleId(c: C, app_id: string, bundle: string | number): number {
  const where = typeof bundle === 'number' ? { id: bundle } : { name: bundle }
  const found = c.get('capgo').store.find('app_versions', { app_id, deleted: false, ...where })
  if (!found) throw new PgError('PGRST116', 'Cannot find version')
  return found.id
}
