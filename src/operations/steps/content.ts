/** The content of a bundle, and the result of its delta files. */
import type { Encryption } from '../../bundle/encrypt.ts'
import type { HashedFile } from '../../bundle/zip.ts'
import type { NativePackage } from '../../capgo/schema.ts'
import type { DeltaMode } from '../../plan/delta.ts'

/** The content of a bundle, before it is encrypted for one bundle name. */
export interface Content {
  /** Path, size in bytes and SHA-256 (lower-case hex). */
  readonly zip: { readonly path: string; readonly size: number; readonly sha256: string }
  /** Capgo's checksum: the zip's SHA-256, signed where it is encrypted. Tells the content apart. */
  readonly checksum: string
  /** Absolute path of the web folder. */
  readonly directory: string
  readonly fileCount: number
  /** Null where no delta files are wanted. */
  readonly files: readonly HashedFile[] | null
  readonly encryption: Encryption | null
  readonly delta: DeltaMode
  /** Of the updater in the app; null when unknown. */
  readonly pluginVersion: string | null
  readonly nativePackages: readonly NativePackage[]
  /** An existing folder beside the checkout. */
  readonly scratch: string
}

/** The result of storing a bundle's delta files. */
export interface DeltaReport {
  readonly files: number
  /** Files and bytes that were sent; the others were stored already. */
  readonly sent: number
  readonly sentBytes: number
}
