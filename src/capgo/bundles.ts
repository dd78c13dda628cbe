import PQueue from 'p-queue'
import semver from 'semver'
import * as z from 'zod/mini'
import { ActionError, Stopped } from '../errors.ts'
import { apps } from './apps.ts'
import type { Connection } from './connection.ts'
import { refusal } from './errors.ts'
import { list as listed, parseAnswer, query } from './postgrest.ts'
import { readAll } from './rows.ts'
import {
  BUNDLE_COLUMNS,
  BundleRow,
  ChannelRow,
  ITS_CHANNELS,
  type ManifestEntry,
  type NativePackage,
} from './schema.ts'

export interface NewBundle {
  readonly appId: string
  readonly ownerOrg: string
  readonly name: string
  /** SHA-256 of the zip, lower-case hex; signed when it is encrypted. */
  readonly checksum: string
  readonly minUpdateVersion: string | null
  /** Of an encrypted bundle. */
  readonly sessionKey: string | null
  readonly keyId: string | null
  readonly nativePackages: readonly NativePackage[]
  readonly link: string
  readonly comment: string
}

/** A bundle and the channels of its app. */
const FINALISED = {
  row: z.extend(BundleRow, { app: z.object({ channels: z.array(ChannelRow) }) }),
  columns: `${BUNDLE_COLUMNS},app:apps!app_versions_app_id_fkey(${ITS_CHANNELS})`,
}

/** What became of a bundle that was to be deleted: `linked` stays, since a channel serves it. */
export type Deleted = 'deleted' | 'linked' | 'gone'

/** Characters of a filter; proxies refuse addresses of some thousand more. */
const LONGEST_FILTER = 4000
/** What Capgo says when it has done it; a proxy that answers in its place does not. */
const Done = z.object({ status: z.literal('ok') })
/** Ids in one filter. */
const IDS_A_CALL = 200
const PACE = { concurrency: 4, interval: 1000, intervalCap: 10 }
/**
 * Capgo takes 2000 calls of one key until there was a minute of silence: after so many we are silent, with room for
 * what else the job asks.
 */
const DELETED_AT_A_STRETCH = 1500
const SILENCE = 61_000

const UPLOAD = { permission: 'app.upload_bundle', role: 'app_uploader' } as const

export function bundles(connection: Connection) {
  const { http, api, key, database } = connection
  const { requireKey } = apps(connection)

  async function list(appId: string, filter: Record<string, string>, what: string): Promise<BundleRow[]> {
    const { url, headers } = await database()
    const call = {
      what,
      method: 'GET',
      url: `${url}/app_versions?${query({ app_id: `eq.${appId}`, ...filter, select: BUNDLE_COLUMNS })}`,
      headers,
      retry: 'repeat',
    } as const
    const answer = await http.send(call)
    if (answer.status !== 200) throw refusal(call, answer)
    return parseAnswer(z.array(BundleRow), answer, call)
  }

  /** Every bundle that is not deleted and fits, the newest first. */
  const listAll = (appId: string, filter: Record<string, string>, what: string): Promise<BundleRow[]> =>
    readAll(connection, appId, {
      table: 'app_versions',
      row: BundleRow,
      columns: BUNDLE_COLUMNS,
      filter: { ...filter, deleted: 'is.false' },
      order: 'desc',
      what,
    })

  async function change<T>(
    { row, columns }: { row: z.ZodMiniType<T>; columns: string },
    filter: Record<string, string>,
    fields: Record<string, unknown>,
    what: string,
  ): Promise<T | null> {
    const { url, headers } = await database()
    const call = {
      what,
      method: 'PATCH',
      url: `${url}/app_versions?${query({ ...filter, select: columns })}`,
      headers: { ...headers, prefer: 'return=representation' },
      json: fields,
      retry: 'repeat',
    } as const
    const answer = await http.send(call)
    if (answer.status !== 200) throw refusal(call, answer, UPLOAD)
    return parseAnswer(z.array(row), answer, call)[0] ?? null
  }

  /**
   * Deletes one bundle by its name; Capgo refuses one that a channel serves. Its content goes, its name stays
   * taken. `linked` and `gone` are answers, anything else throws.
   */
  async function deleteBundle(appId: string, name: string): Promise<Deleted> {
    // Without a version this very route deletes every bundle that no channel serves: never send it empty.
    if (typeof name !== 'string' || semver.valid(name) !== name)
      throw new TypeError(`"${name}" is no bundle name`)
    const call = {
      what: `delete bundle ${name}`,
      method: 'DELETE',
      url: `${api}/bundle`,
      headers: key,
      json: { app_id: appId, version: name },
      retry: 'repeat',
    } as const
    const answer = await http.send(call)
    if (answer.status === 200) {
      parseAnswer(Done, answer, call)
      return 'deleted'
    }
    if (answer.code === 'cannot_delete_linked_version') return 'linked'
    if (answer.code === 'cannot_delete_version') return 'gone'
    throw refusal(call, answer, { permission: 'bundle.delete', role: 'app_admin' })
  }

  async function readBundlesById(appId: string, ids: readonly number[]): Promise<BundleRow[]> {
    const found: BundleRow[] = []
    for (let from = 0; from < ids.length; from += IDS_A_CALL) {
      const some = ids.slice(from, from + IDS_A_CALL)
      found.push(...(await list(appId, { id: listed(some) }, 'read bundles')))
    }
    return found
  }

  return {
    /** Bundles whose comment has this text (`*` = anything), whatever its case; the caller looks closer. */
    findBundlesByComment: (appId: string, text: string): Promise<BundleRow[]> =>
      listAll(
        appId,
        { comment: `ilike.*${text.replace(/[%_\\,()]/g, '_')}*` },
        'look for bundles by what they were put on a channel for',
      ),

    /** Bundles whose upload is not finished. */
    findUnfinishedBundles: (appId: string): Promise<BundleRow[]> =>
      listAll(appId, { storage_provider: 'eq.r2-direct' }, 'look for unfinished bundles'),

    async readBundle(appId: string, name: string): Promise<BundleRow | null> {
      return (await list(appId, { name: `eq.${name}` }, `read bundle ${name}`))[0] ?? null
    },

    /** The bundle of this id, also when it is deleted. */
    async readBundleById(appId: string, id: number): Promise<BundleRow | null> {
      return (await list(appId, { id: `eq.${id}` }, `read bundle ${id}`))[0] ?? null
    },

    /** The bundles of these ids, also deleted ones. */
    readBundlesById,

    /** Every bundle of the app that is not deleted, the newest first. */
    listBundles: (appId: string): Promise<BundleRow[]> => listAll(appId, {}, 'list bundles'),

    /** Which of these bundles are there and not deleted: what deleting them came to. */
    async readRemaining(appId: string, ids: readonly number[]): Promise<BundleRow[]> {
      return (await readBundlesById(appId, ids)).filter(({ deleted }) => !deleted)
    },

    /**
     * Makes the row of a bundle, in progress: no device sees it. Null when the name is taken, which is also
     * how it looks when an earlier try took effect and its answer was lost; read the row to tell.
     */
    async createBundle(bundle: NewBundle): Promise<BundleRow | null> {
      const { url, headers } = await database()
      const call = {
        what: `create bundle ${bundle.name}`,
        method: 'POST',
        url: `${url}/app_versions?${query({ select: BUNDLE_COLUMNS })}`,
        headers: { ...headers, prefer: 'return=representation' },
        json: {
          app_id: bundle.appId,
          name: bundle.name,
          owner_org: bundle.ownerOrg,
          storage_provider: 'r2-direct',
          checksum: bundle.checksum,
          link: bundle.link,
          comment: bundle.comment,
          ...(bundle.sessionKey === null ? {} : { session_key: bundle.sessionKey, key_id: bundle.keyId }),
          ...(bundle.nativePackages.length === 0 ? {} : { native_packages: bundle.nativePackages }),
          ...(bundle.minUpdateVersion === null ? {} : { min_update_version: bundle.minUpdateVersion }),
        },
        retry: 'repeat',
      } as const
      const answer = await http.send(call)
      if (answer.status === 409) return null
      // A key that is not good lacks every permission here.
      if (answer.code === '42501') await requireKey(bundle.appId)
      if (answer.status !== 201) throw refusal(call, answer, UPLOAD)
      return parseAnswer(z.tuple([BundleRow]), answer, call)[0]
    },

    /**
     * Freezes a bundle whose content is stored: `r2Path` is the zip's key (null without a zip), `manifest` its delta
     * files where they were not handed over before. Null when it was not in progress any more. With it comes the
     * channel as it was at that moment (null = there is none).
     */
    async finaliseBundle(
      id: number,
      fields: { readonly r2Path: string | null; readonly manifest: readonly ManifestEntry[] | null },
      channelName: string,
    ): Promise<{ bundle: BundleRow; channel: ChannelRow | null } | null> {
      const changed = await change(
        FINALISED,
        {
          id: `eq.${id}`,
          storage_provider: 'eq.r2-direct',
          'app.channels.name': `eq.${channelName}`,
        },
        {
          ...(fields.r2Path === null ? {} : { r2_path: fields.r2Path }),
          storage_provider: 'r2',
          ...(fields.manifest === null ? {} : { manifest: fields.manifest }),
        },
        'finalise the bundle',
      )
      if (changed === null) return null
      const { app, ...bundle } = changed
      return { bundle, channel: app.channels[0] ?? null }
    },

    /**
     * Sets who put the bundle where, while its comment is still `seen`; allowed on a frozen bundle. False when somebody
     * else wrote on it meanwhile, or the key may not.
     */
    async noteOnBundle(
      id: number,
      seen: string | null,
      fields: { readonly link: string; readonly comment: string },
    ): Promise<boolean> {
      const unchanged = seen === null ? 'is.null' : `eq.${seen}`
      try {
        const noted = await change(
          { row: BundleRow, columns: BUNDLE_COLUMNS },
          { id: `eq.${id}`, ...(unchanged.length > LONGEST_FILTER ? {} : { comment: unchanged }) },
          fields,
          'note the commit on the bundle',
        )
        return noted !== null
      } catch {
        return false
      }
    },

    deleteBundle,

    /**
     * Deletes bundles one by one, each by its name, at a pace that leaves room for what else the key is used for.
     * One that fails does not hinder the others; a missing permission ends it. `onDone` is told after each how many
     * were tried.
     */
    async deleteBundles(
      appId: string,
      names: readonly string[],
      onDone: (tried: number) => void,
    ): Promise<Map<string, Deleted | ActionError>> {
      const answers = new Map<string, Deleted | ActionError>()
      const queue = new PQueue(PACE)
      let hopeless: ActionError | null = null
      const remove = async (name: string): Promise<void> => {
        try {
          answers.set(name, hopeless ?? (await deleteBundle(appId, name)))
        } catch (error) {
          if (!(error instanceof ActionError) || error instanceof Stopped) {
            queue.clear()
            throw error
          }
          answers.set(name, error)
          if (error.code === 'permission_missing' || error.code === 'invalid_apikey') hopeless = error
        }
        onDone(answers.size)
      }
      for (let from = 0; from < names.length; from += DELETED_AT_A_STRETCH) {
        if (from > 0 && hopeless === null) await http.sleep(SILENCE)
        const stretch = names.slice(from, from + DELETED_AT_A_STRETCH)
        await queue.addAll(stretch.map(name => () => remove(name)))
      }
      return answers
    },

    /**
     * Removes the row of an upload that failed; only rows in progress without content can be removed this
     * way. False when the key may not (it needs `bundle.delete`): the next run finishes the row then.
     */
    async removeFailedBundle(appId: string, name: string): Promise<boolean> {
      const answer = await http.send({
        what: `remove the unfinished bundle ${name}`,
        method: 'DELETE',
        url: `${api}/private/delete_failed_version`,
        headers: key,
        json: { app_id: appId, name },
        retry: 'repeat',
      })
      return (
        (answer.status === 200 && Done.safeParse(answer.json).success) ||
        answer.code === 'error_already_deleted'
      )
    },
  }
}
