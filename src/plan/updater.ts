/** Whether apps with the installed version of the updater take what is published. */
import { MANIFEST_SINCE, takesManifest } from './plugin-version.ts'

/**
 * Why an app with this version of the updater (as installed) takes nothing that is published; null where it does. Plugins
 * from before delta files compare a bundle that is not encrypted with its CRC32, and Capgo has its SHA-256.
 */
export function judgeUpdater(
  version: string | null,
  { isEncrypted }: { readonly isEncrypted: boolean },
): string | null {
  if (version === null || isEncrypted || takesManifest(version)) return null
  const [five, six, seven, eight] = MANIFEST_SINCE
  return `The app is built with @capgo/capacitor-updater ${version}, which compares bundles with their CRC32 and not with their SHA-256: an app built with it refuses this one (checksum_fail). Install a version that compares SHA-256 (from ${five}, ${six}, ${seven} or ${eight}), and release the app to the stores.`
}
