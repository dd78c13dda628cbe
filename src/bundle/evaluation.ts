import type { Place } from '../errors.ts'

/** What the evaluator says about a Capacitor config. File names are absolute. */
export interface Evaluation {
  readonly kind: 'config' | 'no-object' | 'syntax' | 'missing' | 'throw'
  readonly config?: unknown
  /** What went wrong; for `missing` the module that was not found. */
  readonly message?: string
  readonly place?: Place | undefined
  /** Capacitor packages that are not installed; their values are not in the config. */
  readonly missing: readonly string[]
}
