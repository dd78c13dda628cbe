/** The target of a publish: the commit, the channel, and the purpose. */
import type { PublishFacts } from '../../plan/publish-facts.ts'
import type { RolloutRequest } from '../../plan/rollout.ts'
import type { Head } from '../../plan/staleness.ts'
import type { Commit, Purpose } from '../../plan/types.ts'

export interface PublishTarget {
  readonly channelName: string
  readonly why: string
  readonly purpose: Purpose
  readonly commit: Commit
  /** Why it is this commit, where that is not the run's own. */
  readonly commitWhy: string | null
  /** The commit was checked out on purpose; the run is of another one. */
  readonly isChosen: boolean
  /** What GitHub says now of the ref or pull request that this is published for. */
  readonly readHead: () => Promise<Head>
  readonly rollout: RolloutRequest
  /** GitHub's environment for it. */
  readonly environment: string
  /** Of a preview, the channel that the base branch publishes to; null without one. */
  readonly baseChannel: string | null
  /** The web build comes from elsewhere: nothing is built or looked for here. */
  readonly takesBuild: boolean
}

/** The channel whose devices get a preview's content next; none for a branch. */
export function baseChannelsOf(
  { purpose, baseChannel }: PublishTarget,
  { publicChannels }: PublishFacts,
): readonly string[] {
  if (purpose.kind !== 'preview') return []
  return [...(baseChannel === null ? [] : [baseChannel]), ...publicChannels.slice(0, 1)]
}
