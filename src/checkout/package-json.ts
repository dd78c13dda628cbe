/** The `package.json` files of an app: in a monorepo its scripts and dependencies may stand above its folder. */
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { foldersUp, shownPath } from '../runtime/paths.ts'
import { nullIfMissing } from '../runtime/system-error.ts'
import { parseJson } from './json.ts'

/** Values of a wrong type are left out: the package manager reports them better. */
export interface Manifest {
  /** Absolute path. */
  readonly file: string
  readonly name?: string
  readonly version?: string
  readonly packageManager?: string
  readonly devEngines?: { readonly packageManager?: unknown }
  readonly scripts?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/** Null without the file. Throws `package_json_broken`. */
export async function readManifest(folder: string, root: string): Promise<Manifest | null> {
  const file = join(folder, 'package.json')
  const text = await readFile(file, 'utf8').catch(nullIfMissing)
  return text === null
    ? null
    : { ...asManifest(parseJson(text, shownPath(root, file), 'package_json_broken')), file }
}

function asManifest(content: unknown): Omit<Manifest, 'file'> {
  const parts = isObject(content) ? Object.entries(content) : []
  return Object.fromEntries(
    parts.filter(([name, value]) =>
      TEXTS.includes(name) ? typeof value === 'string' && value !== '' : isObject(value),
    ),
  )
}

const TEXTS = ['name', 'version', 'packageManager']

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Those of a folder and of the folders above it, up to `root` (absolute paths); the nearest first. */
export async function* manifestsUp(directory: string, root: string): AsyncGenerator<Manifest> {
  for (const folder of foldersUp(directory, root)) {
    const manifest = await readManifest(folder, root)
    if (manifest !== null) yield manifest
  }
}

/** The nearest; null where the checkout has none. */
export async function findManifest(directory: string, root: string): Promise<Manifest | null> {
  for await (const manifest of manifestsUp(directory, root)) return manifest
  return null
}

/** Absolute path of the folder whose `package.json` counts for `directory`; that itself where there is none. */
export async function packageFolder(directory: string, root: string): Promise<string> {
  const manifest = await findManifest(directory, root)
  return manifest === null ? directory : dirname(manifest.file)
}

/** Folders that a hint names. */
const NAMES_LIMIT = 5

/** Those that have one of these files: a monorepo's apps, two levels down, as in `apps/mobile`. Absolute paths. */
export async function foldersBelow(
  directory: string,
  names: readonly string[],
  levels = 2,
): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => [])
  const found: string[] = []
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (!entry.isDirectory() || entry.name === 'node_modules' || entry.name.startsWith('.')) continue
    const folder = join(directory, entry.name)
    const inside = await readdir(folder, { withFileTypes: true }).catch(() => [])
    if (inside.some(each => each.isFile() && names.includes(each.name))) found.push(folder)
    else if (levels > 1) found.push(...(await foldersBelow(folder, names, levels - 1)))
    if (found.length >= NAMES_LIMIT) break
  }
  return found.slice(0, NAMES_LIMIT)
}
