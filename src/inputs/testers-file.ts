import { findNodeAtLocation, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser'
import * as z from 'zod/mini'
import { shortDevice } from '../plan/testers.ts'

/** Characters; 10,000 testers with all that there is to say of them have 2 MB. */
const LONGEST_FILE = 8 * 1024 * 1024

/** As many mistakes are told, and as many warnings: nobody reads more at once. */
export const MOST_PROBLEMS = 100

/** What the plugin makes for each installation; Capgo keeps it in lower case. */
const DEVICE_ID = /^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
/** GitHub's rule for logins. */
const LOGIN = /^[A-Za-z0-9](?:[A-Za-z0-9]|-(?=[A-Za-z0-9])){0,38}$/

const DeviceId = z
  .string()
  .check(
    z.regex(
      DEVICE_ID,
      'is not a device id: 8-4-4-4-12 hexadecimal digits, as CapacitorUpdater.getDeviceId() tells',
    ),
    z.describe('Id of the installed app, as `CapacitorUpdater.getDeviceId()` tells it.'),
  )
const GroupName = z.string().check(z.regex(NAME, 'is not a name of letters, digits, ".", "_" and "-"'))

const TesterEntry = z
  .strictObject({
    device: DeviceId,
    name: z.optional(
      z.string().check(z.minLength(1), z.maxLength(100), z.describe('Whose device it is, for people.')),
    ),
    github: z.optional(
      z
        .string()
        .check(
          z.regex(LOGIN, 'is not a login of GitHub, without "@"'),
          z.describe('Login on GitHub: pull requests of this author or reviewer come to the device.'),
        ),
    ),
    groups: z.optional(
      z.array(GroupName).check(z.describe('Groups that `assign-testers: group:<name>` can name.')),
    ),
    channel: z.optional(
      z
        .string()
        .check(
          z.regex(NAME, "is not a channel's name"),
          z.describe('Channel that the device is on while no pull request wants it.'),
        ),
    ),
    until: z.optional(
      z.iso
        .date('is not a day such as 2027-03-31')
        .check(z.describe('Last day of testing; after it the device is released.')),
    ),
  })
  .check(z.describe('A device and whose it is.'))

const Entries = z.array(z.union([DeviceId, TesterEntry]))
const Document = z.strictObject({
  $schema: z.optional(z.string()),
  testers: z.optional(Entries),
  groups: z.optional(
    z
      .record(GroupName, z.array(DeviceId))
      .check(z.describe('Device ids by group; ids that are not in "testers" are testers without a name.')),
  ),
})

/** The whole file; the published JSON Schema is made of it. */
export const TestersDocument = z
  .union([Entries, Document])
  .check(z.describe('Who tests what: device ids that capgo-publish-action puts on channels.'))

/** A device of the file. */
export interface Tester {
  /** In lower case. */
  readonly device: string
  readonly name: string | null
  readonly github: string | null
  readonly groups: readonly string[]
  /** Where the device is while no pull request wants it. */
  readonly channel: string | null
  /** Last day, `2027-03-31`. */
  readonly until: string | null
  /** Where it stands in the file, from 1. */
  readonly line: number
  readonly column: number
}

/** Something of the file that is wrong or odd. */
interface FileProblem {
  readonly message: string
  readonly line: number
  readonly column: number
}

export interface ParsedTesters {
  readonly testers: readonly Tester[]
  /** Nothing may be done with a file that has one. */
  readonly problems: readonly FileProblem[]
  readonly warnings: readonly FileProblem[]
}

/**
 * Reads a testers file: JSON that may have comments and trailing commas. Never throws; tells all that is wrong at
 * once, up to `MOST_PROBLEMS`. `today` as `2026-11-23`.
 */
export function parseTesters(source: string, today: string): ParsedTesters {
  const text = source.replace(/^\ufeff/, '')
  if (text.trim() === '') return unusable('the file is empty')
  if (text.length > LONGEST_FILE) return unusable(`the file has more than ${LONGEST_FILE} characters`)
  const place = placesOf(text)
  const errors: ParseError[] = []
  let tree: Node | undefined
  try {
    tree = parseTree(text, errors, { allowTrailingComma: true })
  } catch {
    // The parser calls itself for each level.
    return unusable('this is nested more deeply than it can be read')
  }
  const [broken] = errors
  if (broken !== undefined)
    return {
      testers: [],
      problems: [{ message: `this is not JSON: ${syntax(broken)}`, ...place(broken.offset) }],
      warnings: [],
    }
  const read = new Reader(tree as Node, place, today)
  read.document()
  return {
    testers: [...read.testers.values()],
    problems: read.problems.sort(byPlace),
    warnings: read.warnings.sort(byPlace),
  }
}

function unusable(message: string): ParsedTesters {
  return { testers: [], problems: [{ message, line: 1, column: 1 }], warnings: [] }
}

type Place = { line: number; column: number }
type Path = (string | number)[]

class Reader {
  readonly testers = new Map<string, Tester>()
  readonly problems: FileProblem[] = []
  readonly warnings: FileProblem[] = []
  readonly #tree: Node
  readonly #place: (offset: number) => Place
  readonly #today: string

  constructor(tree: Node, place: (offset: number) => Place, today: string) {
    this.#tree = tree
    this.#place = place
    this.#today = today
  }

  document(): void {
    const { type } = this.#tree
    if (type === 'array') this.#entries([])
    else if (type === 'object') this.#parts()
    else this.#problem([], 'the file must be a list of device ids, or an object with "testers"')
  }

  #parts(): void {
    const outer = z.strictObject({
      $schema: z.optional(z.string()),
      testers: z.optional(z.any()),
      groups: z.optional(z.any()),
    })
    this.#check(outer, [], ['$schema', 'testers', 'groups'])
    if (this.#node(['testers']) !== undefined) this.#entries(['testers'])
    if (this.#node(['groups']) !== undefined) this.#groups()
  }

  #entries(path: Path): void {
    const node = this.#node(path)
    if (node?.type !== 'array') this.#problem(path, `${label(path)} must be a list`)
    else
      node.children?.forEach((child, index) => {
        if (this.problems.length >= MOST_PROBLEMS) return
        const at = [...path, index]
        if (child.type === 'object') {
          if (!this.#check(TesterEntry, at, Object.keys(TesterEntry.shape))) return
          const entry = toValue(child) as z.infer<typeof TesterEntry>
          this.#add(entry, [...at, 'device'])
        } else if (this.#check(DeviceId, at, [])) this.#add({ device: toValue(child) as string }, at)
      })
  }

  #groups(): void {
    const groups = this.#node(['groups'])
    if (groups?.type !== 'object')
      this.#problem(['groups'], '"groups" must be an object: {"qa": ["<device id>"]}')
    for (const property of groups?.type === 'object' ? (groups.children ?? []) : []) {
      const group = String(property.children?.[0]?.value)
      const path = ['groups', group]
      if (!NAME.test(group))
        this.#problem(path, `"${group}" is not a name of letters, digits, ".", "_" and "-"`)
      const list = this.#node(path)
      if (list?.type !== 'array') {
        this.#problem(path, `${label(path)} must be a list of device ids`)
        continue
      }
      const seen = new Set<string>()
      list.children?.forEach((child, index) => {
        if (this.problems.length >= MOST_PROBLEMS) return
        const at = [...path, index]
        if (!this.#check(DeviceId, at, [])) return
        const device = String(child.value).toLowerCase()
        if (seen.has(device)) this.#problem(at, `${shortDevice(device)} is in group "${group}" twice`)
        seen.add(device)
        const known = this.testers.get(device)
        if (known === undefined) this.#add({ device: String(child.value), groups: [group] }, at)
        else if (!known.groups.includes(group))
          this.testers.set(device, { ...known, groups: [...known.groups, group] })
      })
    }
  }

  #add(entry: z.infer<typeof TesterEntry>, path: Path): void {
    const device = entry.device.toLowerCase()
    const place = this.#placeOf(path)
    if (device !== entry.device)
      this.#warn({
        message: `${shortDevice(device)} is written in upper case; Capgo keeps device ids in lower case, and so it is taken`,
        ...place,
      })
    const channel = entry.channel ?? null
    const first = this.testers.get(device)
    if (first !== undefined) {
      this.#problem(
        path,
        first.channel !== channel && first.channel !== null && channel !== null
          ? `${shortDevice(device)} is put on channel "${channel}" here and on "${first.channel}" on line ${first.line}; a device is on one channel`
          : `${shortDevice(device)} is listed twice (first on line ${first.line})`,
      )
      return
    }
    const until = entry.until ?? null
    if (until !== null && until < this.#today)
      this.#warn({
        message: `"until" of ${shortDevice(device)} was ${until}: the device is no tester any more; remove it or set a later day`,
        ...this.#placeOf([...path.slice(0, -1), 'until']),
      })
    this.testers.set(device, {
      device,
      name: entry.name ?? null,
      github: entry.github ?? null,
      groups: [...new Set(entry.groups ?? [])],
      channel,
      until,
      ...place,
    })
  }

  /** Whether the value at this path is what the schema says; tells each thing that is not. */
  #check(schema: z.ZodMiniType, path: Path, keys: readonly string[]): boolean {
    const parsed = schema.safeParse(toValue(this.#node(path)!))
    if (parsed.success) return true
    for (const issue of parsed.error.issues) {
      const at = [...path, ...(issue.path as Path)]
      if (issue.code === 'unrecognized_keys')
        for (const key of issue.keys)
          this.#problem(
            [...at, key],
            `"${key}" is not known here; there are ${keys.map(k => `"${k}"`).join(', ')}`,
            true,
          )
      else if (issue.code === 'invalid_type')
        this.#problem(
          at,
          this.#node(at) === undefined
            ? `${label(at)} is missing`
            : `${label(at)} must be ${issue.expected === 'array' ? 'a list' : `a ${issue.expected}`}`,
        )
      else {
        const value = this.#node(at)?.value
        const what = typeof value === 'string' ? ` (${JSON.stringify(value.slice(0, 60))})` : ''
        this.#problem(at, `${label(at)} ${issue.message}${what}`)
      }
    }
    return false
  }

  #warn(warning: FileProblem): void {
    if (this.warnings.length < MOST_PROBLEMS) this.warnings.push(warning)
  }

  #problem(path: Path, message: string, atKey = false): void {
    if (this.problems.length < MOST_PROBLEMS) this.problems.push({ message, ...this.#placeOf(path, atKey) })
  }

  #node(path: Path): Node | undefined {
    return path.length === 0 ? this.#tree : findNodeAtLocation(this.#tree, path)
  }

  /** Where the value stands; what is missing stands where it should be. */
  #placeOf(path: Path, atKey = false): Place {
    const node = this.#node(path)
    if (node !== undefined) return this.#place(atKey ? (node.parent?.offset ?? node.offset) : node.offset)
    return this.#placeOf(path.slice(0, -1))
  }
}

function toValue(node: Node): unknown {
  if (node.type === 'array') return (node.children ?? []).map(toValue)
  if (node.type === 'object')
    return Object.fromEntries(
      (node.children ?? []).map(({ children }) => [String(children?.[0]?.value), toValue(children![1]!)]),
    )
  return node.value
}

/** `"device"`, or what an entry of a list is called. */
function label(path: Path): string {
  const last = path.at(-1)
  return typeof last === 'string' ? `"${last}"` : last === undefined ? 'the file' : 'this entry'
}

function syntax(error: ParseError): string {
  return printParseErrorCode(error.error)
    .replace(/(?<=[a-z])(?=[A-Z])/g, ' ')
    .toLowerCase()
}

function placesOf(text: string): (offset: number) => Place {
  const starts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)]
  return offset => {
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if (starts[middle]! <= offset) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: offset - starts[low]! + 1 }
  }
}

function byPlace(one: FileProblem, other: FileProblem): number {
  return one.line - other.line || one.column - other.column
}
