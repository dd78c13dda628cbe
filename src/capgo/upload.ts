/** Uploads a bundle's zip, and proves that what is stored is what was built. */
import * as z from 'zod/mini'
import { ActionError } from '../errors.ts'
import { readRange } from '../runtime/file-range.ts'
import type { Connection } from './connection.ts'
import { refusal } from './errors.ts'
import { query } from './postgrest.ts'
import { parseResponse } from './response.ts'
import type { Rest } from './rest.ts'
import { CHUNK_TIMEOUT, storedObjects, zipKey } from './stored-objects.ts'
import { tusUploads, type UploadOptions } from './tus.ts'

export interface BundleUpload {
  readonly appId: string
  readonly ownerOrg: string
  /** The bundle's name, of which Capgo makes the object's key. */
  readonly name: string
  /** Path of the zip on this machine. */
  readonly path: string
  /** Bytes. */
  readonly size: number
  /** SHA-256, lower-case hex. */
  readonly sha256: string
}

const UploadLink = z.object({ url: z.url() })

export function uploads(connection: Connection, rest: Rest) {
  const { http, files, key } = connection
  const { uploadFile } = tusUploads(connection)
  const { hashStored } = storedObjects(connection)

  async function uploadByPresignedPut(zip: BundleUpload): Promise<void> {
    await claimRow(zip)
    const linkRequest = {
      purpose: `ask where to upload bundle ${zip.name}`,
      method: 'POST',
      url: `${files}/files/upload_link`,
      headers: key,
      json: { app_id: zip.appId, name: zip.name, version: 0 },
      retry: 'repeat',
    } as const
    const link = await http.send(linkRequest)
    // The bytes are there from a run that died; they are verified like any other.
    if (link.code === 'error_already_exist') return
    if (link.status !== 200) throw refusal(linkRequest.purpose, link, 'app.upload_bundle')
    const put = {
      purpose: `upload bundle ${zip.name}`,
      method: 'PUT',
      url: parseResponse(UploadLink, link, linkRequest.purpose).url,
      headers: { 'content-type': 'application/zip' },
      body: { open: () => readRange(zip.path, 0, zip.size), length: zip.size },
      retry: 'repeat',
      timeout: CHUNK_TIMEOUT,
    } as const
    const response = await http.send(put)
    if (response.status !== 200) throw refusal(put.purpose, response)
  }

  /** The route that gives the link finds the row only when it belongs to the key's user. */
  async function claimRow({ appId, name }: BundleUpload): Promise<void> {
    const user = await rest.rpc({
      purpose: 'read the owner of the key',
      name: 'request_actor_user_id',
      parameters: {},
      result: z.string(),
    })
    await rest.update({
      purpose: `claim bundle ${name}`,
      path: `app_versions?${query({ app_id: `eq.${appId}`, name: `eq.${name}` })}`,
      fields: { user_id: user },
    })
  }

  /** Reads the stored object back and compares its SHA-256. Throws `stored_differs`. */
  async function verifyStored(zip: BundleUpload): Promise<void> {
    const stored = await hashStored(zipKey(zip), zip.size)
    if (stored?.size === zip.size && stored.sha256 === zip.sha256) return
    throw new ActionError(
      'stored_differs',
      `Capgo stored other content for bundle ${zip.name} than was uploaded (SHA-256 ${stored?.sha256 ?? 'of nothing'} instead of ${zip.sha256}).`,
      {
        hint: 'Nothing was published. Re-run the job. If it fails again, check for a proxy that changes the data.',
      },
    )
  }

  return {
    uploadFile,

    /** Stores the zip and proves that what is stored is what was built; the row is in progress still. */
    async uploadZip(zip: BundleUpload, options: UploadOptions): Promise<void> {
      if (!options.config.TUSUpload) {
        await uploadByPresignedPut(zip)
        await verifyStored(zip)
        return
      }
      const { name, size, sha256 } = zip
      await uploadFile(
        {
          key: zipKey(zip),
          what: `bundle ${name}`,
          type: 'application/zip',
          size,
          sha256,
          open: (start, length) => readRange(zip.path, start, length),
        },
        options,
      )
      // Capgo's own files service (it takes partial uploads) checks the SHA-256 that came with the creation
      // and refuses anything else; other runtimes hand the bytes on unchecked.
      if (!options.config.partialUpload) await verifyStored(zip)
    },
  }
}
