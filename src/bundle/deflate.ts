import { open } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { crc32 } from 'node:zlib'
import { Deflate } from 'fflate'

export interface DeflateTask {
  /** Absolute path. */
  readonly path: string
  /** Bytes that the file must have. */
  readonly size: number
}

/** A file as it stands in a zip. Null when it no longer has its size. */
export type Deflated = { readonly data: Uint8Array; readonly crc: number } | null

export interface Deflater {
  deflate(task: DeflateTask): Promise<Deflated>
  /** How many tasks it is worth to give it ahead. */
  readonly ahead: number
  close(): Promise<void>
}

/** Part of the result's identity: how a file is cut into pieces decides its deflated bytes. */
const PIECE = 65_536
/** The level and memory are fixed: fflate would choose the latter by a logarithm of the size. */
const OPTIONS = { level: 6, mem: 5 } as const
/** Of each thread, so that none waits for the next task. */
const TASKS_A_THREAD = 4
/** More threads than this wait for the disk. */
const MOST_THREADS = 8

/** The file no longer has the size that it was told to have. */
export class SizeChanged extends Error {}

/** Formats that are compressed by themselves; deflating them again takes long and gains nothing. */
export function isPacked(path: string): boolean {
  return /\.(png|jpe?g|gif|webp|avif|heic|mp[34]|m4[av]|webm|og[gv]|woff2?|zip|gz|br|zst|7z)$/i.test(path)
}

/**
 * A deflated file piece by piece, with the CRC-32 of what was read so far. In JavaScript, because what Node's own
 * zlib makes depends on its version, and depended on the processor until Node 20. Throws `SizeChanged`.
 */
export async function* deflatePieces(task: DeflateTask): AsyncGenerator<{
  readonly data: Uint8Array
  readonly crc: number
}> {
  const ready: Uint8Array[] = []
  const deflate = new Deflate(OPTIONS, data => ready.push(data))
  let crc = 0
  for await (const { piece, last } of readPieces(task, PIECE)) {
    crc = crc32(piece, crc)
    deflate.push(piece, last)
    for (const data of ready.splice(0)) yield { data, crc }
  }
}

/** A file in pieces of exactly `length` bytes (the last one shorter), however the system delivers it. Throws `SizeChanged`. */
export async function* readPieces(
  { path, size }: DeflateTask,
  length: number,
): AsyncGenerator<{ readonly piece: Uint8Array<ArrayBuffer>; readonly last: boolean }> {
  const handle = await open(path)
  try {
    if ((await handle.stat()).size !== size) throw new SizeChanged()
    let left = size
    do {
      const piece = new Uint8Array(Math.min(length, left))
      for (let filled = 0; filled < piece.length; ) {
        const { bytesRead } = await handle.read(piece, filled)
        if (bytesRead === 0) throw new SizeChanged()
        filled += bytesRead
      }
      left -= piece.length
      yield { piece, last: left === 0 }
    } while (left > 0)
  } finally {
    await handle.close()
  }
}

/** The same in one piece. */
export async function deflateFile(task: DeflateTask): Promise<Deflated> {
  const pieces: Uint8Array[] = []
  let last = 0
  try {
    for await (const { data, crc } of deflatePieces(task)) {
      pieces.push(data)
      last = crc
    }
  } catch (error) {
    if (error instanceof SizeChanged) return null
    throw error
  }
  return { data: concatenate(pieces), crc: last }
}

function concatenate(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}

/** Deflates on all cores. `source` is the text of the built `deflate-worker.ts`: a build could change the file. */
export function startDeflater(source: string): Deflater {
  const threads = Array.from(
    { length: Math.min(availableParallelism(), MOST_THREADS) },
    () => new Worker(source, { eval: true, env: {} }),
  )
  const waiting = new Map<number, { resolve: (result: Deflated) => void; reject: (error: unknown) => void }>()
  let broken: unknown = null
  const fail = (error: unknown) => {
    broken ??= error
    for (const { reject } of waiting.values()) reject(broken)
    waiting.clear()
  }
  for (const thread of threads) {
    thread.on('message', ({ id, result, error }: { id: number; result: Deflated; error?: Error }) => {
      const task = waiting.get(id)
      waiting.delete(id)
      if (error === undefined) task?.resolve(result)
      else task?.reject(error)
    })
    thread.on('error', fail)
    thread.on('exit', code => fail(new Error(`A thread that deflates ended with exit code ${code}.`)))
  }
  let count = 0
  return {
    ahead: threads.length * TASKS_A_THREAD,
    deflate(task) {
      if (broken !== null) return Promise.reject(broken)
      const id = count++
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject })
        threads[id % threads.length]?.postMessage({ id, task })
      })
    },
    async close() {
      await Promise.all(threads.map(thread => thread.terminate()))
    },
  }
}

/** In this thread: for few bytes that is faster than to start others. */
export const deflateHere: Deflater = { ahead: 1, deflate: task => deflateFile(task), close: async () => {} }
