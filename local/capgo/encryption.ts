// An organisation's rules for the encryption of bundles.
import { PgError } from './errors.ts'
import type { BundleRow } from './rows.ts'
import type { Store } from './store.ts'

/** Why the organisation does not take the bundle as it is encrypted, or null. Asked before row security. */
export function refuseUnencrypted(
  store: Store,
  { owner_org, session_key, key_id }: Partial<Pick<BundleRow, 'owner_org' | 'session_key' | 'key_id'>>,
): { code: string; message: string } | null {
  const org = store.find('orgs', { id: String(owner_org) })
  if (!org?.enforce_encrypted_bundles) return null
  if (!session_key)
    return {
      code: 'encryption_required',
      message:
        'This organization requires all bundles to be encrypted. Please upload an encrypted bundle with a session_key.',
    }
  const required = org.required_encryption_key
  if (!required) return null
  const specific = 'This organization requires bundles to be encrypted with a specific key.'
  if (!key_id)
    return {
      code: 'encryption_key_required',
      message: `${specific} The uploaded bundle does not have a key_id.`,
    }
  // Key ids have 20 characters, and what is demanded may have 21.
  if (key_id === required.slice(0, 20) || key_id.startsWith(required)) return null
  return {
    code: 'encryption_key_mismatch',
    message: `${specific} The uploaded bundle was encrypted with a different key.`,
  }
}

export function requireEncryption(store: Store, bundle: BundleRow): void {
  const refused = refuseUnencrypted(store, bundle)
  if (refused !== null) throw new PgError('P0001', `${refused.code}: ${refused.message}`)
}
