/** Whether the app can start from its web folder: what `index.html` loads has to be in the bundle. */
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { nullIfMissing } from '../runtime/system-error.ts'
import type { BundleFile } from './bundle-file.ts'
import { findComments } from './javascript.ts'
import { type Page, pathOf, readPage } from './web-page.ts'
import type { WebProblem } from './web-problems.ts'

/** Bytes; a pointer of Git LFS has some 130, and 1023 at most. */
const MAX_POINTER = 1023
const POINTER = 'version https://git-lfs.github.com/spec/v1\n'
/** So many files are looked at side by side. */
const CONCURRENCY = 64
/** Scripts that the native app adds to the page, or serves itself. */
const INJECTED = /(?:^|\/)(?:capacitor|cordova|cordova_plugins|native-bridge)\.js$/
/** No WebView runs it. */
const SOURCE = /\.(?:tsx?|jsx|vue|svelte)$|^@vite\//
/** Characters of code in the page that may be the whole app. */
const LONG_CODE = 5_000

/** Files that Git LFS keeps elsewhere, where only their pointers are. */
export async function findPointers(directory: string, files: readonly BundleFile[]): Promise<string[]> {
  const small = files.filter(({ size }) => size > POINTER.length && size <= MAX_POINTER)
  const found: string[] = []
  for (let from = 0; from < small.length; from += CONCURRENCY) {
    const some = small.slice(from, from + CONCURRENCY)
    const are = await Promise.all(some.map(({ path }) => isPointer(join(directory, path))))
    found.push(...some.filter((_, index) => are[index]).map(({ path }) => path))
  }
  return found
}

async function isPointer(path: string): Promise<boolean> {
  try {
    const file = await open(path)
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(POINTER.length), 0, POINTER.length, 0)
      return bytesRead === POINTER.length && buffer.toString('latin1') === POINTER
    } finally {
      await file.close()
    }
  } catch {
    return false
  }
}

export interface StartCheck {
  readonly problem: WebProblem | null
  readonly warnings: readonly string[]
}

/**
 * An error where the app certainly does not start: none of its scripts is in the bundle. Single files that are missing
 * are warnings: a page may load what only a web server has.
 */
export async function checkStart(directory: string, files: readonly BundleFile[]): Promise<StartCheck> {
  const html = await readFile(join(directory, 'index.html'), 'utf8').catch(nullIfMissing)
  if (html === null) return { problem: null, warnings: [] }
  const page = readPage(html)
  const paths = new Set(files.map(({ path }) => path))
  const scripts = scriptsOf(page)
  const missing = scripts.filter(({ path }) => !paths.has(path) || SOURCE.test(path))
  const styles = page.styles.flatMap(src => toOwn(src, page)).filter(({ path }) => !paths.has(path))
  const causes = missing.map(({ src, path }) => causeOf(src, path, paths))
  const cause = causes.find(each => each !== null) ?? null
  const isElsewhere = page.scripts.some(
    ({ src, code }) => (src !== null && pathOf(src, page.base) === null) || code.length > LONG_CODE,
  )
  const isLost = missing.length > 0 && missing.length === scripts.length && (cause !== null || !isElsewhere)
  if (!isLost)
    return {
      problem: null,
      warnings: sayMissing([...missing, ...styles]),
    }
  const message = `index.html loads ${nameSome(missing)}, but these scripts are missing`
  return {
    problem: {
      code: 'start_scripts_missing',
      message: cause === null ? message : `${message}: ${cause.what}`,
      hint:
        cause?.hint ??
        'The app would show a white page. Build again into an empty folder, and set webDir in the Capacitor config to the folder that the build writes to.',
    },
    warnings: [],
  }
}

function sayMissing(missing: readonly Reference[]): string[] {
  if (missing.length === 0) return []
  return [`index.html loads ${nameSome(missing)}, which is missing in the bundle.`]
}

function nameSome(references: readonly Reference[]): string {
  const named = references.slice(0, 3).map(({ src }) => JSON.stringify(src))
  return named.join(', ') + (references.length > 3 ? ` and ${references.length - 3} more` : '')
}

interface Reference {
  /** As written. */
  readonly src: string
  /** In the bundle. */
  readonly path: string
}

/** Scripts of the bundle that the page runs, those too that the code in it imports. */
function scriptsOf(page: Page): Reference[] {
  return page.scripts
    .filter(({ isLegacy }) => !isLegacy)
    .flatMap(({ src, code }) => (src === null ? importsOf(code) : [src]))
    .flatMap(src => toOwn(src, page))
    .filter(({ path }) => !INJECTED.test(path))
}

function importsOf(code: string): string[] {
  const plain = findComments(code)
    .reverse()
    .reduce((text, { from, to }) => `${text.slice(0, from)} ${text.slice(to)}`, code)
  return [
    ...plain.matchAll(/\bimport\s*(?:\(\s*|[\w*{}\s,$]+?\sfrom\s*)?["']((?:\.{0,2}\/)[^"'\s]+)["']/g),
  ].map(([, src = '']) => src)
}

/** Empty for another origin, and for a path without an ending: the native app answers that with `index.html`. */
function toOwn(src: string, { base }: Page): Reference[] {
  const path = pathOf(src, base)
  return path === null || !/\.\w+$/.test(path) ? [] : [{ src, path }]
}

interface Cause {
  readonly what: string
  readonly hint: string
}

function causeOf(src: string, path: string, paths: ReadonlySet<string>): Cause | null {
  if (SOURCE.test(path))
    return {
      what: `${JSON.stringify(src)} is source code`,
      hint: 'This index.html is the source of the build. Set webDir in the Capacitor config (or the input web-dir) to the folder that the build writes to.',
    }
  const parts = path.split('/')
  for (let from = 1; from < parts.length; from++) {
    const inner = parts.slice(from).join('/')
    if (!paths.has(inner)) continue
    const base = `/${parts.slice(0, from).join('/')}/`
    return {
      what: `it has ${JSON.stringify(inner)}, so the build is for the sub-path "${base}"`,
      hint: `An app has the web folder at its root. Build it with the base "./" or "/" instead of "${base}". Settings: base (Vite), --base-href or baseHref (Angular), publicPath (Vue CLI, webpack), basePath (Next.js), app.baseURL (Nuxt), paths.base (SvelteKit), homepage (Create React App).`,
    }
  }
  const cased = [...paths].find(each => each.toLowerCase() === path.toLowerCase())
  if (cased !== undefined)
    return {
      what: `the file is ${JSON.stringify(cased)}, and phones distinguish upper and lower case`,
      hint: 'Use the exact name of the file in index.html.',
    }
  const packed = [`${path}.gz`, `${path}.br`].find(each => paths.has(each))
  return packed === undefined
    ? null
    : {
        what: `it has only ${JSON.stringify(packed)}`,
        hint: 'A WebView does not decompress files. Configure the build to keep the files that it compresses.',
      }
}
