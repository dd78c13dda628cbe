/** A file of the web folder, as it goes into the bundle. */

export interface BundleFile {
  /** Relative to the web folder, with `/`. */
  readonly path: string
  /** Bytes. */
  readonly size: number
}

/** The order of the UTF-8 bytes, which is the same everywhere; that of JavaScript's strings is of UTF-16. */
export function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return Buffer.compare(Buffer.from(a.path), Buffer.from(b.path))
}

/** Bytes of all of them. */
export function bytesOf(files: readonly BundleFile[]): number {
  return files.reduce((sum, { size }) => sum + size, 0)
}
