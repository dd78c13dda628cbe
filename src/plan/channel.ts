/** Which ref is published to which channel, and what becomes of a channel that is not there yet. */
import type { ChannelRow } from '../capgo/schema.ts'
import { checkPattern, isGlob, matchesPattern } from './ref-pattern.ts'
import type { ChannelSettings, Purpose } from './types.ts'

/** One line of the input `channels`. */
export interface ChannelMapping {
  readonly pattern: string
  readonly channel: string
}

export interface Ref {
  /** `refs/heads/main`. */
  readonly full: string
  /** `main`. */
  readonly name: string
}

/** Default branches that are where people develop, and not what they release. */
const DEVELOPMENT = /^dev(?:elop(?:ment)?)?$/

/**
 * Which branch publishes where without the input `channels`: the default branch on `production`, `develop` on
 * `development`. Where the default branch is the one for development, `main` is on `production`.
 */
export function defaultMappings(defaultBranch: string | null): ChannelMapping[] {
  const branch = defaultBranch ?? 'main'
  const [release, development] = DEVELOPMENT.test(branch) ? ['main', branch] : [branch, 'develop']
  return [
    { pattern: release, channel: 'production' },
    { pattern: development, channel: 'development' },
  ]
}

/** The first mapping that matches the ref. */
export function matchChannel(ref: Ref, mappings: readonly ChannelMapping[]): ChannelMapping | undefined {
  return mappings.find(({ pattern }) => isMatch(pattern, ref))
}

/** `v1.2.0`, `1.4.0-rc.1`, `v2.0`: nothing that a branch is called by habit. */
const VERSION_TAG = /^v?\d+\.\d+(?:\.\d+)*(?:[-+][^/]*)?$/

/**
 * A pattern that begins with `refs/` is held against the full name. Any other is for branches, and of tags for those
 * that are a version, where it has a wildcard (`v*`): who may make a tag often is not allowed to push to the branch of its name.
 */
function isMatch(pattern: string, { full, name }: Ref): boolean {
  if (pattern.startsWith('refs/')) return matchesPattern(pattern, full)
  if (full.startsWith('refs/tags/') && !(isGlob(pattern) && VERSION_TAG.test(name))) return false
  return matchesPattern(pattern, name)
}

/** The line of `channels` that would publish a ref. */
export function suggestMapping(ref: Ref, defaultBranch: string | null): string {
  const isTag = ref.full.startsWith('refs/tags/')
  if (isTag && VERSION_TAG.test(ref.name))
    return `refs/tags/${ref.name.startsWith('v') ? 'v*' : '*'}: production`
  if (isTag) return `${ref.full}: ${suggestChannel(ref.name)}`
  const pattern = checkPattern(ref.name) === null ? ref.name : ref.full
  return `${pattern}: ${ref.name === defaultBranch ? 'production' : suggestChannel(ref.name)}`
}

function suggestChannel(name: string): string {
  return (
    name
      .replace(/[^A-Za-z0-9._-]+/g, '-')
      .slice(0, 64)
      .replace(/^[._-]+|[._-]+$/g, '') || 'beta'
  )
}

/**
 * How a channel that does not exist yet is made, so that devices can take what is put on it. The default
 * branch's channel becomes the app's public one when there is none; any other is private and may be chosen
 * by a device. Never public beside another: Capgo would silently make that one private.
 */
export function newChannelSettings(
  purpose: Purpose,
  publicChannels: readonly string[],
): { settings: ChannelSettings; why: string } {
  if (purpose.kind === 'preview')
    return {
      settings: {
        public: false,
        allow_device_self_set: true,
        disableAutoUpdate: 'none',
        disableAutoUpdateUnderNative: false,
        allow_dev: true,
        allow_emulator: true,
      },
      why: 'private preview channel, devices can join it, any version',
    }
  if (purpose.isDefaultBranch && publicChannels.length === 0)
    return {
      settings: { public: true, allow_device_self_set: false },
      why: "created as the app's public channel, because there is none yet",
    }
  return {
    settings: { public: false, allow_device_self_set: true },
    why:
      publicChannels.length > 0
        ? `private channel that devices can join: the app's public channel is ${publicChannels.join(', ')}`
        : 'private channel that devices can join: only the default branch or a tag creates the public one',
  }
}

/** Settings of a channel that keep devices from any bundle. */
export function channelWarnings(channel: ChannelRow): string[] {
  const { name: channelName } = channel
  const warnings: string[] = []
  if (!channel.ios && !channel.android)
    warnings.push(`Channel ${channelName} is off for iOS and Android, so no device gets its bundle.`)
  if (!channel.public && !channel.allow_device_self_set)
    warnings.push(
      `Channel ${channelName} is private and devices cannot join it, so only devices with an override get its bundle.`,
    )
  return warnings
}
