// How the plugin downloads, unpacks and checks files.
import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import { promisify } from 'node:util'
import { brotliDecompress, crc32 } from 'node:zlib'
import yauzl from 'yauzl'

/** A download or bundle that the plugin refuses; `code` is what it reports to `/stats`. */
export class DeviceError extends Error {
  readonly code: string
  constructor(code: string, message: string) {
    super(`${code}: ${message}`)
    this.name = 'DeviceError'
    this.code = code
  }
}

/** Attempts of one download; each continues where the last one broke off. */
const TRIES = 3

/** A GET that continues after a broken connection: 206 is appended, 200 begins again. */
export async function fetchWithResume(url: string): Promise<Buffer> {
  let received: Buffer[] = []
  let size = 0
  for (let attempt = 1; ; attempt++) {
    try {
      const response = await fetch(url, size === 0 ? {} : { headers: { range: `bytes=${size}-` } })
      if (!response.ok) throw new DeviceError('download_fail', `HTTP ${response.status} for ${url}`)
      if (response.status === 200) {
        received = []
        size = 0
      }
      if (response.body !== null)
        for await (const chunk of response.body) {
          received.push(Buffer.from(chunk))
          size += chunk.length
        }
      return Buffer.concat(received)
    } catch (error) {
      if (error instanceof DeviceError || attempt === TRIES) throw error
    }
  }
}

/** The plugin takes these three bytes for an empty file. */
const EMPTY = Buffer.from([0x1b, 0x00, 0x06])

export async function decompress(bytes: Buffer): Promise<Buffer> {
  return bytes.equals(EMPTY) ? Buffer.alloc(0) : promisify(brotliDecompress)(bytes)
}

/** The archive's files by path. Throws a `DeviceError` for an entry that the plugin refuses. */
export async function unzip(zip: Buffer): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>()
  try {
    // Names are decoded here: yauzl itself would turn backslashes into slashes.
    const archive = await yauzl.fromBufferPromise(zip, { decodeStrings: false })
    for await (const entry of archive.eachEntry()) {
      const name = (entry.fileName as unknown as Buffer).toString('utf8')
      checkPath(name, 'canonical_path_fail')
      if (name.endsWith('/')) continue
      const chunks: Buffer[] = []
      for await (const chunk of await archive.openReadStreamPromise(entry)) chunks.push(chunk as Buffer)
      files.set(posix.normalize(name), Buffer.concat(chunks))
    }
  } catch (error) {
    if (error instanceof DeviceError) throw error
    throw new DeviceError('unzip_fail', (error as Error).message)
  }
  return files
}

/** A path that stays inside the bundle. */
export function checkPath(path: string, code: string): string {
  if (path.includes('\\')) throw new DeviceError('windows_path_fail', `${path} has a backslash`)
  const normal = posix.normalize(path)
  if (
    path === '' ||
    path.includes('\0') ||
    posix.isAbsolute(path) ||
    normal === '..' ||
    normal.startsWith('../')
  )
    throw new DeviceError(code, `${path} leaves the bundle`)
  return normal
}

/** One enclosing folder is tolerated; the two platforms decide differently when there is one. */
export function hoist(files: Map<string, Buffer>, platform: string): Map<string, Buffer> {
  const roots = new Set([...files.keys()].map(path => path.split('/')[0]!))
  const counted =
    platform === 'ios'
      ? [...roots]
      : [...roots].filter(name => !name.startsWith('.') && !name.startsWith('__MACOSX'))
  const folder = counted[0]
  if (counted.length !== 1 || folder === undefined || files.has(folder) || files.has('index.html'))
    return files
  return new Map(
    [...files].flatMap(([path, content]) =>
      path.startsWith(`${folder}/`) ? [[path.slice(folder.length + 1), content] as const] : [],
    ),
  )
}

export const hexCrc32 = (bytes: Buffer) => crc32(bytes).toString(16).padStart(8, '0')
export const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
