import { crc32, deflateRawSync } from 'node:zlib'

/** An entry as a hostile zip may hold it: every field as it is wanted, true or not. */
export interface RawEntry {
  readonly name: string
  readonly content?: Buffer | string
  /** Unix mode with the kind of file; a symbolic link is `0o120777`. */
  readonly mode?: number
  /** What the zip says of the unpacked size. */
  readonly declaredSize?: number
  readonly stored?: boolean
  readonly flags?: number
  readonly method?: number
  /** Take the bytes of the entry at this place in the list instead of own ones. */
  readonly sameBytesAs?: number
}

/** A zip to the letter, without any check: APPNOTE 4.3. */
export function writeRawZip(entries: readonly RawEntry[]): Buffer {
  const parts: Buffer[] = []
  const central: Buffer[] = []
  const offsets: number[] = []
  let offset = 0
  for (const entry of entries) {
    const content = Buffer.from(entry.content ?? '')
    const packed = entry.stored ? content : deflateRawSync(content)
    const name = Buffer.from(entry.name)
    const header = Buffer.alloc(26)
    header.writeUInt16LE(20, 0)
    header.writeUInt16LE((entry.flags ?? 0) | 0x800, 2)
    header.writeUInt16LE(entry.method ?? (entry.stored ? 0 : 8), 4)
    header.writeUInt32LE(crc32(content), 10)
    header.writeUInt32LE(packed.length, 14)
    header.writeUInt32LE(entry.declaredSize ?? content.length, 18)
    header.writeUInt16LE(name.length, 22)
    const at = entry.sameBytesAs === undefined ? offset : offsets[entry.sameBytesAs]!
    offsets.push(at)
    if (entry.sameBytesAs === undefined) {
      const local = Buffer.concat([Buffer.from('PK\u0003\u0004', 'latin1'), header, name, packed])
      parts.push(local)
      offset += local.length
    }
    const rest = Buffer.alloc(14)
    rest.writeUInt32LE(((entry.mode ?? 0o100644) << 16) >>> 0, 6)
    rest.writeUInt32LE(at, 10)
    central.push(
      Buffer.concat([Buffer.from('PK\u0001\u0002', 'latin1'), Buffer.from([20, 3]), header, rest, name]),
    )
  }
  const directory = Buffer.concat(central)
  const end = Buffer.alloc(22)
  end.write('PK\u0005\u0006', 'latin1')
  end.writeUInt16LE(entries.length & 0xffff, 8)
  end.writeUInt16LE(entries.length & 0xffff, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...parts, directory, end])
}
