/**
 * One decision of a planner: the circumstances, in words and as data, and what the planner makes of them. The unit tests
 * assert it, and docs/development/decisions.md prints those that have a `page`.
 */
export interface Case<Given> {
  readonly name: string
  /** What differs from the default facts. */
  readonly given: Given
  /** What is decided, as people read it; of a refusal `fails` with its code. */
  readonly result: string
  /** The reason in full, or what it must contain; of a refusal its message. */
  readonly why: string | RegExp
  /** The first cells of its row in docs/development/decisions.md. */
  readonly page?: readonly string[]
}

/** The result of a decision that ends the run with this error. */
export const fails = (code: string) => `fails: \`${code}\``
