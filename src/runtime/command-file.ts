/** The files through which a step speaks to the runner (actions/runner, `FileCommandManager.cs`). */
import { randomUUID } from 'node:crypto'
import { appendFileSync, statSync, truncateSync } from 'node:fs'

/** Outputs as `GITHUB_OUTPUT` has them. */
export function keyValueLines(values: Readonly<Record<string, string>>): string {
  // Nobody can guess where a value ends.
  const end = `end_${randomUUID()}`
  return Object.entries(values)
    .map(([name, value]) => `${name}<<${end}\n${value}\n${end}\n`)
    .join('')
}

/** Appends the text, or leaves the file as it was and throws: for half an output the runner fails the step. */
export function appendWhole(path: string, text: string): void {
  const before = statSync(path, { throwIfNoEntry: false })
  try {
    appendFileSync(path, text)
  } catch (error) {
    if (before?.isFile()) truncateSync(path, before.size)
    throw error
  }
}
