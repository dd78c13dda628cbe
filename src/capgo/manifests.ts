import * as z from 'zod/mini'
import type { Connection } from './connection.ts'
import { refusal } from './errors.ts'
import { list, PAGE, parseAnswer, query } from './postgrest.ts'
import { FILE_COLUMNS, type ManifestEntry, StoredFile } from './schema.ts'

/** What is stored already is worth so many requests; Capgo takes 10,000 entries a bundle. */
const MOST_PAGES = 50
/** Entries that are written at once. */
const PIECE = 200
/** How long the server takes to take up a manifest: about 10 s were seen; it may be busy. */
const TAKEN_UP_WITHIN = 120_000
const LOOK_EVERY = 2000

export function manifests({ http, api, key, database }: Connection) {
  async function readPage(ids: readonly number[], offset: number): Promise<StoredFile[]> {
    const { url, headers } = await database()
    const parameters = {
      app_version_id: list(ids),
      select: FILE_COLUMNS,
      order: 'id.asc',
      limit: String(PAGE),
      offset: String(offset),
    }
    const call = {
      what: 'read the files of the bundle before',
      method: 'GET',
      url: `${url}/manifest?${query(parameters)}`,
      headers,
      retry: 'repeat',
    } as const
    const answer = await http.send(call)
    if (answer.status !== 200 && answer.status !== 206) throw refusal(call, answer)
    return parseAnswer(z.array(StoredFile), answer, call)
  }

  async function countEntries(id: number): Promise<number> {
    const { url, headers } = await database()
    const call = {
      what: 'see whether the delta files are taken up',
      method: 'GET',
      url: `${url}/app_versions?${query({ id: `eq.${id}`, select: 'manifest_count' })}`,
      headers,
      retry: 'repeat',
    } as const
    const answer = await http.send(call)
    if (answer.status !== 200) throw refusal(call, answer)
    return parseAnswer(z.array(z.object({ manifest_count: z.int() })), answer, call)[0]?.manifest_count ?? 0
  }

  return {
    /** The delta files of bundles after the first `known` ones; one request for 1000 of them. */
    async readManifests(
      bundles: readonly { readonly id: number; readonly manifest_count: number }[],
      known = 0,
    ): Promise<StoredFile[]> {
      const total = bundles.reduce((sum, bundle) => sum + bundle.manifest_count, 0)
      const ids = bundles.map(({ id }) => id)
      const pages = Math.min(MOST_PAGES, Math.ceil((total - known) / PAGE))
      const offsets = Array.from({ length: Math.max(0, pages) }, (_, page) => known + page * PAGE)
      return (await Promise.all(offsets.map(offset => readPage(ids, offset)))).flat()
    },

    /**
     * Hands over the delta files of a bundle in progress, at once visible; doing it again does no harm. False when
     * the server does not know the route: then they go along with the finalisation.
     */
    async setManifest(appId: string, name: string, manifest: readonly ManifestEntry[]): Promise<boolean> {
      const call = {
        what: `hand over the delta files of ${name}`,
        method: 'POST',
        url: `${api}/private/set_manifest`,
        headers: { ...key, 'content-type': 'application/json' },
        body: inPieces({ app_id: appId, name }, manifest),
        retry: 'repeat',
      } as const
      const answer = await http.send(call)
      if (answer.status === 200) return true
      if (answer.status === 404 && (answer.code === 'not_found' || answer.code === '')) return false
      throw refusal(call, answer, { permission: 'app.upload_bundle', role: 'app_uploader' })
    },

    /** Waits until devices can be given the delta files; false when the server does not take them up in time. */
    async awaitManifest(id: number, count: number): Promise<boolean> {
      const began = performance.now()
      for (let waited = 0; waited < TAKEN_UP_WITHIN; ) {
        await http.sleep(LOOK_EVERY)
        if ((await countEntries(id)) >= count) return true
        // The questions take their time too.
        waited = Math.max(waited + LOOK_EVERY, performance.now() - began)
      }
      return false
    },
  }
}

/** `{…about, manifest}` as JSON, piece by piece: 10,000 entries in one text would take more memory than all else. */
function inPieces(about: Readonly<Record<string, string>>, manifest: readonly ManifestEntry[]) {
  function* pieces(): Generator<Buffer> {
    yield Buffer.from(`${JSON.stringify(about).slice(0, -1)},"manifest":[`)
    for (let at = 0; at < manifest.length; at += PIECE) {
      const entries = JSON.stringify(manifest.slice(at, at + PIECE)).slice(1, -1)
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
