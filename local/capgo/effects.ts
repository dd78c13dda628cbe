// Effects in Capgo some time after a request: queues that are read every few seconds, and nightly jobs.

import { isOlderThan } from './clock.ts'
import { dropManifest, takeUpManifest } from './manifests.ts'
import { retired } from './objects.ts'
import type { JobRow } from './rows.ts'
import type { Store } from './store.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** apps.retention from this many seconds on means: never (contract 2.1). */
const RETENTION_NEVER = 63_113_904

export function runDueEffects(store: Store): void {
  const now = store.clock.now()
  for (const job of store.select('jobs', 'due <= ?', [now], 'ORDER BY due, id'))
    store.transaction(() => {
      store.remove('jobs', job.id)
      runJob(store, job)
    })
  runNightly(store, now)
}

function runJob(store: Store, job: JobRow): void {
  const app = store.find('apps', { app_id: job.app_id })
  if (!app) return
  if (job.kind === 'override_count')
    store.update('apps', app, { channel_device_count: Math.max(0, app.channel_device_count + job.delta) })
  const bundle = job.ref === null ? undefined : store.find('app_versions', { id: job.ref })
  if (!bundle) return
  if (job.kind === 'manifest_rows') takeUpManifest(store, bundle)
  if (job.kind === 'bundle_removed' && bundle.deleted) {
    dropManifest(store, bundle)
    if (bundle.r2_path) store.objects.move(bundle.r2_path, retired(bundle.r2_path))
    store.update('app_versions', bundle, { manifest_count: 0 })
  }
}

// UTC times of the nightly jobs (contract 2.2, 2.4).
const nightly: { at: number; run: (store: Store, at: number) => void }[] = [
  { at: 40 * 60_000, run: retireOldBundles },
  { at: 2.5 * HOUR, run: expireOverrides },
  { at: 3 * HOUR, run: forgetDeletedBundles },
  { at: 3 * HOUR, run: forgetDevices },
]

function runNightly(store: Store, now: number): void {
  const last = Number(store.setting('nightly') ?? now)
  store.setSetting('nightly', String(now))
  if (now - last < 1) return
  for (let day = Math.floor(last / DAY) * DAY; day <= now; day += DAY)
    for (const job of nightly)
      if (day + job.at > last && day + job.at <= now) store.transaction(() => job.run(store, day + job.at))
}

function retireOldBundles(store: Store, at: number): void {
  for (const app of store.list('apps')) {
    if (app.retention >= RETENTION_NEVER) continue
    for (const bundle of store.list('app_versions', { app_id: app.app_id, deleted: false })) {
      const linked = store.select(
        'channels',
        '(version = ? OR rollout_version = ?)',
        [bundle.id, bundle.id],
        'LIMIT 1',
      )
      if (linked.length === 0 && isOlderThan(bundle.created_at, at, app.retention * 1000))
        store.update('app_versions', bundle, { deleted: true })
    }
  }
}

function expireOverrides(store: Store, at: number): void {
  // [B] one month; [N] 90 days
  const life = (store.profile === 'new' ? 90 : 30) * DAY
  for (const override of store.list('channel_devices'))
    if (isOlderThan(override.updated_at, at, life)) store.remove('channel_devices', override.id)
}

function forgetDeletedBundles(store: Store, at: number): void {
  for (const bundle of store.list('app_versions', { deleted: true })) {
    const delta = store.count('manifest', { app_version_id: bundle.id })
    if (delta > 0 || !isOlderThan(bundle.deleted_at, at, 90 * DAY)) continue
    store.remove('app_versions', bundle.id)
    if (bundle.r2_path) store.objects.remove(retired(bundle.r2_path))
  }
}

function forgetDevices(store: Store, at: number): void {
  for (const device of store.list('devices'))
    if (isOlderThan(device.updated_at, at, 90 * DAY)) store.remove('devices', device.id)
}
