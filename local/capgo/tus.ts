// Resumable uploads, /files/upload/attachments (contract 3.5).
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { truncate } from 'node:fs/promises'
import { Hono } from 'hono'
import { requireUploadKey } from './auth.ts'
import type { C, Env } from './context.ts'
import { ApiError } from './errors.ts'
import { readAttachment, receive } from './files.ts'
import type { UploadRow } from './rows.ts'
import type { Store } from './store.ts'
import {
  checkAccess,
  dateText,
  declaredChecksum,
  declaredLength,
  locationOf,
  parseMetadata,
  pathOf,
  ROUTE,
  receipt,
  unknownUpload,
  uploadName,
} from './tus-headers.ts'

export const MAX_UPLOAD = 1_073_741_824
const LIFE_MS = 24 * 3_600_000
const OFFSET_TYPE = 'application/offset+octet-stream'
export const tus = new Hono<Env>()

tus.options(`${ROUTE}/*`, c => {
  c.header('Tus-Resumable', '1.0.0')
  c.header('Tus-Version', '1.0.0')
  c.header('Tus-Extension', 'creation,creation-defer-length,creation-with-upload,expiration')
  c.header('Tus-Max-Size', String(MAX_UPLOAD))
  return c.body(null, 204, cors)
})

tus.post(ROUTE, requireUploadKey, async c => {
  const path = uploadName(c.req.header('upload-metadata'))
  if (!path) throw new ApiError(404, 'not_found', 'Not found', null)
  checkAccess(c, path)
  return exclusive(path, () => create(c, path))
})

tus.patch(`${ROUTE}/*`, requireUploadKey, async c => {
  const path = pathOf(c)
  if (path === null) return unknownUpload(c)
  checkAccess(c, path)
  return exclusive(path, () => append(c, path))
})

tus.get(`${ROUTE}/*`, async (c, next) => {
  // Without Tus-Resumable this is a plain read; with it, and as HEAD, it asks how far an upload got.
  if (!c.req.header('tus-resumable') || c.req.method !== 'HEAD') return readAttachment(c, `${ROUTE}/`)
  return next()
})
tus.get(`${ROUTE}/*`, requireUploadKey, async c => {
  const path = pathOf(c)
  if (path === null) return unknownUpload(c)
  checkAccess(c, path)
  return exclusive(path, async () => progress(c, path))
})

const cors = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers':
    'Authorization, Content-Type, Location, Tus-Extension, Tus-Max-Size, Tus-Resumable, Tus-Version, Upload-Concat, Upload-Defer-Length, Upload-Length, Upload-Metadata, Upload-Offset',
}

// One request at a time per object, as Capgo's upload handler does it: a HEAD waits until a cut PATCH has been written.
const running = new Map<string, Promise<unknown>>()

async function exclusive<T>(path: string, work: () => Promise<T>): Promise<T> {
  const before = running.get(path) ?? Promise.resolve()
  const mine = before.catch(() => {}).then(work)
  running.set(path, mine)
  try {
    return await mine
  } finally {
    if (running.get(path) === mine) running.delete(path)
  }
}

async function create(c: C, path: string): Promise<Response> {
  const { store } = c.get('capgo')
  const hasBody =
    Number(c.req.header('content-length') ?? 0) > 0 || c.req.header('transfer-encoding') !== undefined
  const type = c.req.header('content-type')
  if (hasBody && !type) throw new ApiError(415, 'missing_content_type', 'Missing Content-Type header')
  if (hasBody && type !== OFFSET_TYPE)
    throw new ApiError(415, 'invalid_content_type', 'Invalid Content-Type header')
  const length = declaredLength(c)
  const sha256 = declaredChecksum(c)

  const existing = findUpload(store, path)
  if (existing && !existing.done && existing.offset > 0) {
    // The old bytes go first, so that the same request succeeds when it is repeated.
    discard(store, existing)
    throw new ApiError(409, 'duplicate_upload', 'Upload already exists', {
      r2Key: path,
      existingUploadOffset: existing.offset,
      requestId: c.get('requestId'),
    })
  }
  if (existing) discard(store, existing)

  const metadata = parseMetadata(c.req.header('upload-metadata'))
  let upload = store.insert('uploads', {
    path,
    length,
    content_type: metadata.filetype || null,
    sha256,
    expires_at: new Date(store.clock.now() + LIFE_MS).toISOString(),
  })
  const expires = upload.expires_at
  if (hasBody || length === 0) upload = await take(c, upload)
  return reply(c, { ...upload, expires_at: expires }, 201, {
    Location: locationOf(c, upload),
    'Upload-Offset': String(upload.offset),
    ...receipt(c, upload),
  })
}

async function append(c: C, path: string): Promise<Response> {
  const { store } = c.get('capgo')
  let upload = findUpload(store, path)
  if (!upload) return c.text('Not Found', 404, { 'Tus-Resumable': '1.0.0' })
  const type = c.req.header('content-type')
  if (!type) throw new ApiError(415, 'missing_content_type', 'Missing Content-Type header')
  if (type !== OFFSET_TYPE) throw new ApiError(415, 'invalid_content_type', 'Invalid Content-Type header')
  if (Number(c.req.header('upload-offset') ?? Number.NaN) !== upload.offset)
    return c.text('incorrect upload offset', 409)
  const length = c.req.header('upload-length')
  if (length !== undefined) {
    if (upload.length !== null && upload.length !== Number(length))
      return c.text('upload length cannot change', 400)
    if (upload.length === null) upload = store.update('uploads', upload, { length: Number(length) })
  }
  const isEmpty =
    c.req.header('content-length') === '0' ||
    (!c.req.header('content-length') && !c.req.header('transfer-encoding'))
  if (isEmpty && upload.offset !== upload.length) return c.text('Must provide request body', 400)
  if (!upload.done) upload = await take(c, upload)
  return reply(c, upload, 204, { 'Upload-Offset': String(upload.offset), ...receipt(c, upload) })
}

async function progress(c: C, path: string): Promise<Response> {
  const { store } = c.get('capgo')
  const upload = findUpload(store, path)
  const object = store.objects.stat(path)
  if (!upload && !object) throw new ApiError(404, 'not_found', 'Not Found')
  c.header('Cache-Control', 'no-store')
  c.header('Tus-Resumable', '1.0.0')
  c.header('Upload-Offset', String(upload?.offset ?? object!.size))
  if (upload?.length ?? object) c.header('Upload-Length', String(upload?.length ?? object!.size))
  else c.header('Upload-Defer-Length', '1')
  if (upload) c.header('Upload-Expires', dateText(upload.expires_at))
  return c.body(null, 200)
}

/** Takes the request's bytes in; once all are there, checks them and makes them an object. */
async function take(c: C, upload: UploadRow): Promise<UploadRow> {
  const { store } = c.get('capgo')
  const file = store.objects.partial(upload.id)
  const limit = Math.min(upload.length ?? MAX_UPLOAD, MAX_UPLOAD)
  const { end, isTooLong, isCut } = await receive(c.env.incoming, file, upload.offset, limit)
  if (isTooLong) {
    await truncate(file, upload.offset)
    throw new ApiError(413, 'unknown_error', 'Upload is larger than declared or allowed')
  }
  let current = store.update('uploads', upload, { offset: end })
  if (isCut || current.offset !== current.length) return current
  if (current.sha256 !== null && (await hashOf(file)) !== current.sha256) {
    discard(store, current)
    throw new ApiError(
      415,
      'checksum_mismatch',
      'The SHA-256 checksum you specified did not match what we received',
    )
  }
  store.objects.adopt(current.path, file, {
    size: end,
    contentType: current.content_type,
    sha256: current.sha256,
  })
  current = store.update('uploads', current, {
    done: true,
    expires_at: new Date(store.clock.now()).toISOString(),
  })
  return current
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk)
  return hash.digest('base64')
}

/** The running or finished upload of this object; unfinished ones are gone after a day. */
function findUpload(store: Store, path: string): UploadRow | undefined {
  const upload = store.find('uploads', { path })
  if (upload && !upload.done && upload.expires_at <= store.now()) {
    discard(store, upload)
    return undefined
  }
  // A finished upload counts while its object is there.
  if (upload?.done && !store.objects.stat(path)) {
    discard(store, upload)
    return undefined
  }
  return upload
}

function discard(store: Store, upload: UploadRow): void {
  store.objects.discardPartial(upload.id)
  store.remove('uploads', upload.id)
}

function reply(c: C, upload: UploadRow, status: 201 | 204, headers: Record<string, string>): Response {
  return c.body(null, status, {
    ...cors,
    'Tus-Resumable': '1.0.0',
    'Upload-Expires': dateText(upload.expires_at),
    ...headers,
  })
}
