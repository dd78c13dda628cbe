import type { Capgo } from '../capgo/client.ts'
import type { Deps } from '../deps.ts'
import type { Trigger } from '../event.ts'
import type { GitHub } from '../github/client.ts'
import type { Inputs } from '../inputs.ts'
import type { PublishResult } from '../report/result.ts'
import type { Courtesy } from './courtesy.ts'

/** What every operation works with. */
export interface RunContext {
  readonly deps: Deps
  readonly inputs: Inputs
  readonly trigger: Trigger
  readonly capgo: Capgo
  /** Null without a token. */
  readonly github: GitHub | null
  readonly courtesy: Courtesy
  readonly lastWord: Courtesy
  /** When the run began, on the clock of `deps`. */
  readonly began: number
  /** Told as soon as a channel serves what it should: what fails afterwards does not undo that. */
  readonly onServed: (result: PublishResult) => void
  /** Aborted when the run is over: what was begun for it and is not awaited any more ends too. */
  readonly over: AbortSignal
}
