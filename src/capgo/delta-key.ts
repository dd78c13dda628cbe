/** Where a file of a bundle is stored: no two files of an app share a key. */
import { sha256 } from '../runtime/digest.ts'
import type { App, ManifestEntry } from './schema.ts'

/**
 * Names that stand in a key as they are. Others have characters that addresses write in several ways, or `_`: keys of
 * older versions of this action wrote each odd character so, and several names had the same key.
 */
const PLAIN = /^[A-Za-z0-9./-]{1,100}$/
/** Characters of another name that are shown in its key. The store takes keys of 1024 bytes. */
const SHOWN_LIMIT = 30

/**
 * Capgo counts the users of an object by hash and file name, and removes it with the last one, whoever else's rows name
 * the same key. So the key is made of both.
 */
export function deltaKey(
  app: Pick<App, 'owner_org' | 'app_id'>,
  { file_hash: hash, file_name: name }: Pick<ManifestEntry, 'file_hash' | 'file_name'>,
  /** Of an encrypted bundle, whose objects are its own. */
  sessionKey: string | null,
): string {
  const scope = sessionKey === null ? '' : `${Buffer.from(sessionKey).toString('hex')}/`
  const tail = PLAIN.test(name)
    ? `_${name}`
    : `-${sha256(name)}_${name.slice(-SHOWN_LIMIT).replace(/[^A-Za-z0-9.-]/g, '_')}`
  return `orgs/${app.owner_org}/apps/${app.app_id}/delta/${scope}${sha256(hash)}${tail}`
}

/** Whether no other file can have the key of this one. */
export function isOwnKey(row: ManifestEntry, sessionKey: string | null): boolean {
  const [, owner_org = '', , app_id = ''] = row.s3_path.split('/')
  return row.s3_path === deltaKey({ owner_org, app_id }, row, sessionKey)
}
