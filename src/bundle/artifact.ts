/** Unpacks an artifact that nobody vouches for. */
import { createWriteStream } from 'node:fs'
import { mkdir, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Entry, openPromise, type ZipFile } from 'yauzl'
import { ActionError } from '../errors.ts'
import { isSystemError } from '../runtime/system-error.ts'

/** Limits of an artifact. Sizes in bytes, unpacked. */
export interface ArtifactLimits {
  readonly files: number
  readonly bytes: number
}

/** Capgo takes delta bundles of 10,000 files and zips of 1 GiB at most; no web build needs more than this. */
const MAX_FILES = 20_000
const MAX_BYTES = 1024 * 1024 * 1024
const ARTIFACT_LIMITS: ArtifactLimits = { files: MAX_FILES, bytes: MAX_BYTES }

/** Linux takes names of so many bytes. */
const MAX_NAME = 255
const MAX_DEPTH = 32
/** Of a file's header before its name (APPNOTE 4.3.7). */
const LOCAL_HEADER = 30
const STORED = 0
const DEFLATED = 8

/**
 * Unpacks an artifact that an untrusted run made, and returns the folder of its web build. Nothing outside of
 * `directory`, which must not exist yet, is written; anything but a plain file of a plain name is refused, and so
 * is what is larger than it says or than the limits. Throws `artifact_refused`, and leaves nothing then.
 */
export async function extractArtifact(
  zipFile: string,
  directory: string,
  limits: ArtifactLimits = ARTIFACT_LIMITS,
  platform: NodeJS.Platform = process.platform,
): Promise<string> {
  let zip: ZipFile | undefined
  try {
    zip = await openPromise(zipFile, { autoClose: false, strictFileNames: true, validateEntrySizes: true })
    const entries = await readEntries(zip, limits, platform)
    await mkdir(directory)
    let left = limits.bytes
    for (const entry of entries.filter(({ fileName }) => !fileName.endsWith('/'))) {
      const file = join(directory, entry.fileName)
      await mkdir(dirname(file), { recursive: true })
      const counted = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          left -= chunk.length
          done(left < 0 ? tooLarge(limits) : null, chunk)
        },
      })
      const content = await zip.openReadStreamPromise(entry)
      await pipeline(content, counted, createWriteStream(file, { flags: 'wx', mode: 0o644 }))
    }
    return await findWebFolder(directory, entries)
  } catch (error) {
    await rm(directory, { recursive: true, force: true })
    if (error instanceof ActionError || isSystemError(error)) throw error
    throw artifactRefused(`it is not a valid zip (${error instanceof Error ? error.message : String(error)})`)
  } finally {
    zip?.close()
  }
}

/** The zip's directory, whole, before a byte is unpacked. */
async function readEntries(
  zip: ZipFile,
  limits: ArtifactLimits,
  platform: NodeJS.Platform,
): Promise<Entry[]> {
  if (zip.entryCount > limits.files)
    throw artifactRefused(`it has ${zip.entryCount} files, more than the limit of ${limits.files}`)
  const entries: Entry[] = []
  let declared = 0
  for await (const entry of zip.eachEntry()) {
    const wrong = nameProblem(entry.fileName, platform) ?? kindProblem(entry)
    if (wrong !== null) throw artifactRefused(`${show(entry.fileName)} ${wrong}`)
    declared += entry.uncompressedSize
    if (declared > limits.bytes) throw tooLarge(limits)
    entries.push(entry)
  }
  checkNames(entries)
  checkOverlaps(entries)
  return entries
}

/** On Windows: devices, streams of a file, wildcards, and names whose last character is ignored. */
const NOT_ON_WINDOWS = /^(con|prn|aux|nul|com\d|lpt\d|conin\$|conout\$)(\.|$)|[<>:"|?*]|[. ]$/i

function nameProblem(name: string, platform: NodeJS.Platform): string | null {
  const segments = name.replace(/\/$/, '').split('/')
  if (name.startsWith('/') || /^[A-Za-z]:/.test(name)) return 'is an absolute path'
  if (segments.includes('..')) return 'leads out of the folder'
  if (segments.some(segment => segment === '' || segment === '.')) return 'is not a plain path'
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f\\\ufffd]/.test(name)) return 'contains a character that is not allowed'
  if (segments.length > MAX_DEPTH) return `is nested more than ${MAX_DEPTH} folders deep`
  if (segments.some(segment => Buffer.byteLength(segment) > MAX_NAME)) return 'has a name that is too long'
  if (platform === 'win32' && segments.some(segment => NOT_ON_WINDOWS.test(segment)))
    return 'has a name that is reserved on Windows'
  return null
}

/** The upper half of the external attributes is a Unix mode, where the zip was made on Unix. */
const FILE_TYPE = 0o170000
const PLAIN = new Set([0, 0o100000, 0o040000])

function kindProblem(entry: Entry): string | null {
  if (!PLAIN.has((entry.externalFileAttributes >>> 16) & FILE_TYPE)) return 'is a link or a device'
  if ((entry.generalPurposeBitFlag & 1) !== 0) return 'is encrypted'
  if (entry.compressionMethod !== STORED && entry.compressionMethod !== DEFLATED)
    return `uses the unsupported compression method ${entry.compressionMethod}`
  return null
}

/** Two names for one file, by the rules of some file system, or a file where a folder is. */
function checkNames(entries: readonly Entry[]): void {
  const fold = (name: string) => name.normalize('NFC').toLowerCase()
  const files = new Map<string, string>()
  for (const { fileName } of entries) {
    const key = fold(fileName.replace(/\/$/, ''))
    const other = files.get(key)
    if (other !== undefined)
      throw artifactRefused(`${show(fileName)} and ${show(other)} are the same name on some systems`)
    files.set(key, fileName)
  }
  for (const { fileName } of entries) {
    const segments = fold(fileName).split('/').slice(0, -1)
    for (let depth = 1; depth <= segments.length; depth++) {
      const above = files.get(segments.slice(0, depth).join('/'))
      if (above !== undefined && !above.endsWith('/') && above !== fileName)
        throw artifactRefused(`${show(above)} is both a file and the folder of ${show(fileName)}`)
    }
  }
}

/** Many entries over the same bytes unpack to far more than the zip holds. */
function checkOverlaps(entries: readonly Entry[]): void {
  const sorted = entries.toSorted(
    (one, other) => one.relativeOffsetOfLocalHeader - other.relativeOffsetOfLocalHeader,
  )
  let end = 0
  for (const entry of sorted) {
    if (entry.relativeOffsetOfLocalHeader < end)
      throw artifactRefused(`${show(entry.fileName)} overlaps another file`)
    end = entry.relativeOffsetOfLocalHeader + LOCAL_HEADER + entry.compressedSize
  }
}

/** `index.html` is at the root, or in the one folder that is there. */
async function findWebFolder(directory: string, entries: readonly Entry[]): Promise<string> {
  const isFile = (path: string) =>
    stat(path).then(
      found => found.isFile(),
      () => false,
    )
  if (await isFile(join(directory, 'index.html'))) return directory
  const roots = new Set(entries.map(({ fileName }) => fileName.replace(/\/.*$/s, '')))
  const [only] = roots
  if (roots.size === 1 && only !== undefined && (await isFile(join(directory, only, 'index.html'))))
    return join(directory, only)
  const shown = [...roots].slice(0, 5).map(show).join(', ')
  throw artifactRefused(
    `it has no index.html at its root${shown === '' ? ', it is empty' : `, but ${shown}`}`,
  )
}

function tooLarge({ bytes }: ArtifactLimits): ActionError {
  return artifactRefused(`it unpacks to more than ${bytes} bytes`)
}

function artifactRefused(why: string): ActionError {
  return new ActionError('artifact_refused', `The artifact is rejected: ${why}.`, {
    hint: 'The run that made it may be untrusted. Upload only the web folder as the artifact.',
  })
}

function show(name: string): string {
  return JSON.stringify(name.length > 120 ? `${name.slice(0, 120)}…` : name)
}
