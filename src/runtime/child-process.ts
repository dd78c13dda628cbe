/** Runs programs, and ends them with all that they started. */
import type { ChildProcess, StdioOptions } from 'node:child_process'
import { spawnSync } from 'node:child_process'
import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { delimiter, isAbsolute, join } from 'node:path'
import { StringDecoder } from 'node:string_decoder'
import { setTimeout as sleep } from 'node:timers/promises'
import { stripVTControlCharacters } from 'node:util'
import spawn from 'cross-spawn'
import { ActionError } from '../errors.ts'

/** A child process gets exactly the environment it is given. */
export interface ChildOptions {
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** Ends the child, and with it everything that it started, as soon as this is aborted. */
  readonly signal?: AbortSignal | undefined
  /** Called for every line of its standard output and standard error. */
  readonly onOutput?: ((line: string) => void) | undefined
}

/** Enough for what npm says of a lockfile that does not match, which it follows with 80 lines of usage. */
const TAIL_LINES = 120
const TAIL_CHARACTERS = 8192
/** A longer line is given in pieces, so that a child cannot fill the memory, nor the log with one line. */
const LINE_CHARACTERS = 65536

/** Nobody ends the child. */
const NEVER = new AbortController().signal
/** Time for a child to end by itself before it is killed. */
const GRACE = 2_000
/** Time to read what was written; a process that the child left behind may keep its pipes open for ever. */
const PIPES_CLOSE_WITHIN = 2_000

/**
 * Runs a program found on the `PATH` of `env`, without a shell and with nothing on its standard input: a question
 * (corepack, yarn) then fails instead of waiting for ever. `end` is how it ended (`exit code 1`,
 * `signal SIGKILL`), `tail` is the end of what it said, without colours. Throws `program_missing`, and the signal's reason; never because of an exit code.
 */
export async function runChild(
  command: string,
  args: readonly string[],
  options: ChildOptions,
): Promise<{ exitCode: number | null; end: string; tail: string }> {
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
  const { code, killedBy } = await runProgram(
    program,
    args,
    { ...options, stdio: ['ignore', 'pipe', 'pipe'] },
    child => {
      child.stdout?.on('data', data => stdout.lines.push(data))
      child.stderr?.on('data', data => stderr.lines.push(data))
    },
  )
  stdout.lines.end()
  stderr.lines.end()
  const tail = [...stdout.end, ...stderr.end].sort((a, b) => a.at - b.at).map(({ line }) => line)
  const end = killedBy === null ? `exit code ${code}` : `signal ${killedBy}`
  return { exitCode: code, end, tail: tail.join('\n').slice(-TAIL_CHARACTERS) }
}

/**
 * Runs a program (absolute path) in a process group of its own, so that it ends together with all that it started.
 * `onStart` gets the process as soon as it is there. Throws the signal's reason once nothing of the group is left.
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  {
    cwd,
    env,
    signal = NEVER,
    stdio,
  }: Pick<ChildOptions, 'cwd' | 'env' | 'signal'> & { readonly stdio: StdioOptions },
  onStart: (child: ChildProcess) => void,
): Promise<{ code: number | null; killedBy: NodeJS.Signals | null }> {
  signal.throwIfAborted()
  // cross-spawn: Windows runs npm.cmd through cmd.exe alone, for which it quotes the arguments.
  const child = spawn(program, [...args], {
    cwd,
    env: { ...env },
    stdio,
    detached: process.platform !== 'win32',
    windowsHide: true,
  })
  const exited = Promise.withResolvers<{ code: number | null; killedBy: NodeJS.Signals | null }>()
  const closed = Promise.withResolvers<void>()
  child.once('error', exited.reject)
  child.once('exit', (code, killedBy) => exited.resolve({ code, killedBy }))
  child.once('close', () => closed.resolve())
  const killNow = () => killGroup(child, 'SIGKILL')
  // The process may be ended from outside, too.
  process.once('exit', killNow)
  const stopped = Promise.withResolvers<never>()
  stopped.promise.catch(() => {})
  const stop = () => endGroup(child).then(() => stopped.reject(signal.reason), stopped.reject)
  signal.addEventListener('abort', stop, { once: true })
  try {
    onStart(child)
    const end = await Promise.race([exited.promise, stopped.promise])
    await Promise.race([
      closed.promise,
      stopped.promise,
      sleep(PIPES_CLOSE_WITHIN, undefined, { ref: false }),
    ])
    // Its end may be that of the stop.
    if (signal.aborted) await stopped.promise
    return end
  } finally {
    process.off('exit', killNow)
    signal.removeEventListener('abort', stop)
    for (const stream of child.stdio) stream?.destroy()
  }
}

/** Asks every process of the group to end, and kills those that do not. */
async function endGroup(child: ChildProcess): Promise<void> {
  killGroup(child, 'SIGTERM')
  for (let waited = 0; waited < GRACE; waited += 50) {
    if (!isAlive(child)) return
    await sleep(50)
  }
  killGroup(child, 'SIGKILL')
  for (let waited = 0; waited < 500 && isAlive(child); waited += 50) await sleep(50)
}

function isAlive({ pid, exitCode, signalCode }: ChildProcess): boolean {
  if (pid === undefined) return false
  if (process.platform === 'win32') return exitCode === null && signalCode === null
  return sendSignal(-pid, 0)
}

function killGroup({ pid }: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (pid === undefined) return
  // Windows knows no groups and no polite request; the children of a process are found by their parent.
  if (process.platform === 'win32')
    spawnSync('taskkill', ['/pid', String(pid), '/t', '/f'], {
      stdio: 'ignore',
      timeout: GRACE,
      windowsHide: true,
    })
  else sendSignal(-pid, signal)
}

/** False when there is nobody to get it. */
function sendSignal(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
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
    hint: `Install ${name} in an earlier step.`,
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
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#emit(line)
    // A longer one is not kept until it ends.
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
    const shown = line.replace(/\r+$/, '').replace(/^.*\r/s, '')
    for (let at = 0; at === 0 || at < shown.length; at += LINE_CHARACTERS)
      this.#onLine(shown.slice(at, at + LINE_CHARACTERS))
  }
}
