/** The status of each channel. */
import type { BundleRow, ChannelRow, OverrideRow } from '../capgo/schema.ts'
import { readServedCommit } from './bundle-comment.ts'
import { activeRollout } from './rollout.ts'

/** A channel, as the output `status` has it. Unknown values are null. */
export interface ChannelStatus {
  readonly channel: string
  readonly id: number
  readonly public: boolean
  /** Platforms that it is switched on for. */
  readonly platforms: readonly ('ios' | 'android' | 'electron')[]
  readonly bundle: BundleStatus | null
  /** The bundle that only some of its devices get. */
  readonly rollout: (BundleStatus & { readonly percentage: number; readonly paused: boolean }) | null
  /** Devices that an override has put on it. */
  readonly overrides: number | null
}

export interface BundleStatus {
  readonly id: number
  readonly name: string
  /** When it was put on the channel, as ISO 8601. */
  readonly since: string | null
  readonly commit: { readonly sha: string; readonly ref: string; readonly url: string } | null
  readonly pull: { readonly number: number; readonly url: string } | null
  /** It was put there instead of this newer bundle. */
  readonly rolledBackFrom: string | null
  /** Devices that last reported it, on any channel. */
  readonly devices: number | null
}

export interface StatusFacts {
  readonly channels: readonly ChannelRow[]
  /** The bundles that are rolled out. */
  readonly rolloutBundles: readonly BundleRow[]
  readonly overrides: readonly OverrideRow[] | null
  /** By the bundle's name. */
  readonly devices: ReadonlyMap<string, number>
  /** `https://github.com/owner/name` and `owner/name`. */
  readonly repositoryUrl: string
  readonly repository: string
}

/** One row a channel: public ones first, then by name. */
export function describeChannels(facts: StatusFacts): ChannelStatus[] {
  const { channels, rolloutBundles, overrides } = facts
  const rolled = new Map(rolloutBundles.map(bundle => [bundle.id, bundle]))
  return [...channels]
    .sort((one, other) => Number(other.public) - Number(one.public) || (one.name < other.name ? -1 : 1))
    .map(channel => {
      const active = activeRollout(channel)
      const rolledOut = active === null ? undefined : rolled.get(active.id)
      return {
        channel: channel.name,
        id: channel.id,
        public: channel.public,
        platforms: (['ios', 'android', 'electron'] as const).filter(platform => channel[platform]),
        bundle: channel.version === null ? null : describeBundle(channel.version, channel.name, facts),
        rollout:
          active === null || rolledOut === undefined
            ? null
            : {
                ...describeBundle(rolledOut, channel.name, facts),
                percentage: active.bps / 100,
                paused: active.paused,
              },
        overrides:
          overrides === null ? null : overrides.filter(override => override.channel_id === channel.id).length,
      }
    })
}

function describeBundle(
  bundle: BundleRow,
  channelName: string,
  { devices, repositoryUrl, repository }: StatusFacts,
): BundleStatus {
  const noted = readServedCommit(bundle, channelName)
  const server = repositoryUrl.slice(0, -repository.length)
  const [pullRepository = '', number] = noted?.pull?.split('#') ?? []
  return {
    id: bundle.id,
    name: bundle.name,
    since: noted?.at ?? null,
    commit:
      noted === null
        ? null
        : { sha: noted.sha, ref: noted.refName, url: `${repositoryUrl}/commit/${noted.sha}` },
    pull:
      number === undefined
        ? null
        : { number: Number(number), url: `${server}${pullRepository}/pull/${number}` },
    rolledBackFrom: noted?.rolledBackFrom?.name ?? null,
    devices: devices.get(bundle.name) ?? null,
  }
}
