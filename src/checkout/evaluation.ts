/** The evaluator's report on a config, to the process that started it. */
import type { Place } from '../errors.ts'

/** The evaluator's result for a Capacitor config. File names are absolute. */
export interface Evaluation {
  /** `ended`: the config ended the process. */
  readonly kind: 'config' | 'no-object' | 'syntax' | 'missing' | 'throw' | 'ended'
  readonly config?: unknown
  /** The failure; for `missing` the module that was not found. */
  readonly message?: string
  readonly place?: Place | undefined
  /** Packages that are not installed; the config may have continued without them. */
  readonly missing: readonly string[]
  /** Those of Capacitor that something stood in for; their values are objects without entries. */
  readonly standIns: readonly string[]
  /** Environment variables that the user's files asked for, and that are not set. */
  readonly unset: readonly string[]
}
