import type { ErrorCode } from '../error-codes.ts'
import type { NativeChange } from '../plan/native-changes.ts'
import type { ContentChange } from './result.ts'
import type { TestersReport } from './testers.ts'

/** Everything that the one comment of a pull request and app says. Sizes in bytes. Names are untrusted text. */
export interface PreviewComment {
  /** `kept`: a run ended without a failure and published nothing; the preview is as it was. */
  readonly state: 'building' | 'ready' | 'failed' | 'kept' | 'closed' | 'missing'
  readonly appId: string
  readonly pull: number
  readonly commit: { readonly sha: string; readonly url: string }
  /** Page of the workflow run. */
  readonly runUrl: string
  /** An empty name where it is not known. */
  readonly channel: { readonly name: string; readonly id: number | null; readonly selfAssignable: boolean }
  /** What the channel serves: while building or after a failure the bundle before, null when there is none yet. */
  readonly bundle: {
    readonly id: number
    readonly name: string
    /** Size of the zip; null when it is not known. */
    readonly size: number | null
    /** Page in the Capgo console; null on self-hosted servers without one. */
    readonly url: string | null
    /** The commit that it was built from, when it is not `commit`. */
    readonly from: { readonly sha: string; readonly url: string } | null
  } | null
  /** Against what the base branch's channel serves. */
  readonly change: (ContentChange & { readonly channel: string; readonly download: number }) | null
  /** Installed native versions that are known, and the rule that keeps one from taking the bundle. */
  readonly natives: readonly {
    readonly platform: string
    readonly version: string
    readonly refusal: string | null
  }[]
  /** How the native packages differ from those of that bundle. */
  readonly nativeChanges: readonly NativeChange[]
  /** Devices that are on the channel by an override; null when it could not be read. */
  readonly devices: number | null
  /** `capgo://preview/channel?…`, also in the QR code. Null while there is nothing to open. */
  readonly deepLink: string | null
  /** The web preview's address, or why there is none. */
  readonly web: { readonly url: string } | { readonly why: string } | null
  /** Null where the repository has no testers file. */
  readonly testers: TestersReport | null
  readonly warnings: readonly string[]
  /** Why a `kept` preview's run published nothing, in a sentence. */
  readonly reason?: string
  readonly error: {
    readonly code: ErrorCode
    readonly message: string
    readonly hint: string | null
    /** End of the build's output, untrusted. */
    readonly output: string | null
  } | null
  /** Why there is none of an open pull request, as a sentence. */
  readonly missing: string | null
  /** What closing removed. */
  readonly removed: {
    readonly channel: boolean
    readonly bundles: number
    readonly devices: number
    readonly kept: readonly string[]
  } | null
}
