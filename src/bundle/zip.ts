import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Zip, ZipDeflate } from 'fflate'
import { ActionError } from '../errors.ts'
import { type BundleFile, byPath } from './check.ts'

export interface BundleZip {
  readonly path: string
  /** Bytes. */
  readonly size: number
  /** Lower-case hex. */
  readonly sha256: string
}

/** Part of the result's identity: how a file is cut into pieces decides its deflated bytes. */
const PIECE = 65536
/** The same local time in every timezone, as zips count. Noon, which no clock change has ever skipped. */
const DATE = new Date(1980, 0, 1, 12)
const UNIX = 3
const REGULAR_FILE_644 = 0o100644 << 16

/**
 * Writes the files into a zip. The same files give the same bytes on every machine: nothing of the machine,
 * the clock, the timezone or the file system's order is in it. Deflated in JavaScript, because what Node's
 * own zlib makes depends on its version, and depended on the processor until Node 20.
 * Throws `file_changed` when a file no longer has the size that was checked.
 */
export async function zipDirectory(options: {
  readonly directory: string
  readonly files: readonly BundleFile[]
  /** Path of the zip to write. */
  readonly to: string
  /** Bytes of the files that are in the zip, of how many. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined
}): Promise<BundleZip> {
  const hash = createHash('sha256')
  let size = 0
  const measure = async function* (chunks: AsyncIterable<Uint8Array>) {
    for await (const chunk of chunks) {
      hash.update(chunk)
      size += chunk.length
      yield chunk
    }
  }
  await pipeline(zipChunks(options), measure, createWriteStream(options.to))
  return { path: options.to, size, sha256: hash.digest('hex') }
}

async function* zipChunks(options: Parameters<typeof zipDirectory>[0]): AsyncGenerator<Uint8Array> {
  const { directory, files, onProgress } = options
  const total = files.reduce((sum, file) => sum + file.size, 0)
  let done = 0
  const ready: Uint8Array[] = []
  const zip = new Zip((error, chunk) => {
    if (error) throw error
    ready.push(chunk)
  })
  for (const file of [...files].sort(byPath)) {
    // The level and memory are fixed: fflate would choose the latter by a logarithm of the size.
    const entry = new ZipDeflate(file.path, { level: 6, mem: 5 })
    entry.mtime = DATE
    entry.os = UNIX
    entry.attrs = REGULAR_FILE_644
    zip.add(entry)
    for await (const { piece, last } of readPieces(join(directory, file.path), file)) {
      entry.push(piece, last)
      yield* ready.splice(0)
      done += piece.length
      onProgress?.(done, total)
    }
  }
  zip.end()
  yield* ready
}

/** The file in pieces of exactly `PIECE` bytes (the last one shorter), however the system delivers it. */
async function* readPieces(
  path: string,
  file: BundleFile,
): AsyncGenerator<{ piece: Uint8Array; last: boolean }> {
  const handle = await open(path)
  try {
    if ((await handle.stat()).size !== file.size) throw fileChanged(file)
    let left = file.size
    do {
      const piece = new Uint8Array(Math.min(PIECE, left))
      for (let filled = 0; filled < piece.length; ) {
        const { bytesRead } = await handle.read(piece, filled)
        if (bytesRead === 0) throw fileChanged(file)
        filled += bytesRead
      }
      left -= piece.length
      yield { piece, last: left === 0 }
    } while (left > 0)
  } finally {
    await handle.close()
  }
}

export function fileChanged(file: BundleFile): ActionError {
  return new ActionError(
    'file_changed',
    `The web folder's file "${file.path}" changed while the zip was made.`,
    {
      hint: 'Something still writes to the web folder, for example a watcher that the build script started. Let the build end before this action goes on.',
    },
  )
}
