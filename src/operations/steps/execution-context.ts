/** The context and the outcome of a publish plan's execution. */
import type { ListedFile } from '../../bundle/contents.ts'
import type { Capgo } from '../../capgo/client.ts'
import type { App, BundleRow, ChannelRow } from '../../capgo/schema.ts'
import type { StoredFiles } from '../../plan/publish-facts.ts'
import type { StoragePlan } from '../../plan/storage.ts'
import type { Commit } from '../../plan/types.ts'
import type { Content, DeltaReport } from './content.ts'

export interface ExecutionContext {
  readonly capgo: Capgo
  readonly app: App
  /** As it was read for the plan. */
  readonly channel: ChannelRow | null
  /** The app's delta files, as far as they were read. */
  readonly stored: StoredFiles
  readonly commit: Commit
  readonly content: Content
  readonly storage: StoragePlan
  /** Why the commit must not be put on the channel as it is now, or null. Asks GitHub anew. */
  readonly staleBy: (channel: ChannelRow | null) => Promise<string | null>
  /** Work that must be done before devices can see the bundle of this name. */
  readonly beforeSeen: (bundle: string) => Promise<void>
  readonly log: (message: string) => void
  /** Bytes that Capgo has of how many. */
  readonly onProgress: (sent: number, total: number) => void
  /** Files that Capgo has one by one of how many. */
  readonly onFile: (stored: number, total: number) => void
  /** Files that devices can be given of how many. */
  readonly onTakeUp: (taken: number, total: number) => void
  /** Called as soon as the channel serves the bundle, and was read back. */
  readonly onServed: (execution: Execution) => void
}

/** The result of a publish for the channel. */
export interface ChannelOutcome {
  readonly outcome: 'published' | 'unchanged' | 'stale'
  readonly reason: string
  /** The channel as it was read back. */
  readonly channel: ChannelRow
  /** The bundle that it is about, where that is not what the channel serves to everybody. */
  readonly bundle: BundleRow | null
}

export interface Execution extends ChannelOutcome {
  /** Bytes that this run stored of it: the zip, else all delta files; null where it did not. */
  readonly size: number | null
  /** Null when no delta files were stored. */
  readonly delta: DeltaReport | null
  /** The delta files as devices download them; null when that is not known. */
  readonly files: readonly ListedFile[] | null
  readonly warnings: readonly string[]
}
