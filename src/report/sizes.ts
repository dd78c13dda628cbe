/** The size of a bundle by types of files, and what grew: a folded line, a chart that GitHub draws, a table. */
import type { FileTypeSize } from '../bundle/contents.ts'
import { formatBytes } from '../runtime/bytes.ts'
import { formatDifference } from './format.ts'
import { details, table } from './markdown.ts'

/** So many types are on the folded line. */
const NAMED = 3
const MAX_BAR = 4

/** A type of file with how much it grew; null where nothing was compared. */
type Growth = FileTypeSize & { readonly difference: number | null }

export function renderSizes(sizes: readonly FileTypeSize[] | null): string {
  if (sizes === null || sizes.length === 0) return ''
  const isCompared = sizes.every(({ sizeBefore }) => sizeBefore !== null)
  const types: Growth[] = sizes.map(each => ({
    ...each,
    difference: isCompared ? each.size - (each.sizeBefore ?? 0) : null,
  }))
  return details(summarise(types), `${pie(types)}\n\n${tableOf(types)}`)
}

/** The folded line: how large it is and what grew. */
function summarise(types: readonly Growth[]): string {
  const total = types.reduce((sum, { size }) => sum + size, 0)
  const grown = types.reduce((sum, { difference }) => sum + (difference ?? 0), 0)
  const parts = types
    .slice(0, NAMED)
    .map(
      ({ type, size, difference }) => `${type.toLowerCase()} ${formatBytes(size)}${inBrackets(difference)}`,
    )
  return `<b>Size:</b> ${formatBytes(total)}${inBrackets(grown)}: ${parts.join(', ')}${types.length > NAMED ? ' …' : ''}`
}

function inBrackets(difference: number | null): string {
  return difference === null || difference === 0 ? '' : ` (${formatDifference(difference)})`
}

/** Few columns: people look at it on a phone. */
function tableOf(types: readonly Growth[]): string {
  const isCompared = types.every(({ difference }) => difference !== null)
  const largest = Math.max(...types.map(({ difference }) => Math.abs(difference ?? 0)))
  const rows = types.map(({ type, files, size, difference }) => [
    `${type} (${files.toLocaleString('en-US')})`,
    formatBytes(size),
    ...(difference === null ? [] : [formatDifference(difference), bar(difference, largest)]),
  ])
  const head = ['files', 'to download', ...(isCompared ? ['difference', ''] : [])]
  return table(head, rows, ['---', '--:', '--:', '---'])
}

/** In Mermaid's words. All names are our own: nothing of the bundle can speak here. */
function pie(types: readonly FileTypeSize[]): string {
  const isSmall = types.every(({ size }) => size < 10_000)
  const slices = types
    .filter(({ size }) => size > 0)
    .map(({ type, size }) => `  "${type}" : ${isSmall ? size : (size / 1000).toFixed(1)}`)
  const title = `  title ${isSmall ? 'Bytes' : 'kB'} to download`
  return ['```mermaid', 'pie showData', title, ...slices, '```'].join('\n')
}

/** Red for what grew and green for what shrank; the longest is the largest difference. */
function bar(difference: number, largest: number): string {
  if (difference === 0) return ''
  const length = Math.max(1, Math.round((Math.abs(difference) / largest) * MAX_BAR))
  return (difference > 0 ? '🟥' : '🟩').repeat(length)
}
