/** Where in the user's repository an error has its cause. Lines and columns count from 1. */
export interface Place {
  readonly file: string
  readonly line?: number
  readonly column?: number
}

export interface Problem {
  readonly message: string
  readonly at: Place | null
}

export interface ActionErrorOptions {
  /** Why it likely happened and what to do about it, in one to three sentences. */
  readonly hint?: string
  readonly at?: Place
  readonly cause?: unknown
  /** Where there are several things wrong at once: each, with its place. */
  readonly problems?: readonly Problem[]
  /** Nothing has to be changed: the same run, later, may succeed. */
  readonly passing?: boolean
  /** The last lines of a child process, for the log and the comment. Untrusted text. */
  readonly output?: string
}

/**
 * Every failure that a user can meet. `message` says what happened, `hint` why and what to do,
 * `at` where. `code` is stable and listed in docs/troubleshooting.md.
 */
export class ActionError extends Error {
  readonly code: string
  readonly hint: string | undefined
  readonly at: Place | undefined
  readonly output: string | undefined
  readonly passing: boolean
  readonly problems: readonly Problem[]

  constructor(code: string, message: string, options: ActionErrorOptions = {}) {
    super(message, { cause: options.cause })
    this.name = 'ActionError'
    this.code = code
    this.hint = options.hint
    this.at = options.at
    this.output = options.output
    this.passing = options.passing ?? false
    this.problems = options.problems ?? []
  }
}

/** The run ends before its work is done: it was cancelled, or its time is up. Nothing may swallow it and go on. */
export class Stopped extends ActionError {}

/** What the run publishes for is not there any more: a deleted branch, a closed pull request. Nothing is wrong. */
export class RefGone extends ActionError {
  constructor(message: string) {
    super('ref_gone', message)
    this.name = 'RefGone'
  }
}

/** A value of the `with:` block that cannot be used. */
export class InputError extends ActionError {
  constructor(input: string, message: string, hint?: string) {
    super('invalid_input', `Input "${input}": ${message}`, hint === undefined ? {} : { hint })
    this.name = 'InputError'
  }
}
