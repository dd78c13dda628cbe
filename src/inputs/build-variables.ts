/** The inputs `build-env` and `build-secrets`: variables for install, build and Capacitor config, and for nothing else. */
import { InputError } from '../errors.ts'
import { holdsSecret, isTokenName } from '../runtime/environment.ts'

export type Variables = Readonly<Record<string, string>>

interface Line {
  /** Counted from 1. */
  readonly number: number
  readonly name: string
  readonly value: string
  readonly wrong: string | null
}

/** Names that somebody else sets: given anew they would reach the runner, this action, Node or the system's loader. */
const REFUSED: readonly (readonly [RegExp, string])[] = [
  [/^INPUT_/i, 'is an input of this action, which the build does not see'],
  [/^(GITHUB|RUNNER|ACTIONS)_/i, 'is set by the runner'],
  [/^NODE_OPTIONS$/i, 'changes Node itself, so set it in the build script'],
  [/^(LD|DYLD)_/i, 'changes which code every program loads'],
  [
    /^(PATH|PATHEXT|COMSPEC|SHELL)$/i,
    'decides which programs run, so add a folder to $GITHUB_PATH in an earlier step',
  ],
]

/**
 * Both inputs, as one. `own` are this action's keys, which a build must not have. `refuse` gets an error for each of the
 * two that has a wrong line, with the lines' numbers and without a value.
 */
export function readBuildVariables(
  read: (name: string) => string,
  own: readonly string[],
  refuse: (error: InputError) => void,
): Variables {
  const variables: Record<string, string> = {}
  const lines = ['build-env', 'build-secrets'].map(input => [input, parseLines(read(input))] as const)
  const seen = new Map<string, string>()
  for (const [input, all] of lines) {
    const wrong: string[] = []
    for (const { number, name, value, wrong: unread } of all) {
      // Windows knows one variable of a name, in upper or lower case.
      const other = seen.get(name.toUpperCase())
      const why =
        unread ?? whyRefused(input, name, value, own) ?? (other && `${name} is set twice (first: ${other})`)
      if (why) wrong.push(`line ${number}: ${why}.`)
      seen.set(name.toUpperCase(), `${input}, line ${number}`)
      variables[name] = value
    }
    if (wrong.length > 0)
      refuse(
        new InputError(
          input,
          wrong.length === 1 ? wrong.join() : `${wrong.length} lines are not valid:\n${wrong.join('\n')}`,
          'Write one NAME=value per line. "#" begins a comment line. Quotes around a value are removed. A value in quotes can have several lines.',
        ),
      )
  }
  return variables
}

/** The values of `build-secrets` to mask, also of lines that could not be read. Throws nothing. */
export function secretValues(text: string): string[] {
  return parseLines(text).map(({ value }) => value)
}

function whyRefused(input: string, name: string, value: string, own: readonly string[]): string | null {
  if (isTokenName(name))
    return input === 'build-secrets'
      ? refuseOwn(name, value, own)
      : `${name} is a secret: set it in build-secrets`
  const refused = REFUSED.find(([pattern]) => pattern.test(name))
  return refused === undefined ? refuseOwn(name, value, own) : `${name} ${refused[1]}`
}

function refuseOwn(name: string, value: string, own: readonly string[]): string | null {
  return own.some(secret => holdsSecret(value, secret))
    ? `${name} has the value of a key of this action, which the build does not see`
    : null
}

function parseLines(text: string): Line[] {
  const rows = text.split(/\r\n|[\r\n]/)
  const lines: Line[] = []
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at]?.trim() ?? ''
    if (row === '' || row.startsWith('#')) continue
    const [, name = '', first = ''] = /^([^=]*?)\s*=\s*(.*)$/.exec(row) ?? []
    const line = { number: at + 1, name, value: first }
    const quote = /^["']/.exec(first)?.[0]
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      lines.push({ ...line, value: first || row, wrong: 'is not NAME=value' })
    else if (quote === undefined)
      lines.push({ ...line, wrong: first.includes('\0') ? `${name} contains a null character` : null })
    else {
      const whole = quoted(first, quote, rows.slice(at + 1))
      if (whole === null)
        lines.push({ ...line, wrong: `${name} begins with ${quote}, but no line ends with it` })
      else {
        lines.push({ ...line, value: whole.value, wrong: null })
        at += whole.more
      }
    }
  }
  return lines
}

/** A value in quotes, and how many of the rows that follow belong to it; null where nothing closes it. */
function quoted(
  first: string,
  quote: string,
  rows: readonly string[],
): { value: string; more: number } | null {
  if (first.length > 1 && first.endsWith(quote)) return { value: first.slice(1, -1), more: 0 }
  const last = rows.findIndex(row => row.trimEnd().endsWith(quote))
  if (last < 0) return null
  const value = [first, ...rows.slice(0, last + 1)].join('\n').trimEnd()
  return { value: value.slice(1, -1), more: last + 1 }
}
