/** The files of a bundle, and how they differ from another bundle's. Sizes are of the download: compressed, in bytes. */

/** A file of a bundle. */
export interface ListedFile {
  readonly path: string
  readonly size: number
  /** Tells contents apart. */
  readonly content: string
}

/** The files of a bundle; null where they were not read. */
export interface Contents {
  readonly change: ContentChange | null
  readonly sizes: readonly FileTypeSize[] | null
  /** Bytes that a device downloads which has the bundle before; null where it downloads everything, or it is not known. */
  readonly updateSize: number | null
}

/** How the content of two bundles differs. */
export interface ContentChange {
  /** Name of the bundle it is compared with. */
  readonly since: string
  readonly added: readonly FileChange[]
  readonly changed: readonly FileChange[]
  readonly removed: readonly FileChange[]
}

/** A file of the bundle that differs. */
export interface FileChange {
  readonly path: string
  /** Size now; 0 when it was removed. */
  readonly size: number
  readonly sizeBefore: number
}

/** Size of all files of one type. */
export interface FileTypeSize {
  readonly type: FileType
  readonly files: number
  readonly size: number
  /** In the bundle before; null when there was none or it cannot be read. */
  readonly sizeBefore: number | null
}

/** Where no content was looked at. */
export const NOTHING_COMPARED: Contents = { change: null, sizes: null, updateSize: null }

/** `before` is the bundle that was served. Null what cannot be told: then it is not compared, or not looked at. */
export function describeContents(
  before: { readonly name: string; readonly files: readonly ListedFile[] } | null,
  now: readonly ListedFile[] | null,
): Contents {
  return {
    change: before === null || now === null ? null : compare(before.name, before.files, now),
    sizes: now === null ? null : sizeByFileType(before?.files ?? null, now),
    updateSize: null,
  }
}

/** As `describeContents`, of two bundles that have delta files: devices download those that differ. */
export function describeUpdate(
  before: { readonly name: string; readonly files: readonly ListedFile[] },
  now: readonly ListedFile[],
): Contents {
  const change = compare(before.name, before.files, now)
  const differing = [...change.added, ...change.changed]
  return {
    ...describeContents(before, now),
    change,
    updateSize: differing.reduce((sum, { size }) => sum + size, 0),
  }
}

/** A delta file as Capgo lists it; 0 or null until Capgo has looked at its size. */
interface StoredDeltaFile {
  readonly file_name: string
  readonly file_hash: string
  readonly file_size?: number | null | undefined
}

/** The files of a bundle by its `count` delta files; null when not all are known, or not all their sizes. */
export function listStored(files: readonly StoredDeltaFile[], count: number): ListedFile[] | null {
  const list = files.map(({ file_name, file_hash, file_size }) => ({
    path: file_name.replace(/\.br$/, ''),
    size: file_size ?? 0,
    content: file_hash,
  }))
  return list.length === count && list.every(({ size }) => size > 0) ? list : null
}

function compare(since: string, before: readonly ListedFile[], now: readonly ListedFile[]): ContentChange {
  const old = new Map(before.map(file => [file.path, file]))
  const change = {
    since,
    added: [] as FileChange[],
    changed: [] as FileChange[],
    removed: [] as FileChange[],
  }
  for (const { path, size, content } of now) {
    const was = old.get(path)
    old.delete(path)
    if (was === undefined) change.added.push({ path, size, sizeBefore: 0 })
    else if (was.content !== content) change.changed.push({ path, size, sizeBefore: was.size })
  }
  for (const { path, size } of old.values()) change.removed.push({ path, size: 0, sizeBefore: size })
  return change
}

const ENDINGS = {
  Scripts: 'js mjs cjs wasm',
  Styles: 'css',
  Pages: 'html htm',
  Images: 'png jpg jpeg gif webp avif svg ico bmp',
  Fonts: 'woff woff2 ttf otf eot',
  Media: 'mp3 m4a aac ogg wav mp4 m4v webm mov',
  Data: 'json xml csv txt webmanifest geojson pbf bin db sqlite',
  'Source maps': 'map',
} as const
type FileType = keyof typeof ENDINGS | 'Other'

const TYPES = new Map(
  Object.entries(ENDINGS).flatMap(([type, endings]) =>
    endings.split(' ').map(ending => [ending, type as FileType] as const),
  ),
)

type SizedFile = Pick<ListedFile, 'path' | 'size'>

/** The largest type first. `before` is the bundle that was served; null when it cannot be compared. */
export function sizeByFileType(
  before: readonly SizedFile[] | null,
  now: readonly SizedFile[],
): FileTypeSize[] {
  const was = before === null ? null : sumByType(before)
  const is = sumByType(now)
  const types = new Set([...is.keys(), ...(was?.keys() ?? [])])
  return [...types]
    .map(type => ({
      type,
      files: is.get(type)?.files ?? 0,
      size: is.get(type)?.size ?? 0,
      sizeBefore: was === null ? null : (was.get(type)?.size ?? 0),
    }))
    .sort((a, b) => b.size - a.size || (a.type < b.type ? -1 : 1))
}

function sumByType(files: readonly SizedFile[]): Map<FileType, { files: number; size: number }> {
  const sums = new Map<FileType, { files: number; size: number }>()
  for (const { path, size } of files) {
    const ending = /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? ''
    const type = TYPES.get(ending) ?? 'Other'
    const sum = sums.get(type) ?? { files: 0, size: 0 }
    sums.set(type, { files: sum.files + 1, size: sum.size + size })
  }
  return sums
}
