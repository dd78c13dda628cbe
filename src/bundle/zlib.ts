/**
 * zlib's deflate in WebAssembly, as @zip.js/zip.js ships it. Node's own zlib makes other bytes after an update, and made
 * others on other processors until Node 20; this one makes the same everywhere.
 */

/** The compiled code; threads share it. */
export interface ZlibCode {
  readonly [Symbol.toStringTag]: 'WebAssembly.Module'
}

/** The parts of it that are used; TypeScript has these types in its library for browsers alone. */
declare const WebAssembly: {
  compile(code: Uint8Array): Promise<ZlibCode>
  readonly Instance: new (code: ZlibCode) => { readonly exports: unknown }
}

/** Addresses and lengths are bytes in `memory`, streams are addresses too; what `deflate_process` returns is below. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer }
  _initialize(): void
  malloc(length: number): number
  deflate_new(): number
  deflate_init_raw(stream: number, level: number): number
  deflate_process(
    stream: number,
    input: number,
    inputLength: number,
    output: number,
    outputLength: number,
    flush: number,
  ): number
  deflate_last_consumed(stream: number): number
  deflate_end(stream: number): number
}

/** Bytes that go in at once, and come out at most. */
export const PIECE = 65_536
/** zlib's own default, between time and size. */
const LEVEL = 6
/** zlib.h */
const Z_NO_FLUSH = 0
const Z_FINISH = 4
const Z_STREAM_END = 1

export interface Deflate {
  /** The deflated bytes that are ready so far. `piece` has at most `PIECE` bytes, and is not needed any more. */
  push(piece: Uint8Array, last: boolean): Uint8Array[]
  /** Gives the memory back; nothing can be pushed any more. */
  end(): void
}

export async function compileZlib(code: Uint8Array): Promise<ZlibCode> {
  return WebAssembly.compile(code)
}

/** For one thread: makes streams of raw deflate. */
export function startZlib(code: ZlibCode): () => Deflate {
  const zlib = new WebAssembly.Instance(code).exports as Exports
  zlib._initialize()
  const [input, output] = [zlib.malloc(PIECE), zlib.malloc(PIECE)]
  return () => {
    const stream = zlib.deflate_new()
    check(zlib.deflate_init_raw(stream, LEVEL))
    return {
      push(piece, last) {
        const ready: Uint8Array[] = []
        new Uint8Array(zlib.memory.buffer).set(piece, input)
        for (let at = 0, isDone = false; !isDone; ) {
          const left = piece.length - at
          const flush = last ? Z_FINISH : Z_NO_FLUSH
          const result = zlib.deflate_process(stream, input + at, left, output, PIECE, flush)
          // zlib's code in the highest byte, with its sign; the bytes that came out in the others.
          const [status, made] = [result >> 24, result & 0xff_ffff]
          const consumed = zlib.deflate_last_consumed(stream)
          check(status)
          if (made + consumed === 0 && status !== Z_STREAM_END && left > 0) throw ended(status)
          if (made > 0) ready.push(new Uint8Array(zlib.memory.buffer).slice(output, output + made))
          at += consumed
          isDone = last ? status === Z_STREAM_END : at === piece.length
        }
        return ready
      },
      end: () => void zlib.deflate_end(stream),
    }
  }
}

function check(status: number): void {
  if (status < 0) throw ended(status)
}

function ended(status: number): Error {
  return new Error(`zlib ended with status ${status}.`)
}
