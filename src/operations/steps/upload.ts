/** Stores the content of a new bundle: its row, and its zip and single files side by side. */
import { join } from 'node:path'
import { encryptFile } from '../../bundle/encrypt.ts'
import type { BundleRow, ChannelRow, FilesConfig } from '../../capgo/schema.ts'
import { zipKey } from '../../capgo/stored-objects.ts'
import { ActionError } from '../../errors.ts'
import type { PublishPlan } from '../../plan/publish-facts.ts'
import { describeDelta, type StoringAction } from '../../plan/storage.ts'
import { plural } from '../../report/format.ts'
import { formatBytes } from '../../runtime/bytes.ts'
import { freezeRow, type OpenRow, openRow } from './bundle-row.ts'
import type { DeltaReport } from './content.ts'
import { type DeltaStore, storeDelta } from './delta-upload.ts'
import type { ExecutionContext } from './execution-context.ts'
import { requirePromotion } from './promote-channel.ts'

/** A bundle whose content is stored. */
export interface StoredBundle {
  readonly name: string
  /** The last write before devices may see it, and the channel as it was then. */
  freeze(): Promise<{ bundle: BundleRow; channel: ChannelRow | null }>
  readonly delta: DeltaStore | null
  /** Waits until devices can be given its delta files, and looks at these then; null when they can already. */
  readonly takenUp: (() => Promise<boolean>) | null
  readonly isDeltaOnly: boolean
  /** Bytes; null where nothing was stored by this run. */
  readonly size: number | null
}

/** The sent parts of a bundle. */
interface Sent {
  /** Bytes; null without a zip. */
  readonly zipSize: number | null
  readonly delta: DeltaStore | null
  /** Capgo has the list of its delta files already; else it gets it as the bundle is frozen. */
  readonly isListed: boolean
}

/** The content to store, and how the server accepts it. */
interface Order {
  readonly plan: PublishPlan
  readonly action: StoringAction
  readonly config: FilesConfig
}

/** Row and bytes, under the first name that is free. The last step is to freeze the bundle. */
export async function storeBundle(
  plan: PublishPlan,
  action: StoringAction,
  context: ExecutionContext,
): Promise<StoredBundle> {
  const { capgo, app, storage, log } = context
  const [config] = await Promise.all([capgo.readFilesConfig(), requirePromotion(plan, capgo)])
  const { files } = storage
  log(describeDelta(files))
  // Checked before the row is made: not every key can remove a row. The row is made before any file is sent: an
  // organisation that demands encryption refuses the row.
  await capgo.requireStorage(app.owner_org, plan.appId)
  const open = await openRow(plan, action, context)
  const { row } = open
  const order = { plan, action, config }
  const { zipSize, delta, isListed } = await send(open, order, context).catch(async (error: unknown) => {
    await leaveRow(row, order, error, context)
    throw error
  })
  const r2Path = storage.zip ? zipKey({ appId: plan.appId, ownerOrg: app.owner_org, name: row.name }) : null
  const manifest = isListed ? null : (delta?.manifest ?? null)
  return {
    name: row.name,
    freeze: () => freezeRow(row, { r2Path, manifest }, plan, context),
    delta,
    takenUp:
      delta === null || isListed
        ? null
        : async () => {
            const count = delta.manifest.length
            log(`Waiting for Capgo to take up ${plural(count, 'file')}. This can take two minutes.`)
            const isTaken = await capgo.awaitManifest(row.id, count, taken => context.onTakeUp(taken, count))
            await confirm(delta, context)
            return isTaken
          },
    isDeltaOnly: !storage.zip,
    size: storage.zip ? zipSize : (delta?.size ?? null),
  }
}

/** Zip and single files side by side, then the list of these. */
async function send(
  { row, session }: OpenRow,
  { plan, action, config }: Order,
  context: ExecutionContext,
): Promise<Sent> {
  const { capgo, app, content, storage, log } = context
  const begun = action.do === 'resume' ? action.bundle : null
  const [zipSize, delta] = await both(
    storage.zip ? storeZip({ row, session }, begun, config, context) : null,
    storage.files.on
      ? storeDelta(content, session, {
          app,
          served: context.channel?.version ?? null,
          known: context.stored,
          begun,
          config,
          capgo,
          onFile: context.onFile,
        })
      : null,
  )
  if (delta === null) return { zipSize, delta, isListed: false }
  log(describeSent(delta.report))
  const isListed = await capgo.setManifest(plan.appId, row.name, delta.manifest)
  if (isListed) await confirm(delta, context)
  return { zipSize, delta, isListed }
}

function describeSent({ files, sent, sentBytes }: DeltaReport): string {
  if (sent === 0) return `Uploaded no file: Capgo already has all ${files}.`
  const size = formatBytes(sentBytes)
  return sent === files
    ? `Uploaded all ${plural(files, 'file')} (${size}).`
    : `Uploaded ${sent} of ${plural(files, 'file')} (${size}); Capgo already has the others.`
}

/** Removes the row of content that could not be sent. Where the same may succeed later, it stays, to be finished then. */
async function leaveRow(
  { name }: BundleRow,
  { plan, action }: Order,
  error: unknown,
  { capgo, log }: ExecutionContext,
): Promise<void> {
  const isPassing = error instanceof ActionError && error.transient
  const isRemoved =
    action.do === 'upload' &&
    !isPassing &&
    (await capgo.removeFailedBundle(plan.appId, name).catch(() => false))
  if (!isRemoved) log(`Bundle ${name} is unfinished, and no device gets it. Re-run the job to finish it.`)
}

/** Looks whether all delta files are still there, and sends again what is gone. */
async function confirm(delta: DeltaStore, { log }: ExecutionContext): Promise<void> {
  const again = await delta.confirm()
  if (again > 0)
    log(
      `Uploaded ${plural(again, 'file')} again: ${again === 1 ? 'it was' : 'they were'} deleted with another bundle.`,
    )
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

/** Bytes that the zip takes in the store. `begun` is the bundle where an earlier run began to upload it. */
async function storeZip(
  { row, session }: OpenRow,
  begun: BundleRow | null,
  config: FilesConfig,
  { capgo, app, content, log, onProgress }: ExecutionContext,
): Promise<number> {
  const zip =
    session === null
      ? content.zip
      : await encryptFile(content.zip.path, join(content.scratch, 'bundle.encrypted'), session)
  const object = { ...zip, appId: app.app_id, ownerOrg: app.owner_org, name: row.name }
  const there = begun === null ? null : await capgo.describeStored(zipKey(object))
  if (there?.sha256 === zip.sha256) log(`The zip of ${row.name} is already uploaded.`)
  else
    await capgo.uploadZip(object, {
      config,
      mayBeStarted: begun !== null,
      onProgress: sent => onProgress(sent, zip.size),
    })
  return zip.size
}
