/** Reads what Capgo, GitHub and the working tree say, and changes nothing. */
import { readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import semver from 'semver'
import {
  type CapacitorConfig,
  findCapacitorDirectory,
  readCapacitorConfig,
} from './bundle/capacitor-config.ts'
import { isSameKey, keyIdOf, readEncryption } from './bundle/encrypt.ts'
import { childEnvironment } from './bundle/environment.ts'
import { type CheckedOut, compareInCheckout, readCheckedOut } from './bundle/history.ts'
import { parseJson } from './bundle/json.ts'
import { readNativeVersions } from './bundle/native-version.ts'
import { isInside, shownPath } from './bundle/paths.ts'
import { listZip, listZipFile, TAIL_BYTES, tailFor, type ZipIndexEntry } from './bundle/zip-index.ts'
import type { Capgo } from './capgo/client.ts'
import type { App, BundleRow, ChannelRow, NativePackage } from './capgo/wire.ts'
import type { Deps } from './deps.ts'
import { ActionError } from './errors.ts'
import type { Trigger } from './event.ts'
import type { GitHub } from './github/client.ts'
import { APP_ID, type Inputs } from './inputs.ts'
import { type DeltaMode, hasOpenFiles } from './plan/delta.ts'
import { isPrivileged } from './plan/operation.ts'
import { activeRollout } from './plan/rollout.ts'
import { isStale, type Standing } from './plan/staleness.ts'
import type { BuiltFacts, NativeVersion, PublishFacts, Relation, WantedVersion } from './plan/types.ts'
import { describeContents, type ListedFile } from './report/contents.ts'
import type { Contents } from './report/result.ts'

/** The app in the working tree. Paths are absolute. */
export interface Project {
  readonly root: string
  readonly directory: string
  /** Where the Capacitor config, the native projects and their dependencies are; mostly `directory`. */
  readonly capacitorDirectory: string
  readonly appId: string
  readonly webDirectory: string
  readonly natives: readonly NativeVersion[]
  readonly wanted: WantedVersion
  /** What is wrong, or may be, without being in the way. */
  readonly warnings: readonly string[]
  /** The cleaned environment for every child process. */
  readonly childEnv: Readonly<Record<string, string>>
}

/**
 * What the repository says: config, versions, native versions. With `takesBuild`
 * the web build comes from elsewhere, and the web folder need not be known.
 */
export async function gatherProject(
  inputs: Inputs,
  trigger: Trigger,
  deps: Deps,
  takesBuild: boolean,
): Promise<Project> {
  const directory = appDirectory(inputs, deps)
  const { appId, config, capacitorDirectory } = await gatherConfig(inputs, trigger, deps, takesBuild)
  return {
    root: deps.workspace,
    directory,
    capacitorDirectory,
    appId,
    webDirectory:
      inputs.webDir === null
        ? resolve(capacitorDirectory, config?.webDir ?? '')
        : resolve(directory, inputs.webDir),
    natives: await nativeVersions(inputs, deps.workspace, capacitorDirectory, config),
    wanted: await wantedVersion(inputs, trigger, deps.workspace, directory),
    warnings: config === null ? [] : await checkKeys(inputs.privateKey, config, deps.workspace),
    childEnv: childEnv(inputs, deps),
  }
}

/** What of `Deps` the working tree takes. */
type CheckoutDeps = Pick<Deps, 'workspace' | 'env' | 'evaluator' | 'stop'>

/** What the repository says of the app where nothing is built; without a checkout no native version is known. */
export async function gatherApp(
  inputs: Inputs,
  trigger: Trigger,
  deps: CheckoutDeps,
): Promise<Pick<Project, 'root' | 'appId' | 'natives' | 'childEnv'>> {
  const { appId, config, capacitorDirectory } = await gatherConfig(inputs, trigger, deps, true)
  const natives = await nativeVersions(inputs, deps.workspace, capacitorDirectory, config)
  return { root: deps.workspace, appId, natives, childEnv: childEnv(inputs, deps) }
}

/**
 * Devices open a bundle with the public key of the Capacitor config: it must be that of the input `private-key`.
 * Throws `private_key_unfit`, `public_key_missing`, `public_key_mismatch`; returns what devices may stumble over.
 */
async function checkKeys(privateKey: string, config: CapacitorConfig, root: string): Promise<string[]> {
  const { publicKey } = config.updater
  const at = { file: shownPath(root, config.file) }
  if (privateKey === '')
    return publicKey === undefined
      ? []
      : [
          'The Capacitor config has a publicKey and the input "private-key" is empty, so the bundle is not encrypted: iOS devices refuse it.',
        ]
  const own = await readEncryption(privateKey, dirname(config.file), null)
  if (publicKey === undefined)
    throw new ActionError('public_key_missing', `${at.file} has no plugins.CapacitorUpdater.publicKey.`, {
      hint: 'Devices without it cannot open an encrypted bundle. Add the public key (.capgo_key_v2.pub) and release the app to the stores, or leave the input "private-key" out.',
      at,
    })
  if (!isSameKey(publicKey, own.publicKey))
    throw new ActionError(
      'public_key_mismatch',
      `The public key ${keyIdOf(publicKey)}… in ${at.file} does not belong to the private key, whose public key is ${own.keyId}….`,
      { hint: 'No device could open the bundle. Give the private key of that pair.', at },
    )
  return []
}

/** The commit that is checked out where the app is; null where nothing tells. */
export function gatherCheckedOut(
  inputs: Inputs,
  trigger: Trigger,
  deps: CheckoutDeps,
): Promise<CheckedOut | null> {
  return readCheckedOut(trigger.repository, {
    cwd: appDirectory(inputs, deps),
    env: childEnv(inputs, deps),
    signal: deps.stop.signal,
  })
}

/** The app's id, from the inputs or the config. */
export async function gatherAppId(inputs: Inputs, trigger: Trigger, deps: CheckoutDeps): Promise<string> {
  return (await gatherConfig(inputs, trigger, deps, true)).appId
}

/** Evaluates the Capacitor config for what the inputs leave open; never where a stranger's code may stand there. */
async function gatherConfig(inputs: Inputs, trigger: Trigger, deps: CheckoutDeps, webDirKnown: boolean) {
  const root = deps.workspace
  const capacitorDirectory = await findCapacitorDirectory(appDirectory(inputs, deps))
  const isComplete = inputs.appId !== null && (webDirKnown || inputs.webDir !== null)
  if (!isComplete && isPrivileged(trigger)) {
    const missing = inputs.appId === null ? 'app-id' : 'web-dir'
    throw new ActionError('unsafe_config', `On "${trigger.event}" the input "${missing}" must be set.`, {
      hint: "A Capacitor config is code; on this event it may be a stranger's, beside your secrets, so it is not evaluated.",
    })
  }
  const config = isComplete
    ? null
    : await readCapacitorConfig({
        root,
        directory: capacitorDirectory,
        env: childEnv(inputs, deps),
        nodePath: deps.evaluator.node,
        evaluatorPath: deps.evaluator.script,
        signal: deps.stop.signal,
      })
  const appId = inputs.appId ?? config?.appId ?? ''
  if (!APP_ID.test(appId))
    throw new ActionError('invalid_app_id', `"${appId}" is not an app id.`, {
      hint: 'App ids look like com.example.app.',
      ...(config === null ? {} : { at: { file: shownPath(root, config.file) } }),
    })
  return { appId, config, capacitorDirectory }
}

/** The cleaned environment for every child process. */
function childEnv(
  { capgoToken, devicesToken, githubToken, privateKey, hosts }: Inputs,
  { env }: Pick<Deps, 'env'>,
): Readonly<Record<string, string>> {
  return childEnvironment(env, [capgoToken, devicesToken, githubToken, privateKey, hosts.database?.key ?? ''])
}

function appDirectory({ workingDirectory }: Inputs, { workspace }: Pick<Deps, 'workspace'>): string {
  const directory = resolve(workspace, workingDirectory)
  if (isInside(workspace, directory)) return directory
  throw new ActionError(
    'outside_checkout',
    `working-directory "${workingDirectory}" is outside of the checkout.`,
    { hint: 'Give the app\'s folder relative to the root of the repository, for example "apps/mobile".' },
  )
}

async function nativeVersions(
  inputs: Inputs,
  root: string,
  directory: string,
  config: CapacitorConfig | null,
): Promise<readonly NativeVersion[]> {
  if (inputs.nativeVersion !== null)
    return [{ platform: 'any', version: inputs.nativeVersion, source: 'input "native-version"' }]
  return readNativeVersions({ root, directory, config })
}

/** Explicit input, else the tag, else `package.json`. */
async function wantedVersion(
  inputs: Inputs,
  trigger: Trigger,
  root: string,
  directory: string,
): Promise<WantedVersion> {
  if (inputs.version !== null) return { version: inputs.version, source: 'input "version"', forced: true }
  const tagged =
    trigger.ref.type === 'tag'
      ? /(?:^|[^0-9.])v?(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)$/.exec(trigger.ref.name)?.[1]
      : undefined
  if (tagged !== undefined && semver.valid(tagged) === tagged)
    return { version: tagged, source: `tag ${trigger.ref.name}`, forced: false }
  const file = join(directory, 'package.json')
  const content = await readFile(file, 'utf8').catch(() => null)
  const version =
    content === null
      ? undefined
      : (parseJson(content, shownPath(root, file), 'package_json_broken') as { version?: unknown } | null)
          ?.version
  if (typeof version === 'string' && semver.valid(version) !== null)
    return { version: semver.valid(version)!, source: 'package.json', forced: false }
  // Apps need no version of their own: the name is then derived from the native version, or from zero.
  return { version: '0.0.0', source: 'no version in package.json (taken as 0.0.0)', forced: false }
}

/** What Capgo says before anything is built. */
export async function gatherRemote(
  project: Project,
  target: Pick<PublishFacts, 'channelName' | 'purpose' | 'commit' | 'commitWhy' | 'isChosen' | 'rollout'> & {
    readonly why: string
  },
  { minUpdateVersion, onIncompatible, dryRun, force }: Inputs,
  capgo: Capgo,
): Promise<{ app: App; facts: PublishFacts }> {
  // Who needs this answer later then sees what is wrong with it. Now it takes no time.
  if (!dryRun) capgo.readFilesConfig().catch(() => {})
  const { app, channel, publicChannels, newest } = await capgo.readAppAndChannel(
    project.appId,
    target.channelName,
  )
  return {
    app,
    facts: {
      appId: project.appId,
      channelName: target.channelName,
      channelWhy: target.why,
      channel,
      publicChannels,
      newest,
      purpose: target.purpose,
      wanted: project.wanted,
      natives: project.natives,
      commit: target.commit,
      commitWhy: target.commitWhy,
      isChosen: target.isChosen,
      force,
      rollout: target.rollout,
      minUpdateVersion,
      onIncompatible,
    },
  }
}

/**
 * What Capgo says once the content is known; with `isOld` the channel is read again, since a build takes its time.
 * `baseChannel` is whose devices will take the bundle, when those are not the channel's own.
 */
export async function gatherForContent(
  facts: PublishFacts,
  names: readonly string[],
  content: {
    readonly checksum: string
    readonly zip: { readonly size: number }
    readonly nativePackages: readonly NativePackage[]
    readonly delta: DeltaMode
    readonly encryption: object | null
  },
  isOld: boolean,
  baseChannel: string | null,
  capgo: Capgo,
  standingTo: (served: BundleRow | null) => Promise<Standing>,
): Promise<BuiltFacts> {
  const served = facts.channel?.version ?? null
  const isServed = (bundle: BundleRow | null) => bundle?.checksum === content.checksum
  const mayBeDelta = content.delta !== 'false' && content.encryption === null && !isServed(served)
  const filesOf = mayBeDelta && hasOpenFiles(served) ? served : null
  const isKnown = !isOld && baseChannel === null && isServed(served)
  const found = isKnown
    ? { channels: facts.channel === null ? [] : [facts.channel], bundles: [], files: [] }
    : await capgo.readChannelsAndBundles(facts.appId, {
        channels: [facts.channelName, ...(baseChannel === null ? [] : [baseChannel])],
        names,
        checksum: content.checksum,
        filesOf: filesOf === null ? null : { id: filesOf.id, count: filesOf.manifest_count },
      })
  const channelOf = (name: string) => found.channels.find(channel => channel.name === name) ?? null
  const channel = channelOf(facts.channelName)
  const standing = await standingTo(channel?.version ?? null)
  const { commit: ours, channelName, isChosen, force } = facts
  const isKept =
    isServed(channel?.version ?? null) || isStale({ ours, channelName, standing, isChosen, force }) !== null
  return {
    ...facts,
    channel,
    base: channelOf(baseChannel ?? facts.channelName),
    standing,
    running: await gatherRollout(facts.appId, channel, capgo, standingTo),
    checksum: content.checksum,
    size: content.zip.size,
    nativePackages: content.nativePackages,
    bundles: isKept ? [] : await withoutLostContent(found.bundles, content.checksum, capgo),
    stored: { newest: facts.newest, of: filesOf?.id ?? null, files: found.files },
  }
}

/** What the channel rolls out besides what it serves. */
async function gatherRollout(
  appId: string,
  channel: ChannelRow | null,
  capgo: Capgo,
  standingTo: (served: BundleRow | null) => Promise<Standing>,
): Promise<BuiltFacts['running']> {
  const active = channel === null ? null : activeRollout(channel)
  const bundle = active === null ? null : await capgo.readBundleById(appId, active.id)
  return bundle === null ? null : { bundle, standing: await standingTo(bundle) }
}

/** A ready bundle whose stored zip is gone cannot be served nor repaired; its name stays taken. */
async function withoutLostContent(
  bundles: readonly BundleRow[],
  checksum: string,
  capgo: Capgo,
): Promise<BundleRow[]> {
  return Promise.all(
    bundles.map(async bundle => {
      const candidate =
        bundle.checksum === checksum && !bundle.deleted && bundle.storage_provider !== 'r2-direct'
      if (!candidate) return bundle
      const stored = bundle.r2_path === null ? null : await capgo.describeStored(bundle.r2_path)
      return stored === null ? { ...bundle, checksum: null } : bundle
    }),
  )
}

/** Compares two commits: `head` as seen from `base`. */
export type Compare = (base: string, head: string) => Promise<Relation>

/** The checkout's own history where it is complete enough, else GitHub's. */
export function comparer(
  project: Pick<Project, 'root' | 'childEnv'>,
  github: GitHub | null,
  { stop: { signal } }: Pick<Deps, 'stop'>,
): Compare {
  return async (base, head) => {
    const local = await compareInCheckout(base, head, { cwd: project.root, env: project.childEnv, signal })
    if (local !== null) return local
    return (await github?.compare(base, head)) ?? 'unknown'
  }
}

/**
 * What the bundle is made of, and how it differs from what the channel serves, by the directories of the two zips.
 * A courtesy: what cannot be read is null.
 */
export async function gatherContents(
  served: BundleRow | null,
  { zip, checksum }: { readonly zip: { readonly path: string }; readonly checksum: string },
  capgo: Capgo,
): Promise<Contents> {
  const now = await listZipFile(zip.path).catch(() => null)
  const before = await listServed(served, checksum, tailFor(now?.length ?? 0), capgo).catch(() => null)
  return describeContents(
    before === null ? null : { name: served!.name, files: before.map(listed) },
    now?.map(listed) ?? null,
  )
}

/**
 * The files of the bundle that is served; null when there is none, or it is encrypted, or the very same. Its last
 * `length` bytes are read, and more only where its directory is longer.
 */
async function listServed(
  served: BundleRow | null,
  checksum: string,
  length: number,
  capgo: Capgo,
): Promise<ZipIndexEntry[] | null> {
  if (served === null || served.r2_path === null || served.session_key || served.checksum === checksum)
    return null
  const stored = await capgo.readStoredTail(served.r2_path, length)
  if (stored === null) return null
  try {
    return await listZip(stored)
  } catch (error) {
    if (length < TAIL_BYTES) return listServed(served, checksum, TAIL_BYTES, capgo)
    throw error
  }
}

function listed({ path, compressedSize, size, crc32 }: ZipIndexEntry): ListedFile {
  return { path, size: compressedSize, content: `${crc32} ${size}` }
}
