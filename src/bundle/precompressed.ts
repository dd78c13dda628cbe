/** Copies that a build makes for web servers: a WebView reads the files of the bundle as they are. */
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createBrotliDecompress } from 'node:zlib'
import { Digest } from '../runtime/digest.ts'
import type { BundleFile } from './bundle-file.ts'

const ENDING = '.br'

/**
 * The files `x.br` that hold what the file `x` beside them holds, compressed. Nothing can ask for them: a WebView undoes
 * no brotli of its own accord. (It does undo gzip where a script asks for that, so `x.gz` may be an app's own.)
 */
export async function findBrotliCopies(
  directory: string,
  files: readonly BundleFile[],
): Promise<ReadonlySet<BundleFile>> {
  const byPath = new Map(files.map(file => [file.path, file]))
  const copies = new Set<BundleFile>()
  for (const file of files) {
    const plain = file.path.endsWith(ENDING) ? byPath.get(file.path.slice(0, -ENDING.length)) : undefined
    if (plain !== undefined && (await isCopy(join(directory, file.path), join(directory, plain.path), plain)))
      copies.add(file)
  }
  return copies
}

async function isCopy(copy: string, of: string, { size }: BundleFile): Promise<boolean> {
  const [undone, plain] = [new Digest(), new Digest()]
  try {
    await pipeline(createReadStream(copy), createBrotliDecompress(), async chunks => {
      for await (const chunk of chunks as AsyncIterable<Buffer>) {
        undone.update(chunk)
        if (undone.size > size) throw new RangeError('longer than the file beside it')
      }
    })
    if (undone.size < size) return false
    for await (const chunk of createReadStream(of)) plain.update(chunk)
  } catch {
    return false
  }
  return undone.sha256() === plain.sha256()
}
