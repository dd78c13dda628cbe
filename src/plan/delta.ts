/** Whether the files of a new bundle are stored one by one, so that devices download what changed. */
import type { HashedFile } from '../bundle/zip.ts'
import type { BundleRow, StoredFile } from '../capgo/schema.ts'
import { ActionError } from '../errors.ts'
import { MANIFEST_SINCE, takesManifest } from './plugin-version.ts'

/** `auto` = where app and server take it; `only` = without the zip. */
export type DeltaMode = 'auto' | 'true' | 'false' | 'only'

/** Capgo takes so many entries at most. */
const MAX_FILES = 10_000

export interface DeltaFacts {
  readonly mode: DeltaMode
  /** Of the updater in the app; null when unknown. */
  readonly pluginVersion: string | null
  /** Whether the files service takes single files. */
  readonly serverTakesFiles: boolean
  readonly fileCount: number
}

/**
 * Whether the files are stored one by one too, so that devices download what changed. Throws `delta_impossible`
 * where the user insists and no device could get it.
 */
export function decideDelta({ mode, pluginVersion, serverTakesFiles, fileCount }: DeltaFacts): {
  readonly on: boolean
  readonly why: string
} {
  if (mode === 'false') return { on: false, why: 'input "delta" is false' }
  const why = !serverTakesFiles
    ? 'this server does not support them'
    : pluginVersion !== null && !takesManifest(pluginVersion)
      ? `@capgo/capacitor-updater ${pluginVersion} does not support them (${MANIFEST_SINCE.join(', ')} do)`
      : fileCount > MAX_FILES
        ? `the bundle has ${fileCount.toLocaleString('en-US')} files, more than the ${MAX_FILES.toLocaleString('en-US')} that Capgo accepts`
        : mode === 'auto' && pluginVersion === null
          ? '@capgo/capacitor-updater is not installed'
          : null
  if (why === null) return { on: true, why: 'devices download only the files that changed' }
  if (mode === 'auto') return { on: false, why }
  throw new ActionError('delta_impossible', `Input "delta" is ${mode}, but ${why}.`, {
    hint: 'With delta: auto devices download the whole zip where delta updates are not possible.',
  })
}

/** Whether a bundle has delta files that may be taken again: those of encrypted ones are stored under keys of their own. */
export function hasOpenFiles(bundle: BundleRow | null): bundle is BundleRow {
  return bundle !== null && bundle.manifest_count > 0 && !bundle.session_key
}

/** Splits the files into those that the app has stored already (same path, same content) and the others. */
export function findStoredFiles(
  files: readonly HashedFile[],
  known: readonly StoredFile[],
): { readonly stored: readonly StoredFile[]; readonly missing: readonly HashedFile[] } {
  const id = (path: string, hash: string) => `${hash} ${path}`
  const byContent = new Map(known.map(entry => [id(pathOf(entry), entry.file_hash), entry]))
  const stored: StoredFile[] = []
  const missing: HashedFile[] = []
  for (const file of files) {
    const entry = byContent.get(id(file.path, file.sha256))
    if (entry === undefined || isUnfit(entry, file)) missing.push(file)
    else stored.push(entry)
  }
  return { stored, missing }
}

/** Where devices put it: they take one `.br` off, and undo brotli then. */
export function pathOf({ file_name }: Pick<StoredFile, 'file_name'>): string {
  return file_name.replace(/\.br$/, '')
}

/**
 * Others publish files as they are under a name for brotli, which cannot take them then, and
 * objects without bytes, which cannot be sent again.
 */
function isUnfit({ file_name, file_size }: StoredFile, { size }: HashedFile): boolean {
  return file_name.endsWith('.br') ? file_size === size : size === 0
}
