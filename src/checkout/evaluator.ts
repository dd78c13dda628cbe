/** Runs the program that evaluates a Capacitor config, and says what is wrong with one that cannot be read. */
import { realpath } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import * as z from 'zod/mini'
import { ActionError, type Place } from '../errors.ts'
import { runProgram } from '../runtime/child-process.ts'
import { isInside, shownPath } from '../runtime/paths.ts'
import type { Evaluation } from './evaluation.ts'

export interface EvaluatorOptions {
  /** Absolute path of the checkout: places of errors are relative to it. */
  readonly root: string
  /** Absolute path of the config's folder, from `findCapacitorDirectory`. */
  readonly directory: string
  /** For the child process that evaluates a TypeScript or JavaScript config; from `childEnvironment`. */
  readonly env: Readonly<Record<string, string>>
  readonly nodePath: string
  /** The built `evaluate-config.ts`. */
  readonly evaluatorPath: string
  /** Ends that child process. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds. */
  readonly timeout?: number
}

export type EvaluatedConfig = Pick<Evaluation, 'missing' | 'standIns' | 'unset'> & {
  readonly content: unknown
}

/** The config may say otherwise once its packages are installed: an error that may pass with the install. */
export class PackagesMissing extends ActionError {
  constructor({ code, message, hint, at, output }: ActionError) {
    super(code, message, {
      ...(hint === undefined ? {} : { hint }),
      ...(at === undefined ? {} : { at }),
      ...(output === undefined ? {} : { output }),
    })
  }
}

const TIMEOUT = 30_000
/** Bytes that the evaluator may say. */
const MAX_EVALUATION = 4 * 1024 * 1024
/** Variables that a hint names. */
const NAMES_LIMIT = 5

/** The export of a config. Throws `config_broken`, `config_failed`, `config_module_missing`, `config_timeout`, `config_no_object`. */
export async function evaluateConfig(file: string, options: EvaluatorOptions): Promise<EvaluatedConfig> {
  const shown = shownPath(options.root, file)
  const { result, output, end } = await runEvaluator(file, options)
  const { missing = [], standIns = [], unset = [], place } = result ?? {}
  const at: Place = place ? { ...place, file: await shownPlace(options.root, place.file) } : { file: shown }
  const { error, content } = judge(result, { shown, at, output, end })
  if (error === undefined) return { content, missing, standIns, unset }
  throw missing.length + standIns.length > 0 ? new PackagesMissing(error) : error
}

function judge(
  result: Evaluation | null,
  { shown, at, output, end }: { shown: string; at: Place; output: string; end: string },
): { error: ActionError; content?: undefined } | { error?: undefined; content: unknown } {
  const { kind = 'ended', message = '', unset = [], missing = [], standIns = [] } = result ?? {}
  const where =
    at.line === undefined ? at.file : `${at.file}:${at.line}${at.column === undefined ? '' : `:${at.column}`}`
  switch (kind) {
    case 'config':
      return { content: result?.config }
    case 'ended': {
      const what = end === 'timeout' ? 'did not finish in time' : `ended the process (${end})`
      return {
        error: new ActionError(end === 'timeout' ? 'config_timeout' : 'config_failed', `${shown} ${what}.`, {
          hint: 'A config must export an object. Remove code that waits for input or the network, and process.exit.',
          at: { file: shown },
          output,
        }),
      }
    }
    case 'no-object':
      if (standIns.length > 0) return { error: moduleMissing(standIns.join(', '), shown, at) }
      return {
        error: new ActionError('config_no_object', `${shown} is not a config: ${message}.`, {
          hint: 'End the file with "export default config" (TypeScript) or "module.exports = config" (JavaScript). config must be an object.',
          at,
        }),
      }
    case 'syntax':
      return {
        error: new ActionError('config_broken', `${where}: ${message}.`, {
          hint: 'Correct the syntax error at that place.',
          at,
        }),
      }
    case 'missing':
      return { error: moduleMissing(message, where, at) }
    case 'throw':
      return {
        error: new ActionError('config_failed', `${where}: the config threw ${message}`, {
          hint: [
            ...(unset.length === 0 ? [] : [`These variables are not set: ${nameVariables(unset)}.`]),
            ...(missing.length === 0 ? [] : [`These packages are not installed: ${missing.join(', ')}.`]),
            "The config does not see this action's inputs and tokens. Pass the variables it reads with the input build-env, or build-secrets for a secret.",
          ].join(' '),
          at,
          output,
        }),
      }
  }
}

/** Node reports the real path of a file, and the path of the checkout can lead through links. */
async function shownPlace(root: string, file: string): Promise<string> {
  return shownPath(isInside(root, file) ? root : await realpath(root), file)
}

export function nameVariables(names: readonly string[]): string {
  const more = names.length - NAMES_LIMIT
  return [...names.slice(0, NAMES_LIMIT), ...(more > 0 ? [`${more} more`] : [])].join(', ')
}

export function moduleMissing(module: string, where: string, at: Place): ActionError {
  const own = module.startsWith('.') || isAbsolute(module)
  return new ActionError(
    'config_module_missing',
    `${where}: the config needs "${module}", which is missing.`,
    {
      hint: own
        ? 'Correct the path, or commit the file. If a script generates the file, run that script in an earlier step, or set the inputs app-id and web-dir.'
        : 'Add it to the dependencies in package.json. If this run installs nothing, install them in an earlier step. Or set the inputs app-id and web-dir.',
      at,
    },
  )
}

/** `result` is null when the process ended without one; `end` says how. */
async function runEvaluator(
  file: string,
  { directory, env, nodePath, evaluatorPath, signal, timeout = TIMEOUT }: EvaluatorOptions,
): Promise<{ result: Evaluation | null; output: string; end: string }> {
  let output = ''
  const chunks: Buffer[] = []
  const limit = AbortSignal.timeout(timeout)
  const end = await runProgram(
    nodePath,
    ['--disable-warning=ExperimentalWarning', evaluatorPath, file],
    {
      cwd: directory,
      env,
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    },
    child => {
      for (const stream of [child.stdout, child.stderr])
        stream?.on('data', data => {
          output = (output + data).slice(-4096)
        })
      let size = 0
      child.stdio[3]?.on('data', (data: Buffer) => {
        size += data.length
        // A config is code and can write here what it likes.
        if (size > MAX_EVALUATION) child.kill('SIGKILL')
        else chunks.push(data)
      })
    },
  ).then(
    ({ code, killedBy }) => killedBy ?? `exit code ${code}`,
    error => {
      if (error !== limit.reason) throw error
      return 'timeout'
    },
  )
  return {
    result: end === 'timeout' ? null : readEvaluation(Buffer.concat(chunks)),
    output: stripVTControlCharacters(output),
    end,
  }
}

const schema = z.object({
  kind: z.enum(['config', 'no-object', 'syntax', 'missing', 'throw', 'ended']),
  config: z.optional(z.unknown()),
  message: z.optional(z.string()),
  place: z.optional(z.object({ file: z.string(), line: z.optional(z.int()), column: z.optional(z.int()) })),
  missing: z.array(z.string()),
  standIns: z.array(z.string()),
  unset: z.array(z.string()),
})

function readEvaluation(data: Buffer): Evaluation | null {
  try {
    return schema.parse(JSON.parse(data.toString('utf8'))) as Evaluation
  } catch {
    return null
  }
}
