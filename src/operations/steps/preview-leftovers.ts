import semver from 'semver'
import { notDeleted, type SeenChannel } from '../../capgo/channel-deletes.ts'
import type { Capgo } from '../../capgo/client.ts'
import type { BundleRow, ChannelRow } from '../../capgo/schema.ts'
import { ActionError, Stopped } from '../../errors.ts'
import { BUILTIN, type NotedRepository, numberOfPull, readPulls } from '../../plan/bundle-comment.ts'
import { findAbandoned } from '../../plan/old-bundles.ts'
import { isReady } from '../../plan/publish.ts'
import type { RemovedPreview } from '../../report/result.ts'

/** A channel that serves a bundle of the pull request. */
type Served = ChannelRow & SeenChannel

/** What is on Capgo for a pull request. */
export interface Leftovers {
  /** Channels that previews made. */
  readonly channels: readonly Served[]
  /** Channels that were there before a preview took them, with the name of the bundle that they served then. */
  readonly taken: readonly { readonly channel: Served; readonly before: string }[]
  /** Bundles that were made for it and put nowhere else, the newest first. */
  readonly bundles: readonly BundleRow[]
  /** What is not ours to remove and why, in sentences. */
  readonly kept: readonly string[]
}

/** Bundles that were put on a channel for a pull request of this number, or of any; of whatever repository. */
export function findNoted(appId: string, number: number | null, capgo: Capgo): Promise<BundleRow[]> {
  return capgo.findBundlesByComment(appId, ` for *#${number ?? ''}`)
}

/**
 * What this action made on Capgo for a pull request. The bundles' comments tell, not names alone: a channel is its own
 * only while it serves such a bundle. `noted` from `findNoted`; `channelName` is looked at too.
 */
export async function findLeftovers(
  appId: string,
  number: number,
  channelName: string | null,
  noted: readonly BundleRow[],
  repository: NotedRepository,
  capgo: Capgo,
): Promise<Leftovers> {
  const notesOf = (bundle: Pick<BundleRow, 'comment'>) =>
    readPulls(bundle).filter(note => numberOfPull(note, repository) === number)
  const made = noted.filter(bundle => notesOf(bundle).length > 0)
  const names = new Set(channelName === null ? [] : [channelName])
  for (const note of made.flatMap(notesOf)) names.add(note.channel)
  const found = names.size === 0 ? [] : await capgo.readChannels(appId, [...names])
  const channels: Served[] = []
  const taken: { channel: Served; before: string }[] = []
  const kept: string[] = []
  for (const channel of found) {
    const { name, version, rollout_version } = channel
    const note = version === null ? undefined : notesOf(version).find(each => each.channel === name)
    const rollsOutOther = rollout_version !== null && made.every(({ id }) => id !== rollout_version)
    if (version === null || note === undefined)
      kept.push(`Channel ${name} stays: what it serves was not made for this pull request.`)
    else if (channel.public) kept.push(`Channel ${name} stays: it is a public channel of the app.`)
    else if (rollsOutOther) kept.push(`Channel ${name} stays: it rolls out a bundle of others.`)
    else if (note.took !== null) taken.push({ channel: { ...channel, version }, before: note.took })
    else channels.push({ ...channel, version })
  }
  const isItsOwn = (bundle: BundleRow) => {
    const lines = (bundle.comment ?? '').split('\n').filter(line => line.trim() !== '')
    return lines.length === notesOf(bundle).length
  }
  const own = made.filter(isItsOwn)
  const bundles = own.filter(({ name }) => isNameOf(name, number))
  for (const { name } of own)
    if (!isNameOf(name, number)) kept.push(`Bundle ${name} stays: its name is not that of a preview.`)
  return { channels, taken, bundles, kept }
}

/** The names that this action gives to previews are strict versions; another cannot be asked for safely. */
function isNameOf(name: string, number: number): boolean {
  const version = semver.parse(name)
  return version?.version === name && version.prerelease.join('.').startsWith(`pr.${number}.`)
}

export type Removed = Omit<RemovedPreview, 'pull' | 'why'>

/** What came of a removal. */
export interface Removal {
  readonly removed: Removed
  /** The pull request is open again, so the rest stays. */
  readonly isReopened: boolean
  /** What could not be deleted although it should; the next run goes on with it. */
  readonly error: ActionError | null
}

interface Steps {
  /** Whether the preview should still go: asked right before each channel, and before the bundles. */
  readonly mayGoOn: () => Promise<boolean>
  /**
   * Is told what will be gone before the bundles are: as long as one is there, a later run finds the pull request and
   * does what this one left undone, when it is stopped.
   */
  readonly announce: (removed: Removed) => Promise<void>
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
  const end = (isReopened: boolean, error: ActionError | null = null) => ({ removed, isReopened, error })
  if (channels.length + taken.length + bundles.length === 0) {
    await announce(removed)
    return end(false)
  }
  // A key for previews removes a bundle only together with its own channel that serves it.
  const mayDeleteBundles = await capgo.hasPermission('bundle.delete', appId)
  const gone = new Map<number, string>()
  for (const channel of channels) {
    const devices = await capgo.countOverrides(appId, channel.id)
    if (!(await mayGoOn())) return end(true)
    const answer = await capgo.deleteChannel(appId, channel, { withBundle: !mayDeleteBundles })
    if (answer === 'changed') {
      removed.kept.push(`Channel ${channel.name} stays: somebody changed it meanwhile.`)
      continue
    }
    removed.channels.push(channel.name)
    removed.devices += devices
    if (!mayDeleteBundles) gone.set(channel.version.id, channel.version.name)
  }
  for (const { channel, before } of taken) {
    if (!(await mayGoOn())) return end(true)
    removed.kept.push(await giveBack(appId, channel, before, capgo))
  }
  const others = bundles.filter(({ id }) => !gone.has(id))
  const lacking = mayDeleteBundles ? [] : others.filter(bundle => !isInProgress(bundle))
  await announce({
    ...removed,
    bundles: [...gone.values(), ...others.filter(each => !lacking.includes(each)).map(({ name }) => name)],
    kept: [...removed.kept, ...keptForLackOfPermission(lacking.length)],
  })
  if (!(await mayGoOn())) return end(true)
  const { names, kept, error } = await removeBundles(appId, others, gone, mayDeleteBundles, capgo)
  removed.bundles.push(...names)
  removed.kept.push(...kept)
  return end(false, error)
}

const isInProgress = ({ storage_provider }: BundleRow) => storage_provider === 'r2-direct'

/** `gone` are bundles, by id, that went together with a channel: they are looked for too. */
async function removeBundles(
  appId: string,
  bundles: readonly BundleRow[],
  gone: ReadonlyMap<number, string>,
  mayDelete: boolean,
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
        kept.push(`Bundle ${name} stays: another channel serves it.`)
      else tried.set(id, name)
    }
  } catch (failed) {
    if (!(failed instanceof ActionError) || failed instanceof Stopped) throw failed
    error = failed
  }
  // What counts is what is there.
  const remaining = await capgo.readRemaining(appId, [...tried.keys()])
  for (const { id } of remaining) tried.delete(id)
  error ??= remaining.length === 0 ? null : notDeleted(`bundle ${remaining[0]!.name}`)
  return { names: [...tried.values()], kept: [...kept, ...keptForLackOfPermission(lacking)], error }
}

/**
 * A channel that was there before the preview serves again what it served then; nothing, where that is gone. Returns a
 * sentence on what came of it.
 */
async function giveBack(appId: string, channel: Served, before: string, capgo: Capgo): Promise<string> {
  const { name } = channel
  const made = `Channel ${name} stays: no preview made it.`
  const bundle = await readBefore(appId, before, capgo)
  const now = await capgo.readChannel(appId, name)
  if (now?.version?.id !== channel.version.id) return `Channel ${name} stays: somebody changed it meanwhile.`
  try {
    if (bundle !== null && isReady(bundle)) {
      if (bundle.id !== channel.version.id) await capgo.promote(appId, bundle.id, channel)
    } else await capgo.emptyChannel(appId, name)
  } catch (error) {
    if (!(error instanceof ActionError) || error.code !== 'permission_missing') throw error
    return `${made} It still serves ${channel.version.name}, since the key lacks a permission: ${error.message}`
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
        `${count === 1 ? 'One older bundle stays' : `${count} older bundles stay`} until Capgo's retention removes ${count === 1 ? 'it' : 'them'}: the key cannot delete bundles (permission bundle.delete, role app_admin).`,
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
