/** The facts and the plan of a publish. */
import type { BundleRow, ChannelRow, NativePackage, StoredFile } from '../capgo/schema.ts'
import type { DeltaMode } from './delta.ts'
import type { NativeChange } from './native-changes.ts'
import type { ReleaseNotes } from './release-notes.ts'
import type { RolloutRequest, RolloutTarget } from './rollout.ts'
import type { Standing } from './staleness.ts'
import type {
  ChannelSettings,
  Commit,
  Decision,
  NativeVersion,
  OnIncompatible,
  Purpose,
  UnreadVersion,
  WantedVersion,
} from './types.ts'

/** The facts of a publish before anything is built. */
export interface PublishFacts {
  readonly appId: string
  readonly channelName: string
  readonly channelWhy: string
  /** Null when it does not exist (or the key cannot see it). */
  readonly channel: ChannelRow | null
  /** Names of the app's public channels. */
  readonly publicChannels: readonly string[]
  /** The newest bundles that have delta files. */
  readonly newest: readonly BundleRow[]
  /** When a bundle of the app was deleted last; null = never. */
  readonly deletedAt: string | null
  readonly purpose: Purpose
  readonly wanted: WantedVersion
  readonly nativeVersions: readonly NativeVersion[]
  readonly unreadVersions: readonly UnreadVersion[]
  readonly commit: Commit
  /** Why it is this commit, where that is not the run's own; null where it is. */
  readonly commitWhy: string | null
  /** The commit was checked out on purpose; the run is of another one. */
  readonly isChosen: boolean
  /** Publishes also what is older, or was rolled back. */
  readonly force: boolean
  readonly rollout: RolloutRequest
  /** The user's own minimum native version for the bundle. */
  readonly minUpdateVersion: string | null
  /** The form of bundles that the channel demands; null when none is known, or it was not asked. */
  readonly updatePackage: string | null
  /** The form that is asked for. */
  readonly delta: DeltaMode
  /** Null = `fail`, for previews `warn`. */
  readonly onIncompatible: OnIncompatible | null
}

/** The known delta files that the app has stored; all of it is empty where there will be none. */
export interface StoredFiles {
  /** The newest bundles that have some. */
  readonly newest: readonly BundleRow[]
  /** Id of the bundle that the channel served when it was read; null when that one has none. */
  readonly of: number | null
  /** Of that bundle, mostly all. */
  readonly files: readonly StoredFile[]
}

/** The facts of a publish once the web build is a zip. Sizes in bytes. */
export interface BuiltFacts extends PublishFacts {
  /** What Capgo keeps as the checksum. */
  readonly checksum: string
  /** SHA-256 of the zip before encryption, lower-case hex. */
  readonly sha256: string
  /** Of the zip as it would be stored. */
  readonly size: number
  /** Of bundles with this content, by id: what they take in the store. */
  readonly sizes: ReadonlyMap<number, number | null>
  /** Bundles with a name that we may want, with the same content, or left in progress. */
  readonly bundles: readonly BundleRow[]
  readonly storedFiles: StoredFiles
  /** How our commit stands to its ref and to what the channel serves. */
  readonly standing: Standing
  /** The bundle that the channel rolls out, and our commit's relation to it; null without a rollout. */
  readonly rolloutBundle: { readonly bundle: BundleRow; readonly standing: Standing } | null
  /**
   * The channel whose devices will take the bundle next: itself; of a pull request that of its base branch, else the
   * app's public one. Null when none is known.
   */
  readonly base: ChannelRow | null
  /** Native packages of the app, as installed. */
  readonly nativePackages: readonly NativePackage[]
  /** The changes of the commit since that of `base`. */
  readonly releaseNotes: ReleaseNotes
}

export type PublishAction =
  /** Create the bundle; `names` in order, the next one when somebody else takes one in between. */
  | {
      readonly do: 'upload'
      readonly names: readonly [string, ...string[]]
      readonly minUpdateVersion: string | null
    }
  /** A row of ours with this content was left in progress: finish it. */
  | { readonly do: 'resume'; readonly bundle: BundleRow }
  /** The content is there under a name that this channel may show. */
  | { readonly do: 'promote'; readonly bundle: BundleRow }
  | { readonly do: 'keep'; readonly outcome: 'unchanged' | 'stale'; readonly bundle: BundleRow }

export interface PublishPlan {
  readonly appId: string
  readonly purpose: Purpose
  readonly channelName: string
  readonly channelId: number | null
  /** Set when the channel has to be made. */
  readonly create: ChannelSettings | null
  readonly action: PublishAction
  /** The devices that get the bundle. */
  readonly rolloutTarget: RolloutTarget
  readonly link: string
  readonly comment: string
  readonly decisions: readonly Decision[]
  /** How the native packages differ from those of the bundle that the channel serves. */
  readonly nativeChanges: readonly NativeChange[]
  readonly releaseNotes: ReleaseNotes
  readonly warnings: readonly string[]
}
