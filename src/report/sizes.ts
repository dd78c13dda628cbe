/** The size of a bundle: the download, full and as an update; by types of files, folded, with a chart and a table. */
import type { FileTypeSize } from '../bundle/contents.ts'
import { formatBytes } from '../runtime/bytes.ts'
import { formatDifference } from './format.ts'
import type { Show } from './headline.ts'
import { details, table } from './markdown.ts'
import type { ChannelResult } from './result.ts'

/** So many types are on the folded line. */
const NAMED = 3
const MAX_BAR = 4

/** A type of file with how much it grew; null where nothing was compared. */
type Growth = FileTypeSize & { readonly difference: number | null }

/** `1.2 MB download, 84 kB as an update from 1.4.0`: for a device that has nothing, and one that has the bundle before. */
export function describeDownload(result: ChannelResult, show: Show): string {
  const { size } = result.bundle
  if (size === null) return ''
  const full = `${formatBytes(size)} download`
  const update = updateOf(result)
  return update === null
    ? full
    : `${full}, ${formatBytes(update.size)} as an update from ${show(update.from)}`
}

/** Null where devices download everything, or nothing was compared. */
export function updateOf(result: ChannelResult): { readonly size: number; readonly from: string } | null {
  const full = result.bundle.size
  if (full === null || !('contents' in result)) return null
  const { change, updateSize: size } = result.contents
  return change === null || size === null || size >= full ? null : { size, from: change.since }
}

export function renderSizes(sizes: readonly FileTypeSize[] | null): string {
  if (sizes === null || sizes.length === 0) return ''
  const isCompared = sizes.every(({ sizeBefore }) => sizeBefore !== null)
  const types: Growth[] = sizes.map(each => ({
    ...each,
    difference: isCompared ? each.size - (each.sizeBefore ?? 0) : null,
  }))
  return details(summarise(types), `${pie(types)}\n\n${tableOf(types)}`)
}

/** The folded line: what grew and shrank most; the sizes where nothing was compared. The total is in the headline. */
function summarise(types: readonly Growth[]): string {
  if (types.some(({ difference }) => difference === null)) {
    const largest = types
      .slice(0, NAMED)
      .map(({ type, size }) => `${type.toLowerCase()} ${formatBytes(size)}`)
    return `<b>Size:</b> ${largest.join(', ')}${types.length > NAMED ? ' …' : ''}`
  }
  const differing = types
    .flatMap(({ type, difference }) =>
      difference === null || difference === 0 ? [] : [{ type, difference }],
    )
    .sort((one, other) => Math.abs(other.difference) - Math.abs(one.difference))
  if (differing.length === 0) return '<b>Size:</b> unchanged'
  const grown = differing.reduce((sum, { difference }) => sum + difference, 0)
  const most = differing
    .slice(0, NAMED)
    .map(({ type, difference }) => `${type.toLowerCase()} ${formatDifference(difference)}`)
  return `<b>Size:</b> ${formatDifference(grown)}: ${most.join(', ')}${differing.length > NAMED ? ' …' : ''}`
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
  const head = ['files', 'download', ...(isCompared ? ['difference', ''] : [])]
  return table(head, rows, ['---', '--:', '--:', '---'])
}

/** In Mermaid's words. All names are our own: nothing of the bundle can speak here. */
function pie(types: readonly FileTypeSize[]): string {
  const isSmall = types.every(({ size }) => size < 10_000)
  const slices = types
    .filter(({ size }) => size > 0)
    .map(({ type, size }) => `  "${type}" : ${isSmall ? size : (size / 1000).toFixed(1)}`)
  const title = `  title Download in ${isSmall ? 'bytes' : 'kB'}`
  return ['```mermaid', 'pie showData', title, ...slices, '```'].join('\n')
}

/** Red for what grew and green for what shrank; the longest is the largest difference. */
function bar(difference: number, largest: number): string {
  if (difference === 0) return ''
  const length = Math.max(1, Math.round((Math.abs(difference) / largest) * MAX_BAR))
  return (difference > 0 ? '🟥' : '🟩').repeat(length)
}
