/** The context of a run: the world outside, and everything made of it. */
import type { ZlibCode } from './bundle/zlib.ts'
import type { Capgo } from './capgo/client.ts'
import type { Documents } from './documents.ts'
import type { Trigger } from './event.ts'
import type { GitHub } from './github/client.ts'
import type { UploadArtifact } from './github/upload-artifact.ts'
import type { Hosts, Inputs } from './inputs/inputs.ts'
import type { InputReader } from './inputs/values.ts'
import type { Log, Sink } from './log.ts'
import type { Section } from './report/comment-sections.ts'
import type { ChannelResult } from './report/result.ts'
import type { Cancellation } from './runtime/cancellation.ts'
import type { RequireUntouched } from './runtime/tamper-guard.ts'

/** Everything a run touches of the world outside. Built in `index.ts` alone. */
export interface Deps {
  readonly readInput: InputReader
  readonly env: Readonly<Record<string, string | undefined>>
  /** The webhook payload. */
  readonly payload: unknown
  /** Absolute path of the checkout (`GITHUB_WORKSPACE`). */
  readonly workspace: string
  /** Absolute path for what the run writes beside the checkout; removed at the end. */
  readonly scratch: string
  /** The script that evaluates a Capacitor config, and the Node that runs it. */
  readonly evaluator: { readonly script: string; readonly node: string }
  /** Source of the threads that deflate files. */
  readonly deflateWorker: string
  /** Their zlib. */
  readonly zlib: ZlibCode
  /** Whether the files of runner and action are as they were; see `runtime/tamper-guard.ts`. */
  readonly requireUntouched: RequireUntouched
  /** Loads what stores artifacts of the workflow run; a build could change it, so before anything is built. */
  loadArtifacts(): Promise<UploadArtifact>
  /** Where the documents of the release in use are. */
  readonly documents: Documents
  readonly cancellation: Cancellation
  readonly log: Log
  readonly sink: Sink
  /** Milliseconds; only differences are used. */
  readonly clock: () => number
  /** The time of day. */
  readonly now: () => Date
  connectCapgo(token: string, hosts: Hosts): Capgo
  /** `repository` as `owner/name`. No call outlives the signal. */
  connectGitHub(token: string, repository: string, signal: AbortSignal): GitHub
}

/**
 * Optional work on GitHub; null when it failed, which is a warning and never fails the
 * publish. `what` continues "Could not"; what GitHub refuses is warned about once for each permission.
 */
export type BestEffort = <T>(
  what: string,
  permission: string,
  work: (github: GitHub) => Promise<T>,
) => Promise<T | null>

/** The context of every operation. */
export interface RunContext {
  readonly deps: Deps
  readonly inputs: Inputs
  readonly trigger: Trigger
  readonly capgo: Capgo
  /** Null without a token. */
  readonly github: GitHub | null
  readonly bestEffort: BestEffort
  readonly finalUpdate: BestEffort
  /** The newest sections of other apps in comments that this run saw. */
  readonly seenSections: Map<string, Section>
  /** When the run began, on the clock of `deps`. */
  readonly began: number
  /** Called as soon as a channel serves what it should: later failures do not undo that. */
  readonly onServed: (result: ChannelResult) => void
  /** Aborted when the run is over: what was begun for it and is not awaited any more ends too. */
  readonly over: AbortSignal
}
