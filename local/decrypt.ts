import { constants, createDecipheriv, publicDecrypt } from 'node:crypto'
import type { Decryptor } from './device.ts'

/** What the plugin does with the public key of the app's config. */
export function createDecryptor(publicKey: string): Decryptor {
  const open = (bytes: Buffer) =>
    publicDecrypt({ key: publicKey, padding: constants.RSA_PKCS1_PADDING }, bytes)
  return {
    content(bytes, sessionKey) {
      const [iv, key] = sessionKey.split(':').map(part => Buffer.from(part, 'base64'))
      const decipher = createDecipheriv('aes-128-cbc', open(key!), iv!)
      return Buffer.concat([decipher.update(bytes), decipher.final()])
    },
    checksum(signed) {
      if (/^[0-9a-f]{512}$/.test(signed)) return open(Buffer.from(signed, 'hex')).toString('hex')
      // The older form: the text of the checksum was read as if it were base64.
      return open(Buffer.from(signed, 'base64')).toString('base64')
    },
  }
}
