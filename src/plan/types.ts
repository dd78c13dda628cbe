/** The nouns that planners share. */
export type { NativeVersion, UnreadVersion } from '../checkout/native-version.ts'

/** One choice of a plan, why it was made and who said so. Printed by a dry run and in the log. */
export interface Decision {
  readonly what: string
  readonly value: string
  readonly why: string
}

/** The commit that is being published and the run that does it. */
export interface Commit {
  readonly sha: string
  /** Short name of the branch or tag. */
  readonly refName: string
  /** `GITHUB_RUN_ID`: grows with every run of the repository's server; a re-run keeps it. */
  readonly runId: number
  readonly runNumber: number
  readonly runAttempt: number
  /** Page of the commit; kept as the bundle's `link`. */
  readonly url: string
  /** `owner/name#12` when it is published for a pull request. */
  readonly pull?: string
  /** Id of the repository, where it is published for a pull request. */
  readonly repository?: number
  /** When the run puts it on a channel, as ISO 8601. */
  readonly at?: string
}

/** How our commit stands to the one that a channel serves; `unknown` when they could not be compared. */
export type Relation = 'identical' | 'ahead' | 'behind' | 'diverged' | 'unknown'

/** A version somebody asked for: who, and whether the user insists on exactly this name. */
export interface WantedVersion {
  readonly version: string
  readonly source: string
  readonly forced: boolean
}

/** Settings of a channel that does not exist yet; spelt as `POST /channel` takes them. */
export interface ChannelSettings {
  readonly public: boolean
  readonly allow_device_self_set: boolean
  readonly disableAutoUpdate?: 'none'
  readonly disableAutoUpdateUnderNative?: boolean
  readonly allow_dev?: boolean
  readonly allow_emulator?: boolean
}

/** The purpose of a channel: the users of a branch, or the testers of one pull request. */
export type Purpose =
  | { readonly kind: 'branch'; readonly isDefaultBranch: boolean }
  | { readonly kind: 'preview'; readonly pull: number }

/** The reaction to native code that installed apps lack. */
export type OnIncompatible = 'fail' | 'warn' | 'ignore'

/** The comments of a repository's apps on a pull request: one for all, or one for each. */
export type CommentLayout = 'shared' | 'separate'
