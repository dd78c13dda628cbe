/** Whether what is installed is what the lockfile says, by the state file that each package manager leaves behind. */
import { lstat, readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parse } from 'jsonc-parser'
import type { Manifest } from './package-json.ts'
import type { PackageManager } from './package-manager.ts'

/** Identity (with the version) of each package, by a key that the state file and the lockfile share. */
type Packages = ReadonlyMap<string, string>

interface StateFile {
  /** Below `node_modules`; `.pnp.cjs` stands beside it. */
  readonly file: string
  readonly manager: PackageManager['name']
  readonly installed: (state: string) => Packages
  readonly locked: (lockfile: string) => Packages
}

const STATE_FILES: readonly StateFile[] = [
  { file: '.package-lock.json', manager: 'npm', installed: readNpm, locked: readNpm },
  { file: '.pnpm/lock.yaml', manager: 'pnpm', installed: readPnpm, locked: readPnpm },
  { file: '.yarn-integrity', manager: 'yarn', installed: readIntegrity, locked: readClassic },
  { file: '.yarn-state.yml', manager: 'yarn', installed: readBerryState, locked: readBerry },
  { file: '.pnp.cjs', manager: 'yarn', installed: readPnp, locked: readBerry },
]

/** The first package that is installed and that the lockfile has otherwise, or not at all; null when none is. Pure. */
export function findStale(stateFile: string, state: string, lockfile: string): string | null {
  const kind = STATE_FILES.find(({ file }) => file === stateFile)
  if (kind === undefined) return null
  const locked = kind.locked(lockfile)
  // A lockfile of another generation says nothing of this state; npm's may name no package of a registry.
  if (locked.size === 0 && (kind.manager !== 'npm' || !lockfile.includes('"packages"'))) return null
  for (const [key, identity] of kind.installed(state)) if (locked.get(key) !== identity) return key
  return null
}

interface Place {
  readonly manifest: Manifest
  readonly manager: Pick<PackageManager, 'name' | 'directory' | 'lockfile'> | null
  /** Absolute path: nothing above it counts. */
  readonly root: string
  readonly env: Readonly<Record<string, string>>
}

/** Nothing is installed. */
export const NOTHING = 'node_modules has no packages.'

/** Why the dependencies have to be installed, as a sentence; null when they are as the lockfile says. */
export async function whyInstall({ manifest, manager, root, env }: Place): Promise<string | null> {
  const own = dirname(manifest.file)
  const folder = manager?.directory ?? own
  const lockfile = manager?.lockfile == null ? null : await readFile(manager.lockfile, 'utf8')
  const pnp = await readFile(join(folder, '.pnp.cjs'), 'utf8').catch(() => null)
  if (!(await hasPackages(folder)) && !(await hasPackages(own)))
    return pnp === null ? NOTHING : whyInstallPnp(folder, pnp, lockfile ?? '')
  if (manager === null || lockfile === null) return null
  const modules = join(folder, 'node_modules')
  const state = await findState(modules)
  // Packages installed by hand or by another manager cannot be compared with this lockfile.
  if (state === null ? manager.name !== 'bun' : state.manager !== manager.name) return null
  const stale =
    state === null ? await findStaleBun(modules, lockfile) : findStale(state.file, state.text, lockfile)
  if (stale !== null) return sayStale('node_modules', stale)
  const lacking = [
    ...(await missingOf(manifest.dependencies, manifest, root)),
    ...(leavesDevOut(env) ? [] : await missingDev(manifest, root)),
  ]
  return lacking.length === 0 ? null : `node_modules has no ${lacking.slice(0, 3).join(', ')}.`
}

function sayStale(what: string, name: string): string {
  return `${what} does not match the lockfile: ${name} differs.`
}

async function findState(
  modules: string,
): Promise<{ file: string; manager: PackageManager['name']; text: string } | null> {
  for (const { file, manager } of STATE_FILES) {
    const text = await readFile(join(modules, file), 'utf8').catch(() => null)
    if (text !== null) return { file, manager, text }
  }
  return null
}

/** Yarn's way without `node_modules`. The file may be committed, and what it names not be there. */
async function whyInstallPnp(folder: string, pnp: string, lockfile: string): Promise<string | null> {
  const stale = findStale('.pnp.cjs', pnp, lockfile)
  if (stale !== null) return sayStale('.pnp.cjs', stale)
  // Without the zip, the loader fails: the folder was perhaps made on another system.
  for (const [, zip = ''] of pnp.matchAll(/"packageLocation": "([^"]+\.zip)\//g))
    if (!zip.includes('/__virtual__/') && !(await exists(join(folder, zip))))
      return `.pnp.cjs names ${zip}, which is missing.`
  return null
}

/** Bun leaves no state: the packages themselves say their versions. */
async function findStaleBun(modules: string, lockfile: string): Promise<string | null> {
  for (const [key, identity] of readBun(lockfile)) {
    const own = await readFile(join(modules, key, 'package.json'), 'utf8').catch(() => '{}')
    const { version } = readJson(own) as { version?: unknown }
    if (typeof version === 'string' && !identity.endsWith(`@${version}`)) return key
  }
  return null
}

/** `devDependencies` that are not installed, though other dependencies are. */
export function missingDev({ file, devDependencies }: Manifest, root: string): Promise<string[]> {
  return missingOf(devDependencies, { file }, root)
}

/** npm and yarn 1 leave them out then. */
export function leavesDevOut(env: Readonly<Record<string, string>>): boolean {
  const of = (name: string) => Object.entries(env).find(([key]) => key.toLowerCase() === name)?.[1] ?? ''
  return (
    of('node_env') === 'production' ||
    /\bdev\b/.test(of('npm_config_omit')) ||
    /^(true|1)$/.test(of('npm_config_production')) ||
    /^prod/.test(of('npm_config_only'))
  )
}

/** Dependencies that stand in no `node_modules` of their folder or of those above it. */
async function missingOf(
  dependencies: Readonly<Record<string, string>> = {},
  { file, optionalDependencies = {} }: Pick<Manifest, 'file' | 'optionalDependencies'>,
  root: string,
): Promise<string[]> {
  const missing: string[] = []
  for (const name of Object.keys(dependencies))
    if (!Object.hasOwn(optionalDependencies, name) && !(await isFound(name, dirname(file), root)))
      missing.push(name)
  return missing
}

async function isFound(name: string, directory: string, root: string): Promise<boolean> {
  for (let folder = directory; ; folder = dirname(folder)) {
    if (await exists(join(folder, 'node_modules', name))) return true
    if (await exists(join(folder, '.pnp.cjs'))) return true
    if (folder === root || folder === dirname(folder)) return false
  }
}

/** Tools keep caches there, in folders with a dot. */
async function hasPackages(folder: string): Promise<boolean> {
  const names = await readdir(join(folder, 'node_modules')).catch(() => [])
  const states = STATE_FILES.flatMap(({ file }) => file.split('/').slice(0, 1))
  return names.some(name => !name.startsWith('.') || states.includes(name))
}

/** Also a link that leads nowhere. */
async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null)) !== null
}

/** `package-lock.json` and npm's own copy of it, from which it leaves out what is not for this system. */
function readNpm(text: string): Packages {
  const { packages = {} } = readJson(text) as {
    packages?: Record<string, { version?: string; resolved?: string; integrity?: string; link?: boolean }>
  }
  const found = Object.entries(packages).filter(([key, { link }]) => key.includes('node_modules/') && !link)
  return new Map(
    found.map(([key, { version, resolved, integrity }]) => [key, integrity ?? resolved ?? version ?? '']),
  )
}

/** The keys below `packages:`, of `pnpm-lock.yaml` and of pnpm's own copy. */
function readPnpm(text: string): Packages {
  const section = /^packages:\n([\s\S]*?)(?=^\S|$(?![\s\S]))/m.exec(text)?.[1] ?? ''
  return identities(
    [...section.matchAll(/^ {2}(\S.*?):(?: \{\})?\s*$/gm)].map(([, key = '']) => unquote(key)),
  )
}

function readIntegrity(text: string): Packages {
  const { lockfileEntries = {} } = readJson(text) as { lockfileEntries?: Record<string, string> }
  return new Map(Object.entries(lockfileEntries).filter(([, resolved]) => resolved !== ''))
}

/** Yarn 1: patterns, separated by commas, and where the package comes from. */
function readClassic(text: string): Packages {
  const packages = new Map<string, string>()
  for (const [, patterns = '', body = ''] of text.matchAll(/^(\S.*):\n((?: {2}.*\n?)+)/gm)) {
    const resolved = /^ {2}resolved "?([^"\n]+)"?$/m.exec(body)?.[1]
    if (resolved !== undefined)
      for (const pattern of patterns.split(', ')) packages.set(unquote(pattern), resolved)
  }
  return packages
}

function readBerry(text: string): Packages {
  return identities([...text.matchAll(/^ {2}resolution: "(.+)"$/gm)].map(([, resolution = '']) => resolution))
}

/** Yarn 2 and later: a package with peers has a name for each set of them. */
function readBerryState(text: string): Packages {
  const keys = [...text.matchAll(/^"(.+)":$/gm)].map(([, key = '']) => key.replace(/virtual:[^#]*#/, ''))
  return identities(keys.filter(key => !key.includes('@workspace:')))
}

/** Dependencies of packages, as Yarn's loader finds them. */
function readPnp(text: string): Packages {
  const pairs = text.matchAll(/\["((?:@[^"/]+\/)?[^"/]+)", "(?:virtual:[^#"]*#)?((?:npm|patch):[^"]+)"\]/g)
  return identities([...pairs].map(([, name, reference]) => `${name}@${reference}`))
}

/** Packages of `bun.lock` that stand in the topmost `node_modules`, as `name@version`. */
function readBun(text: string): Packages {
  const { packages = {} } = readJson(text) as { packages?: Record<string, unknown[]> }
  return new Map(
    Object.entries(packages).flatMap(([key, [identity]]) =>
      typeof identity === 'string' &&
      /@\d[^@]*$/.test(identity) &&
      key.split('/').length <= (key.startsWith('@') ? 2 : 1)
        ? [[key, identity] as const]
        : [],
    ),
  )
}

/** Commas after the last entry, as in `bun.lock`, included; what is broken is empty. */
function readJson(text: string): object {
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch {
    content = parse(text)
  }
  return typeof content === 'object' && content !== null ? content : {}
}

function identities(keys: readonly string[]): Packages {
  return new Map(keys.map(key => [key, key]))
}

function unquote(text: string): string {
  return text.replace(/^(['"])(.*)\1$/, '$2')
}
