/** The key pair of an app: the public key in its Capacitor config, and the input `private-key`. */
import { dirname } from 'node:path'
import { isSameKey, keyIdOf, type Opener, readEncryption, readOpener } from '../../bundle/encrypt.ts'
import type { CapacitorConfig } from '../../checkout/capacitor-config.ts'
import { ActionError } from '../../errors.ts'
import { shownPath } from '../../runtime/paths.ts'
import type { AppConfig } from './app-config.ts'

/**
 * Devices open a bundle with the public key of the Capacitor config: it must be that of the input `private-key`.
 * Throws `private_key_missing`, `private_key_unfit`, `public_key_missing`, `public_key_mismatch`; returns what devices
 * may stumble over. `config` is null where it was not read.
 */
export async function checkKeys(
  privateKey: string,
  config: CapacitorConfig | null,
  root: string,
): Promise<string[]> {
  if (config === null)
    return privateKey === ''
      ? []
      : [
          'The Capacitor config was not read, so its publicKey was not compared with the input "private-key". Devices with another key reject the bundle.',
        ]
  // For the plugin an empty one is none.
  const publicKey = config.updater.publicKey?.trim() ?? ''
  const at = { file: shownPath(root, config.file) }
  if (privateKey === '') {
    if (publicKey === '') return []
    throw new ActionError(
      'private_key_missing',
      `${at.file} has a publicKey, and the input "private-key" is empty.`,
      {
        hint: 'Set private-key to the private key of that pair, from a secret. The app accepts only encrypted bundles: iOS always, Android since @capgo/capacitor-updater 8.51.23. Or remove publicKey from the config, and release the app to the stores.',
        at,
      },
    )
  }
  const own = await readEncryption(privateKey, dirname(config.file), null)
  if (publicKey === '')
    throw new ActionError('public_key_missing', `${at.file} has no plugins.CapacitorUpdater.publicKey.`, {
      hint: 'Devices need it to open an encrypted bundle. Add the public key (.capgo_key_v2.pub) and release the app to the stores, or remove the input "private-key".',
      at,
    })
  if (!isSameKey(publicKey, own.publicKey))
    throw new ActionError(
      'public_key_mismatch',
      `The public key ${keyIdOf(publicKey)}… in ${at.file} does not match the private key, whose public key is ${own.keyId}….`,
      {
        hint: 'Set the input "private-key" to the private key of the pair in the config. Otherwise no device could open the bundle.',
        at,
      },
    )
  return []
}

/** Opens bundles as the app's devices do; null where neither of the two keys is known. */
export async function readAppOpener(
  privateKey: string,
  { config, capacitorDirectory }: Pick<AppConfig, 'config' | 'capacitorDirectory'>,
): Promise<Opener | null> {
  if (privateKey !== '') return readEncryption(privateKey, capacitorDirectory, null)
  const publicKey = config?.updater.publicKey
  return publicKey === undefined ? null : readOpener(publicKey)
}
