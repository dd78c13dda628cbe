/** The testers file: who tests what. */
import * as z from 'zod/mini'
import { shortDevice } from '../plan/device-id.ts'
import type { Tester } from '../plan/tester-list.ts'
import { type FileProblem, JsonDocument, type JsonPath, label, readJsonDocument } from './json-document.ts'
import { DeviceId, NAME, TesterEntry } from './testers-schema.ts'

/** Characters; 10,000 testers with all that there is to say of them have 2 MB. */
const MAX_LENGTH = 8 * 1024 * 1024

export interface ParsedTesters {
  readonly testers: readonly Tester[]
  /** Nothing may be done with a file that has one. */
  readonly problems: readonly FileProblem[]
  readonly warnings: readonly FileProblem[]
}

/**
 * Reads a testers file: JSON that may have comments and trailing commas. Never throws; reports all that is wrong at
 * once, up to `MAX_PROBLEMS`. `today` as `2026-11-23`.
 */
export function parseTesters(source: string, today: string): ParsedTesters {
  const text = source.replace(/^\ufeff/, '')
  if (text.trim() === '') return unusable({ message: 'the file is empty', line: 1, column: 1 })
  if (text.length > MAX_LENGTH)
    return unusable({ message: `the file has more than ${MAX_LENGTH} characters`, line: 1, column: 1 })
  const document = readJsonDocument(text)
  if (!(document instanceof JsonDocument)) return unusable(document)
  const testers = new TestersReader(document, today).read()
  return { testers, problems: document.problems, warnings: document.warnings }
}

function unusable(problem: FileProblem): ParsedTesters {
  return { testers: [], problems: [problem], warnings: [] }
}

const Parts = z.strictObject({
  $schema: z.optional(z.string()),
  testers: z.optional(z.any()),
  groups: z.optional(z.any()),
})

type Place = Pick<Tester, 'channel' | 'line'>

/** The meaning of the file: each device once, with its groups. */
class TestersReader {
  readonly #testers = new Map<string, Tester>()
  /** Devices of entries that have another mistake. */
  readonly #broken = new Map<string, Place>()
  readonly #document: JsonDocument
  readonly #today: string

  constructor(document: JsonDocument, today: string) {
    this.#document = document
    this.#today = today
  }

  read(): Tester[] {
    const type = this.#document.node([])?.type
    if (type === 'array') this.#readEntries([])
    else if (type === 'object') this.#readParts()
    else this.#document.addProblem([], 'the file must be a list of device ids, or an object with "testers"')
    return [...this.#testers.values()]
  }

  #readParts(): void {
    this.#document.read(Parts, [], Object.keys(Parts.shape))
    if (this.#document.node(['testers']) !== undefined) this.#readEntries(['testers'])
    if (this.#document.node(['groups']) !== undefined) this.#readGroups()
  }

  #readEntries(path: JsonPath): void {
    const node = this.#document.node(path)
    if (node?.type !== 'array') {
      this.#document.addProblem(path, `${label(path)} must be a list`)
      return
    }
    for (const [index, child] of (node.children ?? []).entries()) {
      if (this.#document.isHopeless) return
      const at = [...path, index]
      if (child.type === 'object') {
        const entry = this.#document.read(TesterEntry, at, Object.keys(TesterEntry.shape))
        if (entry !== null) this.#add(entry, [...at, 'device'])
        else this.#noteBroken(at)
      } else if (child.type === 'string') {
        const device = this.#document.read(DeviceId, at)
        if (device !== null) this.#add({ device }, at)
      } else
        this.#document.addProblem(at, 'a tester must be a device id in quotes, or an object with "device"')
    }
  }

  #readGroups(): void {
    const groups = this.#document.node(['groups'])
    if (groups?.type !== 'object') {
      this.#document.addProblem(['groups'], '"groups" must be an object: {"qa": ["<device id>"]}')
      return
    }
    this.#document.checkKeys(['groups'])
    for (const { children: [key] = [] } of groups.children ?? []) this.#readGroup(String(key?.value))
  }

  #readGroup(group: string): void {
    const path = ['groups', group]
    if (!NAME.test(group))
      this.#document.addProblem(
        path,
        `"${group}" is not a valid group name: use letters, digits, ".", "_" and "-"`,
        { atKey: true },
      )
    const list = this.#document.node(path)
    if (list?.type !== 'array') {
      this.#document.addProblem(path, `${label(path)} must be a list of device ids`)
      return
    }
    const seen = new Set<string>()
    for (const index of (list.children ?? []).keys()) {
      if (this.#document.isHopeless) return
      const at = [...path, index]
      const written = this.#document.read(DeviceId, at)
      if (written === null) continue
      const device = written.toLowerCase()
      if (seen.has(device))
        this.#document.addProblem(at, `${shortDevice(device)} is in group "${group}" twice`)
      seen.add(device)
      const known = this.#testers.get(device)
      if (known === undefined) {
        if (!this.#broken.has(device)) this.#add({ device: written, groups: [group] }, at)
      } else if (!known.groups.includes(group))
        this.#testers.set(device, { ...known, groups: [...known.groups, group] })
    }
  }

  /** The entry is not used; that its device is listed twice is said all the same. */
  #noteBroken(at: JsonPath): void {
    const path = [...at, 'device']
    const written = DeviceId.safeParse(this.#document.node(path)?.value)
    if (!written.success) return
    const device = written.data.toLowerCase()
    const channel = this.#document.node([...at, 'channel'])?.value
    const named = typeof channel === 'string' ? channel : null
    if (this.#isTwice(device, named, path)) return
    const { line } = this.#document.placeOf(path)
    this.#broken.set(device, { channel: named, line })
  }

  #isTwice(device: string, channel: string | null, path: JsonPath): boolean {
    const first = this.#testers.get(device) ?? this.#broken.get(device)
    if (first === undefined) return false
    this.#document.addProblem(
      path,
      first.channel !== channel && first.channel !== null && channel !== null
        ? `${shortDevice(device)} is on channel "${channel}" here, but on "${first.channel}" on line ${first.line}`
        : `${shortDevice(device)} is listed twice (first on line ${first.line})`,
    )
    return true
  }

  #add(entry: TesterEntry, path: JsonPath): void {
    const device = entry.device.toLowerCase()
    if (device !== entry.device)
      this.#document.addWarning(
        path,
        `${shortDevice(device)} is in upper case and is read as lower case, as Capgo stores device ids`,
      )
    const channel = entry.channel ?? null
    if (this.#isTwice(device, channel, path)) return
    const until = entry.until ?? null
    if (until !== null && until < this.#today)
      this.#document.addWarning(
        [...path.slice(0, -1), 'until'],
        `${shortDevice(device)} expired on ${until}: remove the device or set a later "until"`,
      )
    this.#testers.set(device, {
      device,
      name: entry.name ?? null,
      github: entry.github ?? null,
      groups: [...new Set(entry.groups ?? [])],
      channel,
      until,
      ...this.#document.placeOf(path),
    })
  }
}
