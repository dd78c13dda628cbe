// Web previews on <label>.preview.<domain> (contract 13).
import { brotliDecompressSync } from 'node:zlib'
import type { Body, C } from './context.ts'
import { refuse } from './errors.ts'
import { downloadUrl } from './files.ts'
import type { BundleRow, ManifestRow } from './rows.ts'

const NO_STORE = 'no-store, no-cache, must-revalidate, max-age=0'
const FOREVER = 'public, max-age=31536000, immutable'

// Names as the service gives them.
const types: Record<string, string> = {
  html: 'text/html',
  htm: 'text/html',
  css: 'text/css',
  js: 'application/javascript',
  mjs: 'application/javascript',
  json: 'application/json',
  map: 'application/json',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  svg: 'image/svg+xml',
  ico: 'image/x-icon',
  webp: 'image/webp',
  woff: 'font/woff',
  woff2: 'font/woff2',
  ttf: 'font/ttf',
  txt: 'text/plain',
  xml: 'application/xml',
  wasm: 'application/wasm',
  webmanifest: 'application/manifest+json',
}

export const isPreviewHost = (host: string | undefined) => /^[^.]+\.preview\./.test(host ?? '')

/** `com-0-my-1-app` -> `com.my-app` (contract 13.1). */
const decodeAppId = (label: string) =>
  label.replace(/-(.)/g, (_, letter: string) =>
    letter === '0' ? '.' : letter === '1' ? '-' : letter.toUpperCase(),
  )

export async function servePreview(c: C): Promise<Response> {
  const { store, runtime } = c.get('capgo')
  const { appId, bundleId, channelId } = parseLabel((c.req.header('host') ?? '').split('.')[0]!)
  const app =
    store.find('apps', { app_id: appId }) ??
    store.list('apps').find(row => row.app_id.toLowerCase() === appId.toLowerCase())
  if (!app) throw refuse('app_not_found', 'App not found', { appId })
  if (!app.allow_preview) throw refuse('preview_disabled', 'Preview is disabled for this app')
  const channel =
    channelId === undefined ? undefined : store.find('channels', { id: channelId, app_id: app.app_id })
  if (channelId !== undefined && !channel)
    throw refuse('channel_not_found', 'Channel not found', { channelId })
  const id = bundleId ?? channel?.version ?? -1
  // Soft-deleted bundles are not filtered out here.
  const bundle = store.find('app_versions', { id, app_id: app.app_id })
  if (!bundle)
    throw refuse(
      'bundle_not_found',
      'Bundle not found',
      bundleId === undefined ? {} : { versionId: bundleId },
    )

  const path = decodeURIComponent(new URL(c.req.url).pathname.slice(1)) || 'index.html'
  if (path === '.capgo/preview.json') return payload(c, bundle)
  if (runtime === 'edge') throw refuse('preview_not_supported', 'Preview is not supported on this runtime')
  if (bundle.session_key) {
    const message =
      'Encrypted bundles cannot be previewed. Upload an unencrypted bundle to use Capgo preview.'
    throw refuse('bundle_encrypted', message)
  }
  if (bundle.manifest_count === 0)
    throw refuse('no_manifest', 'Bundle has no manifest and cannot be previewed')
  const entry = findFile(store.list('manifest', { app_version_id: bundle.id }), path)
  const object = entry && store.objects.stat(entry.s3_path)
  if (!object) throw refuse('file_not_found', 'File not found', { path })
  const chunks: Buffer[] = []
  for await (const chunk of store.objects.read(object.key)) chunks.push(chunk as Buffer)
  const bytes = Buffer.concat(chunks)
  const content =
    entry.file_name.endsWith('.br') && !path.endsWith('.br') ? brotliDecompressSync(bytes) : bytes
  return c.body(new Uint8Array(content), 200, {
    'Content-Type': types[path.split('.').pop()?.toLowerCase() ?? ''] ?? 'application/octet-stream',
    'Cache-Control': channel ? NO_STORE : FOREVER,
    ETag: object.etag,
  })
}

function parseLabel(label: string): { appId: string; bundleId?: number; channelId?: number } {
  const parts = /^(c?)(\d+)-(.+)$/.exec(label)
  if (parts) {
    const id = Number(parts[2])
    return { appId: decodeAppId(parts[3]!), ...(parts[1] ? { channelId: id } : { bundleId: id }) }
  }
  const legacy = /^(.+)-(\d+)$/.exec(label)
  if (legacy && label.includes('__'))
    return { appId: legacy[1]!.replaceAll('__', '.'), bundleId: Number(legacy[2]) }
  const shape =
    'Expected: {version_id}-{preview_app_id}.preview.capgo.app or c{channel_id}-{preview_app_id}.preview.capgo.app'
  throw refuse('invalid_subdomain', `Invalid preview subdomain format. ${shape}`)
}

function findFile(rows: ManifestRow[], path: string): ManifestRow | undefined {
  const byName = new Map(rows.map(row => [row.file_name, row]))
  for (const prefix of ['', 'www/', 'public/', 'dist/'])
    for (const suffix of ['', '.br']) {
      const row = byName.get(prefix + path + suffix)
      if (row) return row
    }
  return undefined
}

/** For the native preview app: works for zip-only and external bundles too. */
function payload(c: C, bundle: BundleRow): Response {
  if (!bundle.external_url && !bundle.r2_path)
    throw refuse('bundle_download_unavailable', 'Bundle cannot be downloaded')
  const query = { key: bundle.checksum ?? String(bundle.id), device_id: 'preview' }
  const body: Body = {
    appId: bundle.app_id,
    ...(bundle.checksum ? { checksum: bundle.checksum } : {}),
    ...(bundle.session_key ? { sessionKey: bundle.session_key } : {}),
    url: bundle.external_url ?? downloadUrl(c, bundle.r2_path!, query),
    version: bundle.name,
  }
  return c.json(body, 200, { 'Access-Control-Allow-Origin': '*', 'Cache-Control': NO_STORE })
}
