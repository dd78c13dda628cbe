/** Size and SHA-256 of bytes that come piece by piece. */
import { createHash, createHmac } from 'node:crypto'

export class Digest {
  /** Bytes so far. */
  size = 0
  readonly #hash = createHash('sha256')

  update(piece: Uint8Array): void {
    this.#hash.update(piece)
    this.size += piece.length
  }

  /** Lower-case hex; nothing can be added any more. */
  sha256(): string {
    return this.#hash.digest('hex')
  }

  /** A step of a pipeline: passes everything on, and counts what flows by. */
  readonly tap = async function* (this: Digest, pieces: AsyncIterable<Buffer>) {
    for await (const piece of pieces) {
      this.update(piece)
      yield piece
    }
  }.bind(this)
}

/** SHA-256 of bytes or a text, as lower-case hex. */
export function sha256(content: Uint8Array | string): string {
  return createHash('sha256').update(content).digest('hex')
}

/** HMAC-SHA256 of a text. */
export function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

/** Bytes of a proof: more than anybody guesses. */
const PROOF = 16

/** HMAC-SHA256 of a text, as so much lower-case hex as proves it. Nothing of the key can be learned from it. */
export function signatureOf(key: Buffer, text: string): string {
  return hmac(key, text).subarray(0, PROOF).toString('hex')
}
