/** The row of a new bundle: made under the first free name, or found as an earlier run left it; and frozen in the end. */
import type { Session } from '../../bundle/encrypt.ts'
import { permissionMissing } from '../../capgo/errors.ts'
import type { BundleRow, ChannelRow, ManifestEntry } from '../../capgo/schema.ts'
import { ActionError } from '../../errors.ts'
import type { PublishPlan } from '../../plan/publish-facts.ts'
import type { StoringAction } from '../../plan/storage.ts'
import type { Content } from './content.ts'
import type { ExecutionContext } from './execution-context.ts'

export interface OpenRow {
  readonly row: BundleRow
  /** Encrypts its content; null without encryption. */
  readonly session: Session | null
}

/** The row that the action means, in progress. */
export async function openRow(
  plan: PublishPlan,
  action: StoringAction,
  context: ExecutionContext,
): Promise<OpenRow> {
  return action.do === 'resume' ? reopenRow(action.bundle, context.content) : makeRow(plan, action, context)
}

/** The session of a bundle that an earlier run began: with it the same bytes come out again. */
export function reopenRow(row: BundleRow, { encryption }: Content): OpenRow {
  if (encryption === null) return { row, session: null }
  // Its checksum is signed with the same private key, or it would be other content.
  const session = encryption.openSession(row.session_key ?? '')
  if (session !== null) return { row, session }
  throw new ActionError(
    'session_key_unreadable',
    `The session key of the unfinished bundle ${row.name} is missing or damaged, so no device could open it.`,
    { hint: 'Delete that bundle in the Capgo console, then re-run the job.' },
  )
}

/** Makes the row under the first of the plan's names that nobody has. */
async function makeRow(
  plan: PublishPlan,
  action: Extract<StoringAction, { do: 'upload' }>,
  { capgo, app, content, log }: ExecutionContext,
): Promise<OpenRow> {
  const { checksum, encryption } = content
  const session = encryption?.newSession() ?? null
  for (const name of action.names) {
    const created = await capgo.createBundle({
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
    if (created !== null) return { row: created, session }
    // Taken in between; or our own row, made by a request whose answer was lost.
    const row = await capgo.readBundle(plan.appId, name)
    if (row === null) throw permissionMissing(`read bundle ${name}, which exists`, 'app.read_bundles')
    if (
      row.storage_provider === 'r2-direct' &&
      !row.deleted &&
      row.checksum === checksum &&
      row.comment === plan.comment
    )
      return reopenRow(row, content)
    log(`Bundle name ${name} was taken by another run at the same moment.`)
  }
  throw new ActionError(
    'no_free_name',
    `All of these bundle names were taken meanwhile: ${action.names.join(', ')}.`,
    {
      hint: 'Several jobs publish the same app and channel at once. Add a concurrency group for each channel to the workflow, then re-run the job.',
    },
  )
}

/**
 * The last write before devices may see the bundle: where its content is. Returns the channel as it was then. Throws
 * `bundle_vanished`.
 */
export async function freezeRow(
  row: BundleRow,
  stored: { readonly r2Path: string | null; readonly manifest: readonly ManifestEntry[] | null },
  { appId, channelName, comment, link }: Pick<PublishPlan, 'appId' | 'channelName' | 'comment' | 'link'>,
  { capgo, content }: Pick<ExecutionContext, 'capgo' | 'content'>,
): Promise<{ bundle: BundleRow; channel: ChannelRow | null }> {
  // Begun by a run of another commit with the same content: what is on the channel is of this one.
  const note = row.comment === comment ? null : { comment, link }
  const ready = await capgo.finaliseBundle(row.id, { ...stored, note }, channelName)
  if (ready !== null) return ready
  const [meanwhile, channel] = await Promise.all([
    capgo.readBundle(appId, row.name),
    capgo.readChannel(appId, channelName),
  ])
  if (
    meanwhile?.checksum === content.checksum &&
    meanwhile.storage_provider !== 'r2-direct' &&
    !meanwhile.deleted
  )
    return { bundle: meanwhile, channel }
  await capgo.requireKey(appId)
  throw new ActionError(
    'bundle_vanished',
    `Bundle ${row.name} was deleted or changed while it was published.`,
    {
      hint: 'Another job or person changed this bundle. Re-run the job.',
    },
  )
}
