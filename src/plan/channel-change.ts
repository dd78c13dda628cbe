/** The common part of a promotion, a rollback and a rollout change: an existing bundle goes to a channel. */
import type { BundleRow, ChannelRow } from '../capgo/schema.ts'
import {
  type Circumstances,
  noteCommit,
  readNotes,
  readServedCommit,
  type ServedCommit,
} from './bundle-comment.ts'
import { isReady } from './delivery.ts'
import type { NativeChange } from './native-changes.ts'
import { EVERYBODY, type RolloutChange, type RolloutRequest, type RolloutTarget } from './rollout.ts'
import type { Commit, Decision, NativeVersion } from './types.ts'

/** The operation that changes a channel. */
export type Move =
  | { readonly kind: 'promotion'; readonly from: string }
  | { readonly kind: 'rollback' }
  | { readonly kind: 'rollout'; readonly change: RolloutChange['kind'] }

/** An existing bundle goes to an existing channel. Nothing is uploaded. */
export interface MovePlan {
  readonly move: Move
  readonly appId: string
  readonly channel: ChannelRow
  readonly bundle: BundleRow
  readonly rolloutTarget: RolloutTarget
  /** The channel is as it should be already. */
  readonly isDone: boolean
  /** One sentence: what the run does, or why there is nothing to do. */
  readonly why: string
  /** Further consequences for devices, as sentences; empty without any. */
  readonly consequence: string
  /** The bundle's comment with the channel's new line; null when no commit is known for it. */
  readonly comment: string | null
  /** The bundle that is taken off, and its comment that says so; null where nothing is to be said. */
  readonly rolledBack: { readonly bundle: BundleRow; readonly comment: string } | null
  /** From which the bundle was built; null when this action did not make it. */
  readonly commit: { readonly sha: string; readonly refName: string } | null
  /** How its native packages differ from those of the bundle that it replaces. */
  readonly nativeChanges: readonly NativeChange[]
  readonly decisions: readonly Decision[]
  readonly warnings: readonly string[]
}

/** The facts of both a promotion and a rollback. */
export interface MoveFacts {
  readonly appId: string
  readonly nativeVersions: readonly NativeVersion[]
  /** The run; its own commit is not that of the bundle. */
  readonly run: Commit
  readonly rollout: RolloutRequest
  /** Name of the bundle that the channel rolls out; null without a rollout. */
  readonly rolloutBundleName: string | null
  readonly force: boolean
}

/** The commit that a bundle was built from: by its note for this channel, else by any other. */
export function originOf(bundle: Pick<BundleRow, 'comment'>, channelName: string): ServedCommit | null {
  return readServedCommit(bundle, channelName) ?? readNotes(bundle)[0] ?? null
}

/** The bundle's comment with the word that this run put it on the channel; null when no commit is known. */
export function noteMove({
  bundle,
  channel,
  origin,
  run,
  circumstances,
}: {
  readonly bundle: Pick<BundleRow, 'comment'>
  readonly channel: Pick<ChannelRow, 'name'>
  readonly origin: ServedCommit | null
  readonly run: Commit
  readonly circumstances: Circumstances
}): string | null {
  if (origin === null) return null
  const { pull: _, ...ofRun } = run
  const commit = { ...ofRun, sha: origin.sha, refName: origin.refName }
  return noteCommit(bundle.comment, channel.name, commit, circumstances)
}

/** Why devices cannot be given a bundle, as the end of a sentence; null when they can. `fault` is what its store says. */
export function whyNotReady(bundle: BundleRow, fault: string | null): string | null {
  if (bundle.deleted) return 'it was deleted'
  return isReady(bundle) ? fault : 'its upload was never finished'
}

/** The plan of a run that finds the channel as it should be. */
export function unchanged({
  move,
  appId,
  channel,
  bundle,
  ...said
}: Pick<MovePlan, 'move' | 'appId' | 'channel' | 'bundle' | 'why' | 'decisions'>): MovePlan {
  return {
    move,
    appId,
    channel,
    bundle,
    ...said,
    rolloutTarget: EVERYBODY,
    isDone: true,
    comment: null,
    rolledBack: null,
    consequence: '',
    commit: originOf(bundle, channel.name),
    nativeChanges: [],
    warnings: [],
  }
}

export const NOT_JUDGED =
  'Not checked whether devices accept this bundle, because no native version is known. Check the repository out in an earlier step, or set the input "native-version".'

export const NOT_OURS = 'This bundle was not published by this action, so later runs do not know its commit.'
