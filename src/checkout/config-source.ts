/** The user's own files that a Capacitor config is made of: what runs of them, and where that was written. */
import { readFileSync } from 'node:fs'
import nodeModule, { SourceMap } from 'node:module'
import { Script } from 'node:vm'
import { transform } from 'sucrase'
import type { Evaluation } from './evaluation.ts'

/** A TypeScript namespace with something in it, which sucrase takes for types alone. */
const NAMESPACE = /^([ \t]*(?:export\s+)?)(?:namespace|module)(\s+[\w$.]+\s*\{)/gm

/** Texts of the user's own files, by path. */
export const sources = new Map<string, string>()
/** From what is run to what was written, by path; one after the other. */
const maps = new Map<string, readonly SourceMap[]>()

export class ConfigSyntaxError extends Error {
  readonly place: Evaluation['place']
  constructor(message: string, place: Evaluation['place']) {
    super(message)
    this.place = place
  }
}

/** JavaScript of a file, and how places in it lead back to the file. */
export function eraseTypes(file: string, transforms: ('typescript' | 'imports')[]): string {
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
    const map = sourceMap === undefined ? [] : [toMap(sourceMap)]
    maps.set(file, [...map, ...(plain === null ? [] : [toMap(plain.map)])])
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
    const [code = '', map = ''] = output.split(/\n\/\/# sourceMappingURL=data:application\/json;base64,/)
    return { code, map: JSON.parse(Buffer.from(map, 'base64').toString('utf8')) }
  } catch {
    return null
  }
}

function toMap(map: object): SourceMap {
  return new SourceMap({ file: '', sourceRoot: '', sourcesContent: [], names: [], ...map } as never)
}

/** Where in the user's file something is that runs at this place. Lines and columns count from 1. */
export function originalPlace(file: string, line: number, column: number): Evaluation['place'] {
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
export function isModuleOnly(code: string): boolean {
  if (!/\bawait\b|\bimport\.meta\b/.test(code)) return false
  return !parses(`class C { static {\n${code}\n} }`) && parses(asFunction(code))
}

/** The body of a module, of the same length on each line but the first. */
export function asFunction(code: string): string {
  return `${BEFORE}${code.replaceAll('import.meta', '({}).abcdef')}\n})`
}

export const BEFORE = '(async () => {'

function parses(code: string): boolean {
  try {
    new Script(code)
    return true
  } catch {
    return false
  }
}
