/** Stores the files of a bundle one by one, so that devices download what changed. */
import { lookup } from 'mrmime'
import PQueue from 'p-queue'
import { type ListedFile, listStored } from '../../bundle/contents.ts'
import { deltaFileWriter } from '../../bundle/delta-files.ts'
import type { Session } from '../../bundle/encrypt.ts'
import type { HashedFile } from '../../bundle/zip.ts'
import type { Capgo } from '../../capgo/client.ts'
import { deltaKey } from '../../capgo/delta-key.ts'
import type { App, BundleRow, FilesConfig, ManifestEntry, StoredFile } from '../../capgo/schema.ts'
import { ActionError } from '../../errors.ts'
import { findStoredFiles, hasOpenFiles, pathOf } from '../../plan/delta.ts'
import type { StoredFiles } from '../../plan/publish-facts.ts'
import type { Content, DeltaReport } from './content.ts'
import { sumOf } from './served-contents.ts'

/** Files that are packed and sent at once; how many of them the server gets side by side is the client's to say. */
export const UPLOADS = 32
/** After a run that died, larger files are asked for before they are sent; smaller ones are sent as fast as asked for. */
const ASK_FROM = 16 * 1024
/** Objects that are looked at at once. */
const LOOKS = 32
/** A deletion that was under way may take away once more what was sent again. */
const MAX_ROUNDS = 3

export interface DeltaStore {
  readonly manifest: readonly ManifestEntry[]
  readonly report: DeltaReport
  /** Bytes of all files as they are stored; null when the server did not report them all. */
  readonly size: number | null
  /** All files as devices download them; null when the server did not report all sizes. */
  readonly files: readonly ListedFile[] | null
  /**
   * Looks at every object that the manifest names, sends again what is gone, and returns how many that were. To be called
   * once the manifest's rows exist: only they keep an object when another bundle that has it is deleted. Throws
   * `delta_files_gone`.
   */
  confirm(): Promise<number>
}

/** Files that the app has stored: the delta files of the bundle that is served, else of the newest ones. */
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
  /** The bundle that an earlier run began; it may have stored some of the files, and handed over their list. */
  readonly begun: BundleRow | null
  readonly config: FilesConfig
  readonly capgo: Capgo
  /** Files that were sent of how many. */
  readonly onFile: (sent: number, total: number) => void
}

/** A file and its row of the manifest. */
interface Entry {
  readonly file: HashedFile
  readonly row: StoredFile
}

/** Stores the files that the app has not stored yet, side by side. Nothing of it is visible to devices. */
export async function storeDelta(
  content: Content,
  session: Session | null,
  context: DeltaContext,
): Promise<DeltaStore> {
  const { files } = content
  if (files === null) throw new TypeError('These files were not hashed')
  const { stored, missing } = await splitFiles(files, session, context)
  const sender = createSender(content, session, missing, context)
  const mayBeThere = context.begun !== null
  let count = 0
  const sent = await sideBySide(UPLOADS, missing, async file => {
    const entry = await sender.send(file, { mayBeThere })
    context.onFile(++count, missing.length)
    return entry
  })
  const all = [...stored, ...sent]
  const rows = all.map(({ row }) => row)
  return {
    manifest: rows.map(({ file_name, s3_path, file_hash }) => ({ file_name, s3_path, file_hash })),
    report: { files: files.length, ...sender.count() },
    size: sumOf(rows.map(({ file_size }) => file_size)),
    files: session === null ? listStored(rows, files.length) : null,
    confirm: () => confirm(all, sender, context),
  }
}

/** Files that the app has stored, with their rows, and the others. */
async function splitFiles(
  files: readonly HashedFile[],
  session: Session | null,
  { app, capgo, ...context }: DeltaContext,
): Promise<{ stored: Entry[]; missing: readonly HashedFile[] }> {
  // A file under another key would go with a bundle that has it under another name.
  const isOurs = (row: StoredFile) => row.s3_path === deltaKey(app, row, null)
  const known = session === null ? await readStored(context.served, context.known, capgo) : []
  // Another row for a file would be one too many: no device takes two.
  const { begun } = context
  const own = session === null && begun !== null ? await capgo.readManifests([begun]) : []
  const { stored, missing } = findStoredFiles(files, [...known.filter(isOurs), ...own])
  const byPath = new Map(files.map(file => [file.path, file]))
  const entries = stored.flatMap(row => {
    const file = byPath.get(pathOf(row))
    return file === undefined ? [] : [{ file, row }]
  })
  return { stored: entries, missing }
}

/** Packs files and sends them. */
interface Sender {
  /** A file that may be there is asked for first. `fileName` is that of its row, where it has one. */
  send(file: HashedFile, known: { readonly mayBeThere: boolean; readonly fileName?: string }): Promise<Entry>
  /** Progress of the upload. */
  count(): Pick<DeltaReport, 'sent' | 'sentBytes'>
}

function createSender(
  { directory, scratch, encryption }: Content,
  session: Session | null,
  missing: readonly HashedFile[],
  { app, capgo, config }: DeltaContext,
): Sender {
  const totalBytes = missing.reduce((sum, file) => sum + file.size, 0)
  const pack = deltaFileWriter({ directory, scratch, session, totalBytes })
  let sent = 0
  let sentBytes = 0
  return {
    async send(file, { mayBeThere, fileName }) {
      const packed = await pack(file, fileName)
      const hash = session === null || encryption === null ? file.sha256 : encryption.sign(file.sha256)
      const named = { file_name: packed.fileName, file_hash: hash }
      const key = deltaKey(app, named, session?.sessionKey ?? null)
      const isStored =
        mayBeThere && packed.size >= ASK_FROM && (await capgo.describeStored(key))?.sha256 === packed.sha256
      if (!isStored) {
        const type = lookup(file.path) ?? 'application/octet-stream'
        await capgo.uploadFile({ ...packed, key, what: `file ${file.path}`, type }, { config })
        sent++
        sentBytes += packed.size
      }
      return { file, row: { ...named, s3_path: key, file_size: packed.size } }
    },
    count: () => ({ sent, sentBytes }),
  }
}

/** Returns how many files were sent again. */
async function confirm(all: readonly Entry[], sender: Sender, { capgo }: DeltaContext): Promise<number> {
  let unseen = all
  let again = 0
  for (let round = 1; ; round++) {
    const seen = await sideBySide(LOOKS, unseen, ({ row }) => capgo.describeStored(row.s3_path))
    unseen = unseen.filter((_, index) => seen[index] === null)
    if (unseen.length === 0) return again
    if (round === MAX_ROUNDS) throw filesGone(unseen)
    await sideBySide(UPLOADS, unseen, ({ file, row }) =>
      sender.send(file, { mayBeThere: false, fileName: row.file_name }),
    )
    again += unseen.length
  }
}

/** All results in order, so many at once; the first that fails ends it. */
async function sideBySide<Item, Result>(
  concurrency: number,
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const queue = new PQueue({ concurrency })
  try {
    return await queue.addAll(items.map(item => () => work(item)))
  } catch (error) {
    queue.clear()
    throw error
  }
}

function filesGone(gone: readonly Entry[]): ActionError {
  const [first] = gone
  return new ActionError(
    'delta_files_gone',
    `Capgo lost ${gone.length} of the delta files that were sent, such as ${first?.file.path}.`,
    {
      hint: 'Devices could not install the bundle, so nothing was published. Re-run the job later. If it fails again, publish with "delta: false" and report it to the operator of the server.',
    },
  )
}
