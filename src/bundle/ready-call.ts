/** Whether the app says that it has started. */
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { nullIfMissing } from '../runtime/system-error.ts'
import type { BundleFile } from './bundle-file.ts'
import { findComments } from './javascript.ts'
import { decode, readPage } from './web-page.ts'
import type { WebProblem } from './web-problems.ts'

const CODE = /\.(m?js|html?)$/i
/** Bytes. Larger files are not searched. */
const MAX_SCRIPT = 64 * 1024 * 1024
/**
 * Not the updater's own stand-in for browsers, in any of the forms that a build gives it: a method, an assignment, a
 * property that is a function, the descriptor of an old class.
 */
const CALL =
  /(?<=\.)notifyAppReady(?!\w|\s*=(?!=))|(?<!\.)notifyAppReady(?!\w|\s*\([^()]*\)\s*\{|\s*=(?!=)|["']?\s*:\s*(?:async\b|function\b|\([^()]*\)\s*=>|\w+\s*=>)|["']\s*,\s*value\s*:)/g
const NAME = /[^\s"'`=<>;,()\\]+\.(?:m?js|html?)(?=[?#"'`\s,;)<>\\]|$)/gi
/** Loaders that put names of files together. */
const LOADER =
  /webpackChunk|webpackJsonp|__webpack_require__|System\.register|parcelRequire|TURBOPACK|\brequirejs|\bdefine\(|data-main/
/** Code that may load any file. */
const ANY = /\bimport\(\s*[^"'`\s)]|createElement\(\s*["'`]script["'`]|\bimportScripts\(|document\.write\(/

type CallPlace = 'call' | 'comment' | 'none'

export interface ReadyCheck {
  readonly problem: WebProblem | null
  readonly warning: string | null
}

const HINT =
  "Without this call, devices revert to the previous bundle. Import CapacitorUpdater from '@capgo/capacitor-updater', and call CapacitorUpdater.notifyAppReady() when the app starts. If the code is obfuscated, set the input check-notify-app-ready to false."
const OK: ReadyCheck = { problem: null, warning: null }

/** The call has to be in a file that `index.html` leads to: what a file names, and the bundle has, counts as loaded. */
export async function checkReadyCall(directory: string, files: readonly BundleFile[]): Promise<ReadyCheck> {
  const scripts = files.filter(({ path, size }) => CODE.test(path) && size > 0 && size <= MAX_SCRIPT)
  const left = new Set(scripts.map(({ path }) => path))
  const byName = Map.groupBy(left, path => basename(path))
  const queue = left.delete('index.html') ? ['index.html'] : []
  const inComments: string[] = []
  /** Words of known loaders, as they write them. */
  const words = new Set<string>()
  let isUnsure = false
  for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
    const text = await readCode(directory, path)
    const found = lookForCall(text)
    if (found === 'call') return OK
    if (found === 'comment') inComments.push(path)
    isUnsure ||= ANY.test(text)
    if (LOADER.test(text)) for (const word of text.match(/[\w-]+/g) ?? []) words.add(word)
    for (const name of new Set((text.match(NAME) ?? []).map(decode)))
      for (const known of byName.get(basename(name)) ?? [])
        if (isNamed(known, name) && left.delete(known)) queue.push(known)
    if (queue.length === 0 && words.size > 0)
      for (const each of left) if (words.has(keyOf(each)) && left.delete(each)) queue.push(each)
  }
  for (const path of left) {
    const found = lookForCall(await readCode(directory, path))
    if (found === 'comment') inComments.push(path)
    if (found === 'call')
      return files.some(file => file.path === 'index.html') ? notLoaded(path, { isUnsure }) : OK
  }
  const [first] = inComments
  return missing(
    first === undefined
      ? 'no file calls notifyAppReady()'
      : `notifyAppReady() appears only in a comment (${JSON.stringify(first)})`,
  )
}

function notLoaded(path: string, { isUnsure }: { isUnsure: boolean }): ReadyCheck {
  const what = `only ${JSON.stringify(path)} calls notifyAppReady(), and index.html does not load that file`
  return isUnsure
    ? { problem: null, warning: `In the web folder ${what}. Check that the app calls it when it starts.` }
    : missing(what)
}

function missing(message: string): ReadyCheck {
  return { problem: { code: 'notify_app_ready_missing', message, hint: HINT }, warning: null }
}

/** `./a/x.js`, `/a/x.js` and `x.js` may all be the file `assets/a/x.js`: it depends on who says it. */
function isNamed(path: string, name: string): boolean {
  const tail = name.replace(/^(?:[a-z]+:)?(?:\.{0,2}\/)*/i, '')
  return path === tail || path.endsWith(`/${tail}`) || tail.endsWith(`/${path}`)
}

/** A loader makes `js/12.4f3a2b.chunk.js` of parts: of the hash, else of the name. */
function keyOf(path: string): string {
  const parts = basename(path)
    .replace(CODE, '')
    .split(/[.~]|-(?=[0-9a-f]{6,}$)/)
  return parts.find(part => /^(?=.*\d)[\w-]{6,}$/.test(part)) ?? parts[0] ?? ''
}

/** A file that cannot be read is reported by its name, or by the zip. Comments of a page are left out. */
async function readCode(directory: string, path: string): Promise<string> {
  const text = (await readFile(join(directory, path), 'utf8').catch(nullIfMissing)) ?? ''
  return /\.html?$/i.test(path) ? readPage(text).text : text
}

function lookForCall(text: string): CallPlace {
  let comments: ReturnType<typeof findComments> | null = null
  let isInComment = false
  for (const { index } of text.matchAll(CALL)) {
    if (!mayBeComment(text, index)) return 'call'
    comments ??= findComments(text)
    if (!comments.some(({ from, to }) => from <= index && index < to)) return 'call'
    isInComment = true
  }
  return isInComment ? 'comment' : 'none'
}

/** A second opinion from the text around it: a mistake of the tokenizer must not hide a call. */
function mayBeComment(text: string, at: number): boolean {
  const isLine = text.lastIndexOf('//', at) > text.lastIndexOf('\n', at)
  const open = text.lastIndexOf('/*', at)
  return isLine || (open > text.lastIndexOf('*/', at) && text.indexOf('*/', at) >= 0)
}
