import { describe, expect, it } from 'vitest'
import { encryptedSize, readEncryption, readOpener } from '../../../src/bundle/encrypt.ts'
import { createKeyPair } from '../../helpers/key-pair.ts'

const pair = () => createKeyPair()
const SHA256 = 'ab'.repeat(32)

describe('a public key', () => {
  const { privateKey, publicKey } = pair()
  it.each(['8.0.0', '7.0.0', null])('reads what the private one signed for plugin %s', async plugin => {
    const own = await readEncryption(privateKey, '/', plugin)
    const opener = readOpener(publicKey)!
    expect(opener.readSignature(own.sign(SHA256))).toBe(SHA256)
    const session = own.newSession()
    const cipher = session.cipher()
    const sealed = Buffer.concat([cipher.update('page'), cipher.final()])
    expect(sealed).toHaveLength(encryptedSize(4))
    const decipher = opener.openSession(session.sessionKey)!.decipher()
    expect(Buffer.concat([decipher.update(sealed), decipher.final()]).toString()).toBe('page')
  })

  it('opens nothing of another pair, and no text is a key', async () => {
    const own = await readEncryption(privateKey, '/', null)
    const other = readOpener(pair().publicKey)!
    expect(other.openSession(own.newSession().sessionKey)).toBeNull()
    expect(other.readSignature(own.sign(SHA256))).not.toBe(SHA256)
    expect(readOpener('hunter2')).toBeNull()
    // As it stands in a config on one line.
    expect(readOpener(publicKey.replaceAll('\n', '\\n'))).not.toBeNull()
  })
})
