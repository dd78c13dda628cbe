import { channelVanished } from '../capgo/channels.ts'
import type { Capgo, Permission } from '../capgo/client.ts'
import { permissionMissing } from '../capgo/refusal.ts'
import { zipKey } from '../capgo/upload.ts'
import type { App, BundleRow, ChannelRow } from '../capgo/wire.ts'
import { ActionError } from '../errors.ts'
import { isStale, readServedCommit } from '../plan/lineage.ts'
import { formatShare, isAt } from '../plan/rollout.ts'
import type { Commit, PublishAction, PublishPlan, Relation } from '../plan/types.ts'
import { assign, requireAssignment } from './assign.ts'

export interface PublishContext {
  readonly capgo: Capgo
  readonly app: App
  /** As it was read for the plan. */
  readonly channel: ChannelRow | null
  readonly commit: Commit
  readonly zip: { readonly path: string; readonly size: number; readonly sha256: string }
  /** How a commit (second) stands to another (first). */
  readonly compare: (base: string, head: string) => Promise<Relation>
  readonly log: (message: string) => void
  /** Bytes that Capgo has of how many. */
  readonly onProgress: (sent: number, total: number) => void
}

export interface Published {
  readonly outcome: 'published' | 'unchanged' | 'stale'
  readonly reason: string
  /** The channel as it was read back. */
  readonly channel: ChannelRow
  /** The bundle that it is about, where that is not what the channel serves to everybody. */
  readonly bundle: BundleRow | null
  readonly by: 'upload' | 'resume' | 'promote' | null
}

/**
 * Makes the plan true. Each step may be repeated, and devices see nothing before the last one. Throws
 * `permission_missing` before the first write when the key lacks a permission that the plan needs.
 */
export async function publish(plan: PublishPlan, context: PublishContext): Promise<Published> {
  const { action } = plan
  if (action.do === 'keep') return keep(plan, action, context)
  const isReady =
    action.do === 'promote'
      ? () => takeOver(plan, action.bundle, context)
      : await store(plan, action, context)
  // Freezing the bundle and looking at the channel once more need not wait for each other.
  const [bundle, channel] = await Promise.all([
    isReady(),
    context.capgo.readChannel(plan.appId, plan.channelName),
  ])
  return promote(plan, bundle, channel, context)
}

async function keep(
  plan: PublishPlan,
  action: Extract<PublishAction, { do: 'keep' }>,
  { capgo, channel, commit, log }: PublishContext,
): Promise<Published> {
  if (channel === null) throw channelVanished(plan.channelName)
  if (
    action.outcome === 'unchanged' &&
    readServedCommit(action.bundle, plan.channelName)?.sha !== commit.sha
  ) {
    // Without this note a slower run of an older commit would not know that it is older.
    const noted = await capgo.noteOnBundle(action.bundle.id, plan.link, plan.comment)
    if (!noted) log('The commit could not be noted on the bundle; publishing is not affected.')
  }
  const why = plan.decisions.find(decision => decision.what === 'bundle')?.why ?? ''
  const bundle = action.outcome === 'unchanged' ? action.bundle : null
  return { outcome: action.outcome, reason: sentence(why), channel, bundle, by: null }
}

async function requirePermissions(plan: PublishPlan, { capgo, app }: PublishContext): Promise<void> {
  const scope = { appId: plan.appId, channelId: null }
  const needs: Promise<void>[] = []
  const need = (what: string, permission: Permission, channelId: number | null = null) =>
    needs.push(capgo.requirePermission(what, permission, { ...scope, channelId }))
  if (plan.action.do !== 'promote') {
    need('upload a bundle', 'app.upload_bundle')
    needs.push(capgo.requireStorage(app.owner_org, plan.appId))
  }
  if (plan.channelId === null) need(`make channel ${plan.channelName}`, 'app.create_channel')
  else
    needs.push(
      requireAssignment(plan.stage, plan.appId, { id: plan.channelId, name: plan.channelName }, capgo),
    )
  for (const result of await Promise.allSettled(needs)) if (result.status === 'rejected') throw result.reason
}

/** A ready bundle with this content gets this run's commit; without that note it is promoted all the same. */
async function takeOver(plan: PublishPlan, bundle: BundleRow, context: PublishContext): Promise<BundleRow> {
  const { capgo, log } = context
  await requirePermissions(plan, context)
  if (!(await capgo.noteOnBundle(bundle.id, plan.link, plan.comment)))
    log('The commit could not be noted on the bundle; publishing is not affected.')
  return bundle
}

/** Row and bytes, under the first name that is free. What is left to do is to freeze the bundle. */
async function store(
  plan: PublishPlan,
  action: Extract<PublishAction, { do: 'upload' | 'resume' }>,
  context: PublishContext,
): Promise<() => Promise<BundleRow>> {
  const { capgo, app, zip, log } = context
  const [config] = await Promise.all([capgo.readFilesConfig(), requirePermissions(plan, context)])
  if (zip.size > config.maxUploadLength)
    throw new ActionError(
      'bundle_too_large',
      `The bundle has ${zip.size} bytes, and Capgo takes ${config.maxUploadLength} at most.`,
      { hint: 'Leave out source maps and large media, or load them from elsewhere.' },
    )
  const row = action.do === 'resume' ? action.bundle : await claimName(plan, action, context)
  const object = { ...zip, appId: plan.appId, ownerOrg: app.owner_org, name: row.name }
  const there = action.do === 'resume' ? await capgo.describeStored(zipKey(object)) : null
  if (there?.sha256 === zip.sha256) log(`The content of ${row.name} is stored already.`)
  else {
    try {
      await capgo.uploadZip(object, { config, onProgress: sent => context.onProgress(sent, zip.size) })
    } catch (error) {
      if (
        action.do === 'upload' &&
        !(await capgo.removeFailedBundle(plan.appId, row.name).catch(() => false))
      )
        log(`Bundle ${row.name} is left in progress, unseen by devices; running the job again finishes it.`)
      throw error
    }
  }
  return async () => {
    const ready = await capgo.finaliseBundle(row.id, zipKey(object))
    if (ready !== null) return ready
    const meanwhile = await capgo.readBundle(plan.appId, row.name)
    if (
      meanwhile?.checksum === zip.sha256 &&
      meanwhile.storage_provider !== 'r2-direct' &&
      !meanwhile.deleted
    )
      return meanwhile
    throw new ActionError(
      'bundle_vanished',
      `Bundle ${row.name} was removed or changed while it was published.`,
      {
        hint: 'Another job or person works on this bundle. Run the job again.',
      },
    )
  }
}

/** Makes the row under the first of the plan's names that nobody has. */
async function claimName(
  plan: PublishPlan,
  action: Extract<PublishAction, { do: 'upload' }>,
  { capgo, app, zip, log }: PublishContext,
): Promise<BundleRow> {
  for (const name of action.names) {
    const made = await capgo.createBundle({
      appId: plan.appId,
      ownerOrg: app.owner_org,
      name,
      checksum: zip.sha256,
      minUpdateVersion: action.minUpdateVersion,
      link: plan.link,
      comment: plan.comment,
    })
    if (made !== null) return made
    // Taken in between; or our own row, made by a request whose answer was lost.
    const row = await capgo.readBundle(plan.appId, name)
    if (row === null)
      throw permissionMissing(`see bundle ${name}, which exists`, {
        permission: 'app.read_bundles',
        role: 'app_reader',
      })
    if (
      row.storage_provider === 'r2-direct' &&
      !row.deleted &&
      row.checksum === zip.sha256 &&
      row.comment === plan.comment
    )
      return row
    log(`Bundle name ${name} was taken by another run at the same moment.`)
  }
  throw new ActionError(
    'no_free_name',
    `All of these bundle names were taken meanwhile: ${action.names.join(', ')}.`,
    {
      hint: 'Several jobs publish the same app and channel at once. Give the workflow a concurrency group for each channel, and run this job again.',
    },
  )
}

/** The last step, the only one that devices see; and the proof that they do. */
async function promote(
  plan: PublishPlan,
  bundle: BundleRow,
  channel: ChannelRow | null,
  context: PublishContext,
): Promise<Published> {
  const { capgo } = context
  const stale = await staleBy(plan, channel, context)
  if (channel !== null && stale !== null)
    return { outcome: 'stale', reason: sentence(stale), channel, bundle: null, by: null }
  const target = channel ?? (await makeChannel(plan, bundle, capgo))
  if (target !== null && !isAt(plan.stage, bundle.id, target))
    await assign(plan.stage, bundle, target, plan.appId, capgo)

  const served = await readBack(plan, capgo)
  const action = plan.action.do
  if (isAt(plan.stage, bundle.id, served))
    return {
      outcome: 'published',
      reason:
        plan.stage.bps === null
          ? `Channel ${plan.channelName} serves bundle ${bundle.name}.`
          : `Channel ${plan.channelName} gives bundle ${bundle.name} to ${formatShare(plan.stage.bps)} of its devices.`,
      channel: served,
      bundle,
      by: action === 'keep' ? null : action,
    }
  const overtaken = await staleBy(plan, served, context)
  if (overtaken !== null)
    return { outcome: 'stale', reason: sentence(overtaken), channel: served, bundle: null, by: null }
  throw new ActionError(
    'not_served',
    `Capgo accepted bundle ${bundle.name} for channel ${plan.channelName}, but the channel serves ${served.version?.name ?? 'nothing'}.`,
    { hint: 'Another job or person changed the channel at the same moment. Run the job again.' },
  )
}

/** Null when the channel was made with the bundle on it; else the channel that was there after all. */
async function makeChannel(plan: PublishPlan, bundle: BundleRow, capgo: Capgo): Promise<ChannelRow | null> {
  if (plan.create === null) throw channelVanished(plan.channelName)
  const made = await capgo.createChannel(plan.appId, plan.channelName, bundle.name, plan.create)
  return made.made ? null : readBack(plan, capgo)
}

async function readBack(plan: PublishPlan, capgo: Capgo): Promise<ChannelRow> {
  const channel = await capgo.readChannel(plan.appId, plan.channelName)
  if (channel === null) throw channelVanished(plan.channelName)
  return channel
}

async function staleBy(
  plan: PublishPlan,
  channel: ChannelRow | null,
  { commit, compare }: PublishContext,
): Promise<string | null> {
  const served = channel?.version ? readServedCommit(channel.version, plan.channelName) : null
  return served === null ? null : isStale(commit, served, await compare(served.sha, commit.sha))
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}
