/** Rows of Capgo as planners get them. */
import type { BundleRow, ChannelRow, NativePackage } from '../../../../src/capgo/schema.ts'
import type { NativeVersion } from '../../../../src/plan/types.ts'

/** Commits, the older first in the alphabet. */
export const OURS = 'b'.repeat(40)
export const NEWER = 'c'.repeat(40)

/** The content that the run has built, and some other. */
export const CHECKSUM = 'e1'.repeat(32)
export const OTHER_CHECKSUM = 'f2'.repeat(32)

export type Bundle = BundleRow & { native_packages?: NativePackage[] }

/** One that is ready, with the content of the run. */
export function bundle(change: Partial<Bundle> = {}): Bundle {
  return {
    id: 1,
    name: '1.4.0',
    deleted: false,
    storage_provider: 'r2',
    r2_path: 'orgs/o/apps/a/1.4.0.zip',
    external_url: null,
    checksum: CHECKSUM,
    session_key: null,
    key_id: null,
    link: null,
    comment: null,
    min_update_version: null,
    manifest_count: 0,
    created_at: '2026-11-26T00:00:00Z',
    ...change,
  }
}

/** A public one that serves `bundle()`. */
export function channel(change: Partial<ChannelRow> = {}): ChannelRow {
  return {
    id: 7,
    name: 'production',
    public: true,
    ios: true,
    android: true,
    electron: true,
    disable_auto_update: 'major',
    disable_auto_update_under_native: false,
    allow_device_self_set: false,
    allow_emulator: true,
    allow_device: true,
    allow_dev: true,
    allow_prod: true,
    rollout_version: null,
    rollout_enabled: false,
    rollout_percentage_bps: 0,
    rollout_paused_at: null,
    version: bundle(),
    ...change,
  }
}

/** A line of a comment: the run of this number put the commit `a…` (or of another letter) on the channel. */
export const line = (on: string, run: number, more = '', letter = 'a') =>
  `${on}: main@${letter.repeat(40)} run ${run}.1 (id ${run})${more}`

/** The run that plans. */
export const run = {
  sha: 'f'.repeat(40),
  refName: 'main',
  runId: 90,
  runNumber: 90,
  runAttempt: 1,
  url: 'https://example.com',
}

export const native = (
  version: string,
  platform: NativeVersion['platform'] = 'android',
  source = 'the store',
): NativeVersion => ({ platform, version, source })
