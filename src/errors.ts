/** The errors that a user can meet. */
import type { ErrorCode } from './error-codes.ts'

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
  readonly transient?: boolean
  /** The last lines of a child process, for the log and the comment. Untrusted text. */
  readonly output?: string
}

/**
 * Every failure that a user can meet. `message` says what happened, `hint` why and what to do,
 * `at` where. `code` is one of those that docs/troubleshooting.md lists.
 */
export class ActionError extends Error {
  readonly code: ErrorCode
  readonly hint: string | undefined
  readonly at: Place | undefined
  readonly output: string | undefined
  readonly transient: boolean
  readonly problems: readonly Problem[]

  constructor(code: ErrorCode, message: string, options: ActionErrorOptions = {}) {
    super(message, { cause: options.cause })
    this.name = 'ActionError'
    this.code = code
    this.hint = options.hint
    this.at = options.at
    this.output = options.output
    this.transient = options.transient ?? false
    this.problems = options.problems ?? []
  }
}

/** Node's and OpenSSL's codes for a certificate that does not prove whose server it is. */
const UNTRUSTED =
  /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|CERT_|INVALID_(CA|PURPOSE)|ERR_TLS_CERT_ALTNAME|HOSTNAME_MISMATCH|CRL_|ERROR_IN_C)/

/** The error where nothing was sent since the certificate is not trusted: waiting does not help. Null for another cause. */
export function untrusted(error: unknown, what: string): ActionError | null {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    const { code } = cause as { code?: unknown }
    if (typeof code !== 'string' || !UNTRUSTED.test(code)) continue
    return new ActionError(
      'tls_untrusted',
      `${what} has a certificate that the runner does not trust (${code}).`,
      {
        hint: hintFor(code),
        cause: error,
      },
    )
  }
  return null
}

function hintFor(code: string): string {
  if (code === 'CERT_HAS_EXPIRED')
    return 'The certificate has expired. Renew it, and check the clock of the runner.'
  if (code === 'CERT_NOT_YET_VALID') return 'The certificate is not valid yet. Check the clock of the runner.'
  if (/ALTNAME|HOSTNAME/.test(code))
    return 'The certificate is for another name. Use the address it was issued for, or get a certificate for this address.'
  if (code === 'CERT_REVOKED') return 'The certificate was revoked. Get a new one.'
  return 'Store the certificate of your authority (PEM) on the runner. Set NODE_EXTRA_CA_CERTS to that file, in the environment of the runner or in "env:" of the job. UNABLE_TO_VERIFY_LEAF_SIGNATURE can also mean that the server does not send the intermediate certificate.'
}

/** The run ends before its work is done: it was cancelled, or its time is up. Nothing may swallow it and continue. */
export class CancelledError extends ActionError {}

/** The ref of the run no longer exists: a deleted branch, a closed pull request. That is not a failure. */
export class RefGone extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'RefGone'
  }
}

/** A value of the `with:` block that cannot be used. `message` is a sentence, or continues one: "must be ...". */
export class InputError extends ActionError {
  readonly input: string

  constructor(input: string, message: string, hint?: string, code: ErrorCode = 'invalid_input') {
    const joint = /^(?:is|must|has|cannot|contains|line) /.exec(message)?.[0]
    const between = joint === undefined ? ': ' : joint === 'line ' ? ', ' : ' '
    super(code, `Input "${input}"${between}${message}`, hint === undefined ? {} : { hint })
    this.name = 'InputError'
    this.input = input
  }
}

/** All that is wrong with the inputs, as one error. */
export function inputErrors(errors: readonly InputError[]): ActionError {
  const [first] = errors
  if (first !== undefined && errors.length === 1) return first
  const names = [...new Set(errors.map(({ input }) => `"${input}"`))]
  return new ActionError(
    'invalid_input',
    `${names.length === 1 ? 'Input' : 'Inputs'} ${names.join(', ')}: ${errors.length} errors.`,
    {
      hint: 'Nothing was built or published. Correct them all in the workflow.',
      problems: errors.map(({ message, hint }) => ({
        message: hint === undefined ? message : `${message} ${hint}`,
        at: null,
      })),
    },
  )
}
