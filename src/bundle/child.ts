import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { delimiter, isAbsolute, join } from 'node:path'
import { StringDecoder } from 'node:string_decoder'
import { stripVTControlCharacters } from 'node:util'
import { exec } from '@actions/exec'
import { ActionError } from '../errors.ts'

/** A child process gets exactly the environment it is given. */
export interface ChildOptions {
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** Called for every line of its standard output and standard error. */
  readonly onOutput?: ((line: string) => void) | undefined
}

/** Enough for what npm says of a lockfile that does not match, which it follows with 80 lines of usage. */
const TAIL_LINES = 120
const TAIL_CHARACTERS = 8192
/** A longer line is given in pieces, so that a child cannot fill the memory. */
const LINE_CHARACTERS = 65536

/**
 * Runs a program found on the `PATH` of `env`, without a shell and with nothing on its standard input.
 * `tail` is the end of what it said, without colours. Throws `program_missing`; never because of an exit code.
 */
export async function runChild(
  command: string,
  args: readonly string[],
  options: ChildOptions,
): Promise<{ exitCode: number; tail: string }> {
  const program = await findProgram(command, options.env)
  let count = 0
  // An end for each stream: they race, and a flood on the one must not wash away the error on the other.
  const listen = () => {
    const end: { readonly at: number; readonly line: string }[] = []
    const lines = new Lines(line => {
      options.onOutput?.(line)
      if (end.push({ at: count++, line: stripVTControlCharacters(line) }) > TAIL_LINES) end.shift()
    })
    return { lines, end }
  }
  const stdout = listen()
  const stderr = listen()
  const exitCode = await exec(...withoutInput(program, args), {
    cwd: options.cwd,
    env: { ...options.env },
    silent: true,
    ignoreReturnCode: true,
    listeners: { stdout: data => stdout.lines.push(data), stderr: data => stderr.lines.push(data) },
  })
  stdout.lines.end()
  stderr.lines.end()
  const tail = [...stdout.end, ...stderr.end].sort((a, b) => a.at - b.at).map(({ line }) => line)
  return { exitCode, tail: tail.join('\n').slice(-TAIL_CHARACTERS) }
}

/**
 * The command line with an empty standard input: a question (corepack, yarn) then fails instead of waiting
 * forever. Not the toolkit's option `input`: a child that ends before it is written to (git does) makes that
 * an unhandled EPIPE. The shell sees a constant script; program and arguments are data to it.
 */
function withoutInput(program: string, args: readonly string[]): [string, string[]] {
  return process.platform === 'win32'
    ? [`"${program}"`, [...args]]
    : ['/bin/sh', ['-c', 'exec "$0" "$@" </dev/null', program, ...args]]
}

/** Absolute path of a program. Throws `program_missing`. */
async function findProgram(name: string, env: Readonly<Record<string, string>>): Promise<string> {
  if (isAbsolute(name)) return name
  const read = (variable: string) => Object.entries(env).find(([key]) => key.toUpperCase() === variable)?.[1]
  const windows = process.platform === 'win32'
  const endings = windows ? (read('PATHEXT') ?? '.COM;.EXE;.BAT;.CMD').split(';') : ['']
  for (const folder of (read('PATH') ?? '').split(delimiter))
    for (const ending of endings) {
      const path = join(folder, name + ending)
      if (isAbsolute(path) && (await isProgram(path))) return path
    }
  throw new ActionError('program_missing', `The program "${name}" is not on the PATH.`, {
    hint: `Install ${name} in a step before this action.`,
  })
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK)
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}

/** Cuts a byte stream into lines. A line that is redrawn with carriage returns counts as it was last. */
class Lines {
  readonly #decoder = new StringDecoder('utf8')
  readonly #onLine: (line: string) => void
  #rest = ''

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine
  }

  push(data: Buffer): void {
    const lines = (this.#rest + this.#decoder.write(data)).split('\n')
    this.#rest = lines.pop()!
    for (const line of lines) this.#emit(line)
    if (this.#rest.length > LINE_CHARACTERS) this.#flush()
  }

  end(): void {
    this.#rest += this.#decoder.end()
    if (this.#rest !== '') this.#flush()
  }

  #flush(): void {
    this.#emit(this.#rest)
    this.#rest = ''
  }

  #emit(line: string): void {
    this.#onLine(line.replace(/\r+$/, '').replace(/^.*\r/s, ''))
  }
}
