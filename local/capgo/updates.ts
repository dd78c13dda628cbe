// POST /updates: what a device gets (contract 12).
import { Hono } from 'hono'
import semver from 'semver'
import { type C, type Env, jsonBody } from './context.ts'
import { isInRollout, type Offer, pluginHas, refusal } from './decision.ts'
import { attachmentUrl, downloadUrl } from './files.ts'
import { type DeviceBody, keepsOwnChannel, parseDevice, report, servedApp } from './plugin.ts'
import type { AppRow, BundleRow, ChannelRow, ManifestRow } from './rows.ts'

const NO_ZIP = 'https://404.capgo.app/no.zip'

export const updates = new Hono<Env>()

updates.get('/', c => c.json({ status: 'ok' }))

updates.post('/', async c => {
  const device = parseDevice(await jsonBody(c))
  const app = servedApp(c, device.app_id)
  if (semver.major(device.plugin_version) === 4)
    return failed(
      c,
      'unsupported_plugin_version',
      `Plugin version ${device.plugin_version} (v4) is no longer supported.`,
    )
  const offer = chooseOffer(c, app, device)
  if (!offer) {
    report(c, device, 'NoChannelOrOverride')
    return failed(c, 'no_channel', 'no default channel or override')
  }
  if (offer === 'deleted') return failed(c, 'no_bundle', 'Cannot get bundle')
  const { bundle, manifest } = offer
  const no = refusal(device, { ...offer, deltaFiles: manifest.length })
  if (no) {
    const { error, message, kind, extra } = no
    report(c, device, error)
    return c.json({ error, message, ...extra, kind })
  }
  if (!bundle) return answerBuiltin(c, device)
  return deliver(c, app, device, bundle, manifest)
})

// Optional for clients: how much a device would download.
updates.post('/manifest_size', async c => {
  const { store } = c.get('capgo')
  const body = await jsonBody(c)
  const device = parseDevice(body)
  servedApp(c, device.app_id)
  const where = body.version_id ? { id: Number(body.version_id) } : { name: String(body.version ?? '') }
  const bundle = store.find('app_versions', { app_id: device.app_id, ...where })
  if (!bundle) return failed(c, 'no_bundle', 'Cannot get bundle')
  const wanted = (body.manifest ?? body.files) as { file_name?: string }[] | string[] | undefined
  const names = wanted && new Set(wanted.map(file => (typeof file === 'string' ? file : file.file_name)))
  const rows = store
    .list('manifest', { app_version_id: bundle.id })
    .filter(row => !names || names.has(row.file_name))
  return c.json({ size: rows.reduce((sum, row) => sum + row.file_size, 0), files: rows.length })
})

const failed = (c: C, error: string, message: string) => c.json({ error, message, kind: 'failed' })

type Found = Omit<Offer, 'deltaFiles'> & { manifest: ManifestRow[] }

/** Channel and bundle for this device, in the order of contract 9.8. */
function chooseOffer(c: C, app: AppRow, device: DeviceBody): Found | 'deleted' | undefined {
  const { store, profile, runtime } = c.get('capgo')
  const { app_id, device_id, platform, defaultChannel } = device
  const isOld = !keepsOwnChannel(device.plugin_version)
  const stored =
    isOld && runtime === 'workerd' ? store.find('self_channels', { app_id, device_id }) : undefined
  // While the counter is 0, overrides are not looked for at all.
  const override =
    app.channel_device_count > 0 ? store.find('channel_devices', { app_id, device_id }) : undefined
  const pinned = stored?.channel_id ?? override?.channel_id
  const pinnedChannel = pinned === undefined ? undefined : store.find('channels', { id: pinned })
  if (pinnedChannel) {
    const found = offerOf(c, app, device, pinnedChannel, true)
    if (found) return found
    // [N]; in [B] an override to a channel whose bundle was deleted counts as absent
    if (profile === 'new') return 'deleted'
  }
  // A defaultChannel is looked for by its name alone: no fall-through to the public channel.
  const reachable = store
    .list(
      'channels',
      { app_id, ...(defaultChannel ? { name: defaultChannel } : { public: true }) },
      'ORDER BY name, id',
    )
    .filter(channel => channel[platform] && (channel.public || channel.allow_device_self_set))
  for (const channel of reachable) {
    const found = offerOf(c, app, device, channel, false)
    if (found) return found
    if (profile === 'new') return 'deleted'
  }
  return undefined
}

/** Nothing when the channel points at a deleted bundle: it then counts as absent. */
function offerOf(
  c: C,
  app: AppRow,
  device: DeviceBody,
  channel: ChannelRow,
  isOverride: boolean,
): Found | undefined {
  const { store } = c.get('capgo')
  const live = (id: number | null) => {
    const bundle = id === null ? undefined : store.find('app_versions', { id })
    return bundle && !bundle.deleted ? bundle : undefined
  }
  const stable = live(channel.version)
  if (channel.version !== null && !stable) return undefined
  const rollout = live(channel.rollout_version)
  const hasRollouts =
    app.rollout_channel_count > 0 || app.rollout_paused_version_names.includes(device.version_name)
  const inRollout =
    hasRollouts && rollout && isInRollout(channel, device.device_id, device.version_name, rollout.name)
  const bundle = (inRollout ? rollout : stable) ?? null
  const takesDelta =
    app.manifest_bundle_count > 0 &&
    pluginHas(device.plugin_version, { 5: '5.10.0', 6: '6.25.0', 7: '7.0.35' })
  const manifest = bundle && takesDelta ? store.list('manifest', { app_version_id: bundle.id }) : []
  return { channel, bundle, manifest, isOverride }
}

function answerBuiltin(c: C, device: DeviceBody): Response {
  // [N] resets devices that run a downloaded bundle; [B] answers every device that it already runs the built-in code.
  const runsBundle = device.version_name !== device.version_build
  if (c.get('capgo').profile === 'new' && runsBundle) return c.json({ version: 'builtin' })
  return c.json({
    error: 'already_on_builtin',
    message: 'Already on builtin',
    version: 'builtin',
    kind: 'up_to_date',
  })
}

function deliver(c: C, app: AppRow, device: DeviceBody, bundle: BundleRow, rows: ManifestRow[]): Response {
  const { device_id } = device
  const zip = bundle.r2_path ? downloadUrl(c, bundle.r2_path, { key: bundle.checksum ?? '', device_id }) : ''
  const manifest = bundle.external_url ? [] : manifestOf(c, bundle, rows, device_id)
  const url = bundle.external_url || zip || (manifest.length > 0 ? NO_ZIP : '')
  if (!/^https?:\/\//.test(url)) return failed(c, 'no_bundle_url', 'Cannot get bundle url')
  report(c, device, 'get', bundle.name)
  const showsMetadata =
    app.expose_metadata &&
    pluginHas(device.plugin_version, { 5: '5.35.0', 6: '6.35.0', 7: '7.35.0', 8: '8.35.0' })
  return c.json({
    version: bundle.name,
    url,
    session_key: bundle.session_key ?? '',
    checksum: bundle.checksum,
    ...(manifest.length > 0 ? { manifest } : {}),
    ...(showsMetadata && bundle.link ? { link: bundle.link } : {}),
    ...(showsMetadata && bundle.comment ? { comment: bundle.comment } : {}),
  })
}

const manifestOf = (c: C, bundle: BundleRow, rows: ManifestRow[], device_id: string) =>
  rows.map(({ file_name, file_hash, s3_path }) => ({
    file_name,
    file_hash,
    download_url: attachmentUrl(c, s3_path, { key: String(bundle.id), device_id }),
  }))
