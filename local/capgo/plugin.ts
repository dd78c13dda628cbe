// The common part of the three device endpoints: the body's rules and the state of the app.
import { z } from 'zod'
import { type Body, type C, clientIp, isAppId } from './context.ts'
import { nativeVersion, pluginHas } from './decision.ts'
import { ApiError, refuse } from './errors.ts'
import type { AppRow } from './rows.ts'

const deviceShape = {
  app_id: z.string('App ID is required').refine(isAppId, 'App ID must be a reverse domain string'),
  device_id: z
    .string('Device ID is required')
    .refine(id => UUID.test(id), 'Device ID must be a valid UUID string'),
  version_name: z.string('Version name is required').min(1, 'Version name is required'),
  version_build: z.string('Version build is required').min(1, 'Version build is required'),
  platform: z.enum(['ios', 'android', 'electron'], 'Platform is not supported or invalid'),
  plugin_version: z
    .string('Plugin version is required')
    .regex(
      /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/,
      'Plugin version must be a valid semver string',
    ),
  is_emulator: z.boolean().default(false),
  is_prod: z.boolean().default(true),
  defaultChannel: z.string().optional(),
  channel: z.string().optional(),
  install_source: z.string().max(64).optional(),
  key_id: z.string().max(20).optional(),
  custom_id: z.string().optional(),
  version_os: z.string().optional(),
  version_code: z.string().optional(),
  action: z.string().optional(),
  old_version_name: z.string().optional(),
  metadata: z.record(z.string(), z.unknown()).optional(),
}
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

const deviceSchema = z.object(deviceShape)
const listSchema = deviceSchema.partial({
  device_id: true,
  version_name: true,
  version_build: true,
  plugin_version: true,
})

export type DeviceBody = z.infer<typeof deviceSchema>

/** Throws as the service does: 400 `missing_*`, `invalid_json_body` (or the query's code), `semver_error`. */
export function parseDevice(body: Body, code = 'invalid_json_body', needsDevice = true): DeviceBody {
  if (needsDevice && !body.device_id) throw refuse('missing_device_id', 'Cannot find device_id', { body })
  if (!body.app_id) throw refuse('missing_app_id', 'Cannot find app_id', { body })
  const parsed = (needsDevice ? deviceSchema : listSchema).safeParse(body)
  if (!parsed.success) {
    const issues = parsed.error.issues.map(({ message, path }) => ({ message, path, code: 'custom' }))
    const parseResult = { success: false, error: { name: 'SchemaError', issues } }
    throw refuse(code, 'Cannot parse body', { parseResult })
  }
  const device = parsed.data as DeviceBody
  if (!needsDevice && device.version_build === undefined) return device
  const native = nativeVersion(device.version_build)
  if (native === undefined) {
    const advice = 'please check https://capgo.app/semver_tester/ to learn more about semver usage in Capgo'
    const message = `Native version: ${device.version_build} doesn't follow semver convention, ${advice}`
    throw refuse('semver_error', message, { version_build: device.version_build })
  }
  device.version_build = native
  // So a bundle named like the native version is never delivered to a device on its built-in code.
  if (device.version_name === 'builtin') device.version_name = native
  device.device_id = device.device_id?.toLowerCase()
  return device
}

/** The app, when the service serves it; else 429 `on_premise_app`, also for addresses that guess at app ids. */
export function servedApp(c: C, appId: string): AppRow {
  const { store, limits, profile } = c.get('capgo')
  const ip = clientIp(c)
  const refusal = () =>
    new ApiError(
      429,
      'on_premise_app',
      'On-premise app detected',
      null,
      profile === 'new' ? { 'Retry-After': '3600' } : {},
    )
  const app = store.find('apps', { app_id: appId })
  if (!app) limits.recordUnknownApp(ip)
  if (!app || limits.isAppGuesser(ip)) throw refusal()
  if (!store.find('orgs', { id: app.owner_org })?.plan_valid) throw refusal()
  return app
}

/** Notes that the device was heard of, and what it did. */
export function report(c: C, device: DeviceBody, action: string, versionName = device.version_name): void {
  const { store } = c.get('capgo')
  const { app_id, device_id } = device
  const facts = {
    updated_at: store.now(),
    platform: device.platform,
    version_name: versionName,
    version_build: device.version_build,
    plugin_version: device.plugin_version,
    is_prod: device.is_prod,
    is_emulator: device.is_emulator,
    custom_id: device.custom_id ?? '',
    os_version: device.version_os ?? null,
    install_source: device.install_source ?? null,
    // The table's column still holds the short form (contract 7.5).
    key_id: device.key_id?.slice(0, 4) ?? null,
    default_channel: device.defaultChannel ?? null,
  }
  const known = store.find('devices', { app_id, device_id })
  if (known) store.update('devices', known, facts)
  else store.insert('devices', { app_id, device_id, ...facts })
  store.insert('stats', {
    app_id,
    device_id,
    action,
    version_name: versionName,
    platform: device.platform,
    metadata: device.metadata ?? null,
  })
}

/** From these on the app keeps its channel choice itself and only asks for permission. */
export const keepsOwnChannel = (pluginVersion: string) =>
  pluginHas(pluginVersion, { 5: '5.34.0', 6: '6.34.0', 7: '7.34.0' })
