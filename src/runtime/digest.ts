/** Size and SHA-256 of bytes that come piece by piece. */
import { createHash } from 'node:crypto'

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
