import type { RequireUntouched } from './bundle/untouched.ts'
import type { ZlibCode } from './bundle/zlib.ts'
import type { Capgo } from './capgo/client.ts'
import type { Place } from './errors.ts'
import type { GitHub } from './github/client.ts'
import type { UploadArtifact } from './github/upload-artifact.ts'
import type { InputReader } from './input-values.ts'
import type { Hosts } from './inputs.ts'
import type { Stop } from './stop.ts'

/** The run's log as GitHub shows it. Text is data: nothing given here is run as a workflow command. */
export interface Log {
  info(message: string): void
  warning(message: string, at?: Place): void
  error(message: string, at?: Place): void
  /** Shows the lines of a child process to the letter; none of them works as a workflow command. */
  output<T>(work: (print: (line: string) => void) => Promise<T>): Promise<T>
  group<T>(title: string, work: () => Promise<T>): Promise<T>
}

/** What the run says to the workflow. */
export interface Sink {
  /** Returns why the runner's file could not be written and they were told another way; null where it could. */
  setOutputs(values: Readonly<Record<string, string>>): Error | null
  /** Returns why it could not be written; null where it could. */
  writeSummary(markdown: string): Error | null
}

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
  /** What they deflate with. */
  readonly zlib: ZlibCode
  /** Whether the files of runner and action are as they were; see `bundle/untouched.ts`. */
  readonly requireUntouched: RequireUntouched
  /** Loads what stores artifacts of the workflow run; a build could change it, so before anything is built. */
  loadArtifacts(): Promise<UploadArtifact>
  readonly stop: Stop
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
