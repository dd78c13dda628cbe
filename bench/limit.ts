/* What the machine allows: the same files read, hashed, deflated and sent by nothing but loops. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { deflateRaw } from 'node:zlib'
import { zlib as code } from '../local/zlib.ts'
import { PIECE, startZlib } from '../src/bundle/zlib.ts'
import type { App } from './app.ts'

/** Seconds, and the bytes that are left of the files. */
export interface Limit {
  readonly read: number
  readonly hash: number
  /** zlib in WebAssembly as in src/bundle/zip.ts, on one core and on all. */
  readonly wasm: number
  readonly wasmOnAll: number
  /** Node's own. */
  readonly zlibOnAll: number
  readonly deflated: number
  /** The deflated bytes through one socket of this machine. */
  readonly send: number
}

const CORES = availableParallelism()

export async function measureLimit(app: App): Promise<Limit> {
  const paths = app.files.map(path => join(app.webDirectory, path))
  // Once for the page cache: the contestants find the files there, too.
  for (const path of paths) readFileSync(path)
  let contents: Buffer[] = []
  const read = await timed(() => {
    contents = paths.map(path => readFileSync(path))
  })
  const hash = await timed(() => {
    for (const content of contents) createHash('sha256').update(content).digest()
  })
  let deflated = 0
  const wasm = await timed(() => {
    const startStream = startZlib(code)
    for (const content of contents) deflated += deflateWhole(content, startStream)
  })
  // UV_THREADPOOL_SIZE is four; no more are kept busy than there are cores.
  const zlibOnAll = await timed(() =>
    inLanes(contents, async content => {
      await promisify(deflateRaw)(content, { level: 6 })
    }),
  )
  return {
    read,
    hash,
    wasm,
    wasmOnAll: await deflateInWorkers(paths),
    zlibOnAll,
    deflated,
    send: await sendToWorker(deflated),
  }
}

/** The length of what comes out. */
function deflateWhole(content: Buffer, startStream: ReturnType<typeof startZlib>): number {
  const stream = startStream()
  let length = 0
  for (let at = 0; at < content.length; at += PIECE) {
    const last = at + PIECE >= content.length
    for (const data of stream.push(content.subarray(at, at + PIECE), last)) length += data.length
  }
  stream.end()
  return length
}

async function timed(work: () => unknown): Promise<number> {
  const started = performance.now()
  await work()
  return (performance.now() - started) / 1000
}

async function inLanes<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0
  const lane = async () => {
    while (next < items.length) await work(items[next++]!)
  }
  await Promise.all(Array.from({ length: CORES }, lane))
}

/** The files go round, largest first, so that all end at about the same time. */
async function deflateInWorkers(paths: readonly string[]): Promise<number> {
  const sized = paths.map(path => ({ path, size: readFileSync(path).length }))
  sized.sort((one, other) => other.size - one.size)
  const workers = Array.from({ length: CORES }, () => new Worker(new URL(import.meta.url)))
  await Promise.all(workers.map(worker => once(worker, 'message')))
  const seconds = await timed(() =>
    Promise.all(
      workers.map((worker, at) => {
        worker.postMessage({ deflate: sized.filter((_, n) => n % CORES === at).map(({ path }) => path) })
        return once(worker, 'message')
      }),
    ),
  )
  await Promise.all(workers.map(worker => worker.terminate()))
  return seconds
}

async function sendToWorker(bytes: number): Promise<number> {
  const worker = new Worker(new URL(import.meta.url))
  await once(worker, 'message')
  worker.postMessage({ receive: true })
  const [port] = (await once(worker, 'message')) as [number]
  const piece = Buffer.alloc(1 << 18, 'x')
  const seconds = await timed(async () => {
    const socket = connect(port, '127.0.0.1')
    for (let left = bytes; left > 0; left -= piece.length)
      if (!socket.write(piece.subarray(0, Math.min(left, piece.length)))) await once(socket, 'drain')
    socket.end()
    await once(worker, 'message')
  })
  await worker.terminate()
  return seconds
}

if (!isMainThread) {
  const startStream = startZlib(code)
  parentPort!.on('message', async (task: { deflate?: readonly string[]; receive?: true }) => {
    for (const path of task.deflate ?? []) deflateWhole(readFileSync(path), startStream)
    if (task.receive) {
      const server = createServer(socket => {
        socket.resume()
        socket.on('end', () => parentPort!.postMessage('received'))
      })
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      parentPort!.postMessage((server.address() as AddressInfo).port)
    } else parentPort!.postMessage('deflated')
  })
  parentPort!.postMessage('ready')
}
