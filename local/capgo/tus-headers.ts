// Addresses and headers of resumable uploads.
import { createHmac } from 'node:crypto'
import { allowed, baseUrl, type C } from './context.ts'
import { ApiError, refuse } from './errors.ts'
import type { UploadRow } from './rows.ts'

export const ROUTE = '/upload/attachments'
const UPLOAD_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

// The way the service writes it: a JavaScript date as text.
export function dateText(time: string): string {
  const parts = new Date(time).toUTCString().replace(',', '').split(' ')
  const [day, date, month, year, clock] = parts
  return `${day} ${month} ${date} ${year} ${clock} GMT+0000 (Coordinated Universal Time)`
}

export function locationOf(c: C, upload: UploadRow): string {
  if (c.get('capgo').runtime === 'edge')
    return `${c.get('capgo').url}/functions/v1/files${ROUTE}/${upload.id}`
  return `${baseUrl(c)}/files${ROUTE}/${upload.path.split('/').map(encodeURIComponent).join('/')}`
}

/** Null for an id of the edge runtime's of which nothing is known any more. */
export function pathOf(c: C): string | null {
  const pathname = new URL(c.req.url).pathname
  const raw = pathname.slice(pathname.indexOf(`${ROUTE}/`) + ROUTE.length + 1)
  let path: string
  try {
    path = decodeURIComponent(raw)
  } catch {
    throw refuse('invalid_file_path_encoding', 'Invalid file path encoding', {
      requestId: c.get('requestId'),
    })
  }
  const { store, runtime } = c.get('capgo')
  if (runtime !== 'edge' || !UPLOAD_ID.test(path)) return path
  return store.find('uploads', { id: path })?.path ?? null
}

/** The storage service behind the edge runtime, whose answers are passed through. */
export const unknownUpload = (c: C) =>
  c.text('The file for this url was not found\n', 404, { 'Tus-Resumable': '1.0.0' })

/** The checks of every creation, PATCH and HEAD, in the service's order. */
export function checkAccess(c: C, path: string): void {
  const { store } = c.get('capgo')
  const requestId = c.get('requestId')
  const [orgs, org, apps, appId, ...rest] = path.split('/')
  const isScoped =
    orgs === 'orgs' && apps === 'apps' && org && appId && rest.length > 0 && !path.split('/').includes('')
  if (!isScoped) {
    const hint = 'Invalid file path structure. Expected: orgs/{owner_org}/apps/{app_id}/...'
    throw refuse('invalid_file_path', hint, { fileId: path, requestId })
  }
  if (!c.get('key').user_id) throw refuse('user_not_found', 'User not found', { requestId })
  if (!allowed(c, 'app.upload_bundle', appId)) {
    const message = "You don't have permission to access this app"
    throw new ApiError(403, 'insufficient_permissions', message, { app_id: appId, requestId })
  }
  const app = store.find('apps', { app_id: appId })
  if (!app) throw new ApiError(404, 'app_not_found', 'App not found', { app_id: appId, requestId })
  if (app.owner_org !== org) {
    const message = "The owner organization in the file path does not match the app's owner organization"
    const owners = { app_id: appId, filePathOwnerOrg: org, actualOwnerOrg: app.owner_org, requestId }
    throw new ApiError(403, 'owner_org_mismatch', message, owners)
  }
  if (!store.find('orgs', { id: app.owner_org })?.plan_valid)
    throw new ApiError(429, 'on_premise_app', 'On-premise app detected', null)
  const isReady = store.select(
    'app_versions',
    "r2_path = ? AND deleted = 0 AND storage_provider <> 'r2-direct'",
    [path],
    'LIMIT 1',
  )
  if (isReady.length > 0) {
    const message = 'Bundle content cannot be changed after upload is complete. Upload a new bundle instead.'
    throw new ApiError(409, 'bundle_already_ready', message, { app_id: appId, requestId })
  }
}

export function declaredLength(c: C): number | null {
  const defer = c.req.header('upload-defer-length')
  const length = c.req.header('upload-length')
  const requestId = c.get('requestId')
  if (defer !== undefined) {
    if (defer !== '1') throw refuse('bad_upload_defer_length', 'Upload-Defer-Length must be 1', { requestId })
    return null
  }
  if (length === undefined || !/^\d+$/.test(length)) {
    const message = 'Must contain Upload-Length or Upload-Defer-Length header'
    throw refuse('missing_upload_length', message, { requestId })
  }
  // Larger than the maximum is accepted here and refused once the bytes come (contract 19).
  return Number(length)
}

export function declaredChecksum(c: C): string | null {
  const checksum = c.req.header('x-checksum-sha256')
  if (checksum === undefined) return null
  if (Buffer.from(checksum, 'base64').length !== 32)
    throw refuse('unknown_error', 'SHA-256 checksum should be 32 bytes')
  return Buffer.from(checksum, 'base64').toString('base64')
}

export function parseMetadata(header: string | undefined): Record<string, string> {
  const pairs = (header ?? '').split(',').map(pair => pair.trim().split(' '))
  return Object.fromEntries(
    pairs.map(([name = '', value = '']) => [name, Buffer.from(value, 'base64').toString('utf8')]),
  )
}

export function uploadName(header: string | undefined): string | undefined {
  const name = parseMetadata(header).filename
  if (!name) return undefined
  // Some clients encode twice.
  const looksEncoded = !name.includes('/') && /^[A-Za-z0-9+=]+$/.test(name) && name.length % 4 === 0
  return looksEncoded ? Buffer.from(name, 'base64').toString('utf8') : name
}

/** [N] proof of a delta file's size, for `set_manifest`. */
export function sizeReceipt(secret: string, path: string, size: number): string {
  return `${size}.${createHmac('sha256', secret).update(`${path} ${size}`).digest('hex')}`
}

export function receipt(c: C, upload: UploadRow): Record<string, string> {
  const { profile, anonKey } = c.get('capgo')
  if (profile !== 'new' || !upload.done || !upload.path.includes('/delta/')) return {}
  return { 'X-Capgo-Manifest-Size-Receipt': sizeReceipt(anonKey, upload.path, upload.offset) }
}
