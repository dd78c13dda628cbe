// The page at `/`: what the local Capgo holds and what it is asked, live.
import { readFileSync } from 'node:fs'
import { Hono } from 'hono'
import { type Note, readNotes } from '../../src/plan/bundle-comment.ts'
import { type C, type Env, isLocalHost } from './context.ts'
import { ApiError } from './errors.ts'
import { isWrite, type RecordedRequest } from './recorder.ts'
import { senderOf, wordsOf } from './request-words.ts'
import type { BundleRow } from './rows.ts'

const BUNDLES = 60
const DEVICES = 200
const REQUESTS = 300

export const local = new Hono<Env>()

const TYPES = { html: 'text/html', css: 'text/css', js: 'text/javascript' } as const

function file(c: C, name: string, type: keyof typeof TYPES) {
  c.header('Content-Type', `${TYPES[type]}; charset=utf-8`)
  return c.body(readFileSync(new URL(`page/${name}.${type}`, import.meta.url), 'utf8'))
}

local.get('/', c => {
  // Only the page's own scripts and style may run, whatever a name in the data looks like.
  c.header(
    'Content-Security-Policy',
    "default-src 'none'; connect-src 'self'; script-src 'self'; style-src 'self'; img-src data:",
  )
  return file(c, 'page', 'html')
})
local.get('/_local/page.css', c => file(c, 'page', 'css'))
for (const name of ['page', 'phone', 'requests', 'elements'] as const)
  local.get(`/_local/${name}.js`, c => file(c, name, 'js'))

local.get('/_local/state', c => {
  requireLocal(c)
  return c.json(stateOf(c))
})

/** Everything of one request, for the reader who opens it. */
local.get('/_local/requests/:n', c => {
  requireLocal(c)
  const request = c.get('capgo').requests[Number(c.req.param('n')) - 1]
  if (request === undefined) throw new ApiError(404, 'not_found', 'This request does not exist')
  return c.json(request)
})

/** No page of another site reads this through a name that points here. */
function requireLocal(c: C): void {
  if (!isLocalHost(c)) throw new ApiError(403, 'not_local', 'Only for this machine')
  c.header('Cache-Control', 'no-store')
}

/** A note as people say it: `5f5c961 on main, run 7, 04:18`. */
function sayNote({ sha, refName, pull, run, at, rolledBackFrom }: Note, now: string): string {
  const [number, attempt] = run.split('.')
  const day = at?.slice(0, 10) === now.slice(0, 10) ? '' : `${at?.slice(0, 10)} `
  return [
    `${sha.slice(0, 7)} on ${refName}${pull === null ? '' : ` for #${pull.split('#')[1]}`}`,
    `run ${number}${attempt === '1' ? '' : ` attempt ${attempt}`}`,
    at === null ? null : `${day}${at.slice(11, 16)}`,
    rolledBackFrom === null ? null : `rolled back from ${rolledBackFrom.name}`,
  ]
    .filter(part => part !== null)
    .join(', ')
}

function describeRequest(request: RecordedRequest) {
  const { n, at, method, path, status, requestBytes, responseBytes } = request
  return {
    n,
    at,
    sender: senderOf(request),
    words: wordsOf(request),
    method,
    path,
    status,
    writes: isWrite(request),
    requestBytes,
    responseBytes,
  }
}

function stateOf(c: C) {
  const { store, runtime, profile, requests, deleteAllAttempts, url } = c.get('capgo')
  const bundlesById = new Map(store.list('app_versions').map(bundle => [bundle.id, bundle]))
  const overrides = store.list('channel_devices', {}, `ORDER BY updated_at DESC LIMIT ${DEVICES}`)
  const channelNames = new Map(store.list('channels').map(channel => [channel.id, channel.name]))
  const size = (bundle: BundleRow) =>
    bundle.r2_path ? (store.objects.stat(bundle.r2_path)?.size ?? null) : null
  const now = new Date(store.clock.now()).toISOString()
  const summary = (id: number | null, channel?: string) => {
    const bundle = id === null ? undefined : bundlesById.get(id)
    if (!bundle) return null
    const { name, checksum, link, deleted } = bundle
    const notes = readNotes(bundle)
    const note = notes.find(each => each.channel === channel) ?? notes[0]
    return {
      id: bundle.id,
      name,
      checksum,
      note: note === undefined ? bundle.comment : sayNote(note, now),
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
      bundle: summary(channel.version, channel.name),
      rollout:
        channel.rollout_version === null
          ? null
          : {
              bundle: summary(channel.rollout_version, channel.name),
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
    requests: requests.slice(-REQUESTS).map(describeRequest),
    requestCount: requests.length,
  }
}
