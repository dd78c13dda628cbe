// /channel_self: the app's own channel calls (contract 12.8).
import { Hono } from 'hono'
import { type Body, type C, clientIp, type Env, jsonBody } from './context.ts'
import type { DeviceOperation } from './limits.ts'
import { type DeviceBody, keepsOwnChannel, parseDevice, report, servedApp } from './plugin.ts'

export const channelSelf = new Hono<Env>()

const soft = (c: C, error: string, message: string, extra: Record<string, unknown> = {}) =>
  c.json({ error, message, ...extra })

channelSelf.post('/', async c => {
  const device = parseDevice(await jsonBody(c))
  if (!device.channel) {
    return soft(c, 'missing_channel', 'Cannot find channel in body')
  }
  return limited(c, device, 'set', () => setChannel(c, device, device.channel!))
})

channelSelf.put('/', async c => {
  const device = parseDevice(await jsonBody(c))
  return limited(c, device, 'get', () => getChannel(c, device))
})

channelSelf.delete('/', c => {
  const device = parseDevice(queryBody(c), 'invalid_query_parameters')
  return limited(c, device, 'delete', () => unsetChannel(c, device))
})

channelSelf.get('/', c => {
  const device = parseDevice(queryBody(c), 'invalid_query_parameters', false)
  return limited(c, device, undefined, () => listChannels(c, device))
})

function queryBody(c: C): Body {
  const bools = { true: true, false: false } as Record<string, boolean>
  const query = c.req.query()
  const flags = ['is_emulator', 'is_prod'].filter(name => query[name] !== undefined)
  return { ...query, ...Object.fromEntries(flags.map(name => [name, bools[query[name]!] ?? query[name]])) }
}

function limited(
  c: C,
  device: DeviceBody,
  operation: DeviceOperation | undefined,
  work: () => Response,
): Response {
  const { limits } = c.get('capgo')
  const { app_id: appId, device_id: deviceId, channel } = device
  const done = limits.checkDevice({
    appId,
    ip: clientIp(c),
    deviceId,
    ...(operation ? { operation } : {}),
    channel,
  })
  try {
    servedApp(c, appId)
    return work()
  } finally {
    done()
  }
}

/** The channel that an old plugin's device chose, kept here because the plugin cannot. */
function chosen(c: C, device: DeviceBody) {
  const { store } = c.get('capgo')
  const row = store.find('self_channels', { app_id: device.app_id, device_id: device.device_id })
  const channel = row && store.find('channels', { id: row.channel_id })
  return row && channel ? { row, channel } : undefined
}

function setChannel(c: C, device: DeviceBody, name: string): Response {
  const { store } = c.get('capgo')
  const { app_id, device_id } = device
  const isNew = keepsOwnChannel(device.plugin_version)
  const before = isNew ? undefined : chosen(c, device)
  if (before && !before.channel.allow_device_self_set)
    return soft(c, 'cannot_override', "Cannot change device override current channel don't allow it")
  const channel = store.find('channels', { app_id, name })
  const info = { channel: name, app_id }
  if (!channel) return soft(c, 'channel_not_found', 'Cannot find channel', info)
  if (!channel.allow_device_self_set) {
    if (channel.public) {
      const message =
        'This channel is public and does not allow device self-assignment. Unset the channel to use it.'
      return soft(c, 'public_channel_self_set_not_allowed', message, info)
    }
    return soft(
      c,
      'channel_self_set_not_allowed',
      'This channel does not allow devices to self associate',
      info,
    )
  }
  report(c, device, 'setChannel')
  // New plugins only ask for permission and keep the choice themselves.
  if (isNew) return c.json({ status: 'ok', allowSet: true })
  const isMain = channel.public && channel[device.platform]
  if (before) store.remove('self_channels', before.row.id)
  if (!isMain) store.insert('self_channels', { app_id, device_id, channel_id: channel.id })
  return c.json({ status: 'ok' })
}

function getChannel(c: C, device: DeviceBody): Response {
  const { store } = c.get('capgo')
  if (keepsOwnChannel(device.plugin_version)) {
    report(c, device, 'getChannel')
    if (device.channel) return c.json({ channel: device.channel, status: 'override', allowSet: true })
    return c.json({ channel: device.defaultChannel || 'production', status: 'default' })
  }
  const own = chosen(c, device)
  if (own) {
    report(c, device, 'getChannel')
    return c.json({
      channel: own.channel.name,
      status: 'override',
      allowSet: own.channel.allow_device_self_set,
    })
  }
  const { app_id, defaultChannel, platform } = device
  const fallback = defaultChannel
    ? store.find('channels', { app_id, name: defaultChannel })
    : store.list('channels', { app_id, public: true }).find(channel => channel[platform])
  if (!fallback) return soft(c, 'channel_not_found', 'Cannot find channel')
  report(c, device, 'getChannel')
  return c.json({ channel: fallback.name, status: 'default' })
}

function unsetChannel(c: C, device: DeviceBody): Response {
  if (!keepsOwnChannel(device.plugin_version)) {
    const own = chosen(c, device)
    if (!own?.channel.allow_device_self_set)
      return soft(c, 'cannot_override', "Cannot change device override current channel don't allow it")
    c.get('capgo').store.remove('self_channels', own.row.id)
    return c.json({ status: 'ok' })
  }
  report(c, device, 'setChannel')
  return c.json({ status: 'ok' })
}

function listChannels(c: C, device: DeviceBody): Response {
  const { store } = c.get('capgo')
  const fits = store
    .list('channels', { app_id: device.app_id })
    .filter(channel => channel.public || channel.allow_device_self_set)
    .filter(channel => channel[device.platform])
    .filter(channel => (device.is_emulator ? channel.allow_emulator : channel.allow_device))
    .filter(channel => (device.is_prod ? channel.allow_prod : channel.allow_dev))
  return c.json(
    fits.map(({ id, name, public: isPublic, allow_device_self_set }) => ({
      id,
      name,
      public: isPublic,
      allow_self_set: allow_device_self_set,
    })),
  )
}
