import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'vitest'
import { makeScratch } from '../../../local/runner/scratch.ts'
import { ActionError } from '../../../src/errors.ts'

/** A new folder with these files. Objects are written as JSON. */
export function makeProject(files: Record<string, string | Buffer | object>): string {
  const root = makeScratch('project')
  for (const [path, content] of Object.entries(files)) writeIn(root, path, content)
  return root
}

export function writeIn(root: string, path: string, content: string | Buffer | object): string {
  const file = join(root, path)
  mkdirSync(dirname(file), { recursive: true })
  const raw = typeof content === 'string' || Buffer.isBuffer(content)
  writeFileSync(file, raw ? content : JSON.stringify(content, null, 2))
  return file
}

/** A program of this name that is the given shell script; returns the folder to put on the PATH. */
export function writeProgram(root: string, name: string, script: string): string {
  const file = writeIn(root, `bin/${name}`, `#!/bin/sh\n${script}\n`)
  chmodSync(file, 0o755)
  return dirname(file)
}

/** Name, message, hint and place of the error that this promise ends with. */
export async function failure(promise: Promise<unknown>): Promise<ActionError> {
  const error = await promise.then(
    value => {
      throw new Error(`Expected a failure, got ${JSON.stringify(value)}`)
    },
    (reason: unknown) => reason,
  )
  if (!(error instanceof ActionError)) throw error
  expect(error.hint, 'every error has a hint').toBeTruthy()
  return error
}
