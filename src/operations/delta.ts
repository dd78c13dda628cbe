import { createHash } from 'node:crypto'
import { lookup } from 'mrmime'
import PQueue from 'p-queue'
import { deltaPacker, hashFiles } from '../bundle/delta-files.ts'
import type { Session } from '../bundle/encrypt.ts'
import type { Capgo } from '../capgo/client.ts'
import type { App, BundleRow, FilesConfig, ManifestEntry } from '../capgo/wire.ts'
import { deltaKey, findStored, hasOpenFiles } from '../plan/delta.ts'
import type { ServedFiles } from '../plan/types.ts'
import type { Content, DeltaReport } from './content.ts'

/** Uploads at once: few enough for a server, many enough that the way there and back hardly counts. */
const UPLOADS = 64
/** After a run that died, larger files are asked for before they are sent; smaller ones are sent as fast as asked for. */
const ASK_FROM = 16 * 1024
/** Where the channel serves nothing with delta files, these bundles tell what is stored. */
const LOOK_AT = 3

export interface DeltaStore {
  readonly manifest: readonly ManifestEntry[]
  readonly report: DeltaReport
}

/** What the app has stored: the delta files of the bundle that is served, else of the newest ones. */
export async function readStored(
  appId: string,
  served: BundleRow | null,
  read: ServedFiles | null,
  capgo: Capgo,
): Promise<readonly ManifestEntry[]> {
  if (served === null || served.manifest_count === 0)
    return capgo.readManifests((await capgo.findDeltaBundles(appId, LOOK_AT)).filter(hasOpenFiles))
  if (!hasOpenFiles(served)) return []
  const known = read?.of === served.id ? read.files : []
  return [...known, ...(await capgo.readManifests([served], known.length))]
}

/** Stores the files that the app has not stored yet, side by side. Nothing of it is visible to devices. */
export async function storeDelta(
  content: Content,
  session: Session | null,
  context: {
    readonly app: App
    readonly served: BundleRow | null
    /** What was read of its delta files. */
    readonly servedFiles: ServedFiles | null
    /** An earlier run may have stored some of the files. */
    readonly begun: boolean
    readonly config: FilesConfig
    readonly capgo: Capgo
    /** Files that were sent of how many. */
    readonly onFile: (sent: number, total: number) => void
  },
): Promise<DeltaStore> {
  const { app, capgo, config } = context
  const [files, known] = await Promise.all([
    hashFiles(content.directory, content.files),
    session === null ? readStored(app.app_id, context.served, context.servedFiles, capgo) : [],
  ])
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
      missing.map(file => async (): Promise<ManifestEntry> => {
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
        return { file_name: packed.fileName, s3_path: key, file_hash: hash }
      }),
    )
    .catch((error: unknown) => {
      // No file is worth to be packed or sent any more.
      queue.clear()
      throw error
    })
  return { manifest: [...stored, ...sent], report: { files: files.length, sent: sentFiles, sentBytes } }
}
