/** Writes the bundle's zip. */
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { Zip, type ZipInputFile } from 'fflate'
import { ActionError } from '../errors.ts'
import { Digest } from '../runtime/digest.ts'
import { type BundleFile, byPath } from './bundle-file.ts'
import {
  type Deflater,
  type DeflateTask,
  deflateHere,
  deflatePieces,
  isCompressed,
  readPieces,
  SizeChanged,
  startDeflater,
} from './deflate.ts'
import { type Deflate, startZlib, type ZlibCode } from './zlib.ts'

export interface BundleZip {
  readonly path: string
  /** Bytes. */
  readonly size: number
  /** Lower-case hex. */
  readonly sha256: string
  /** Its files, where hashes are wanted; else null. */
  readonly files: readonly HashedFile[] | null
}

export interface HashedFile extends BundleFile {
  /** Lower-case hex. */
  readonly sha256: string
}

/** The same local time in every timezone, as zips count. Noon, which no clock change has ever skipped. */
const DATE = new Date(1980, 0, 1, 12)
const UNIX = 3
const REGULAR_FILE_644 = 0o100644 << 16
const DEFLATED = 8
/** Largest stored block of deflate. */
const STORED_BLOCK = 65_535
/** Bytes that are written at once. */
const OUTPUT = 256 * 1024
/** Larger files go through this thread piece by piece, so that memory does not grow with them. */
const IN_MEMORY = 4 * 1024 * 1024
/** Each thread has to start and to warm up: on two cores one alone is as fast up to this many bytes. */
const WORTH_THREADS = 12 * 1024 * 1024

/**
 * Writes the files into a zip. The same files give the same bytes on every machine: nothing of the machine, its
 * number of cores, the clock, the timezone or the file system's order is in it. `worker` is the text of the built
 * `deflate-worker.ts`; null = one thread. Throws `file_changed` when a file no longer has the size that was checked,
 * and the signal's reason.
 */
export async function zipDirectory(options: {
  readonly directory: string
  readonly files: readonly BundleFile[]
  /** Path of the zip to write. */
  readonly to: string
  readonly worker: string | null
  readonly zlib: ZlibCode
  /** Whether the SHA-256 of each file is wanted. */
  readonly hashed?: boolean
  readonly signal?: AbortSignal | undefined
}): Promise<BundleZip> {
  const toDeflate = options.files.filter(isSmallText).reduce((sum, file) => sum + file.size, 0)
  const startStream = startZlib(options.zlib)
  const deflater =
    options.worker !== null && toDeflate > WORTH_THREADS
      ? startDeflater(options.worker, options.zlib)
      : deflateHere(startStream)
  const file = await open(options.to, 'w')
  try {
    const output = new Output(file, options.signal)
    const files: HashedFile[] = []
    for await (const chunk of zipChunks(options, deflater, startStream, files)) await output.write(chunk)
    await output.flush()
    return {
      path: options.to,
      size: output.digest.size,
      sha256: output.digest.sha256(),
      files: options.hashed ? files : null,
    }
  } finally {
    await Promise.all([file.close(), deflater.close()])
  }
}

/** Writes, counts and hashes, a buffer at a time; what it was given is not needed any more then. */
class Output {
  readonly digest = new Digest()
  readonly #buffer = Buffer.allocUnsafeSlow(OUTPUT)
  #filled = 0
  readonly #file: FileHandle
  readonly #signal: AbortSignal | undefined

  constructor(file: FileHandle, signal: AbortSignal | undefined) {
    this.#file = file
    this.#signal = signal
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      if (this.#filled === OUTPUT) await this.flush()
      const part = chunk.subarray(at, at + OUTPUT - this.#filled)
      this.#buffer.set(part, this.#filled)
      this.#filled += part.length
      at += part.length
    }
  }

  /** Throws the signal's reason. */
  async flush(): Promise<void> {
    this.#signal?.throwIfAborted()
    const filled = this.#buffer.subarray(0, this.#filled)
    this.digest.update(filled)
    await this.#file.appendFile(filled)
    this.#filled = 0
  }
}

/** Of a file that is deflated in one piece. */
function isSmallText(file: BundleFile): boolean {
  return file.size <= IN_MEMORY && !isCompressed(file.path)
}

async function* zipChunks(
  {
    directory,
    files,
    hashed = false,
  }: { readonly directory: string; readonly files: readonly BundleFile[]; readonly hashed?: boolean },
  deflater: Deflater,
  startStream: () => Deflate,
  done: HashedFile[],
): AsyncGenerator<Uint8Array> {
  const ready: Uint8Array[] = []
  const zip = new Zip((error, chunk) => {
    if (error) throw error
    ready.push(chunk)
  })
  const sorted = [...files].sort(byPath)
  const ahead = lookAhead(sorted.filter(isSmallText), deflater.ahead, file =>
    deflater.deflate({ path: join(directory, file.path), size: file.size, hashed }),
  )
  for (const file of sorted) {
    const path = join(directory, file.path)
    const entry: ZipInputFile = {
      filename: file.path,
      size: file.size,
      crc: 0,
      compression: DEFLATED,
      mtime: DATE,
      os: UNIX,
      attrs: REGULAR_FILE_644,
    }
    zip.add(entry)
    let sha256: string | null = null
    const write = (data: Uint8Array) => {
      entry.ondata?.(null, data as Uint8Array<ArrayBuffer>, false)
      return ready.splice(0)
    }
    if (isSmallText(file)) {
      const deflated = await ahead()
      if (deflated === null) throw fileChanged(file)
      entry.crc = deflated.crc
      sha256 = deflated.sha256
      yield* write(deflated.data)
    } else
      try {
        const task = { path, size: file.size, hashed }
        for (const { data, ...sums } of isCompressed(path)
          ? storedBlocks(task)
          : deflatePieces(task, startStream)) {
          entry.crc = sums.crc
          sha256 = sums.sha256
          yield* write(data)
        }
      } catch (error) {
        throw error instanceof SizeChanged ? fileChanged(file) : error
      }
    if (sha256 !== null) done.push({ ...file, sha256 })
    entry.ondata?.(null, new Uint8Array(), true)
    yield* ready.splice(0)
  }
  zip.end()
  yield* ready
}

/** Runs the work on the next files while the first one's result is awaited; results come in their order. */
function lookAhead<T, R>(
  items: readonly T[],
  count: number,
  work: (item: T) => Promise<R>,
): () => Promise<R> {
  const queue: Promise<R>[] = []
  const left = items.values()
  const fill = () => {
    while (queue.length < count) {
      const { value, done } = left.next()
      if (done) return
      const task = work(value)
      // No unhandled rejection before it is awaited.
      task.catch(() => {})
      queue.push(task)
    }
  }
  return async () => {
    fill()
    const first = queue.shift()
    fill()
    if (first === undefined) throw new RangeError('No item is left.')
    return first
  }
}

/**
 * A file as it is, in the form of deflate: Android's reader of zips refuses stored entries whose sizes stand behind
 * them.
 */
function* storedBlocks(task: DeflateTask) {
  for (const { piece, last, ...sums } of readPieces(
    task,
    new Uint8Array(Math.min(STORED_BLOCK, task.size)),
  )) {
    const header = Buffer.alloc(5)
    header.writeUInt8(last ? 1 : 0)
    header.writeUInt16LE(piece.length, 1)
    header.writeUInt16LE(0xffff - piece.length, 3)
    yield { data: header, ...sums }
    yield { data: piece, ...sums }
  }
}

export function fileChanged(file: BundleFile): ActionError {
  return new ActionError(
    'file_changed',
    `The web folder's file "${file.path}" changed while the zip was made.`,
    {
      hint: 'A program still writes to the web folder, for example a watcher that the build script started. The build script must end after the build.',
    },
  )
}
