import semver from 'semver'
import type { Capgo } from '../capgo/client.ts'
import type { BundleRow, ChannelRow } from '../capgo/wire.ts'
import { findAbandoned } from '../plan/housekeeping.ts'
import { readPulls } from '../plan/lineage.ts'
import type { RemovedPreview } from '../report/result.ts'

/** What is on Capgo for a pull request. */
export interface Leftovers {
  readonly channels: readonly ChannelRow[]
  /** Bundles that were made for it and put nowhere else, the newest first. */
  readonly bundles: readonly BundleRow[]
  /** What is not ours to remove and why, in sentences. */
  readonly kept: readonly string[]
}

/**
 * What this action made on Capgo for a pull request (`owner/name#12`). The bundles' comments tell, not names
 * alone: a channel is its own only while it serves such a bundle. `channelName` is looked at too.
 */
export async function findLeftovers(
  appId: string,
  pull: string,
  channelName: string | null,
  capgo: Capgo,
): Promise<Leftovers> {
  const made = await capgo.findBundlesByComment(appId, `for ${pull}`)
  const names = new Set(channelName === null ? [] : [channelName])
  for (const bundle of made)
    for (const note of readPulls(bundle)) if (note.pull === pull) names.add(note.channel)
  const found = names.size === 0 ? [] : await capgo.readChannels(appId, [...names])
  const isServing = ({ name, version }: ChannelRow) =>
    version !== null && readPulls(version).some(note => note.pull === pull && note.channel === name)
  const channels = found.filter(isServing)
  const number = pull.slice(pull.lastIndexOf('#') + 1)
  const bundles = made.filter(bundle => {
    // The names of ours are always strict versions; another cannot be asked for safely.
    if (semver.valid(bundle.name) !== bundle.name) return false
    const preRelease = semver.parse(bundle.name)?.prerelease.join('.') ?? ''
    const lines = (bundle.comment ?? '').split('\n').filter(line => line.trim() !== '')
    const forThis = readPulls(bundle).filter(note => note.pull === pull)
    return preRelease.startsWith(`pr.${number}.`) && lines.length === forThis.length
  })
  const kept = found
    .filter(channel => !isServing(channel))
    .map(({ name }) => `Channel ${name} stays: what it serves was not made for this pull request.`)
  return { channels, bundles, kept }
}

export type Removed = Omit<RemovedPreview, 'pull' | 'why'>

/**
 * Removes the leftovers: each channel with the overrides of the devices that are still on it, then the
 * bundles, each by its name. A bundle that another channel serves stays. Doing it twice does no harm.
 *
 * `announce` is told what will be gone before the bundles are: as long as one is there, a later run finds the pull
 * request and does what this one left undone, when it is stopped.
 */
export async function removeLeftovers(
  appId: string,
  leftovers: Leftovers,
  capgo: Capgo,
  announce: (removed: Removed) => Promise<void>,
): Promise<Removed> {
  const { channels, bundles } = leftovers
  if (channels.length + bundles.length === 0) {
    const nothing = { channels: [], bundles: [], devices: 0, kept: leftovers.kept }
    await announce(nothing)
    return nothing
  }
  // A key for previews removes a bundle only together with its own channel that serves it.
  const mayDeleteBundles = await capgo.hasPermission('bundle.delete', appId)
  const gone = new Set<string>()
  const removed = { channels: [] as string[], devices: 0 }
  for (const channel of channels) {
    removed.devices += await capgo.countOverrides(appId, channel.id)
    const answer = await capgo.deleteChannel(appId, channel.name, !mayDeleteBundles)
    if (answer === 'deleted') removed.channels.push(channel.name)
    if (answer === 'deleted' && !mayDeleteBundles && channel.version !== null) gone.add(channel.version.name)
  }
  const others = bundles.filter(({ name }) => !gone.has(name))
  const all = others.map(({ name }) => name)
  await announce({
    ...removed,
    bundles: mayDeleteBundles ? all : [...gone],
    kept: [...leftovers.kept, ...(mayDeleteBundles ? [] : keptForLackOfPermission(all))],
  })
  const names = [...gone]
  const kept = [...leftovers.kept]
  const left: string[] = []
  for (const { name, storage_provider } of others) {
    const isInProgress = storage_provider === 'r2-direct'
    if (isInProgress && (await capgo.removeFailedBundle(appId, name))) names.push(name)
    else if (!mayDeleteBundles) left.push(name)
    else {
      const answer = await capgo.deleteBundle(appId, name)
      if (answer === 'deleted') names.push(name)
      if (answer === 'linked') kept.push(`Bundle ${name} stays: another channel serves it.`)
    }
  }
  return { ...removed, bundles: names, kept: [...kept, ...keptForLackOfPermission(left)] }
}

function keptForLackOfPermission({ length }: readonly string[]): string[] {
  return length === 0
    ? []
    : [
        `${length === 1 ? 'One older bundle stays' : `${length} older bundles stay`} until Capgo's retention removes ${length === 1 ? 'it' : 'them'}: the key may not delete bundles (permission bundle.delete, role app_admin).`,
      ]
}

/** Removes what runs began to upload that were stopped and never run again. Returns the names. */
export async function removeAbandoned(appId: string, now: Date, capgo: Capgo): Promise<string[]> {
  const abandoned = findAbandoned(await capgo.findUnfinishedBundles(appId), now)
  if (abandoned.length === 0) return []
  const mayDeleteBundles = await capgo.hasPermission('bundle.delete', appId)
  const removed: string[] = []
  for (const { name } of abandoned)
    if (
      (await capgo.removeFailedBundle(appId, name)) ||
      // Where the content had arrived, the bundle counts as a whole one.
      (mayDeleteBundles && (await capgo.deleteBundle(appId, name)) === 'deleted')
    )
      removed.push(name)
  return removed
}

/** Numbers of the repository's pull requests that still have something on Capgo. */
export async function findPreviewedPulls(appId: string, repository: string, capgo: Capgo): Promise<number[]> {
  const bundles = await capgo.findBundlesByComment(appId, `for ${repository}#`)
  const numbers = bundles.flatMap(bundle =>
    readPulls(bundle).flatMap(({ pull }) =>
      pull.startsWith(`${repository}#`) ? [Number(pull.slice(repository.length + 1))] : [],
    ),
  )
  return [...new Set(numbers)].sort((one, other) => one - other)
}
