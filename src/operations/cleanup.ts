import semver from 'semver'
import type { Capgo } from '../capgo/client.ts'
import type { BundleRow } from '../capgo/wire.ts'
import { channelsForPull } from '../plan/lineage.ts'

/** What closing a preview removed. */
export interface Cleaned {
  readonly channel: boolean
  readonly bundles: number
  /** Devices that an override had put on the channel. */
  readonly devices: number
  /** What was left and why, in sentences. */
  readonly kept: readonly string[]
}

/**
 * Removes the preview of a pull request (`owner/name#12`): its channel, with the overrides of the devices that
 * are still on it, then the bundles that were made for it, each by its name. A channel that does not serve
 * this pull request's bundle, and a bundle that any other channel has or had, are left alone. Doing it twice
 * does no harm.
 */
export async function removePreview(
  appId: string,
  channelName: string,
  pull: string,
  capgo: Capgo,
): Promise<Cleaned> {
  const kept: string[] = []
  const mayDeleteBundles = await capgo.hasPermission('bundle.delete', appId)
  const channel = await capgo.readChannel(appId, channelName)
  let removed = false
  let devices = 0
  if (channel !== null) {
    if (channel.version !== null && channelsForPull(channel.version, pull).includes(channelName)) {
      devices = await capgo.countOverrides(appId, channel.id)
      removed = (await capgo.deleteChannel(appId, channelName, !mayDeleteBundles)) === 'deleted'
    } else kept.push(`Channel ${channelName} stays: what it serves was not made for this pull request.`)
  }

  let bundles = removed && !mayDeleteBundles ? 1 : 0
  const left: BundleRow[] = []
  for (const bundle of await madeFor(appId, pull, capgo)) {
    if (!mayDeleteBundles) left.push(bundle)
    else if (bundle.storage_provider === 'r2-direct' && (await capgo.removeFailedBundle(appId, bundle.name)))
      bundles++
    else {
      const answer = await capgo.deleteBundle(appId, bundle.name)
      if (answer === 'deleted') bundles++
      if (answer === 'linked') kept.push(`Bundle ${bundle.name} stays: another channel serves it.`)
    }
  }
  if (left.length > 0)
    kept.push(
      `${left.length === 1 ? 'One older bundle stays' : `${left.length} older bundles stay`} until Capgo's retention removes ${left.length === 1 ? 'it' : 'them'}: the key may not delete bundles (permission bundle.delete, role app_admin).`,
    )
  return { channel: removed, bundles, devices, kept }
}

/** Bundles named and made for this pull request, and put on no channel for anything else. */
async function madeFor(appId: string, pull: string, capgo: Capgo): Promise<BundleRow[]> {
  const number = pull.slice(pull.lastIndexOf('#') + 1)
  return (await capgo.findBundlesByComment(appId, `for ${pull}`)).filter(bundle => {
    const preRelease = semver.parse(bundle.name)?.prerelease.join('.') ?? ''
    const lines = (bundle.comment ?? '').split('\n').filter(line => line.trim() !== '')
    return preRelease.startsWith(`pr.${number}.`) && lines.length === channelsForPull(bundle, pull).length
  })
}

/** Pull requests (`owner/name#12`) of a repository that still have something on Capgo, and on which channels. */
export async function findPreviews(
  appId: string,
  repository: string,
  capgo: Capgo,
): Promise<Map<string, Set<string>>> {
  const found = new Map<string, Set<string>>()
  for (const bundle of await capgo.findBundlesByComment(appId, `for ${repository}#`))
    for (const line of (bundle.comment ?? '').split('\n')) {
      const pull = / for (\S+#\d+)$/.exec(line)?.[1]
      if (pull === undefined || !pull.startsWith(`${repository}#`)) continue
      const channels = found.get(pull) ?? new Set()
      for (const channel of channelsForPull(bundle, pull)) channels.add(channel)
      found.set(pull, channels)
    }
  return found
}
