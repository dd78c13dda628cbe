/** Uploads in chunks that are continued where they broke off (tus 1.0.0). */
import { ActionError } from '../errors.ts'
import type { Connection } from './connection.ts'
import { refusal } from './errors.ts'
import { ConnectionError, neverSent } from './exchange.ts'
import { MAX_RETRY_TIME } from './http.ts'
import type { HttpRequest } from './request.ts'
import { type HttpResponse, unexpected } from './response.ts'
import type { FilesConfig } from './schema.ts'
import { CHUNK_TIMEOUT, keyPath, storedObjects } from './stored-objects.ts'
import { asksTooMuch, isFault } from './transient.ts'

/** Bytes on this machine, and the object in Capgo's store that they become. */
export interface UploadObject {
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

export interface UploadOptions {
  readonly config: FilesConfig
  /** An earlier run may have sent some of it: the server is asked first. */
  readonly mayBeStarted?: boolean
  /** Bytes that the server has. */
  readonly onProgress?: (sent: number) => void
}

/** An upload that the server has. */
interface ServerUpload {
  readonly location: string
  /** Bytes that are there. */
  readonly offset: number
  /** An earlier run, or a creation whose response was lost, started it. */
  readonly isFound: boolean
}

const TUS = { 'tus-resumable': '1.0.0' } as const
/** How often an upload may lose its way before it is given up. */
const MAX_RESUMES = 5
/** Requests for one object; a server that takes less at once takes none of a size worth mentioning. */
const MAX_CHUNKS = 10_000

export function tusUploads(connection: Connection) {
  const { http, files, key } = connection
  const { describeStored } = storedObjects(connection)

  /** Sends an object. Throws `upload_lost` where it broke off too often, and what the server refuses. */
  async function uploadFile(
    object: UploadObject,
    { config, mayBeStarted, onProgress }: UploadOptions,
  ): Promise<void> {
    const { what, size } = object
    const chunk = Math.min(config.maxChunkSize, size)
    if (size > MAX_CHUNKS * chunk)
      throw unexpected(`upload ${what}`, `it accepts ${chunk} bytes at once, and the file has ${size}`)
    const patience = new Patience()
    let upload: ServerUpload | null = mayBeStarted ? await findUpload(object, config) : null
    let furthest = upload?.offset ?? 0
    for (let setbacks = 0; (upload?.offset ?? 0) < size; ) {
      const request: HttpRequest = {
        ...(upload === null ? creation(object, chunk) : continuation(object, upload, chunk)),
        maxRetryTime: patience.left,
      }
      const response = await sendOrLose(request, patience)
      const isTaken = response !== null && (response.status === 201 || response.status === 204)
      if (isTaken)
        upload = {
          location: upload?.location ?? followLocation(request, response),
          offset: readProgress(request, response, size),
          isFound: upload?.isFound ?? false,
        }
      // An earlier run began with other bytes; the server has discarded them.
      else if (response?.status === 415 && upload?.isFound) upload = null
      else {
        if (response !== null && (!isWorthResuming(response) || asksTooMuch(response)))
          throw uploadRefused(object, request, response)
        if (++setbacks > MAX_RESUMES || patience.left === 0)
          throw response === null ? lost(what) : uploadRefused(object, request, response)
        patience.spend(await http.pause(request, response, setbacks))
        // 409 duplicate_upload: the server has thrown the unfinished upload away; the next creation works.
        if (response?.code === 'duplicate_upload') upload = null
        else upload = upload === null ? await findUpload(object, config) : await readOffset(object, upload)
      }
      const offset: number = upload?.offset ?? 0
      if (offset <= furthest) {
        if (isTaken && ++setbacks > MAX_RESUMES) throw lost(what)
        continue
      }
      // Only setbacks without any progress in between are trouble that stays.
      setbacks = 0
      patience.restore()
      furthest = offset
      onProgress?.(offset)
    }
  }

  /** Starts an upload, with its first bytes in the same request. */
  function creation(object: UploadObject, chunk: number): HttpRequest {
    const request = chunkRequest(object, 0, chunk)
    const metadata = { filename: object.key, filetype: object.type }
    return {
      ...request,
      method: 'POST',
      url: `${files}/files/upload/attachments/`,
      headers: {
        ...request.headers,
        'upload-length': String(object.size),
        'upload-metadata': Object.entries(metadata)
          .map(([name, value]) => `${name} ${Buffer.from(value).toString('base64')}`)
          .join(','),
        'x-checksum-sha256': Buffer.from(object.sha256, 'hex').toString('base64'),
      },
    }
  }

  function continuation(
    object: UploadObject,
    { location, offset }: ServerUpload,
    chunk: number,
  ): HttpRequest {
    const request = chunkRequest(object, offset, chunk)
    return {
      ...request,
      method: 'PATCH',
      url: location,
      headers: { ...request.headers, 'upload-offset': String(offset) },
    }
  }

  function chunkRequest({ what, size, open }: UploadObject, offset: number, chunk: number) {
    const length = Math.min(chunk, size - offset)
    return {
      purpose: `upload ${what}`,
      headers: { ...key, ...TUS, 'content-type': 'application/offset+octet-stream' },
      body: { open: () => open(offset, length), length },
      retry: 'once',
      expectedStatuses: [503],
      timeout: CHUNK_TIMEOUT,
    } as const
  }

  /**
   * An upload of this object whose address we were not given: by a run that was killed, or by a creation whose response
   * was lost. Capgo's own files service (it takes partial uploads) has it at the object's key; other runtimes draw
   * an address, and there it starts anew.
   */
  async function findUpload(object: UploadObject, config: FilesConfig): Promise<ServerUpload | null> {
    if (!config.partialUpload) return null
    const location = `${files}/files/upload/attachments/${keyPath(object.key)}`
    const response = await http.send(progressRequest(object.what, location))
    const offset = Number(response.headers['upload-offset'])
    if (response.status !== 200 || Number(response.headers['upload-length']) !== object.size) return null
    // A whole object may be another one of the same size.
    if (offset >= object.size && (await describeStored(object.key))?.sha256 !== object.sha256) return null
    return { location, offset, isFound: true }
  }

  /** How far an upload got; null when the server knows nothing of it. */
  async function readOffset(
    { what, size }: UploadObject,
    upload: ServerUpload,
  ): Promise<ServerUpload | null> {
    const request = progressRequest(what, upload.location)
    const response = await http.send(request)
    if (response.status === 404) return null
    if (response.status !== 200) throw refusal(request.purpose, response, 'app.upload_bundle')
    return { ...upload, offset: readProgress(request, response, size) }
  }

  /** Null when the response was lost. */
  async function sendOrLose(request: HttpRequest, patience: Patience): Promise<HttpResponse | null> {
    const start = performance.now()
    try {
      const response = await http.send(request)
      if (response.status >= 300) patience.spend(performance.now() - start)
      return response
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error
      // After moved bytes, the server can be further than is known here.
      if (neverSent(error)) patience.spend(performance.now() - start)
      return null
    }
  }

  function progressRequest(object: string, location: string) {
    return {
      purpose: `read the progress of the upload of ${object}`,
      method: 'HEAD',
      url: location,
      headers: { ...key, ...TUS },
      retry: 'repeat',
    } as const
  }

  /** The upload continues where the server says, on the files host only, because the key is sent there. */
  function followLocation({ purpose }: HttpRequest, { headers }: HttpResponse): string {
    const location =
      typeof headers.location === 'string'
        ? URL.parse(headers.location, `${files}/files/upload/attachments/`)
        : null
    if (location === null) throw unexpected(purpose, 'it does not say where the upload continues')
    if (location.origin !== new URL(files).origin)
      throw new ActionError(
        'upload_elsewhere',
        `The files service redirected the upload to ${location.origin}.`,
        {
          hint: 'The Capgo key is sent only to the files service. If that address is right, set the input "files-url" to it.',
        },
      )
    return location.href
  }

  return { uploadFile }
}

/** Longest total wait of an upload without progress. */
class Patience {
  #left = MAX_RETRY_TIME

  get left(): number {
    return this.#left
  }

  spend(milliseconds: number): void {
    this.#left = Math.max(0, this.#left - milliseconds)
  }

  restore(): void {
    this.#left = MAX_RETRY_TIME
  }
}

/** How many bytes the server says that it has. */
function readProgress({ purpose }: HttpRequest, { status, headers }: HttpResponse, size: number): number {
  // A server may make the upload without a look at the bytes that came along.
  const header = headers['upload-offset'] ?? (status === 201 ? '0' : undefined)
  const offset = typeof header === 'string' && /^\d+$/.test(header) ? Number(header) : Number.NaN
  if (offset <= size) return offset
  throw unexpected(purpose, `it has ${Number.isNaN(offset) ? 'an unknown number' : offset} of ${size} bytes`)
}

/** Offset conflicts, an unfinished upload in the way, a restarted engine, an upload that it forgot. */
function isWorthResuming(response: HttpResponse): boolean {
  if (response.status === 409) return response.code !== 'bundle_already_ready'
  if (response.status === 415) return false
  return response.status === 404
    ? response.code === ''
    : isFault(response) || (response.status === 429 && response.code !== 'on_premise_app')
}

function lost(what: string): ActionError {
  return new ActionError('upload_lost', `The upload of ${what} was interrupted ${MAX_RESUMES + 1} times.`, {
    hint: 'Nothing was published. Re-run the job. It continues with this bundle.',
    transient: true,
  })
}

function uploadRefused(
  { what, size }: UploadObject,
  { purpose }: HttpRequest,
  response: HttpResponse,
): ActionError {
  if (response.status === 413)
    return new ActionError('bundle_too_large', `Capgo rejects ${what}: ${size} bytes are too many.`, {
      hint: 'Leave out source maps and large media, or load them from a server.',
    })
  if (response.status === 415)
    return new ActionError('stored_differs', `The bytes of ${what} changed on their way to Capgo.`, {
      hint: 'Nothing was published. Re-run the job. If it fails again, check for a proxy that changes the data.',
    })
  return refusal(purpose, response, 'app.upload_bundle')
}
