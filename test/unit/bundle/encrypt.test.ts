import { createHash, generateKeyPairSync } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createDecryptor } from '../../../local/decrypt.ts'
import { makeScratch } from '../../../local/runner/scratch.ts'
import { encryptFile, isSameKey, keyIdOf, readEncryption } from '../../../src/bundle/encrypt.ts'
import { createKeyPair } from '../../helpers/key-pair.ts'

const pair = createKeyPair()
const SHA256 = createHash('sha256').update('content').digest('hex')
const folder = makeScratch('encrypt')
const read = (value: string, plugin: string | null = null) => readEncryption(value, folder, plugin)

/** As the input of a form: a line that was pasted over another one. OpenSSL reads it. */
function changed(pem: string): string {
  const lines = pem.split('\n')
  return lines.with(3, lines[10]!).join('\n')
}

describe('the private key', () => {
  it.each([
    ['PEM', pair.privateKey],
    ['PEM with CRLF', pair.privateKey.replaceAll('\n', '\r\n')],
    ['PEM with written line breaks', pair.privateKey.replaceAll('\n', '\\n')],
    ['PEM whose line breaks became spaces', pair.privateKey.replaceAll('\n', ' ')],
    ['PEM without any line break', pair.privateKey.replaceAll('\n', '')],
    ['PEM with indented lines', pair.privateKey.replaceAll('\n', '\n    ')],
    ['base64', Buffer.from(pair.privateKey).toString('base64')],
    ['wrapped base64', Buffer.from(pair.privateKey).toString('base64').replace(/.{76}/g, '$&\n')],
  ])('is read as %s', async (_, value) => {
    const encryption = await read(value)
    expect(encryption.publicKey).toBe(pair.publicKey)
  })

  it('is read as PKCS#8 and from a file', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    await read(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
    writeFileSync(join(folder, '.capgo_key_v2'), pair.privateKey)
    expect((await read('.capgo_key_v2')).publicKey).toBe(pair.publicKey)
  })

  it.each([
    ['a public key', pair.publicKey, 'it is the public key'],
    ['a cut one', pair.privateKey.slice(0, 900), 'its end is missing'],
    ['a mutilated one', pair.privateKey.replace(/\n.{64}\n/, '\n'), 'part of it is missing'],
    [
      'one with changed numbers',
      changed(pair.privateKey),
      'Input "private-key" is not a valid key: its numbers do not match, so nothing it encrypts could be decrypted.',
    ],
    ['a path to nothing', 'keys/none.pem', 'neither a key nor the path'],
    [
      'any text',
      'hunter2',
      'Input "private-key" is not a valid key: the line "-----BEGIN RSA PRIVATE KEY-----" is missing.',
    ],
    [
      'a short key',
      generateKeyPairSync('rsa', {
        modulusLength: 1024,
        publicKeyEncoding: { type: 'pkcs1', format: 'pem' },
        privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
      }).privateKey,
      'rsa with 1024 bits',
    ],
    [
      'another kind',
      generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      'Input "private-key" is not a valid key: it is of type ed25519, but devices need RSA with 2048 bits.',
    ],
    [
      'one with a passphrase',
      generateKeyPairSync('rsa', {
        modulusLength: 2048,
        publicKeyEncoding: { type: 'pkcs1', format: 'pem' },
        privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' },
      }).privateKey,
      'passphrase',
    ],
  ])('is refused when it is %s', async (_, value, why) => {
    const error = await read(value).then(
      () => null,
      (error: Error) => error,
    )
    expect(error).toMatchObject({ code: 'private_key_invalid' })
    expect(error?.message).toContain(why)
    for (const line of value.split('\n').filter(line => line.length > 40))
      expect(JSON.stringify(error) + error?.message + error?.stack).not.toContain(line)
  })

  it('has an id that line breaks do not change', () => {
    expect(keyIdOf(pair.publicKey)).toMatch(/^MII[A-Za-z0-9+/]{17}$/)
    expect(keyIdOf(pair.publicKey.replaceAll('\n', '\\n'))).toBe(keyIdOf(pair.publicKey))
    expect(isSameKey(pair.publicKey.replaceAll('\n', '\\n'), pair.publicKey)).toBe(true)
  })

  it('is of the pair only when the whole public key is the same', () => {
    const alike = pair.publicKey.replace(/.(?=\n-----END)/, character => (character === 'A' ? 'B' : 'A'))
    expect(keyIdOf(alike)).toBe(keyIdOf(pair.publicKey))
    expect(isSameKey(alike, pair.publicKey)).toBe(false)
  })
})

describe('a device', () => {
  it.each([
    [null, 'hex'],
    ['8.0.0', 'hex'],
    ['7.30.0', 'hex'],
    ['7.29.9', 'base64'],
    ['6.30.1', 'hex'],
    ['6.14.0', 'base64'],
    ['5.30.0', 'hex'],
    ['4.0.0', 'base64'],
  ])('with plugin %s verifies the checksum (%s)', async (plugin, form) => {
    const encryption = await read(pair.privateKey, plugin)
    const signed = encryption.sign(SHA256)
    expect(signed).toBe(encryption.sign(SHA256))
    expect(signed).toMatch(form === 'hex' ? /^[0-9a-f]{512}$/ : /=$/)
    expect(createDecryptor(pair.publicKey).checksum(signed, '')).toBe(SHA256)
  })

  it('decrypts what was encrypted, whatever it is', async () => {
    const encryption = await read(pair.privateKey)
    const decryptor = createDecryptor(pair.publicKey)
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 5000 }), async bytes => {
        const [from, to] = [join(folder, 'plain'), join(folder, 'sealed')]
        writeFileSync(from, bytes)
        const session = encryption.newSession()
        const sealed = await encryptFile(from, to, session)
        const stored = readFileSync(to)
        expect(sealed).toEqual({
          path: to,
          size: stored.length,
          sha256: createHash('sha256').update(stored).digest('hex'),
        })
        expect(decryptor.content(stored, session.sessionKey)).toEqual(Buffer.from(bytes))
      }),
      { numRuns: 50 },
    )
  })

  it('gets the same bytes from a run that was continued', async () => {
    const encryption = await read(pair.privateKey)
    const session = encryption.newSession()
    const again = encryption.openSession(session.sessionKey)
    const bytes = async (cipher = session.cipher()) => {
      cipher.end('content')
      return Buffer.concat(await cipher.toArray())
    }
    expect(await bytes(again?.cipher())).toEqual(await bytes())
    const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    const other = await read(stranger.export({ type: 'pkcs1', format: 'pem' }).toString())
    expect(other.openSession(session.sessionKey)).toBeNull()
    expect(encryption.openSession('')).toBeNull()
  })
})
