// The page at `/`: what the local Capgo holds and what it is asked, live.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Hono } from 'hono'
import { type C, type Env, isLocalHost } from './context.ts'
import { ApiError } from './errors.ts'
import type { BundleRow } from './rows.ts'

const BUNDLES = 60
const DEVICES = 200
const REQUESTS = 200

export const local = new Hono<Env>()

local.get('/', c => {
  const html = readFileSync(new URL('page.html', import.meta.url), 'utf8')
  // Only the page's own script and style may run, whatever a name in the data looks like.
  const hashes = (tag: string) =>
    [...html.matchAll(new RegExp(`<${tag}>(.*?)</${tag}>`, 'gs'))].map(
      ([, text]) => `'sha256-${createHash('sha256').update(text!).digest('base64')}'`,
    )
  c.header(
    'Content-Security-Policy',
    `default-src 'none'; connect-src 'self'; script-src ${hashes('script').join(' ')}; style-src ${hashes('style').join(' ')}; img-src data:`,
  )
  return c.html(html)
})

local.get('/_local/state', c => {
  // No page of another site reads this through a name that points here.
  if (!isLocalHost(c)) throw new ApiError(403, 'not_local', 'Only for this machine')
  c.header('Cache-Control', 'no-store')
  return c.json(stateOf(c))
})

function stateOf(c: C) {
  const { store, runtime, profile, requests, deleteAllAttempts, url } = c.get('capgo')
  const bundlesById = new Map(store.list('app_versions').map(bundle => [bundle.id, bundle]))
  const overrides = store.list('channel_devices', {}, `ORDER BY updated_at DESC LIMIT ${DEVICES}`)
  const channelNames = new Map(store.list('channels').map(channel => [channel.id, channel.name]))
  const size = (bundle: BundleRow) =>
    bundle.r2_path ? (store.objects.stat(bundle.r2_path)?.size ?? null) : null
  const summary = (id: number | null) => {
    const bundle = id === null ? undefined : bundlesById.get(id)
    if (!bundle) return null
    const { name, checksum, comment, link, deleted } = bundle
    return {
      id: bundle.id,
      name,
      checksum,
      comment,
      link,
      deleted,
      size: size(bundle),
      files: bundle.manifest_count,
    }
  }
  return {
    url,
    runtime,
    profile,
    now: store.now(),
    deleteAllAttempts: deleteAllAttempts.length,
    apps: store
      .list('apps')
      .map(app => ({ id: app.app_id, name: app.name, overrides: app.channel_device_count })),
    channels: store.list('channels').map(channel => ({
      id: channel.id,
      app: channel.app_id,
      name: channel.name,
      public: channel.public,
      selfAssign: channel.allow_device_self_set,
      platforms: (['ios', 'android', 'electron'] as const).filter(name => channel[name]),
      mode: channel.disable_auto_update,
      underNative: channel.disable_auto_update_under_native,
      updated: channel.updated_at,
      bundle: summary(channel.version),
      rollout:
        channel.rollout_version === null
          ? null
          : {
              bundle: summary(channel.rollout_version),
              percent: channel.rollout_percentage_bps / 100,
              state: channel.rollout_paused_at ? 'paused' : channel.rollout_enabled ? 'running' : 'off',
            },
      overrides: store.count('channel_devices', { channel_id: channel.id }),
    })),
    bundleCount: bundlesById.size,
    bundles: [...bundlesById.values()]
      .reverse()
      .slice(0, BUNDLES)
      .map(bundle => ({
        ...summary(bundle.id)!,
        app: bundle.app_id,
        created: bundle.created_at,
        state: bundle.deleted ? 'deleted' : bundle.storage_provider === 'r2-direct' ? 'in progress' : 'ready',
        channels: store
          .select('channels', '(version = ? OR rollout_version = ?)', [bundle.id, bundle.id])
          .map(channel => channel.name),
      })),
    overrides: overrides.map(override => ({
      device: override.device_id,
      app: override.app_id,
      channel: channelNames.get(override.channel_id) ?? '?',
      updated: override.updated_at,
    })),
    devices: store.list('devices', {}, `ORDER BY updated_at DESC LIMIT ${DEVICES}`).map(device => ({
      device: device.device_id,
      app: device.app_id,
      platform: device.platform,
      native: device.version_build,
      bundle: device.version_name,
      seen: device.updated_at,
    })),
    requests: requests.slice(-REQUESTS).map(({ n, method, path, status, requestBytes, responseBytes }) => ({
      n,
      method,
      path,
      status,
      requestBytes,
      responseBytes,
    })),
    requestCount: requests.length,
  }
}
