/** The value of a Gradle expression, where files of the checkout alone decide it. */
import { dirname, resolve } from 'node:path'
import { tokenize } from './gradle-script.ts'
import { readNativeFile } from './native-file.ts'

/** A script, or `gradle.properties`, and what names mean in it. */
export interface Scope {
  /** Absolute path of the checkout. */
  readonly root: string
  /** Absolute path of the Gradle project, which paths of `file()` start at. */
  readonly module: string
  /** Absolute path of the root project. */
  readonly top: string
  /** The expression that a name was given, with the scope that it is in; null when unknown. */
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
/** The text before the name of a variable, a property or a class. */
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
  const tokens = depth > MAX_DEPTH ? null : tokenize(expression)
  return tokens === null ? null : new Expression(tokens, scope, depth).value()
}

/** Reads the tokens of one expression from the first to the last. */
class Expression {
  readonly #tokens: readonly string[]
  readonly #scope: Scope
  readonly #depth: number
  #at = 0

  constructor(tokens: readonly string[], scope: Scope, depth: number) {
    this.#tokens = tokens
    this.#scope = scope
    this.#depth = depth
  }

  /** Null also where something stands behind the expression. */
  async value(): Promise<Value | null> {
    const value = await this.#sum()
    return this.#at === this.#tokens.length ? value : null
  }

  #next(): string | undefined {
    return this.#tokens[this.#at]
  }

  #take(text: string): boolean {
    if (this.#next() !== text) return false
    this.#at++
    return true
  }

  #takeAny(): string | undefined {
    return this.#tokens[this.#at++]
  }

  /** `a + b`, of texts. */
  async #sum(): Promise<Value | null> {
    let value = await this.#postfix()
    while (this.#take('+')) {
      const right = await this.#postfix()
      const both = [await textOf(value, this.#scope), await textOf(right, this.#scope)]
      value = both[0] == null || both[1] == null ? null : { is: 'text', text: `${both[0]}${both[1]}` }
    }
    return value
  }

  async #postfix(): Promise<Value | null> {
    let value = await this.#primary()
    for (;;) {
      if (this.#take('as')) {
        this.#at++
        if (this.#take('<')) while (this.#next() !== undefined && !this.#take('>')) this.#at++
        this.#take('?')
      } else if (this.#take('!!')) continue
      else if (this.#next() === '.' || this.#next() === '?.') {
        this.#at++
        const name = this.#takeAny() ?? ''
        const args = this.#next() === '(' ? await this.#list('(', ')') : null
        value = await member(value, name, args, this.#scope)
      } else if (this.#next() === '[') {
        const [key] = await this.#list('[', ']')
        value = key?.is === 'text' ? memberOf(value, key.text) : null
      } else return value
    }
  }

  async #list(open: string, close: string): Promise<(Value | null)[]> {
    const values: (Value | null)[] = []
    if (!this.#take(open)) return values
    while (this.#next() !== undefined && !this.#take(close)) {
      const before = this.#at
      values.push(await this.#sum())
      if (!this.#take(',') && this.#next() !== close && this.#at === before) this.#at++
    }
    return values
  }

  async #primary(): Promise<Value | null> {
    if (this.#next() === '(') return (await this.#list('(', ')'))[0] ?? null
    const token = this.#takeAny()
    if (token === undefined) return null
    if (/^["']/.test(token)) return interpolate(token, this.#scope, this.#depth)
    if (/^\d/.test(token)) return { is: 'text', text: token }
    if (!/^[A-Za-z_]/.test(token)) return null
    if (token === 'new') return this.#instance()
    if (this.#next() === '(') return this.#call(token, this.#scope)
    return this.#path(token)
  }

  /** `new groovy.json.JsonSlurper()`, `new File(…)`. */
  async #instance(): Promise<Value | null> {
    let name = this.#takeAny() ?? ''
    while (this.#take('.')) name = this.#takeAny() ?? ''
    return this.#next() === '(' ? this.#call(name, this.#scope) : null
  }

  async #call(name: string, where: Scope): Promise<Value | null> {
    const args = await this.#list('(', ')')
    const [first] = args
    if (!/^(?:property|findProperty|gradleProperty|getProperty|get)$/.test(name))
      return builtIn(name, args, where)
    if (first?.is !== 'text') return null
    return name === 'gradleProperty' ? this.#property(first.text) : this.#variable(first.text)
  }

  /** A variable, a property, or a path such as `rootProject.ext.appVersion`. */
  async #path(first: string): Promise<Value | null> {
    const scope = this.#scope
    const where = first === 'rootProject' ? { ...scope, module: scope.top } : scope
    let name = first
    while ((OWNERS.test(name) || /^(?:groovy|java)$/.test(first)) && this.#take('.')) {
      name = this.#takeAny() ?? ''
      if (this.#next() === '(') return this.#call(name, where)
    }
    if (/^(?:ext|extra|properties)$/.test(name) && this.#next() === '[') {
      const [key] = await this.#list('[', ']')
      return key?.is === 'text' ? this.#variable(key.text) : null
    }
    if (name === 'rootDir') return { is: 'file', path: scope.top }
    if (name === 'projectDir') return { is: 'file', path: where.module }
    return this.#variable(name)
  }

  async #variable(name: string): Promise<Value | null> {
    const scope = this.#scope
    const loaded = scope.loaded(name)
    if (loaded !== null) {
      const text = await readNativeFile(scope.root, loaded)
      return text === null ? null : { is: 'table', of: readProperties(text) }
    }
    const found = scope.lookUp(name)
    if (found !== null) return evaluateValue(found.expression, found.scope, this.#depth + 1)
    return this.#property(name)
  }

  #property(name: string): Value | null {
    const text = this.#scope.property(name)
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
      const [, key, value = ''] = /^\s*([^#!\s:=][^\s:=]*)\s*[=:\s]\s*(.*?)\s*$/.exec(line) ?? []
      return key === undefined ? [] : [[key, value]]
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
