import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import { ApiError } from './errors.ts'
import type { Limits } from './limits.ts'
import { can } from './permissions.ts'
import type { RecordedRequest } from './recorder.ts'
import type { KeyRow } from './rows.ts'
import type { Profile, Store } from './store.ts'

/** Capgo's two runtimes: the cloud's, and a self-hosted one's. */
export type Runtime = 'workerd' | 'edge'

/** What every route knows about the server. */
export interface Capgo {
  readonly store: Store
  readonly limits: Limits
  readonly runtime: Runtime
  readonly profile: Profile
  readonly filesConfig: Record<string, unknown>
  readonly anonKey: string
  readonly url: string
  readonly requests: RecordedRequest[]
  readonly deleteAllAttempts: RecordedRequest[]
}

export interface Env {
  /** `isShort`: the database has no connection left for this request. */
  Bindings: HttpBindings & { record: RecordedRequest; prefix: string; isShort?: boolean }
  Variables: { capgo: Capgo; key: KeyRow; requestId: string }
}

export type C = Context<Env>

/** Base of the URLs this server hands out, on the same mirror as the request (`…/functions/v1` or the root). */
export const baseUrl = (c: C) => c.get('capgo').url + c.env.prefix

/** `cf-connecting-ip` lets a test be several addresses. */
export const clientIp = (c: C) =>
  c.req.header('cf-connecting-ip') ?? c.env.incoming.socket.remoteAddress ?? 'unknown'

export const allowed = (c: C, permission: string, appId: string, channelId?: number) =>
  can(c.get('capgo').store, c.get('key'), permission, appId, channelId)

// biome-ignore lint/suspicious/noExplicitAny: what a client sent, checked field by field where it is used
export type Body = Record<string, any>

/** The JSON body; 400 `invalid_json_parse_body` when it is none. */
export async function jsonBody(c: C): Promise<Body> {
  let body: unknown
  try {
    body = JSON.parse(await c.req.text())
  } catch {
    throw new ApiError(400, 'invalid_json_parse_body', 'Invalid JSON body', { e: {} })
  }
  return lowerDevice((body ?? {}) as Body)
}

/** The JSON body, or the query string when there is none that parses. */
export async function bodyOrQuery(c: C): Promise<Body> {
  try {
    const body = JSON.parse(await c.req.text())
    if (body && typeof body === 'object' && Object.keys(body).length > 0) return lowerDevice(body)
  } catch {
    // falls back to the query string
  }
  return lowerDevice(c.req.query())
}

const lowerDevice = (body: Body): Body =>
  typeof body.device_id === 'string' ? { ...body, device_id: body.device_id.toLowerCase() } : body

export const isAppId = (value: unknown): value is string =>
  typeof value === 'string' && /^[a-z0-9]+(\.[\w-]+)+$/i.test(value)

/** Asked under a name of this machine, not through another name that was pointed at it. */
export const isLocalHost = (c: C) =>
  /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(c.req.header('host') ?? '')
