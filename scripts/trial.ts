/** The app that `try` and `examples` run the action with. */
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { readEncryption } from '../src/bundle/encrypt.ts'
import {
  type CapacitorConfig,
  findCapacitorDirectory,
  readCapacitorConfig,
} from '../src/checkout/capacitor-config.ts'
import { hasUpdater, readNativePackages, readUpdaterVersion } from '../src/checkout/native-packages.ts'
import { readNativeVersions } from '../src/checkout/native-version.ts'
import { packageFolder } from '../src/checkout/package-json.ts'
import { ActionError } from '../src/errors.ts'
import { readBuildVariables, type Variables } from '../src/inputs/build-variables.ts'
import { judgeNativeVersions } from '../src/plan/native-versions.ts'
import { childEnvironment } from '../src/runtime/environment.ts'

export const PROJECT = join(import.meta.dirname, '..')

export interface App {
  readonly id: string
  /** What phones have: one for each platform and native version. At least one. */
  readonly natives: readonly Native[]
  /** Whether the repository tells the native version. */
  readonly isKnown: boolean
  /** `plugins.CapacitorUpdater.defaultChannel`. */
  readonly defaultChannel: string | null
  /** That devices open encrypted bundles with. */
  readonly publicKey: string | null
  /** Of the plugin in the app; null where nothing tells. */
  readonly pluginVersion: string | null
  /** Why phones with the app take nothing, whatever is published; null where they ask. */
  readonly silence: string | null
}

export interface Native {
  readonly platform: 'android' | 'ios'
  readonly version: string
  readonly source: string
}

/** As the action itself finds it in a checkout; the plugin as installed. Null without an app id: the run tells why, and better. */
export async function readApp(
  checkout: string,
  inputs: Readonly<Record<string, string>>,
): Promise<App | null> {
  const directory = await findCapacitorDirectory(
    resolve(checkout, inputs['working-directory'] ?? '.'),
    checkout,
  )
  const config = await orNull(
    readCapacitorConfig({
      root: checkout,
      directory,
      env: { ...childEnvironment(process.env), ...readVariables(inputs) },
      nodePath: process.execPath,
      evaluatorPath: join(PROJECT, 'dist/evaluate-config/index.js'),
    }),
  )
  const id = inputs['app-id'] || config?.appId
  if (!id) return null
  const packages = await packageFolder(directory, checkout)
  const natives = await readNatives(checkout, directory, config, inputs['native-version'])
  const privateKey = inputs['private-key'] ?? ''
  const own = privateKey === '' ? null : await orNull(readEncryption(privateKey, directory, null))
  return {
    id,
    // A new native project has this version.
    natives:
      natives.length > 0
        ? natives
        : [{ platform: 'android', version: '1.0', source: 'nothing tells, so 1.0 is taken' }],
    isKnown: natives.length > 0,
    defaultChannel: config?.updater.defaultChannel || null,
    publicKey: config === null ? (own?.publicKey ?? null) : (config.updater.publicKey ?? null),
    pluginVersion: await orNull(readUpdaterVersion(packages, await readNativePackages(packages))),
    silence: (await hasUpdater(checkout, directory)) === false ? NO_UPDATER : silenceOf(config),
  }
}

/** Variables that the inputs pass to the config; none where they are wrong, which the run reports. */
function readVariables(inputs: Readonly<Record<string, string>>): Variables {
  let isWrong = false
  const variables = readBuildVariables(
    name => inputs[name] ?? '',
    [],
    () => {
      isWrong = true
    },
  )
  return isWrong ? {} : variables
}

/** The id that stands in a config that cannot be read before its packages are installed. */
export async function guessAppId(
  checkout: string,
  inputs: Readonly<Record<string, string>>,
): Promise<string | null> {
  const directory = await findCapacitorDirectory(
    resolve(checkout, inputs['working-directory'] ?? '.'),
    checkout,
  )
  for (const name of ['capacitor.config.ts', 'capacitor.config.js']) {
    const text = await readFile(join(directory, name), 'utf8').catch(() => '')
    const id = /\bappId\s*:\s*(["'])([\w.-]+)\1/.exec(text)?.[2]
    if (id !== undefined) return id
  }
  return null
}

const NO_UPDATER = 'it has no @capgo/capacitor-updater'
/** Capgo, and one on this machine. */
const CAPGO = /^https:\/\/([\w-]+\.)*capgo\.app(\/|$)|^https?:\/\/(localhost|127\.[\d.]+|\[::1\])[:/]/

/** The Capgo of a try stands for the cloud. */
function silenceOf(config: CapacitorConfig | null): string | null {
  const { serverUrl, updater } = config ?? {}
  if (serverUrl) return `it loads ${serverUrl} (server.url) and never a bundle`
  if (updater?.isOff) return 'autoUpdate is off, so it asks only where its own code does'
  if (updater?.updateUrl && !CAPGO.test(updater.updateUrl)) return `it asks ${updater.updateUrl} (updateUrl)`
  return null
}

/** A version of no platform is one of each that the repository has. */
async function readNatives(
  root: string,
  directory: string,
  config: CapacitorConfig | null,
  given: string | undefined,
): Promise<Native[]> {
  const read = (of: CapacitorConfig | null) => readNativeVersions({ root, directory, config: of })
  const found = given
    ? [{ platform: 'any' as const, version: given, source: 'input "native-version"' }]
    : judgeNativeVersions((await read(config)).natives, []).natives
  const own = config === null ? null : { ...config, updater: { ...config.updater, version: undefined } }
  const { natives, unread } = await read(own)
  const platforms = new Set<string>([...natives, ...unread].map(({ platform }) => platform))
  const all = (['android', 'ios'] as const).filter(name => platforms.size === 0 || platforms.has(name))
  return found.flatMap(({ platform, version, source }) =>
    (platform === 'any' ? all : [platform]).map(each => ({ platform: each, version, source })),
  )
}

async function orNull<T>(reading: Promise<T>): Promise<T | null> {
  try {
    return await reading
  } catch (error) {
    if (error instanceof ActionError) return null
    throw error
  }
}
