/** Files of the native projects, as far as they say a version. */
import { readFile, realpath, stat } from 'node:fs/promises'
import { isInside, shownPath } from '../runtime/paths.ts'

/** Bytes; a project file of ten thousand sources has some 3 MB. */
const MAX_FILE = 16 * 1024 * 1024

/** A version, and where the repository says it. */
export interface FoundVersion {
  /** As written, for example `1.0`. */
  readonly version: string
  /** For example `android/app/build.gradle:12`, relative to the checkout. */
  readonly source: string
}

/** A place that decides about the version, and that only the tools of the platform understand. */
export interface UnreadPlace {
  /** As in `Told`, or the file alone. */
  readonly source: string
  /** Goes on after the source: `has "versionName appVersion"`, `is missing`. */
  readonly says: string
}

/** The native versions in the project of one platform. */
export interface NativeProject {
  readonly versions: readonly FoundVersion[]
  readonly unread: readonly UnreadPlace[]
}

/**
 * Text of a file of the checkout `root`; null where it is none. A native project may name any file, and what it names
 * is printed: one outside of the checkout, or in a hidden folder such as `.git`, is not read.
 */
export async function readNativeFile(root: string, file: string): Promise<string | null> {
  try {
    const path = await realpath(file)
    const top = await realpath(root)
    if (
      !isInside(top, path) ||
      shownPath(top, path)
        .split('/')
        .some(part => part.startsWith('.'))
    )
      return null
    const { size } = await stat(path)
    return size > MAX_FILE ? null : await readFile(path, 'utf8')
  } catch {
    return null
  }
}

/** Versions in the stores are short. Any other text is kept out of the log. */
export function isLikeVersion(text: string): boolean {
  return /^[\w.+ ()/-]{1,64}$/.test(text)
}

/** The text at a place, as the continuation of a message. */
export function sayLine(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return `has "${line.length > 100 ? `${line.slice(0, 99)}…` : line}"`
}

export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length
}
