/** Tables of changes under a folded line: files, and native packages. */
import type { ContentChange, FileChange } from '../bundle/contents.ts'
import type { NativeChange } from '../plan/native-changes.ts'
import { formatBytes } from '../runtime/bytes.ts'
import { formatDifference, plural } from './format.ts'
import { code, details, escapeText, table } from './markdown.ts'

/** So many files are shown; the rest is counted. */
const FILES_SHOWN = 40

/** A file with what became of it. */
interface ChangedFile extends FileChange {
  readonly kind: 'added' | 'changed' | 'removed'
}

/** Changes that installed apps lack come first, and are counted on the line. */
export function renderNativeChanges(changes: readonly NativeChange[]): string {
  if (changes.length === 0) return ''
  const lacking = changes.filter(({ compatible }) => !compatible)
  const rows = [...lacking, ...changes.filter(({ compatible }) => compatible)].map(change => [
    change.compatible ? '✓' : '⚠️',
    code(change.name),
    change.before === null ? '–' : code(change.before),
    change.now === null ? '–' : code(change.now),
    escapeText(change.why),
  ])
  const count = `${lacking.length} of ${plural(changes.length, 'change')}`
  const title =
    lacking.length === 0
      ? `<b>Native code:</b> ${plural(changes.length, 'package')} changed, and installed apps can run it`
      : `⚠️ <b>Native code:</b> ${count} ${lacking.length === 1 ? 'needs' : 'need'} a store release`
  return details(title, table(['', 'package', 'before', 'now', 'because'], rows))
}

/** Counts on the folded line, files with sizes inside. */
export function renderFileChanges(change: ContentChange | null): string {
  if (change === null) return ''
  const files = listChanges(change)
  const since = code(change.since)
  if (files.length === 0) return `No file differs from ${since}.`
  return details(`<b>Files:</b> ${countChanges(files)} since ${since}`, tableOfChanges(files))
}

/** `4 changed, 1 added`; with a noun `4 files changed, 1 added`. */
export function countChanges(files: readonly ChangedFile[], noun = ''): string {
  return (['changed', 'added', 'removed'] as const)
    .map(kind => ({ kind, count: files.filter(file => file.kind === kind).length }))
    .filter(({ count }) => count > 0)
    .map(({ kind, count }, index) =>
      noun === '' || index > 0
        ? `${count.toLocaleString('en-US')} ${kind}`
        : `${plural(count, noun)} ${kind}`,
    )
    .join(', ')
}

/** The first files with their sizes; the others are counted. */
export function tableOfChanges(files: readonly ChangedFile[]): string {
  const rows = files
    .slice(0, FILES_SHOWN)
    .map(file => [
      code(file.path),
      file.kind === 'removed' ? '–' : formatBytes(file.size),
      formatDifference(difference(file)),
    ])
  const more = files.length - rows.length
  const list = table(['file', 'size', 'difference'], rows, ['---', '--:', '--:'])
  return more > 0 ? `${list}\n\n… and ${plural(more, 'more file')} with smaller differences.` : list
}

/**
 * The files that differ, the largest differences first. Build tools put a hash of the content into names: an
 * added and a removed file whose names differ by nothing else are one file that changed.
 */
export function listChanges({ added, changed, removed }: ContentChange): ChangedFile[] {
  const before = new Map(withoutHash(removed))
  const pairs = withoutHash(added).flatMap(([name, now]) => {
    const was = before.get(name)
    return was === undefined ? [] : [{ now, was }]
  })
  const paired = new Set(pairs.flatMap(({ now, was }) => [now, was]))
  const files: ChangedFile[] = [
    ...changed.map(file => ({ ...file, kind: 'changed' as const })),
    ...pairs.map(({ now, was }) => ({ ...now, sizeBefore: was.sizeBefore, kind: 'changed' as const })),
    ...added.filter(file => !paired.has(file)).map(file => ({ ...file, kind: 'added' as const })),
    ...removed.filter(file => !paired.has(file)).map(file => ({ ...file, kind: 'removed' as const })),
  ]
  return files.sort((a, b) => Math.abs(difference(b)) - Math.abs(difference(a)) || (a.path < b.path ? -1 : 1))
}

function difference({ size, sizeBefore }: FileChange): number {
  return size - sizeBefore
}

/** `index-CkVzA1xy.js` (Vite), `main.8f3a2b1c9d.css` (webpack), `main-QK4TNY2R.js` (Angular). */
const HASH = /(?<=[-.])(?=[\w-]*[\dA-Z])(?:[\w-]{8}|[A-Za-z0-9]{8,64})(?=(?:\.[A-Za-z0-9]+)+$)/

/** Names with the hash taken out; those that stand for one file only. */
function withoutHash(files: readonly FileChange[]): [string, FileChange][] {
  const named = files.filter(({ path }) => HASH.test(path))
  const byName = Map.groupBy(named, ({ path }) => path.replace(HASH, '*'))
  return [...byName].flatMap(([name, [file, ...others]]) =>
    file && others.length === 0 ? [[name, file]] : [],
  )
}
