/** Stored contents of a bundle, compared with the bundle's row and with a bundle that was just made. */
import PQueue from 'p-queue'
import { type Contents, describeContents, type ListedFile } from '../../bundle/contents.ts'
import { hashEncrypted, type Opener } from '../../bundle/encrypt.ts'
import { listZip, listZipFile, TAIL_BYTES, tailFor, type ZipIndexEntry } from '../../bundle/zip-listing.ts'
import type { Capgo } from '../../capgo/client.ts'
import { isOwnKey } from '../../capgo/delta-key.ts'
import type { BundleRow, StoredFile } from '../../capgo/schema.ts'

/** A bundle's bytes, as far as they are known without a look at the store. */
interface Expectation {
  /** The zip on this machine, before it is encrypted; null where nothing was built. */
  readonly zip: { readonly path: string; readonly size: number; readonly sha256: string } | null
  /** Undoes the encryption; null without a key. */
  readonly opener: Opener | null
}

export interface Inspection {
  /** Bytes: the zip as it is stored, else all delta files; null when that is not known. */
  readonly size: number | null
  /** Why devices could not take it, as the end of a sentence; null when they can. */
  readonly fault: string | null
}

const SHA256 = /^[0-9a-f]{64}$/
/** AES pads to whole blocks. */
const BLOCK = 16
const CONCURRENCY = 32
/** Delta files of a served bundle that are looked at where it has no zip. */
const SAMPLE = 4
/** And where some may be gone: what can be asked at once. */
const LARGE_SAMPLE = CONCURRENCY
/** Milliseconds. A run that made a bundle began so long before at most, and a deletion may have been under way then. */
const MAX_RUN_TIME = 60 * 60_000

/** SHA-256 of a bundle's zip before encryption; null when unknown here. */
export function plainSha256(
  { checksum, session_key }: Pick<BundleRow, 'checksum' | 'session_key'>,
  opener: Opener | null,
): string | null {
  const sha256 = session_key ? opener?.readSignature(checksum ?? '') : checksum
  return sha256 != null && SHA256.test(sha256) ? sha256 : null
}

/** Looks at the zip, and at every delta file that the bundle's rows name. */
export function inspect(bundle: BundleRow, expected: Expectation, capgo: Capgo): Promise<Inspection> {
  return inspectAll(bundle, expected, Number.POSITIVE_INFINITY, capgo)
}

/**
 * As `inspect`, of a bundle that devices are given already: the zip, or some delta files where it has none. Objects go
 * with bundles that are deleted: where that happened since this one was made, more of them are looked at.
 */
export function inspectServed(
  bundle: BundleRow,
  expected: Expectation,
  deletedAt: string | null,
  capgo: Capgo,
): Promise<Inspection> {
  const isSuspect = deletedAt !== null && Date.parse(deletedAt) > Date.parse(bundle.created_at) - MAX_RUN_TIME
  return inspectAll(bundle, expected, isSuspect ? LARGE_SAMPLE : bundle.r2_path === null ? SAMPLE : 0, capgo)
}

async function inspectAll(
  bundle: BundleRow,
  expected: Expectation,
  mostFiles: number,
  capgo: Capgo,
): Promise<Inspection> {
  const [zip, files] = await Promise.all([
    inspectZip(bundle, expected, capgo),
    mostFiles === 0 ? null : inspectFiles(bundle, mostFiles, capgo),
  ])
  const nothing = zip === null && files === null && bundle.external_url === null
  return {
    size: zip?.size ?? files?.size ?? null,
    fault: nothing ? GONE : (zip?.fault ?? files?.fault ?? null),
  }
}

/** Bytes that a bundle takes in the store; null when they cannot be read. Nice to have. */
export async function measure(bundle: BundleRow, capgo: Capgo): Promise<number | null> {
  try {
    if (bundle.r2_path !== null) return (await capgo.describeStored(bundle.r2_path))?.size ?? null
    const files = bundle.manifest_count === 0 ? [] : await capgo.readManifests([bundle])
    return sumOf(files.map(({ file_size }) => file_size))
  } catch {
    return null
  }
}

/** Null when one is not known; the server writes 0 until it has looked. */
export function sumOf(sizes: readonly (number | null | undefined)[]): number | null {
  const known = sizes.flatMap(size => size || [])
  return known.length === 0 || known.length < sizes.length ? null : known.reduce((sum, size) => sum + size)
}

const GONE = 'its content no longer exists'
const DIFFERS = 'its stored content differs from the upload'

/** Null when it has no zip here. */
async function inspectZip(
  bundle: BundleRow,
  expected: Expectation,
  capgo: Capgo,
): Promise<Inspection | null> {
  const { r2_path: path } = bundle
  if (path === null) return null
  const stored = await capgo.describeStored(path)
  if (stored === null) return { size: null, fault: GONE }
  const { size } = stored
  const isWhole = await hasContent(bundle, { ...stored, path }, expected, capgo)
  return isWhole ? { size, fault: null } : { size, fault: DIFFERS }
}

async function hasContent(
  bundle: BundleRow,
  { path, ...stored }: { readonly path: string; readonly size: number; readonly sha256: string | null },
  { zip, opener }: Expectation,
  capgo: Capgo,
): Promise<boolean> {
  const key = bundle.session_key || null
  const session = key === null ? null : (opener?.openSession(key) ?? null)
  const bytes =
    zip === null
      ? null
      : key === null
        ? zip
        : session === null
          ? null
          : await hashEncrypted(zip.path, session)
  if (bytes !== null && bytes.size !== stored.size) return false
  const sha256 = bytes?.sha256 ?? (key === null ? plainSha256(bundle, null) : null)
  if (sha256 !== null)
    return sha256 === (stored.sha256 ?? (await capgo.hashStored(path, stored.size))?.sha256)
  // A checksum in an older form cannot be compared here.
  if (key === null) return true
  if (session === null) return stored.size > 0 && stored.size % BLOCK === 0
  const plain = await capgo.hashStored(path, stored.size, () => session.decipher())
  return plain !== null && plain.sha256 === plainSha256(bundle, opener)
}

/** Null when it has no delta files. */
async function inspectFiles(bundle: BundleRow, most: number, capgo: Capgo): Promise<Inspection | null> {
  if (bundle.manifest_count === 0) return null
  const rows = await capgo.readManifests([bundle])
  const paths = new Set(rows.map(({ s3_path }) => s3_path))
  const chosen = paths.size <= most ? [...paths] : chooseFiles(rows, bundle.session_key || null, most)
  const queue = new PQueue({ concurrency: CONCURRENCY })
  const found = await queue.addAll(chosen.map(path => () => capgo.describeStored(path)))
  const lost = found.filter(object => object === null).length
  return {
    size:
      found.length === paths.size
        ? found.reduce((sum, object) => sum + (object?.size ?? 0), 0)
        : sumOf(rows.map(({ file_size }) => file_size)),
    fault:
      lost === 0 && paths.size > 0
        ? null
        : `${lost} of its ${bundle.manifest_count} delta files no longer exist`,
  }
}

/** First those whose object may go with a bundle that has it under another name, then others evenly over the list. */
function chooseFiles(rows: readonly StoredFile[], sessionKey: string | null, most: number): string[] {
  const step = Math.max(1, rows.length / most)
  const evenly = Array.from({ length: most }, (_, at) => rows[Math.floor(at * step)])
  const inDanger = rows.filter(row => !isOwnKey(row, sessionKey))
  const paths = [...inDanger, ...evenly].flatMap(row => (row === undefined ? [] : [row.s3_path]))
  return [...new Set(paths)].slice(0, most)
}

/**
 * The bundle's contents, and how they differ from those that the channel serves, by the directories of the two zips.
 * Best effort: what cannot be read is null.
 */
export async function compareContents(
  served: BundleRow | null,
  { zip, checksum }: { readonly zip: { readonly path: string }; readonly checksum: string },
  capgo: Capgo,
): Promise<Contents> {
  const now = await listZipFile(zip.path).catch(() => null)
  const before =
    served === null || served.checksum === checksum
      ? null
      : await listServed(served, tailFor(now?.length ?? 0), capgo).catch(() => null)
  return describeContents(before, now?.map(listed) ?? null)
}

/**
 * The files of a bundle that is served; null when it has no zip, or is encrypted. Its last `length` bytes are read, and
 * more only where its directory is longer.
 */
async function listServed(
  served: BundleRow,
  length: number,
  capgo: Capgo,
): Promise<{ readonly name: string; readonly files: readonly ListedFile[] } | null> {
  if (served.r2_path === null || served.session_key) return null
  const stored = await capgo.readStoredTail(served.r2_path, length)
  if (stored === null) return null
  try {
    return { name: served.name, files: (await listZip(stored)).map(listed) }
  } catch (error) {
    if (length < TAIL_BYTES) return listServed(served, TAIL_BYTES, capgo)
    throw error
  }
}

function listed({ path, compressedSize, size, crc32 }: ZipIndexEntry): ListedFile {
  return { path, size: compressedSize, content: `${crc32} ${size}` }
}
