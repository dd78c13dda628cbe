/** Objects of Capgo's store, as the files service gives them to everybody. */
import { randomUUID } from 'node:crypto'
import type { Connection } from './connection.ts'
import { type Decode, hashObject, type StoredHash } from './download.ts'
import { refusal } from './errors.ts'
import type { HttpRequest } from './request.ts'
import { type HttpResponse, totalOf } from './response.ts'

/** 10 minutes for one object or chunk (contract of the API: suggested client timeouts). */
export const CHUNK_TIMEOUT = 600_000

/** Where Capgo stores a bundle's zip. */
export function zipKey(zip: {
  readonly ownerOrg: string
  readonly appId: string
  readonly name: string
}): string {
  return `orgs/${zip.ownerOrg}/apps/${zip.appId}/${zip.name}.zip`
}

/** An object's key as a part of an address. */
export function keyPath(key: string): string {
  return key.split('/').map(encodeURIComponent).join('/')
}

export function storedObjects({ http, files }: Connection) {
  /** Public address of an object. Responses are cached for a year for each query, hence the nonce. */
  const addressOf = (key: string) => `${files}/files/read/attachments/${keyPath(key)}?nocache=${randomUUID()}`

  return {
    /**
     * SHA-256 (lower-case hex) and size of a stored object, after `decode` if that is given; null when there is none.
     * Streams it, and reads no more than one byte beyond `maxBytes`.
     */
    hashStored: (key: string, maxBytes: number, decode?: Decode): Promise<StoredHash | null> =>
      hashObject(
        { http, purpose: 'read the stored bundle', url: addressOf(key), maxBytes, timeout: CHUNK_TIMEOUT },
        decode,
      ),

    /** The files service's description of an object, without its content; null when there is none. */
    async describeStored(key: string): Promise<{ size: number; sha256: string | null } | null> {
      const request = {
        purpose: 'check the stored bundle',
        method: 'GET',
        url: addressOf(key),
        headers: { range: 'bytes=0-0' },
        retry: 'repeat',
      } as const
      const response = await http.send(request)
      if (response.status === 404) return null
      if (response.status !== 206 && response.status !== 200) throw refusal(request.purpose, response)
      const checksum = response.headers['x-checksum-sha256']
      return {
        size: totalOf(response) ?? Number(response.headers['content-length']),
        sha256: typeof checksum === 'string' ? Buffer.from(checksum, 'base64').toString('hex') : null,
      }
    },

    /** The last bytes of an object, `length` at most, and its size; null when there is none. One request. */
    async readStoredTail(key: string, length: number): Promise<{ size: number; tail: Buffer } | null> {
      let pieces: Buffer[] = []
      const request: HttpRequest = {
        purpose: 'read the end of the stored bundle',
        method: 'GET',
        url: addressOf(key),
        headers: { range: `bytes=-${length}` },
        retry: 'once',
        onBody: () => {
          pieces = []
          let size = 0
          return piece => {
            size += piece.length
            if (size > length) throw new Error('the server sends more than was requested')
            pieces.push(piece)
          }
        },
      }
      const response: HttpResponse = await http.send(request)
      if (response.status !== 206 && response.status !== 200) return null
      const tail = Buffer.concat(pieces)
      return { size: totalOf(response) ?? tail.length, tail }
    },
  }
}
