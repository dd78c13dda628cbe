/** Warnings about native versions that no rule can be checked against, or that no name suits. Pure. */
import type { ChannelRow } from '../capgo/schema.ts'
import { ActionError } from '../errors.ts'
import { normaliseNative, type Refusal, type VersionRules } from './delivery.ts'
import type { Decision, NativeVersion, UnreadVersion } from './types.ts'

const NAMES = { android: 'Android', ios: 'iOS', any: 'the app' }
const IN_STORES = 'set the input "native-version" to the version in the stores'

/**
 * Leaves out versions that Capgo cannot compare where the same platform has another one, such as a flavour for tests; the
 * warnings name those, and what was not understood.
 */
export function judgeNativeVersions(
  natives: readonly NativeVersion[],
  unread: readonly UnreadVersion[],
): { readonly natives: readonly NativeVersion[]; readonly warnings: readonly string[] } {
  const fit = natives.filter(isComparable)
  const kept = natives.filter(
    native => isComparable(native) || !fit.some(({ platform }) => platform === native.platform),
  )
  return {
    natives: kept,
    warnings: [
      ...[...Map.groupBy(unread, ({ platform }) => platform)].map(([platform, places]) =>
        sayUnread(platform, places, kept),
      ),
      ...natives.filter(native => !kept.includes(native)).map(sayUnfit),
    ],
  }
}

function sayUnread(
  platform: UnreadVersion['platform'],
  places: readonly UnreadVersion[],
  nativeVersions: readonly NativeVersion[],
): string {
  const name = NAMES[platform]
  const own = nativeVersions.filter(native => native.platform === platform)
  const where = places.map(({ source, says }) => `${source} ${says}`).join(', and ')
  const judged = (own.length > 0 ? own : nativeVersions).map(
    each => `${NAMES[each.platform]} ${each.version}`,
  )
  return `${own.length > 0 ? 'A' : 'The'} native version of ${name} is not known: ${where}. Not checked whether ${name} devices accept the bundle${judged.length > 0 ? ` (checked: ${judged.join(' and ')})` : ''}. To check it, ${IN_STORES}.`
}

function sayUnfit({ platform, version, source }: NativeVersion): string {
  return `${NAMES[platform]} ${version} (${source}) is not a version that Capgo can compare, so apps with it get no bundle.`
}

function isComparable({ version }: NativeVersion): boolean {
  return normaliseNative(version) !== null
}

/** Those of platforms that the channel is switched on for. */
export function nativeVersionsOn(
  nativeVersions: readonly NativeVersion[],
  channel: ChannelRow | null,
): NativeVersion[] {
  return nativeVersions.filter(({ platform }) => channel === null || platform === 'any' || channel[platform])
}

/** The native versions as lines of a plan. */
export function nativeVersionDecisions(
  nativeVersions: readonly NativeVersion[],
  unread: readonly UnreadVersion[] = [],
): Decision[] {
  return [
    ...nativeVersions.map(
      ({ platform, version, source }): Decision => ({
        what: 'native version',
        value: platform === 'any' ? version : `${version} (${platform})`,
        why: source,
      }),
    ),
    ...unread.map(
      ({ platform, source, says }): Decision => ({
        what: 'native version',
        value: `not known (${platform})`,
        why: `${source} ${says}`,
      }),
    ),
  ]
}

/** Throws `channel_refuses_all` for versions that Capgo cannot compare: it gives devices with them nothing. */
export function requireComparable(nativeVersions: readonly NativeVersion[], channelName: string): void {
  const unfit = nativeVersions.filter(native => !isComparable(native))
  if (unfit.length === 0) return
  const named = unfit.map(({ version, source }) => `${JSON.stringify(version)} (${source})`).join(' and ')
  throw new ActionError(
    'channel_refuses_all',
    `Channel ${channelName} cannot deliver any bundle to native ${named}, because Capgo cannot compare that version (semver_error).`,
    {
      hint: `Write the version as 1, 1.2 or 1.2.3, without leading zeros, and release the app to the stores. Or set plugins.CapacitorUpdater.version in the Capacitor config. If the stores have another version than the file, ${IN_STORES}.`,
    },
  )
}

/** A native version, and why its devices do not take a name. */
export interface NativeRefusal {
  readonly native: NativeVersion
  readonly refusal: Refusal
}

/** The question that an error answers: which change would leave a name? */
export interface NameSearch {
  readonly channelName: string
  readonly nativeVersions: readonly NativeVersion[]
  readonly rules: VersionRules
  readonly minUpdateVersion: string | null
  /** The first name that devices would take with these changes; null when there is none. */
  find(change: {
    nativeVersions?: readonly NativeVersion[]
    rules?: VersionRules
    minUpdateVersion?: string | null
  }): string | null
  refuse(name: string, nativeVersions: readonly NativeVersion[]): NativeRefusal | null
}

/** The rules of the channel leave no name: which versions are in each other's way, and what helps. */
export function refusesAll(names: NameSearch, refused: NativeRefusal | null): ActionError {
  const { nativeVersions, channelName } = names
  const shown = nativeVersions.map(({ version, source }) => `${version} (${source})`).join(' and ')
  const against = refused === null ? null : names.find({ nativeVersions: [refused.native] })
  const other =
    against === null
      ? null
      : names.refuse(
          against,
          nativeVersions.filter(native => native !== refused?.native),
        )
  const reasons = [refused, other].filter(each => each !== null).map(({ refusal }) => refusal.rule)
  const isConflict = other !== null
  return new ActionError(
    'channel_refuses_all',
    `Channel ${channelName} cannot deliver any bundle name to ${isConflict ? 'both ' : ''}native ${shown}${reasons.length > 0 ? `: ${[...new Set(reasons)].join(', and ')}` : ''}.`,
    {
      hint: [
        isConflict
          ? `If one of them is a placeholder or a flavour that is not in the stores, ${IN_STORES}, or correct the file.`
          : `If the stores have another native version, ${IN_STORES}, or correct the file.`,
        ...cure(names),
      ].join(' '),
    },
  )
}

/** Changes of the channel that would leave a name, the smallest alone. */
function cure(names: NameSearch): string[] {
  const { rules, channelName, minUpdateVersion } = names
  const to = (change: Partial<VersionRules>) => names.find({ rules: { ...rules, ...change } }) !== null
  const isOpen = rules.disable_auto_update !== 'major' && to({ disable_auto_update: 'major' })
  const isOff = rules.disable_auto_update_under_native && to({ disable_auto_update_under_native: false })
  const policy = isOpen ? 'major' : to({ disable_auto_update: 'none' }) ? 'none' : null
  const both = { disable_auto_update: 'none', disable_auto_update_under_native: false } as const
  const changes = [
    ...(policy === null ? [] : [`set its update policy to "${policy}"`]),
    ...(isOff ? ['switch off its "under native" rule'] : []),
  ]
  if (changes.length === 0 && to(both))
    changes.push('set its update policy to "none" and switch off its "under native" rule')
  const lower = minUpdateVersion !== null && names.find({ minUpdateVersion: '0.0.0' }) !== null
  return [
    ...(changes.length === 0
      ? []
      : [
          `Otherwise change channel ${channelName} in the Capgo console: ${changes.join(', or ')}. Or use a separate channel for each of these apps.`,
        ]),
    ...(lower ? [`Or lower the input "min-update-version" (${minUpdateVersion}).`] : []),
  ]
}
