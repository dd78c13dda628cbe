import semver from 'semver'
import * as z from 'zod/mini'
import type { Connection } from './connection.ts'
import { parseAnswer, query, quote } from './postgrest.ts'
import { refusal } from './refusal.ts'
import { BUNDLE_COLUMNS, BundleRow, type ManifestEntry, type NativePackage } from './wire.ts'

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

const UPLOAD = { permission: 'app.upload_bundle', role: 'app_uploader' } as const

export function bundles({ http, api, key, database }: Connection) {
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

  async function change(
    filter: Record<string, string>,
    fields: Record<string, unknown>,
    what: string,
  ): Promise<BundleRow[]> {
    const { url, headers } = await database()
    const call = {
      what,
      method: 'PATCH',
      url: `${url}/app_versions?${query({ ...filter, select: BUNDLE_COLUMNS })}`,
      headers: { ...headers, prefer: 'return=representation' },
      json: fields,
      retry: 'repeat',
    } as const
    const answer = await http.send(call)
    if (answer.status !== 200) throw refusal(call, answer, UPLOAD)
    return parseAnswer(z.array(BundleRow), answer, call)
  }

  return {
    /** Bundles, deleted ones too, that have one of the names or this content. */
    findBundles: (appId: string, names: readonly string[], checksum: string): Promise<BundleRow[]> =>
      list(
        appId,
        {
          or: `(name.in.(${names.map(quote).join(',')}),checksum.eq.${checksum})`,
          order: 'id.desc',
          limit: '100',
        },
        'look for bundles with the same name or content',
      ),

    /** Bundles, not deleted, whose comment has this text; the caller looks closer. */
    findBundlesByComment: (appId: string, text: string): Promise<BundleRow[]> =>
      list(
        appId,
        {
          comment: `like.*${text.replace(/[*%_\\,()]/g, '_')}*`,
          deleted: 'is.false',
          order: 'id.desc',
          limit: '1000',
        },
        'look for bundles of this pull request',
      ),

    async readBundle(appId: string, name: string): Promise<BundleRow | null> {
      return (await list(appId, { name: `eq.${name}` }, `read bundle ${name}`))[0] ?? null
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
      if (answer.status !== 201) throw refusal(call, answer, UPLOAD)
      return parseAnswer(z.tuple([BundleRow]), answer, call)[0]
    },

    /**
     * Freezes a bundle whose content is stored: `r2Path` is the zip's key (null without a zip), `manifest` its delta
     * files where they were not handed over before. Null when it was not in progress any more.
     */
    async finaliseBundle(
      id: number,
      r2Path: string | null,
      manifest: readonly ManifestEntry[] | null,
    ): Promise<BundleRow | null> {
      const rows = await change(
        { id: `eq.${id}`, storage_provider: 'eq.r2-direct' },
        {
          ...(r2Path === null ? {} : { r2_path: r2Path }),
          storage_provider: 'r2',
          ...(manifest === null ? {} : { manifest }),
        },
        'finalise the bundle',
      )
      return rows[0] ?? null
    },

    /** The newest bundles that have delta files. */
    findDeltaBundles: (appId: string, limit: number): Promise<BundleRow[]> =>
      list(
        appId,
        { manifest_count: 'gt.0', deleted: 'is.false', order: 'id.desc', limit: String(limit) },
        'look for bundles with delta files',
      ),

    /** Sets who put the bundle where; allowed on a frozen bundle. False when the key may not. */
    async noteOnBundle(id: number, link: string, comment: string): Promise<boolean> {
      try {
        return (
          (await change({ id: `eq.${id}` }, { link, comment }, 'note the commit on the bundle')).length === 1
        )
      } catch {
        return false
      }
    },

    /**
     * Deletes one bundle by its name; Capgo refuses one that a channel serves. Its content goes, its name stays
     * taken. `linked` and `gone` are answers, anything else throws.
     */
    async deleteBundle(appId: string, name: string): Promise<'deleted' | 'linked' | 'gone'> {
      // Without a version this very route deletes every bundle that no channel serves: never send it empty.
      if (semver.valid(name) !== name) throw new TypeError(`"${name}" is no bundle name`)
      const call = {
        what: `delete bundle ${name}`,
        method: 'DELETE',
        url: `${api}/bundle`,
        headers: key,
        json: { app_id: appId, version: name },
        retry: 'repeat',
      } as const
      const answer = await http.send(call)
      if (answer.status === 200) return 'deleted'
      if (answer.code === 'cannot_delete_linked_version') return 'linked'
      if (answer.code === 'cannot_delete_version') return 'gone'
      throw refusal(call, answer, { permission: 'bundle.delete', role: 'app_admin' })
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
      return answer.status === 200 || answer.code === 'error_already_deleted'
    },
  }
}
