/** Which package manager the repository uses. */
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Agent, LOCKS } from 'package-manager-detector'
import { ActionError } from '../errors.ts'
import { foldersUp, shownPath } from '../runtime/paths.ts'
import { type Manifest, readManifest } from './package-json.ts'

const NAMES = ['npm', 'pnpm', 'yarn', 'bun'] as const

export interface PackageManager {
  readonly name: (typeof NAMES)[number]
  /** With the generation where commands differ: `yarn` is classic, `yarn@berry` is 2 and later. */
  readonly agent: Agent
  /** Absolute path; null when there is none. */
  readonly lockfile: string | null
  /** Absolute path of the folder to install in. */
  readonly directory: string
  /** The source, for example `pnpm-lock.yaml` or `packageManager in package.json`; relative to the checkout. */
  readonly source: string
}

/** Lockfiles of the four; the library's list also has workspace files and managers that we do not run. */
const LOCKFILES = Object.entries(LOCKS).filter(
  ([file, name]) => isSupported(name) && file !== 'pnpm-workspace.yaml',
)

/**
 * The package manager of the nearest folder, from `directory` up to `root`, that has a lockfile; which of
 * several is meant, and its generation, follows from `packageManager` in a `package.json` on the way. Null
 * when unknown. Throws `lockfiles_conflict`, `package_manager_unsupported`.
 */
export async function detectPackageManager(options: {
  readonly root: string
  readonly directory: string
}): Promise<PackageManager | null> {
  const { root, directory } = options
  let declared: DeclaredManager | null = null
  for (const folder of foldersUp(directory, root)) {
    declared ??= await readDeclared(folder, root)
    const locks = await findLockfiles(folder)
    const [first] = locks
    if (first === undefined) continue
    if (declared === null) return byLockfile(first, locks, folder, root)
    const own = locks.find(lock => lock.name === declared?.name)
    return { ...declared, directory: folder, lockfile: own ? join(folder, own.file) : null }
  }
  return declared && { ...declared, lockfile: null }
}

type DeclaredManager = Omit<PackageManager, 'lockfile'>

/**
 * The `packageManager` or `devEngines.packageManager` of a folder's `package.json`. Of several that the latter allows,
 * the first one with a lockfile in the folder, else the first that this action runs.
 */
async function readDeclared(folder: string, root: string): Promise<DeclaredManager | null> {
  const manifest = await readManifest(folder, root)
  const wanted = manifest === null ? [] : wantedManagers(manifest)
  const [first] = wanted
  if (first === undefined) return null
  const locks = await findLockfiles(folder)
  const own = wanted.filter(({ name }) => isSupported(name))
  const chosen = own.find(({ name }) => locks.some(lock => lock.name === name)) ?? own[0]
  if (chosen === undefined || !isSupported(chosen.name)) throw unsupported(first.name, folder, root)
  const { name, version } = chosen
  const source = `packageManager in ${shownPath(root, join(folder, 'package.json'))}`
  return { name, agent: generation(name, version), directory: folder, source }
}

/** `pnpm@9.1.0+sha512.abc`, or what npm's `devEngines` names: one, or a list of which any will do. */
function wantedManagers({ packageManager, devEngines }: Manifest): { name: string; version: string }[] {
  if (packageManager !== undefined) {
    const [name = '', version = ''] = packageManager.replace(/^\^/, '').split('@')
    return [{ name, version }]
  }
  return [devEngines?.packageManager].flat().flatMap(each => {
    const { name, version } = (each ?? {}) as { name?: unknown; version?: unknown }
    return typeof name === 'string' ? [{ name, version: typeof version === 'string' ? version : '' }] : []
  })
}

/** Yarn 2 and later, and pnpm before 7, take other commands. Without a number it is the one that people have. */
function generation(name: PackageManager['name'], version: string): Agent {
  const major = Number(/\d+/.exec(version)?.[0] ?? Number.NaN)
  if (name === 'yarn' && major > 1) return 'yarn@berry'
  return name === 'pnpm' && major < 7 ? 'pnpm@6' : name
}

interface Lockfile {
  readonly file: string
  readonly name: PackageManager['name']
}

async function findLockfiles(folder: string): Promise<Lockfile[]> {
  const found = []
  for (const [file, name] of LOCKFILES)
    if (isSupported(name) && (await stat(join(folder, file)).catch(() => null))?.isFile())
      found.push({ file, name })
  return found
}

async function byLockfile(
  { file, name }: Lockfile,
  all: readonly Lockfile[],
  folder: string,
  root: string,
): Promise<PackageManager> {
  const shown = (file: string) => shownPath(root, join(folder, file))
  const other = all.find(lock => lock.name !== name)
  if (other)
    throw new ActionError(
      'lockfiles_conflict',
      `Two package managers have a lockfile: ${shown(file)} (${name}) and ${shown(other.file)} (${other.name}).`,
      {
        hint: 'Delete the lockfile that is not used, or set "packageManager" in package.json.',
        at: { file: shown(other.file) },
      },
    )
  const lockfile = join(folder, file)
  const agent = name === 'yarn' && (await isBerryLockfile(lockfile)) ? 'yarn@berry' : name
  return { name, agent, lockfile, directory: folder, source: shown(file) }
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
      hint: 'This action runs npm, pnpm, yarn and bun. Build in an earlier step and set build: false.',
      at: { file: shownPath(root, join(folder, 'package.json')) },
    },
  )
}
