/** Delta files: the manifest of a bundle, as it is handed over and as it is stored. */
import * as z from 'zod/mini'
import type { Connection } from './connection.ts'
import { refusal } from './errors.ts'
import { list, PAGE, query } from './postgrest.ts'
import type { Rest } from './rest.ts'
import { FILE_COLUMNS, type ManifestEntry, StoredFile } from './schema.ts'

/** Requests that are worth the stored files they find; Capgo accepts 10,000 entries a bundle. */
const MAX_PAGES = 50
/** Entries that are written at once. */
const ENTRIES_PER_PIECE = 200
/** How long the server takes to take up a manifest: about 10 s were seen; it may be busy. */
const MAX_TAKE_UP = 120_000
const POLL_INTERVAL = 2000

const Entries = z.object({ manifest_count: z.int() })

export function manifests({ http, api, key }: Connection, rest: Rest) {
  const readPage = (ids: readonly number[], offset: number): Promise<StoredFile[]> => {
    const parameters = {
      app_version_id: list(ids),
      select: FILE_COLUMNS,
      order: 'id.asc',
      limit: String(PAGE),
      offset: String(offset),
    }
    return rest.select({
      purpose: 'read the files of the previous bundle',
      path: `manifest?${query(parameters)}`,
      row: StoredFile,
    })
  }

  async function countEntries(id: number): Promise<number> {
    const [bundle] = await rest.select({
      purpose: 'check whether Capgo has processed the delta files',
      path: `app_versions?${query({ id: `eq.${id}`, select: 'manifest_count' })}`,
      row: Entries,
    })
    return bundle?.manifest_count ?? 0
  }

  return {
    /** The delta files of bundles after the first `known` ones; one request for 1000 of them. */
    async readManifests(
      bundles: readonly { readonly id: number; readonly manifest_count: number }[],
      known = 0,
    ): Promise<StoredFile[]> {
      const total = bundles.reduce((sum, bundle) => sum + bundle.manifest_count, 0)
      const ids = bundles.map(({ id }) => id)
      const pages = Math.min(MAX_PAGES, Math.ceil((total - known) / PAGE))
      const offsets = Array.from({ length: Math.max(0, pages) }, (_, page) => known + page * PAGE)
      return (await Promise.all(offsets.map(offset => readPage(ids, offset)))).flat()
    },

    /**
     * Hands over the delta files of a bundle in progress, at once visible; doing it again does no harm. False when
     * the server does not know the route: then they go along with the finalisation.
     */
    async setManifest(appId: string, name: string, manifest: readonly ManifestEntry[]): Promise<boolean> {
      const request = {
        purpose: `register the delta files of ${name}`,
        method: 'POST',
        url: `${api}/private/set_manifest`,
        headers: { ...key, 'content-type': 'application/json' },
        body: inPieces({ app_id: appId, name }, manifest),
        retry: 'repeat',
      } as const
      const response = await http.send(request)
      const { status, code } = response
      if (status === 200) return true
      if (status === 404 && (code === 'not_found' || code === '')) return false
      throw refusal(request.purpose, response, 'app.upload_bundle')
    },

    /**
     * Waits until devices can be given the delta files; false when the server does not take them up in time. `onWait` is
     * called before each pause with those that it has taken up.
     */
    async awaitManifest(id: number, count: number, onWait: (taken: number) => void): Promise<boolean> {
      let taken = 0
      const began = performance.now()
      for (let waited = 0; waited < MAX_TAKE_UP; ) {
        onWait(taken)
        await http.sleep(POLL_INTERVAL)
        taken = await countEntries(id)
        if (taken >= count) return true
        // The questions take their time too.
        waited = Math.max(waited + POLL_INTERVAL, performance.now() - began)
      }
      return false
    },
  }
}

/** `{…about, manifest}` as JSON, piece by piece: 10,000 entries in one text would take more memory than all else. */
function inPieces(about: Readonly<Record<string, string>>, manifest: readonly ManifestEntry[]) {
  function* pieces(): Generator<Buffer> {
    yield Buffer.from(`${JSON.stringify(about).slice(0, -1)},"manifest":[`)
    for (let at = 0; at < manifest.length; at += ENTRIES_PER_PIECE) {
      const entries = JSON.stringify(manifest.slice(at, at + ENTRIES_PER_PIECE)).slice(1, -1)
      yield Buffer.from(at === 0 ? entries : `,${entries}`)
    }
    yield Buffer.from(']}')
  }
  let length = 0
  for (const piece of pieces()) length += piece.length
  return {
    length,
    async *open(): AsyncGenerator<Uint8Array> {
      yield* pieces()
    },
  }
}
