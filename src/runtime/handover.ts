/**
 * A process cannot take its first environment back: whoever runs as the same user reads the tokens in it from
 * `/proc/<pid>/environ`, and so can every build. So the process is replaced by one that never had them in its
 * environment; it reads them from standard input, a file without a name, which is empty from then on.
 */
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'

type Environment = Readonly<Record<string, string | undefined>>

/** The argument that marks the new process, whose standard input has the environment. */
export const HANDED_OVER = '--handed-over'

/** A debugger asks no user for a password: this signal would open one, and a build may send it. */
const NO_DEBUGGER = '--disable-sigusr1'

export interface Handover {
  readonly all: Environment
  readonly open: Record<string, string>
  readonly flags: readonly string[]
  readonly more: readonly string[]
  /** Where the environment may be kept: the first that takes it. */
  readonly folders: readonly string[]
}

/**
 * Replaces this process by `node script`, with `open` as its environment, `all` for `takeOver`, `flags` for Node and
 * `more` as arguments. Returns where that is not possible: Windows cannot replace a process.
 */
export function handOver(script: string, { all, open, flags, more, folders }: Handover): void {
  if (process.platform === 'win32' || process.execve === undefined) return
  const noDebugger = process.allowedNodeEnvironmentFlags.has(NO_DEBUGGER) ? [NO_DEBUGGER] : []
  closeSync(0)
  for (const folder of folders) {
    const file = openUnnamed(folder)
    if (file === null) continue
    if (!fills(file, JSON.stringify(all))) {
      closeSync(file)
      continue
    }
    // The lowest number that is free: only standard input outlives the replacement.
    if (file === 0)
      process.execve(
        process.execPath,
        [process.execPath, ...process.execArgv, ...noDebugger, ...flags, script, HANDED_OVER, ...more],
        open,
      )
    closeSync(file)
    break
  }
  openSync('/dev/null', 'r')
}

/** A file that nobody else can open by a name; null where the folder takes none. */
function openUnnamed(folder: string): number | null {
  const path = join(folder, `capgo-publish-${process.pid}-${Math.random().toString(36).slice(2)}`)
  try {
    const file = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600)
    unlinkSync(path)
    return file
  } catch {
    return null
  }
}

/** False where the text does not fit. */
function fills(file: number, text: string): boolean {
  try {
    writeFileSync(file, text)
    return true
  } catch {
    return false
  }
}

/** Gives this process the environment that `handOver` kept; can be done once. */
export function takeOver(env: NodeJS.ProcessEnv): void {
  const bytes = Buffer.alloc(fstatSync(0).size)
  for (let at = 0; at < bytes.length; ) at += readSync(0, bytes, at, bytes.length - at, at)
  ftruncateSync(0, 0)
  const all = JSON.parse(bytes.toString('utf8')) as Record<string, string>
  for (const name of Object.keys(env)) if (!(name in all)) delete env[name]
  Object.assign(env, all)
}
