/** Delta files as a device takes them: each has to be there, and some are undone and compared. */
import { brotliDecompressSync } from 'node:zlib'
import PQueue from 'p-queue'
import type { Opener, Session } from '../../bundle/encrypt.ts'
import type { Capgo } from '../../capgo/client.ts'
import type { OfferedFile } from '../../capgo/updates.ts'
import { sha256 } from '../../runtime/digest.ts'

/** So many are downloaded; the others are asked for their first byte. */
const SAMPLE = 16
const CONCURRENCY = 16
/** Brotli data that updaters read as an empty file. */
const EMPTY = Buffer.from([0x1b, 0x00, 0x06])
/** Bytes that one compressed file may unfold to. */
const MAX_UNFOLDED = 512 * 1024 ** 2

/** `fault` is the end of a sentence; `looked` counts the files that were downloaded. */
export async function checkFiles(
  files: readonly OfferedFile[],
  session: Session | null,
  opener: Opener | null,
  capgo: Capgo,
): Promise<{ readonly fault: string | null; readonly looked: number }> {
  const sample = new Set(choose(files))
  const queue = new PQueue({ concurrency: CONCURRENCY })
  const faults = await queue.addAll(
    files.map(file => async () => {
      if (!sample.has(file))
        return (await capgo.isThere(file.download_url)) ? null : `${file.file_name} cannot be downloaded`
      const bytes = await capgo.downloadFile(file.download_url)
      if (bytes === null) return `${file.file_name} cannot be downloaded`
      const hash = session === null ? file.file_hash : opener?.readSignature(file.file_hash)
      return hashOf(bytes, file.file_name, session) === hash?.toLowerCase()
        ? null
        : `${file.file_name} differs from the published file`
    }),
  )
  const found = faults.filter(fault => fault !== null)
  const more = found.length > 1 ? ` (and ${found.length - 1} more of its delta files)` : ''
  return { fault: found[0] === undefined ? null : `${found[0]}${more}`, looked: sample.size }
}

/** The page that starts the app, and others evenly over the list. */
function choose(files: readonly OfferedFile[]): OfferedFile[] {
  const first = files.filter(({ file_name: name }) => /^index\.html(\.br)?$/.test(name))
  const step = Math.max(1, files.length / SAMPLE)
  const places = Array.from({ length: Math.min(SAMPLE, files.length) }, (_, at) => Math.floor(at * step))
  const others = places.flatMap(at => files[at] ?? [])
  return [...first, ...others]
}

/** SHA-256 of the file as the app gets it, lower-case hex; null when it cannot be undone. */
function hashOf(bytes: Buffer, name: string, session: Session | null): string | null {
  try {
    const decipher = session?.decipher()
    const open = decipher === undefined ? bytes : Buffer.concat([decipher.update(bytes), decipher.final()])
    const content = open.equals(EMPTY)
      ? Buffer.of()
      : name.endsWith('.br')
        ? brotliDecompressSync(open, { maxOutputLength: MAX_UNFOLDED })
        : open
    return sha256(content)
  } catch {
    return null
  }
}
