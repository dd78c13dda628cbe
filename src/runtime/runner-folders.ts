/** Folders of the runner that a run needs, and what takes their place where they cannot be used. */
import { constants } from 'node:fs'
import { access, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { ActionError } from '../errors.ts'

/** A folder that does not take this much is full. */
const PROBE = Buffer.alloc(1024 * 1024)

/**
 * A new folder in the first of `folders` that can be written to; `notes` say why the ones before it were left out.
 * Throws `temp_unusable`.
 */
export async function makeScratch(
  folders: readonly string[],
): Promise<{ readonly scratch: string; readonly notes: readonly string[] }> {
  const notes: string[] = []
  for (const folder of new Set(folders)) {
    let scratch: string | null = null
    try {
      scratch = await mkdtemp(join(folder, 'capgo-publish-'))
      const probe = join(scratch, 'probe')
      await writeFile(probe, PROBE)
      await rm(probe)
      return { scratch, notes }
    } catch (error) {
      if (scratch !== null) await rm(scratch, { recursive: true, force: true }).catch(() => {})
      notes.push(`The temporary folder ${folder} cannot be used (${(error as Error).message}).`)
    }
  }
  throw new ActionError('temp_unusable', notes.join(' '), {
    hint: "The bundle is written to RUNNER_TEMP, or else to the system's temporary folder. Free some space, or allow the user of this step to write there. In a container job set options: --user 1001 on GitHub's machines, or use root.",
  })
}

/**
 * A home folder that package managers can write to, in `scratch`; null where the user's own will do. In a container job
 * HOME often belongs to another user. Its plain files (.npmrc, .gitconfig) are seen in the new one too.
 */
export async function replaceHome(
  home: string | undefined,
  scratch: string,
): Promise<{ readonly home: string; readonly note: string } | null> {
  const own = home || systemHome()
  const why = own === null ? 'HOME is not set' : await unwritable(own)
  if (why === null) return null
  const instead = join(scratch, 'home')
  await mkdir(instead)
  if (own !== null)
    for (const entry of await readdir(own, { withFileTypes: true }).catch(() => []))
      if (entry.isFile()) await symlink(join(own, entry.name), join(instead, entry.name))
  return {
    home: instead,
    note: `HOME is not writable (${why}). Install and build use another home folder, with links to its files.`,
  }
}

/** The checkout's folder. Throws `workspace_unusable`. */
export async function requireWorkspace(folder: string): Promise<string> {
  const why = await refusedAccess(folder, constants.R_OK | constants.X_OK)
  if (why !== null) throw workspaceUnusable(`The workspace cannot be read (${why}).`)
  return folder
}

export function workspaceUnusable(what: string, output?: string): ActionError {
  return new ActionError('workspace_unusable', what, {
    hint: "Check the repository out in an earlier step. In a container job the workspace belongs to the user of the runner. Start the container as that user (options: --user 1001 on GitHub's machines), or as root.",
    ...(output === undefined ? {} : { output }),
  })
}

/** Why the folder cannot be written to; null where it can. */
export const unwritable = (folder: string) => refusedAccess(folder, constants.W_OK | constants.X_OK)

async function refusedAccess(folder: string, mode: number): Promise<string | null> {
  try {
    if (!(await stat(folder)).isDirectory()) return `${folder} is not a folder`
    await access(folder, mode)
    return null
  } catch (error) {
    return (error as Error).message
  }
}

/** Of a user who has no entry in the system's list there is none. */
function systemHome(): string | null {
  try {
    return homedir()
  } catch {
    return null
  }
}
