/** A JSON file that may have comments: values with their place in the text, and what is wrong with them. */
import { type Node, type ParseError, parseTree } from 'jsonc-parser'
import type * as z from 'zod/mini'
import { linesOf, sayParseError } from '../checkout/json.ts'
import { findNear } from './near-word.ts'

/** As many problems are reported, and as many warnings: nobody reads more at once. */
export const MAX_PROBLEMS = 100

const MAX_DEPTH = 10

/** Characters of a wrong text that are repeated. */
const MAX_SHOWN = 60

/** Both count from 1. */
interface TextPlace {
  readonly line: number
  readonly column: number
}

/** Something of the file that is wrong or odd. */
export interface FileProblem extends TextPlace {
  readonly message: string
}

/** Types of JSON, in words. */
const TYPES: Readonly<Record<string, string>> = { array: 'a list', string: 'a text in quotes' }

/** Keys and indices, from the whole file down. */
export type JsonPath = readonly (string | number)[]

/** Reads JSON that may have comments and trailing commas; returns what keeps a text from being read at all. Never throws. */
export function readJsonDocument(text: string): JsonDocument | FileProblem {
  const place = linesOf(text)
  const errors: ParseError[] = []
  let tree: Node | undefined
  try {
    tree = parseTree(text, errors, { allowTrailingComma: true })
  } catch {
    // The parser calls itself for each level.
    return { message: 'the file is nested too deeply', line: 1, column: 1 }
  }
  const [broken] = errors
  if (broken !== undefined)
    return { message: `the file is not valid JSON: ${sayParseError(broken)}`, ...place(broken.offset) }
  return new JsonDocument(tree, place)
}

export class JsonDocument {
  readonly #tree: Node | undefined
  readonly #place: (offset: number) => TextPlace
  readonly #problems: FileProblem[] = []
  readonly #warnings: FileProblem[] = []
  readonly #values = new WeakMap<Node, ReadonlyMap<unknown, Node>>()

  constructor(tree: Node | undefined, place: (offset: number) => TextPlace) {
    this.#tree = tree
    this.#place = place
  }

  /** By their place in the file. */
  get problems(): readonly FileProblem[] {
    return this.#problems.toSorted(byPlace)
  }

  get warnings(): readonly FileProblem[] {
    return this.#warnings.toSorted(byPlace)
  }

  /** Whether so much is wrong that nothing more is looked at. */
  get isHopeless(): boolean {
    return this.#problems.length >= MAX_PROBLEMS
  }

  node(path: JsonPath): Node | undefined {
    return path.reduce<Node | undefined>(
      (node, step) => (typeof step === 'number' ? node?.children?.[step] : this.#valuesOf(node).get(step)),
      this.#tree,
    )
  }

  /** Values by key, of two equal ones the first. Kept: a file can have thousands of keys, each asked for by name. */
  #valuesOf(node: Node | undefined): ReadonlyMap<unknown, Node> {
    if (node?.type !== 'object') return new Map()
    const known = this.#values.get(node)
    if (known !== undefined) return known
    const pairs = (node.children ?? []).toReversed()
    const values = new Map(
      pairs.flatMap(({ children: [key, value] = [] }) =>
        key === undefined || value === undefined ? [] : [[key.value, value] as const],
      ),
    )
    this.#values.set(node, values)
    return values
  }

  /** Where the value is; what is missing is where it should be. */
  placeOf(path: JsonPath, { atKey = false } = {}): TextPlace {
    const node = this.node(path)
    if (node !== undefined) return this.#place(atKey ? (node.parent?.offset ?? node.offset) : node.offset)
    return path.length === 0 ? this.#place(0) : this.placeOf(path.slice(0, -1))
  }

  addProblem(path: JsonPath, message: string, at: { readonly atKey?: boolean } = {}): void {
    if (!this.isHopeless) this.#problems.push({ message, ...this.placeOf(path, at) })
  }

  addWarning(path: JsonPath, message: string): void {
    if (this.#warnings.length < MAX_PROBLEMS) this.#warnings.push({ message, ...this.placeOf(path) })
  }

  /** JSON takes one of two equal keys, without a word. */
  checkKeys(path: JsonPath): void {
    const node = this.node(path)
    const keys =
      node?.type === 'object' ? (node.children ?? []).flatMap(({ children: [key] = [] }) => key ?? []) : []
    const seen = new Set<unknown>()
    for (const { value, offset } of keys) {
      if (seen.has(value) && !this.isHopeless)
        this.#problems.push({
          message: `Key "${shorten(String(value))}" appears twice`,
          ...this.#place(offset),
        })
      seen.add(value)
    }
  }

  /** The value at this path where it is what the schema says; else null, and each thing that is wrong is a problem. */
  read<Value>(schema: z.ZodMiniType<Value>, path: JsonPath, keys: readonly string[] = []): Value | null {
    this.checkKeys(path)
    const parsed = schema.safeParse(toValue(this.node(path)))
    if (parsed.success) return parsed.data
    for (const issue of parsed.error.issues) {
      const at = [...path, ...(issue.path as (string | number)[])]
      if (issue.code === 'unrecognized_keys')
        for (const key of issue.keys) this.addProblem([...at, key], unknownKey(key, keys), { atKey: true })
      else if (issue.code === 'invalid_type') this.addProblem(at, this.#wrongType(at, issue.expected))
      else this.addProblem(at, `${this.#show(at)} ${issue.message}`)
    }
    return null
  }

  /** The text that is wrong, and the key it belongs to. */
  #show(at: JsonPath): string {
    const value = this.node(at)?.value
    if (typeof value !== 'string') return label(at)
    const shown = JSON.stringify(shorten(value))
    return typeof at.at(-1) === 'string' ? `${label(at)}: ${shown}` : shown
  }

  #wrongType(at: JsonPath, expected: string): string {
    if (this.node(at) === undefined) return `${label(at)} is missing`
    return `${label(at)} must be ${TYPES[expected] ?? `a ${expected}`}`
  }
}

/** `"device"`, or what an entry of a list is called. */
export function label(path: JsonPath): string {
  const last = path.at(-1)
  return typeof last === 'string' ? `"${last}"` : last === undefined ? 'the file' : 'this entry'
}

function unknownKey(key: string, known: readonly string[]): string {
  const near = findNear(key, known)
  const advice =
    near === undefined ? `Use ${known.map(name => `"${name}"`).join(', ')}.` : `Did you mean "${near}"?`
  return `Unknown key "${shorten(key)}". ${advice}`
}

const shorten = (text: string) => (text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text)

/** Values nested deeper than in any schema are null: the schema refuses what holds them. */
function toValue(node: Node | undefined, depth = MAX_DEPTH): unknown {
  if (node === undefined) return undefined
  if (depth === 0) return null
  const children = node.children ?? []
  if (node.type === 'array') return children.map(child => toValue(child, depth - 1))
  if (node.type !== 'object') return node.value
  return Object.fromEntries(
    children.map(({ children: [key, value] = [] }) => [String(key?.value), toValue(value, depth - 1)]),
  )
}

function byPlace(one: FileProblem, other: FileProblem): number {
  return one.line - other.line || one.column - other.column
}
