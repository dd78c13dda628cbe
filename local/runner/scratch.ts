import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const tasks = new Set<() => void>()

if (process.env.VITEST === undefined) {
  process.once('exit', cleanUp)
  process.once('SIGINT', () => process.exit(130))
  process.once('SIGTERM', () => process.exit(143))
} else {
  // Vitest ends its workers without an exit event.
  const { afterAll } = await import('vitest')
  afterAll(cleanUp)
}

/** At the end of the test file, or of the process. */
export function atEnd(task: () => void): void {
  tasks.add(task)
}

function cleanUp(): void {
  for (const task of tasks) task()
  tasks.clear()
}

/** A new empty folder outside of the project; gone at the end, or with `removeScratch`. */
export function makeScratch(name: string): string {
  const folder = mkdtempSync(join(realpathSync.native(tmpdir()), `${name}-`))
  atEnd(() => removeScratch(folder))
  return folder
}

export function removeScratch(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
}
