/** Facts in the repository about installed apps: reasons why they might not accept a bundle. */
import semver from 'semver'
import { isDeprecatedMajor } from './plugin-version.ts'
import type { Purpose } from './types.ts'

/** Facts of the repository about the apps that are built from it. */
export interface AppFacts {
  /** The Capacitor config as messages name it. */
  readonly file: string
  /** Channel that installed apps follow; null = the app's public one. */
  readonly defaultChannel: string | null
  /** Page that the app loads instead of its web folder. */
  readonly serverUrl: string | null
  readonly isUpdateOff: boolean
  /** Where apps ask for updates; null = Capgo Cloud. */
  readonly updateUrl: string | null
  /** Where devices of this run's Capgo ask: the input `plugin-url`. */
  readonly pluginUrl: string
  /** Of `@capgo/capacitor-updater`, as package.json asks for it; null when unknown. */
  readonly updaterVersion: string | null
  readonly channelName: string
  readonly purpose: Purpose['kind']
}

/** Of the plugin, that Capgo still answers. */
const MIN_MAJOR = 5
const CLOUD = /(^|\.)capgo\.app$/
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

/** Reasons why installed apps perhaps do not get the bundle. None is certain: apps in the stores are older than the repository. */
export function judgeApp(facts: AppFacts): string[] {
  return [
    followsOther(facts),
    loadsPage(facts),
    isOff(facts),
    asksElsewhere(facts),
    isDeprecated(facts),
  ].filter(warning => warning !== null)
}

function followsOther({ file, defaultChannel, channelName, purpose }: AppFacts): string | null {
  // Testers are put on the channel of a preview.
  if (defaultChannel === null || defaultChannel === channelName || purpose === 'preview') return null
  return `Installed apps do not get this bundle: they follow channel "${defaultChannel}" (defaultChannel in ${file}), and this run publishes to "${channelName}". Publish to "${defaultChannel}" (input "channels"), or remove defaultChannel and release the app to the stores.`
}

function loadsPage({ file, serverUrl }: AppFacts): string | null {
  return serverUrl === null
    ? null
    : `${file} has server.url ("${serverUrl}"), so an app built with it loads that page and never a bundle. Remove server.url before you release the app.`
}

function isOff({ file, isUpdateOff }: AppFacts): string | null {
  return isUpdateOff
    ? `autoUpdate is off in ${file}, so an app built with it gets no bundle unless its own code downloads one.`
    : null
}

function asksElsewhere({ file, updateUrl, pluginUrl }: AppFacts): string | null {
  const here = URL.parse(`${pluginUrl.replace(/\/+$/, '')}/updates`)
  if (here === null) return null
  if (updateUrl === null)
    return CLOUD.test(here.hostname) || LOOPBACK.test(here.hostname)
      ? null
      : `Installed apps ask Capgo Cloud for updates, because ${file} has no updateUrl. This run publishes to ${here.host}. Set plugins.CapacitorUpdater.updateUrl to "${here.href}", and release the app to the stores.`
  const there = URL.parse(updateUrl)
  const isSame =
    there !== null &&
    ((there.host === here.host && there.pathname.replace(/\/+$/, '') === here.pathname) ||
      (CLOUD.test(there.hostname) && CLOUD.test(here.hostname)))
  return isSame
    ? null
    : `Installed apps ask "${updateUrl}" for updates (updateUrl in ${file}), but this run publishes for "${here.href}". Correct updateUrl, or the inputs api-url and plugin-url.`
}

function isDeprecated({ updaterVersion }: AppFacts): string | null {
  const major = updaterVersion === null ? null : semver.major(updaterVersion)
  const install =
    'Install the version for your Capacitor, for example @capgo/capacitor-updater@8, and release the app to the stores.'
  if (major !== null && major < MIN_MAJOR)
    return `No device gets this bundle: the app uses @capgo/capacitor-updater ${updaterVersion}, and Capgo updates apps from version ${MIN_MAJOR} on. ${install}`
  if (major !== null && isDeprecatedMajor(major))
    return `The app uses @capgo/capacitor-updater ${updaterVersion}, a deprecated release with code for Capacitor 5. ${install}`
  return null
}
