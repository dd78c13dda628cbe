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
  return `Apps with @capgo/capacitor-updater ${version} reject this bundle (checksum_fail), because they compare its CRC32 instead of its SHA-256. Install a version that compares SHA-256 (from ${five}, ${six}, ${seven} or ${eight}), and release the app to the stores.`
}
