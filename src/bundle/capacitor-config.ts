import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import * as z from 'zod/mini'
import { ActionError, type Place } from '../errors.ts'
import { runProgram } from './child.ts'
import type { Evaluation } from './evaluation.ts'
import { parseJson } from './json.ts'
import { isInside, shownPath } from './paths.ts'

export interface CapacitorConfig {
  /** Absolute path. */
  readonly file: string
  /** What devices tell Capgo: `plugins.CapacitorUpdater.appId`, else the config's `appId`. */
  readonly appId: string
  /** Relative to the folder of the config. */
  readonly webDir: string
  /** Folders of the native projects, relative to that of the config. */
  readonly nativePaths: { readonly android: string; readonly ios: string }
  /** `server.url`: a page that the app loads instead of its web folder. */
  readonly serverUrl?: string | undefined
  /** `plugins.CapacitorUpdater`. */
  readonly updater: {
    /** Devices say this instead of their store version. */
    readonly version?: string | undefined
    readonly appId?: string | undefined
    readonly publicKey?: string | undefined
    /** Of the app's devices that have no override; without it they follow the public channel. */
    readonly defaultChannel?: string | undefined
    /** Where devices ask for updates. */
    readonly updateUrl?: string | undefined
    /** `autoUpdate` is `false` or `off`; left out where it is not. */
    readonly isOff?: true | undefined
  }
}

export interface ReadConfigOptions {
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
  /** Reads JSON and evaluates nothing: the config may be a stranger's. */
  readonly dataOnly?: boolean
}

/** What Capacitor's CLI reads, in its order (`cli/src/config.ts`): the first one wins. */
const NAMES = ['capacitor.config.ts', 'capacitor.config.js', 'capacitor.config.json']
/** Quasar keeps config, native projects and their dependencies in a folder of the app's. */
const QUASAR_FOLDER = 'src-capacitor'
/** Names that people try, and that Capacitor ignores. */
const IGNORED = [
  'capacitor.config.mjs',
  'capacitor.config.cjs',
  'capacitor.config.mts',
  'capacitor.config.cts',
]

const APP_ID = /^[a-z0-9]+(\.[\w-]+)+$/i
/** Capacitor's CLI takes this when the config has none. */
const DEFAULT_WEB_DIR = 'www'
/** Capacitor's CLI refuses these (`cli/src/common.ts`). */
const NO_WEB_DIR = ['', '.', '..', './', '../']
const TIMEOUT = 30_000
/** Folders that a hint names. */
const NAMED = 5
/** Bytes that the evaluator may say. */
const LONGEST_EVALUATION = 4 * 1024 * 1024

const text = z.optional(z.string())
const schema = z.object({
  appId: text,
  webDir: text,
  android: z.optional(z.object({ path: text })),
  ios: z.optional(z.object({ path: text })),
  server: z.optional(z.object({ url: text })),
  plugins: z.optional(
    z.object({
      CapacitorUpdater: z.optional(
        z.object({
          appId: text,
          version: text,
          publicKey: text,
          defaultChannel: text,
          updateUrl: text,
          // A word in newer versions, and true or false.
          autoUpdate: z.optional(z.unknown()),
        }),
      ),
    }),
  ),
})

/**
 * The app's Capacitor config. Throws `config_missing`, `config_twice`, `config_broken` (syntax),
 * `config_threw`, `config_module_missing`, `config_timeout`, `config_no_object`, `config_invalid` (a value of
 * the wrong type), `app_id_missing`, `invalid_app_id`, `web_dir_invalid`; with `dataOnly` also `unsafe_config`.
 */
export async function readCapacitorConfig(options: ReadConfigOptions): Promise<CapacitorConfig> {
  const { root, directory } = options
  const file = await findConfig(directory, root)
  const shown = shownPath(root, file)
  const at = { file: shown }
  if (options.dataOnly && !file.endsWith('.json'))
    throw new ActionError('unsafe_config', `${shown} is code, and is not evaluated on this event.`)
  const { content, missing } = file.endsWith('.json')
    ? { content: parseJson(await readFile(file, 'utf8'), shown, 'config_broken'), missing: [] }
    : await evaluateConfig(file, options)
  const parsed = schema.safeParse(content)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new ActionError(
      'config_invalid',
      `${shown}: ${issue!.path.join('.') || 'the config'}: ${issue!.message}.`,
      {
        hint: 'Correct this value; the names and types are in the documentation of Capacitor and of its plugin CapacitorUpdater.',
        at,
      },
    )
  }
  const { appId: ownId, webDir, android, ios, server, plugins } = parsed.data
  const { autoUpdate, ...updater } = plugins?.CapacitorUpdater ?? {}
  if (missing.length > 0 && ((updater.appId ?? ownId) === undefined || webDir === undefined))
    throw moduleMissing(missing.join(', '), shown, at)
  const appId = updater.appId ?? ownId
  if (appId === undefined || appId === '')
    throw new ActionError('app_id_missing', `${shown} has no appId.`, {
      hint: 'Add it, for example appId: "com.example.app", or set the input app-id.',
      at,
    })
  if (!APP_ID.test(appId))
    throw new ActionError('invalid_app_id', `${shown}: "${appId}" is not an app id.`, {
      hint: 'App ids look like com.example.app: parts of letters, digits, _ and -, with a dot between them.',
      at,
    })
  if (webDir !== undefined && NO_WEB_DIR.includes(webDir))
    throw new ActionError('web_dir_invalid', `${shown}: webDir is "${webDir}".`, {
      hint: 'It must name a folder of its own, the one that the build writes to, for example "dist".',
      at,
    })
  return {
    file,
    appId,
    webDir: webDir ?? DEFAULT_WEB_DIR,
    nativePaths: { android: android?.path ?? 'android', ios: ios?.path ?? 'ios' },
    serverUrl: server?.url,
    updater: { ...updater, isOff: /^(false|off)$/i.test(String(autoUpdate)) || undefined },
  }
}

/** Absolute path of the folder with the Capacitor config of the app in `directory`; that itself where there is none. */
export async function findCapacitorDirectory(directory: string): Promise<string> {
  const quasar = join(directory, QUASAR_FOLDER)
  const isElsewhere =
    (await present(NAMES, directory)).length === 0 && (await present(NAMES, quasar)).length > 0
  return isElsewhere ? quasar : directory
}

async function present(names: readonly string[], directory: string): Promise<string[]> {
  const found: string[] = []
  for (const name of names)
    if ((await stat(join(directory, name)).catch(() => null))?.isFile()) found.push(name)
  return found
}

async function findConfig(directory: string, root: string): Promise<string> {
  const configs = await present(NAMES, directory)
  const [first, second] = configs
  const folder = shownPath(root, directory) || '.'
  if (first !== undefined && second !== undefined)
    throw new ActionError(
      'config_twice',
      `There are ${configs.length} Capacitor configs in "${folder}": ${configs.join(', ')}.`,
      {
        hint: `Capacitor would take ${first} and ignore the rest. Delete ${configs.slice(1).join(' and ')}, or merge them into ${first}.`,
        at: { file: shownPath(root, join(directory, second)) },
      },
    )
  if (first !== undefined) return join(directory, first)
  const ignored = await present(IGNORED, directory)
  const elsewhere = ignored.length > 0 ? [] : await configsBelow(directory)
  throw new ActionError('config_missing', `There is no Capacitor config in "${folder}".`, {
    hint:
      ignored.length > 0
        ? `Capacitor does not read ${ignored.join(' and ')}: rename it to one of ${NAMES.join(', ')}.`
        : elsewhere.length > 0
          ? `There is one in ${elsewhere.map(other => `"${shownPath(root, other)}"`).join(' and ')}: set the input working-directory to the folder of the app; several apps take a matrix over it.`
          : `Check the repository out before this action, and set the input working-directory to the folder that holds ${NAMES.join(', ')}. Or set the inputs app-id and web-dir.`,
  })
}

/** Of a monorepo's apps: two levels down, as in `apps/mobile`. */
async function configsBelow(directory: string, levels = 2): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => [])
  const found: string[] = []
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (!entry.isDirectory() || entry.name === 'node_modules' || entry.name.startsWith('.')) continue
    const folder = join(directory, entry.name)
    if ((await present(NAMES, folder)).length > 0) found.push(folder)
    else if (levels > 1) found.push(...(await configsBelow(folder, levels - 1)))
    if (found.length >= NAMED) break
  }
  return found.slice(0, NAMED)
}

async function evaluateConfig(
  file: string,
  options: ReadConfigOptions,
): Promise<{ content: unknown; missing: readonly string[] }> {
  const shown = shownPath(options.root, file)
  const { result, output, end } = await runEvaluator(file, options)
  if (result === null)
    throw new ActionError(
      end === 'timeout' ? 'config_timeout' : 'config_threw',
      `${shown} ${end === 'timeout' ? 'did not come to an end in time' : `ended the process (${end})`}.`,
      {
        hint: 'A config must export an object. Take out of it what waits for input or the network, and process.exit.',
        at: { file: shown },
        output,
      },
    )
  const { kind, message = '', place, missing } = result
  const at: Place = place ? { ...place, file: await shownPlace(options.root, place.file) } : { file: shown }
  const where =
    at.line === undefined ? at.file : `${at.file}:${at.line}${at.column === undefined ? '' : `:${at.column}`}`
  switch (kind) {
    case 'config':
      return { content: result.config, missing }
    case 'no-object':
      if (missing.length > 0) throw moduleMissing(missing.join(', '), shown, at)
      throw new ActionError('config_no_object', `${shown} is no config: ${message}.`, {
        hint: 'End it with "export default config" (TypeScript) or "module.exports = config" (JavaScript), where config is an object.',
        at,
      })
    case 'syntax':
      throw new ActionError('config_broken', `${where}: ${message}.`, {
        hint: 'The config cannot be parsed. Correct the syntax there.',
        at,
      })
    case 'missing':
      throw moduleMissing(message, where, at)
    case 'throw':
      if (missing.length > 0) throw moduleMissing(missing.join(', '), where, at)
      throw new ActionError('config_threw', `${where}: the config threw ${message}`, {
        hint: "Configs are evaluated without this action's inputs and without tokens. Pass what it reads with the input build-env, or build-secrets for a secret.",
        at,
        output,
      })
  }
}

/** Node tells where a file really is: beyond links, which the path of the checkout may lead through. */
async function shownPlace(root: string, file: string): Promise<string> {
  return shownPath(isInside(root, file) ? root : await realpath(root), file)
}

function moduleMissing(module: string, where: string, at: Place): ActionError {
  const own = module.startsWith('.') || isAbsolute(module)
  return new ActionError(
    'config_module_missing',
    `${where}: the config needs "${module}", which is not there.`,
    {
      hint: own
        ? 'Correct the path, or commit the file.'
        : 'The dependencies are not installed yet. Install them in a step before this action (for example npm ci), or set the inputs app-id and web-dir.',
      at,
    },
  )
}

/** `result` is null when the process ended without one; `end` says how. */
async function runEvaluator(
  file: string,
  { directory, env, nodePath, evaluatorPath, signal, timeout = TIMEOUT }: ReadConfigOptions,
): Promise<{ result: Evaluation | null; output: string; end: string }> {
  let output = ''
  const chunks: Buffer[] = []
  const limit = AbortSignal.timeout(timeout)
  const end = await runProgram(
    nodePath,
    [evaluatorPath, file],
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
        if (size > LONGEST_EVALUATION) child.kill('SIGKILL')
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

const Evaluated = z.object({
  kind: z.enum(['config', 'no-object', 'syntax', 'missing', 'throw']),
  config: z.optional(z.unknown()),
  message: z.optional(z.string()),
  place: z.optional(z.object({ file: z.string(), line: z.optional(z.int()), column: z.optional(z.int()) })),
  missing: z.array(z.string()),
})

function readEvaluation(data: Buffer): Evaluation | null {
  try {
    return Evaluated.parse(JSON.parse(data.toString('utf8'))) as Evaluation
  } catch {
    return null
  }
}
