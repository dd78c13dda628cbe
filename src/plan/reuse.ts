/** Whether a bundle that has the wanted content already is also what the inputs and the channel ask for. Pure. */
import semver from 'semver'
import type { BundleRow } from '../capgo/schema.ts'
import { ActionError } from '../errors.ts'
import { normaliseNative } from './delivery.ts'
import { compareNativePackages } from './native-changes.ts'
import { requireComparable } from './native-versions.ts'
import type { BuiltFacts, PublishFacts } from './publish-facts.ts'

/**
 * A channel with the policy `version_number` needs a minimum native version on each bundle: that of the
 * bundle it serves while that fits; with new native code the lowest native version of the repository.
 */
export function minimumNative(
  facts: PublishFacts & Partial<Pick<BuiltFacts, 'nativePackages'>>,
): string | null {
  if (facts.minUpdateVersion !== null) return facts.minUpdateVersion
  if (facts.channel?.disable_auto_update !== 'version_number') return null
  const { version: before } = facts.channel
  const changes = compareNativePackages(facts.nativePackages ?? [], before?.native_packages ?? null)
  const served = before?.min_update_version
  if (served && changes.every(({ compatible }) => compatible)) return served
  const [lowest] = semver.sort(facts.nativeVersions.flatMap(native => normaliseNative(native.version) ?? []))
  requireComparable(facts.nativeVersions, facts.channelName)
  if (lowest === undefined)
    throw new ActionError(
      'minimum_native_unknown',
      `Channel ${facts.channelName} delivers by minimum native version (policy "version_number"), but no native version is known.`,
      { hint: 'Set the input "native-version" to the native version that this bundle needs.' },
    )
  return lowest
}

/**
 * Why a bundle with the wanted content cannot be used, or null. Capgo freezes a bundle, so that one with another
 * minimum native version or in another form is uploaded under a name of its own.
 */
export function misfit(
  bundle: BundleRow,
  facts: PublishFacts & Pick<BuiltFacts, 'nativePackages' | 'delta'>,
): string | null {
  return misfitOfMinimum(bundle, facts) ?? misfitOfForm(bundle, facts.delta)
}

function misfitOfMinimum(
  { min_update_version: has }: BundleRow,
  facts: Parameters<typeof misfit>[1],
): string | null {
  if (facts.channel?.disable_auto_update !== 'version_number') return null
  const needed = minimumNative(facts)
  const isEnough =
    facts.minUpdateVersion === null
      ? has !== null && semver.valid(has) !== null && (needed === null || semver.gte(has, needed))
      : has === facts.minUpdateVersion
  return isEnough ? null : `its minimum native version is ${has ?? 'missing'}, and ${needed} is needed`
}

function misfitOfForm(bundle: BundleRow, mode: BuiltFacts['delta']): string | null {
  const hasFiles = bundle.manifest_count > 0
  if (mode === 'false' && hasFiles) return 'it has delta files, and the input "delta" is false'
  // An unfinished bundle's missing parts are still to come.
  if (bundle.storage_provider === 'r2-direct') return null
  const hasZip = bundle.r2_path !== null || bundle.external_url !== null
  if (mode === 'only' && hasZip) return 'it has a zip, and the input "delta" is only'
  if (mode !== 'only' && !hasZip) return `it has no zip, and the input "delta" is ${mode}`
  return hasFiles || mode === 'auto' || mode === 'false'
    ? null
    : `it has no delta files, and the input "delta" is ${mode}`
}
