/**
 * Evaluates a Capacitor config in a process of its own and says what it exports, as one JSON text on file
 * descriptor 3: `node evaluate-config.js <absolute path of the config>`. A program, not a module: built to a
 * file of its own and started by capacitor-config.ts, with an environment that holds no secret.
 *
 * As in Capacitor's own CLI, TypeScript becomes CommonJS and types are erased without being checked. What only an
 * ES module can say (`import.meta`, `await` at the top) stays one, as the CLI does with TypeScript 7.
 */
import { readFileSync, writeSync } from 'node:fs'
import nodeModule, { createRequire, registerHooks, SourceMap, syncBuiltinESMExports } from 'node:module'
import { isAbsolute } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Script } from 'node:vm'
import { transform } from 'sucrase'
import type { Evaluation } from './evaluation.ts'

const RESULT = 3
const TYPESCRIPT = /\.[cm]?ts$/
const DEPENDENCY = /[\\/]node_modules[\\/]/
const STAND_IN = 'capgo-stand-in:'
/** What Quasar's template imports; it adds the default web folder, which is Capacitor's, and nothing else asked here. */
const QUASAR = '@quasar/app-vite/capacitor'
/** Name of a package, without the path inside it. */
const PACKAGE = /^(?:@[^/]+\/)?[^/]+/
/** A path of a dependency in what Node says of a file that is not there. */
const NOT_THERE = /^(?:ENOENT|Cannot find ).*[\\/]?node_modules[\\/]((?:@[^\\/']+[\\/])?[^\\/']+)/
/** A TypeScript namespace with something in it, which sucrase takes for types alone. */
const NAMESPACE = /^([ \t]*(?:export\s+)?)(?:namespace|module)(\s+[\w$.]+\s*\{)/gm

const missing = new Set<string>()
const standIns = new Set<string>()
const unset = new Set<string>()
/** Texts of the user's own files, by path. */
const sources = new Map<string, string>()
/** From what is run to what was written, by path; one after the other. */
const maps = new Map<string, readonly SourceMap[]>()

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
      // Configs take constants from Capacitor plugins (`KeyboardResize.Body`). These tell nothing that is
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
        source: standInFor(specifier) + (isModule ? exportsFor(specifier) : '\nmodule.exports = any'),
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
    return isModuleOnly(commonjs)
      ? { format: 'module', shortCircuit: true, source: eraseTypes(file, ['typescript']) }
      : { format: 'commonjs', shortCircuit: true, source: commonjs }
  },
})

// What is not set is often the reason of what goes wrong.
process.env = new Proxy(process.env, {
  get(variables, name: string) {
    if (typeof name === 'string' && variables[name] === undefined) unset.add(name)
    return variables[name]
  },
})
syncBuiltinESMExports()

/** Takes every use but one as text or list, which says that the package is missing; in JSON it is no text. */
function standInFor(specifier: string): string {
  if (specifier === QUASAR)
    return 'const any = { defineCapacitorConfig: input => (typeof input === "function" ? input() : input) }'
  return `const fail = () => { throw Object.assign(new Error(${JSON.stringify(`Cannot find module '${specifier}'`)}), { code: 'MODULE_NOT_FOUND' }) }
const any = new Proxy(function () {}, {
  get: (_, key) => key === '__esModule' ? true : key === 'toJSON' ? () => ({}) : key === 'then' ? undefined
    : key === Symbol.toPrimitive || key === Symbol.iterator ? fail : typeof key === 'symbol' ? undefined : any,
  apply: () => any, construct: () => any,
})`
}

/** An ES module needs to have the names that are imported from it. */
function exportsFor(specifier: string): string {
  const names = new Set<string>()
  for (const text of sources.values())
    for (const [, list, from] of text.matchAll(/\{([^{}]*)\}\s*from\s*['"]([^'"]+)['"]/g))
      if (from === specifier)
        for (const name of list!.split(',')) names.add(name.trim().split(/\s+as\s+/)[0]!)
  const own = [...names].filter(name => /^[A-Za-z_$][\w$]*$/.test(name) && name !== 'default')
  return `\nexport default any\n${own.map(name => `const $${name} = any.${name}; export { $${name} as ${name} }`).join('\n')}`
}

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

class ConfigSyntaxError extends Error {
  readonly place: Evaluation['place']
  constructor(message: string, place: Evaluation['place']) {
    super(message)
    this.place = place
  }
}

/** JavaScript of a file, and how places in it lead back to the file. */
function eraseTypes(file: string, transforms: ('typescript' | 'imports')[]): string {
  const written = readFileSync(file, 'utf8')
  const plain =
    written.match(NAMESPACE) !== null ? withoutNamespaces(written.replace(NAMESPACE, '$1namespace$2')) : null
  try {
    const { code, sourceMap } = transform(plain?.code ?? written, {
      transforms,
      filePath: file,
      production: true,
      disableESTransforms: true,
      sourceMapOptions: { compiledFilename: file },
    })
    maps.set(file, [toMap(sourceMap!), ...(plain === null ? [] : [toMap(plain.map)])])
    return code
  } catch (error) {
    const { message, loc } = error as Error & { loc?: { line: number; column: number } }
    // Sucrase says "Error transforming <file>: <what> (<line>:<column>)".
    const what = message.replace(`Error transforming ${file}: `, '').replace(/ \(\d+:\d+\)$/, '')
    maps.set(file, plain === null ? [] : [toMap(plain.map)])
    throw new ConfigSyntaxError(
      what,
      loc === undefined ? { file } : originalPlace(file, loc.line, loc.column),
    )
  }
}

/** By Node's own compiler, where it has one; the rest stays TypeScript. Null when it finds a mistake: sucrase says it better. */
function withoutNamespaces(written: string): { code: string; map: object } | null {
  try {
    const output = nodeModule.stripTypeScriptTypes(written, { mode: 'transform', sourceMap: true })
    const [code, map] = output.split(/\n\/\/# sourceMappingURL=data:application\/json;base64,/)
    return { code: code!, map: JSON.parse(Buffer.from(map!, 'base64').toString('utf8')) }
  } catch {
    return null
  }
}

function toMap(map: object): SourceMap {
  return new SourceMap({ file: '', sourceRoot: '', sourcesContent: [], names: [], ...map } as never)
}

/** Where in the user's file something is that runs at this place. Lines and columns count from 1. */
function originalPlace(file: string, line: number, column: number): Evaluation['place'] {
  let place = { line, column }
  for (const map of maps.get(file) ?? []) {
    const entry = map.findEntry(place.line - 1, place.column - 1)
    if ('originalLine' in entry) place = { line: entry.originalLine + 1, column: entry.originalColumn + 1 }
  }
  const text = sources.get(file)?.split('\n')[place.line - 1]
  if (text === undefined) return { file }
  return { file, line: place.line, column: Math.min(place.column, text.length + 1) }
}

/** Whether code is sound, and no CommonJS: for `import.meta` and `await` outside of functions, which a static block refuses too. */
function isModuleOnly(code: string): boolean {
  if (!/\bawait\b|\bimport\.meta\b/.test(code)) return false
  return !parses(`class C { static {\n${code}\n} }`) && parses(asFunction(code))
}

/** The body of a module, of the same length on each line but the first. */
function asFunction(code: string): string {
  return `${BEFORE}${code.replaceAll('import.meta', '({}).abcdef')}\n})`
}

const BEFORE = '(async () => {'

function parses(code: string): boolean {
  try {
    new Script(code)
    return true
  } catch {
    return false
  }
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
  // What is parsed while the config runs (`JSON.parse`) is no mistake in the syntax of the config.
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
  // Node does not tell the place in an ES module. As a function body the same code gives the same error.
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
  const header = /^(.+):(\d+)\n.*\n( *)\^/.exec(sayAnything(error.stack ?? ''))
  return header ? originalPlace(toPath(header[1]!), Number(header[2]), header[3]!.length + 1) : undefined
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
    const match = /(?:\(|at )(?:async )?((?:file:\/\/)?(?:\/|[A-Za-z]:[\\/]).*):(\d+):(\d+)\)?$/.exec(frame)
    const file = toPath(match?.[1] ?? '')
    if (sources.has(file)) return originalPlace(file, Number(match![2]), Number(match![3]))
  }
  return undefined
}

let isTold = false

function tell(evaluation: Evaluation): void {
  isTold = true
  writeSync(RESULT, JSON.stringify(evaluation))
}

// A config may end the process; for want of a package, perhaps.
process.once('exit', () => {
  if (!isTold) tell({ kind: 'ended', ...known() })
})

evaluate(process.argv[2]!).then(evaluation => {
  tell(evaluation)
  // A config may leave timers or connections open.
  process.exit(0)
})
