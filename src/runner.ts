/** The exchange between a run and the runner: secrets in; log, outputs and summary out, free of secrets and commands. */
import { randomUUID } from 'node:crypto'
import type * as toolkit from '@actions/core'
import type { Place } from './errors.ts'
import { secretValues } from './inputs/build-variables.ts'
import type { Log, Sink } from './log.ts'
import { formatElapsed } from './report/format.ts'
import type { Cancellation } from './runtime/cancellation.ts'
import { appendWhole, keyValueLines } from './runtime/command-file.ts'
import { SECRET_INPUTS } from './runtime/environment.ts'
import { createRedactor, type Redact } from './runtime/redaction.ts'

/** The parts of GitHub's toolkit that a run uses. */
export type Toolkit = Pick<typeof toolkit, 'error' | 'group' | 'info' | 'notice' | 'setOutput' | 'warning'>

type Environment = Record<string, string | undefined>

/** The inputs that are secret, and what hides them and the runner's own tokens. */
export function readSecrets(
  readInput: (name: string) => string,
  env: Readonly<Environment>,
): { readonly secrets: readonly string[]; readonly redact: Redact } {
  const isKeyFile = (value: string) =>
    value === readInput('private-key') && value.length < 256 && !value.includes('-----')
  const secrets = [...SECRET_INPUTS.map(readInput), ...secretValues(readInput('build-secrets'))].filter(
    // The input `private-key` may be a path, which is not secret.
    secret => secret !== '' && !isKeyFile(secret),
  )
  const tokens = Object.entries(env).flatMap(([name, value]) =>
    /^ACTIONS_.*TOKEN$/.test(name) ? [value ?? ''] : [],
  )
  return { secrets, redact: createRedactor([...secrets, ...tokens]) }
}

/** GitHub masks only the log, and only values that it knows: everything that is said here is redacted. */
export function createLog(
  core: Toolkit,
  redact: Redact,
  cancellation: Cancellation,
  clock: () => number,
): Log & { obeyCommands(): void } {
  const began = clock()
  /** The word with which the runner obeys commands again; null while it obeys. */
  let pausedBy: string | null = null

  /**
   * Prints a line of a child process. From the first line that could be a workflow command on, commands are switched off
   * until the child has ended: a check of each line by itself would have to know everything that the runner trims or
   * ignores.
   */
  function printVerbatim(line: string): void {
    if (pausedBy === null && /::|##\[/.test(line.replace(/[^!-~]/g, ''))) {
      pausedBy = randomUUID()
      core.info(`::stop-commands::${pausedBy}`)
    }
    core.info(line)
  }

  function obeyCommands(): void {
    if (pausedBy !== null) core.info(`::${pausedBy}::`)
    pausedBy = null
  }

  return {
    info: message => core.info(inert(redact(message))),
    notice: message => core.notice(redact(message), annotation(undefined)),
    warning: (message, at) => core.warning(redact(message), annotation(at)),
    error: (message, at) => core.error(redact(message), annotation(at)),
    async output(work) {
      try {
        return await work(line => printVerbatim(redact(line)))
      } finally {
        obeyCommands()
      }
    },
    group(title, work) {
      cancellation.begin(title)
      return core.group(`${formatElapsed(clock() - began)} ${redact(title)}`, work)
    },
    obeyCommands,
  }
}

/** `env` names the runner's files. */
export function createSink(core: Toolkit, env: Environment, redact: Redact): Sink {
  return {
    setOutputs(values) {
      const hidden = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, redact(value)]))
      const path = env.GITHUB_OUTPUT ?? ''
      const refusal = path === '' ? null : attempt(() => appendWhole(path, keyValueLines(hidden)))
      if (path !== '' && refusal === null) return null
      // Without the file's name the toolkit tells the runner by commands, which it still obeys.
      env.GITHUB_OUTPUT = ''
      for (const [name, value] of Object.entries(hidden)) core.setOutput(name, value)
      return refusal
    },
    writeSummary(markdown) {
      const path = env.GITHUB_STEP_SUMMARY
      return path ? attempt(() => appendWhole(path, `${redact(markdown)}\n`)) : null
    },
  }
}

/** The error that the work failed with; null where it did not. */
function attempt(work: () => void): Error | null {
  try {
    work()
    return null
  } catch (error) {
    return error as Error
  }
}

/**
 * Text that is not ours must not be read as a workflow command. The runner trims white space of every kind before it
 * looks for one, and may ignore characters without a width.
 */
function inert(message: string): string {
  // Per line: across the newlines of a long text the search would take the square of its length.
  return message
    .replace(/^((?:(?![\r\n])[\s\p{Cc}\p{Cf}])*):(?=[\p{Cc}\p{Cf}]*:)/gmu, '$1\u02d0')
    .replace(/##\[/g, '## [')
}

function annotation(at: Place | undefined): toolkit.AnnotationProperties {
  return {
    title: 'Capgo publish',
    ...(at === undefined ? {} : { file: at.file }),
    ...(at?.line === undefined ? {} : { startLine: at.line }),
    ...(at?.column === undefined ? {} : { startColumn: at.column }),
  }
}
