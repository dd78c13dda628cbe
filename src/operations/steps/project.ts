/** The app in the working tree, as a publish needs it: config, versions, native versions, and what is wrong with them. */
import { dirname, join, resolve } from 'node:path'
import type { CapacitorConfig } from '../../checkout/capacitor-config.ts'
import { hasUpdater, readUpdaterVersion } from '../../checkout/native-packages.ts'
import { type NativeVersions, readNativeVersions } from '../../checkout/native-version.ts'
import { findManifest, packageFolder } from '../../checkout/package-json.ts'
import { ActionError } from '../../errors.ts'
import type { Trigger } from '../../event.ts'
import type { Inputs } from '../../inputs/inputs.ts'
import { type AppFacts, judgeApp } from '../../plan/installed-app.ts'
import { judgeNativeVersions } from '../../plan/native-versions.ts'
import type { PublishFacts } from '../../plan/publish-facts.ts'
import type { NativeVersion, UnreadVersion, WantedVersion } from '../../plan/types.ts'
import { chooseVersion, withoutBuildMetadata } from '../../plan/version.ts'
import { shownPath } from '../../runtime/paths.ts'
import { readAppConfig } from './app-config.ts'
import { checkKeys } from './app-keys.ts'
import { type CheckoutContext, type Workplace, workplaceOf } from './workplace.ts'

/** Paths are absolute. */
export interface Project extends Workplace {
  /** Where the Capacitor config, the native projects and their dependencies are; mostly `directory`. */
  readonly capacitorDirectory: string
  /** Where the `package.json` is that names the app's plugins; mostly the same. */
  readonly packageDirectory: string
  readonly appId: string
  readonly webDirectory: string
  readonly natives: readonly NativeVersion[]
  readonly unread: readonly UnreadVersion[]
  readonly wanted: WantedVersion
  /** Mistakes, or possible ones, that do not stop the run. */
  readonly warnings: readonly string[]
}

/** The purpose of reading the project. */
interface ProjectUse extends Pick<PublishFacts, 'channelName' | 'purpose'> {
  /** The web build comes from elsewhere, and the web folder need not be known. */
  readonly takesBuild: boolean
  /** Throws `PackagesMissing` wherever the config may say otherwise with its packages installed. */
  readonly beforeInstall: boolean
}

export async function readProject(use: ProjectUse, context: CheckoutContext): Promise<Project> {
  const { inputs, trigger } = context
  const workplace = workplaceOf(context)
  const { root, directory } = workplace
  const { appId, config, capacitorDirectory, warnings } = await readAppConfig(
    { webDir: !use.takesBuild, beforeInstall: use.beforeInstall },
    context,
  )
  const packageDirectory = await packageFolder(capacitorDirectory, root)
  const { natives, unread } = await readNatives(inputs, { root, directory: capacitorDirectory, config })
  const judged = judgeNativeVersions(natives, unread)
  return {
    ...workplace,
    capacitorDirectory,
    packageDirectory,
    appId,
    webDirectory:
      inputs.webDir === null
        ? resolve(capacitorDirectory, config?.webDir ?? '')
        : resolve(directory, inputs.webDir),
    natives: judged.natives,
    unread,
    wanted: await readWantedVersion(context, workplace),
    warnings: [
      ...changedInputs(inputs, trigger),
      ...warnings,
      ...(await checkUpdater(packageDirectory, use, context)),
      ...(await checkApp(config, root, {
        pluginUrl: inputs.hosts.plugin,
        channelName: use.channelName,
        purpose: use.purpose.kind,
      })),
      ...judged.warnings,
      ...(await checkKeys(inputs.privateKey, config, root)),
    ],
  }
}

/** The native versions of installed apps, by the input `native-version`, else by the repository. */
export async function readNatives(
  { nativeVersion }: Inputs,
  options: Parameters<typeof readNativeVersions>[0],
): Promise<NativeVersions> {
  if (nativeVersion === null) return readNativeVersions(options)
  const given = withoutBuildMetadata(nativeVersion, 'input "native-version"')
  return { natives: [{ platform: 'any', ...given }], unread: [] }
}

async function readWantedVersion(
  { inputs, trigger }: CheckoutContext,
  { root, directory }: Workplace,
): Promise<WantedVersion> {
  const { version } = inputs
  const { type, name } = trigger.ref
  return chooseVersion({
    input: version,
    tag: type === 'tag' ? name : null,
    manifest: version === null ? await findManifest(directory, root) : null,
  })
}

/** An app without the updater takes no update. Throws `updater_missing`, or returns it as a warning where the app is made elsewhere. */
async function checkUpdater(
  directory: string,
  { takesBuild }: ProjectUse,
  { inputs, deps }: CheckoutContext,
): Promise<string[]> {
  const root = deps.workspace
  if ((await hasUpdater(root, directory)) !== false) return []
  const file = shownPath(root, join(directory, 'package.json'))
  const message = `${file} has no dependency @capgo/capacitor-updater, so the app gets no updates.`
  if (takesBuild || !inputs.checkNotifyAppReady) return [message]
  throw new ActionError('updater_missing', message, {
    hint: 'Add the plugin (for example npm install @capgo/capacitor-updater) and run npx cap sync. Call notifyAppReady() when the app starts, and release the app to the stores. If another project adds the plugin to the app, set the input check-notify-app-ready to false.',
    at: { file },
  })
}

/** Settings of the repository that keep apps from the bundle. */
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

/** Warns where inputs are used otherwise than they say, and no decision of the plan says so. */
function changedInputs({ version, minUpdateVersion }: Inputs, { pull, followed }: Trigger): string[] {
  const warnings: string[] = []
  if (version !== null && (pull !== null || followed !== null))
    warnings.push(
      `Input "version" (${version}) is for releases, so this preview gets a name that is derived from it.`,
    )
  if (minUpdateVersion?.includes('+'))
    warnings.push(
      `${withoutBuildMetadata(minUpdateVersion, 'Input "min-update-version"').source}: build metadata is ignored.`,
    )
  return warnings
}
