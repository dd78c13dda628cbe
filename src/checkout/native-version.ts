/** The versions that the native projects have. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { shownPath } from '../runtime/paths.ts'
import type { CapacitorConfig } from './capacitor-config.ts'
import { readGradle } from './gradle.ts'
import type { NativeProject } from './native-file.ts'
import { readXcode } from './xcode.ts'

/** A native version that was found in the repository. */
export interface NativeVersion {
  readonly platform: 'android' | 'ios' | 'any'
  /** As written, for example `1.0`. */
  readonly version: string
  /** For example `android/app/build.gradle:12`, relative to the checkout. */
  readonly source: string
}

/** A place that decides about a platform's version, and that was not understood. */
export interface UnreadVersion {
  readonly platform: 'android' | 'ios'
  readonly source: string
  /** Goes on after the source: `has "versionName appVersion"`, `is missing`. */
  readonly says: string
}

/** A platform that stands in neither list has no project in the repository. */
export interface NativeVersions {
  /** Each once. */
  readonly natives: readonly NativeVersion[]
  readonly unread: readonly UnreadVersion[]
}

/**
 * Native versions in the repository. `plugins.CapacitorUpdater.version` is what devices say instead of their
 * store version, so it is then the only one.
 */
export async function readNativeVersions(options: {
  readonly root: string
  readonly directory: string
  readonly config: CapacitorConfig | null
}): Promise<NativeVersions> {
  const { root, directory, config } = options
  if (config?.updater.version !== undefined) {
    const source = `${shownPath(root, config.file)} (plugins.CapacitorUpdater.version)`
    return { natives: [{ platform: 'any', version: config.updater.version, source }], unread: [] }
  }
  const paths = config?.nativePaths
  const android = join(directory, paths?.android ?? 'android')
  const ios = join(directory, paths?.ios ?? 'ios', 'App')
  const projects = [
    { platform: 'android', project: await readGradle(root, android), app: join(android, 'app') },
    { platform: 'ios', project: await readXcode(root, ios), app: ios },
  ] as const
  const natives: NativeVersion[] = []
  const unread: UnreadVersion[] = []
  for (const { platform, project, app } of projects) {
    const { versions, unread: untold } = project ?? (await readNothing(root, app))
    const known = new Map(versions.map(each => [each.version, each] as const).reverse())
    natives.push(
      ...versions
        .filter(each => known.get(each.version) === each)
        .map(({ version, source }) => ({ platform, version, source })),
    )
    unread.push(...untold.map(({ source, says }) => ({ platform, source, says })))
  }
  return { natives, unread }
}

/** A platform's folder without that file differs from a repository without the platform. */
async function readNothing(root: string, app: string): Promise<NativeProject> {
  const isThere = (await stat(app).catch(() => null))?.isDirectory() === true
  const unread = isThere ? [{ source: shownPath(root, app), says: 'has no readable project' }] : []
  return { versions: [], unread }
}
