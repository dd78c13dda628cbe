/** The web folder: what goes into the bundle, and whether devices and the app can do with it. */
import { ActionError } from '../errors.ts'
import { formatBytes } from '../runtime/bytes.ts'
import { shownPath } from '../runtime/paths.ts'
import { type BundleFile, byPath, bytesOf } from './bundle-file.ts'
import { findBrotliCopies } from './precompressed.ts'
import { checkReadyCall } from './ready-call.ts'
import { listWebFolder, requireFolder } from './web-folder.ts'
import {
  checkCaseConflicts,
  checkIndex,
  checkLinks,
  checkNames,
  checkPointers,
  checkSize,
  checkSpecial,
  toError,
} from './web-problems.ts'
import { checkStart, findPointers } from './web-start.ts'

export interface CheckedWebDirectory {
  /** Sorted by the bytes of their UTF-8 paths. */
  readonly files: readonly BundleFile[]
  readonly totalBytes: number
  /** In the web folder, whether they are left out or not. */
  readonly sourceMaps: readonly BundleFile[]
  readonly excluded: readonly { readonly path: string; readonly why: string }[]
  readonly warnings: readonly string[]
}

export interface CheckOptions {
  /** Absolute path of the checkout: messages name the web folder relative to it. */
  readonly root: string
  /** Absolute path of the web folder. */
  readonly directory: string
  readonly requireNotifyAppReady: boolean
  /** Source maps stay out of the bundle. */
  readonly dropSourceMaps: boolean
  /** Capgo's limit, zipped. */
  readonly maxBytes: number
}

/** Files that bundlers write beside scripts and styles, compressed too; other files with this ending may be an app's own. */
const SOURCE_MAP = /\.(m?js|cjs|css)\.map(\.(br|gz|zst))?$/

/**
 * The files of the web folder that go into the bundle. Throws `web_dir_missing`, `web_dir_not_a_folder` or
 * `web_dir_empty`; else one error that names every problem: with the problem's own code when it is one, as
 * `web_dir_invalid` when they are several.
 */
export async function checkWebDirectory(options: CheckOptions): Promise<CheckedWebDirectory> {
  const { root, directory, maxBytes } = options
  const shown = shownPath(root, directory) || '.'
  await requireFolder(directory, shown, root)
  const found = await listWebFolder(directory)
  const copies = await findBrotliCopies(directory, found.files)
  const maps = found.files.filter(file => SOURCE_MAP.test(file.path) && !copies.has(file))
  const dropped = new Set([...copies, ...(options.dropSourceMaps ? maps : [])])
  const files = found.files.filter(file => !dropped.has(file)).sort(byPath)
  if (files.length === 0 && found.links.length === 0)
    throw new ActionError('web_dir_empty', `The web folder "${shown}" has no files.`, {
      hint: 'The build wrote nothing there. Check the build output, and that webDir in the Capacitor config is the folder that the build writes to.',
    })
  const totalBytes = bytesOf(files)
  const pointers = await findPointers(directory, files)
  // References cannot be followed through a pointer, so the pointers alone are reported.
  const isWhole = pointers.length === 0
  const start = isWhole ? await checkStart(directory, files) : null
  const ready = isWhole && options.requireNotifyAppReady ? await checkReadyCall(directory, files) : null
  const problems = [
    checkIndex(files, shown),
    checkPointers(pointers),
    start?.problem ?? null,
    checkLinks(found.links),
    checkSpecial(found.special),
    checkNames(files),
    checkCaseConflicts(files),
    checkSize(files, totalBytes, maxBytes),
    // Scripts that are missing call nothing.
    start?.problem ? null : (ready?.problem ?? null),
  ].filter(problem => problem !== null)
  const error = toError(problems, shown)
  if (error !== null) throw error
  return {
    files,
    totalBytes,
    sourceMaps: maps,
    excluded: [
      ...found.litter,
      ...(maps.length > 0 && options.dropSourceMaps
        ? [{ path: '*.map', why: `${countMaps(maps)}, ${sizeOf(maps)}` }]
        : []),
      ...(copies.size > 0 ? [{ path: '*.br', why: sayCopies(copies) }] : []),
    ],
    warnings: [
      ...(start?.warnings ?? []),
      ...(ready?.warning ? [ready.warning] : []),
      ...(maps.length > 0 && !options.dropSourceMaps
        ? [`${countMaps(maps)} (${sizeOf(maps)}) are shipped to every device and expose your source code.`]
        : []),
    ],
  }
}

function countMaps({ length }: readonly BundleFile[]): string {
  return `${length} source map${length === 1 ? '' : 's'}`
}

function sayCopies(copies: ReadonlySet<BundleFile>): string {
  const what = copies.size === 1 ? 'copy of a file beside it' : `copies of ${copies.size} files beside them`
  return `compressed ${what}, ${sizeOf([...copies])}: a WebView never requests these`
}

function sizeOf(files: readonly BundleFile[]): string {
  return formatBytes(bytesOf(files))
}
