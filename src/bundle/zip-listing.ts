/** Which files a zip holds, read from its end. */
import { open } from 'node:fs/promises'
import { fromRandomAccessReaderPromise, RandomAccessReader } from 'yauzl'

/** A file inside a zip as its directory lists it. Sizes in bytes. */
export interface ZipIndexEntry {
  readonly path: string
  readonly size: number
  readonly compressedSize: number
  readonly crc32: number
}

/** A zip of which only the end is at hand: its directory stands there. */
export interface ZipTail {
  /** Size of the whole zip in bytes. */
  readonly size: number
  /** Its last bytes. */
  readonly tail: Buffer
}

/** Enough for the directory of some 10,000 files. */
export const TAIL_BYTES = 1024 * 1024

/** Room for the end of a zip's directory, with a comment. yauzl reads as much at once. */
const MAX_END = 22 + 65_535

/** Bytes at the end of a zip that likely hold its directory, when it has about so many files. */
export function tailFor(files: number): number {
  return Math.min(TAIL_BYTES, MAX_END + 256 * files)
}

/** The files of a zip. Throws when it is broken, or when its directory is longer than the tail. */
export async function listZip({ size, tail }: ZipTail): Promise<ZipIndexEntry[]> {
  const zip = await fromRandomAccessReaderPromise(new TailReader(size, tail), size, { autoClose: false })
  const entries: ZipIndexEntry[] = []
  for await (const entry of zip.eachEntry())
    if (!entry.fileName.endsWith('/'))
      entries.push({
        path: entry.fileName,
        size: entry.uncompressedSize,
        compressedSize: entry.compressedSize,
        crc32: entry.crc32,
      })
  return entries
}

/** The files of a zip on this machine. */
export async function listZipFile(path: string): Promise<ZipIndexEntry[]> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const length = Math.min(size, TAIL_BYTES)
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length)
    return await listZip({ size, tail: buffer })
  } finally {
    await file.close()
  }
}

/** Serves the many small reads of a zip's directory from its tail. */
class TailReader extends RandomAccessReader {
  readonly #start: number
  readonly #tail: Buffer

  constructor(size: number, tail: Buffer) {
    super()
    this.#start = size - tail.length
    this.#tail = tail
  }

  /** Not a stream a read: yauzl reads each entry by two, and a bundle has thousands. */
  // biome-ignore lint/complexity/useMaxParams: the shape is yauzl's.
  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    const start = position - this.#start
    const bytes = this.#tail.subarray(Math.max(0, start), Math.max(0, start + length))
    // A zip may say anything of where its directory is, also that it is behind its end.
    const isThere = start >= 0 && bytes.length === length
    if (isThere) bytes.copy(buffer, offset)
    const error = isThere ? null : new Error("The zip's directory is longer than what was read of it.")
    setImmediate(callback, error)
  }
}
