/** Files of the bundle, each made ready to be stored on its own. */
import { createReadStream, createWriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { PassThrough, type Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { brotliCompress, constants, createBrotliCompress } from 'node:zlib'
import PQueue from 'p-queue'
import { Digest, sha256 } from '../runtime/digest.ts'
import { readRange } from '../runtime/file-range.ts'
import type { BundleFile } from './bundle-file.ts'
import { isCompressed } from './deflate.ts'
import type { Session } from './encrypt.ts'
import { fileChanged, type HashedFile } from './zip.ts'

/** A file of the web folder ready to be stored on its own. */
export interface DeltaFile {
  /** Path in the bundle, with `.br` when the bytes are compressed. */
  readonly fileName: string
  /** The stored object: its size in bytes and SHA-256 (lower-case hex). */
  readonly size: number
  readonly sha256: string
  open(start: number, length: number): AsyncGenerator<Uint8Array>
}

/** Smaller files are not worth a compression (Capgo's own CLI does the same). */
const COMPRESS_FROM = 8192
/** Minimum gain of compression, in bytes. */
const GAIN = 10
/** Larger files are compressed on disk, so that memory does not grow with them. */
const IN_MEMORY = 512 * 1024
/** Larger files that are not compressed come from the disk piece by piece, and are encrypted there. */
const PLAIN_IN_MEMORY = 64 * 1024
/** The updater takes these three bytes for an empty file; a store takes no object without bytes. */
const EMPTY = Buffer.from([0x1b, 0x00, 0x06])
/**
 * The more bytes there are to compress in all, the less time each may take: 10 takes a third of the time of 11 for 3 %
 * more bytes, 9 a twentieth for 8 %.
 */
const QUALITIES = [
  { above: 16 * 1024 * 1024, quality: 9 },
  { above: 1024 * 1024, quality: 10 },
  { above: 0, quality: constants.BROTLI_MAX_QUALITY },
] as const
/** Brotli's header of a stream. */
const WINDOW_GAP = 16

const compressed = promisify(brotliCompress)

/**
 * Compresses files where it pays, or as their stored name says, and encrypts them. `scratch`
 * is an existing folder for the large ones. Throws `file_changed` when a file is not what was hashed.
 */
export function deltaFileWriter(options: {
  readonly directory: string
  readonly scratch: string
  readonly session: Session | null
  /** Bytes of all files that will be written. */
  readonly totalBytes: number
}): (file: HashedFile, fileName?: string) => Promise<DeltaFile> {
  const { directory, scratch, session } = options
  const { quality } = QUALITIES.find(({ above }) => options.totalBytes > above) ?? QUALITIES[0]
  // Compression runs on libuv's threads; more files at once only take memory.
  const cores = new PQueue({ concurrency: availableParallelism() })
  let count = 0

  return (file, fileName) => {
    const form = formOf(file, fileName)
    return file.size <= (form.isCompressible ? IN_MEMORY : PLAIN_IN_MEMORY)
      ? writeSmall(file, form)
      : writeLarge(file, form)
  }

  function writeSmall(file: HashedFile, { isCompressible, pays }: Form): Promise<DeltaFile> {
    const write = async () => {
      const content = await readFile(join(directory, file.path))
      if (sha256(content) !== file.sha256) throw fileChanged(file)
      if (content.length === 0) return inMemory(`${file.path}.br`, EMPTY)
      if (!isCompressible) return inMemory(file.path, content)
      const small = await compressed(content, { params: parameters(file) })
      return pays(small.length) ? inMemory(`${file.path}.br`, small) : inMemory(file.path, content)
    }
    return isCompressible ? cores.add(write) : write()
  }

  async function inMemory(fileName: string, plain: Buffer): Promise<DeltaFile> {
    const bytes = session === null ? plain : await encrypted(plain, session)
    return {
      fileName,
      size: bytes.length,
      sha256: sha256(bytes),
      async *open(start, length) {
        yield bytes.subarray(start, start + length)
      },
    }
  }

  async function writeLarge(file: HashedFile, { isCompressible, pays }: Form): Promise<DeltaFile> {
    if (isCompressible) {
      const small = await cores.add(() => onDisk(file, createBrotliCompress({ params: parameters(file) })))
      if (pays(small.size)) return { ...small, fileName: `${file.path}.br` }
    }
    return session === null
      ? fromFile(file.path, join(directory, file.path), file.size, file.sha256)
      : cores.add(() => onDisk(file, new PassThrough()))
  }

  async function onDisk(file: HashedFile, form: Transform): Promise<DeltaFile> {
    const to = join(scratch, `delta-${count++}`)
    const [plain, stored] = [new Digest(), new Digest()]
    await pipeline(
      createReadStream(join(directory, file.path)),
      plain.tap,
      form,
      session?.cipher() ?? new PassThrough(),
      stored.tap,
      createWriteStream(to),
    )
    if (plain.sha256() !== file.sha256) throw fileChanged(file)
    return fromFile(file.path, to, stored.size, stored.sha256())
  }

  function parameters({ path, size }: BundleFile): Record<number, number> {
    return {
      [constants.BROTLI_PARAM_QUALITY]: isCompressed(path) ? constants.BROTLI_MIN_QUALITY : quality,
      [constants.BROTLI_PARAM_SIZE_HINT]: size,
      // No larger than the file: for each file brotli clears tables of this size, which takes most of its time else.
      [constants.BROTLI_PARAM_LGWIN]: Math.min(
        constants.BROTLI_DEFAULT_WINDOW,
        Math.max(constants.BROTLI_MIN_WINDOW_BITS, Math.ceil(Math.log2(size + WINDOW_GAP))),
      ),
    }
  }
}

interface Form {
  /** Whether compression is tried. */
  readonly isCompressible: boolean
  /** Whether a compressed size is what is stored. */
  readonly pays: (compressedSize: number) => boolean
}

/**
 * Devices take one `.br` off a stored name and undo brotli then. So what has a name of its own that ends in `.br` is
 * stored compressed as `….br.br`, whether that gains anything or not.
 */
function formOf({ path, size }: BundleFile, fileName?: string): Form {
  const mustShrink = fileName === undefined ? path.endsWith('.br') : fileName === `${path}.br`
  if (mustShrink) return { isCompressible: true, pays: () => true }
  const isCompressible = fileName === undefined && size >= COMPRESS_FROM && !isCompressed(path)
  return { isCompressible, pays: compressedSize => compressedSize < size - GAIN }
}

function fromFile(fileName: string, path: string, size: number, sha256: string): DeltaFile {
  return { fileName, size, sha256, open: (start, length) => readRange(path, start, length) }
}

async function encrypted(plain: Buffer, session: Session): Promise<Buffer> {
  const cipher = session.cipher()
  cipher.end(plain)
  return Buffer.concat(await cipher.toArray())
}
