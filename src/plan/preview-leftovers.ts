/** Leftovers of a pull request's preview on Capgo, and which of them can be deleted. Pure. */
import semver from 'semver'
import type { BundleRow, ChannelRow } from '../capgo/schema.ts'
import { linesOf, type NotedRepository, numberOfPull, readPulls } from './bundle-comment.ts'

/** A pull request, and the bundles that may be of its preview. */
export interface PreviewTraces {
  readonly number: number
  /** The channel that it would have by today's inputs; null where that is not asked. */
  readonly channelName: string | null
  /** Bundles whose comments name a pull request of this number, of whatever repository. */
  readonly noted: readonly BundleRow[]
  readonly repository: NotedRepository
}

/** A channel that serves a bundle. */
export type ServingChannel = ChannelRow & { readonly version: NonNullable<ChannelRow['version']> }

/** Everything on Capgo for a pull request. */
export interface Leftovers {
  /** Channels that previews made. */
  readonly channels: readonly ServingChannel[]
  /** Channels that were there before a preview took them, with the name of the bundle that they served then. */
  readonly taken: readonly { readonly channel: ServingChannel; readonly before: string }[]
  /** Bundles that were made for it and put nowhere else, the newest first. */
  readonly bundles: readonly BundleRow[]
  /** Why something is not ours to remove, in sentences. */
  readonly kept: readonly string[]
}

/** Names of the channels that may be the preview's. */
export function namePreviewChannels(traces: PreviewTraces): string[] {
  const { channelName, noted } = traces
  const names = noted.flatMap(bundle => notesOf(bundle, traces).map(({ channel }) => channel))
  return [...new Set([...(channelName === null ? [] : [channelName]), ...names])]
}

/**
 * Everything that this action made for the pull request. The bundles' notes decide, not names alone: a channel is its own only
 * while it serves such a bundle. `channels` are those of `namePreviewChannels`.
 */
export function planRemoval(traces: PreviewTraces, channels: readonly ChannelRow[]): Leftovers {
  const made = traces.noted.filter(bundle => notesOf(bundle, traces).length > 0)
  const own: ServingChannel[] = []
  const taken: { channel: ServingChannel; before: string }[] = []
  const kept: string[] = []
  for (const channel of channels) {
    const { name, version, rollout_version } = channel
    const note = version === null ? undefined : notesOf(version, traces).find(each => each.channel === name)
    const rollsOutOther = rollout_version !== null && made.every(({ id }) => id !== rollout_version)
    if (version === null || note === undefined)
      kept.push(`Channel ${name} is kept: its bundle was not made for this pull request.`)
    else if (channel.public) kept.push(`Channel ${name} is kept: it is a public channel of the app.`)
    else if (rollsOutOther) kept.push(`Channel ${name} is kept: it rolls out a bundle that is not a preview.`)
    else if (note.took !== null) taken.push({ channel: { ...channel, version }, before: note.took })
    else own.push({ ...channel, version })
  }
  const alone = made.filter(bundle => isPutNowhereElse(bundle, traces))
  const bundles = alone.filter(({ name }) => isNameOf(name, traces.number))
  for (const { name } of alone)
    if (!isNameOf(name, traces.number))
      kept.push(`Bundle ${name} is kept: its name is not that of a preview.`)
  return { channels: own, taken, bundles, kept }
}

/** The lines of a bundle's note about this pull request. */
function notesOf(bundle: Pick<BundleRow, 'comment'>, { number, repository }: PreviewTraces) {
  return readPulls(bundle).filter(note => numberOfPull(note, repository) === number)
}

function isPutNowhereElse(bundle: BundleRow, traces: PreviewTraces): boolean {
  return linesOf(bundle.comment).length === notesOf(bundle, traces).length
}

/** The names that this action gives to previews are strict versions; another cannot be asked for safely. */
function isNameOf(name: string, number: number): boolean {
  const version = semver.parse(name)
  return version?.version === name && version.prerelease.join('.').startsWith(`pr.${number}.`)
}
