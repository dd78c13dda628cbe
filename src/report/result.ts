import type { ErrorCode } from '../error-codes.ts'
import type { Place, Problem } from '../errors.ts'
import type { NativeChange } from '../plan/native-changes.ts'
import type { Kept } from '../plan/old-bundles.ts'
import type { ChannelStatus } from '../plan/status.ts'
import type { Decision } from '../plan/types.ts'
import type { KindOfFile } from './makeup.ts'
import type { TestersReport } from './testers.ts'

/** How the content of two bundles differs. Sizes in bytes, as devices download: compressed. */
export interface ContentChange {
  /** Name of the bundle it is compared with. */
  readonly since: string
  readonly added: readonly FileChange[]
  readonly changed: readonly FileChange[]
  readonly removed: readonly FileChange[]
}

export interface FileChange {
  readonly path: string
  /** Size now; 0 when it was removed. */
  readonly size: number
  readonly sizeBefore: number
}

/** What a look at the content of a bundle told. */
export type Contents = Pick<PublishResult, 'change' | 'makeup'>

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
  /**
   * What the run put on the channel, or found there: during a rollout the one that is rolled out. On a dry run what it
   * would be (id null when it would be uploaded).
   */
  readonly bundle: {
    readonly id: number | null
    readonly name: string
    /** As Capgo keeps it: the zip's SHA-256, signed where the bundle is encrypted. */
    readonly checksum: string | null
    /** Of the zip before encryption, lower-case hex; null when nothing here tells. */
    readonly sha256: string | null
    /** What is stored: the zip, encrypted where it is, or all delta files without one; null when it is not known. */
    readonly size: number | null
    readonly url: string | null
  }
  /** What the channel gives to some of its devices; null when all get the same. */
  readonly rollout: RolloutState | null
  /** How the bundle got there; null when the channel was not touched. */
  readonly by: 'upload' | 'resume' | 'promote' | null
  /** What the channel served before; null when nothing. */
  readonly before: { readonly id: number; readonly name: string } | null
  /** From which the bundle was built; null when this action did not make it. */
  readonly commit: { readonly sha: string; readonly refName: string; readonly url: string } | null
  readonly change: ContentChange | null
  /** What the bundle is made of; null when its zip was not made or read. */
  readonly makeup: readonly KindOfFile[] | null
  /** Files that were stored one by one, and how many of them were sent; null without delta files. */
  readonly delta: { readonly files: number; readonly sent: number; readonly sentBytes: number } | null
  /** How the native packages differ from those of the bundle that was served. */
  readonly natives: readonly NativeChange[]
  readonly files: { readonly count: number; readonly bytes: number } | null
  readonly leftOut: readonly { readonly path: string; readonly why: string }[]
  /** The source maps that stay out of the bundle, kept as an artifact of the run; null where none are. */
  readonly sourceMaps: (KeptMaps & { readonly url: string | null }) | null
  readonly decisions: readonly Decision[]
  /** What was done with the devices of testers; null where that was not this run's matter. */
  readonly testers: TestersReport | null
  readonly warnings: readonly string[]
  /** What a device was given that asked for the update, as a sentence; null when none asked. */
  readonly verified: string | null
  /** Of a pull request: how to get it. */
  readonly preview: {
    readonly pull: number
    readonly deepLink: string
    readonly webUrl: string | null
    readonly commentUrl: string | null
  } | null
  /** Milliseconds. */
  readonly durations: {
    readonly build: number | null
    readonly upload: number | null
    readonly total: number
  }
}

/** An artifact of the workflow run; its id is null where GitHub told none. */
export interface KeptMaps {
  readonly name: string
  readonly id: number | null
  readonly count: number
}

/** A rollout that is not finished. Basis points: 100 are one percent. */
export interface RolloutState {
  readonly bps: number
  readonly paused: boolean
  /** Name of the bundle that is rolled out. */
  readonly of: string
  /** Name of the bundle that the others get; null when nothing. */
  readonly others: string | null
}

/** Nothing was to be done, and that is fine. */
export interface SkippedResult {
  readonly kind: 'skipped'
  readonly outcome: 'skipped'
  readonly reason: string
  /** What was done with the devices of testers; null where that was not this run's matter. */
  readonly testers: TestersReport | null
  readonly warnings: readonly string[]
}

/** Previews of pull requests were removed, or on a dry run would be. */
export interface CleanedResult {
  readonly kind: 'cleaned'
  readonly outcome: 'cleaned' | 'planned'
  readonly reason: string
  readonly appId: string
  readonly previews: readonly RemovedPreview[]
  /** What was done with the devices of testers; null where that was not this run's matter. */
  readonly testers: TestersReport | null
  readonly warnings: readonly string[]
}

export interface RemovedPreview {
  readonly pull: number
  /** Why it was removed: "#12 was merged". */
  readonly why: string
  readonly channels: readonly string[]
  readonly bundles: readonly string[]
  /** Devices that an override had put on the channels. */
  readonly devices: number
  /** What was left and why, in sentences. */
  readonly kept: readonly string[]
}

/** Something is wrong, and nothing was left half done. */
export interface FailedResult {
  readonly kind: 'failed'
  /** What the run had done to a channel before it failed; null when nothing. */
  readonly published: PublishResult | null
  readonly outcome: 'failed'
  /** What the run was about, to begin a title with: `Publish`. */
  readonly what: string
  readonly code: ErrorCode
  readonly reason: string
  readonly hint: string | null
  readonly at: Place | null
  /** End of a child process's output; untrusted. */
  readonly output: string | null
  /** Several things that are wrong at once, each with its place. */
  readonly problems: readonly Problem[]
  readonly warnings: readonly string[]
}

/** Old bundles were deleted, or on a dry run would be. */
export interface HousekeepingResult {
  readonly kind: 'housekeeping'
  readonly outcome: 'cleaned' | 'planned'
  readonly reason: string
  readonly appId: string
  readonly keep: number
  /** `made` as ISO 8601. */
  readonly removed: readonly { readonly id: number; readonly name: string; readonly made: string }[]
  /** Names of those that a channel came to serve meanwhile. */
  readonly linked: readonly string[]
  /** How many stay for which reason. */
  readonly kept: Readonly<Record<Kept, number>>
  readonly testers: null
  readonly warnings: readonly string[]
}

/** What every channel serves; nothing was changed. */
export interface StatusResult {
  readonly kind: 'status'
  readonly outcome: 'read'
  readonly reason: string
  readonly appId: string
  readonly channels: readonly ChannelStatus[]
  /** Devices that Capgo knows; null when they could not be counted. */
  readonly devices: number | null
  readonly testers: null
  readonly warnings: readonly string[]
}

export type Result =
  | PublishResult
  | CleanedResult
  | HousekeepingResult
  | StatusResult
  | SkippedResult
  | FailedResult
