/** The web folder on the disk: whether it is there, and what is in it. */
import type { Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ActionError } from '../errors.ts'
import { shownPath } from '../runtime/paths.ts'
import { type BundleFile, byPath } from './bundle-file.ts'

/** Files that systems and tools leave behind; no app asks for it. */
export const LITTER: ReadonlyMap<string, string> = new Map(
  Object.entries({
    '.DS_Store': 'macOS folder settings',
    __MACOSX: 'macOS resource forks',
    'Thumbs.db': 'Windows thumbnails',
    'desktop.ini': 'Windows folder settings',
    '.git': 'git repository',
  }),
)

/** Throws `web_dir_missing` or `web_dir_not_a_folder`; `shown` is its name in messages. */
export async function requireFolder(directory: string, shown: string, root: string): Promise<void> {
  const found = await stat(directory).catch(() => null)
  if (found === null) {
    const others = await buildsNearby(dirname(directory))
    throw new ActionError('web_dir_missing', `The web folder "${shown}" does not exist.`, {
      hint:
        others.length > 0
          ? `A build is in ${others.map(other => `"${shownPath(root, other)}"`).join(' and ')}: set webDir in the Capacitor config (or the input web-dir) to it, relative to the config.`
          : 'The build did not write it. Set webDir in the Capacitor config (or the input web-dir) to the folder that the build writes to. With build: false, build in an earlier step.',
    })
  }
  if (!found.isDirectory())
    throw new ActionError('web_dir_not_a_folder', `The web folder "${shown}" is a file.`, {
      hint: 'Set webDir in the Capacitor config (or the input web-dir) to the folder that the build writes to.',
    })
}

/** Where the usual tools write to. */
const USUAL = ['dist', 'build', 'www', 'out', 'dist/browser', '.output/public']

async function buildsNearby(parent: string): Promise<string[]> {
  const inDist = (await readdir(join(parent, 'dist')).catch(() => [])).flatMap(name => [
    `dist/${name}`,
    `dist/${name}/browser`,
  ])
  const found: string[] = []
  for (const path of new Set([...USUAL, ...inDist]))
    if ((await stat(join(parent, path, 'index.html')).catch(() => null))?.isFile())
      found.push(join(parent, path))
  return found
}

interface WebEntries {
  readonly files: BundleFile[]
  readonly links: string[]
  /** Neither file nor folder nor link. */
  readonly special: string[]
  readonly litter: { path: string; why: string }[]
}

/** Everything in the web folder, in the order of the names of each folder. */
export async function listWebFolder(directory: string): Promise<WebEntries> {
  const entries: WebEntries = { files: [], links: [], special: [], litter: [] }
  await walk('')
  return entries

  async function walk(prefix: string): Promise<void> {
    const inside = await readdir(join(directory, prefix), { withFileTypes: true })
    for (const entry of inside.sort((a, b) => byPath({ path: a.name }, { path: b.name }))) {
      const path = prefix + entry.name
      const why = LITTER.get(entry.name)
      if (why !== undefined) entries.litter.push({ path, why })
      else await add(entry, path)
    }
  }

  async function add(entry: Dirent, path: string): Promise<void> {
    if (entry.isSymbolicLink()) entries.links.push(path)
    else if (entry.isDirectory()) await walk(`${path}/`)
    else if (!entry.isFile()) entries.special.push(path)
    else {
      // A name that is not UTF-8 cannot be opened by its decoded form; `checkNames` reports it.
      const size = (await stat(join(directory, path)).catch(() => null))?.size ?? 0
      entries.files.push({ path, size })
    }
  }
}
