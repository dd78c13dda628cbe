import { subscribe } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'

/** A request as it arrived at a server of this process, whole: credentials too. */
export interface Received {
  readonly method: string
  /** Path and query. */
  readonly url: string
  /** Of the server that got it, on 127.0.0.1. */
  readonly port: number
  /** Lower-case name and value. */
  readonly headers: readonly (readonly [string, string])[]
  /** Its bytes as Latin-1, up to a limit. */
  body: string
}

const KEEP_BYTES = 1024 * 1024
const watching = new Set<Received[]>()

// Node reports every request to a server of its own before anything has read from it.
subscribe('http.server.request.start', message => {
  if (watching.size > 0) record((message as { request: IncomingMessage }).request)
})

/** Records what servers of this process receive from now on, until `stop`. */
export function watchWire(): { readonly received: readonly Received[]; stop(): void } {
  const received: Received[] = []
  watching.add(received)
  return { received, stop: () => void watching.delete(received) }
}

function record(request: IncomingMessage): void {
  const { rawHeaders } = request
  const entry: Received = {
    method: request.method ?? '',
    url: request.url ?? '',
    port: request.socket.localPort ?? 0,
    headers: rawHeaders.flatMap((name, index) =>
      index % 2 === 0 ? [[name.toLowerCase(), rawHeaders[index + 1] ?? ''] as const] : [],
    ),
    body: '',
  }
  for (const received of watching) received.push(entry)
  const push = request.push.bind(request)
  request.push = (chunk: Buffer | null) => {
    if (chunk !== null && entry.body.length < KEEP_BYTES) entry.body += chunk.toString('latin1')
    return push(chunk)
  }
}
