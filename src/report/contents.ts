/** What a bundle is made of, and how it differs from another one. */
import type { StoredFile } from '../capgo/schema.ts'
import { countKinds } from './makeup.ts'
import type { ContentChange, Contents, FileChange } from './result.ts'

/** A file of a bundle. */
export interface ListedFile {
  readonly path: string
  /** Bytes as devices download it: compressed. */
  readonly size: number
  /** Tells contents apart. */
  readonly content: string
}

/** `before` is the bundle that was served. Null what cannot be told: then it is not compared, or not looked at. */
export function describeContents(
  before: { readonly name: string; readonly files: readonly ListedFile[] } | null,
  now: readonly ListedFile[] | null,
): Contents {
  return {
    change: before === null || now === null ? null : compare(before.name, before.files, now),
    makeup: now === null ? null : countKinds(before?.files ?? null, now),
  }
}

/** The files of a bundle by its `count` delta files; null when not all are known, or not all their sizes. */
export function listStored(files: readonly StoredFile[], count: number): ListedFile[] | null {
  const list = files.map(({ file_name, file_hash, file_size }) => ({
    path: file_name.replace(/\.br$/, ''),
    size: file_size ?? 0,
    content: file_hash,
  }))
  return list.length === count && list.every(({ size }) => size > 0) ? list : null
}

function compare(since: string, before: readonly ListedFile[], now: readonly ListedFile[]): ContentChange {
  const old = new Map(before.map(file => [file.path, file]))
  const change = {
    since,
    added: [] as FileChange[],
    changed: [] as FileChange[],
    removed: [] as FileChange[],
  }
  for (const { path, size, content } of now) {
    const was = old.get(path)
    old.delete(path)
    if (was === undefined) change.added.push({ path, size, sizeBefore: 0 })
    else if (was.content !== content) change.changed.push({ path, size, sizeBefore: was.size })
  }
  for (const { path, size } of old.values()) change.removed.push({ path, size: 0, sizeBefore: size })
  return change
}
