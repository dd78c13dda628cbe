/**
 * Evaluates a Capacitor config in a process of its own and says what it exports, as one JSON text on file
 * descriptor 3: `node evaluate-config.js <absolute path of the config>`. A program, not a module: built to a
 * file of its own and started by capacitor-config.ts, with an environment that holds no secret.
 *
 * As in Capacitor's own CLI, TypeScript becomes CommonJS and types are erased without being checked. What only an
 * ES module can say (`import.meta`, `await` at the top) stays one, as the CLI does with TypeScript 7.
 */
import { readFileSync, writeSync } from 'node:fs'
import { createRequire, registerHooks, syncBuiltinESMExports } from 'node:module'
import { isAbsolute } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Script } from 'node:vm'
import {
  asFunction,
  BEFORE,
  ConfigSyntaxError,
  eraseTypes,
  isModuleOnly,
  originalPlace,
  sources,
} from './config-source.ts'
import type { Evaluation } from './evaluation.ts'
import { exportsFor, QUASAR, standInFor } from './stand-in.ts'

const RESULT = 3
const TYPESCRIPT = /\.[cm]?ts$/
const DEPENDENCY = /[\\/]node_modules[\\/]/
const STAND_IN = 'capgo-stand-in:'
/** Name of a package, without the path inside it. */
const PACKAGE = /^(?:@[^/]+\/)?[^/]+/
/** A path of a dependency in what Node says of a file that is not there. */
const NOT_THERE = /^(?:ENOENT|Cannot find ).*[\\/]?node_modules[\\/]((?:@[^\\/']+[\\/])?[^\\/']+)/
const missing = new Set<string>()
const standIns = new Set<string>()
const unset = new Set<string>()
registerHooks({
  resolve(specifier, context, next) {
    try {
      return next(specifier, context)
    } catch (error) {
      if (!isMissing(error)) throw error
      if (/^\.{1,2}(\/|$)/.test(specifier))
        return resolveAsTypeScript(specifier, context, next) ?? fail(error)
      const standIn = {
        url: STAND_IN + encodeURIComponent(specifier),
        format: 'commonjs',
        shortCircuit: true,
      } as const
      if (specifier === QUASAR) return standIn
      if (isAbsolute(specifier) || specifier.startsWith('file:') || isDependency(context.parentURL))
        throw error
      const name = PACKAGE.exec(specifier)?.[0] ?? ''
      // Configs take constants from Capacitor plugins (`KeyboardResize.Body`). They have nothing that is
      // asked here, so such a config can be read before the dependencies are installed.
      const isPlugin = /capacitor/.test(name)
      ;(isPlugin ? standIns : missing).add(name)
      if (!isPlugin) throw error
      return standIn
    }
  },
  load(url, context, next) {
    if (url.startsWith(STAND_IN)) {
      const specifier = decodeURIComponent(url.slice(STAND_IN.length))
      const isModule = context.conditions?.includes('import') === true
      return {
        format: isModule ? 'module' : 'commonjs',
        shortCircuit: true,
        source:
          standInFor(specifier) +
          (isModule ? exportsFor(specifier, sources.values()) : '\nmodule.exports = any'),
      }
    }
    const isOwn = url.startsWith('file:') && !DEPENDENCY.test(url)
    const file = isOwn ? fileURLToPath(url) : ''
    if (isOwn) sources.set(file, readFileSync(file, 'utf8'))
    // In CommonJS, and for the CLI, JSON needs no attribute.
    if (isOwn && file.endsWith('.json') && context.importAttributes?.type === undefined)
      return next(url, {
        ...context,
        importAttributes: context.conditions?.includes('import') ? { type: 'json' } : {},
      })
    if (!isOwn || !TYPESCRIPT.test(file)) return next(url, context)
    const commonjs = eraseTypes(file, ['typescript', 'imports'])
    // A file with import or export is an ES module where an ES module imports it.
    const isImported =
      context.conditions?.includes('import') === true && /^\s*(?:im|ex)port\b/m.test(sources.get(file) ?? '')
    return isImported || isModuleOnly(commonjs)
      ? { format: 'module', shortCircuit: true, source: eraseTypes(file, ['typescript']) }
      : { format: 'commonjs', shortCircuit: true, source: commonjs }
  },
})

// An unset variable is often the cause of an error, so the error names it.
process.env = new Proxy(process.env, {
  get(variables, name: string) {
    if (typeof name === 'string' && variables[name] === undefined) unset.add(name)
    return variables[name]
  },
})
syncBuiltinESMExports()

function isDependency(url: string | undefined): boolean {
  return url !== undefined && DEPENDENCY.test(url)
}

type Resolve = NonNullable<Parameters<typeof registerHooks>[0]['resolve']>

/** `./base`, `./base.js` and `./folder` where the file is TypeScript, and what CommonJS alone finds. */
function resolveAsTypeScript(
  specifier: string,
  context: Parameters<Resolve>[1],
  next: Parameters<Resolve>[2],
): ReturnType<Resolve> | null {
  const candidates = [
    `${specifier}.ts`,
    specifier.replace(/\.([cm]?)js$/, '.$1ts'),
    `${specifier}/index.ts`,
    `${specifier}.js`,
    `${specifier}.json`,
    `${specifier}/index.js`,
  ]
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
  return (
    code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND' || code === 'ERR_UNSUPPORTED_DIR_IMPORT'
  )
}

function fail(error: unknown): never {
  throw error
}

async function evaluate(file: string): Promise<Evaluation> {
  try {
    const required = await load(file)
    const exported = (required as { default?: unknown } | null)?.default
    const config: unknown = await (exported ?? required)
    if (typeof config !== 'object' || config === null) return nothing(`it exports ${describe(config)}`)
    // A file without exports, such as one that is a comment as a whole.
    if (exported === undefined && Object.keys(config).length === 0) return nothing('it exports nothing')
    // Here, and not with the rest: functions and the like fall away, a circle throws.
    return { kind: 'config', config: JSON.parse(JSON.stringify(config)), ...known() }
  } catch (error) {
    return { ...describeError(error, file), ...known() }
  }
}

function nothing(message: string): Evaluation {
  return { kind: 'no-object', message, ...known() }
}

function known(): Pick<Evaluation, 'missing' | 'standIns' | 'unset'> {
  const texts = [...sources.values()]
  return {
    missing: [...missing],
    standIns: [...standIns],
    // Packages ask for many a variable that may be set.
    unset: [...unset].filter(name => texts.some(text => text.includes(name))),
  }
}

async function load(file: string): Promise<unknown> {
  const url = pathToFileURL(file)
  try {
    return createRequire(url)(file)
  } catch (error) {
    if ((error as { code?: unknown } | null)?.code !== 'ERR_REQUIRE_ASYNC_MODULE') throw error
    return await import(/* webpackIgnore: true */ url.href)
  }
}

function describe(value: unknown): string {
  return value === null || value === undefined ? 'nothing' : `a ${typeof value}`
}

function describeError(error: unknown, file: string): Omit<Evaluation, 'missing' | 'standIns' | 'unset'> {
  // A config may throw anything, and errors whose parts are anything.
  if (!(error instanceof Error)) return { kind: 'throw', message: sayAnything(error), place: { file } }
  const [message] = sayAnything(error.message).split('\n') as [string]
  if (error instanceof ConfigSyntaxError) return { kind: 'syntax', message, place: error.place }
  const specifier = isMissing(error)
    ? /Cannot find (?:module|package) '([^']+)'/.exec(message)?.[1]
    : undefined
  // A file of a package: `readFileSync('node_modules/a/package.json')`, `createRequire(...).resolve('a')`.
  const packageName =
    NOT_THERE.exec(message)?.[1] ?? (specifier === undefined ? '' : PACKAGE.exec(specifier)?.[0])
  if (packageName && !/^[.\\]|:/.test(packageName) && !standIns.has(packageName)) missing.add(packageName)
  if (specifier !== undefined)
    return { kind: 'missing', message: specifier, place: placeOfImport(specifier, error, file) }
  // JSON.parse throws a SyntaxError too, and the syntax of the config is then correct.
  const syntax = error.name === 'SyntaxError' ? placeOfSyntax(error, file) : undefined
  if (syntax !== undefined) return { kind: 'syntax', message, place: syntax }
  return { kind: 'throw', message: `${error.name}: ${message}`, place: placeOf(error) ?? { file } }
}

function sayAnything(value: unknown): string {
  try {
    return String(value)
  } catch {
    return `a ${typeof value}`
  }
}

function placeOfSyntax(error: Error, file: string): Evaluation['place'] {
  // Of a module that is JSON.
  const json = /^(\/.+\.json|[A-Za-z]:\\.+\.json): /.exec(error.message)?.[1]
  if (json !== undefined) return { file: json }
  const before = headerOf(error)
  if (before !== undefined) return before
  // Node does not report the place in an ES module. As a function body the same code gives the same error.
  try {
    const code = asFunction(eraseTypes(file, ['typescript', 'imports']))
    new Script(code, { filename: file, columnOffset: -BEFORE.length })
  } catch (second) {
    if (second instanceof ConfigSyntaxError) return second.place
    if (second instanceof SyntaxError) return headerOf(second) ?? { file }
  }
  return undefined
}

/** V8 puts the place of a syntax error before it: file and line, the line's text, carets below the fault. */
function headerOf(error: Error): Evaluation['place'] {
  const [, file, line, indent = ''] = /^(.+):(\d+)\n.*\n( *)\^/.exec(sayAnything(error.stack ?? '')) ?? []
  return file === undefined ? undefined : originalPlace(toPath(file), Number(line), indent.length + 1)
}

/** The line that names a module which is not there, in the user's own file that leads to it. */
function placeOfImport(
  specifier: string,
  error: Error & { requireStack?: string[] },
  config: string,
): Evaluation['place'] {
  const importer = /imported from (\/.+|[A-Za-z]:\\.+)$/m.exec(error.message)?.[1]
  const files = [...(error.requireStack ?? []), importer ?? '', ...sources.keys()]
  const names = (line: string) => line.includes(`'${specifier}'`) || line.includes(`"${specifier}"`)
  for (const file of files) {
    const index = sources.get(file)?.split('\n').findIndex(names) ?? -1
    if (index >= 0) return { file, line: index + 1 }
  }
  return { file: files.find(file => sources.has(file)) ?? config }
}

/** ES modules are called by their address. */
function toPath(file: string): string {
  return file.startsWith('file://') ? fileURLToPath(file) : file
}

/** Where an error arose in the user's own files. */
function placeOf(error: Error): Evaluation['place'] {
  for (const frame of sayAnything(error.stack ?? '').split('\n')) {
    const [, address = '', line, column] =
      /(?:\(|at )(?:async )?((?:file:\/\/)?(?:\/|[A-Za-z]:[\\/]).*):(\d+):(\d+)\)?$/.exec(frame) ?? []
    const file = toPath(address)
    if (sources.has(file)) return originalPlace(file, Number(line), Number(column))
  }
  return undefined
}

let isReported = false

function report(evaluation: Evaluation): void {
  isReported = true
  writeSync(RESULT, JSON.stringify(evaluation))
}

// A config may end the process; for want of a package, perhaps.
process.once('exit', () => {
  if (!isReported) report({ kind: 'ended', ...known() })
})

evaluate(process.argv[2] ?? '').then(evaluation => {
  report(evaluation)
  // A config may leave timers or connections open.
  process.exit(0)
})
