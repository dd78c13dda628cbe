/** The versions that an Android project is built with. */
import { dirname, join, resolve } from 'node:path'
import { shownPath } from '../runtime/paths.ts'
import { namesOf, readStatements, type Statement } from './gradle-script.ts'
import { evaluate, evaluateFile, readProperties, type Scope } from './gradle-value.ts'
import {
  type FoundVersion,
  isLikeVersion,
  type NativeProject,
  readNativeFile,
  sayLine,
  type UnreadPlace,
} from './native-file.ts'

interface Script {
  /** Absolute path. */
  readonly file: string
  readonly statements: readonly Statement[]
}

/** A version name, or what is put behind one, and for which flavour of the app. */
interface Setting {
  readonly kind: 'name' | 'suffix'
  /** Null: for all. */
  readonly flavour: string | null
  readonly statement: Statement
  /** Null where it hangs on a condition, or on code. */
  readonly expression: string | null
}

const SETTING =
  /^(?:this\.|it\.)?(?:\(this as \w+\)\.)?(?:android\.)?(?:defaultConfig\.)?(versionName|versionNameSuffix|setVersionName)(?:\s*=(?!=)\s*|\s*(?=\()|\s+(?=["'\w]))([\s\S]+)$/
/** Code that sets it for each variant. */
const OVERRIDE = /\b(?:setVersionNameOverride|versionNameOverride)\b|\.versionName(?:\.set\(|\s*=(?!=))/
const CONDITION = /^(?:if|else|try|catch|finally|switch|when|for|while)$/
const EACH = /^(?:all|each|configureEach)$/
const DEFINITION =
  /^(?:(?:final|private|const|static)\s+)*(?:def|val|var|String|Object|File|Properties)\s+(?:String\s+)?(\w+)(?:\s*:\s*[\w.<>?*, ]+?)?\s*(=(?!=)|\bby\b)\s*([\s\S]+)$/
const EXTRA =
  /^(?:(?:rootProject|project)\.)?(?:ext|extra)(?:\.(\w+)|\[\s*["'](\w+)["']\s*\]|\.set\(\s*["'](\w+)["']\s*,)\s*(?:=(?!=))?\s*([\s\S]+)$/
const ASSIGNMENT = /^(?:set\(\s*["'](\w+)["']\s*,\s*([\s\S]+)\)|(\w+)\s*=(?!=)\s*([\s\S]+))$/

/**
 * The version that the Gradle project in `android` (absolute) declares, by every flavour that it is built in. What
 * other files of the checkout say is looked up: `gradle.properties`, `variables.gradle`, a JSON or properties file that
 * the script reads. Null without a project.
 */
export async function readGradle(root: string, android: string): Promise<NativeProject | null> {
  const module = join(android, 'app')
  const app = await readFirst(root, [join(module, 'build.gradle'), join(module, 'build.gradle.kts')])
  if (app === null) return null
  const shown = shownPath(root, app.file)
  const scope = await openScope(root, android, app)
  const settings = app.statements.flatMap(statement => readSetting(statement))
  const unread: UnreadPlace[] = []
  const report = (statement: Statement) => {
    const source = `${shown}:${statement.line}`
    if (!unread.some(known => known.source === source)) unread.push({ source, says: sayLine(statement.text) })
  }
  for (const statement of app.statements) if (isOverride(statement)) report(statement)

  const read = async (setting: Setting): Promise<FoundVersion | null> => {
    const version = setting.expression === null ? null : await evaluate(setting.expression, scope)
    if (version !== null && isLikeVersion(version.trim()))
      return { version: version.trim(), source: `${shown}:${setting.statement.line}` }
    report(setting.statement)
    return null
  }
  const of = async (kind: Setting['kind'], flavour: string | null): Promise<(FoundVersion | null)[]> =>
    Promise.all(settings.filter(each => each.kind === kind && each.flavour === flavour).map(read))
  const versions: FoundVersion[] = []
  const flavours = readFlavours(app.statements)
  const isNamed = ({ name }: Flavour) => settings.some(each => each.kind === 'name' && each.flavour === name)
  // Where each flavour of a dimension has a name, no app has that of `defaultConfig`.
  const unused = [...Map.groupBy(flavours, each => each.dimension).values()].some(all => all.every(isNamed))
  const defaults = unused ? [] : await of('name', null)
  const always = await of('suffix', null)
  for (const flavour of flavours.length > 0 ? flavours.map(each => each.name) : [null]) {
    const own = flavour === null ? [] : await of('name', flavour)
    const suffixes = [...always, ...(flavour === null ? [] : await of('suffix', flavour))]
    // One that is not known leaves the whole unknown, and is reported.
    if (!suffixes.every(suffix => suffix !== null)) continue
    const behind = suffixes.map(({ version }) => version).join('')
    for (const name of own.length > 0 ? own : defaults)
      if (name !== null)
        versions.push({ version: `${name.version}${behind}`, source: suffixes.at(-1)?.source ?? name.source })
  }
  if (versions.length === 0 && unread.length === 0) unread.push({ source: shown, says: 'has no versionName' })
  return { versions, unread }
}

async function readFirst(root: string, files: readonly string[]): Promise<Script | null> {
  for (const file of files) {
    const text = await readNativeFile(root, file)
    if (text !== null) return { file, statements: readStatements(text) }
  }
  return null
}

function isOverride({ text }: Statement): boolean {
  return OVERRIDE.test(text) && !SETTING.test(text)
}

function readSetting(statement: Statement): Setting[] {
  const { path, text } = statement
  const [, name, given] = SETTING.exec(text) ?? []
  if (name === undefined || given === undefined || path.some(block => /^(?:ext|extra)$/.test(block)))
    return []
  const place = path.filter(block => !CONDITION.test(block) && block !== 'android')
  const [block, of] = place
  const expression = path.some(each => CONDITION.test(each)) ? null : given
  const setting = { kind: name === 'versionNameSuffix' ? 'suffix' : 'name', statement, expression } as const
  if (block === undefined || block === 'defaultConfig') return [{ ...setting, flavour: null }]
  if (block === 'productFlavors' && of !== undefined)
    return [{ ...setting, flavour: EACH.test(of) ? null : of }]
  // Only what is released goes to the stores.
  return block === 'buildTypes' && of === 'release' ? [{ ...setting, flavour: null }] : []
}

/** An app is built in one flavour of each dimension. */
interface Flavour {
  readonly name: string
  readonly dimension: string
}

function readFlavours(statements: readonly Statement[]): Flavour[] {
  const dimensions = new Map<string, string>()
  for (const { path, text } of statements) {
    const at = path.indexOf('productFlavors')
    if (at < 0) continue
    const name = path[at + 1] ?? namesOf(text)[0]
    if (name === undefined || EACH.test(name)) continue
    const dimension = /^dimension\s*[=(]?\s*["']([^"']+)/.exec(text)?.[1]
    dimensions.set(name, dimension ?? dimensions.get(name) ?? '')
  }
  return [...dimensions].map(([name, dimension]) => ({ name, dimension }))
}

/** Scripts that may define what the app's own uses. */
async function openScope(root: string, android: string, app: Script): Promise<Scope> {
  const top = await readFirst(root, [join(android, 'build.gradle'), join(android, 'build.gradle.kts')])
  const applied = [app, ...(top === null ? [] : [top])].flatMap(script =>
    script.statements.flatMap(({ text }) => {
      const path = /^apply\s*\(?\s*from\s*[:=]\s*["']([^"'$]+)["']/.exec(text)?.[1]
      return path === undefined ? [] : [resolve(dirname(script.file), path)]
    }),
  )
  const files = [...new Set([...applied, join(android, 'variables.gradle')])]
  const others = await Promise.all(files.map(file => readFirst(root, [file])))
  const properties = readProperties((await readNativeFile(root, join(android, 'gradle.properties'))) ?? '')
  const loads = new Map<string, string | null>()
  const open = (script: Script): { script: Script; scope: Scope } => ({
    script,
    scope: {
      root,
      module: dirname(script.file),
      top: android,
      lookUp: name => {
        for (const each of opened) {
          const expression = readDefinition(each.script, name)
          if (expression !== undefined) return expression === null ? null : { expression, scope: each.scope }
        }
        return null
      },
      property: name => (Object.hasOwn(properties, name) ? (properties[name] ?? null) : null),
      loaded: name => loads.get(name) ?? null,
    },
  })
  const own = open(app)
  const opened = [own, ...[...others, top].flatMap(script => (script === null ? [] : [open(script)]))]
  for (const { script, scope } of opened)
    for (const statement of script.statements) {
      const load = readLoad(statement)
      if (load === null) continue
      const file = await evaluateFile(load.expression, scope)
      loads.set(load.name, loads.has(load.name) ? null : file)
    }
  return own.scope
}

/** `props.load(new FileInputStream(file("x")))`, and `file("x").withInputStream { props.load(it) }`. */
function readLoad({ text, header }: Statement): { name: string; expression: string } | null {
  const [, name, given] = /^(?:\w+\s*->\s*)?(\w+)\.load\((.+)\)$/s.exec(text) ?? []
  if (name === undefined || given === undefined) return null
  const isInner = /^\w+$/.test(given.trim()) && /\.(?:with\w+|use)$/.test(header)
  return { name, expression: isInner ? header.replace(/\.(?:with\w+|use)$/, '') : given }
}

/** The expression that the script gives a name; null where it is given several, or one on a condition; undefined = none. */
function readDefinition({ statements }: Script, name: string): string | null | undefined {
  let found: string | null | undefined
  for (const { text, path } of statements) {
    const given = definitionOf(text, path, name) ?? (found === undefined ? undefined : reassigned(text, name))
    if (given === undefined) continue
    const isSure = !path.some(block => CONDITION.test(block)) && (found === undefined || found === given)
    found = isSure ? given : null
  }
  return found
}

function definitionOf(text: string, path: readonly string[], name: string): string | undefined {
  const [, defined, by, definition = ''] = DEFINITION.exec(text) ?? []
  if (defined === name) {
    const given = definition.trim()
    if (by === '=') return given
    // `val x: String by project` is the property of that name, `by extra("1.0")` a value, the others are of elsewhere.
    if (given === 'project') return `gradleProperty("${name}")`
    return /^extra\(([\s\S]+)\)$/.exec(given)?.[1]
  }
  const [, dotted, indexed, called, extra = ''] = EXTRA.exec(text) ?? []
  if ((dotted ?? indexed ?? called) === name) return called === undefined ? extra : extra.replace(/\)$/, '')
  if (!path.some(block => /^(?:ext|extra)$/.test(block))) return undefined
  const [, key, value, variable, expression] = ASSIGNMENT.exec(text) ?? []
  return (key ?? variable) === name ? (value ?? expression) : undefined
}

function reassigned(text: string, name: string): string | undefined {
  return new RegExp(`^${name}\\s*[+]?=(?!=)\\s*([\\s\\S]+)$`).exec(text)?.[1]
}
