// /files: configuration, reading stored objects, presigned links; and the object store's own HTTP face under /s3.
import { createHmac } from 'node:crypto'
import { open } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { Hono } from 'hono'
import { requireKey } from './auth.ts'
import { allowed, baseUrl, type C, type Env, isAppId, jsonBody } from './context.ts'
import { ApiError, noRows, refuse } from './errors.ts'
import { bundlePath } from './objects.ts'
import type { ObjectRow } from './rows.ts'
import type { Store } from './store.ts'

/** Contract 3.6 and 12.2: life of a presigned PUT and of the edge runtime's zip URL, seconds. */
const PUT_SECONDS = 1_200
const GET_SECONDS = 604_800

export const files = new Hono<Env>()

files.get('/config', c => c.json(c.get('capgo').filesConfig))

files.post('/upload_link', requireKey, async c => createUploadLink(c))

// Users only: an API key cannot fetch a bundle this way (contract 1.5).
files.post('/download_link', () => {
  throw new ApiError(401, 'invalid_jwt', 'Invalid JWT')
})

files.get('/read/attachments/*', c => readAttachment(c, '/read/attachments/'))

export async function createUploadLink(c: C): Promise<Response> {
  const { store } = c.get('capgo')
  const { app_id, name } = await jsonBody(c)
  if (!isAppId(app_id) || !allowed(c, 'app.upload_bundle', app_id))
    throw refuse('app_access_denied', "You can't access this app", { app_id })
  if (!store.find('apps', { app_id })) throw new ApiError(404, 'error_app_not_found', 'Error App not found')
  const bundle = store.find('app_versions', {
    app_id,
    name: String(name),
    storage_provider: 'r2-direct',
    deleted: false,
  })
  if (!bundle || bundle.user_id !== c.get('key').user_id)
    throw new ApiError(404, 'error_version_not_found', 'Error App or Version not found', {
      errorVersion: noRows,
    })
  const key = bundlePath(bundle)
  if (store.objects.stat(key)) throw refuse('error_already_exist', 'Error already exist', { exist: true })
  // The path is set now, before any byte has arrived.
  store.update('app_versions', bundle, { r2_path: key })
  return c.json({ url: presign(c, 'PUT', key, PUT_SECONDS) })
}

/** Serves the object whose key follows `marker` in the path; the key may come encoded as a whole, by segment, or not at all. */
export async function readAttachment(c: C, marker: string): Promise<Response> {
  const { store } = c.get('capgo')
  const path = new URL(c.req.url).pathname
  const raw = path.slice(path.indexOf(marker) + marker.length)
  let decoded: string
  try {
    decoded = decodeURIComponent(raw)
  } catch {
    throw refuse('invalid_file_path_encoding', 'Invalid file path encoding')
  }
  const object = store.objects.stat(decoded) ?? store.objects.stat(raw)
  if (!object) throw new ApiError(404, 'not_found', 'Not found', null)
  return sendObject(c, store, object)
}

/** The object with `Range`; a range that starts behind the end is 206 and empty. */
function sendObject(c: C, store: Store, object: ObjectRow): Response {
  const headers: Record<string, string> = {
    'Accept-Ranges': 'bytes',
    'Cache-Control': 'public, max-age=31536000, immutable, no-transform',
    'Content-Disposition': `attachment; filename="${encodeURI(object.key).replaceAll('"', '%22')}"`,
    'Content-Type': object.content_type ?? 'application/octet-stream',
    ETag: object.etag,
    ...(object.sha256 ? { 'X-Checksum-Sha256': object.sha256 } : {}),
  }
  const range = parseRange(c.req.header('range'), object.size)
  if (range === 'beyond')
    return c.body(null, 206, { ...headers, 'Content-Length': '0', 'Content-Range': `bytes */${object.size}` })
  const { start, end } = range ?? { start: 0, end: object.size - 1 }
  headers['Content-Length'] = String(end - start + 1)
  if (range) headers['Content-Range'] = `bytes ${start}-${end}/${object.size}`
  const status = range ? 206 : 200
  if (c.req.method === 'HEAD' || object.size === 0) return c.body(null, status, headers)
  return c.body(
    Readable.toWeb(store.objects.read(object.key, { start, end })) as ReadableStream,
    status,
    headers,
  )
}

function parseRange(
  header: string | undefined,
  size: number,
): { start: number; end: number } | 'beyond' | undefined {
  const parts = /^bytes=(\d*)-(\d*)$/.exec(header ?? '')
  if (!parts || (parts[1] === '' && parts[2] === '')) return undefined
  if (parts[1] === '') return { start: Math.max(0, size - Number(parts[2])), end: size - 1 }
  const start = Number(parts[1])
  if (start >= size) return 'beyond'
  const end = parts[2] === '' ? size - 1 : Math.min(Number(parts[2]), size - 1)
  return end < start ? undefined : { start, end }
}

/** Appends the request's body to `file` from `offset` on; what arrived counts, even when the connection is cut. */
export async function receive(incoming: IncomingMessage, file: string, offset: number, limit: number) {
  const handle = await open(file, offset === 0 ? 'w' : 'r+')
  let end = offset
  let isCut = false
  let isTooLong = false
  try {
    // Not destroyed on return: the answer still has to go out on this connection.
    for await (const chunk of incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      if (isTooLong) continue
      if (end + chunk.length > limit) {
        isTooLong = true
        continue
      }
      await handle.write(chunk, 0, chunk.length, end)
      end += chunk.length
    }
  } catch {
    isCut = true
  } finally {
    await handle.close()
  }
  return { end, isCut, isTooLong }
}

export const s3 = new Hono<Env>()

s3.put('/capgo/*', async c => {
  const { store } = c.get('capgo')
  const key = verifiedKey(c, 'PUT')
  if (typeof key !== 'string') return key
  const id = crypto.randomUUID()
  const declared = c.req.header('content-length')
  const { end, isCut } = await receive(c.env.incoming, store.objects.partial(id), 0, Number.MAX_SAFE_INTEGER)
  if (isCut || (declared !== undefined && end !== Number(declared))) {
    store.objects.discardPartial(id)
    return xmlError(
      c,
      400,
      'IncompleteBody',
      'You did not provide the number of bytes specified by the Content-Length HTTP header',
    )
  }
  const object = store.objects.adopt(key, store.objects.partial(id), {
    size: end,
    contentType: c.req.header('content-type') ?? null,
  })
  return c.body(null, 200, { ETag: object.etag })
})

s3.get('/capgo/*', c => {
  const { store } = c.get('capgo')
  const key = verifiedKey(c, 'GET')
  if (typeof key !== 'string') return key
  const object = store.objects.stat(key)
  return object
    ? sendObject(c, store, object)
    : xmlError(c, 404, 'NoSuchKey', 'The specified key does not exist.')
})

/** A link as S3 signs it (unsigned payload); valid by this server's clock. */
function presign(c: C, method: 'GET' | 'PUT', key: string, seconds = GET_SECONDS): string {
  const { store, url } = c.get('capgo')
  const date = new Date(store.clock.now()).toISOString().replace(/[-:]|\.\d+/g, '')
  const query = new URLSearchParams({
    'X-Amz-Content-Sha256': 'UNSIGNED-PAYLOAD',
    'x-id': method === 'PUT' ? 'PutObject' : 'GetObject',
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `LOCAL/${date.slice(0, 8)}/auto/s3/aws4_request`,
    'X-Amz-Date': date,
    'X-Amz-Expires': String(seconds),
    'X-Amz-SignedHeaders': 'host',
  })
  query.set('X-Amz-Signature', signature(c, method, key, date, seconds))
  return `${url}/s3/capgo/${key.split('/').map(encodeURIComponent).join('/')}?${query}`
}

const signature = (c: C, method: string, key: string, date: string, seconds: number) =>
  createHmac('sha256', c.get('capgo').anonKey).update(`${method}\n${key}\n${date}\n${seconds}`).digest('hex')

function verifiedKey(c: C, method: string): string | Response {
  const url = new URL(c.req.url)
  const key = decodeURIComponent(url.pathname.slice(url.pathname.indexOf('/s3/capgo/') + '/s3/capgo/'.length))
  const date = url.searchParams.get('X-Amz-Date') ?? ''
  const seconds = Number(url.searchParams.get('X-Amz-Expires'))
  if (url.searchParams.get('X-Amz-Signature') !== signature(c, method, key, date, seconds))
    return xmlError(
      c,
      403,
      'SignatureDoesNotMatch',
      'The request signature we calculated does not match the signature you provided.',
    )
  const signed = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
  if (c.get('capgo').store.clock.now() > signed + seconds * 1000)
    return xmlError(c, 403, 'AccessDenied', 'Request has expired')
  return key
}

const xmlError = (c: C, status: 400 | 403 | 404, code: string, message: string) =>
  c.body(
    `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`,
    status,
    {
      'Content-Type': 'application/xml',
    },
  )

/** Where a device fetches an object: the public read path, or on the edge runtime a presigned link. */
export function downloadUrl(c: C, key: string, query: Record<string, string>): string {
  if (c.get('capgo').runtime === 'edge' && !key.includes('/delta/')) return presign(c, 'GET', key)
  return attachmentUrl(c, key, query)
}

export function attachmentUrl(c: C, key: string, query: Record<string, string>): string {
  const base = c.get('capgo').runtime === 'edge' ? `${c.get('capgo').url}/functions/v1` : baseUrl(c)
  const pairs = Object.entries(query).map(([name, value]) => `${name}=${value}`)
  return `${base}/files/read/attachments/${key}?${pairs.join('&')}`
}
