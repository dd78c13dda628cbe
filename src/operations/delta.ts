import { createHash } from 'node:crypto'
import { lookup } from 'mrmime'
import PQueue from 'p-queue'
import { deltaPacker } from '../bundle/delta-files.ts'
import type { Session } from '../bundle/encrypt.ts'
import type { Capgo } from '../capgo/client.ts'
import type { App, BundleRow, FilesConfig, ManifestEntry, StoredFile } from '../capgo/wire.ts'
import { deltaKey, findStored, hasOpenFiles } from '../plan/delta.ts'
import type { StoredFiles } from '../plan/types.ts'
import { type ListedFile, listStored } from '../report/contents.ts'
import { sumOf } from '../stored.ts'
import type { Content, DeltaReport } from './content.ts'

/** Files that are packed and sent at once; how many of them the server gets side by side is the client's to say. */
export const UPLOADS = 32
/** After a run that died, larger files are asked for before they are sent; smaller ones are sent as fast as asked for. */
const ASK_FROM = 16 * 1024

export interface DeltaStore {
  readonly manifest: readonly ManifestEntry[]
  readonly report: DeltaReport
  /** Bytes of all files as they are stored; null when the server has not told them all. */
  readonly size: number | null
  /** All files as devices download them; null when the server has not told all their sizes. */
  readonly files: readonly ListedFile[] | null
}

/** What the app has stored: the delta files of the bundle that is served, else of the newest ones. */
async function readStored(
  served: BundleRow | null,
  known: StoredFiles,
  capgo: Capgo,
): Promise<readonly StoredFile[]> {
  if (served === null || served.manifest_count === 0)
    return capgo.readManifests(known.newest.filter(hasOpenFiles))
  if (!hasOpenFiles(served)) return []
  const files = known.of === served.id ? known.files : []
  return [...files, ...(await capgo.readManifests([served], files.length))]
}

interface DeltaContext {
  readonly app: App
  readonly served: BundleRow | null
  readonly known: StoredFiles
  /** An earlier run may have stored some of the files. */
  readonly begun: boolean
  readonly config: FilesConfig
  readonly capgo: Capgo
  /** Files that were sent of how many. */
  readonly onFile: (sent: number, total: number) => void
}

/** Stores the files that the app has not stored yet, side by side. Nothing of it is visible to devices. */
export async function storeDelta(
  content: Content,
  session: Session | null,
  { app, capgo, config, ...context }: DeltaContext,
): Promise<DeltaStore> {
  const { files } = content
  if (files === null) throw new TypeError('These files were not hashed')
  const known = session === null ? await readStored(context.served, context.known, capgo) : []
  const { stored, missing } = findStored(files, known)
  const pack = deltaPacker({
    directory: content.directory,
    scratch: content.scratch,
    session,
    totalBytes: missing.reduce((sum, file) => sum + file.size, 0),
  })
  let sentBytes = 0
  let sentFiles = 0
  let count = 0
  const queue = new PQueue({ concurrency: UPLOADS })
  const sent = await queue
    .addAll(
      missing.map(file => async (): Promise<StoredFile> => {
        const packed = await pack(file)
        const hash =
          session === null || content.encryption === null ? file.sha256 : content.encryption.sign(file.sha256)
        const key = deltaKey({
          ownerOrg: app.owner_org,
          appId: app.app_id,
          sessionKey: session?.sessionKey ?? null,
          hashOfHash: createHash('sha256').update(hash).digest('hex'),
          fileName: packed.fileName,
        })
        const isStored =
          context.begun &&
          packed.size >= ASK_FROM &&
          (await capgo.describeStored(key))?.sha256 === packed.sha256
        if (!isStored) {
          await capgo.uploadFile(
            {
              ...packed,
              key,
              what: `file ${file.path}`,
              type: lookup(file.path) ?? 'application/octet-stream',
            },
            { config },
          )
          sentFiles++
          sentBytes += packed.size
        }
        context.onFile(++count, missing.length)
        return { file_name: packed.fileName, s3_path: key, file_hash: hash, file_size: packed.size }
      }),
    )
    .catch((error: unknown) => {
      // No file is worth to be packed or sent any more.
      queue.clear()
      throw error
    })
  const all = [...stored, ...sent]
  return {
    manifest: all.map(({ file_name, s3_path, file_hash }) => ({ file_name, s3_path, file_hash })),
    report: { files: files.length, sent: sentFiles, sentBytes },
    size: sumOf(all.map(({ file_size }) => file_size)),
    files: session === null ? listStored(all, files.length) : null,
  }
}
