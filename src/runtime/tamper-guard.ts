/** Files that no build may change. */
import { lstat, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ActionError } from '../errors.ts'

/** A file that no build has business with. */
export interface GuardedFile {
  /** Absolute. */
  readonly path: string
  /** For messages: `GITHUB_ENV`, `this action's dist/index.js`. */
  readonly what: string
}

/** Throws `build_tampered`, after putting everything back. */
export type RequireUntouched = () => Promise<void>

/**
 * Remembers files that belong to the runner and to this action. A build runs as the same user and can find them,
 * although none is named to it: whatever it writes there would have power over the steps that follow.
 */
export async function guardFiles(files: readonly GuardedFile[]): Promise<RequireUntouched> {
  const kept = await Promise.all(files.map(async file => ({ ...file, content: await read(file.path) })))
  return async () => {
    const touched: string[] = []
    let isBack = true
    for (const { path, what, content } of kept) {
      const now = await read(path)
      if (content === null ? now === null : now?.equals(content)) continue
      touched.push(what)
      isBack = (await putBack(path, content)) && isBack
    }
    if (touched.length === 0) return
    throw new ActionError(
      'build_tampered',
      `A program in this job changed files of the runner or of this action: ${touched.join(', ')}.`,
      {
        hint: `${isBack ? 'The files were restored.' : 'The files could not be restored.'} Such a change lets a build, or a package that it uses, control the later steps. Find the program that did it. Until then treat the job's secrets as stolen.`,
      },
    )
  }
}

/** Whether that was possible: another user's folder takes no file. */
async function putBack(path: string, content: Buffer | null): Promise<boolean> {
  try {
    await rm(path, { recursive: true, force: true })
    if (content === null) return true
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, content, { flag: 'wx' })
    return true
  } catch {
    return false
  }
}

/** Null without a plain file, and for one that this user cannot read. */
async function read(path: string): Promise<Buffer | null> {
  const found = await lstat(path).catch(() => null)
  if (!found?.isFile()) return null
  try {
    return await readFile(path)
  } catch (error) {
    // Any other reason says nothing of the file: it must not be taken for one that somebody removed.
    if (/^(EACCES|EPERM)$/.test((error as NodeJS.ErrnoException).code ?? '')) return null
    throw error
  }
}
