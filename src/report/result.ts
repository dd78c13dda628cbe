import type { Place } from '../errors.ts'
import type { Decision } from '../plan/types.ts'

/** How the content of two bundles differs. Sizes in bytes. */
export interface ContentChange {
  /** Name of the bundle it is compared with. */
  readonly since: string
  readonly added: readonly FileChange[]
  readonly changed: readonly FileChange[]
  readonly removed: readonly FileChange[]
}

export interface FileChange {
  readonly path: string
  /** Size now, uncompressed; 0 when it was removed. */
  readonly size: number
  readonly sizeBefore: number
}

/** What came of a publish. Sizes in bytes. */
export interface PublishResult {
  readonly kind: 'publish'
  readonly outcome: 'published' | 'unchanged' | 'stale' | 'planned'
  /** One sentence: why it ended as it did. */
  readonly reason: string
  readonly appId: string
  readonly channel: {
    readonly name: string
    readonly id: number | null
    readonly made: boolean
    readonly public: boolean | null
  }
  /** What the channel serves now; on a dry run what it would serve (id null when it would be uploaded). */
  readonly bundle: {
    readonly id: number | null
    readonly name: string
    readonly checksum: string | null
    /** Size of the zip; null when it was not made or read. */
    readonly size: number | null
    readonly url: string | null
  }
  /** How the bundle got there; null when the channel was not touched. */
  readonly by: 'upload' | 'resume' | 'promote' | null
  /** What the channel served before; null when nothing. */
  readonly before: { readonly id: number; readonly name: string } | null
  readonly commit: { readonly sha: string; readonly refName: string; readonly url: string }
  readonly change: ContentChange | null
  readonly files: { readonly count: number; readonly bytes: number } | null
  readonly leftOut: readonly { readonly path: string; readonly why: string }[]
  readonly decisions: readonly Decision[]
  readonly warnings: readonly string[]
  /** Milliseconds. */
  readonly durations: {
    readonly build: number | null
    readonly upload: number | null
    readonly total: number
  }
}

/** Nothing was to be done, and that is fine. */
export interface SkippedResult {
  readonly kind: 'skipped'
  readonly outcome: 'skipped'
  readonly reason: string
}

/** Something is wrong, and nothing was left half done. */
export interface FailedResult {
  readonly kind: 'failed'
  readonly outcome: 'failed'
  readonly code: string
  readonly reason: string
  readonly hint: string | null
  readonly at: Place | null
  /** End of a child process's output; untrusted. */
  readonly output: string | null
}

export type Result = PublishResult | SkippedResult | FailedResult
