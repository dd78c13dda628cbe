/** Bundles: the rows of an app's uploads, as they are found, made and finished. */
import * as z from 'zod/mini'
import { ActionError } from '../errors.ts'
import { apps } from './apps.ts'
import { inGroups, list as listed, query } from './postgrest.ts'
import type { Rest } from './rest.ts'
import { readAll } from './rows.ts'
import {
  BUNDLE_COLUMNS,
  BundleRow,
  ChannelRow,
  EMBEDDED_CHANNELS,
  type ManifestEntry,
  type NativePackage,
} from './schema.ts'

/** The origin of a bundle: `comment` for the next run, `link` for people. */
type BundleNote = {
  readonly link: string
  readonly comment: string
}

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
const FinalisedBundle = z.extend(BundleRow, { app: z.object({ channels: z.array(ChannelRow) }) })
const FINALISED_COLUMNS = `${BUNDLE_COLUMNS},app:apps!app_versions_app_id_fkey(${EMBEDDED_CHANNELS})`

/** Characters of a filter; proxies refuse addresses of some thousand more. */
const MAX_FILTER = 4000
/** Ids in one filter. */
const IDS_PER_REQUEST = 200

export function bundles(rest: Rest) {
  const { requireKey } = apps(rest)

  const list = (appId: string, filter: Record<string, string>, purpose: string): Promise<BundleRow[]> =>
    rest.select({
      purpose,
      row: BundleRow,
      path: `app_versions?${query({ app_id: `eq.${appId}`, ...filter, select: BUNDLE_COLUMNS })}`,
    })

  /** Every bundle that is not deleted and fits, the newest first. */
  const listAll = (appId: string, filter: Record<string, string>, purpose: string): Promise<BundleRow[]> =>
    readAll(rest, appId, {
      table: 'app_versions',
      row: BundleRow,
      columns: BUNDLE_COLUMNS,
      filter: { ...filter, deleted: 'is.false' },
      order: 'desc',
      purpose,
    })

  return {
    /** Bundles whose comment has this text (`*` = anything), whatever its case; the caller looks closer. */
    findBundlesByComment: (appId: string, text: string): Promise<BundleRow[]> =>
      listAll(
        appId,
        { comment: `ilike.*${text.replace(/[%_\\,()]/g, '_')}*` },
        'find the bundles of a channel',
      ),

    /** Bundles whose upload is not finished. */
    findUnfinishedBundles: (appId: string): Promise<BundleRow[]> =>
      listAll(appId, { storage_provider: 'eq.r2-direct' }, 'find unfinished bundles'),

    async readBundle(appId: string, name: string): Promise<BundleRow | null> {
      return (await list(appId, { name: `eq.${name}` }, `read bundle ${name}`))[0] ?? null
    },

    /** The bundle of this id, also when it is deleted. */
    async readBundleById(appId: string, id: number): Promise<BundleRow | null> {
      return (await list(appId, { id: `eq.${id}` }, `read bundle ${id}`))[0] ?? null
    },

    /** The bundles of these ids, also deleted ones. */
    async readBundlesById(appId: string, ids: readonly number[]): Promise<BundleRow[]> {
      const found: BundleRow[] = []
      for (const some of inGroups(ids, IDS_PER_REQUEST))
        found.push(...(await list(appId, { id: listed(some) }, 'read bundles')))
      return found
    },

    /** Every bundle of the app that is not deleted, the newest first. */
    listBundles: (appId: string): Promise<BundleRow[]> => listAll(appId, {}, 'list bundles'),

    /**
     * Makes the row of a bundle, in progress: no device sees it. Null when the name is taken, which is also
     * how it looks when an earlier attempt took effect and its response was lost; read the row to find out.
     */
    async createBundle(bundle: NewBundle): Promise<BundleRow | null> {
      try {
        return await rest.insert({
          purpose: `create bundle ${bundle.name}`,
          path: `app_versions?${query({ select: BUNDLE_COLUMNS })}`,
          row: BundleRow,
          fields: {
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
          needs: 'app.upload_bundle',
          expects: ({ status }) => status === 409,
        })
      } catch (error) {
        // A key that is not good lacks every permission here.
        if (error instanceof ActionError && error.code === 'permission_missing')
          await requireKey(bundle.appId)
        throw error
      }
    },

    /**
     * Freezes a bundle whose content is stored: `r2Path` is the zip's key (null without a zip), `manifest` its delta
     * files where they were not handed over before, `note` who publishes it now, where its row says another run. Null
     * when it was not in progress any more. With it comes the channel as it was at that moment (null = there is none).
     */
    async finaliseBundle(
      id: number,
      fields: {
        readonly r2Path: string | null
        readonly manifest: readonly ManifestEntry[] | null
        readonly note: BundleNote | null
      },
      channelName: string,
    ): Promise<{ bundle: BundleRow; channel: ChannelRow | null } | null> {
      const filter = {
        id: `eq.${id}`,
        storage_provider: 'eq.r2-direct',
        'app.channels.name': `eq.${channelName}`,
        select: FINALISED_COLUMNS,
      }
      const [finalised] = await rest.patch({
        purpose: 'finalise the bundle',
        path: `app_versions?${query(filter)}`,
        row: FinalisedBundle,
        fields: {
          ...(fields.r2Path === null ? {} : { r2_path: fields.r2Path }),
          storage_provider: 'r2',
          ...(fields.manifest === null ? {} : { manifest: fields.manifest }),
          ...fields.note,
        },
        needs: 'app.upload_bundle',
      })
      if (finalised === undefined) return null
      const { app, ...bundle } = finalised
      return { bundle, channel: app.channels[0] ?? null }
    },

    /**
     * Sets who put the bundle where, while its comment is still `seen`; allowed on a frozen bundle. False when somebody
     * else wrote on it meanwhile, or the key is not allowed to.
     */
    async noteOnBundle(id: number, seen: string | null, fields: BundleNote): Promise<boolean> {
      const unchanged = seen === null ? 'is.null' : `eq.${seen}`
      const filter = {
        id: `eq.${id}`,
        ...(unchanged.length > MAX_FILTER ? {} : { comment: unchanged }),
        select: BUNDLE_COLUMNS,
      }
      try {
        const changed = await rest.patch({
          purpose: 'record the commit on the bundle',
          path: `app_versions?${query(filter)}`,
          row: BundleRow,
          fields,
        })
        return changed.length > 0
      } catch {
        return false
      }
    },
  }
}
