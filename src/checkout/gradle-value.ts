/** What a Gradle expression comes to, where that hangs on files of the checkout alone. */
import { dirname, resolve } from 'node:path'
import { endOfString } from './gradle-script.ts'
import { readNativeFile } from './native-file.ts'

/** A script, or `gradle.properties`, and what names mean in it. */
export interface Scope {
  /** Absolute path of the checkout. */
  readonly root: string
  /** Absolute path of the Gradle project, which paths of `file()` start at. */
  readonly module: string
  /** Absolute path of the root project. */
  readonly top: string
  /** The expression that a name was given, with the scope that it is in; null where nobody can tell. */
  lookUp(name: string): { readonly expression: string; readonly scope: Scope } | null
  /** A Gradle property: those of `gradle.properties`. */
  property(name: string): string | null
  /** Absolute path of the file that `name.load(…)` reads. */
  loaded(name: string): string | null
}

type Value =
  | { readonly is: 'text'; readonly text: string }
  | { readonly is: 'file'; readonly path: string }
  | { readonly is: 'table'; readonly of: Readonly<Record<string, unknown>> }

/** Names of variables may lead to one another. */
const MAX_DEPTH = 12
/** Reads of a file, in Groovy and in Kotlin. */
const READS =
  /^(?:text|getText|readText|newReader|bufferedReader|reader|inputStream|newInputStream|newDataInputStream|withInputStream|withReader|absolutePath|canonicalFile|absoluteFile|asFile|get)$/
const SAME = /^(?:toString|trim|get|orNull|asString|strip)$/
/** What stands before the name of a variable, a property or a class. */
const OWNERS = /^(?:rootProject|project|ext|extra|properties|providers)$/
const JSON_READS = /^(?:parse|parseText|parseFile|parseReader)$/

/** The text that an expression comes to, or null. */
export async function evaluate(expression: string, scope: Scope, depth = 0): Promise<string | null> {
  const value = await evaluateValue(expression, scope, depth)
  return value?.is === 'text' ? value.text : null
}

/** The file that an expression names (absolute), or null. */
export async function evaluateFile(expression: string, scope: Scope): Promise<string | null> {
  const value = await evaluateValue(expression, scope, 0)
  return value?.is === 'file' ? value.path : null
}

async function evaluateValue(expression: string, scope: Scope, depth: number): Promise<Value | null> {
  if (depth > MAX_DEPTH) return null
  const tokens = tokenize(expression)
  if (tokens === null) return null
  let at = 0
  const value = await sum()
  return at === tokens.length ? value : null

  function take(text: string): boolean {
    if (tokens![at] !== text) return false
    at++
    return true
  }

  /** `a + b`, of texts. */
  async function sum(): Promise<Value | null> {
    let value = await postfix()
    while (take('+')) {
      const right = await postfix()
      const both = [await textOf(value, scope), await textOf(right, scope)]
      value = both[0] == null || both[1] == null ? null : { is: 'text', text: `${both[0]}${both[1]}` }
    }
    return value
  }

  async function postfix(): Promise<Value | null> {
    let value = await primary()
    for (;;) {
      if (take('as')) {
        at++
        if (take('<')) while (at < tokens!.length && !take('>')) at++
        take('?')
      } else if (take('!!')) continue
      else if (tokens![at] === '.' || tokens![at] === '?.') {
        at++
        const name = tokens![at++] ?? ''
        const args = tokens![at] === '(' ? await list('(', ')') : null
        value = await member(value, name, args, scope)
      } else if (tokens![at] === '[') {
        const [key] = await list('[', ']')
        value = key?.is === 'text' ? memberOf(value, key.text) : null
      } else return value
    }
  }

  async function list(open: string, close: string): Promise<(Value | null)[]> {
    const values: (Value | null)[] = []
    if (!take(open)) return values
    while (at < tokens!.length && !take(close)) {
      const before = at
      values.push(await sum())
      if (!take(',') && tokens![at] !== close && at === before) at++
    }
    return values
  }

  async function primary(): Promise<Value | null> {
    const token = tokens![at++]
    if (token === undefined) return null
    if (token === '(') {
      at--
      const [only] = await list('(', ')')
      return only ?? null
    }
    if (/^["']/.test(token)) return interpolate(token, scope, depth)
    if (/^\d/.test(token)) return { is: 'text', text: token }
    if (!/^[A-Za-z_]/.test(token)) return null
    if (token === 'new') return made()
    if (tokens![at] === '(') return called(token, scope)
    return named(token)
  }

  /** `new groovy.json.JsonSlurper()`, `new File(…)`. */
  async function made(): Promise<Value | null> {
    let name = tokens![at++] ?? ''
    while (take('.')) name = tokens![at++] ?? ''
    return tokens![at] === '(' ? called(name, scope) : null
  }

  async function called(name: string, where: Scope): Promise<Value | null> {
    const args = await list('(', ')')
    const [first] = args
    if (!/^(?:property|findProperty|gradleProperty|getProperty|get)$/.test(name))
      return builtIn(name, args, where)
    if (first?.is !== 'text') return null
    return name === 'gradleProperty' ? property(first.text) : variable(first.text)
  }

  /** A variable, a property, or a path such as `rootProject.ext.appVersion`. */
  async function named(first: string): Promise<Value | null> {
    const where = first === 'rootProject' ? { ...scope, module: scope.top } : scope
    let name = first
    while ((OWNERS.test(name) || /^(?:groovy|java)$/.test(first)) && take('.')) {
      name = tokens![at++] ?? ''
      if (tokens![at] === '(') return called(name, where)
    }
    if (/^(?:ext|extra|properties)$/.test(name) && tokens![at] === '[') {
      const [key] = await list('[', ']')
      return key?.is === 'text' ? variable(key.text) : null
    }
    if (name === 'rootDir') return { is: 'file', path: scope.top }
    if (name === 'projectDir') return { is: 'file', path: where.module }
    return variable(name)
  }

  async function variable(name: string): Promise<Value | null> {
    const loaded = scope.loaded(name)
    if (loaded !== null) {
      const text = await readNativeFile(scope.root, loaded)
      return text === null ? null : { is: 'table', of: readProperties(text) }
    }
    const found = scope.lookUp(name)
    if (found !== null) return evaluateValue(found.expression, found.scope, depth + 1)
    return property(name)
  }

  function property(name: string): Value | null {
    const text = scope.property(name)
    return text === null ? null : { is: 'text', text }
  }
}

function builtIn(name: string, args: readonly (Value | null)[], scope: Scope): Value | null {
  const [first, second] = args
  if (/^(?:file|File)$/.test(name)) {
    if (first?.is === 'file' && second?.is === 'text')
      return { is: 'file', path: resolve(first.path, second.text) }
    if (first?.is === 'file') return first
    return first?.is === 'text' ? { is: 'file', path: resolve(scope.module, first.text) } : null
  }
  if (/^(?:FileInputStream|FileReader|InputStreamReader|BufferedReader)$/.test(name)) return first ?? null
  // The file is an argument of the method that is called next.
  if (/^(?:JsonSlurper|JsonSlurperClassic)$/.test(name)) return { is: 'table', of: {} }
  return /^(?:String|valueOf)$/.test(name) ? (first ?? null) : null
}

async function member(
  value: Value | null,
  name: string,
  args: readonly (Value | null)[] | null,
  scope: Scope,
): Promise<Value | null> {
  const [first] = args ?? []
  if (args !== null && JSON_READS.test(name)) {
    const text = first === undefined ? null : await textOf(first, scope)
    return text === null ? null : readJson(text)
  }
  if (value === null) return null
  if (value.is === 'text') return SAME.test(name) ? value : null
  if (value.is === 'table')
    return args === null
      ? memberOf(value, name)
      : /^(?:get|getProperty|getString|optString)$/.test(name) && first?.is === 'text'
        ? memberOf(value, first.text)
        : null
  if (/^(?:parentFile|parent)$/.test(name)) return { is: 'file', path: dirname(value.path) }
  if (!READS.test(name)) return SAME.test(name) ? value : null
  if (!/^(?:text|getText|readText)$/.test(name)) return value
  const text = await readNativeFile(scope.root, value.path)
  return text === null ? null : { is: 'text', text: text.trim() }
}

function memberOf(value: Value | null, key: string): Value | null {
  if (value?.is !== 'table' || !Object.hasOwn(value.of, key)) return null
  const found = value.of[key]
  if (typeof found === 'string') return { is: 'text', text: found }
  return typeof found === 'object' && found !== null ? { is: 'table', of: { ...found } } : null
}

async function textOf(value: Value | null | undefined, scope: Scope): Promise<string | null> {
  if (value?.is === 'text') return value.text
  return value?.is === 'file' ? readNativeFile(scope.root, value.path) : null
}

function readJson(text: string): Value | null {
  try {
    const of: unknown = JSON.parse(text)
    return typeof of === 'object' && of !== null ? { is: 'table', of: { ...of } } : null
  } catch {
    return null
  }
}

/** `key=value`, `key: value`. */
export function readProperties(text: string): Record<string, string> {
  const lines = text.replace(/\\\r?\n\s*/g, '').split(/\r?\n/)
  return Object.fromEntries(
    lines.flatMap(line => {
      const found = /^\s*([^#!\s:=][^\s:=]*)\s*[=:\s]\s*(.*?)\s*$/.exec(line)
      return found === null ? [] : [[found[1]!, found[2]!]]
    }),
  )
}

/** A string as it comes out; `${…}` and `$name` in one of double quotes are expressions. */
async function interpolate(token: string, scope: Scope, depth: number): Promise<Value | null> {
  const marks = token.startsWith('"""') || token.startsWith("'''") ? 3 : 1
  const inner = token.slice(marks, -marks)
  if (token.startsWith("'")) return { is: 'text', text: inner }
  let text = ''
  for (const [part, braced, name] of inner.matchAll(
    /\$\{([^}]*)\}|\$([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)|[^$]+|\$/g,
  )) {
    const expression = braced ?? name
    if (expression === undefined) {
      text += part
      continue
    }
    const value = await evaluateValue(expression, scope, depth + 1)
    // For Kotlin `$a.b` is the value of `a`, and `.b`.
    const [, simple, rest] = /^(\w+)(\.[\w.]+)$/.exec(name ?? '') ?? []
    const other =
      value === null && simple !== undefined ? await evaluateValue(simple, scope, depth + 1) : null
    const known = value ?? other
    if (known === null || known.is === 'table') return null
    text += `${known.is === 'text' ? known.text : known.path}${value === null ? rest : ''}`
  }
  return { is: 'text', text }
}

/** Null where something stands that has no value here: an operator, a closure. */
function tokenize(expression: string): string[] | null {
  const tokens: string[] = []
  let at = 0
  while (at < expression.length) {
    const char = expression[at]!
    if (/\s/.test(char)) {
      at++
      continue
    }
    const end =
      char === '"' || char === "'"
        ? endOfString(expression, at)
        : at +
          (/^(?:[A-Za-z_]\w*|\d[\w.]*|\?\.|!!|[.()[\],+<>?*])/.exec(expression.slice(at))?.[0].length ?? 0)
    if (end === at) return null
    tokens.push(expression.slice(at, end))
    at = end
  }
  return tokens
}
