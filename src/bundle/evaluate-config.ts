/**
 * Evaluates a Capacitor config in a process of its own and says what it exports, as one JSON text on file
 * descriptor 3: `node evaluate-config.js <absolute path of the config>`. A program, not a module: built to a
 * file of its own and started by capacitor-config.ts, with an environment that holds no secret.
 *
 * As in Capacitor's own CLI, TypeScript becomes CommonJS and types are erased without being checked.
 */
import { readFileSync, writeSync } from 'node:fs'
import { createRequire, registerHooks } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Script } from 'node:vm'
import { transform } from 'sucrase'
import type { Evaluation } from './evaluation.ts'

const RESULT = 3
const TYPESCRIPT = /\.[cm]?ts$/
const STAND_IN = 'capgo-stand-in:'
/** What Quasar's template imports; it adds the default web folder, which is Capacitor's, and nothing else asked here. */
const QUASAR = '@quasar/app-vite/capacitor'
/** Name of a package, without the path inside it. */
const PACKAGE = /^(?:@[^/]+\/)?[^/]+/

const missing = new Set<string>()

registerHooks({
  resolve(specifier, context, next) {
    try {
      return next(specifier, context)
    } catch (error) {
      const name = PACKAGE.exec(specifier)?.[0] ?? ''
      if (!isMissing(error)) throw error
      if (/^\.{1,2}(\/|$)/.test(specifier))
        return resolveAsTypeScript(specifier, context, next) ?? fail(error)
      if (specifier === QUASAR)
        return { url: STAND_IN + encodeURIComponent(QUASAR), format: 'commonjs', shortCircuit: true }
      // Configs take constants from Capacitor plugins (`KeyboardResize.Body`). These tell nothing that is
      // asked here, so such a config can be read before the dependencies are installed.
      if (!/capacitor/.test(name)) throw error
      missing.add(name)
      return { url: STAND_IN + encodeURIComponent(specifier), format: 'commonjs', shortCircuit: true }
    }
  },
  load(url, context, next) {
    if (url.startsWith(STAND_IN))
      return {
        format: 'commonjs',
        shortCircuit: true,
        source: url.endsWith(encodeURIComponent(QUASAR))
          ? 'exports.defineCapacitorConfig = input => (typeof input === "function" ? input() : input)'
          : 'const any = new Proxy(function () {}, { get: (_, key) => (key === "__esModule" ? true : typeof key === "symbol" || key === "toJSON" || key === "then" ? undefined : any), apply: () => any, construct: () => any }); module.exports = any',
      }
    if (!TYPESCRIPT.test(url) || /[\\/]node_modules[\\/]/.test(url)) return next(url, context)
    return { format: 'commonjs', shortCircuit: true, source: eraseTypes(fileURLToPath(url)) }
  },
})

type Resolve = NonNullable<Parameters<typeof registerHooks>[0]['resolve']>

/** `./base`, `./base.js` and `./folder` where the file is TypeScript. */
function resolveAsTypeScript(
  specifier: string,
  context: Parameters<Resolve>[1],
  next: Parameters<Resolve>[2],
): ReturnType<Resolve> | null {
  const candidates = [`${specifier}.ts`, specifier.replace(/\.([cm]?)js$/, '.$1ts'), `${specifier}/index.ts`]
  for (const candidate of candidates)
    try {
      return next(candidate, context)
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  return null
}

function isMissing(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code
  return code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND'
}

function fail(error: unknown): never {
  throw error
}

class ConfigSyntaxError extends Error {
  readonly place: Evaluation['place']
  constructor(message: string, place: Evaluation['place']) {
    super(message)
    this.place = place
  }
}

function eraseTypes(file: string): string {
  try {
    return transform(readFileSync(file, 'utf8'), {
      transforms: ['typescript', 'imports'],
      filePath: file,
      production: true,
    }).code
  } catch (error) {
    const { message, loc } = error as Error & { loc?: { line: number; column: number } }
    // Sucrase says "Error transforming <file>: <what> (<line>:<column>)".
    const what = message.replace(`Error transforming ${file}: `, '').replace(/ \(\d+:\d+\)$/, '')
    throw new ConfigSyntaxError(what, { file, ...loc })
  }
}

async function evaluate(file: string): Promise<Evaluation> {
  try {
    const required: unknown = createRequire(pathToFileURL(file))(file)
    const exported = (required as { default?: unknown } | null)?.default
    const config: unknown = await (exported ?? required)
    if (typeof config !== 'object' || config === null)
      return { kind: 'no-object', message: `it exports ${describe(config)}`, missing: [...missing] }
    // Here, and not with the rest: functions and the like fall away, a circle throws.
    return { kind: 'config', config: JSON.parse(JSON.stringify(config)), missing: [...missing] }
  } catch (error) {
    return describeError(error, file)
  }
}

function describe(value: unknown): string {
  return value === null || value === undefined ? 'nothing' : `a ${typeof value}`
}

function describeError(error: unknown, file: string): Evaluation {
  const about = { missing: [...missing], place: { file } }
  // A config may throw anything, and errors whose parts are anything.
  if (!(error instanceof Error)) return { ...about, kind: 'throw', message: sayAnything(error) }
  const [message] = sayAnything(error.message).split('\n') as [string]
  if (error instanceof ConfigSyntaxError) return { ...about, kind: 'syntax', message, place: error.place }
  const specifier = isMissing(error)
    ? /Cannot find (?:module|package) '([^']+)'/.exec(message)?.[1]
    : undefined
  if (specifier !== undefined)
    return {
      ...about,
      kind: 'missing',
      message: specifier,
      place: placeOfImport(specifier, error) ?? { file },
    }
  const place = placeOf(error)
  if (error.name !== 'SyntaxError')
    return { ...about, kind: 'throw', message: `${error.name}: ${message}`, place: place ?? { file } }
  return { ...about, kind: 'syntax', message, place: place ?? placeBySecondParse(file) }
}

function sayAnything(value: unknown): string {
  try {
    return String(value)
  } catch {
    return `a ${typeof value}`
  }
}

/** Node does not tell the place in an ES module. As a function body the same code gives the same error. */
function placeBySecondParse(file: string): Evaluation['place'] {
  const before = '(async () => {'
  try {
    new Script(`${before}${eraseTypes(file)}\n})`, { filename: file, columnOffset: -before.length })
  } catch (error) {
    if (error instanceof ConfigSyntaxError) return error.place
    if (error instanceof SyntaxError) return placeOf(error) ?? { file }
  }
  return { file }
}

/** The line that names a module which is not there. */
function placeOfImport(specifier: string, error: Error & { requireStack?: string[] }): Evaluation['place'] {
  const file = error.requireStack?.[0] ?? /imported from (\/.+|[A-Za-z]:\\.+)$/m.exec(error.message)?.[1]
  if (file === undefined) return undefined
  const lines = readFileSync(file, 'utf8').split('\n')
  const index = lines.findIndex(line => line.includes(`'${specifier}'`) || line.includes(`"${specifier}"`))
  return index < 0 ? { file } : { file, line: index + 1 }
}

/** ES modules are called by their address. */
function toPath(file: string): string {
  return file.startsWith('file://') ? fileURLToPath(file) : file
}

/** Where an error arose in the user's own files. */
function placeOf(error: Error): Evaluation['place'] {
  const stack = sayAnything(error.stack ?? '')
  // V8 puts the place of a syntax error before it: file and line, the line's text, carets below the fault.
  const syntax = /^(.+):(\d+)\n.*\n( *)\^/.exec(stack)
  if (syntax) return { file: toPath(syntax[1]!), line: Number(syntax[2]), column: syntax[3]!.length + 1 }
  for (const frame of stack.split('\n')) {
    const match = /(?:\(|at )(?:async )?((?:file:\/\/)?(?:\/|[A-Za-z]:[\\/]).*):(\d+):(\d+)\)?$/.exec(frame)
    const file = toPath(match?.[1] ?? '')
    if (file !== '' && !/[\\/]node_modules[\\/]/.test(file) && file !== process.argv[1])
      return { file, line: Number(match![2]), column: Number(match![3]) }
  }
  return undefined
}

evaluate(process.argv[2]!).then(evaluation => {
  writeSync(RESULT, JSON.stringify(evaluation))
  // A config may leave timers or connections open.
  process.exit(0)
})
