import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeScratch } from '../local/runner/scratch.ts'

export interface Usage {
  /** Seconds of processor, user and system, of the process and all that it started and waited for. */
  readonly cpu: number
  /** Peak of the resident memory of the largest process of Node, bytes. */
  readonly memory: number
}

/**
 * Runs in every process of Node beside the program: at its end it says what it took. The peak comes from /proc where
 * there is one: getrusage also counts what the parent had when it forked.
 */
const PRELOAD = `
const { appendFileSync, readFileSync } = require('node:fs')
if (require('node:worker_threads').isMainThread)
  process.once('exit', () => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
    let cpu = (userCPUTime + systemCPUTime) / 1e6
    let memory = maxRSS * 1024
    if (process.platform === 'linux') {
      const stat = readFileSync('/proc/self/stat', 'utf8')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      // cutime and cstime: the children that were waited for, in hundredths of a second.
      cpu += (Number(fields[13]) + Number(fields[14])) / 100
      memory = Number(/VmHWM:\\s*(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024
    }
    appendFileSync(process.env.BENCH_USAGE, JSON.stringify({ cpu, memory }) + '\\n')
  })
`

let folder = ''

/** For the environment of what is measured. */
export function measuring(): Record<'NODE_OPTIONS' | 'BENCH_USAGE', string> {
  if (folder === '') {
    folder = makeScratch('bench-usage')
    writeFileSync(join(folder, 'preload.cjs'), PRELOAD)
  }
  rmSync(join(folder, 'usage'), { force: true })
  return {
    NODE_OPTIONS: `--require=${join(folder, 'preload.cjs')}`,
    BENCH_USAGE: join(folder, 'usage'),
  }
}

/** What was measured since `measuring`; null when no process came to its end. */
export function readUsage(): Usage | null {
  const file = join(folder, 'usage')
  if (!existsSync(file)) return null
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  const all = lines.map(line => JSON.parse(line) as Usage)
  // The first process ends last, and has counted the others' time.
  return { cpu: all.at(-1)!.cpu, memory: Math.max(...all.map(({ memory }) => memory)) }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
