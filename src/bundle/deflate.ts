/** Deflates files, on all cores or in this thread. */
import { createHash } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { crc32 } from 'node:zlib'
import { type Deflate, PIECE, type ZlibCode } from './zlib.ts'

export interface DeflateTask {
  /** Absolute path. */
  readonly path: string
  /** Bytes that the file must have. */
  readonly size: number
  /** Whether its SHA-256 is wanted. */
  readonly hashed: boolean
}

/** Of what was read of a file so far. */
export interface Checksums {
  readonly crc: number
  /** Lower-case hex; null before the end, and where nobody wants it. */
  readonly sha256: string | null
}

/** A file as it stands in a zip. Null when it no longer has its size. */
export type DeflatedFile = ({ readonly data: Uint8Array } & Checksums) | null

export interface Deflater {
  deflate(task: DeflateTask): Promise<DeflatedFile>
  /** How many tasks it is worth to give it ahead. */
  readonly ahead: number
  close(): Promise<void>
}

/** Of each thread, so that none waits for the next task. */
const TASKS_A_THREAD = 4
/** More threads than this wait for the disk. */
const MAX_THREADS = 8

/** The file no longer has the size that it should have. */
export class SizeChanged extends Error {}

/** Formats that are compressed by themselves; deflating them again takes long and gains nothing. */
export function isCompressed(path: string): boolean {
  return /\.(png|jpe?g|gif|webp|avif|heic|mp[34]|m4[av]|webm|og[gv]|woff2?|zip|gz|br|zst|7z)$/i.test(path)
}

/** A deflated file piece by piece. Throws `SizeChanged`. */
export function* deflatePieces(
  task: DeflateTask,
  startStream: () => Deflate,
): Generator<{ readonly data: Uint8Array } & Checksums> {
  const stream = startStream()
  try {
    for (const { piece, last, ...sums } of readPieces(task, new Uint8Array(Math.min(PIECE, task.size))))
      for (const data of stream.push(piece, last)) yield { data, ...sums }
  } finally {
    stream.end()
  }
}

/**
 * A file in pieces as long as `buffer`, the last one shorter (and empty when the file is); each is in `buffer`, and
 * good until the next. Reads at once: for many small files to wait takes longer than to read. Throws `SizeChanged`.
 */
export function* readPieces(
  { path, size, hashed }: DeflateTask,
  buffer: Uint8Array,
): Generator<{ readonly piece: Uint8Array; readonly last: boolean } & Checksums> {
  const hash = hashed ? createHash('sha256') : null
  let crc = 0
  const file = openSync(path, 'r')
  try {
    if (fstatSync(file).size !== size) throw new SizeChanged()
    let left = size
    do {
      const length = Math.min(buffer.length, left)
      for (let filled = 0; filled < length; ) {
        const count = readSync(file, buffer, filled, length - filled, null)
        if (count === 0) throw new SizeChanged()
        filled += count
      }
      left -= length
      const piece = buffer.subarray(0, length)
      crc = crc32(piece, crc)
      hash?.update(piece)
      const last = left === 0
      yield { piece, last, crc, sha256: last ? (hash?.digest('hex') ?? null) : null }
    } while (left > 0)
  } finally {
    closeSync(file)
  }
}

/** The same in one piece. */
export function deflateFile(task: DeflateTask, startStream: () => Deflate): DeflatedFile {
  const pieces: Uint8Array[] = []
  let last: Checksums = { crc: 0, sha256: null }
  try {
    for (const { data, ...sums } of deflatePieces(task, startStream)) {
      pieces.push(data)
      last = sums
    }
  } catch (error) {
    if (error instanceof SizeChanged) return null
    throw error
  }
  return { data: concatenate(pieces), ...last }
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
export function startDeflater(source: string, zlib: ZlibCode): Deflater {
  const threads = Array.from(
    { length: Math.min(availableParallelism(), MAX_THREADS) },
    () => new Worker(source, { eval: true, env: {}, workerData: zlib }),
  )
  const waiting = new Map<
    number,
    { resolve: (result: DeflatedFile) => void; reject: (error: unknown) => void }
  >()
  let broken: unknown = null
  const fail = (error: unknown) => {
    broken ??= error
    for (const { reject } of waiting.values()) reject(broken)
    waiting.clear()
  }
  for (const thread of threads) {
    thread.on('message', ({ id, result, error }: { id: number; result: DeflatedFile; error?: Error }) => {
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

/** In this thread: for few bytes that is faster than to start others. Answers of servers are taken in between. */
export function deflateHere(startStream: () => Deflate): Deflater {
  return {
    ahead: 1,
    async deflate(task) {
      await nextTurn()
      return deflateFile(task, startStream)
    },
    async close() {},
  }
}
