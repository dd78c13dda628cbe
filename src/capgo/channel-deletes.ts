/** Deletes channels: none that is not as it was seen. */
import * as z from 'zod/mini'
import { ActionError } from '../errors.ts'
import { apps } from './apps.ts'
import { channels } from './channels.ts'
import { query } from './postgrest.ts'
import type { Rest } from './rest.ts'
import type { ChannelRow } from './schema.ts'

/** A channel as it was seen, by what decides whether it may be deleted. */
export type SeenChannel = Pick<ChannelRow, 'id' | 'name' | 'public' | 'rollout_version'> & {
  readonly version: { readonly id: number }
}

/** The result of deleting a channel: `changed` stays, since it is not as it was seen any more. */
export type ChannelDeletion = 'deleted' | 'gone' | 'changed'

export function channelDeletes(rest: Rest) {
  const { requireKey } = apps(rest)
  const { readChannelById } = channels(rest)

  /** Deletes the channel where it is still as it was seen, in one step. False where no row was deleted. */
  async function deleteAsSeen(appId: string, seen: SeenChannel): Promise<boolean> {
    const filter = {
      id: `eq.${seen.id}`,
      app_id: `eq.${appId}`,
      name: `eq.${seen.name}`,
      public: 'is.false',
      version: `eq.${seen.version.id}`,
      rollout_version: seen.rollout_version === null ? 'is.null' : `eq.${seen.rollout_version}`,
      select: 'id',
    }
    const { status, json } = await rest.remove({
      purpose: `delete channel ${seen.name}`,
      path: `channels?${query(filter)}`,
      expects: () => true,
    })
    const deleted = z.array(z.object({ id: z.int() })).safeParse(json)
    return status === 200 && deleted.data?.[0]?.id === seen.id
  }

  return {
    /**
     * Deletes a channel that is as it was seen; its overrides go with it, bundles stay. A key of the role
     * `app_preview` deletes its own channels only together with the bundle that they serve (`withBundle`), others only
     * without. Row security may keep a key from deleting the row itself: then the API does it, right after a look.
     * Throws `not_deleted` when the channel still exists.
     */
    async deleteChannel(
      appId: string,
      seen: SeenChannel,
      { withBundle }: { readonly withBundle: boolean },
    ): Promise<ChannelDeletion> {
      if (!withBundle && (await deleteAsSeen(appId, seen))) return 'deleted'
      const now = await readChannelById(appId, seen)
      if (now === null) {
        await requireKey(appId)
        return 'gone'
      }
      if (!isAsSeen(now, seen)) return 'changed'
      await rest.api({
        purpose: `delete channel ${seen.name}`,
        method: 'DELETE',
        path: '/channel',
        json: { app_id: appId, channel: seen.name, ...(withBundle ? { delete_bundle: true } : {}) },
        needs: 'channel.delete',
        expects: ({ code }) => code === 'cannot_find_channel',
      })
      if ((await readChannelById(appId, seen)) !== null) throw notDeleted(`channel ${seen.name}`)
      return 'deleted'
    },
  }
}

function isAsSeen(now: ChannelRow, seen: SeenChannel): boolean {
  return (
    now.name === seen.name &&
    !now.public &&
    now.version?.id === seen.version.id &&
    now.rollout_version === seen.rollout_version
  )
}

/** A deletion that Capgo, or a proxy, acknowledged but did not do. */
export function notDeleted(what: string): ActionError {
  return new ActionError('not_deleted', `Capgo reported that ${what} was deleted, but it still exists.`, {
    hint: 'Check for a proxy between the runner and Capgo. Re-run the job. It continues with the rest.',
  })
}
