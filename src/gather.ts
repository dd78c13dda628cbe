/** Reads what Capgo, GitHub and the working tree say, and changes nothing. */
import { dirname, join, resolve } from 'node:path'
import {
  encryptedSize,
  isSameKey,
  keyIdOf,
  type Opener,
  readEncryption,
  readOpener,
} from './bundle/encrypt.ts'
import { listZip, listZipFile, TAIL_BYTES, tailFor, type ZipIndexEntry } from './bundle/zip-listing.ts'
import type { Capgo } from './capgo/client.ts'
import type { App, BundleRow, ChannelRow, NativePackage } from './capgo/schema.ts'
import {
  APP_ID,
  type CapacitorConfig,
  findCapacitorDirectory,
  readCapacitorConfig,
} from './checkout/capacitor-config.ts'
import { PackagesMissing } from './checkout/evaluator.ts'
import { type CheckedOut, compareInCheckout, readCheckedOut } from './checkout/git-history.ts'
import { hasUpdater, readUpdaterVersion } from './checkout/native-packages.ts'
import { type NativeVersions, readNativeVersions } from './checkout/native-version.ts'
import { findManifest, packageFolder } from './checkout/package-json.ts'
import type { Deps } from './context.ts'
import { ActionError, type Place, Stopped } from './errors.ts'
import type { Trigger } from './event.ts'
import type { GitHub } from './github/client.ts'
import type { Variables } from './inputs/build-variables.ts'
import type { Inputs } from './inputs/inputs.ts'
import { type Inspection, inspect, inspectServed } from './operations/steps/served-contents.ts'
import { type DeltaMode, hasOpenFiles } from './plan/delta.ts'
import { type AppFacts, judgeApp } from './plan/installed-app.ts'
import { judgeNatives } from './plan/native-versions.ts'
import { isPrivileged } from './plan/operation.ts'
import { isReady } from './plan/publish.ts'
import { misfit } from './plan/reuse.ts'
import { activeRollout } from './plan/rollout.ts'
import { isStale, type Standing } from './plan/staleness.ts'
import type {
  BuiltFacts,
  NativeVersion,
  PublishFacts,
  Relation,
  UnreadVersion,
  WantedVersion,
} from './plan/types.ts'
import { chooseVersion, hasOtherName, withoutBuildMetadata } from './plan/version.ts'
import { describeContents, type ListedFile } from './report/contents.ts'
import type { Contents } from './report/result.ts'
import { childEnvironment } from './runtime/environment.ts'
import { isInside, shownPath } from './runtime/paths.ts'
import { secretForms } from './runtime/redaction.ts'

/** The app in the working tree. Paths are absolute. */
export interface Project {
  readonly root: string
  readonly directory: string
  /** Where the Capacitor config, the native projects and their dependencies are; mostly `directory`. */
  readonly capacitorDirectory: string
  /** Where the `package.json` is that names the app's plugins; mostly the same. */
  readonly packageDirectory: string
  readonly appId: string
  readonly webDirectory: string
  readonly natives: readonly NativeVersion[]
  readonly unread: readonly UnreadVersion[]
  readonly wanted: WantedVersion
  /** What is wrong, or may be, without being in the way. */
  readonly warnings: readonly string[]
  /** The cleaned environment for every child process. */
  readonly childEnv: Variables
  /** That, and what the inputs give to install, build and Capacitor config. */
  readonly buildEnv: Variables
}

/**
 * What the repository says: config, versions, native versions. With `takesBuild`
 * the web build comes from elsewhere, and the web folder need not be known. `beforeInstall` as for the config.
 */
export async function gatherProject(
  inputs: Inputs,
  trigger: Trigger,
  deps: Deps,
  {
    takesBuild,
    channelName,
    purpose,
    beforeInstall,
  }: Pick<PublishFacts, 'channelName' | 'purpose'> & { takesBuild: boolean; beforeInstall: boolean },
): Promise<Project> {
  const directory = appDirectory(inputs, deps)
  const { appId, config, capacitorDirectory, warnings } = await gatherConfig(
    inputs,
    trigger,
    deps,
    takesBuild,
    beforeInstall,
  )
  const root = deps.workspace
  const packageDirectory = await packageFolder(capacitorDirectory, root)
  const isStrict = inputs.checkNotifyAppReady && !takesBuild
  const { natives, unread } = await nativeVersions(inputs, root, capacitorDirectory, config)
  const judged = judgeNatives(natives, unread)
  return {
    root: deps.workspace,
    directory,
    capacitorDirectory,
    packageDirectory,
    appId,
    webDirectory:
      inputs.webDir === null
        ? resolve(capacitorDirectory, config?.webDir ?? '')
        : resolve(directory, inputs.webDir),
    natives: judged.natives,
    unread,
    wanted: await wantedVersion(inputs, trigger, deps.workspace, directory),
    warnings: [
      ...changedInputs(inputs, trigger),
      ...warnings,
      ...(await checkUpdater(root, packageDirectory, isStrict)),
      ...(await checkApp(config, root, {
        pluginUrl: inputs.hosts.plugin,
        channelName,
        purpose: purpose.kind,
      })),
      ...judged.warnings,
      ...(await checkKeys(inputs.privateKey, config, deps.workspace)),
    ],
    childEnv: childEnv(inputs, deps),
    buildEnv: buildEnv(inputs, deps),
  }
}

/** What of `Deps` the working tree takes. */
type CheckoutDeps = Pick<Deps, 'workspace' | 'env' | 'evaluator' | 'stop'>

/** What the repository says of the app where nothing is built; without a checkout no native version is known. */
export async function gatherApp(
  inputs: Inputs,
  trigger: Trigger,
  deps: CheckoutDeps,
): Promise<
  Pick<Project, 'root' | 'appId' | 'natives' | 'childEnv' | 'warnings'> & { opener: Opener | null }
> {
  const { appId, config, capacitorDirectory, warnings } = await gatherConfig(inputs, trigger, deps, true)
  const isKeyGiven = inputs.privateKey !== ''
  const publicKey = config?.updater.publicKey
  const { natives, unread } = await nativeVersions(inputs, deps.workspace, capacitorDirectory, config)
  const judged = judgeNatives(natives, unread)
  return {
    root: deps.workspace,
    appId,
    natives: judged.natives,
    childEnv: childEnv(inputs, deps),
    warnings: [
      ...warnings,
      ...judged.warnings,
      ...(isKeyGiven ? await checkKeys(inputs.privateKey, config, deps.workspace) : []),
    ],
    opener: isKeyGiven
      ? await readEncryption(inputs.privateKey, capacitorDirectory, null)
      : publicKey === undefined
        ? null
        : readOpener(publicKey),
  }
}

/** An app without the updater takes no update. Throws `updater_missing`, or with `isStrict` false returns it as a warning. */
async function checkUpdater(root: string, directory: string, isStrict: boolean): Promise<string[]> {
  if ((await hasUpdater(root, directory)) !== false) return []
  const file = shownPath(root, join(directory, 'package.json'))
  const message = `${file} has no dependency @capgo/capacitor-updater, so the app takes no update.`
  if (!isStrict) return [message]
  throw new ActionError('updater_missing', message, {
    hint: 'Add the plugin there (for example npm install @capgo/capacitor-updater), run npx cap sync, call notifyAppReady() when the app starts, and release the app to the stores. If the native app has the plugin from elsewhere, set the input check-notify-app-ready to false.',
    at: { file },
  })
}

/** What the repository says against the publish. */
async function checkApp(
  config: CapacitorConfig | null,
  root: string,
  target: Pick<AppFacts, 'pluginUrl' | 'channelName' | 'purpose'>,
): Promise<string[]> {
  if (config === null) return []
  const { file, serverUrl, updater } = config
  return judgeApp({
    ...target,
    file: shownPath(root, file),
    defaultChannel: updater.defaultChannel || null,
    serverUrl: serverUrl || null,
    isUpdateOff: updater.isOff === true,
    updateUrl: updater.updateUrl || null,
    updaterVersion: await readUpdaterVersion(await packageFolder(dirname(file), root), []),
  })
}

/**
 * Devices open a bundle with the public key of the Capacitor config: it must be that of the input `private-key`.
 * Throws `private_key_missing`, `private_key_invalid`, `public_key_missing`, `public_key_mismatch`; returns what devices
 * may stumble over.
 * `config` is null where it was not read.
 */
async function checkKeys(
  privateKey: string,
  config: CapacitorConfig | null,
  root: string,
): Promise<string[]> {
  if (config === null)
    return privateKey === ''
      ? []
      : [
          'The Capacitor config was not read, so nobody compared its publicKey with the input "private-key": devices with another key refuse the bundle.',
        ]
  // For the plugin an empty one is none.
  const publicKey = config.updater.publicKey?.trim() ?? ''
  const at = { file: shownPath(root, config.file) }
  if (privateKey === '') {
    if (publicKey === '') return []
    throw new ActionError(
      'private_key_missing',
      `${at.file} has a publicKey, and the input "private-key" is empty.`,
      {
        hint: 'The app accepts only encrypted bundles: iOS always, Android since @capgo/capacitor-updater 8.51.23. Set private-key to the private key of that pair, from a secret. Or remove publicKey from the config, and release the app to the stores.',
        at,
      },
    )
  }
  const own = await readEncryption(privateKey, dirname(config.file), null)
  if (publicKey === '')
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
  if (inputs.appId === null) return (await gatherConfig(inputs, trigger, deps, true)).appId
  requireAppId(inputs.appId)
  return inputs.appId
}

/**
 * Reads the Capacitor config. It is evaluated never where a stranger's code may stand there; where the inputs say all
 * that is needed of it, one that cannot be read is a warning, unless it has the key that the bundle is encrypted for.
 */
async function gatherConfig(
  inputs: Inputs,
  trigger: Trigger,
  deps: CheckoutDeps,
  webDirKnown: boolean,
  beforeInstall = false,
) {
  const root = deps.workspace
  const capacitorDirectory = await findCapacitorDirectory(appDirectory(inputs, deps), root)
  const isComplete = inputs.appId !== null && (webDirKnown || inputs.webDir !== null)
  if (!isComplete && isPrivileged(trigger)) {
    const missing = inputs.appId === null ? 'app-id' : 'web-dir'
    throw new ActionError('unsafe_config', `On "${trigger.event}" the input "${missing}" must be set.`, {
      hint: "A Capacitor config is code; on this event it may be a stranger's, beside your secrets, so it is not evaluated.",
    })
  }
  const warnings: string[] = []
  const config = await readCapacitorConfig({
    root,
    directory: capacitorDirectory,
    env: buildEnv(inputs, deps),
    nodePath: deps.evaluator.node,
    evaluatorPath: deps.evaluator.script,
    signal: deps.stop.signal,
    dataOnly: isPrivileged(trigger),
    beforeInstall,
  }).catch((error: unknown) => {
    if (!(error instanceof ActionError) || error instanceof Stopped) throw error
    if (beforeInstall && error instanceof PackagesMissing) throw error
    if (!isComplete) throw error
    // Without a checkout, or in a repository of the web code alone, there is none.
    if (error.code === 'config_missing' || error.code === 'unsafe_config') return null
    if (inputs.privateKey !== '') throw error
    warnings.push(
      `The Capacitor config was not read (${error.code}: ${error.message}) The inputs "app-id" and "web-dir" are used; its native version and its publicKey are not known.`,
    )
    return null
  })
  if (config?.unset !== undefined)
    warnings.push(
      `${shownPath(root, config.file)} has no value for ${config.unset.join(' and ')}: the variable is not set. Pass it with the input build-env.`,
    )
  const appId = inputs.appId ?? config?.appId ?? ''
  requireAppId(appId, config === null ? undefined : { file: shownPath(root, config.file) })
  return { appId, config, capacitorDirectory, warnings }
}

function requireAppId(appId: string, at?: Place): void {
  if (!APP_ID.test(appId))
    throw new ActionError('invalid_app_id', `"${appId}" is not an app id.`, {
      hint: 'App ids look like com.example.app.',
      ...(at === undefined ? {} : { at }),
    })
}

/** The cleaned environment for every child process. */
function childEnv(
  { capgoToken, devicesToken, githubToken, privateKey, hosts }: Inputs,
  { env }: Pick<Deps, 'env'>,
): Variables {
  const secrets = [capgoToken, devicesToken, githubToken, privateKey, hosts.database?.key ?? '']
  // Encoded too, as in the header of a request; a short secret counts as it is.
  return childEnvironment(env, [...secrets, ...secretForms(secrets)])
}

function buildEnv(inputs: Inputs, deps: Pick<Deps, 'env'>): Variables {
  return { ...childEnv(inputs, deps), ...inputs.buildVariables }
}

/** Where and with what the install and the build run. */
export function gatherWorkplace(
  inputs: Inputs,
  deps: Pick<Deps, 'workspace' | 'env'>,
): Pick<Project, 'root' | 'directory' | 'buildEnv'> {
  return {
    root: deps.workspace,
    directory: appDirectory(inputs, deps),
    buildEnv: buildEnv(inputs, deps),
  }
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
): Promise<NativeVersions> {
  if (inputs.nativeVersion !== null) {
    const given = withoutBuildMetadata(inputs.nativeVersion, 'input "native-version"')
    return { natives: [{ platform: 'any', ...given }], unread: [] }
  }
  return readNativeVersions({ root, directory, config })
}

async function wantedVersion(
  { version }: Inputs,
  { ref }: Trigger,
  root: string,
  directory: string,
): Promise<WantedVersion> {
  return chooseVersion({
    input: version,
    tag: ref.type === 'tag' ? ref.name : null,
    manifest: version === null ? await findManifest(directory, root) : null,
  })
}

/** What Capgo says before anything is built. */
export async function gatherRemote(
  project: Project,
  target: Pick<PublishFacts, 'channelName' | 'purpose' | 'commit' | 'commitWhy' | 'isChosen' | 'rollout'> & {
    readonly why: string
  },
  { minUpdateVersion, onIncompatible, dryRun, force, delta }: Inputs,
  capgo: Capgo,
): Promise<{ app: App; facts: PublishFacts }> {
  // Who needs this answer later then sees what is wrong with it. Now it takes no time.
  if (!dryRun) capgo.readFilesConfig().catch(() => {})
  const { app, channel, publicChannels, newest, deletedAt } = await capgo.readAppAndChannel(
    project.appId,
    target.channelName,
  )
  // Only these two leave a form out on purpose.
  const isAsked = channel !== null && (delta === 'false' || delta === 'only')
  return {
    app,
    facts: {
      updatePackage: isAsked ? await capgo.readUpdatePackage(project.appId, channel) : null,
      delta,
      appId: project.appId,
      channelName: target.channelName,
      channelWhy: target.why,
      channel,
      publicChannels,
      newest,
      deletedAt,
      purpose: target.purpose,
      // A preview has a name of its own, so that the version stays free for the release.
      wanted: { ...project.wanted, forced: project.wanted.forced && target.purpose.kind === 'branch' },
      natives: project.natives,
      unread: project.unread,
      commit: target.commit,
      commitWhy: target.commitWhy,
      isChosen: target.isChosen,
      force,
      rollout: target.rollout,
      minUpdateVersion: minUpdateVersion === null ? null : withoutBuildMetadata(minUpdateVersion, '').version,
      onIncompatible,
    },
  }
}

/** What is done with inputs otherwise than they say, and stands in no decision of the plan. */
function changedInputs({ version, minUpdateVersion }: Inputs, { pull, followed }: Trigger): string[] {
  const warnings: string[] = []
  if (version !== null && (pull !== null || followed !== null))
    warnings.push(
      `Input "version" (${version}) is for releases: Capgo never frees a name, so a preview gets one that is derived from it.`,
    )
  if (minUpdateVersion?.includes('+'))
    warnings.push(
      `${withoutBuildMetadata(minUpdateVersion, 'Input "min-update-version"').source}: build metadata is ignored.`,
    )
  return warnings
}

/**
 * What Capgo says once the content is known; with `isOld` the channel is read again, since a build takes its time.
 * `baseChannels` are those whose devices will take the bundle, when those are not the channel's own: the first that
 * serves something counts.
 */
export async function gatherForContent(
  facts: PublishFacts,
  names: readonly string[],
  content: {
    readonly checksum: string
    readonly zip: { readonly path: string; readonly size: number; readonly sha256: string }
    readonly nativePackages: readonly NativePackage[]
    readonly delta: DeltaMode
    readonly encryption: Opener | null
  },
  isOld: boolean,
  baseChannels: readonly string[],
  capgo: Capgo,
  standingTo: (served: BundleRow | null) => Promise<Standing>,
): Promise<BuiltFacts> {
  const { checksum, nativePackages, delta } = content
  const looked = new Map<number, Promise<Inspection>>()
  /** Bundles with this content are looked at in the store before any device is given them. */
  const look = (bundle: BundleRow) => {
    const expected = { zip: content.zip, opener: content.encryption }
    const inspection =
      looked.get(bundle.id) ??
      (bundle.id === facts.channel?.version?.id
        ? inspectServed(bundle, expected, facts.deletedAt, capgo)
        : inspect(bundle, expected, capgo))
    looked.set(bundle.id, inspection)
    return inspection
  }
  const mayServe = async (bundle: BundleRow | null, { channel }: Pick<PublishFacts, 'channel'>) =>
    bundle?.checksum === checksum &&
    !hasOtherName(bundle, facts.wanted) &&
    misfit(bundle, { ...facts, channel, nativePackages, delta }) === null &&
    (await look(bundle)).fault === null
  const served = facts.channel?.version ?? null
  const mayBeDelta = delta !== 'false' && content.encryption === null && served?.checksum !== checksum
  const filesOf = mayBeDelta && hasOpenFiles(served) ? served : null
  const isKnown = !isOld && baseChannels.length === 0 && (await mayServe(served, facts))
  const found = isKnown
    ? { channels: facts.channel === null ? [] : [facts.channel], bundles: [], files: [] }
    : await capgo.readChannelsAndBundles(facts.appId, {
        channels: [...new Set([facts.channelName, ...baseChannels])],
        names,
        checksum,
        filesOf: filesOf === null ? null : { id: filesOf.id, count: filesOf.manifest_count },
      })
  const channelOf = (name: string) => found.channels.find(channel => channel.name === name) ?? null
  const channel = channelOf(facts.channelName)
  const standing = await standingTo(channel?.version ?? null)
  const { commit: ours, channelName, isChosen, force } = facts
  const serves = await mayServe(channel?.version ?? null, { channel })
  const isKept = serves || isStale({ ours, channelName, standing, isChosen, force }) !== null
  /** Content that is lost or differs cannot be served nor repaired; the name stays taken. */
  const withoutFaults = async <Bundle extends BundleRow>(bundle: Bundle): Promise<Bundle> =>
    bundle.checksum === checksum && isReady(bundle) && (await look(bundle)).fault !== null
      ? { ...bundle, checksum: null }
      : bundle
  const isPreview = facts.purpose.kind === 'preview'
  const bases = isPreview ? baseChannels.map(channelOf) : [channel]
  const version = channel?.version ? await withoutFaults(channel.version) : null
  const bundles = isKept ? [] : await Promise.all(found.bundles.map(withoutFaults))
  const sizes = await Promise.all([...looked].map(async ([id, it]) => [id, (await it).size] as const))
  return {
    ...facts,
    channel: channel === null ? null : { ...channel, version },
    base: bases.find(base => base?.version != null) ?? bases.find(base => base !== null) ?? null,
    standing,
    running: await gatherRollout(facts.appId, channel, capgo, standingTo),
    checksum,
    sha256: content.zip.sha256,
    size: content.encryption === null ? content.zip.size : encryptedSize(content.zip.size),
    delta,
    sizes: new Map(sizes),
    nativePackages,
    bundles,
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
