import { createHash } from 'node:crypto'
import { createReadStream, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ObjectRow } from './rows.ts'

/** A request to the store. */
interface ObjectRows {
  find(table: 'objects', where: { key: string }): ObjectRow | undefined
  insert(table: 'objects', row: Partial<ObjectRow>): ObjectRow
  remove(table: 'objects', key: string): void
  now(): string
}

/** Stored zips and delta files: bytes on disk, facts in the table `objects`. Nothing is held in memory. */
export class Objects {
  readonly #rows: ObjectRows
  readonly #directory: string

  constructor(rows: ObjectRows, directory: string) {
    this.#rows = rows
    this.#directory = directory
    mkdirSync(join(directory, 'objects'), { recursive: true })
    mkdirSync(join(directory, 'uploads'), { recursive: true })
  }

  stat(key: string): ObjectRow | undefined {
    return this.#rows.find('objects', { key })
  }

  read(key: string, range?: { start: number; end: number }) {
    return createReadStream(this.#file(key), range)
  }

  /** Where the bytes of a running upload are gathered. */
  partial(uploadId: string): string {
    return join(this.#directory, 'uploads', uploadId)
  }

  /** Makes a gathered file the object `key`, replacing what was there. */
  adopt(
    key: string,
    file: string,
    facts: { size: number; contentType?: string | null; sha256?: string | null },
  ): ObjectRow {
    renameSync(file, this.#file(key))
    return this.#record(key, facts)
  }

  put(key: string, bytes: Uint8Array, contentType: string): ObjectRow {
    writeFileSync(this.#file(key), bytes)
    return this.#record(key, { size: bytes.byteLength, contentType })
  }

  move(from: string, to: string): void {
    const object = this.stat(from)
    if (!object) return
    // It was moved already where what the database knew of that was rolled back.
    if (existsSync(this.#file(from))) renameSync(this.#file(from), this.#file(to))
    this.#rows.remove('objects', from)
    this.#record(to, { size: object.size, contentType: object.content_type, sha256: object.sha256 })
  }

  remove(key: string): void {
    this.#rows.remove('objects', key)
    rmSync(this.#file(key), { force: true })
  }

  discardPartial(uploadId: string): void {
    const file = this.partial(uploadId)
    if (existsSync(file)) rmSync(file)
  }

  #record(
    key: string,
    facts: { size: number; contentType?: string | null; sha256?: string | null },
  ): ObjectRow {
    this.#rows.remove('objects', key)
    const created_at = this.#rows.now()
    return this.#rows.insert('objects', {
      key,
      size: facts.size,
      content_type: facts.contentType ?? null,
      sha256: facts.sha256 ?? null,
      etag: `"${createHash('md5').update(`${key} ${facts.size} ${crypto.randomUUID()}`).digest('hex')}"`,
      created_at,
    })
  }

  // Keys hold slashes, dots and whatever a client sends; the file name is therefore their hash.
  #file(key: string): string {
    return join(this.#directory, 'objects', createHash('sha256').update(key).digest('hex'))
  }
}

/** The key of a bundle's zip. */
export const bundlePath = (bundle: { owner_org: string; app_id: string; name: string }) =>
  `orgs/${bundle.owner_org}/apps/${bundle.app_id}/${bundle.name}.zip`

/** Where an object goes that nobody uses any more; the store empties it after seven days. */
export const retired = (path: string) => `deleted-after-7-days/${path}`
