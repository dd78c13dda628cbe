import type { Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ActionError } from '../errors.ts'
import { shownPath } from '../runtime/paths.ts'
import { type BundleFile, byPath } from './bundle-file.ts'
import { findBrotliCopies } from './precompressed.ts'
import type { Problem } from './problem.ts'
import { checkReadyCall } from './ready-call.ts'
import { checkStart, findPointers } from './web-start.ts'

export interface CheckedWebDirectory {
  /** Sorted by the bytes of their UTF-8 paths. */
  readonly files: readonly BundleFile[]
  readonly totalBytes: number
  /** In the web folder, whether they are left out or not. */
  readonly sourceMaps: readonly BundleFile[]
  readonly leftOut: readonly { readonly path: string; readonly why: string }[]
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
  /** What Capgo takes at most, zipped. */
  readonly maxBytes: number
}

/** What systems and tools leave lying about; no app asks for it. */
export const LITTER: ReadonlyMap<string, string> = new Map(
  Object.entries({
    '.DS_Store': 'macOS folder settings',
    __MACOSX: 'macOS resource forks',
    'Thumbs.db': 'Windows thumbnails',
    'desktop.ini': 'Windows folder settings',
    '.git': 'git repository',
  }),
)

/** What bundlers write beside scripts and styles, compressed too; other files with this ending may be an app's own. */
const SOURCE_MAP = /\.(m?js|cjs|css)\.map(\.(br|gz|zst))?$/
/** A zip without the 64-bit extension counts its files in 16 bits; devices may not read the extension. */
const MOST_FILES = 65_535
/** Names of so many files are listed; the rest is counted. */
const NAMED = 10

/**
 * The files of the web folder that go into the bundle. Throws `web_dir_missing`, `web_dir_not_a_folder` or
 * `web_dir_empty`; else one error that names every problem: with the problem's own code when it is one, as
 * `web_dir_unfit` when they are several.
 */
export async function checkWebDirectory(options: CheckOptions): Promise<CheckedWebDirectory> {
  const { root, directory, maxBytes } = options
  const shown = shownPath(root, directory) || '.'
  await requireFolder(directory, shown, root)
  const found = await walk(directory)
  const copies = await findBrotliCopies(directory, found.files)
  const maps = found.files.filter(file => SOURCE_MAP.test(file.path) && !copies.has(file))
  const dropped = new Set([...copies, ...(options.dropSourceMaps ? maps : [])])
  const files = found.files.filter(file => !dropped.has(file)).sort(byPath)
  if (files.length === 0 && found.links.length === 0)
    throw new ActionError('web_dir_empty', `The web folder "${shown}" has no files.`, {
      hint: 'The build wrote nothing there. Look at the log of the build, and whether webDir of the Capacitor config names the folder that it writes to.',
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
    checkTwins(files),
    checkSize(files, totalBytes, maxBytes),
    // Scripts that are missing call nothing.
    start?.problem ? null : (ready?.problem ?? null),
  ].filter(problem => problem !== null)
  if (problems.length > 0) throw unfit(problems, shown)
  const many = `${maps.length} source map${maps.length === 1 ? '' : 's'}`
  return {
    files,
    totalBytes,
    sourceMaps: maps,
    leftOut: [
      ...found.leftOut,
      ...(maps.length > 0 && options.dropSourceMaps
        ? [{ path: '*.map', why: `${many}, ${megabytes(bytesOf(maps))}` }]
        : []),
      ...(copies.size > 0
        ? [
            {
              path: '*.br',
              why: `compressed ${copies.size === 1 ? 'copy of a file' : `copies of ${copies.size} files`} beside ${copies.size === 1 ? 'it' : 'them'}, ${megabytes(bytesOf([...copies]))}: a WebView does not ask for these`,
            },
          ]
        : []),
    ],
    warnings: [
      ...(start?.warnings ?? []),
      ...(ready?.warning ? [ready.warning] : []),
      ...(maps.length > 0 && !options.dropSourceMaps
        ? [`${many} (${megabytes(bytesOf(maps))}) go to every device and show your source code.`]
        : []),
    ],
  }
}

function bytesOf(files: readonly BundleFile[]): number {
  return files.reduce((sum, { size }) => sum + size, 0)
}

async function requireFolder(directory: string, shown: string, root: string): Promise<void> {
  const found = await stat(directory).catch(() => null)
  if (found === null) {
    const others = await buildsNearby(dirname(directory))
    throw new ActionError('web_dir_missing', `The web folder "${shown}" does not exist.`, {
      hint:
        others.length > 0
          ? `There is a build in ${others.map(other => `"${shownPath(root, other)}"`).join(' and ')}: set webDir in the Capacitor config (or the input web-dir) to the right one, relative to the config.`
          : 'The build did not write it. Set webDir in the Capacitor config (or the input web-dir) to the folder that the build writes to; with build: false, build in a step before.',
    })
  }
  if (!found.isDirectory())
    throw new ActionError('web_dir_not_a_folder', `The web folder "${shown}" is a file.`, {
      hint: 'Set webDir in the Capacitor config (or the input web-dir) to the folder that the build writes to.',
    })
}

/** Where the usual tools write to. */
const USUAL = ['dist', 'build', 'www', 'out', 'dist/browser', '.output/public']

async function buildsNearby(parent: string): Promise<string[]> {
  const inDist = (await readdir(join(parent, 'dist')).catch(() => [])).flatMap(name => [
    `dist/${name}`,
    `dist/${name}/browser`,
  ])
  const found: string[] = []
  for (const path of new Set([...USUAL, ...inDist]))
    if ((await stat(join(parent, path, 'index.html')).catch(() => null))?.isFile())
      found.push(join(parent, path))
  return found
}

interface Found {
  readonly files: BundleFile[]
  readonly links: string[]
  /** Neither file nor folder nor link. */
  readonly special: string[]
  readonly leftOut: { path: string; why: string }[]
}

async function walk(
  directory: string,
  prefix = '',
  found: Found = { files: [], links: [], special: [], leftOut: [] },
) {
  const entries = (await readdir(join(directory, prefix), { withFileTypes: true })).sort((a, b) =>
    byPath({ path: a.name }, { path: b.name }),
  )
  for (const entry of entries) {
    const path = prefix + entry.name
    const why = LITTER.get(entry.name)
    if (why !== undefined) found.leftOut.push({ path, why })
    else await sortIn(entry, path)
  }
  return found

  async function sortIn(entry: Dirent, path: string) {
    if (entry.isSymbolicLink()) found.links.push(path)
    else if (entry.isDirectory()) await walk(directory, `${path}/`, found)
    else if (!entry.isFile()) found.special.push(path)
    else {
      // A name that is not UTF-8 cannot be opened by its decoded form; `checkNames` reports it.
      const size = (await stat(join(directory, path)).catch(() => null))?.size ?? 0
      found.files.push({ path, size })
    }
  }
}

function checkIndex(files: readonly BundleFile[], shown: string): Problem | null {
  if (files.some(file => file.path === 'index.html')) return null
  const message = 'there is no index.html at the root'
  const code = 'index_html_missing'
  const cased = files.find(file => file.path.toLowerCase() === 'index.html')
  if (cased) return { code, message, hint: `Rename "${cased.path}" to "index.html".` }
  const deeper = files.filter(file => /^[^/]+\/index\.html$/.test(file.path)).map(file => dirname(file.path))
  return {
    code,
    message,
    hint:
      deeper.length === 1
        ? `It is in "${shown}/${deeper[0]}": let webDir in the Capacitor config (or the input web-dir) name that folder.`
        : (hintOfOther(files, shown) ??
          'The app starts with this file. Set webDir in the Capacitor config (or the input web-dir) to the folder that holds it.'),
  }
}

/** What tools write besides, or instead. */
const OTHER_STARTS: Readonly<Record<string, string>> = {
  'index.csr.html':
    'Angular wrote index.csr.html, because the build renders on a server. Build the app for phones without that ("ssr": false and "prerender": false, or "outputMode": "static", in a configuration of angular.json), or copy the file to index.html after the build.',
  '200.html':
    'Only 200.html is there, the page for a web server to fall back to. Let the build name it index.html (SvelteKit: fallback of adapter-static), or copy it after the build.',
  'index.html.gz':
    'The build compressed index.html and deleted it. Let it keep the files that it compresses.',
  'index.htm': 'Rename "index.htm" to "index.html".',
}

function hintOfOther(files: readonly BundleFile[], shown: string): string | null {
  for (const [name, hint] of Object.entries(OTHER_STARTS)) {
    const found = files.find(({ path }) => path === name || path.endsWith(`/${name}`))
    if (found === undefined || found.path.split('/').length > 2) continue
    const folder = dirname(found.path)
    return folder === '.'
      ? hint
      : `${hint} It is in "${shown}/${folder}": let webDir in the Capacitor config (or the input web-dir) name that folder.`
  }
  return null
}

/** Pointers are shipped as they are: a picture is a text, a script ends the app. */
function checkPointers(pointers: readonly string[]): Problem | null {
  if (pointers.length === 0) return null
  return {
    code: 'lfs_pointers',
    message: `pointers of Git LFS instead of files: ${list(pointers)}`,
    hint: 'Check the repository out with "lfs: true" (actions/checkout), or run git lfs pull, before the build.',
  }
}

function checkLinks(links: readonly string[]): Problem | null {
  if (links.length === 0) return null
  return {
    code: 'symlinks',
    message: `symbolic links: ${list(links)}`,
    hint: 'Android writes a link as a text file and iOS refuses some. Let the build copy the files (cp -rL) instead of linking them.',
  }
}

function checkSpecial(special: readonly string[]): Problem | null {
  if (special.length === 0) return null
  return {
    code: 'not_a_file',
    message: `neither a file nor a folder: ${list(special)}`,
    hint: 'Sockets, pipes and devices cannot be shipped. Delete them after the build.',
  }
}

/** A zip with one such name is rejected as a whole by the updater on the device. */
function checkNames(files: readonly BundleFile[]): Problem | null {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const unfit = files.filter(file => /[\\\u0000-\u001f\u007f\ufffd]/.test(file.path))
  if (unfit.length === 0) return null
  return {
    code: 'unfit_names',
    message: `names that devices reject: ${list(unfit.map(file => file.path))}`,
    hint: 'A name must be UTF-8 and hold no backslash and no control character. Rename these files.',
  }
}

/** Twins overwrite each other on file systems that ignore case, or that normalise Unicode. */
function checkTwins(files: readonly BundleFile[]): Problem | null {
  const byKey = Map.groupBy(files, file => file.path.normalize('NFC').toLowerCase())
  const twins = [...byKey.values()].filter(group => group.length > 1)
  if (twins.length === 0) return null
  return {
    code: 'twin_names',
    message: `names that differ only by case or Unicode form: ${list(twins.map(group => group.map(file => file.path).join(' = ')))}`,
    hint: 'On devices and computers that ignore the difference one overwrites the other. Rename or delete one of each.',
  }
}

/**
 * Null where nothing is wrong. The limit is for the zip, so the exact answer comes after compressing. But what weighs twice the limit raw
 * is media, which hardly shrinks, and it is better to say so in a second than after minutes of compressing.
 */
export function checkSize(
  files: readonly BundleFile[],
  totalBytes: number,
  maxBytes: number,
): Problem | null {
  if (files.length > MOST_FILES)
    return {
      code: 'too_many_files',
      message: `${files.length} files, and a bundle holds ${MOST_FILES} at most`,
      hint: 'Load what is not needed at the start from a server.',
    }
  if (totalBytes <= 2 * maxBytes) return null
  const largest = [...files].sort((a, b) => b.size - a.size).slice(0, 5)
  return {
    code: 'web_dir_too_large',
    message: `${megabytes(totalBytes)} in all, and Capgo takes ${megabytes(maxBytes)} zipped`,
    hint: `Load large media from a server. The largest: ${largest.map(file => `${quote(file.path)} (${megabytes(file.size)})`).join(', ')}.`,
  }
}

function unfit(problems: readonly Problem[], shown: string): ActionError {
  const [first] = problems
  if (problems.length === 1)
    return new ActionError(first!.code, `The web folder "${shown}" cannot be shipped: ${first!.message}.`, {
      hint: first!.hint,
    })
  return new ActionError(
    'web_dir_unfit',
    [
      `The web folder "${shown}" cannot be shipped, for ${problems.length} reasons:`,
      ...problems.map((problem, index) => `${index + 1}. ${problem.message} (${problem.code})`),
    ].join('\n'),
    { hint: problems.map((problem, index) => `${index + 1}. ${problem.hint}`).join('\n') },
  )
}

function list(names: readonly string[]): string {
  const named = names.slice(0, NAMED).map(quote).join(', ')
  return names.length > NAMED ? `${named} and ${names.length - NAMED} more` : named
}

/** JSON shows control characters and backslashes as what they are. */
function quote(name: string): string {
  return JSON.stringify(name)
}

function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(bytes < 1024 * 1024 * 10 ? 1 : 0)} MiB`
}
