import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { zlib } from '../../../local/zlib.ts'
import { zipDirectory } from '../../../src/bundle/zip.ts'
import { listZip, tailFor } from '../../../src/bundle/zip-listing.ts'
import { makeProject } from '../checkout/project.ts'

async function madeZip(): Promise<Buffer> {
  const directory = makeProject({
    'index.html': 'hello',
    'assets/a.js': 'a'.repeat(1000),
    'assets/photo.png': randomBytes(200_000),
  })
  const files = [
    { path: 'assets/a.js', size: 1000 },
    { path: 'assets/photo.png', size: 200_000 },
    { path: 'index.html', size: 5 },
  ]
  const to = join(makeProject({}), 'bundle.zip')
  return readFileSync((await zipDirectory({ directory, files, to, worker: null, zlib })).path)
}

/** The end of a zip's directory, which says where that begins. */
function endSaying(offset: number): Buffer {
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(1, 8)
  end.writeUInt16LE(1, 10)
  end.writeUInt32LE(46, 12)
  end.writeUInt32LE(offset, 16)
  return end
}

describe('listZip', () => {
  it('lists the files from the whole zip, and from its end', async () => {
    const zip = await madeZip()
    const files = [
      expect.objectContaining({ path: 'assets/a.js', size: 1000 }),
      expect.objectContaining({ path: 'assets/photo.png', size: 200_000 }),
      expect.objectContaining({ path: 'index.html', size: 5 }),
    ]
    expect(await listZip({ size: zip.length, tail: zip })).toEqual(files)
    expect(await listZip({ size: zip.length, tail: zip.subarray(-tailFor(3)) })).toEqual(files)
  })

  it('refuses an end that does not hold the directory', async () => {
    const zip = await madeZip()
    await expect(listZip({ size: zip.length, tail: zip.subarray(-60) })).rejects.toThrow('longer than what')
  })

  it.each([0, 10, 22, 1_000, 0xffff_fff0])('refuses a directory said to be at byte %i', async offset => {
    const tail = endSaying(offset)
    await expect(listZip({ size: tail.length, tail })).rejects.toThrow()
  })
})
