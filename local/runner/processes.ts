import { readFileSync } from 'node:fs'

/** A running process as every other one of the same user sees it. */
export interface SeenProcess {
  readonly pid: number
  readonly commandLine: string
  readonly environment: string
}

const INTERVAL = 15

/**
 * Looks again and again at a process and all that it has started, while they run, and reports each command line
 * once. The process itself is reported once it has children, which can read it then. Linux only.
 */
export function watchProcesses(root: number, onProcess: (seen: SeenProcess) => void): { stop(): void } {
  if (process.platform !== 'linux') return { stop() {} }
  const told = new Set<string>()
  const look = (pid: number) => {
    const commandLine = read(pid, 'cmdline')
    const key = `${pid} ${commandLine}`
    if (commandLine === '' || told.has(key)) return
    told.add(key)
    onProcess({ pid, commandLine, environment: read(pid, 'environ') })
  }
  const timer = setInterval(() => {
    const pids = [root]
    for (const pid of pids) pids.push(...childrenOf(pid))
    if (pids.length > 1) for (const pid of pids) look(pid)
  }, INTERVAL)
  return { stop: () => clearInterval(timer) }
}

function childrenOf(pid: number): number[] {
  return read(pid, `task/${pid}/children`).split(' ').filter(Boolean).map(Number)
}

/** Empty for a process that is gone. */
function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}
