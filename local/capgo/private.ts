// /private: discovery, clean-up of failed uploads, the console's device routes and, [N], manifests and finalising.
import { Hono } from 'hono'
import { requireKey, requireUserOrKey } from './auth.ts'
import { allowed, type Body, type C, type Env, isAppId, jsonBody } from './context.ts'
import { listDevices, pin, presentDevice } from './devices.ts'
import { ApiError, noRows, refuse } from './errors.ts'
import { createUploadLink, files } from './files.ts'
import { insertManifest } from './manifests.ts'
import { bundlePath } from './objects.ts'
import { sizeReceipt } from './tus-headers.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const MAX_MANIFEST = 10_000

export const privateRoutes = new Hono<Env>()

privateRoutes.get('/config', c => {
  const { url, anonKey, profile } = c.get('capgo')
  return c.json({
    supaHost: url,
    supbaseId: new URL(url).hostname.split('.')[0],
    supaKey: anonKey,
    stripeEnabled: false,
    ...(profile === 'new' ? { useNewFinalizeBundleUpload: false } : {}),
  })
})

// Deprecated aliases of the files routes.
privateRoutes.post('/upload_link', requireKey, c => createUploadLink(c))
privateRoutes.route('/files', files)

// Telemetry of the official CLI.
privateRoutes.post('/events', c => c.json({ status: 'ok' }))

privateRoutes.delete('/delete_failed_version', requireKey, async c => {
  const { store, profile } = c.get('capgo')
  const body = await jsonBody(c)
  const { app_id, name } = body
  // The permission is asked first: a missing app id is therefore a 401 too.
  const permission = profile === 'new' ? 'app.upload_bundle' : 'bundle.delete'
  if (!allowed(c, permission, String(app_id ?? ''))) throw notAuthorized(app_id)
  if (!name) throw refuse('error_bundle_name_missing', 'Error bundle name missing', { body })
  const bundle = store.find('app_versions', {
    app_id,
    name: String(name),
    storage_provider: 'r2-direct',
    deleted: false,
  })
  if (!bundle) throw refuse('error_already_deleted', 'Already deleted', { errorVersion: noRows })
  if (bundle.r2_path && store.objects.stat(bundle.r2_path)) {
    const message = 'Error already uploaded to S3, delete is unsafe use the webapp to delete it'
    throw refuse('error_already_uploaded_to_s3', message)
  }
  store.transaction(() => store.remove('app_versions', bundle.id))
  return c.json({ status: 'ok' })
})

const notAuthorized = (app_id: unknown) =>
  new ApiError(401, 'not_authorized', "You can't access this app", { app_id })

privateRoutes.post('/channel_device', requireUserOrKey, async c => {
  const { store } = c.get('capgo')
  const body = await jsonBody(c)
  const { app_id, device_id, channel_id } = body
  if (!UUID.test(String(device_id)) || !Number.isInteger(channel_id))
    throw refuse('invalid_json_body', 'Invalid body', { body })
  if (!isAppId(app_id)) throw refuse('invalid_app_id', 'App ID must be a reverse domain string', { app_id })
  const channel = store.find('channels', { app_id, id: channel_id })
  if (!channel) throw new ApiError(404, 'channel_not_found', 'Cannot find channel')
  mayManage(c, app_id, channel.id)
  if (channel.public)
    throw refuse('public_channel_override', 'Cannot set channel override for public channel')
  // Always writes, so this renews an override.
  pin(store, app_id, device_id, channel.id, true)
  return c.json({ status: 'ok' })
})

privateRoutes.delete('/channel_device', requireUserOrKey, async c => {
  const { store } = c.get('capgo')
  const body = await jsonBody(c)
  const { app_id, device_id } = body
  if (!UUID.test(String(device_id))) throw refuse('invalid_json_body', 'Invalid body', { body })
  if (!isAppId(app_id)) throw refuse('invalid_app_id', 'App ID must be a reverse domain string', { app_id })
  const override = store.find('channel_devices', { app_id, device_id })
  mayManage(c, app_id, override?.channel_id)
  if (override) store.remove('channel_devices', override.id)
  return c.json({ status: 'ok' })
})

function mayManage(c: C, app_id: string, channelId: number | undefined): void {
  if (!allowed(c, 'channel.manage_forced_devices', app_id, channelId))
    throw new ApiError(403, 'permission_denied', 'Permission denied', { app_id })
}

privateRoutes.post('/devices', requireUserOrKey, async c => {
  const { store } = c.get('capgo')
  const body = await jsonBody(c)
  const app_id = body.appId
  if (!isAppId(app_id)) throw refuse('invalid_app_id', 'App ID must be a reverse domain string', { app_id })
  if (!allowed(c, 'app.read_devices', app_id))
    throw refuse('app_access_denied', "You can't access this app", { app_id })
  const ids = Array.isArray(body.deviceIds)
    ? new Set(body.deviceIds.map(id => String(id).toLowerCase()))
    : undefined
  const search = body.search ? String(body.search).toLowerCase() : undefined
  const matches = (device: { device_id: string; custom_id: string; version_name: string | null }) =>
    (!ids || ids.has(device.device_id)) &&
    (!search ||
      [device.device_id, device.custom_id, device.version_name].some(text =>
        text?.toLowerCase().includes(search),
      )) &&
    (!body.versionName || device.version_name === body.versionName)
  if (body.count) return c.json({ count: store.list('devices', { app_id }).filter(matches).length })
  const { order, cursor, limit } = body
  const { rows, ...paging } = listDevices(store, app_id, { order: orderOf(order), cursor, limit }, matches)
  // Unlike the public route this one has the channel that the app chose.
  const data = rows.map(device => ({
    ...presentDevice(store, device),
    default_channel: device.default_channel,
  }))
  return c.json({ data, ...paging })
})

// The console sends [{key, sortable}], scripts a plain word.
const orderOf = (order: unknown) =>
  Array.isArray(order)
    ? (order.find(entry => entry?.key === 'updated_at')?.sortable ?? 'desc')
    : (order ?? 'desc')

privateRoutes.post('/create_device', requireUserOrKey, async c => {
  const { store } = c.get('capgo')
  const body = await jsonBody(c)
  const { app_id, device_id, platform, version_name } = body
  if (!UUID.test(String(device_id)) || !['ios', 'android'].includes(platform) || !version_name)
    throw refuse('invalid_json_body', 'Invalid body', { body })
  if (!allowed(c, 'app.manage_devices', String(app_id))) throw notAuthorized(app_id)
  if (!store.find('apps', { app_id })) throw new ApiError(404, 'app_not_found', 'App not found')
  const facts = { platform, version_name, updated_at: store.now() }
  const known = store.find('devices', { app_id, device_id })
  if (known) store.update('devices', known, facts)
  else store.insert('devices', { app_id, device_id, version_build: '1.0.0', ...facts })
  return c.json({ status: 'ok' })
})

// Below: [N], unknown routes (404 not_found) for the base profile.

privateRoutes.use('/:route{set_manifest|finalize_bundle_upload|finish_tus_upload}', async (c, next) => {
  if (c.get('capgo').profile !== 'new') throw new ApiError(404, 'not_found', 'Not found', null)
  return next()
})

privateRoutes.post('/set_manifest', requireKey, async c => {
  const { store, anonKey } = c.get('capgo')
  const body = await jsonBody(c)
  const bundle = uploading(c, body)
  const manifest = body.manifest
  if (!Array.isArray(manifest) || manifest.length === 0)
    throw refuse('error_manifest_missing', 'Error manifest missing')
  if (manifest.length > MAX_MANIFEST)
    throw refuse('error_manifest_too_large', `A manifest has at most ${MAX_MANIFEST} files`)
  const prefix = `orgs/${bundle.owner_org}/apps/${bundle.app_id}/`
  const isText = (text: unknown, max: number) =>
    typeof text === 'string' && text.length > 0 && text.length <= max
  for (const entry of manifest) {
    const isValid =
      isText(entry?.file_name, 2048) && isText(entry.s3_path, 2048) && isText(entry.file_hash, 512)
    if (!isValid || !entry.s3_path.startsWith(prefix))
      throw refuse('error_manifest_invalid', 'Error manifest invalid', { entry })
  }
  const receipts = manifest.filter(entry => entry.file_size_receipt !== undefined)
  const isGenuine = (entry: Body) => {
    const size = store.objects.stat(entry.s3_path)?.size
    return size !== undefined && entry.file_size_receipt === sizeReceipt(anonKey, entry.s3_path, size)
  }
  if (receipts.length > 0 && (receipts.length < manifest.length || !receipts.every(isGenuine)))
    throw refuse('error_manifest_size_receipt_invalid', 'Error manifest size receipt invalid')
  const known = new Set(
    store
      .list('manifest', { app_version_id: bundle.id })
      .map(row => `${row.file_name} ${row.s3_path} ${row.file_hash}`),
  )
  const fresh = manifest.filter(entry => !known.has(`${entry.file_name} ${entry.s3_path} ${entry.file_hash}`))
  store.transaction(() => {
    if (known.size === 0) insertManifest(store, bundle, manifest)
    else if (fresh.length > 0) {
      for (const { file_name, s3_path, file_hash } of fresh)
        store.insert('manifest', {
          app_version_id: bundle.id,
          file_name,
          s3_path,
          file_hash,
          file_size: store.objects.stat(s3_path)?.size ?? 0,
        })
      store.update('app_versions', bundle, { manifest_count: known.size + fresh.length })
    }
  })
  return c.json({ status: 'ok', inserted: fresh.length, alreadyPresent: manifest.length - fresh.length })
})

privateRoutes.post('/finish_tus_upload', requireKey, async c => {
  const { store } = c.get('capgo')
  const bundle = uploading(c, await jsonBody(c))
  store.update('app_versions', bundle, { r2_path: bundlePath(bundle) }, { key: c.get('key') })
  return c.json({ status: 'ok' })
})

privateRoutes.post('/finalize_bundle_upload', requireKey, async c => {
  const { store } = c.get('capgo')
  const bundle = uploading(c, await jsonBody(c))
  const hasContent = (bundle.r2_path && store.objects.stat(bundle.r2_path)) || bundle.manifest_count > 0
  if (!hasContent) throw refuse('error_version_not_uploadable', 'Nothing was uploaded for this bundle')
  store.update('app_versions', bundle, { storage_provider: 'r2' }, { key: c.get('key') })
  return c.json({ status: 'ok' })
})

/** The bundle in progress that a body names. */
function uploading(c: C, body: Body) {
  const { store } = c.get('capgo')
  const { app_id, name } = body
  if (!app_id) throw refuse('error_app_id_missing', 'Error app_id missing', { body })
  if (!allowed(c, 'app.upload_bundle', String(app_id))) throw notAuthorized(app_id)
  if (!store.find('apps', { app_id })) throw new ApiError(404, 'app_not_found', 'Error App not found')
  if (!name) throw refuse('error_bundle_name_missing', 'Error bundle name missing', { body })
  const bundle = store.find('app_versions', { app_id, name: String(name), deleted: false })
  if (!bundle) throw new ApiError(404, 'error_version_not_found', 'Error version not found')
  if (bundle.storage_provider === 'external')
    throw refuse('error_version_not_uploadable', 'This bundle is stored elsewhere')
  if (bundle.storage_provider !== 'r2-direct')
    throw refuse('error_version_already_finalized', 'This bundle is finalized')
  return bundle
}
