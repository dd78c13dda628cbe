// A measurement in a process of its own.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

export const MB = 1_000_000
export const say = (text: string) => process.stderr.write(`${text}\n`)

/** Runs bench/uploads.ts as a child with the words, and returns what it tells of itself. */
export async function child<T>(...words: string[]): Promise<T> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(import.meta.dirname, 'uploads.ts'), ...words],
    {
      maxBuffer: 1 << 26,
    },
  )
  return JSON.parse(stdout) as T
}

/** What this process took, to its parent. */
export function tell(more: object): void {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
  process.stdout.write(
    JSON.stringify({ ...more, cpu: (userCPUTime + systemCPUTime) / 1e6, memory: maxRSS * 1024 }),
  )
}
