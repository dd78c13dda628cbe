import { randomUUID } from 'node:crypto'
import * as z from 'zod/mini'
import { ActionError } from '../errors.ts'
import { readRange } from '../runtime/file-range.ts'
import type { Connection } from './connection.ts'
import { type Decode, type Hashed, hashObject } from './download.ts'
import { refusal } from './errors.ts'
import { type Answer, type Call, ConnectionError, neverSent, PATIENCE } from './http.ts'
import { parseAnswer, unexpected } from './postgrest.ts'
import type { FilesConfig } from './schema.ts'
import { asksTooMuch, isFault } from './transient.ts'

/** Bytes on this machine, and the object in Capgo's store that they become. */
export interface StoredObject {
  /** Its key in the store. */
  readonly key: string
  /** For messages: `bundle 1.2.0`. */
  readonly what: string
  /** MIME type. */
  readonly type: string
  /** Bytes, at least one. */
  readonly size: number
  /** SHA-256, lower-case hex. */
  readonly sha256: string
  open(start: number, length: number): AsyncGenerator<Uint8Array>
}

export interface StoredZip {
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

export interface UploadOptions {
  readonly config: FilesConfig
  /** An earlier run may have sent some of it: the server is asked first. */
  readonly begun?: boolean
  /** Bytes that the server has. */
  readonly onProgress?: (sent: number) => void
}

/** An upload that the server has. */
interface Unfinished {
  readonly location: string
  /** Bytes that are there. */
  readonly offset: number
  /** We found it instead of having begun it. */
  readonly isFound: boolean
}

const TUS = { 'tus-resumable': '1.0.0' } as const
/** 10 minutes for one chunk (contract of the API: suggested client timeouts). */
const CHUNK_TIMEOUT = 600_000
/** How often an upload may lose its way before it is given up. */
const RESUMES = 5
/** Requests for one object; a server that takes less at once takes none of a size worth mentioning. */
const MOST_CHUNKS = 10_000
const UPLOAD = { permission: 'app.upload_bundle', role: 'app_uploader' } as const

/** Where Capgo stores a bundle's zip. */
export function zipKey(zip: Pick<StoredZip, 'ownerOrg' | 'appId' | 'name'>): string {
  return `orgs/${zip.ownerOrg}/apps/${zip.appId}/${zip.name}.zip`
}

export function uploads({ http, files, key, database }: Connection) {
  /** Stores the zip and proves that what is stored is what was built; the row is in progress still. */
  async function uploadZip(zip: StoredZip, options: UploadOptions): Promise<void> {
    if (options.config.TUSUpload) {
      await uploadByTus(
        {
          key: zipKey(zip),
          what: `bundle ${zip.name}`,
          type: 'application/zip',
          size: zip.size,
          sha256: zip.sha256,
          open: (start, length) => readRange(zip.path, start, length),
        },
        options,
      )
      // Capgo's own files service (it takes partial uploads) checks the SHA-256 that came with the creation
      // and refuses anything else; other runtimes hand the bytes on unchecked.
      if (!options.config.partialUpload) await verifyStored(zip)
    } else {
      await uploadByPresignedPut(zip)
      await verifyStored(zip)
    }
  }

  async function uploadByTus(
    object: StoredObject,
    { config, begun, onProgress }: UploadOptions,
  ): Promise<void> {
    const { what, size } = object
    const chunk = Math.min(config.maxChunkSize, size)
    if (size > MOST_CHUNKS * chunk)
      throw unexpected({ what: `upload ${what}` }, `it takes ${chunk} bytes at once, and there are ${size}`)
    const patience = new Patience()
    let upload: Unfinished | null = begun ? await findUnfinished(object, config) : null
    let furthest = upload?.offset ?? 0
    for (let trouble = 0; (upload?.offset ?? 0) < size; ) {
      const call: Call = {
        ...(upload === null ? creation(object, chunk) : continuation(object, upload, chunk)),
        patience: patience.left,
      }
      const answer = await answerOrLoss(call, patience)
      const isTaken = answer !== null && (answer.status === 201 || answer.status === 204)
      if (isTaken)
        upload = {
          location: upload?.location ?? followLocation(call, answer),
          offset: readProgress(call, answer, size),
          isFound: upload?.isFound ?? false,
        }
      // What an earlier run began was of other bytes; the server has thrown it away.
      else if (answer?.status === 415 && upload?.isFound) upload = null
      else {
        if (answer !== null && (!isWorthResuming(answer) || asksTooMuch(answer)))
          throw uploadRefused(object, call, answer)
        if (++trouble > RESUMES || patience.left === 0)
          throw answer === null ? lost(what) : uploadRefused(object, call, answer)
        patience.spend(await http.pause(answer, trouble))
        // 409 duplicate_upload: the server has thrown the unfinished upload away; the next creation works.
        if (answer?.code === 'duplicate_upload') upload = null
        else
          upload = upload === null ? await findUnfinished(object, config) : await readOffset(object, upload)
      }
      const offset: number = upload?.offset ?? 0
      if (offset <= furthest) {
        if (isTaken && ++trouble > RESUMES) throw lost(what)
        continue
      }
      // Only trouble without any progress in between is trouble that stays.
      trouble = 0
      patience.restore()
      furthest = offset
      onProgress?.(offset)
    }
  }

  /** Begins an upload, with its first bytes in the same request. */
  function creation(object: StoredObject, chunk: number): Call {
    const call = sending(object, 0, chunk)
    const metadata = { filename: object.key, filetype: object.type }
    return {
      ...call,
      method: 'POST',
      url: `${files}/files/upload/attachments/`,
      headers: {
        ...call.headers,
        'upload-length': String(object.size),
        'upload-metadata': Object.entries(metadata)
          .map(([name, value]) => `${name} ${Buffer.from(value).toString('base64')}`)
          .join(','),
        'x-checksum-sha256': Buffer.from(object.sha256, 'hex').toString('base64'),
      },
    }
  }

  function continuation(object: StoredObject, { location, offset }: Unfinished, chunk: number): Call {
    const call = sending(object, offset, chunk)
    return {
      ...call,
      method: 'PATCH',
      url: location,
      headers: { ...call.headers, 'upload-offset': String(offset) },
    }
  }

  function sending({ what, size, open }: StoredObject, offset: number, chunk: number) {
    const length = Math.min(chunk, size - offset)
    return {
      what: `upload ${what}`,
      headers: { ...key, ...TUS, 'content-type': 'application/offset+octet-stream' },
      body: { open: () => open(offset, length), length },
      retry: 'once',
      answers: [503],
      timeout: CHUNK_TIMEOUT,
    } as const
  }

  /**
   * An upload of this object whose address nobody told us: by a run that was killed, or by a creation whose answer
   * was lost. Capgo's own files service (it takes partial uploads) has it at the object's key; other runtimes draw
   * an address, and there it begins anew.
   */
  async function findUnfinished(object: StoredObject, config: FilesConfig): Promise<Unfinished | null> {
    if (!config.partialUpload) return null
    const location = `${files}/files/upload/attachments/${object.key.split('/').map(encodeURIComponent).join('/')}`
    const answer = await http.send(asking(object.what, location))
    const offset = Number(answer.headers['upload-offset'])
    if (answer.status !== 200 || Number(answer.headers['upload-length']) !== object.size) return null
    // A whole object may be another one of the same size.
    if (offset >= object.size && (await describeStored(object.key))?.sha256 !== object.sha256) return null
    return { location, offset, isFound: true }
  }

  /** How far an upload got; null when the server knows nothing of it. */
  async function readOffset({ what, size }: StoredObject, upload: Unfinished): Promise<Unfinished | null> {
    const call = asking(what, upload.location)
    const answer = await http.send(call)
    if (answer.status === 404) return null
    if (answer.status !== 200) throw refusal(call, answer, UPLOAD)
    return { ...upload, offset: readProgress(call, answer, size) }
  }

  /** Null when the answer was lost. */
  async function answerOrLoss(call: Call, patience: Patience): Promise<Answer | null> {
    const began = performance.now()
    try {
      const answer = await http.send(call)
      if (answer.status >= 300) patience.spend(performance.now() - began)
      return answer
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error
      // What moved bytes may have got further than is known here.
      if (neverSent(error)) patience.spend(performance.now() - began)
      return null
    }
  }

  function asking(object: string, location: string) {
    return {
      what: `ask how far the upload of ${object} got`,
      method: 'HEAD',
      url: location,
      headers: { ...key, ...TUS },
      retry: 'repeat',
    } as const
  }

  /** The upload goes on where the server says, on the files host only: the key is sent there. */
  function followLocation(call: Call, answer: Answer): string {
    const told = answer.headers.location
    const location = typeof told === 'string' ? URL.parse(told, `${files}/files/upload/attachments/`) : null
    if (location === null) throw unexpected(call, 'it does not say where the upload goes on')
    if (location.origin !== new URL(files).origin)
      throw new ActionError(
        'upload_elsewhere',
        `The files service wants the upload to go on at ${location.origin}.`,
        {
          hint: 'The Capgo key is only sent to the files service. Set the input "files-url" to that address if it is right.',
        },
      )
    return location.href
  }

  async function uploadByPresignedPut(zip: StoredZip): Promise<void> {
    await ownRow(zip)
    const ask = {
      what: `ask where to upload bundle ${zip.name}`,
      method: 'POST',
      url: `${files}/files/upload_link`,
      headers: key,
      json: { app_id: zip.appId, name: zip.name, version: 0 },
      retry: 'repeat',
    } as const
    const link = await http.send(ask)
    // The bytes are there from a run that died; they are verified like any other.
    if (link.code === 'error_already_exist') return
    if (link.status !== 200) throw refusal(ask, link, UPLOAD)
    const put = {
      what: `upload bundle ${zip.name}`,
      method: 'PUT',
      url: parseAnswer(z.object({ url: z.url() }), link, ask).url,
      headers: { 'content-type': 'application/zip' },
      body: { open: () => readRange(zip.path, 0, zip.size), length: zip.size },
      retry: 'repeat',
      timeout: CHUNK_TIMEOUT,
    } as const
    const answer = await http.send(put)
    if (answer.status !== 200) throw refusal(put, answer)
  }

  /** The route that gives the link finds the row only when it belongs to the key's user. */
  async function ownRow(zip: StoredZip): Promise<void> {
    const { url, headers } = await database()
    const ask = {
      what: 'ask whose key this is',
      method: 'POST',
      url: `${url}/rpc/request_actor_user_id`,
      headers,
      json: {},
      retry: 'repeat',
    } as const
    const user = parseAnswer(z.string(), await http.send(ask), ask)
    const claim = {
      what: `claim bundle ${zip.name}`,
      method: 'PATCH',
      url: `${url}/app_versions?app_id=eq.${encodeURIComponent(zip.appId)}&name=eq.${encodeURIComponent(zip.name)}`,
      headers,
      json: { user_id: user },
      retry: 'repeat',
    } as const
    const answer = await http.send(claim)
    if (answer.status >= 300) throw refusal(claim, answer)
  }

  /** Reads the stored object back and compares its SHA-256. Throws `stored_differs`. */
  async function verifyStored(zip: StoredZip): Promise<void> {
    const stored = await hashStored(zipKey(zip), zip.size)
    if (stored?.size !== zip.size || stored.sha256 !== zip.sha256)
      throw storedDiffers(zip, `SHA-256 ${stored?.sha256 ?? 'of nothing'} instead of ${zip.sha256}`)
  }

  /**
   * SHA-256 (lower-case hex) and size of a stored object, after `decode` if that is given; null when there is none.
   * Streams it, and reads no more than one byte beyond `longest`.
   */
  function hashStored(path: string, longest: number, decode?: Decode): Promise<Hashed | null> {
    return hashObject(
      { http, what: 'read the stored bundle', url: readAddress(path), longest, timeout: CHUNK_TIMEOUT },
      decode,
    )
  }

  /** What the files service says about an object without sending it; null when there is none. */
  async function describeStored(path: string): Promise<{ size: number; sha256: string | null } | null> {
    const call = {
      what: 'look at the stored bundle',
      method: 'GET',
      url: readAddress(path),
      headers: { range: 'bytes=0-0' },
      retry: 'repeat',
    } as const
    const answer = await http.send(call)
    if (answer.status === 404) return null
    if (answer.status !== 206 && answer.status !== 200) throw refusal(call, answer)
    const range = /\/(\d+)$/.exec(String(answer.headers['content-range'] ?? ''))
    const checksum = answer.headers['x-checksum-sha256']
    return {
      size: Number(range?.[1] ?? answer.headers['content-length']),
      sha256: typeof checksum === 'string' ? Buffer.from(checksum, 'base64').toString('hex') : null,
    }
  }

  /** The last bytes of an object, `length` at most, and its size; null when there is none. One request. */
  async function readStoredTail(
    path: string,
    length: number,
  ): Promise<{ size: number; tail: Buffer } | null> {
    let pieces: Buffer[] = []
    const call: Call = {
      what: 'read the end of the stored bundle',
      method: 'GET',
      url: readAddress(path),
      headers: { range: `bytes=-${length}` },
      retry: 'once',
      onBody: () => {
        pieces = []
        let taken = 0
        return piece => {
          taken += piece.length
          if (taken > length) throw new Error('the server sends more than was asked for')
          pieces.push(piece)
        }
      },
    }
    const answer = await http.send(call)
    if (answer.status !== 206 && answer.status !== 200) return null
    const tail = Buffer.concat(pieces)
    const total = /\/(\d+)$/.exec(String(answer.headers['content-range'] ?? ''))?.[1]
    return { size: total === undefined ? tail.length : Number(total), tail }
  }

  /** Public address of an object. Answers are cached for a year for each query, hence the nonce. */
  function readAddress(path: string): string {
    return `${files}/files/read/attachments/${path.split('/').map(encodeURIComponent).join('/')}?nocache=${randomUUID()}`
  }

  return { uploadZip, uploadFile: uploadByTus, describeStored, hashStored, readStoredTail }
}

/** What an upload may wait for in all without getting any further. */
class Patience {
  #left = PATIENCE

  get left(): number {
    return this.#left
  }

  spend(milliseconds: number): void {
    this.#left = Math.max(0, this.#left - milliseconds)
  }

  restore(): void {
    this.#left = PATIENCE
  }
}

/** How many bytes the server says that it has. */
function readProgress(call: Call, { status, headers }: Answer, size: number): number {
  // A server may make the upload without a look at the bytes that came along.
  const told = headers['upload-offset'] ?? (status === 201 ? '0' : undefined)
  const offset = typeof told === 'string' && /^\d+$/.test(told) ? Number(told) : Number.NaN
  if (offset <= size) return offset
  throw unexpected(call, `it has ${Number.isNaN(offset) ? 'an unknown number' : offset} of ${size} bytes`)
}

function storedDiffers({ name }: StoredZip, how: string): ActionError {
  return new ActionError(
    'stored_differs',
    `What Capgo stored for bundle ${name} is not what was uploaded (${how}).`,
    {
      hint: 'Nothing was published. Run the job again; if it stays, a proxy between runner and server changes the bytes.',
    },
  )
}

/** Offset conflicts, an unfinished upload in the way, a restarted engine, an upload that it forgot. */
function isWorthResuming(answer: Answer): boolean {
  if (answer.status === 409) return answer.code !== 'bundle_already_ready'
  if (answer.status === 415) return false
  return answer.status === 404
    ? answer.code === ''
    : isFault(answer) || (answer.status === 429 && answer.code !== 'on_premise_app')
}

function lost(what: string): ActionError {
  return new ActionError('upload_lost', `The upload of ${what} broke off ${RESUMES + 1} times.`, {
    hint: 'Nothing was published. Run the job again: it goes on with this bundle.',
    passing: true,
  })
}

function uploadRefused({ what, size }: StoredObject, call: Call, answer: Answer): ActionError {
  if (answer.status === 413)
    return new ActionError('bundle_too_large', `Capgo refuses ${what}: ${size} bytes are too many.`, {
      hint: 'Leave out source maps and large media, or load them from elsewhere.',
    })
  if (answer.status === 415)
    return new ActionError('stored_differs', `The bytes of ${what} changed on their way to Capgo.`, {
      hint: 'Nothing was published. Run the job again; if it stays, a proxy between runner and server changes them.',
    })
  return refusal(call, answer, UPLOAD)
}
