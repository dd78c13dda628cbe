/** The one comment of a pull request and app, by the state of its preview. Names are untrusted text. */
import type { ContentChange } from '../bundle/contents.ts'
import type { Documents } from '../documents.ts'
import type { ErrorCode } from '../error-codes.ts'
import type { NativeChange } from '../plan/native-changes.ts'
import type { PreviewObstacle, WebPreview } from '../plan/preview.ts'
import type { ReleaseNotes } from '../plan/release-notes.ts'
import type { TesterRow, TestersReport } from './testers.ts'

/** The testers in a comment. */
export type CommentTesters = Pick<TestersReport, 'rows' | 'addPhone'>

export type PreviewComment =
  | BuildingComment
  | ReadyComment
  | FailedComment
  | KeptComment
  | ClosedComment
  | MissingComment

interface AnyComment {
  readonly appId: string
  readonly pull: number
  readonly commit: DescribedCommit
  /** Page of the workflow run. */
  readonly runUrl: string
  readonly documents: Documents
}

export interface CommentCommit {
  readonly sha: string
  readonly url: string
}

export interface DescribedCommit extends CommentCommit {
  /** First line of its message; null where it is not known. */
  readonly title: string | null
  /** `@ada`, or the name that git has; null where it is not known. */
  readonly author: string | null
}

interface CommentBundle {
  readonly id: number
  readonly name: string
  /** Page in the Capgo console; null on self-hosted servers without one. */
  readonly url: string | null
}

/** How a bundle gets onto a phone. */
export interface OnPhone {
  /** `capgo://preview/channel?…`, also in the QR code. */
  readonly deepLink: string
  /** Why neither Capgo's own app nor a browser can show it; null where they can. */
  readonly obstacle: PreviewObstacle | null
  /** The app's settings in the Capgo console; null on servers without one. */
  readonly settings: string | null
  /** An app may put itself on the channel. */
  readonly selfAssignable: boolean
}

/** A bundle that the channel serves while the comment's commit is not on it. */
export interface ServedBundle extends CommentBundle {
  /** The commit that it was built from, when it is not the comment's. */
  readonly from: CommentCommit | null
}

/** The preview that is there already. */
export type ServedPreview = ServedBundle & OnPhone

/** The commit is not on the channel. */
interface UnservedComment extends AnyComment {
  readonly channelName: string
  /** Null when the channel serves no preview of this pull request. */
  readonly served: ServedPreview | null
}

interface BuildingComment extends UnservedComment {
  readonly state: 'building'
  /** When the run began, as ISO 8601. */
  readonly since: string | null
}

/** A run ended without a failure and published nothing; the preview is as it was. */
interface KeptComment extends UnservedComment {
  readonly state: 'kept'
  /** Why, in a sentence. */
  readonly reason: string
}

interface FailedComment extends UnservedComment {
  readonly state: 'failed'
  readonly error: {
    readonly code: ErrorCode
    readonly message: string
    readonly hint: string | null
    /** End of the build's output, untrusted. */
    readonly output: string | null
  }
}

export interface ReadyComment extends AnyComment {
  readonly state: 'ready'
  readonly channelName: string
  readonly bundle: CommentBundle & OnPhone
  /** When the channel began to serve it, as ISO 8601; null where it is not known. */
  readonly since: string | null
  /** Milliseconds that the run took until then; null where an earlier run did it. */
  readonly duration: number | null
  /** Against what the base branch's channel serves. */
  readonly change: (ContentChange & { readonly channel: string; readonly download: number }) | null
  /** The changes since the base branch's channel, in words. */
  readonly releaseNotes?: ReleaseNotes
  /** Installed native versions that are known, and the rule that keeps one from taking the bundle. */
  readonly nativeVersions: readonly {
    readonly platform: string
    readonly version: string
    readonly refusal: string | null
  }[]
  /** How the native packages differ from those of that bundle. */
  readonly nativeChanges: readonly NativeChange[]
  readonly web: WebPreview
  /** Null where the repository has no testers file. */
  readonly testers: (CommentTesters & Pick<TestersReport, 'merging'>) | null
  readonly warnings: readonly string[]
}

interface ClosedComment extends AnyComment {
  readonly state: 'closed'
  /** "#12 was merged". */
  readonly why: string
  readonly removed: {
    /** Its name; null where there was none to remove. */
    readonly channel: string | null
    readonly bundles: number
    readonly devices: number
    /** The kept parts with the reason, in sentences. */
    readonly kept: readonly string[]
  }
  /** Where the testers are now. */
  readonly testers: readonly TesterRow[]
}

/** An open pull request has no preview, or one of an older commit, although it should have it. */
interface MissingComment extends AnyComment {
  readonly state: 'missing'
  /** Why, as a sentence. */
  readonly reason: string
  /** The bundle that its channel still serves. */
  readonly served: (ServedBundle & { readonly channelName: string }) | null
}
