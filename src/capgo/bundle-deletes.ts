/** Deletes bundles: each by its name, none that a channel serves. */
import semver from 'semver'
import * as z from 'zod/mini'
import type { ActionError } from '../errors.ts'
import { runInBulk } from './bulk.ts'
import { bundles } from './bundles.ts'
import type { Connection } from './connection.ts'
import { parseResponse } from './response.ts'
import type { Rest } from './rest.ts'
import type { BundleRow } from './schema.ts'

/** The result of deleting a bundle: `linked` stays, since a channel serves it. */
export type BundleDeletion = 'deleted' | 'linked' | 'gone'

/** What Capgo says when it has done it; a proxy that answers in its place does not. */
const Done = z.object({ status: z.literal('ok') })
const RATE = { concurrency: 4, interval: 1000, intervalCap: 10 }
const DELETES_PER_WINDOW = 1500

export function bundleDeletes({ http }: Connection, rest: Rest) {
  const { readBundlesById } = bundles(rest)

  /**
   * Deletes one bundle by its name; Capgo refuses one that a channel serves. Its content goes, its name stays
   * taken. Throws where Capgo does not say what became of it.
   */
  async function deleteBundle(appId: string, name: string): Promise<BundleDeletion> {
    // Without a version this very route deletes every bundle that no channel serves: never send it empty.
    if (typeof name !== 'string' || semver.valid(name) !== name)
      throw new TypeError(`"${name}" is not a bundle name`)
    const purpose = `delete bundle ${name}`
    const response = await rest.api({
      purpose,
      method: 'DELETE',
      path: '/bundle',
      json: { app_id: appId, version: name },
      needs: 'bundle.delete',
      expects: ({ code }) => code === 'cannot_delete_linked_version' || code === 'cannot_delete_version',
    })
    if (response.status === 200) {
      parseResponse(Done, response, purpose)
      return 'deleted'
    }
    return response.code === 'cannot_delete_linked_version' ? 'linked' : 'gone'
  }

  return {
    deleteBundle,

    /** Which of these bundles are there and not deleted: what deleting them came to. */
    async readRemaining(appId: string, ids: readonly number[]): Promise<BundleRow[]> {
      return (await readBundlesById(appId, ids)).filter(({ deleted }) => !deleted)
    },

    /**
     * Deletes bundles one by one, each by its name, at a pace that leaves room for what else the key is used for.
     * One that fails does not hinder the others; a missing permission ends it. `onDone` is called after each with how
     * many were tried.
     */
    deleteBundles: (
      appId: string,
      names: readonly string[],
      onDone: (tried: number) => void,
    ): Promise<Map<string, BundleDeletion | ActionError>> =>
      runInBulk(names, {
        rate: RATE,
        perWindow: DELETES_PER_WINDOW,
        sleep: http.waitForLimit,
        run: name => deleteBundle(appId, name),
        onDone,
      }),

    /**
     * Removes the row of an upload that failed; only rows in progress without content can be removed this
     * way. False when the key is not allowed to (it needs `bundle.delete`): the next run finishes the row then.
     */
    async removeFailedBundle(appId: string, name: string): Promise<boolean> {
      const { status, json, code } = await rest.api({
        purpose: `delete the unfinished bundle ${name}`,
        method: 'DELETE',
        path: '/private/delete_failed_version',
        json: { app_id: appId, name },
        expects: () => true,
      })
      return (status === 200 && Done.safeParse(json).success) || code === 'error_already_deleted'
    },
  }
}
