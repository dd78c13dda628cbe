import { join } from 'node:path'
import { encryptFile, type Session } from '../../bundle/encrypt.ts'
import type { Capgo } from '../../capgo/client.ts'
import { permissionMissing } from '../../capgo/errors.ts'
import type { App, BundleRow, ChannelRow, FilesConfig } from '../../capgo/schema.ts'
import { zipKey } from '../../capgo/stored-objects.ts'
import { ActionError } from '../../errors.ts'
import { readServedCommit } from '../../plan/bundle-comment.ts'
import type { FilesPlan } from '../../plan/delta.ts'
import { refuseChannel } from '../../plan/preview.ts'
import { formatShare, isAt } from '../../plan/rollout.ts'
import type { Commit, PublishAction, PublishPlan, StoredFiles } from '../../plan/types.ts'
import type { ListedFile } from '../../report/contents.ts'
import { plural } from '../../report/format.ts'
import { assign, requireAssignment } from './assign.ts'
import type { Content, DeltaReport } from './content.ts'
import { type DeltaStore, storeDelta } from './delta-upload.ts'
import { noteOn } from './note.ts'

export interface PublishContext {
  readonly capgo: Capgo
  readonly app: App
  /** As it was read for the plan. */
  readonly channel: ChannelRow | null
  /** What was read of the app's delta files. */
  readonly stored: StoredFiles
  readonly commit: Commit
  readonly content: Content
  /** In what form it is stored; null where that is not to be done. */
  readonly files: FilesPlan | null
  /** Why the commit must not go on the channel as it is now, or null; GitHub is asked anew. */
  readonly staleBy: (channel: ChannelRow | null) => Promise<string | null>
  /** What must have been done before devices may see the bundle of this name. */
  readonly beforeSeen: (bundle: string) => Promise<void>
  readonly log: (message: string) => void
  /** Bytes that Capgo has of how many. */
  readonly onProgress: (sent: number, total: number) => void
  /** Files that Capgo has one by one of how many. */
  readonly onFile: (stored: number, total: number) => void
  /** Told as soon as the channel serves the bundle, which is read back then. */
  readonly onServed: (served: Published) => void
}

export interface Published {
  readonly outcome: 'published' | 'unchanged' | 'stale'
  readonly reason: string
  /** The channel as it was read back. */
  readonly channel: ChannelRow
  /** The bundle that it is about, where that is not what the channel serves to everybody. */
  readonly bundle: BundleRow | null
  readonly by: 'upload' | 'resume' | 'promote' | null
  /** Bytes that this run stored of it: the zip, else all delta files; null where it did not. */
  readonly size: number | null
  /** Null when no delta files were stored. */
  readonly delta: DeltaReport | null
  /** The delta files as devices download them; null when that is not known. */
  readonly files: readonly ListedFile[] | null
  readonly warnings: readonly string[]
}

/** A bundle whose content is stored. */
interface Stored {
  readonly name: string
  /** The last write before devices may see it, and the channel as it was then. */
  freeze(): Promise<{ bundle: BundleRow; channel: ChannelRow | null }>
  readonly delta: DeltaStore | null
  /** Waits until devices can be given its delta files, and looks at these then; null when they can already. */
  readonly taken: (() => Promise<boolean>) | null
  readonly isDeltaOnly: boolean
  /** Bytes; null where nothing was stored by this run. */
  readonly size: number | null
  readonly warnings: readonly string[]
}

/**
 * Makes the plan true. Each step may be repeated, and devices see nothing before the last one. Throws
 * `permission_missing` before the first write when the key lacks a permission that the plan needs.
 */
export async function publish(plan: PublishPlan, context: PublishContext): Promise<Published> {
  const { action } = plan
  if (action.do === 'keep') return keep(plan, action, context)
  const stored =
    action.do === 'promote'
      ? ready(action.bundle.name, () => takeOver(plan, action.bundle, context))
      : await store(plan, action, context)
  await context.beforeSeen(stored.name)
  const frozen = await stored.freeze()
  const { bundle } = frozen
  const isTaken = stored.taken === null || (await stored.taken())
  if (stored.isDeltaOnly && !isTaken)
    throw new ActionError(
      'delta_not_taken_up',
      `Capgo has not taken up the files of bundle ${bundle.name}, so no device could get it yet.`,
      { hint: 'The server does this in the background. Nothing was published; run the job again later.' },
    )
  const of = {
    size: stored.size,
    delta: stored.delta?.report ?? null,
    files: stored.delta?.files ?? null,
    warnings: isTaken
      ? stored.warnings
      : [
          ...stored.warnings,
          'Capgo has not taken up the delta files yet: until it does, devices download the whole zip.',
        ],
  }
  // Somebody may have changed it while the server took its time.
  const channel =
    stored.taken === null ? frozen.channel : await context.capgo.readChannel(plan.appId, plan.channelName)
  const published = withFiles(await promote(plan, bundle, channel, context), stored.delta)
  if (published.outcome === 'published') context.onServed({ ...published, ...of })
  return { ...published, ...of }
}

/** The server counts the delta files in the background; that they are there is known here. */
function withFiles(published: Promoted, delta: DeltaStore | null): Promoted {
  const { bundle, channel } = published
  if (bundle === null || delta === null) return published
  const counted = { manifest_count: delta.manifest.length }
  const version = channel.version?.id === bundle.id ? { ...channel.version, ...counted } : channel.version
  return { ...published, bundle: { ...bundle, ...counted }, channel: { ...channel, version } }
}

const ready = (name: string, freeze: Stored['freeze']): Stored => ({
  name,
  freeze,
  delta: null,
  taken: null,
  isDeltaOnly: false,
  size: null,
  warnings: [],
})

async function keep(
  plan: PublishPlan,
  action: Extract<PublishAction, { do: 'keep' }>,
  { capgo, commit, log, ...context }: PublishContext,
): Promise<Published> {
  const channel = context.channel ?? (await readBack(plan, capgo))
  if (
    action.outcome === 'unchanged' &&
    readServedCommit(action.bundle, plan.channelName)?.sha !== commit.sha
  ) {
    // Without this note a slower run of an older commit would not know that it is older.
    const noted = await note(plan, action.bundle, capgo)
    if (!noted) log('The commit could not be noted on the bundle; publishing is not affected.')
  }
  const why = plan.decisions.find(decision => decision.what === 'bundle')?.why ?? ''
  const bundle = action.outcome === 'unchanged' ? action.bundle : null
  return {
    outcome: action.outcome,
    reason: sentence(why),
    channel,
    bundle,
    by: null,
    size: null,
    delta: null,
    files: null,
    warnings: [],
  }
}

function note(plan: PublishPlan, bundle: BundleRow, capgo: Capgo): Promise<boolean> {
  const { appId, channelName, comment, link } = plan
  return noteOn(bundle, channelName, { noted: comment, link }, { appId, capgo })
}

/**
 * All that a run can know before it writes: it throws what that would be refused with (`permission_missing`,
 * `on_premise_app`), or cannot do (`session_key_unreadable`). A run that writes is told the rest of it by its first write.
 */
export async function rehearse(
  plan: PublishPlan,
  { capgo, app, content }: Pick<PublishContext, 'capgo' | 'app' | 'content'>,
): Promise<void> {
  const { action, appId } = plan
  if (action.do === 'keep') return
  await requirePermissions(plan, { capgo })
  if (action.do === 'promote') return
  if (action.do === 'resume') reopen(action.bundle, content)
  await capgo.requirePermission('upload a bundle', 'app.upload_bundle', { appId, channelId: null })
  await capgo.requireStorage(app.owner_org, appId)
}

/** What the first write does not tell by itself: that the last one will be refused. Throws `permission_missing`. */
async function requirePermissions(
  plan: PublishPlan,
  { capgo }: Pick<PublishContext, 'capgo'>,
): Promise<void> {
  const { appId, channelId, channelName } = plan
  if (channelId === null)
    await capgo.requirePermission(`make channel ${channelName}`, 'app.create_channel', { appId, channelId })
  else await requireAssignment(plan.stage, appId, { id: channelId, name: channelName }, capgo)
}

/** A ready bundle with this content gets this run's commit; without that note it is promoted all the same. */
async function takeOver(
  plan: PublishPlan,
  bundle: BundleRow,
  context: PublishContext,
): Promise<{ bundle: BundleRow; channel: ChannelRow | null }> {
  const { capgo, log } = context
  await requirePermissions(plan, context)
  const [noted, channel] = await Promise.all([
    note(plan, bundle, capgo),
    capgo.readChannel(plan.appId, plan.channelName),
  ])
  if (!noted) log('The commit could not be noted on the bundle; publishing is not affected.')
  return { bundle, channel }
}

/** Row and bytes, under the first name that is free. What is left to do is to freeze the bundle. */
async function store(
  plan: PublishPlan,
  action: Extract<PublishAction, { do: 'upload' | 'resume' }>,
  context: PublishContext,
): Promise<Stored> {
  const { capgo, app, content, log } = context
  const [config] = await Promise.all([capgo.readFilesConfig(), requirePermissions(plan, context)])
  const delta = context.files ?? { on: false, why: 'nobody asked for them' }
  const isDeltaOnly = delta.on && content.delta === 'only'
  log(delta.on ? `Files are stored one by one too: ${delta.why}.` : `No delta files: ${delta.why}.`)
  const storeFiles = (session: Session | null) =>
    storeDelta(content, session, {
      app,
      served: context.channel?.version ?? null,
      known: context.stored,
      begun: action.do === 'resume' ? action.bundle : null,
      config,
      capgo,
      onFile: context.onFile,
    })
  // The plan is checked before the row is made: not every key can remove a row. The row is made before any file is
  // sent: an organisation that demands encryption refuses the row.
  await capgo.requireStorage(app.owner_org, plan.appId)
  const { row, session } = await claim()
  let files: DeltaStore | null = null
  let zipSize: number | null = null
  let isHandedOver = false
  const key = zipKey({ appId: plan.appId, ownerOrg: app.owner_org, name: row.name })
  try {
    ;[zipSize, files] = await both(
      isDeltaOnly ? null : storeZip(action.do === 'resume', row, session, config, context),
      delta.on ? storeFiles(session) : null,
    )
    if (files !== null) {
      const { sent, files: count } = files.report
      log(
        sent === count
          ? `All ${count} files were sent.`
          : `${sent} of ${count} files were sent; Capgo has the others.`,
      )
      isHandedOver = await capgo.setManifest(plan.appId, row.name, files.manifest)
      if (isHandedOver) await confirm(files)
    }
  } catch (error) {
    // Where the same may succeed later, the row says that there is something to go on with.
    const isPassing = error instanceof ActionError && error.transient
    const isRemoved =
      action.do === 'upload' &&
      !isPassing &&
      (await capgo.removeFailedBundle(plan.appId, row.name).catch(() => false))
    if (!isRemoved)
      log(`Bundle ${row.name} is left in progress, unseen by devices; running the job again finishes it.`)
    throw error
  }
  const manifest = files?.manifest ?? null
  return {
    name: row.name,
    async freeze() {
      const ready = await capgo.finaliseBundle(
        row.id,
        { r2Path: isDeltaOnly ? null : key, manifest: isHandedOver ? null : manifest },
        plan.channelName,
      )
      if (ready !== null) return ready
      const [meanwhile, channel] = await Promise.all([
        capgo.readBundle(plan.appId, row.name),
        capgo.readChannel(plan.appId, plan.channelName),
      ])
      if (
        meanwhile?.checksum === content.checksum &&
        meanwhile.storage_provider !== 'r2-direct' &&
        !meanwhile.deleted
      )
        return { bundle: meanwhile, channel }
      await capgo.requireKey(plan.appId)
      throw new ActionError(
        'bundle_vanished',
        `Bundle ${row.name} was removed or changed while it was published.`,
        {
          hint: 'Another job or person works on this bundle. Run the job again.',
        },
      )
    },
    delta: files,
    taken: files === null || isHandedOver ? null : () => takenUp(row.id, files),
    isDeltaOnly,
    size: isDeltaOnly ? (files?.size ?? null) : zipSize,
    warnings:
      !isDeltaOnly && content.zip.size > config.alertUploadSize
        ? [
            `The bundle has ${megabytes(content.zip.size)}; Capgo advises to stay below ${megabytes(config.alertUploadSize)}, as phones download it on the road.`,
          ]
        : [],
  }

  async function takenUp(id: number, delta: DeltaStore): Promise<boolean> {
    const isTaken = await capgo.awaitManifest(id, delta.manifest.length)
    await confirm(delta)
    return isTaken
  }

  async function confirm(delta: DeltaStore): Promise<void> {
    const again = await delta.confirm()
    if (again > 0)
      log(
        `${plural(again, 'delta file')} of another bundle had been deleted, and ${again === 1 ? 'was' : 'were'} sent again.`,
      )
  }

  async function claim() {
    return action.do === 'resume' ? reopen(action.bundle, content) : claimName(plan, action, context)
  }
}

/** Both run side by side; when one fails, the other has come to its end too. */
async function both<Zip, Delta>(
  zip: Promise<Zip> | null,
  delta: Promise<Delta> | null,
): Promise<[Zip | null, Delta | null]> {
  const [first, second] = await Promise.allSettled([zip, delta])
  if (first.status === 'rejected') throw first.reason
  if (second.status === 'rejected') throw second.reason
  return [first.value, second.value]
}

/** The session of a bundle that an earlier run began: with it the same bytes come out again. */
function reopen(row: BundleRow, { encryption }: Content): { row: BundleRow; session: Session | null } {
  if (encryption === null) return { row, session: null }
  // Its checksum is signed with the same private key, or it would be other content.
  const session = encryption.openSession(row.session_key ?? '')
  if (session !== null) return { row, session }
  throw new ActionError(
    'session_key_unreadable',
    `The session key of the unfinished bundle ${row.name} is missing or damaged, so that no device could open it.`,
    { hint: 'Delete that bundle in the Capgo console, and run the job again.' },
  )
}

/** Bytes that the zip takes in the store. */
async function storeZip(
  mayBeThere: boolean,
  row: BundleRow,
  session: Session | null,
  config: FilesConfig,
  { capgo, app, content, log, onProgress }: PublishContext,
): Promise<number> {
  const zip =
    session === null
      ? content.zip
      : await encryptFile(content.zip.path, join(content.scratch, 'bundle.encrypted'), session)
  const object = { ...zip, appId: app.app_id, ownerOrg: app.owner_org, name: row.name }
  const there = mayBeThere ? await capgo.describeStored(zipKey(object)) : null
  if (there?.sha256 === zip.sha256) log(`The content of ${row.name} is stored already.`)
  else
    await capgo.uploadZip(object, {
      config,
      mayBeStarted: mayBeThere,
      onProgress: sent => onProgress(sent, zip.size),
    })
  return zip.size
}

function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}

/** Makes the row under the first of the plan's names that nobody has. */
async function claimName(
  plan: PublishPlan,
  action: Extract<PublishAction, { do: 'upload' }>,
  { capgo, app, content, log }: PublishContext,
): Promise<{ row: BundleRow; session: Session | null }> {
  const { checksum, encryption } = content
  const session = encryption?.newSession() ?? null
  for (const name of action.names) {
    const made = await capgo.createBundle({
      appId: plan.appId,
      ownerOrg: app.owner_org,
      name,
      checksum,
      minUpdateVersion: action.minUpdateVersion,
      sessionKey: session?.sessionKey ?? null,
      keyId: encryption?.keyId ?? null,
      nativePackages: content.nativePackages,
      link: plan.link,
      comment: plan.comment,
    })
    if (made !== null) return { row: made, session }
    // Taken in between; or our own row, made by a request whose answer was lost.
    const row = await capgo.readBundle(plan.appId, name)
    if (row === null) throw permissionMissing(`see bundle ${name}, which exists`, 'app.read_bundles')
    if (
      row.storage_provider === 'r2-direct' &&
      !row.deleted &&
      row.checksum === checksum &&
      row.comment === plan.comment
    )
      return reopen(row, content)
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

type Promoted = Omit<Published, 'size' | 'delta' | 'files' | 'warnings'>

/** The last step, the only one that devices see; and the proof that they do. */
async function promote(
  plan: PublishPlan,
  bundle: BundleRow,
  channel: ChannelRow | null,
  context: PublishContext,
): Promise<Promoted> {
  const { capgo, commit } = context
  const stale = await context.staleBy(channel)
  if (channel !== null && stale !== null)
    return { outcome: 'stale', reason: sentence(stale), channel, bundle: null, by: null }
  const target = channel ?? (await makeChannel(plan, bundle, capgo))
  // The channel as it is now: since the first look it may have become the public one, or another's.
  const refused = target === null || !commit.pull ? null : refuseChannel(target, commit)
  if (refused !== null) throw refused
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
  const overtaken = await context.staleBy(served)
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
  // It was there when the plan was made.
  if (plan.create === null) return readBack(plan, capgo)
  const id = await capgo.createChannel({
    appId: plan.appId,
    name: plan.channelName,
    bundleName: bundle.name,
    fields: plan.create,
  })
  return id === null ? readBack(plan, capgo) : null
}

function readBack(plan: PublishPlan, capgo: Capgo): Promise<ChannelRow> {
  return capgo.requireChannel(plan.appId, plan.channelName)
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}
