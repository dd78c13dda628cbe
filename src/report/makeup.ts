/** What a bundle is made of and what grew, by kinds of files. Sizes are what devices download: compressed, in bytes. */
import type { ListedFile } from './contents.ts'
import { formatBytes, formatDifference } from './format.ts'
import { details, table } from './markdown.ts'

export interface KindOfFile {
  readonly kind: Kind
  readonly files: number
  readonly size: number
  /** In the bundle before; null when there was none or it cannot be read. */
  readonly sizeBefore: number | null
}

const KINDS = {
  Scripts: 'js mjs cjs wasm',
  Styles: 'css',
  Pages: 'html htm',
  Images: 'png jpg jpeg gif webp avif svg ico bmp',
  Fonts: 'woff woff2 ttf otf eot',
  Media: 'mp3 m4a aac ogg wav mp4 m4v webm mov',
  Data: 'json xml csv txt webmanifest geojson pbf bin db sqlite',
  'Source maps': 'map',
} as const
type Kind = keyof typeof KINDS | 'Other'

const KIND_OF = new Map(
  Object.entries(KINDS).flatMap(([kind, endings]) =>
    endings.split(' ').map(ending => [ending, kind as Kind] as const),
  ),
)

type SizedFile = Pick<ListedFile, 'path' | 'size'>

/** The largest kind first. `before` is the bundle that was served; null when it cannot be compared. */
export function countKinds(before: readonly SizedFile[] | null, now: readonly SizedFile[]): KindOfFile[] {
  const was = before === null ? null : sizesOf(before)
  const is = sizesOf(now)
  const kinds = new Set([...is.keys(), ...(was?.keys() ?? [])])
  return [...kinds]
    .map(kind => ({
      kind,
      files: is.get(kind)?.files ?? 0,
      size: is.get(kind)?.size ?? 0,
      sizeBefore: was === null ? null : (was.get(kind)?.size ?? 0),
    }))
    .sort((a, b) => b.size - a.size || (a.kind < b.kind ? -1 : 1))
}

function sizesOf(files: readonly SizedFile[]): Map<Kind, { files: number; size: number }> {
  const sizes = new Map<Kind, { files: number; size: number }>()
  for (const { path, size } of files) {
    const ending = /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? ''
    const kind = KIND_OF.get(ending) ?? 'Other'
    const sum = sizes.get(kind) ?? { files: 0, size: 0 }
    sizes.set(kind, { files: sum.files + 1, size: sum.size + size })
  }
  return sizes
}

/** So many kinds are on the folded line. */
const NAMED = 3
const LONGEST_BAR = 4

/** The folded line says how large and what grew; inside are a chart that GitHub draws and a table. */
export function renderMakeup(kinds: readonly KindOfFile[] | null): string {
  if (kinds === null || kinds.length === 0) return ''
  const isCompared = kinds.every(({ sizeBefore }) => sizeBefore !== null)
  const differences = kinds.map(({ size, sizeBefore }) => size - (sizeBefore ?? size))
  const total = kinds.reduce((sum, { size }) => sum + size, 0)
  const grown = differences.reduce((sum, difference) => sum + difference, 0)
  const changed = (difference: number) =>
    difference === 0 || !isCompared ? '' : ` (${formatDifference(difference)})`
  const parts = kinds
    .slice(0, NAMED)
    .map(({ kind, size }, at) => `${kind.toLowerCase()} ${formatBytes(size)}${changed(differences[at]!)}`)
  const line = `<b>Size:</b> ${formatBytes(total)}${changed(grown)}: ${parts.join(', ')}${kinds.length > NAMED ? ' …' : ''}`

  const largest = Math.max(...differences.map(Math.abs))
  // Few columns: people look at it on a phone.
  const rows = kinds.map(({ kind, files, size }, at) => [
    `${kind} (${files.toLocaleString('en-US')})`,
    formatBytes(size),
    ...(isCompared ? [formatDifference(differences[at]!), bar(differences[at]!, largest)] : []),
  ])
  const head = ['files', 'to download', ...(isCompared ? ['difference', ''] : [])]
  const align = ['---', '--:', '--:', '---']
  return details(line, `${pie(kinds)}\n\n${table(head, rows, align)}`)
}

/** In Mermaid's words. All names are our own: nothing of the bundle can speak here. */
function pie(kinds: readonly KindOfFile[]): string {
  const isSmall = kinds.every(({ size }) => size < 10_000)
  const slices = kinds
    .filter(({ size }) => size > 0)
    .map(({ kind, size }) => `  "${kind}" : ${isSmall ? size : (size / 1000).toFixed(1)}`)
  const title = `  title ${isSmall ? 'Bytes' : 'kB'} to download`
  return ['```mermaid', 'pie showData', title, ...slices, '```'].join('\n')
}

/** Red for what grew and green for what shrank; the longest is the largest difference. */
function bar(difference: number, largest: number): string {
  if (difference === 0) return ''
  const length = Math.max(1, Math.round((Math.abs(difference) / largest) * LONGEST_BAR))
  return (difference > 0 ? '🟥' : '🟩').repeat(length)
}
