/** The Capacitor config of the app. */
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod/mini'
import { ActionError } from '../errors.ts'
import { foldersUp, shownPath } from '../runtime/paths.ts'
import {
  type EvaluatedConfig,
  type EvaluatorOptions,
  evaluateConfig,
  moduleMissing,
  nameVariables,
  PackagesMissing,
} from './evaluator.ts'
import { parseJson } from './json.ts'
import { foldersBelow } from './package-json.ts'

export interface CapacitorConfig {
  /** Absolute path. */
  readonly file: string
  /** The app id that devices send to Capgo: `plugins.CapacitorUpdater.appId`, else the config's `appId`. */
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
  /** Values that the config lacks because a variable is not set, such as `webDir (WEB_DIR)`. */
  readonly unset?: readonly string[] | undefined
}

export interface ReadConfigOptions extends EvaluatorOptions {
  /** Reads JSON and evaluates nothing: the config can be untrusted. */
  readonly dataOnly?: boolean
  /** Throws `PackagesMissing` wherever the config may say otherwise with its packages installed. */
  readonly beforeInstall?: boolean
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

/** Capgo's own rule for app ids. */
export const APP_ID = /^[a-z0-9]+(\.[\w-]+)+$/i
/** Capacitor's CLI takes this when the config has none. */
const DEFAULT_WEB_DIR = 'www'
/** Capacitor's CLI refuses these (`cli/src/common.ts`). */
const NO_WEB_DIR = ['', '.', '..', './', '../']
/** Values that change the bundle or its devices: the plan warns where an unset variable should have given one. */
const SOUGHT = ['webDir', 'version', 'publicKey', 'defaultChannel', 'updateUrl'] as const

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
 * The app's Capacitor config. Throws `config_missing`, `config_ambiguous`, `config_broken` (syntax),
 * `config_failed`, `config_module_missing`, `config_timeout`, `config_no_object`, `config_invalid` (a value of
 * the wrong type), `app_id_missing`, `invalid_app_id`, `web_dir_invalid`; with `dataOnly` also `unsafe_config`.
 * They are `PackagesMissing` where packages are missing that the config imports.
 */
export async function readCapacitorConfig(options: ReadConfigOptions): Promise<CapacitorConfig> {
  const { root, directory, dataOnly = false, beforeInstall = false } = options
  const file = await findConfig(directory, root)
  const shown = shownPath(root, file)
  const isJson = file.endsWith('.json')
  if (dataOnly && !isJson)
    throw new ActionError('unsafe_config', `${shown} is code and is not evaluated on this event.`)
  const evaluated = isJson ? null : await evaluateConfig(file, options)
  const text = await readFile(file, 'utf8')
  const content = evaluated?.content ?? parseJson(text, shown, 'config_broken')
  const { missing = [], standIns = [], unset = [] } = evaluated ?? {}
  try {
    // Of those that it went on without, its values may depend.
    if (beforeInstall && missing.length > 0) throw moduleMissing(missing.join(', '), shown, { file: shown })
    return { file, ...check(content, { shown, text, standIns, unset }) }
  } catch (error) {
    const isOpen = missing.length + standIns.length > 0
    throw isOpen && error instanceof ActionError ? new PackagesMissing(error) : error
  }
}

type ConfigText = Pick<EvaluatedConfig, 'standIns' | 'unset'> & {
  readonly shown: string
  readonly text: string
}

function check(content: unknown, written: ConfigText): Omit<CapacitorConfig, 'file'> {
  const { shown, standIns } = written
  const at = { file: shown }
  const parsed = schema.safeParse(content)
  if (!parsed.success) {
    if (standIns.length > 0) throw moduleMissing(standIns.join(', '), shown, at)
    const [issue] = parsed.error.issues
    throw new ActionError(
      'config_invalid',
      `${shown}: ${issue?.path.join('.') || 'the config'}: ${issue?.message}.`,
      {
        hint: 'Correct this value. See the documentation of Capacitor and of its plugin CapacitorUpdater for names and types.',
        at,
      },
    )
  }
  const { appId: ownId, webDir, android, ios, server, plugins } = parsed.data
  const { autoUpdate, ...updater } = plugins?.CapacitorUpdater ?? {}
  const appId = updater.appId ?? ownId
  if (standIns.length > 0 && (appId === undefined || webDir === undefined))
    throw moduleMissing(standIns.join(', '), shown, at)
  requireOwnId(appId, written)
  if (webDir !== undefined && NO_WEB_DIR.includes(webDir))
    throw new ActionError('web_dir_invalid', `${shown}: webDir is "${webDir}".`, {
      hint: 'Set it to the folder that the build writes to, for example "dist".',
      at,
    })
  const unset = SOUGHT.flatMap(key => {
    const names = isLacking({ webDir, ...updater }[key]) ? variablesOf(key, written) : []
    return names.length === 0 ? [] : [`${key} (${names.join(', ')})`]
  })
  return {
    appId,
    webDir: webDir ?? DEFAULT_WEB_DIR,
    nativePaths: { android: android?.path ?? 'android', ios: ios?.path ?? 'ios' },
    serverUrl: server?.url,
    updater: { ...updater, isOff: /^(false|off)$/i.test(String(autoUpdate)) || undefined },
    unset: unset.length === 0 ? undefined : unset,
  }
}

function requireOwnId(appId: string | undefined, written: ConfigText): asserts appId is string {
  const { shown, unset } = written
  const at = { file: shown }
  if (isLacking(appId)) {
    const own = variablesOf('appId', written)
    const names = nameVariables(own.length > 0 ? own : unset)
    const what = appId ? `${shown}: appId is "${appId}"` : `${shown} has no appId`
    if (names !== '')
      throw new ActionError('app_id_missing', `${what}. Not set: ${names}.`, {
        hint: `The config reads ${names} from the environment. Pass it with the input build-env, or set the input app-id.`,
        at,
      })
    if (!appId)
      throw new ActionError('app_id_missing', `${what}.`, {
        hint: 'Add appId: "com.example.app" to the config with the id of your app, or set the input app-id.',
        at,
      })
  }
  if (appId === undefined || !APP_ID.test(appId))
    throw new ActionError('invalid_app_id', `${shown}: "${appId}" is not an app id.`, {
      hint: 'App ids look like com.example.app, with dots between the parts. The first part has only letters and digits, the others can have _ and -.',
      at,
    })
}

/** As of a variable that is not set. */
function isLacking(value: unknown): boolean {
  return value === undefined || value === '' || /\bundefined\b/.test(String(value))
}

/** Variables without a value in what the config writes behind this key, on its line. */
function variablesOf(key: string, { text, unset }: ConfigText): string[] {
  const values = text.match(new RegExp(`\\b${key}\\b['"]?\\s*[:=][^,\\n]*`, 'g')) ?? []
  return unset.filter(name => values.some(value => value.split(/[^\w$]+/).includes(name)))
}

/**
 * Absolute path of the folder with the Capacitor config of the app in `directory`: Quasar's below it, that itself, or
 * the nearest above it, up to `root`, where the web code is apart; `directory` where there is none.
 */
export async function findCapacitorDirectory(directory: string, root: string): Promise<string> {
  const isFound = async (folder: string) => (await present(NAMES, folder)).length > 0
  // Quasar builds from this folder alone, also where somebody left a config beside it.
  if (await isFound(join(directory, QUASAR_FOLDER))) return join(directory, QUASAR_FOLDER)
  for (const folder of foldersUp(directory, root)) if (await isFound(folder)) return folder
  return directory
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
      'config_ambiguous',
      `"${folder}" has ${configs.length} Capacitor configs: ${configs.join(', ')}.`,
      {
        hint: `Capacitor would read ${first} and ignore the others. Delete ${configs.slice(1).join(' and ')}, or merge them into ${first}.`,
        at: { file: shownPath(root, join(directory, second)) },
      },
    )
  if (first !== undefined) return join(directory, first)
  const ignored = await present(IGNORED, directory)
  const elsewhere = ignored.length > 0 ? [] : await foldersBelow(directory, NAMES)
  throw new ActionError(
    'config_missing',
    `No Capacitor config was found in ${folder === '.' ? "the repository's root" : `"${folder}"`}.`,
    {
      hint:
        ignored.length > 0
          ? `Capacitor does not read ${ignored.join(' and ')}: rename it to one of ${NAMES.join(', ')}.`
          : elsewhere.length > 0
            ? `One is in ${elsewhere.map(other => `"${shownPath(root, other)}"`).join(' and ')}: set the input working-directory to the folder of the app. For several apps use a matrix.`
            : `Check the repository out in an earlier step. Set the input working-directory to the folder with ${NAMES.join(', ')}, or set the inputs app-id and web-dir.`,
    },
  )
}
