import { Hono } from 'hono'
import { requireKey } from './auth.ts'
import { allowed, type Body, bodyOrQuery, type C, clientIp, type Env, isAppId, jsonBody } from './context.ts'
import { ApiError, noRows, refuse } from './errors.ts'
import type { DeviceOperation } from './limits.ts'
import { policy } from './policies.ts'
import { MAX_ROWS } from './postgrest-shape.ts'
import type { DeviceRow } from './rows.ts'
import type { Store } from './store.ts'

export const devices = new Hono<Env>()
devices.use('/*', requireKey)

const noAccess = (app_id: string) => refuse('cannot_access_app', "You can't access this app", { app_id })
const invalidApp = (app_id: unknown) =>
  refuse('invalid_app_id', 'App ID must be a reverse domain string', { app_id })

devices.post('/', async c => {
  const body = await jsonBody(c)
  return limited(c, 'set', body, () => setOverride(c, body))
})

devices.get('/', async c => {
  const body = await bodyOrQuery(c)
  return limited(c, 'get', body, () => readDevices(c, body))
})

devices.delete('/', async c => {
  const body = await bodyOrQuery(c)
  return limited(c, 'delete', body, () => clearOverride(c, body))
})

/** Failed calls count as well: a set that was refused cannot be repeated within the minute either. */
function limited(c: C, operation: DeviceOperation, body: Body, work: () => Response): Response {
  const { app_id, device_id, channel } = body
  if (!app_id) return work()
  const { limits } = c.get('capgo')
  const done = limits.checkDevice({
    appId: app_id,
    ip: clientIp(c),
    deviceId: device_id || undefined,
    operation,
    channel,
  })
  try {
    return work()
  } finally {
    done()
  }
}

function setOverride(c: C, body: Body): Response {
  const { store } = c.get('capgo')
  const { app_id, device_id, channel: name } = body
  if (!device_id || !app_id)
    throw refuse('missing_device_id_or_app_id', 'Missing device_id or app_id', { body })
  if (!isAppId(app_id)) throw invalidApp(app_id)
  if (body.version_id) throw refuse('invalid_version_id', 'Cannot set version to device, use channel instead')
  if (!name) {
    // Trap kept: without a channel nothing changes, and the answer is ok.
    if (!allowed(c, 'app.manage_devices', app_id)) throw noAccess(app_id)
    return c.json({ status: 'ok' })
  }
  const channel = store.find('channels', { app_id, name: String(name) })
  if (!channel || !policy(store, c.get('key'), 'channels', 'select')(channel as never))
    throw new ApiError(404, 'channel_not_found', 'Cannot find channel', { dbError: noRows })
  if (!allowed(c, 'channel.manage_forced_devices', app_id, channel.id)) {
    const message = "You can't manage forced devices for this channel"
    throw refuse('cannot_access_channel', message, { app_id, channel: name })
  }
  if (channel.public)
    throw refuse('public_channel_override', 'Cannot set channel override for public channel')
  pin(store, app_id, device_id, channel.id)
  return c.json({ status: 'ok' })
}

/** An identical override is left alone: `updated_at` does not move. */
export function pin(
  store: Store,
  app_id: string,
  device_id: string,
  channel_id: number,
  renew = false,
): void {
  const existing = store.find('channel_devices', { app_id, device_id })
  if (!existing) store.insert('channel_devices', { app_id, device_id, channel_id })
  else if (renew || existing.channel_id !== channel_id)
    store.update('channel_devices', existing, { channel_id })
}

function clearOverride(c: C, body: Body): Response {
  const { store } = c.get('capgo')
  const { app_id, device_id } = body
  if (!app_id) throw refuse('missing_app_id', 'Missing app_id', { body })
  if (!device_id) throw refuse('missing_device_id', 'Missing device_id', { body })
  if (!isAppId(app_id)) throw invalidApp(app_id)
  if (!allowed(c, 'app.manage_devices', app_id)) throw noAccess(app_id)
  // Trap kept: row security may filter the delete, and then nothing is removed without a word.
  const override = store.find('channel_devices', { app_id, device_id })
  const may = (verb: 'select' | 'delete') => policy(store, c.get('key'), 'channel_devices', verb)
  if (override && may('select')(override as never) && may('delete')(override as never))
    store.remove('channel_devices', override.id)
  return c.json({ status: 'ok' })
}

function readDevices(c: C, body: Body): Response {
  const { store } = c.get('capgo')
  const { app_id, device_id } = body
  if (!app_id) throw refuse('missing_app_id', 'Missing app_id', { body })
  if (!isAppId(app_id)) throw invalidApp(app_id)
  if (!allowed(c, 'app.read_devices', app_id)) throw noAccess(app_id)
  if (device_id) {
    const device = store.find('devices', { app_id, device_id })
    if (!device) throw new ApiError(404, 'device_not_found', 'Cannot find device', { device_id })
    return c.json(presentDevice(store, device))
  }
  const { rows, ...paging } = listDevices(store, app_id, body)
  return c.json({ data: rows.map(device => presentDevice(store, device)), ...paging })
}

/** One page of the inventory, newest report first by default. */
export function listDevices(
  store: Store,
  app_id: string,
  body: Body,
  keep: (device: DeviceRow) => boolean = () => true,
) {
  const limit = body.limit === undefined ? 50 : Number(body.limit)
  if (!Number.isInteger(limit) || limit < 1)
    throw refuse('invalid_limit', 'limit must be a positive integer', { limit: body.limit })
  const order = body.order ?? 'desc'
  if (order !== 'asc' && order !== 'desc')
    throw refuse('invalid_order', 'order must be asc or desc', { order })
  const since = sinceTime(body.updated_at)
  const direction = order === 'asc' ? 1 : -1
  const place = (device: DeviceRow) => `${device.updated_at}|${device.device_id}`
  const compareTexts = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
  const compare = (a: DeviceRow, b: DeviceRow) =>
    compareTexts(a.updated_at, b.updated_at) * direction || compareTexts(a.device_id, b.device_id)
  const after = cursorOf(body.cursor)
  const isCustom = Boolean(body.customIdMode)
  const rows = store
    .list('devices', { app_id })
    .filter(
      device =>
        (since === undefined || device.updated_at > since) &&
        (!isCustom || device.custom_id !== '') &&
        keep(device),
    )
    .sort(compare)
    .filter(device => !after || compare(device, after) > 0)
  // As Capgo asks its database: for one more than the page has.
  const answered = rows.slice(0, Math.min(limit + 1, MAX_ROWS))
  const pageRows = answered.slice(0, limit)
  const hasMore = answered.length > limit
  const last = pageRows.at(-1)
  return { rows: pageRows, ...(hasMore && last ? { nextCursor: place(last) } : {}), hasMore }
}

function cursorOf(cursor: unknown): DeviceRow | undefined {
  if (!cursor) return undefined
  const [updated_at = '', device_id = ''] = String(cursor).split('|')
  return { updated_at, device_id } as DeviceRow
}

function sinceTime(text: unknown): string | undefined {
  if (text === undefined) return undefined
  const match = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d(?:\.\d{1,3})?)Z| (\d\d:\d\d:\d\d))$/.exec(String(text))
  const time = match ? Date.parse(`${match[1]}T${match[2] ?? match[3]}Z`) : Number.NaN
  if (Number.isNaN(time))
    throw refuse('invalid_updated_at', 'updated_at must be a valid ISO date', { updated_at: text })
  return new Date(time).toISOString().replace('Z', '+00:00')
}

/** `version` and `channel` are there only when there is something to say. */
export function presentDevice(store: Store, device: DeviceRow) {
  const { app_id, device_id } = device
  const bundle = device.version_name
    ? store.find('app_versions', { app_id, name: device.version_name })
    : undefined
  const override = store.find('channel_devices', { app_id, device_id })
  const channel = override && store.find('channels', { id: override.channel_id })
  return {
    updated_at: device.updated_at.replace('+00:00', 'Z'),
    device_id,
    custom_id: device.custom_id,
    is_prod: device.is_prod,
    is_emulator: device.is_emulator,
    install_source: device.install_source,
    version_name: device.version_name,
    ...(bundle ? { version: bundle.id } : {}),
    app_id,
    platform: device.platform,
    plugin_version: device.plugin_version,
    os_version: device.os_version,
    version_build: device.version_build,
    key_id: device.key_id,
    country_code: device.country_code,
    ...(channel ? { channel: channel.name } : {}),
  }
}
