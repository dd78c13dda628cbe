// Requests and answers of the local GitHub on their way over HTTP.
import { randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type HttpBindings, type ServerType, serve } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { Context, Hono } from 'hono'
import type { Fault } from '../capgo/faults.ts'
import type { RecordedRequest } from '../capgo/index.ts'
import type { Answer } from './answers.ts'

export type Bindings = { Bindings: HttpBindings }

export interface GitHubRequest extends RecordedRequest {
  /** GitHub's name of it, as `issues/create-comment`; null where GitHub's description knows none. */
  operation: string | null
}

/** The only version of the API that the description here is about. */
export const API_VERSION = '2022-11-28'

export async function listen(
  app: Hono<Bindings> | Hono,
  port: number,
): Promise<{ url: string; close(): Promise<void> }> {
  const { promise, resolve, reject } = Promise.withResolvers<AddressInfo>()
  const server: ServerType = serve(
    { fetch: app.fetch, hostname: '127.0.0.1', port, overrideGlobalObjects: false },
    resolve,
  )
  server.once('error', reject)
  const address = await promise
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise((done, fail) => {
        server.close(error => (error ? fail(error) : done()))
        if ('closeAllConnections' in server) server.closeAllConnections()
      }),
  }
}

export function answerHeaders(): Record<string, string> {
  return {
    'x-github-media-type': 'github.v3; format=json',
    'x-github-api-version-selected': API_VERSION,
    'x-github-request-id': randomUUID(),
    'x-ratelimit-limit': '5000',
    'x-ratelimit-remaining': '4999',
    'x-ratelimit-resource': 'core',
  }
}

export function send(
  { status, json, bytes, headers }: Answer,
  more: Readonly<Record<string, string>> = {},
): Response {
  const type = json === undefined ? {} : { 'content-type': 'application/json; charset=utf-8' }
  const body = json === undefined ? (bytes ?? null) : JSON.stringify(json)
  return new Response(body as ConstructorParameters<typeof Response>[0], {
    status,
    headers: { ...type, ...more, ...headers },
  })
}

export async function recordRequest(context: Context<Bindings>, n: number): Promise<GitHubRequest> {
  const { pathname, search } = new URL(context.req.url)
  const { authorization, ...headers } = context.req.header()
  const text = await context.req.text()
  return {
    n,
    at: new Date().toISOString(),
    method: context.req.method,
    path: pathname + search,
    operation: null,
    status: 0,
    requestBytes: Buffer.byteLength(text),
    responseBytes: 0,
    headers,
    ...(text === '' ? {} : { body: parseJson(text) }),
  }
}

/** Anything but JSON stays text, which no operation takes. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** A response instead of the server's own, or null. */
export async function strike(
  struck: readonly Fault[],
  at: 'before' | 'after',
  request: GitHubRequest,
  { env }: Context<Bindings>,
): Promise<Response | null> {
  for (const fault of struck) {
    if (fault.at !== at) continue
    if (typeof fault.do === 'function') await fault.do(request)
    else if (fault.do === 'drop') {
      request.status = 0
      env.incoming.socket.destroy()
      return RESPONSE_ALREADY_SENT
    } else if ('stallMs' in fault.do) await sleep(fault.do.stallMs)
    else {
      const { status, headers, body } = fault.do
      request.status = status
      if (typeof body === 'string') return new Response(body, { status, ...(headers ? { headers } : {}) })
      return send({ status, ...(headers ? { headers } : {}), json: body ?? { message: 'Server Error' } })
    }
  }
  return null
}
