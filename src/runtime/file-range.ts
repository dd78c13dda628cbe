/** Reads a part of a file in pieces. */
import { open } from 'node:fs/promises'

/** Bytes that are read at once: as many as a socket holds before it asks its writer to wait. */
const PIECE = 64 * 1024
/** A piece may be on its way while the next ones are read. */
const PIECES = 4

/**
 * `length` bytes of a file from `start` on, in pieces; shorter when the file ends before. A piece is good until the
 * fourth after it is asked for. Not a stream of Node's: the buffers of those wait long for the garbage collector, which
 * takes half of an upload's time and most of its memory.
 */
export async function* readRange(path: string, start: number, length: number): AsyncGenerator<Uint8Array> {
  const pieces: Uint8Array[] = []
  const file = await open(path)
  try {
    for (let sent = 0, count = 0; sent < length; count++) {
      const piece = pieces[count % PIECES] ?? new Uint8Array(Math.min(PIECE, length))
      pieces[count % PIECES] = piece
      const wanted = Math.min(piece.length, length - sent)
      let filled = 0
      // Whole pieces, so that a socket that takes one more holds none that was before.
      for (let read = -1; filled < wanted && read !== 0; filled += read)
        read = (await file.read(piece, filled, wanted - filled, start + sent + filled)).bytesRead
      if (filled === 0) return
      sent += filled
      yield piece.subarray(0, filled)
    }
  } finally {
    await file.close()
  }
}
