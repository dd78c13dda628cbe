/** The result of a run: a type for each kind. Sizes in bytes, times in milliseconds. */
import type { Contents } from '../bundle/contents.ts'
import type { ErrorCode } from '../error-codes.ts'
import type { Place, Problem } from '../errors.ts'
import type { Move } from '../plan/channel-change.ts'
import type { NativeChange } from '../plan/native-changes.ts'
import type { KeepReason } from '../plan/old-bundles.ts'
import type { PublishAction } from '../plan/publish-facts.ts'
import type { ReleaseNotes } from '../plan/release-notes.ts'
import type { Decision } from '../plan/types.ts'
import type { DevicesResult, EnrolmentResult, StatusResult } from './list-results.ts'
import type { TestersReport } from './testers.ts'

/** Facts of every result about a bundle on a channel. */
interface BundleOnChannel {
  /** One sentence: why it ended as it did. */
  readonly reason: string
  readonly appId: string
  readonly channel: ResultChannel
  /** The bundle that the run put on the channel or found there, in a rollout the new one; on a dry run the one that it would be. */
  readonly bundle: ResultBundle
  /** The bundle for some of the channel's devices; null when all get the same. */
  readonly rollout: RolloutState | null
  /** The bundle that the channel served before; null when nothing. */
  readonly before: { readonly id: number; readonly name: string } | null
  /** From which the bundle was built; null when this action did not make it. */
  readonly commit: CommitLink | null
  readonly decisions: readonly Decision[]
  /** The changes of testers' devices; null where the run did not look at them. */
  readonly testers: TestersReport | null
  readonly warnings: readonly string[]
  /** Of the whole run. */
  readonly duration: number
}

export interface ResultChannel {
  readonly name: string
  /** Null where it would be made. */
  readonly id: number | null
  readonly isNew: boolean
  readonly public: boolean | null
}

export interface ResultBundle {
  /** Null where it would be uploaded. */
  readonly id: number | null
  readonly name: string
  /** As Capgo keeps it: the zip's SHA-256, signed where the bundle is encrypted. */
  readonly checksum: string | null
  /** Of the zip before encryption, lower-case hex; null when nothing here tells. */
  readonly sha256: string | null
  /** Bytes in the store: the zip, encrypted where it is, or all delta files without one; null when it is not known. */
  readonly size: number | null
  readonly url: string | null
}

export interface CommitLink {
  readonly sha: string
  readonly refName: string
  readonly url: string
}

/** A rollout that is not finished. Basis points: 100 are one percent. */
export interface RolloutState {
  readonly bps: number
  readonly paused: boolean
  /** Name of the bundle that is rolled out. */
  readonly bundle: string
  /** Name of the bundle that all other devices get; null when nothing. */
  readonly stableBundle: string | null
}

/** The result of a run with a bundle of its own: it built it, or used the build of another run. */
export type PublishResult = PublishedResult | UnchangedResult | StaleResult | PlannedResult

interface OwnBundle extends BundleOnChannel {
  readonly kind: 'publish'
  readonly commit: CommitLink
  readonly build: BuildSummary
  /** How the native packages differ from those of the bundle that was served. */
  readonly nativeChanges: readonly NativeChange[]
  /** The changes since the bundle before; of a preview, since that of the base branch's channel. */
  readonly releaseNotes: ReleaseNotes
  /** Of a pull request: how to get it. */
  readonly preview: PreviewLinks | null
}

/** The channel serves the run's bundle now. */
export interface PublishedResult extends OwnBundle {
  readonly outcome: 'published'
  readonly method: PublishMethod
  readonly contents: Contents
  readonly delta: DeltaSummary | null
  readonly sourceMaps: SourceMapsLink | null
  /** The answer to a device that asked for the update, as a sentence; null when none asked. */
  readonly verified: string | null
  /** Null while the run still works. */
  readonly publishDuration: number | null
}

/** The channel served the run's content already. */
interface UnchangedResult extends OwnBundle {
  readonly outcome: 'unchanged'
  readonly verified: string | null
}

/** The channel serves something newer. What the run stored before it knew is there all the same. */
export interface StaleResult extends OwnBundle {
  readonly outcome: 'stale'
  readonly delta: DeltaSummary | null
  readonly sourceMaps: SourceMapsLink | null
}

/** A dry run. */
export interface PlannedResult extends OwnBundle {
  readonly outcome: 'planned'
  /** Null where the channel would be left as it is. */
  readonly method: PublishMethod | null
  readonly contents: Contents
}

/** How the bundle gets there. */
type PublishMethod = Exclude<PublishAction['do'], 'keep'>

export interface BuildSummary {
  readonly files: { readonly count: number; readonly bytes: number }
  /** Files of the web folder that the bundle does not have. */
  readonly excluded: readonly { readonly path: string; readonly why: string }[]
  /** Null when nothing was built. */
  readonly duration: number | null
}

/** Files that were stored one by one, and how many of them were sent. */
export interface DeltaSummary {
  readonly files: number
  readonly sent: number
  readonly sentBytes: number
}

/** An artifact of the workflow run; its id is null where GitHub told none. */
export interface SourceMapsArtifact {
  readonly name: string
  readonly id: number | null
  readonly count: number
}

/** The source maps that stay out of the bundle, kept as an artifact. */
export type SourceMapsLink = SourceMapsArtifact & { readonly url: string | null }

export interface PreviewLinks {
  readonly pull: number
  readonly deepLink: string
  readonly webUrl: string | null
  readonly commentUrl: string | null
}

/** The result of moving an existing bundle: a promotion, a rollback, a change of a rollout. */
export type ChannelChangeResult = ExistingBundle &
  (
    | {
        readonly outcome: 'published'
        readonly verified: string | null
        /** Null while the run still works. */
        readonly publishDuration: number | null
      }
    | { readonly outcome: 'unchanged'; readonly verified: string | null }
    | {
        readonly outcome: 'planned'
        /** The channel is as it should be already. */
        readonly isDone: boolean
      }
  )

interface ExistingBundle extends BundleOnChannel {
  readonly kind: 'channel-change'
  readonly move: Move
  /** Further consequences for devices, as sentences; empty without any. */
  readonly consequence: string
  readonly nativeChanges: readonly NativeChange[]
}

/** The preview of a pull request was found in place, before anything was built. */
export interface PreviewKeptResult extends BundleOnChannel {
  readonly kind: 'preview-kept'
  readonly outcome: 'unchanged'
  readonly preview: PreviewLinks
}

/** Everything that is about a bundle on a channel. */
export type ChannelResult = PublishResult | ChannelChangeResult | PreviewKeptResult

/** Nothing was to be done, and that is fine. */
export interface SkippedResult {
  readonly kind: 'skipped'
  readonly outcome: 'skipped'
  readonly reason: string
  readonly testers: TestersReport | null
  readonly warnings: readonly string[]
}

/** Previews of pull requests were removed, or on a dry run would be. */
export interface PreviewsClosedResult {
  readonly kind: 'previews-closed'
  readonly outcome: 'cleaned' | 'planned'
  readonly reason: string
  readonly appId: string
  readonly previews: readonly ClosedPreview[]
  readonly testers: TestersReport | null
  readonly warnings: readonly string[]
}

export interface ClosedPreview {
  readonly pull: number
  /** Why it was removed: "#12 was merged". */
  readonly why: string
  readonly channels: readonly string[]
  readonly bundles: readonly string[]
  /** Devices that an override had put on the channels. */
  readonly devices: number
  /** The kept parts with the reason, in sentences. */
  readonly kept: readonly string[]
}

/** Something is wrong, and nothing was left half done. */
export interface FailedResult {
  readonly kind: 'failed'
  /** The channel as the run left it before it failed; null when it did nothing. */
  readonly published: ChannelResult | null
  readonly outcome: 'failed'
  /** The run's subject, to begin a title with: `Publish`. */
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
export interface OldBundlesResult {
  readonly kind: 'old-bundles'
  readonly outcome: 'cleaned' | 'planned'
  readonly reason: string
  readonly appId: string
  readonly keep: number
  /** `made` as ISO 8601. */
  readonly removed: readonly { readonly id: number; readonly name: string; readonly made: string }[]
  /** Names of those that a channel came to serve meanwhile. */
  readonly linked: readonly string[]
  /** How many stay for which reason. */
  readonly kept: Readonly<Record<KeepReason, number>>
  readonly testers: null
  readonly warnings: readonly string[]
}

export type Result =
  | ChannelResult
  | PreviewsClosedResult
  | OldBundlesResult
  | StatusResult
  | DevicesResult
  | EnrolmentResult
  | SkippedResult
  | FailedResult

/** The rollout that the result's own bundle is in. */
export function ownRollout({ rollout, bundle }: ChannelResult): RolloutState | null {
  return rollout?.bundle === bundle.name ? rollout : null
}
