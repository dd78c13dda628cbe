import { createHash } from 'node:crypto'
import { createMiddleware } from 'hono/factory'
import { type C, clientIp, type Env } from './context.ts'
import { ApiError } from './errors.ts'
import type { KeyRow } from './rows.ts'
import type { Store } from './store.ts'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** The key of this value, plain or stored as a hash, unless it has expired. */
export function findKey(store: Store, value: string | undefined | null): KeyRow | undefined {
  if (!value) return undefined
  const hash = createHash('sha256').update(value).digest('hex')
  const key = store.find('apikeys', { key: value }) ?? store.find('apikeys', { key_hash: hash })
  if (!key || (key.expires_at !== null && key.expires_at <= store.now())) return undefined
  return key
}

/** `capgkey`, else `authorization` as the bare key (contract 1.5, first group). */
export const requireKey = createMiddleware<Env>(async (c, next) => {
  authenticate(c, c.req.header('capgkey') || c.req.header('authorization'), false)
  await next()
})

/** The same for uploads, which have their own limit. */
export const requireUploadKey = createMiddleware<Env>(async (c, next) => {
  authenticate(c, c.req.header('capgkey') || c.req.header('authorization'), true)
  await next()
})

/** `authorization` first: a UUID is a key, anything else a user's JWT, and nobody signs in here (second group). */
export const requireUserOrKey = createMiddleware<Env>(async (c, next) => {
  const authorization = c.req.header('authorization')
  if (authorization && !uuid.test(authorization)) throw new ApiError(401, 'invalid_jwt', 'Invalid JWT')
  const value = authorization || c.req.header('capgkey') || c.req.header('x-api-key')
  if (!value) throw new ApiError(401, 'no_jwt_apikey_or_subkey', 'No JWT, apikey or subkey provided')
  authenticate(c, value, false)
  await next()
})

function authenticate(c: C, value: string | undefined, upload: boolean): void {
  const { store, limits } = c.get('capgo')
  const ip = clientIp(c)
  limits.checkFailedAuth(ip)
  if (!value) throw new ApiError(401, 'no_key_provided', 'No key provided')
  // Found or not: the connection can fail for the key or for its owner.
  const isLost = c.env.isShort === true
  if (isLost && c.env.record.n % 2 === 0) throw new ApiError(400, 'user_not_found', 'User not found')
  const key = isLost ? undefined : findKey(store, value)
  if (!key) {
    limits.recordFailedAuth(ip)
    throw new ApiError(401, 'invalid_apikey', 'Invalid apikey')
  }
  limits.checkKey(key.id, upload)
  c.set('key', subkey(c, store, key))
}

function subkey(c: C, store: Store, key: KeyRow): KeyRow {
  const id = Number(c.req.header('x-limited-key-id') ?? 0)
  if (!id) return key
  const sub = store.find('apikeys', { id })
  if (!sub || sub.user_id !== key.user_id || sub.key === null)
    throw new ApiError(401, 'invalid_subkey', 'Invalid subkey')
  return sub
}
