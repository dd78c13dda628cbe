import { createHash, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { describe, expect, it } from 'vitest'
import { readRange } from '../../../src/runtime/file-range.ts'
import { makeProject } from '../checkout/project.ts'

const BYTES = randomBytes(1_000_003)
const path = `${makeProject({ bytes: BYTES })}/bytes`

async function collect(start: number, length: number): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of readRange(path, start, length)) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces)
}

describe('readRange', () => {
  it.each([
    [0, 1_000_003],
    [0, 1],
    [65_535, 65_537],
    [999_999, 4],
    [0, 0],
  ])('reads from byte %i on %i bytes', async (start, length) => {
    expect((await collect(start, length)).equals(BYTES.subarray(start, start + length))).toBe(true)
  })

  it('ends where the file does', async () => {
    expect((await collect(999_000, 5_000)).length).toBe(1_003)
    expect(await collect(2_000_000, 5)).toHaveLength(0)
  })

  it('arrives as it is at a server that is slow to read', async () => {
    const large = randomBytes(24_000_000)
    const folder = makeProject({ large })
    const hash = createHash('sha256')
    const server = createServer(async (asked, answer) => {
      let taken = 0
      for await (const chunk of asked) {
        hash.update(chunk)
        // Mostly fast, sometimes so slow that the socket is full.
        const before = taken
        taken += chunk.length
        if (Math.floor(before / 4_000_000) !== Math.floor(taken / 4_000_000)) await sleep(50)
      }
      answer.end()
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const { body } = await request(`http://127.0.0.1:${port}`, {
      method: 'POST',
      headers: { 'content-length': String(large.length) },
      body: readRange(`${folder}/large`, 0, large.length) as never,
      dispatcher: new Agent(),
    })
    await body.dump()
    server.close()
    expect(hash.digest('hex')).toBe(createHash('sha256').update(large).digest('hex'))
  })
})
