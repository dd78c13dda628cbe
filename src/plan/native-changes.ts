/** How the native code of two bundles differs. */
import semver from 'semver'
import type { ChannelRow, NativePackage } from '../capgo/schema.ts'

/** A difference between the native code that a bundle was built with and that of the bundle before. */
export interface NativeChange {
  readonly name: string
  /** Version in the bundle before; null = the package is new. */
  readonly before: string | null
  /** Version in this bundle; null = the package is gone. */
  readonly now: string | null
  /** An app built with the one native code can run a bundle made for the other. */
  readonly compatible: boolean
  /** Without a capital and a full stop, as the continuation of "camera: ". */
  readonly why: string
}

/**
 * How `local` differs from `remote`, the packages of the bundle that the channel serves now; by name, without
 * what is the same. Capgo never enforces this, its CLI judges in the same way. Without one of the lists nothing
 * is known (an app that was not installed here has an empty one), so nothing is judged.
 */
export function compareNativePackages(
  local: readonly NativePackage[],
  remote: readonly NativePackage[] | null,
): NativeChange[] {
  if (remote === null || remote.length === 0 || local.length === 0) return []
  const before = new Map(remote.map(each => [each.name, each]))
  const now = new Map(local.map(each => [each.name, each]))
  const names = [...new Set([...before.keys(), ...now.keys()])].sort()
  return names.flatMap(name => {
    const change = compareOne(before.get(name), now.get(name))
    return change === null
      ? []
      : [{ name, before: before.get(name)?.version ?? null, now: now.get(name)?.version ?? null, ...change }]
  })
}

function compareOne(
  before: NativePackage | undefined,
  now: NativePackage | undefined,
): Pick<NativeChange, 'compatible' | 'why'> | null {
  if (now === undefined) return { compatible: true, why: 'native code that this bundle no longer uses' }
  if (before === undefined)
    return { compatible: false, why: 'new native code that installed apps do not have' }
  const code = [
    ...(differs(before.ios_checksum, now.ios_checksum) ? ['iOS'] : []),
    ...(differs(before.android_checksum, now.android_checksum) ? ['Android'] : []),
  ]
  const reasons = [
    ...(intersect(before.version, now.version)
      ? []
      : [`${now.version} is not in the range of ${before.version}`]),
    ...(code.length > 0 ? [`its ${code.join(' and ')} code differs`] : []),
  ]
  if (reasons.length > 0) return { compatible: false, why: reasons.join(', ') }
  if (before.version.trim() !== now.version.trim())
    return { compatible: true, why: `${now.version} is in the range of ${before.version}` }
  if (differs(before.requested_version, now.requested_version))
    return {
      compatible: true,
      why: `the same version, requested as ${now.requested_version} instead of ${before.requested_version}`,
    }
  return null
}

/** Both are known and differ: a checksum on one side only proves nothing. */
function differs(before: string | null | undefined, now: string | null | undefined): boolean {
  const [old, current] = [before?.trim() ?? '', now?.trim() ?? '']
  return old !== '' && current !== '' && old !== current
}

/**
 * Whether a version can satisfy both. An exact version is the range of itself alone: 7.0.1 and 7.0.2 do not
 * intersect. Anything else (`workspace:*`, a URL) goes with itself only.
 */
function intersect(a: string, b: string): boolean {
  if (a.trim() === b.trim()) return true
  return semver.validRange(a) !== null && semver.validRange(b) !== null && semver.intersects(a, b)
}

/**
 * Whether the channel's own rule keeps a bundle with this minimum native version from the apps that take what the
 * channel serves now.
 */
export function isShielded(
  { disable_auto_update: policy, version: served }: Pick<ChannelRow, 'disable_auto_update' | 'version'>,
  minimum: string | null,
): boolean {
  return (
    policy === 'version_number' &&
    minimum !== null &&
    semver.gt(minimum, served?.min_update_version ?? '0.0.0')
  )
}

/** `@capacitor/camera 7.0.1 -> 8.0.0 (why)`. */
export function listNativeChanges(changes: readonly NativeChange[]): string {
  return changes
    .map(({ name, before, now, why }) => `${name} ${before === null ? now : `${before} -> ${now}`} (${why})`)
    .join(', ')
}
