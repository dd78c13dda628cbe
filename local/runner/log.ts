import { formsOf } from './secrets.ts'

/** Facts from the source of actions/runner (ActionCommand, ActionCommandManager). */
const COMMANDS = [
  'stop-commands',
  'set-env',
  'set-output',
  'save-state',
  'add-mask',
  'add-path',
  'add-matcher',
  'remove-matcher',
  'debug',
  'warning',
  'error',
  'notice',
  'group',
  'endgroup',
  'echo',
] as const

export interface Annotation {
  readonly level: 'error' | 'warning' | 'notice'
  readonly message: string
  readonly title?: string
  readonly file?: string
  readonly line?: number
  readonly column?: number
}

export interface LogLine {
  readonly raw: string
  /** Null for plain text, also for a command while commands are stopped. */
  readonly command: string | null
  readonly stream: 'stdout' | 'stderr'
}

interface Command {
  readonly name: string
  readonly properties: Readonly<Record<string, string>>
  readonly data: string
}

/** Reads a step's output line by line as the runner does. */
export class RunnerLog {
  readonly lines: LogLine[] = []
  /** Every workflow command that was obeyed, in order. */
  readonly commands: Command[] = []
  readonly annotations: Annotation[] = []
  readonly debug: string[] = []
  readonly masks: string[] = []
  readonly groups: { readonly title: string; readonly lines: string[] }[] = []
  /** Set with the deprecated `set-output` and `save-state` commands. */
  readonly outputs: Record<string, string> = {}
  readonly state: Record<string, string> = {}

  readonly #visible: string[] = []
  /** Longest first. */
  #maskForms: string[] = []
  #group: string[] | null = null
  #stopToken: string | null = null
  readonly #onVisible: (line: string) => void

  /** `onVisible` gets each line of `visible` as it comes. */
  constructor(onVisible: (line: string) => void = () => {}) {
    this.#onVisible = onVisible
  }

  write(raw: string, stream: 'stdout' | 'stderr' = 'stdout'): void {
    const command = this.#parse(raw)
    this.lines.push({ raw, command: command?.name ?? null, stream })
    if (command === null) this.#show(raw)
    else this.#obey(command, raw)
  }

  /** From now on; GitHub does not go back to what it has shown. */
  addMask(value: string): void {
    for (const part of [value, ...value.split(/[\r\n]+/)].map(each => each.trim()))
      if (part !== '' && !this.masks.includes(part)) {
        this.masks.push(part)
        this.#maskForms = [...this.#maskForms, ...formsOf(part)].sort((a, b) => b.length - a.length)
      }
  }

  /** The text with every masked value, and its encoded forms, as `***`. */
  mask(text: string): string {
    return this.#maskForms.reduce((masked, form) => masked.replaceAll(form, '***'), text)
  }

  /** What a person reads on GitHub: `▸` heads a folded group, whose lines are indented. */
  get visible(): string {
    return this.#visible.join('\n')
  }

  #show(text: string): void {
    for (const line of this.mask(text).split('\n')) {
      this.#group?.push(line)
      this.#add(this.#group === null ? line : `  ${line}`)
    }
  }

  #add(line: string): void {
    this.#visible.push(line)
    this.#onVisible(line)
  }

  #parse(raw: string): Command | null {
    const command = parseCommand(raw, [...COMMANDS, ...(this.#stopToken === null ? [] : [this.#stopToken])])
    if (command === null || this.#stopToken === null) return command
    return sameName(command.name, this.#stopToken) ? command : null
  }

  #obey(command: Command, raw: string): void {
    if (this.#stopToken !== null) {
      this.#stopToken = null
      this.#show(raw)
      return
    }
    const { name, properties, data } = command
    this.commands.push(command)
    switch (name) {
      case 'stop-commands':
        if (data === '' || [...COMMANDS, 'pause-logging'].some(name => sameName(name, data))) {
          this.#annotate('error', `Unable to process command '${raw}' successfully.`, {})
          return
        }
        this.#stopToken = data
        if (data.length > 6) this.addMask(data)
        this.#show(raw)
        return
      case 'add-mask':
        if (data.trim() === '') this.#annotate('warning', "Can't add secret mask for empty string.", {})
        this.addMask(data)
        return
      case 'group': {
        const lines: string[] = []
        this.groups.push({ title: data, lines })
        this.#group = lines
        this.#add(`▸ ${this.mask(data)}`)
        return
      }
      case 'endgroup':
        this.#group = null
        return
      case 'error':
      case 'warning':
      case 'notice':
        this.#annotate(name, data, properties)
        return
      case 'debug':
        this.debug.push(data)
        return
      case 'set-output':
        this.outputs[properties.name ?? ''] = data
        return
      case 'save-state':
        this.state[properties.name ?? ''] = data
        return
      case 'set-env':
      case 'add-path':
        this.#annotate('error', `The \`${name}\` command is disabled.`, {})
        return
    }
  }

  #annotate(level: Annotation['level'], message: string, properties: Command['properties']): void {
    const { title, file, line, col } = properties
    this.annotations.push({
      level,
      message,
      ...(title ? { title } : {}),
      ...(file ? { file } : {}),
      ...(line ? { line: Number(line) } : {}),
      ...(col ? { column: Number(col) } : {}),
    })
    this.#show(`${{ error: 'Error', warning: 'Warning', notice: 'Notice' }[level]}: ${message}`)
  }
}

/** `::name key=value,key=value::data` at the line's start, or the older `##[name key=value;]data` anywhere. */
function parseCommand(raw: string, names: readonly string[]): Command | null {
  const known = (name: string) => names.find(each => sameName(each, name))
  // .NET trims U+0085 too.
  const modern = /^[\s\u0085]*::(.*?)::(.*)$/s.exec(raw)
  if (modern !== null) {
    const [name, list] = splitInfo(modern[1]!)
    const found = known(name)
    if (found !== undefined)
      return {
        name: found,
        properties: readProperties(list, ',', unescapeProperty),
        data: unescapeData(modern[2]!),
      }
  }
  const old = /##\[(.*?)\](.*)$/s.exec(raw)
  if (old === null) return null
  const [name, list] = splitInfo(old[1]!)
  const found = known(name)
  if (found === undefined) return null
  return { name: found, properties: readProperties(list, ';', unescapeOld), data: unescapeOld(old[2]!) }
}

function splitInfo(info: string): [name: string, properties: string] {
  const space = info.indexOf(' ')
  return space < 0 ? [info, ''] : [info.slice(0, space), info.slice(space + 1)]
}

function readProperties(list: string, separator: string, decode: (value: string) => string) {
  const properties: Record<string, string> = {}
  for (const pair of list.trim().split(separator)) {
    const at = pair.indexOf('=')
    if (at > 0 && at < pair.length - 1) properties[pair.slice(0, at)] = decode(pair.slice(at + 1))
  }
  return properties
}

const sameName = (a: string, b: string) => a.toLowerCase() === b.toLowerCase()

/** `%25` last, so that an escaped escape stays one. */
const unescapeData = (value: string) =>
  value.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%')
const unescapeProperty = (value: string) => unescapeData(value.replaceAll('%3A', ':').replaceAll('%2C', ','))
const unescapeOld = (value: string) => unescapeData(value.replaceAll('%3B', ';').replaceAll('%5D', ']'))
