import picomatch from 'picomatch'
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

/**
 * The first mapping whose glob matches the ref's short name (`main`, `v1.2.0`) or its full name
 * (`refs/tags/v1.2.0`). `*` stops at a slash, `**` does not, as in workflow filters of GitHub.
 */
export function matchChannel(ref: Ref, mappings: readonly ChannelMapping[]): ChannelMapping | undefined {
  return mappings.find(({ pattern }) => {
    const matches = picomatch(pattern, { dot: true, nonegate: true })
    return matches(pattern.startsWith('refs/') ? ref.full : ref.name)
  })
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
      why: 'it is made for testers: private, self-assignable, without a rule on versions',
    }
  if (purpose.isDefaultBranch && publicChannels.length === 0)
    return {
      settings: { public: true, allow_device_self_set: false },
      why: 'it is made as the public one: the ref is the default branch or a tag, and the app has no public channel yet',
    }
  return {
    settings: { public: false, allow_device_self_set: true },
    why:
      publicChannels.length > 0
        ? `it is made private and self-assignable: ${publicChannels.join(', ')} is the app's public channel`
        : 'it is made private and self-assignable: only the default branch or a tag makes the public channel',
  }
}
