/** The name of a bundle. Pure. */
import semver from 'semver'
import type { BundleRow } from '../capgo/schema.ts'
import { ActionError } from '../errors.ts'
import { normaliseNative, refusedByVersion, type VersionRules } from './delivery.ts'
import { type NativeRefusal, refusesAll, requireComparable } from './native-versions.ts'
import type { Commit, NativeVersion, Purpose, WantedVersion } from './types.ts'

export interface NameRequest {
  readonly wanted: WantedVersion
  readonly nativeVersions: readonly NativeVersion[]
  readonly rules: VersionRules
  readonly minUpdateVersion: string | null
  readonly channelName: string
  readonly purpose: Purpose
  readonly commit: Commit
  /** Names that other content has, soft-deleted bundles included: Capgo never frees a name. */
  readonly taken: ReadonlySet<string>
}

export interface NameChoice {
  /** The name to use, and those to use instead when somebody takes it in between. */
  readonly names: readonly [string, ...string[]]
  readonly why: string
}

/** Where a bundle's version comes from. */
export interface VersionSources {
  /** The input `version`. */
  readonly input: string | null
  /** Short name of the tag that the run is of. */
  readonly tag: string | null
  /** What `package.json` has under these names; null without the file. */
  readonly manifest: { readonly name?: unknown; readonly version?: unknown } | null
}

/** `v1.2.0` and `1.2.0`, behind nothing or the name of a package: `@acme/app@1.2.0`, `app-v1.2.0`, `app/1.2.0`. */
const VERSION_TAG =
  /^(?:(?<owner>.+?)[@/_-])?v?(?<version>\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?)$/

/**
 * The version that a bundle is wanted to have: the input, else the tag, else `package.json`. The tag of another
 * package of the repository is not this app's version. Apps need no version of their own: without one, names are
 * derived from the native version, or from zero.
 */
export function chooseVersion({ input, tag, manifest }: VersionSources): WantedVersion {
  if (input !== null) return { ...withoutBuildMetadata(input, 'input "version"'), forced: true }
  const tagged = tag === null ? undefined : VERSION_TAG.exec(tag)?.groups
  const isOwn = tagged?.owner === undefined || isNameOf(tagged.owner, manifest?.name)
  if (tagged?.version !== undefined && isOwn && semver.valid(tagged.version) !== null)
    return { ...withoutBuildMetadata(tagged.version, `tag ${tag}`), forced: false }
  const notTag =
    tag === null ? '' : `, and tag ${tag} is ${isOwn ? 'not a version' : `for "${tagged?.owner}"`}`
  const version = manifest?.version
  if (typeof version !== 'string' || version === '')
    return { version: '0.0.0', source: `package.json has no version${notTag}`, forced: false }
  if (semver.valid(version) === null)
    return {
      version: '0.0.0',
      source: `"${version}" in package.json is not a semantic version${notTag}`,
      forced: false,
    }
  const { version: wanted, source } = withoutBuildMetadata(version, 'package.json')
  return { version: wanted, source: `${source}${notTag}`, forced: false }
}

/** Whether a tag's prefix is the name of this package, with or without its scope. */
function isNameOf(owner: string, name: unknown): boolean {
  return typeof name === 'string' && (owner === name || owner === name.replace(/^@[^/]+\//, ''))
}

/**
 * The one rule for build metadata (`+7`): it is left out, and the source says so. Versions that differ in it alone are
 * equal to devices, and it cannot stand in the address of a bundle.
 */
export function withoutBuildMetadata(version: string, source: string): { version: string; source: string } {
  const plain = /^[\d.]+$/.test(version) ? version : (semver.valid(version) ?? version)
  return { version: plain, source: plain === version ? source : `${source}: ${version}` }
}

/** Whether the user insists on a name that this bundle does not have. */
export function hasOtherName(bundle: Pick<BundleRow, 'name'>, { version, forced }: WantedVersion): boolean {
  return forced && bundle.name !== version
}

/** How many names to hold ready for the case that another run takes one at the same moment. */
const SPARE_NAMES = 3

/** Capgo's defaults for a new channel (`channels` table). */
export const DEFAULT_RULES: VersionRules = {
  disable_auto_update: 'major',
  disable_auto_update_under_native: true,
}

/** The settings of a preview's channel. */
export const PREVIEW_RULES: VersionRules = {
  disable_auto_update: 'none',
  disable_auto_update_under_native: false,
}

/** How names begin, behind the version, that are derived for a channel: `production`, or `pr.12`. */
export function preReleaseLabel(channelName: string, purpose: Purpose): string {
  if (purpose.kind === 'preview') return `pr.${purpose.pull}`
  // One pre-release identifier of `[0-9A-Za-z-]`, never all digits.
  const label = channelName.replace(/[^0-9A-Za-z-]+/g, '-').replace(/^-+|-+$/g, '')
  return /^\d*$/.test(label) ? `channel-${label}`.replace(/-$/, '') : label
}

/** First native version whose device would refuse a bundle of this name, and by which rule. */
export function firstRefusal(
  name: string,
  nativeVersions: readonly NativeVersion[],
  rules: VersionRules,
  minUpdateVersion: string | null,
): NativeRefusal | null {
  for (const native of nativeVersions) {
    const refusal = refusedByVersion(native.version, { name, min_update_version: minUpdateVersion }, rules)
    if (refusal !== null) return { native, refusal }
  }
  return null
}

/**
 * The bundle's name: the wanted version when it is free and every known native version would take it, else
 * the next patch's pre-release for this channel and run (`1.4.1-production.57.1` from `1.4.0`), which is
 * above what is installed and below the real next version.
 *
 * Throws `version_refused` when the user insists on a name that no device would take, `version_taken` when other
 * content has that name, and `channel_refuses_all` when the channel's rules leave no name at all.
 */
export function chooseName(request: NameRequest): NameChoice {
  const { wanted, nativeVersions, rules, minUpdateVersion, taken } = request
  requireComparable(nativeVersions, request.channelName)
  const refused = firstRefusal(wanted.version, nativeVersions, rules, minUpdateVersion)
  if (refused !== null && wanted.forced) {
    throw new ActionError(
      'version_refused',
      `Devices would not get version ${wanted.version} (${wanted.source}): ${refused.refusal.rule} (rule ${refused.refusal.code}, native version from ${refused.native.source}).`,
      {
        hint: `Remove the input "version" to get a name that devices accept. Or change the rule of channel ${request.channelName} in the Capgo console. If the stores have another native version, set the input "native-version".`,
      },
    )
  }
  if (wanted.forced) {
    if (!taken.has(wanted.version)) return { names: [wanted.version], why: wanted.source }
    throw new ActionError(
      'version_taken',
      `Version ${wanted.version} (${wanted.source}) is already used by another bundle of this app.`,
      {
        hint: 'Set another version, or remove the input "version" to get an unused name. Capgo never reuses a name, even of a deleted bundle.',
      },
    )
  }
  const derived = derivedNames(request)
  // A preview gets a name of its own, so that the wanted one stays free for the release.
  const own = request.purpose.kind === 'preview'
  if (refused === null && !own && !taken.has(wanted.version)) {
    const unjudged = nativeVersions.length === 0 ? ' (not checked: native version unknown)' : ''
    return { names: [wanted.version, ...derived], why: `${wanted.source}${unjudged}` }
  }
  const said = `${wanted.version} (${wanted.source})`
  const why = own
    ? `a pre-release after ${said}`
    : refused === null
      ? `${said} is already taken, so a pre-release of the next patch`
      : `${said} is not delivered: ${refused.refusal.rule} (${refused.native.source}), so a pre-release of the next patch`
  const [first, ...rest] = derived
  if (first === undefined)
    throw refusesAll(
      {
        ...request,
        find: change => derivedNames({ ...request, taken: new Set(), ...change })[0] ?? null,
        refuse: (name, others) => firstRefusal(name, others, rules, minUpdateVersion),
      },
      refused,
    )
  return {
    names: [first, ...rest],
    why,
  }
}

function derivedNames(request: NameRequest): string[] {
  const { wanted, nativeVersions, rules, minUpdateVersion, commit, taken } = request
  const suffix = `${preReleaseLabel(request.channelName, request.purpose)}.${commit.runNumber}.${commit.runAttempt}`
  const bases = new Set<string>([wanted.version])
  for (const native of nativeVersions) {
    const build = normaliseNative(native.version)
    if (build !== null) bases.add(build)
  }
  const names: string[] = []
  // From the highest base down: the wanted version first where the rules allow it, else the native one.
  for (const base of [...bases].sort(semver.rcompare)) {
    const parsed = semver.parse(base)
    if (parsed === null) continue
    const { major, minor, patch, prerelease } = parsed
    const next = `${major}.${minor}.${prerelease.length > 0 ? patch : patch + 1}-${suffix}`
    const same = `${major}.${minor}.${patch}-${suffix}`
    for (const name of [next, same]) {
      if (firstRefusal(name, nativeVersions, rules, minUpdateVersion) !== null) continue
      for (let spare = 0; names.length <= SPARE_NAMES && spare <= SPARE_NAMES; spare++) {
        const candidate = spare === 0 ? name : `${name}.${spare + 1}`
        if (!taken.has(candidate)) names.push(candidate)
      }
      if (names.length > 0) return names
    }
  }
  return names
}

/** Names that a publish may want; asked of Capgo in one request before it is planned. */
export function possibleNames(request: Omit<NameRequest, 'taken'>): string[] {
  return [...new Set([request.wanted.version, ...derivedNames({ ...request, taken: new Set() })])]
}

/**
 * Whether a channel may show a bundle that has this name: the version that is wanted now, or a pre-release that
 * was derived for this very channel (or pull request). A name made for another never gets there.
 */
export function mayShow(name: string, wanted: string, channelName: string, purpose: Purpose): boolean {
  if (name === wanted && purpose.kind === 'branch') return true
  const preRelease = semver.parse(name)?.prerelease.join('.') ?? ''
  return preRelease.startsWith(`${preReleaseLabel(channelName, purpose)}.`)
}
