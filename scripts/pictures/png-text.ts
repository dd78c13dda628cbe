/** Text inside a PNG: the picture carries the Markdown that it shows, so that a test can compare. */
import { crc32, deflateSync, inflateSync } from 'node:zlib'

const SIGNATURE_LENGTH = 8
const KEYWORD = 'Markdown'
/** After the keyword: compressed (1) by deflate (0), no language, no translated keyword. PNG, chapter 11.3.3.4. */
const ITXT_HEAD = Buffer.from(`${KEYWORD}\0\x01\0\0\0`, 'latin1')

/** The picture with `text` as an iTXt chunk before its end. */
export function writeText(png: Buffer, text: string): Buffer {
  const end = png.length - 12
  if (png.toString('latin1', end + 4, end + 8) !== 'IEND') throw new Error('The PNG does not end with IEND.')
  const body = Buffer.concat([Buffer.from('iTXt', 'latin1'), ITXT_HEAD, deflateSync(text)])
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(body.length - 4)
  check.writeUInt32BE(crc32(body))
  return Buffer.concat([png.subarray(0, end), length, body, check, png.subarray(end)])
}

/** Null for a picture without it. */
export function readText(png: Buffer): string | null {
  for (let at = SIGNATURE_LENGTH; at < png.length; ) {
    const length = png.readUInt32BE(at)
    const data = png.subarray(at + 8, at + 8 + length)
    const isText = png.toString('latin1', at + 4, at + 8) === 'iTXt'
    if (isText && data.subarray(0, ITXT_HEAD.length).equals(ITXT_HEAD))
      return inflateSync(data.subarray(ITXT_HEAD.length)).toString()
    at += length + 12
  }
  return null
}
