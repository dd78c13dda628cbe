/** Encrypts and signs bundles as devices expect it. */
import {
  type Cipheriv,
  constants,
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  type Decipheriv,
  type KeyObject,
  privateEncrypt,
  publicDecrypt,
  randomBytes,
} from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import semver from 'semver'
import { ActionError } from '../errors.ts'
import { isSince } from '../releases.ts'
import { Digest } from '../runtime/digest.ts'
import { nullIfMissing } from '../runtime/system-error.ts'

/** The encryption of one bundle. */
export interface Session {
  /** What Capgo stores and devices get: `base64(IV):base64(AES key, encrypted with the private key)`. */
  readonly sessionKey: string
  cipher(): Cipheriv
  decipher(): Decipheriv
}

/** Decryption, as devices do it with the public key of the app's config. */
export interface Opener {
  /** Null when another key made it. */
  openSession(sessionKey: string): Session | null
  /** The SHA-256 (lower-case hex) that was signed; null when another key did it. */
  readSignature(signed: string): string | null
}

/** Signs and encrypts with the app's private key; devices undo it with the public key in their config. */
export interface Encryption extends Opener {
  /** The first 20 characters of the public key; the server compares it with that of a device. */
  readonly keyId: string
  /** The public key as the Capacitor config holds it: PKCS#1, PEM. */
  readonly publicKey: string
  /** A SHA-256 (lower-case hex) in the form that devices verify. The same each time. */
  sign(sha256: string): string
  newSession(): Session
}

/** Capgo's keys are RSA of this length; a device wants a signature of exactly 256 bytes. */
const KEY_BITS = 2048
const AES = 'aes-128-cbc'
/** RSA with 2048 bits, as hex. */
const SIGNED_BYTES = /^[0-9a-f]{512}$/
const AES_BYTES = 16
const KEY_ID_LENGTH = 20
/** First plugin of each major that takes a signature of the bytes instead of the text (Capgo calls it v3). */
const SIGNS_BYTES = ['5.30.0', '6.30.0', '7.30.0']
const HINT =
  'Use the whole content of .capgo_key_v2, from "-----BEGIN RSA PRIVATE KEY-----" to "-----END RSA PRIVATE KEY-----". Base64 of it, or the path of the file, works too.'

/**
 * Reads the input `private-key`: PEM text, base64 of it, or a path relative to `directory`. Line breaks that a
 * secret store ate or wrote as `\n` are mended. `pluginVersion` is that of the updater in the app, null = newest.
 * Throws `private_key_invalid`, which never quotes the key.
 */
export async function readEncryption(
  value: string,
  directory: string,
  pluginVersion: string | null,
): Promise<Encryption> {
  return createEncryption(
    readKey(await findPem(value, directory)),
    signsText(pluginVersion) ? 'text' : 'bytes',
  )
}

async function findPem(value: string, directory: string): Promise<string> {
  if (value.includes('-----BEGIN')) return value
  const decoded = Buffer.from(value, 'base64').toString('latin1')
  if (decoded.includes('-----BEGIN')) return decoded
  const looksLikePath = value.length < 256 && !value.includes('\n')
  const content = looksLikePath
    ? await readFile(resolve(directory, value), 'utf8').catch(nullIfMissing)
    : null
  if (content === null)
    throw invalidKey(
      looksLikePath && /[./\\]/.test(value)
        ? 'it is neither a key nor the path of a file'
        : 'the line "-----BEGIN RSA PRIVATE KEY-----" is missing',
    )
  return content
}

function readKey(text: string): KeyObject {
  const parts = /-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END \1-----/.exec(text)
  if (parts === null) throw invalidKey('its end is missing, so the secret was cut off')
  const [, label = '', body = ''] = parts
  if (label.endsWith('PUBLIC KEY'))
    throw invalidKey('it is the public key, which belongs in the Capacitor config')
  if (label.startsWith('ENCRYPTED') || body.includes('ENCRYPTED'))
    throw invalidKey('it is protected by a passphrase, which this action cannot enter')
  const base64 = body.replace(/\\[rn]|\s/g, '')
  let key: KeyObject
  try {
    key = createPrivateKey(
      `-----BEGIN ${label}-----\n${base64.replace(/.{64}/g, '$&\n').trimEnd()}\n-----END ${label}-----\n`,
    )
  } catch {
    throw invalidKey('its content cannot be read, so part of it is missing or was changed')
  }
  const bits = key.asymmetricKeyDetails?.modulusLength
  if (key.asymmetricKeyType !== 'rsa' || bits !== KEY_BITS)
    throw invalidKey(
      `it is of type ${key.asymmetricKeyType}${bits === undefined ? '' : ` with ${bits} bits`}, but devices need RSA with ${KEY_BITS} bits`,
    )
  return key
}

function invalidKey(why: string): ActionError {
  return new ActionError('private_key_invalid', `Input "private-key" is not a valid key: ${why}.`, {
    hint: HINT,
  })
}

/** Older plugins verify a signature that was made of the checksum's text as if that were base64. */
function signsText(pluginVersion: string | null): boolean {
  if (pluginVersion === null || semver.valid(pluginVersion) === null) return false
  const signsBytes = isSince(pluginVersion, SIGNS_BYTES)
  return signsBytes === null ? semver.major(pluginVersion) < 5 : !signsBytes
}

function createEncryption(privateKey: KeyObject, signed: 'text' | 'bytes'): Encryption {
  const padding = constants.RSA_PKCS1_PADDING
  const publicKey = createPublicKey(privateKey)
  const pem = publicKey.export({ type: 'pkcs1', format: 'pem' }).toString()
  const seal = (bytes: Buffer) => privateEncrypt({ key: privateKey, padding }, bytes)
  if (!opens(publicKey, seal, padding))
    throw invalidKey('its numbers do not match, so nothing it encrypts could be decrypted')
  return {
    ...createOpener(publicKey),
    publicKey: pem,
    keyId: keyIdOf(pem),
    sign: sha256 =>
      signed === 'text'
        ? seal(Buffer.from(sha256, 'base64')).toString('base64')
        : seal(Buffer.from(sha256, 'hex')).toString('hex'),
    newSession() {
      const [iv, key] = [randomBytes(AES_BYTES), randomBytes(AES_BYTES)]
      return session(iv, key, `${iv.toString('base64')}:${seal(key).toString('base64')}`)
    },
  }
}

/** Opens what the private key of this public one (PEM, PKCS#1) has sealed. Null for any other text. */
export function readOpener(publicKey: string): Opener | null {
  try {
    return createOpener(createPublicKey(publicKey.replaceAll('\\n', '\n')))
  } catch {
    return null
  }
}

function createOpener(publicKey: KeyObject): Opener {
  const open = (bytes: Buffer) =>
    publicDecrypt({ key: publicKey, padding: constants.RSA_PKCS1_PADDING }, bytes)
  return {
    openSession(sessionKey) {
      try {
        const [iv, sealed] = sessionKey.split(':').map(part => Buffer.from(part, 'base64'))
        const key = open(sealed ?? Buffer.of())
        return iv?.length === AES_BYTES && key.length === AES_BYTES ? session(iv, key, sessionKey) : null
      } catch {
        return null
      }
    },
    readSignature(signed) {
      try {
        return SIGNED_BYTES.test(signed)
          ? open(Buffer.from(signed, 'hex')).toString('hex')
          : // The older form: the checksum's text was read as if it were base64.
            open(Buffer.from(signed, 'base64')).toString('base64')
      } catch {
        return null
      }
    },
  }
}

function session(iv: Buffer, key: Buffer, sessionKey: string): Session {
  return {
    sessionKey,
    cipher: () => createCipheriv(AES, key, iv),
    decipher: () => createDecipheriv(AES, key, iv),
  }
}

/** OpenSSL reads a key whose numbers were changed, and then either fails or seals what nobody opens. */
function opens(publicKey: KeyObject, seal: (bytes: Buffer) => Buffer, padding: number): boolean {
  const probe = randomBytes(AES_BYTES)
  try {
    return publicDecrypt({ key: publicKey, padding }, seal(probe)).equals(probe)
  } catch {
    return false
  }
}

/** Of a public key in PEM. */
export function keyIdOf(publicKey: string): string {
  return bodyOf(publicKey).slice(0, KEY_ID_LENGTH)
}

/** Whether two texts are the same public key. Their ids alone can be the same: an id has six bytes of a key. */
export function isSameKey(one: string, other: string): boolean {
  return bodyOf(one) === bodyOf(other)
}

/** The same whatever the line breaks are. */
function bodyOf(pem: string): string {
  return pem.replace(/-----[^-]+-----/g, '').replace(/\\n|\s/g, '')
}

/** AES pads to whole blocks, by one byte at least. */
export function encryptedSize(bytes: number): number {
  return bytes + AES_BYTES - (bytes % AES_BYTES)
}

/** SHA-256 and size of what `encryptFile` would write. */
export async function hashEncrypted(
  from: string,
  session: Session,
): Promise<{ readonly size: number; readonly sha256: string }> {
  const digest = new Digest()
  await pipeline(createReadStream(from), session.cipher(), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) digest.update(chunk)
  })
  return { size: digest.size, sha256: digest.sha256() }
}

/** Encrypts a file; streams it. Returns size and SHA-256 of what was written. */
export async function encryptFile(
  from: string,
  to: string,
  session: Session,
): Promise<{ readonly path: string; readonly size: number; readonly sha256: string }> {
  const digest = new Digest()
  await pipeline(createReadStream(from), session.cipher(), digest.tap, createWriteStream(to))
  return { path: to, size: digest.size, sha256: digest.sha256() }
}
