import { readFileSync } from 'node:fs'
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'

type Schema = Readonly<Record<string, unknown>>

interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly required?: true
  /** Takes the rest of the path, slashes and all. */
  readonly multiSegment?: true
  readonly schema: Schema
}

export interface Operation {
  readonly id: string
  readonly method: string
  readonly path: string
  /** Its page in GitHub's documentation; errors carry it. */
  readonly docs: string
  readonly parameters: readonly Parameter[]
  readonly body?: { readonly required: boolean; readonly schema: Schema }
  /** Null: known, without JSON. */
  readonly responses: Readonly<Record<string, Schema | null>>
}

/** Path and query values by name, numbers and booleans as such. */
export type Values = Readonly<Record<string, string | number | boolean>>

const description = JSON.parse(readFileSync(new URL('openapi.json', import.meta.url), 'utf8')) as {
  operations: Record<string, Omit<Operation, 'id'>>
  $defs: Schema
}

const operations: readonly Operation[] = Object.entries(description.operations).map(([id, operation]) => ({
  id,
  ...operation,
}))

const formats = {
  'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/,
  email: /^[^\s@]+@[^\s@]+$/,
  // GitHub answers the empty text where a URL was never given.
  uri: (text: string) => text === '' || URL.canParse(text),
}
const bodies = new Ajv2020({ allErrors: true, allowUnionTypes: true, formats })
const texts = new Ajv2020({ allErrors: true, allowUnionTypes: true, formats, coerceTypes: true })
const compiled = new Map<Schema, ValidateFunction>()

function problemsOf(ajv: Ajv2020, schema: Schema, value: unknown): string[] {
  let validate = compiled.get(schema)
  if (validate === undefined) {
    validate = ajv.compile({ ...schema, $defs: description.$defs })
    compiled.set(schema, validate)
  }
  return validate(value) ? [] : (validate.errors ?? []).map(describe)
}

function describe({ instancePath, message, params }: ErrorObject): string {
  const detail = params.additionalProperty ?? params.allowedValues?.join(', ') ?? ''
  return `${instancePath || '(all)'} ${message}${detail === '' ? '' : `: ${detail}`}`
}

/** A ref may hold slashes, so that `commits/{ref}` would also take `commits/{commit_sha}/pulls`. */
const longestFirst = operations.toSorted(
  (one, other) =>
    other.path.split('/').length - one.path.split('/').length || valuesIn(one.path) - valuesIn(other.path),
)

/** `/issues/comments` is not an issue: words go before values. */
function valuesIn(path: string): number {
  return path.split('{').length - 1
}

/** The operation at a path, and the path's values as written there. The path is still percent-encoded. */
export function findOperation(
  method: string,
  path: string,
): { operation: Operation; values: Record<string, string> } | null {
  for (const operation of longestFirst) {
    const values = operation.method === method ? matchPath(operation, path) : null
    if (values !== null) return { operation, values }
  }
  return null
}

function matchPath(operation: Operation, path: string): Record<string, string> | null {
  const given = path.split('/')
  const wanted = operation.path.split('/')
  const values: Record<string, string> = {}
  for (const [index, part] of wanted.entries()) {
    const name = /^\{(.+)\}$/.exec(part)?.[1]
    const isRest = operation.parameters.some(each => each.name === name && each.multiSegment)
    // The root folder is the empty path; a ref is never empty.
    const text = given[index] ?? (isRest && name === 'path' ? '' : undefined)
    if (text === undefined) return null
    if (name === undefined) {
      if (text !== part) return null
    } else if (isRest) {
      const after = wanted.slice(index + 1)
      const end = given.length - after.length
      if (after.length > 0 && given.slice(end).join('/') !== after.join('/')) return null
      values[name] = given.slice(index, end).map(decodeURIComponent).join('/')
      return values
    } else {
      values[name] = decodeURIComponent(text)
    }
  }
  return given.length === wanted.length ? values : null
}

/** The values as the description types them, and what is wrong with them. */
export function readParameters(
  operation: Operation,
  place: 'path' | 'query',
  given: Readonly<Record<string, string>>,
): { values: Values; problems: string[] } {
  const values: Record<string, string | number | boolean> = {}
  const problems: string[] = []
  const parameters = operation.parameters.filter(each => each.in === place)
  for (const name of Object.keys(given))
    if (!parameters.some(each => each.name === name)) problems.push(`${name} is unknown`)
  for (const { name, required, schema } of parameters) {
    if (!(name in given)) {
      if (required) problems.push(`${name} is missing`)
      continue
    }
    const holder = { value: given[name]! }
    const wrapped = wrap(schema)
    problems.push(...problemsOf(texts, wrapped, holder).map(problem => problem.replace('/value', name)))
    values[name] = holder.value
  }
  return { values, problems }
}

/** Values are coerced in place, so they need a place. */
function wrap(schema: Schema): Schema {
  let wrapped = wrappers.get(schema)
  if (wrapped === undefined) {
    wrapped = { type: 'object', properties: { value: schema } }
    wrappers.set(schema, wrapped)
  }
  return wrapped
}
const wrappers = new Map<Schema, Schema>()

/** Mistakes of a request's body; undefined is none. */
export function checkRequestBody({ body }: Operation, given: unknown): string[] {
  if (given === undefined) return body?.required ? ['a body is missing'] : []
  return body ? problemsOf(bodies, body.schema, given) : ['no body belongs here']
}

/** Errors may come from any operation, in one form; the description names only some of them. */
const BASIC_ERROR: Schema = { $ref: '#/$defs/basic-error' }

/** Mistakes of an answer; undefined is one without JSON. */
export function checkAnswer({ responses }: Operation, status: number, json: unknown): string[] {
  const known = responses[status]
  if (known === undefined && status < 400) return [`status ${status} is unknown`]
  if (json === undefined) return known && status < 300 ? ['JSON is missing'] : []
  if (status < 400 && known === null) return ['no JSON belongs here']
  return problemsOf(bodies, known ?? BASIC_ERROR, json)
}
