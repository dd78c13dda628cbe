// Triggers of Capgo's database around each write of a bundle.
import { isDeepStrictEqual } from 'node:util'
import { requireEncryption } from './encryption.ts'
import { PgError } from './errors.ts'
import { dropManifest } from './manifests.ts'
import { bundlePath } from './objects.ts'
import { ownerOf, previewOwner } from './permissions.ts'
import type { Actor, BundleRow } from './rows.ts'
import type { Store, TableTriggers } from './store.ts'

/** The consumer of the manifest queue runs about every 10 s (contract 19). */
export const MANIFEST_ROWS_MS = 10_000

export const bundleTriggers: TableTriggers<BundleRow> = {
  beforeInsert: insertBundle,
  beforeUpdate: updateBundle,
  afterInsert(store, { app_id, name }) {
    const app = store.find('apps', { app_id })
    if (app) store.update('apps', app, { last_version: name })
  },
  afterUpdate(store, old, bundle) {
    // The queue listens to updates only: a manifest given with the insert alone is never taken up.
    if (bundle.manifest !== null)
      store.schedule('manifest_rows', MANIFEST_ROWS_MS, { app_id: bundle.app_id, ref: bundle.id })
    if (bundle.deleted && !old.deleted)
      store.schedule('bundle_removed', MANIFEST_ROWS_MS, { app_id: bundle.app_id, ref: bundle.id })
  },
  afterDelete(store, bundle) {
    for (const channel of store.list('channels', { version: bundle.id }))
      store.update('channels', channel, { version: null })
    for (const channel of store.list('channels', { rollout_version: bundle.id }))
      store.update('channels', channel, { rollout_version: null })
    dropManifest(store, bundle)
  },
}

function insertBundle(store: Store, bundle: BundleRow, as: Actor): void {
  bundle.owner_org = ownerOf(store, bundle.app_id)
  bundle.created_by_apikey_rbac_id = previewOwner(store, as.key, bundle.app_id)
  bundle.manifest_count ??= 0
  if (as.key) requireEncryption(store, bundle)
  if (store.profile === 'new') checkUploadPath(bundle)
}

const frozen = [
  'name',
  'app_id',
  'session_key',
  'key_id',
  'storage_provider',
  'r2_path',
  'external_url',
  'checksum',
  'native_packages',
] as const
// [N] set once, even while in progress
const identity = ['checksum', 'session_key', 'key_id', 'external_url', 'native_packages'] as const
const differs = (a: unknown, b: unknown) => !isDeepStrictEqual(a, b)

function updateBundle(store: Store, old: BundleRow, next: BundleRow, as: Actor): void {
  next.id = old.id
  next.owner_org = ownerOf(store, next.app_id)
  next.created_by_apikey_rbac_id = old.created_by_apikey_rbac_id
  const ready = old.storage_provider !== 'r2-direct'
  const changesContent = frozen.some(name => differs(old[name], next[name]))
  const changesManifest = next.manifest !== null && differs(old.manifest, next.manifest)
  if (ready && as.key && (changesContent || changesManifest))
    throw new PgError(
      'P0001',
      'bundle_already_ready: Bundle content cannot be changed after upload is complete. Upload a new bundle instead.',
    )
  if (as.key && (['app_id', 'session_key', 'key_id'] as const).some(name => differs(old[name], next[name])))
    requireEncryption(store, next)
  if (store.profile === 'new' && !ready && as.key) {
    const changed = identity.find(name => old[name] !== null && differs(old[name], next[name]))
    if (changed)
      throw new PgError('P0001', `bundle_identity_locked: ${changed} cannot be changed once it is set.`)
    if (changesManifest)
      throw new PgError(
        'P0001',
        'r2_direct_manifest_jsonb: the manifest of a bundle in progress is set by /private/set_manifest.',
      )
    checkUploadPath(next)
  }
  ownPreviewBundle(store, old, as)
  if (next.deleted && !old.deleted) next.deleted_at = store.now()
  if (!next.deleted) next.deleted_at = null
}

function checkUploadPath(bundle: BundleRow): void {
  if (bundle.r2_path !== null && bundle.r2_path !== bundlePath(bundle))
    throw new PgError('P0001', `invalid_r2_path: expected ${bundlePath(bundle)}`)
}

function ownPreviewBundle(store: Store, bundle: BundleRow, as: Actor): void {
  const owner = previewOwner(store, as.key, bundle.app_id)
  if (owner === null) return
  if (bundle.created_by_apikey_rbac_id !== owner)
    throw new PgError('42501', 'PREVIEW_APIKEY_CAN_ONLY_MANAGE_OWN_BUNDLE')
  const serving = store.select('channels', '(version = ? OR rollout_version = ?)', [bundle.id, bundle.id])
  const foreign = serving.some(
    channel =>
      !store.find('role_bindings', { key_rbac_id: owner, role: 'channel_preview', channel_id: channel.id }),
  )
  if (foreign) throw new PgError('42501', 'PREVIEW_APIKEY_CANNOT_MUTATE_SHARED_BUNDLE')
}
