/** Keys for encrypted bundles, in the form that Capgo's CLI makes. */
import { generateKeyPairSync } from 'node:crypto'

/** PEM, PKCS#1. */
export const createKeyPair = (): { privateKey: string; publicKey: string } =>
  generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'pkcs1', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  })
