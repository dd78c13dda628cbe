import { readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Agent, detect, LOCKS } from 'package-manager-detector'
import { ActionError } from '../errors.ts'
import { shownPath } from './paths.ts'

const NAMES = ['npm', 'pnpm', 'yarn', 'bun'] as const

export interface PackageManager {
  readonly name: (typeof NAMES)[number]
  /** With the generation where commands differ: `yarn` is classic, `yarn@berry` is 2 and later. */
  readonly agent: Agent
  /** Absolute path; null when there is none. */
  readonly lockfile: string | null
  /** Absolute path of the folder to install in. */
  readonly directory: string
  /** Who said so, for example `pnpm-lock.yaml` or `packageManager in package.json`; relative to the checkout. */
  readonly source: string
}

/** Lockfiles of the four; the library's list also has workspace files and managers that we do not run. */
const LOCKFILES = Object.entries(LOCKS).filter(
  ([file, name]) => isSupported(name) && file !== 'pnpm-workspace.yaml',
)

/**
 * The package manager of the nearest folder, from `directory` up to `root`, that has a lockfile; which of
 * several is meant, and its generation, follows from `packageManager` in a `package.json` on the way. Null
 * when nothing tells. Throws `lockfiles_conflict`, `package_manager_unsupported`.
 */
export async function detectPackageManager(options: {
  readonly root: string
  readonly directory: string
}): Promise<PackageManager | null> {
  const { root, directory } = options
  let declared: Declared | null = null
  for (const folder of foldersUp(directory, root)) {
    declared ??= await readDeclared(folder, root)
    const locks = await findLockfiles(folder)
    if (locks.length > 0) return choose(folder, locks, declared, root)
  }
  return declared && { ...declared, lockfile: null }
}

function* foldersUp(directory: string, root: string): Generator<string> {
  for (let folder = directory; ; folder = dirname(folder)) {
    yield folder
    if (folder === root || folder === dirname(folder)) return
  }
}

type Declared = Omit<PackageManager, 'lockfile'>

/** The `packageManager` or `devEngines.packageManager` of a folder's `package.json`. */
async function readDeclared(folder: string, root: string): Promise<Declared | null> {
  const source = `packageManager in ${shownPath(root, join(folder, 'package.json'))}`
  let unknown: string | null = null
  const found = await detect({
    cwd: folder,
    stopDir: folder,
    strategies: ['packageManager-field', 'devEngines-field'],
    // Not thrown here: the library takes a throw for a broken package.json and goes on.
    onUnknown: name => {
      unknown = name
      return null
    },
  })
  if (unknown !== null) throw unsupported(unknown, folder, root)
  if (found === null) return null
  const { name, agent } = found
  if (!isSupported(name)) throw unsupported(name, folder, root)
  return { name, agent, directory: folder, source }
}

async function findLockfiles(folder: string): Promise<{ file: string; name: PackageManager['name'] }[]> {
  const found = []
  for (const [file, name] of LOCKFILES)
    if (isSupported(name) && (await stat(join(folder, file)).catch(() => null))?.isFile())
      found.push({ file, name })
  return found
}

async function choose(
  folder: string,
  locks: readonly { file: string; name: PackageManager['name'] }[],
  declared: Declared | null,
  root: string,
): Promise<PackageManager> {
  const shown = (file: string) => shownPath(root, join(folder, file))
  if (declared !== null) {
    const own = locks.find(lock => lock.name === declared.name)
    return { ...declared, directory: folder, lockfile: own ? join(folder, own.file) : null }
  }
  const [first] = locks
  const other = locks.find(lock => lock.name !== first!.name)
  if (other)
    throw new ActionError(
      'lockfiles_conflict',
      `Two package managers have a lockfile: ${shown(first!.file)} (${first!.name}) and ${shown(other.file)} (${other.name}).`,
      {
        hint: 'Delete the one that is not used, or name the right one as "packageManager" in package.json.',
        at: { file: shown(other.file) },
      },
    )
  const lockfile = join(folder, first!.file)
  return {
    name: first!.name,
    agent: first!.name === 'yarn' && (await isBerryLockfile(lockfile)) ? 'yarn@berry' : first!.name,
    lockfile,
    directory: folder,
    source: shown(first!.file),
  }
}

/** Yarn 2 and later begin their lockfile with an entry about itself; classic has none. */
async function isBerryLockfile(file: string): Promise<boolean> {
  return /^__metadata:/m.test(await readFile(file, 'utf8'))
}

function isSupported(name: string): name is PackageManager['name'] {
  return (NAMES as readonly string[]).includes(name)
}

function unsupported(name: string, folder: string, root: string): ActionError {
  return new ActionError(
    'package_manager_unsupported',
    `package.json asks for the package manager "${name}".`,
    {
      hint: 'This action runs npm, pnpm, yarn and bun. Build in a step before, and give build: false.',
      at: { file: shownPath(root, join(folder, 'package.json')) },
    },
  )
}
