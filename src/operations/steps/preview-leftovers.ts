/** Finds and removes what previews left on Capgo: channels, and bundles by their names. */
import { notDeleted } from '../../capgo/channel-deletes.ts'
import type { Capgo } from '../../capgo/client.ts'
import type { BundleRow } from '../../capgo/schema.ts'
import { ActionError, CancelledError } from '../../errors.ts'
import { BUILTIN } from '../../plan/bundle-comment.ts'
import { isReady } from '../../plan/delivery.ts'
import { findAbandoned } from '../../plan/old-bundles.ts'
import {
  type Leftovers,
  namePreviewChannels,
  type PreviewTraces,
  planRemoval,
  type ServingChannel,
} from '../../plan/preview-leftovers.ts'
import type { ClosedPreview } from '../../report/result.ts'

/** Bundles that were put on a channel for a pull request of this number, or of any; of whatever repository. */
export function findNoted(appId: string, number: number | null, capgo: Capgo): Promise<BundleRow[]> {
  return capgo.findBundlesByComment(appId, ` for *#${number ?? ''}`)
}

/** Channels and bundles that this action made for a pull request. `noted` from `findNoted`. */
export async function findLeftovers(appId: string, traces: PreviewTraces, capgo: Capgo): Promise<Leftovers> {
  const names = namePreviewChannels(traces)
  return planRemoval(traces, names.length === 0 ? [] : await capgo.readChannels(appId, names))
}

export type RemovedParts = Omit<ClosedPreview, 'pull' | 'why'>

/** The result of a removal. */
export interface Removal {
  readonly removed: RemovedParts
  /** The pull request is open again, so the rest stays. */
  readonly isReopened: boolean
  /** Leftovers that could not be deleted; the next run continues with it. */
  readonly error: ActionError | null
}

interface Steps {
  /** Whether the preview should still go: asked right before each channel, and before the bundles. */
  readonly mayGoOn: () => Promise<boolean>
  /**
   * Called with what will be deleted before the bundles are: as long as one is there, a later run finds the pull request and
   * does what this one left undone, when it is stopped.
   */
  readonly announce: (removed: RemovedParts) => Promise<void>
}

/**
 * Removes the leftovers: each channel with the overrides of the devices that are still on it, then the bundles, each
 * by its name. A bundle that another channel serves stays, and a channel that is not as it was seen any more. Doing it
 * twice does no harm.
 */
export async function removeLeftovers(
  appId: string,
  leftovers: Leftovers,
  capgo: Capgo,
  { mayGoOn, announce }: Steps,
): Promise<Removal> {
  const { channels, taken, bundles } = leftovers
  const removed = { channels: [] as string[], bundles: [] as string[], devices: 0, kept: [...leftovers.kept] }
  const end = (error: ActionError | null = null) => ({ removed, isReopened: false, error })
  const reopened = { removed, isReopened: true, error: null }
  if (channels.length + taken.length + bundles.length === 0) {
    await announce(removed)
    return end()
  }
  // A key for previews removes a bundle only together with its own channel that serves it.
  const mayDeleteBundles = await capgo.hasPermission('bundle.delete', appId)
  const gone = new Map<number, string>()
  for (const channel of channels) {
    const devices = await capgo.countOverrides(appId, channel.id)
    if (!(await mayGoOn())) return reopened
    const answer = await capgo.deleteChannel(appId, channel, { withBundle: !mayDeleteBundles })
    if (answer === 'changed') {
      removed.kept.push(`Channel ${channel.name} is kept: it was changed meanwhile.`)
      continue
    }
    removed.channels.push(channel.name)
    removed.devices += devices
    if (!mayDeleteBundles) gone.set(channel.version.id, channel.version.name)
  }
  for (const { channel, before } of taken) {
    if (!(await mayGoOn())) return reopened
    removed.kept.push(await giveBack(appId, channel, before, capgo))
  }
  const others = bundles.filter(({ id }) => !gone.has(id))
  const lacking = mayDeleteBundles ? [] : others.filter(bundle => !isInProgress(bundle))
  await announce({
    ...removed,
    bundles: [...gone.values(), ...others.filter(each => !lacking.includes(each)).map(({ name }) => name)],
    kept: [...removed.kept, ...keptForLackOfPermission(lacking.length)],
  })
  if (!(await mayGoOn())) return reopened
  const bundlesToGo = { appId, bundles: others, gone, mayDelete: mayDeleteBundles }
  const { names, kept, error } = await removeBundles(bundlesToGo, capgo)
  removed.bundles.push(...names)
  removed.kept.push(...kept)
  return end(error)
}

const isInProgress = ({ storage_provider }: BundleRow) => storage_provider === 'r2-direct'

/** `gone` are bundles, by id, that went together with a channel: they are looked for too. */
async function removeBundles(
  {
    appId,
    bundles,
    gone,
    mayDelete,
  }: {
    readonly appId: string
    readonly bundles: readonly BundleRow[]
    readonly gone: ReadonlyMap<number, string>
    readonly mayDelete: boolean
  },
  capgo: Capgo,
) {
  const tried = new Map(gone)
  const kept: string[] = []
  let lacking = 0
  let error: ActionError | null = null
  try {
    for (const bundle of bundles) {
      const { id, name } = bundle
      if (isInProgress(bundle) && (await capgo.removeFailedBundle(appId, name))) tried.set(id, name)
      else if (!mayDelete) lacking++
      else if ((await capgo.deleteBundle(appId, name)) === 'linked')
        kept.push(`Bundle ${name} is kept: another channel serves it.`)
      else tried.set(id, name)
    }
  } catch (failed) {
    if (!(failed instanceof ActionError) || failed instanceof CancelledError) throw failed
    error = failed
  }
  // Only the current state counts.
  const remaining = await capgo.readRemaining(appId, [...tried.keys()])
  for (const { id } of remaining) tried.delete(id)
  const [left] = remaining
  error ??= left === undefined ? null : notDeleted(`bundle ${left.name}`)
  return { names: [...tried.values()], kept: [...kept, ...keptForLackOfPermission(lacking)], error }
}

/**
 * A channel that was there before the preview serves again what it served then; nothing, where that is gone. Returns a
 * sentence on what came of it.
 */
async function giveBack(
  appId: string,
  channel: ServingChannel,
  before: string,
  capgo: Capgo,
): Promise<string> {
  const { name } = channel
  const made = `Channel ${name} is kept: no preview created it.`
  const bundle = await readBefore(appId, before, capgo)
  const now = await capgo.readChannel(appId, name)
  if (now?.version?.id !== channel.version.id) return `Channel ${name} is kept: it was changed meanwhile.`
  try {
    if (bundle !== null && isReady(bundle)) {
      if (bundle.id !== channel.version.id) await capgo.promote(appId, bundle.id, channel)
    } else await capgo.emptyChannel(appId, name)
  } catch (error) {
    if (!(error instanceof ActionError) || error.code !== 'permission_missing') throw error
    return `${made} It still serves ${channel.version.name}, because the key lacks a permission: ${error.message}`
  }
  const after = await capgo.readChannel(appId, name)
  const isBack = (after?.version?.id ?? null) === (before === BUILTIN ? null : bundle?.id)
  return `${made} It serves ${after?.version?.name ?? 'nothing'}${isBack ? ' again' : ''}.`
}

/** Null where the channel served nothing. */
async function readBefore(appId: string, before: string, capgo: Capgo): Promise<BundleRow | null> {
  if (before === BUILTIN) return null
  const id = /^#(\d+)$/.exec(before)?.[1]
  return id === undefined ? capgo.readBundle(appId, before) : capgo.readBundleById(appId, Number(id))
}

function keptForLackOfPermission(count: number): string[] {
  return count === 0
    ? []
    : [
        `${count === 1 ? 'One older bundle is kept' : `${count} older bundles are kept`} until Capgo's retention removes ${count === 1 ? 'it' : 'them'}: the key cannot delete bundles (permission bundle.delete, role app_admin).`,
      ]
}

/** Removes what runs began to upload that were stopped and never run again. Returns the names. */
export async function removeAbandoned(appId: string, capgo: Capgo): Promise<string[]> {
  const abandoned = findAbandoned(await capgo.findUnfinishedBundles(appId), capgo.now())
  if (abandoned.length === 0) return []
  const mayDeleteBundles = await capgo.hasPermission('bundle.delete', appId)
  const removed = new Map<number, string>()
  for (const { id, name } of abandoned)
    if (
      (await capgo.removeFailedBundle(appId, name)) ||
      // Where the content had arrived, the bundle counts as a whole one.
      (mayDeleteBundles && (await capgo.deleteBundle(appId, name)) === 'deleted')
    )
      removed.set(id, name)
  for (const { id } of await capgo.readRemaining(appId, [...removed.keys()])) removed.delete(id)
  return [...removed.values()]
}
