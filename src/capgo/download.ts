/** Objects that are read to be compared: streamed, hashed and thrown away. */
import { ActionError } from '../errors.ts'
import { Digest } from '../runtime/digest.ts'
import { refusal } from './errors.ts'
import type { Http } from './http.ts'
import type { HttpRequest } from './request.ts'
import type { HttpResponse } from './response.ts'

/** Undoes an encryption piece by piece; `final` throws when it was another one. */
export type Decode = () => { update(piece: Buffer): Buffer; final(): Buffer }

export interface StoredHash {
  /** Lower-case hex; null when the bytes are not those of that encryption, or too many. */
  readonly sha256: string | null
  /** Bytes as they are stored. */
  readonly size: number
}

class TooLong extends ActionError {}

/** A device would not get it, however often it asks. */
export function isGone({ status }: HttpResponse): boolean {
  return status === 404 || status === 403 || status === 410
}

interface StoredObject {
  readonly http: Http
  readonly purpose: string
  readonly url: string
  /** Bytes that may come at most. */
  readonly maxBytes: number
  /** Milliseconds. */
  readonly timeout: number
}

/** Null when the object does not exist. */
export async function hashObject(
  { http, purpose, url, maxBytes, timeout }: StoredObject,
  decode?: Decode,
): Promise<StoredHash | null> {
  let hash = new Digest()
  let decoder = decode?.()
  let size = 0
  const request: HttpRequest = {
    purpose,
    method: 'GET',
    url,
    retry: 'repeat',
    timeout,
    onBody: () => {
      hash = new Digest()
      decoder = decode?.()
      size = 0
      return piece => {
        size += piece.length
        if (size > maxBytes)
          throw new TooLong('response_too_long', `Could not ${purpose}: the download does not end.`)
        hash.update(decoder?.update(piece) ?? piece)
      }
    },
  }
  try {
    const response = await http.send(request)
    if (isGone(response)) return null
    if (response.status !== 200) throw refusal(purpose, response)
  } catch (error) {
    if (error instanceof TooLong) return { sha256: null, size }
    throw error
  }
  try {
    if (decoder !== undefined) hash.update(decoder.final())
    return { sha256: hash.sha256(), size }
  } catch {
    return { sha256: null, size }
  }
}
