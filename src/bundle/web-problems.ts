/** Problems that keep a web folder from being shipped, by its list of files. */
import { dirname } from 'node:path'
import type { ErrorCode } from '../error-codes.ts'
import { ActionError } from '../errors.ts'
import { formatBytes } from '../runtime/bytes.ts'
import type { BundleFile } from './bundle-file.ts'

/** Something for which the web folder cannot be shipped. */
export interface WebProblem {
  readonly code: ErrorCode
  readonly message: string
  readonly hint: string
}

/** A zip without the 64-bit extension counts its files in 16 bits; devices need not read the extension. */
const MAX_FILES = 65_535
/** Names of so many files are listed; the rest is counted. */
const NAMES_LIMIT = 10

export function checkIndex(files: readonly BundleFile[], shown: string): WebProblem | null {
  if (files.some(file => file.path === 'index.html')) return null
  const message = 'index.html is missing at the root'
  const code = 'index_html_missing'
  const cased = files.find(file => file.path.toLowerCase() === 'index.html')
  if (cased) return { code, message, hint: `Rename "${cased.path}" to "index.html".` }
  const deeper = files.filter(file => /^[^/]+\/index\.html$/.test(file.path)).map(file => dirname(file.path))
  return {
    code,
    message,
    hint:
      deeper.length === 1
        ? `It is in "${shown}/${deeper[0]}". Set webDir in the Capacitor config (or the input web-dir) to that folder.`
        : (hintOfOther(files, shown) ??
          'The app starts with this file. Set webDir in the Capacitor config (or the input web-dir) to the folder that contains it.'),
  }
}

/** Files that tools write besides, or instead. */
const OTHER_STARTS: Readonly<Record<string, string>> = {
  'index.csr.html':
    'Angular wrote index.csr.html, because the build renders on a server. Switch that off in a configuration of angular.json: "ssr": false and "prerender": false, or "outputMode": "static". Or copy the file to index.html after the build.',
  '200.html':
    'The build wrote only 200.html, the fallback page for a web server. Name it index.html (SvelteKit: fallback of adapter-static), or copy it after the build.',
  'index.html.gz':
    'The build compressed index.html and deleted it. Configure the build to keep the files that it compresses.',
  'index.htm': 'Rename "index.htm" to "index.html".',
}

function hintOfOther(files: readonly BundleFile[], shown: string): string | null {
  for (const [name, hint] of Object.entries(OTHER_STARTS)) {
    const found = files.find(({ path }) => path === name || path.endsWith(`/${name}`))
    if (found === undefined || found.path.split('/').length > 2) continue
    const folder = dirname(found.path)
    return folder === '.'
      ? hint
      : `${hint} It is in "${shown}/${folder}". Set webDir in the Capacitor config (or the input web-dir) to that folder.`
  }
  return null
}

/** Pointers are shipped as they are: a picture is a text, a script ends the app. */
export function checkPointers(pointers: readonly string[]): WebProblem | null {
  if (pointers.length === 0) return null
  return {
    code: 'lfs_pointers',
    message: `it has Git LFS pointers instead of files: ${list(pointers)}`,
    hint: 'Check the repository out with "lfs: true" (actions/checkout), or run git lfs pull, before the build.',
  }
}

export function checkLinks(links: readonly string[]): WebProblem | null {
  if (links.length === 0) return null
  return {
    code: 'symlinks',
    message: `symbolic links: ${list(links)}`,
    hint: 'Android writes a link as a text file, and iOS rejects some links. Copy the files in the build (cp -rL) instead of linking them.',
  }
}

export function checkSpecial(special: readonly string[]): WebProblem | null {
  if (special.length === 0) return null
  return {
    code: 'not_a_file',
    message: `it has neither files nor folders: ${list(special)}`,
    hint: 'Sockets, pipes and devices cannot be shipped. Delete them after the build.',
  }
}

/** A zip with one such name is rejected as a whole by the updater on the device. */
export function checkNames(files: readonly BundleFile[]): WebProblem | null {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const invalid = files.filter(file => /[\\\u0000-\u001f\u007f\ufffd]/.test(file.path))
  if (invalid.length === 0) return null
  return {
    code: 'invalid_file_names',
    message: `devices reject these names: ${list(invalid.map(file => file.path))}`,
    hint: 'Rename these files. A name must be UTF-8, without backslashes and control characters.',
  }
}

/** Such files overwrite each other on file systems that ignore case, or that normalise Unicode. */
export function checkCaseConflicts(files: readonly BundleFile[]): WebProblem | null {
  const byKey = Map.groupBy(files, file => file.path.normalize('NFC').toLowerCase())
  const conflicts = [...byKey.values()].filter(group => group.length > 1)
  if (conflicts.length === 0) return null
  return {
    code: 'case_conflicts',
    message: `these names differ only by case or Unicode form: ${list(conflicts.map(group => group.map(file => file.path).join(' = ')))}`,
    hint: 'Rename or delete one of each. Systems that ignore the difference overwrite one with the other.',
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
): WebProblem | null {
  if (files.length > MAX_FILES)
    return {
      code: 'too_many_files',
      message: `it has ${files.length} files, and a bundle can have at most ${MAX_FILES}`,
      hint: 'Load files that the app does not need at its start from a server.',
    }
  if (totalBytes <= 2 * maxBytes) return null
  const largest = [...files].sort((a, b) => b.size - a.size).slice(0, 5)
  return {
    code: 'web_dir_too_large',
    message: `it has ${formatBytes(totalBytes)}, and Capgo accepts at most ${formatBytes(maxBytes)} zipped`,
    hint: `Load large media from a server. The largest: ${largest.map(file => `${quote(file.path)} (${formatBytes(file.size)})`).join(', ')}.`,
  }
}

/** One error for all problems; null where there is none. `shown` is the web folder's name in messages. */
export function toError(problems: readonly WebProblem[], shown: string): ActionError | null {
  const [first, ...others] = problems
  if (first === undefined) return null
  const what = `The web folder "${shown}" cannot be shipped`
  if (others.length === 0)
    return new ActionError(first.code, `${what}: ${first.message}.`, { hint: first.hint })
  return new ActionError(
    'web_dir_invalid',
    [
      `${what}, for ${problems.length} reasons:`,
      ...problems.map((problem, index) => `${index + 1}. ${problem.message} (${problem.code})`),
    ].join('\n'),
    { hint: problems.map((problem, index) => `${index + 1}. ${problem.hint}`).join('\n') },
  )
}

function list(names: readonly string[]): string {
  const named = names.slice(0, NAMES_LIMIT).map(quote).join(', ')
  return names.length > NAMES_LIMIT ? `${named} and ${names.length - NAMES_LIMIT} more` : named
}

/** JSON shows control characters and backslashes as what they are. */
function quote(name: string): string {
  return JSON.stringify(name)
}
