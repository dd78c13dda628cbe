import { createHash } from 'node:crypto'
import { createReadStream, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pgTime } from './clock.ts'
import type { ObjectRow, Store } from './store.ts'

/** Stored zips and delta files: bytes on disk, facts in the table `objects`. Nothing is held in memory. */
export class Objects {
  readonly #store: Store
  readonly #directory: string

  constructor(store: Store, directory: string) {
    this.#store = store
    this.#directory = directory
    mkdirSync(join(directory, 'objects'), { recursive: true })
    mkdirSync(join(directory, 'uploads'), { recursive: true })
  }

  stat(key: string): ObjectRow | undefined {
    return this.#store.find('objects', { key })
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
    this.#store.remove('objects', from)
    this.#record(to, { size: object.size, contentType: object.content_type, sha256: object.sha256 })
  }

  remove(key: string): void {
    this.#store.remove('objects', key)
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
    this.#store.remove('objects', key)
    const created_at = pgTime(this.#store.clock.now())
    return this.#store.insert('objects', {
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
