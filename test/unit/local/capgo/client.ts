// Small callers for the tests of the local Capgo: plain fetch, nothing of src/.
import { request } from 'node:http'
import { afterEach } from 'vitest'
import {
  type LocalCapgo,
  type LocalCapgoOptions,
  type SeedKey,
  startCapgo,
} from '../../../../local/capgo/index.ts'

export const APP = 'com.lab.demo'
export const START = Date.parse('2026-07-01T12:00:00Z')
export const device = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`

const running: LocalCapgo[] = []
afterEach(async () => {
  for (const capgo of running.splice(0)) await capgo.stop()
})

/** A server with one app, stopped after the test; its clock stands still unless advanced. */
export async function lab(options: LocalCapgoOptions = {}) {
  const capgo = await startCapgo({ now: START, ...options })
  running.push(capgo)
  const app = capgo.seedApp({ appId: APP })
  const key = (role: SeedKey['role'], more: Partial<SeedKey> = {}) =>
    capgo.seedKey({ appId: APP, role, ...more })
  return {
    capgo,
    app,
    key,
    admin: key('app_admin'),
    path: (name: string) => `orgs/${app.owner_org}/apps/${APP}/${name}`,
  }
}

export interface Answer {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: answers are asserted field by field
  body: any
}

export async function call(
  capgo: LocalCapgo,
  method: string,
  path: string,
  options: { key?: string; headers?: Record<string, string>; body?: unknown } = {},
): Promise<Answer> {
  const { key, headers = {}, body } = options
  const isBytes = body instanceof Uint8Array
  const response = await fetch(path.startsWith('http') ? path : capgo.url + path, {
    method,
    headers: {
      ...(key ? { capgkey: key } : {}),
      ...(body !== undefined && !isBytes ? { 'content-type': 'application/json' } : {}),
      ...headers,
    },
    ...(body === undefined
      ? {}
      : { body: isBytes ? new Uint8Array(body) : typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const isJson = /json/.test(response.headers.get('content-type') ?? '')
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    body: isJson && text ? JSON.parse(text) : text,
  }
}

/** Database REST. */
export const rest = (
  capgo: LocalCapgo,
  method: string,
  path: string,
  options: { key?: string; headers?: Record<string, string>; body?: unknown } = {},
) =>
  call(capgo, method, `/rest/v1/${path}`, {
    ...options,
    headers: { apikey: capgo.anonKey, ...options.headers },
  })

export const representation = { prefer: 'return=representation' }

export const ask = (capgo: LocalCapgo, more: Record<string, unknown> = {}) =>
  call(capgo, 'POST', '/updates', {
    body: {
      app_id: APP,
      device_id: device(1),
      version_name: 'builtin',
      version_build: '1.0.0',
      platform: 'ios',
      plugin_version: '8.51.2',
      is_emulator: false,
      is_prod: true,
      defaultChannel: '',
      ...more,
    },
  })

const base64 = (text: string) => Buffer.from(text).toString('base64')

/** Starts a TUS upload, with the bytes in it when given. */
export const create = (
  capgo: LocalCapgo,
  key: string,
  filename: string,
  options: { length?: number; bytes?: Uint8Array; headers?: Record<string, string> } = {},
) =>
  call(capgo, 'POST', '/files/upload/attachments/', {
    key,
    headers: {
      'tus-resumable': '1.0.0',
      'upload-length': String(options.length ?? options.bytes?.length ?? 0),
      'upload-metadata': `filename ${base64(filename)},filetype ${base64('application/zip')}`,
      ...(options.bytes ? { 'content-type': 'application/offset+octet-stream' } : {}),
      ...options.headers,
    },
    body: options.bytes,
  })

export const append = (capgo: LocalCapgo, key: string, location: string, offset: number, bytes: Uint8Array) =>
  call(capgo, 'PATCH', location, {
    key,
    headers: {
      'tus-resumable': '1.0.0',
      'upload-offset': String(offset),
      'content-type': 'application/offset+octet-stream',
    },
    body: bytes,
  })

export const offsetOf = async (capgo: LocalCapgo, key: string, location: string) => {
  const { status, headers } = await call(capgo, 'HEAD', location, {
    key,
    headers: { 'tus-resumable': '1.0.0' },
  })
  return {
    status,
    offset: Number(headers.get('upload-offset')),
    length: Number(headers.get('upload-length')),
  }
}

/** A GET under another host name, which fetch does not allow. */
export function getFrom(
  capgo: LocalCapgo,
  host: string,
  path: string,
): Promise<{ status: number; headers: Record<string, unknown>; body: string }> {
  return new Promise((resolve, reject) => {
    const req = request(capgo.url + path, { headers: { host } }, response => {
      let body = ''
      response.on('data', chunk => {
        body += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body }))
    })
    req.on('error', reject)
    req.end()
  })
}

/** Bytes that differ at every offset, so that a lost or doubled piece shows. */
export const noise = (length: number) =>
  Uint8Array.from({ length }, (_, index) => (index * 7 + (index >> 8) * 13) & 255)
