/** Objects that are read to be compared: streamed, hashed and thrown away. */
import { createHash } from 'node:crypto'
import { ActionError } from '../errors.ts'
import { refusal } from './errors.ts'
import type { Answer, Call, Http } from './http.ts'

/** Undoes an encryption piece by piece; `final` throws when it was another one. */
export type Decode = () => { update(piece: Buffer): Buffer; final(): Buffer }

export interface Hashed {
  /** Lower-case hex; null when the bytes are not those of that encryption, or too many. */
  readonly sha256: string | null
  /** Bytes as they are stored. */
  readonly size: number
}

class TooLong extends ActionError {}

/** A device would not get it, however often it asks. */
export function isGone({ status }: Answer): boolean {
  return status === 404 || status === 403 || status === 410
}

interface Source {
  readonly http: Http
  readonly what: string
  readonly url: string
  /** Bytes that may come at most. */
  readonly longest: number
  /** Milliseconds. */
  readonly timeout: number
}

/** Null when there is no such object. */
export async function hashObject(
  { http, what, url, longest, timeout }: Source,
  decode?: Decode,
): Promise<Hashed | null> {
  let hash = createHash('sha256')
  let decoder = decode?.()
  let size = 0
  const call: Call = {
    what,
    method: 'GET',
    url,
    retry: 'repeat',
    timeout,
    onBody: () => {
      hash = createHash('sha256')
      decoder = decode?.()
      size = 0
      return piece => {
        size += piece.length
        if (size > longest) throw new TooLong('answer_too_long', `Could not ${what}: it does not end.`)
        hash.update(decoder?.update(piece) ?? piece)
      }
    },
  }
  try {
    const answer = await http.send(call)
    if (isGone(answer)) return null
    if (answer.status !== 200) throw refusal(call, answer)
  } catch (error) {
    if (error instanceof TooLong) return { sha256: null, size }
    throw error
  }
  try {
    if (decoder !== undefined) hash.update(decoder.final())
    return { sha256: hash.digest('hex'), size }
  } catch {
    return { sha256: null, size }
  }
}
