import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** One question and its answer on one connection, as the client sees them; milliseconds of `performance.now()`. */
export interface Exchange {
  readonly start: number
  readonly end: number
  /** Bytes to the server. */
  readonly up: number
  readonly down: number
}

export interface Traffic {
  readonly exchanges: readonly Exchange[]
  readonly connections: number
  /** Bytes to the server, headers included. */
  readonly up: number
}

export interface LatencyProxy {
  readonly port: number
  /** Where the bytes go: a port of this machine. */
  target: number
  /** Milliseconds that every byte takes each way. */
  latency: number
  /** What passed since the last call. */
  take(): Traffic
  stop(): void
}

/** How far ahead of a slow reader the proxy reads, bytes. */
const AHEAD = 1 << 20

/**
 * A wire of some length on 127.0.0.1: whatever enters leaves later, and no matter how much it is. Opening a connection
 * costs a round trip before its first byte, as the handshake of TCP does.
 */
export async function startProxy(): Promise<LatencyProxy> {
  const sockets = new Set<Socket>()
  let exchanges: Exchange[] = []
  let connections = 0
  let up = 0
  const server = createServer({ allowHalfOpen: true, noDelay: true }, client => {
    const opened = performance.now()
    const { latency } = proxy
    const upstream = connect({ port: proxy.target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    connections++
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => other.destroy())
      socket.on('close', () => sockets.delete(socket))
    }
    // HTTP/1.1 without pipelining: bytes that go up after bytes that came down are the next question.
    let open: { start: number; end: number; up: number; down: number } | undefined
    const finish = () => {
      if (open) exchanges.push(open)
      open = undefined
    }
    const shortest = opened + 2 * latency
    delay(client, upstream, now => Math.max(now, shortest) + latency, {
      entered(bytes, now) {
        if (open && open.down > 0) finish()
        open ??= { start: now, end: now, up: 0, down: 0 }
        open.up += bytes
        up += bytes
      },
    })
    delay(upstream, client, now => now + latency, {
      left(bytes, now) {
        if (!open) return
        open.down += bytes
        open.end = now
      },
    })
    client.on('close', finish)
    finishers.add(finish)
    client.on('close', () => finishers.delete(finish))
  })
  const finishers = new Set<() => void>()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy: LatencyProxy = {
    port: (server.address() as AddressInfo).port,
    target: 0,
    latency: 0,
    take() {
      for (const finish of finishers) finish()
      const traffic = { exchanges, connections, up }
      exchanges = []
      connections = 0
      up = 0
      return traffic
    },
    stop() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
  return proxy
}

/** The most exchanges of which each began after the one before had ended. */
export function longestChain(exchanges: readonly Exchange[]): number {
  let length = 0
  let end = Number.NEGATIVE_INFINITY
  for (const exchange of exchanges.toSorted((one, other) => one.end - other.end)) {
    if (exchange.start < end) continue
    length++
    end = exchange.end
  }
  return length
}

interface Watch {
  entered?(bytes: number, now: number): void
  left?(bytes: number, now: number): void
}

/** Hands bytes and the end of `from` on to `to`, each chunk when it is due. */
function delay(from: Socket, to: Socket, dueAt: (now: number) => number, watch: Watch): void {
  const queue: { chunk: Buffer | null; due: number }[] = []
  let timer: NodeJS.Timeout | undefined
  const pump = () => {
    timer = undefined
    for (let now = performance.now(); queue[0] && queue[0].due <= now; now = performance.now()) {
      const { chunk } = queue.shift()!
      if (to.destroyed) continue
      if (chunk === null) {
        to.end()
        continue
      }
      to.write(chunk)
      watch.left?.(chunk.length, now)
      // Only who reads slowly is waited for; what is on its way is not counted.
      if (to.writableLength > AHEAD && !from.isPaused()) {
        from.pause()
        to.once('drain', () => from.resume())
      }
    }
    if (queue[0]) timer = setTimeout(pump, Math.max(1, queue[0].due - performance.now()))
  }
  const enter = (chunk: Buffer | null) => {
    const now = performance.now()
    if (chunk !== null) watch.entered?.(chunk.length, now)
    queue.push({ chunk, due: dueAt(now) })
    if (timer === undefined) pump()
  }
  from.on('data', enter)
  from.on('end', () => enter(null))
  from.on('close', () => {
    if (!from.readableEnded) to.destroy()
  })
}
