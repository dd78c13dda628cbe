// The delta files of a bundle: rows of the table `manifest`, and their objects.
import { retired } from './objects.ts'
import type { BundleRow } from './rows.ts'
import type { Store } from './store.ts'

/**
 * Deletes the delta rows of a bundle. The object of a row is retired unless another bundle has a row with the same hash
 * and file name: rows of another name that point at the same object do not count.
 */
export function dropManifest(store: Store, bundle: BundleRow): void {
  const rows = store.list('manifest', { app_version_id: bundle.id })
  if (rows.length === 0) return
  for (const { id, file_hash, file_name, s3_path } of rows) {
    const users = store.select(
      'manifest',
      'file_hash = ? AND file_name = ? AND app_version_id <> ?',
      [file_hash, file_name, bundle.id],
      'LIMIT 1',
    )
    if (users.length === 0) store.objects.move(s3_path, retired(s3_path))
    store.remove('manifest', id)
  }
  const app = store.find('apps', { app_id: bundle.app_id })
  if (app) store.update('apps', app, { manifest_bundle_count: Math.max(0, app.manifest_bundle_count - 1) })
}

/** Inbox column -> rows; entries that miss a field are dropped, and nothing happens when rows exist already. */
export function takeUpManifest(store: Store, bundle: BundleRow): void {
  if (bundle.manifest === null || bundle.deleted) return
  const complete = Array.isArray(bundle.manifest)
    ? bundle.manifest.filter(entry => entry?.file_name && entry.s3_path && entry.file_hash)
    : []
  if (store.count('manifest', { app_version_id: bundle.id }) === 0 && complete.length > 0)
    insertManifest(store, bundle, complete)
  const current = store.find('app_versions', { id: bundle.id })!
  store.update('app_versions', current, { manifest: null })
}

export function insertManifest(
  store: Store,
  bundle: BundleRow,
  entries: { file_name: string; s3_path: string; file_hash: string }[],
) {
  for (const { file_name, s3_path, file_hash } of entries)
    store.insert('manifest', {
      app_version_id: bundle.id,
      file_name,
      s3_path,
      file_hash,
      file_size: store.objects.stat(s3_path)?.size ?? 0,
    })
  store.update('app_versions', bundle, { manifest_count: entries.length })
  const app = store.find('apps', { app_id: bundle.app_id })!
  store.update('apps', app, { manifest_bundle_count: app.manifest_bundle_count + 1 })
}
