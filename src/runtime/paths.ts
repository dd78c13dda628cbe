/** Paths as people read them, and which of them lie inside of a folder. */
import system, { type PlatformPath } from 'node:path'

/** A path as git and GitHub write it on every system: from the root of the checkout, with `/`. */
export function shownPath(root: string, path: string, { relative, sep }: PlatformPath = system): string {
  return relative(root, path).split(sep).join('/')
}

/** Whether a path is this folder or lies below it. On Windows another drive is elsewhere without a `..`. */
export function isInside(
  folder: string,
  path: string,
  { relative, isAbsolute, sep }: PlatformPath = system,
): boolean {
  const way = relative(folder, path)
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)
}

/** A folder and those above it, up to `root`. */
export function* foldersUp(directory: string, root: string): Generator<string> {
  for (let folder = directory; ; folder = system.dirname(folder)) {
    yield folder
    if (folder === root || folder === system.dirname(folder)) return
  }
}
