/** Packages with native code that the app depends on. */
import { createHash } from 'node:crypto'
import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import semver from 'semver'
import { parseJson } from './json.ts'

/** A dependency with native code, as Capgo keeps it in a bundle's `native_packages`. */
export interface InstalledPackage {
  readonly name: string
  /** As installed; the range where the installed package has no version. */
  readonly version: string
  /** The range of the app's `package.json`. */
  readonly requested_version: string
  /** Lower-case hex; left out where the package has no sources for this platform. */
  readonly ios_checksum?: string
  readonly android_checksum?: string
}

/** Its version decides what devices can take. */
const UPDATER = '@capgo/capacitor-updater'
/** A dependency of every app with native projects. */
const CAPACITOR = /^@capacitor\/(core|android|ios)$/
/** Files that Capgo's CLI counts as native code, for iOS and Android alike: no Objective-C, no XML. */
const SOURCE = /[A-Za-z0-9]\.(?:java|swift|kt|scala)$/
/** Files and folders looked at in one package; icon sets have some 30,000. */
const MAX_ENTRIES = 100_000
/** Bytes hashed for one platform of one package. Swift and Kotlin of a large plugin have some 2 MB. */
const MAX_BYTES = 64 * 1024 * 1024
/** A name is part of a path: npm's have no leading dot, and no slash but the one after a scope. */
const NAME = /^(?:@[^/\\]+\/)?[^./\\][^/\\]*$/

/**
 * The direct dependencies with native code of the app in the folder `root` (absolute), as installed in the
 * `node_modules` of it or of a folder above; by name. Packages that are not installed are left out: the list is empty
 * before an install, and with Yarn's Plug'n'Play, which has no `node_modules`. An empty list tells nothing
 * of the app. Throws `package_json_broken`, at a place relative to `root`.
 */
export async function readNativePackages(root: string): Promise<InstalledPackage[]> {
  const found = await Promise.all(
    [...(await readDependencies(root))].map(([name, range]) => readPackage(root, name, range)),
  )
  return found.filter(each => each !== null).sort((a, b) => byCodeUnit(a.name, b.name))
}

/** Name -> range. As for npm, an optional dependency goes before another of the same name. */
async function readDependencies(root: string): Promise<Map<string, string>> {
  const text = await readFile(join(root, 'package.json'), 'utf8').catch(() => null)
  const content = text === null ? {} : asObject(parseJson(text, 'package.json', 'package_json_broken'))
  const dependencies = new Map<string, string>()
  for (const kind of ['dependencies', 'devDependencies', 'optionalDependencies'])
    for (const [name, range] of Object.entries(asObject(content[kind])))
      if (typeof range === 'string' && NAME.test(name)) dependencies.set(name, range)
  return dependencies
}

/** Null when it is not installed, or not native. */
async function readPackage(root: string, name: string, range: string): Promise<InstalledPackage | null> {
  const folder = await findInstalled(root, name)
  if (folder === null) return null
  const own = await readOwn(folder)
  if (!(await isNative(folder, own))) return null
  const ios = await hashFiles(folder, await listIos(folder))
  const android = await hashFiles(folder, await listAndroid(folder))
  return {
    name,
    version: typeof own.version === 'string' && own.version !== '' ? own.version : range,
    requested_version: range,
    ...(ios !== null && { ios_checksum: ios }),
    ...(android !== null && { android_checksum: android }),
  }
}

/** The real folder: pnpm and workspaces put links into `node_modules`, monorepos have one further up. */
async function findInstalled(root: string, name: string): Promise<string | null> {
  for (let folder = root; ; folder = dirname(folder)) {
    const path = join(folder, 'node_modules', name)
    if ((await stat(path).catch(() => null))?.isDirectory()) return realpath(path)
    if (folder === dirname(folder)) return null
  }
}

/** A package's own `package.json`; empty when there is none or it is broken, which is not the app's fault. */
async function readOwn(folder: string): Promise<Record<string, unknown>> {
  try {
    return asObject(JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')))
  } catch {
    return {}
  }
}

/**
 * A plugin of Capacitor or Cordova that has native sources, as Capgo's CLI (8.68) sees it. Sources alone do not
 * make one: `@capacitor/ios` and many a build tool have some.
 */
async function isNative(folder: string, own: Record<string, unknown>): Promise<boolean> {
  if (!(await isPlugin(folder, own))) return false
  for await (const path of walk(folder)) if (path !== null && SOURCE.test(path)) return true
  return false
}

async function isPlugin(folder: string, own: Record<string, unknown>): Promise<boolean> {
  const { ios, android } = asObject(own.capacitor)
  if (ios !== undefined || android !== undefined) return true
  const plugin = join(folder, 'plugin.xml')
  // The namespace of its root element: other programs have a plugin.xml as well.
  return (await isFile(plugin)) && /cordova|phonegap/i.test(await readFile(plugin, 'utf8'))
}

/**
 * Files of a package that Capgo's CLI (8.68) hashes for iOS. Ours are the same files in the same order, or a
 * bundle that one of the two published would look incompatible to the other. So `capacitor.ios.src` is not
 * asked, and an `ios/Package.swift` is in the list twice: it is a source and a description of the package.
 */
async function listIos(folder: string): Promise<string[] | null> {
  const entries = await readdir(folder).catch(() => [])
  return listPlatform(folder, 'ios', [
    ...entries.filter(name => name.endsWith('.podspec')),
    'Package.swift',
    'ios/Package.swift',
  ])
}

/** The same for Android. */
async function listAndroid(folder: string): Promise<string[] | null> {
  return listPlatform(folder, 'android', ['android/build.gradle', 'android/build.gradle.kts'])
}

/** Sources below a folder of the package, and those of the other files that exist. Null when too many. */
async function listPlatform(
  folder: string,
  platform: string,
  others: readonly string[],
): Promise<string[] | null> {
  const files = []
  for await (const path of walk(folder, platform)) {
    if (path === null) return null
    if (SOURCE.test(path)) files.push(path)
  }
  for (const path of others) if (await isFile(join(folder, path))) files.push(path)
  // The CLI sorts by the language of the machine; what English has is also what Node takes without any.
  return files.sort((a, b) => a.localeCompare(b, 'en') || byCodeUnit(a, b))
}

/**
 * SHA-256 over path and content of each file, one after the other. Null when there is nothing to hash, or
 * more than `MAX_BYTES`. Links that lead out of the package are left out.
 */
async function hashFiles(folder: string, paths: readonly string[] | null): Promise<string | null> {
  const hash = createHash('sha256')
  let files = 0
  let bytes = 0
  for (const path of paths ?? []) {
    const file = await realpath(join(folder, path)).catch(() => null)
    if (!file?.startsWith(folder + sep)) continue
    const found = await stat(file).catch(() => null)
    if (!found?.isFile()) continue
    bytes += found.size
    if (bytes > MAX_BYTES) return null
    files++
    // Bytes as they are, no line ends unified, and of what cannot be read the path alone: as the CLI does.
    hash.update(path).update(await readFile(file).catch(() => ''))
  }
  return files === 0 ? null : hash.digest('hex')
}

/**
 * The files of a package below one of its folders: paths with forward slashes,
 * relative to the package, upper levels first. Other packages in `node_modules` are not part of it, and a
 * link is never followed. Ends with null after `MAX_ENTRIES`.
 */
async function* walk(folder: string, start = ''): AsyncGenerator<string | null> {
  if (start !== '' && !(await isRealFolder(folder, start))) return
  let left = MAX_ENTRIES
  const folders = [start]
  for (const path of folders) {
    const entries = await readdir(join(folder, path), { withFileTypes: true }).catch(() => [])
    for (const entry of entries.sort((a, b) => byCodeUnit(a.name, b.name))) {
      if (left-- === 0) return yield null
      const below = path === '' ? entry.name : `${path}/${entry.name}`
      if (!entry.isDirectory()) yield below
      else if (start !== '' || entry.name !== 'node_modules') folders.push(below)
    }
  }
}

async function isRealFolder(folder: string, path: string): Promise<boolean> {
  const real = await realpath(join(folder, path)).catch(() => null)
  return real?.startsWith(folder + sep) ?? false
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() ?? false
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/**
 * Whether the app in `directory` has the updater, by the nearest package.json up to `root` (both absolute) that names
 * Capacitor: its CLI takes plugins from that file alone. What a neighbour or the root of a workspace has, or the web part
 * of a Quasar app, is not in the native app. Null where no file names either.
 */
export async function hasUpdater(root: string, directory: string): Promise<boolean | null> {
  for (let folder = directory; ; folder = dirname(folder)) {
    // One that is broken is reported where it is the app's own.
    const dependencies = await readDependencies(folder).catch(() => new Map<string, string>())
    if (dependencies.has(UPDATER)) return true
    if ([...dependencies.keys()].some(name => CAPACITOR.test(name))) return false
    if (folder === root || folder === dirname(folder)) return null
  }
}

/** Version of the updater in the app, as installed; null where it is not. */
export function installedUpdater(installed: readonly InstalledPackage[]): string | null {
  return semver.valid(installed.find(({ name }) => name === UPDATER)?.version)
}

/** The same; where it is not installed, the lowest version that its range allows. Null when unknown. */
export async function readUpdaterVersion(
  root: string,
  installed: readonly InstalledPackage[],
): Promise<string | null> {
  const found = installedUpdater(installed)
  if (found !== null) return found
  const range = (await readDependencies(root)).get(UPDATER)
  return range !== undefined && semver.validRange(range) !== null
    ? (semver.minVersion(range)?.version ?? null)
    : null
}
