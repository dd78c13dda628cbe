// The rows of Capgo's tables.
import type { Role } from './roles.ts'

export interface AppRow {
  created_at: string
  app_id: string
  icon_url: string
  user_id: string | null
  name: string | null
  last_version: string | null
  updated_at: string
  id: string
  retention: number
  owner_org: string
  default_upload_channel: string
  transfer_history: unknown[]
  channel_device_count: number
  manifest_bundle_count: number
  expose_metadata: boolean
  allow_preview: boolean
  allow_device_custom_id: boolean
  need_onboarding: boolean
  existing_app: boolean
  ios_store_url: string | null
  android_store_url: string | null
  block_provider_infra_requests: boolean
  rollout_channel_count: number
  rollout_paused_version_names: string[]
}

interface ManifestEntry {
  file_name: string
  s3_path: string
  file_hash: string
}

/** A row of `app_versions`. */
export interface BundleRow {
  id: number
  created_at: string
  app_id: string
  name: string
  updated_at: string
  deleted: boolean
  external_url: string | null
  checksum: string | null
  session_key: string | null
  storage_provider: string
  min_update_version: string | null
  native_packages: unknown[] | null
  owner_org: string
  user_id: string | null
  r2_path: string | null
  manifest: ManifestEntry[] | null
  link: string | null
  comment: string | null
  manifest_count: number
  key_id: string | null
  cli_version: string | null
  deleted_at: string | null
  created_by_apikey_rbac_id: string | null
}

export interface ChannelRow {
  id: number
  created_at: string
  name: string
  app_id: string
  version: number | null
  updated_at: string
  public: boolean
  disable_auto_update_under_native: boolean
  ios: boolean
  android: boolean
  electron: boolean
  allow_device_self_set: boolean
  allow_emulator: boolean
  allow_device: boolean
  allow_dev: boolean
  allow_prod: boolean
  disable_auto_update: 'major' | 'minor' | 'patch' | 'version_number' | 'none'
  owner_org: string
  created_by: string
  rbac_id: string
  rollout_version: number | null
  rollout_percentage_bps: number
  rollout_enabled: boolean
  rollout_id: string
  rollout_paused_at: string | null
  rollout_pause_reason: string | null
  rollout_cache_ttl_seconds: number
  auto_pause_enabled: boolean
  auto_pause_window_minutes: number
  auto_pause_failure_rate_bps: number | null
  auto_pause_confidence: number
  auto_pause_min_attempts: number | null
  auto_pause_min_failures: number | null
  auto_pause_action: 'pause' | 'rollback' | 'notify'
  auto_pause_cooldown_minutes: number
  auto_pause_last_triggered_at: string | null
  auto_pause_last_checked_at: string | null
  /** [N] */
  update_package: 'all' | 'zip' | 'delta' | 'zip_from_builtin' | 'delta_from_builtin'
  place: number
}

/** A row of `channel_devices`. */
export interface OverrideRow {
  id: number
  created_at: string
  channel_id: number
  app_id: string
  updated_at: string
  device_id: string
  owner_org: string
}

export interface ManifestRow extends ManifestEntry {
  id: number
  app_version_id: number
  file_size: number
}

export interface DeviceRow {
  id: number
  updated_at: string
  device_id: string
  custom_id: string
  is_prod: boolean
  is_emulator: boolean
  install_source: string | null
  version_name: string | null
  app_id: string
  platform: 'ios' | 'android' | 'electron'
  plugin_version: string
  os_version: string | null
  version_build: string | null
  key_id: string | null
  country_code: string | null
  default_channel: string | null
}

export interface OrgRow {
  id: string
  name: string
  plan_valid: boolean
  /** Two factors are demanded of everybody; nobody here has set them up. */
  enforcing_2fa: boolean
  enforce_encrypted_bundles: boolean
  required_encryption_key: string | null
  cli_warnings: { message: string; fatal: boolean }[]
}

export interface KeyRow {
  id: number
  key: string | null
  key_hash: string | null
  user_id: string
  rbac_id: string
  expires_at: string | null
  without: string[]
}

export interface ObjectRow {
  key: string
  size: number
  content_type: string | null
  etag: string
  sha256: string | null
  created_at: string
}

export interface UploadRow {
  id: string
  path: string
  length: number | null
  offset: number
  content_type: string | null
  sha256: string | null
  expires_at: string
  done: boolean
}

export interface JobRow {
  id: number
  due: number
  kind: 'override_count' | 'manifest_rows' | 'bundle_removed'
  app_id: string
  ref: number | null
  delta: number
}

export interface Rows {
  apps: AppRow
  app_versions: BundleRow
  channels: ChannelRow
  channel_devices: OverrideRow
  manifest: ManifestRow
  orgs: OrgRow
  devices: DeviceRow
  apikeys: KeyRow
  role_bindings: {
    id: number
    key_rbac_id: string
    role: Role
    org: string | null
    app_id: string | null
    channel_id: number | null
  }
  objects: ObjectRow
  uploads: UploadRow
  jobs: JobRow
  stats: {
    id: number
    created_at: string
    app_id: string
    device_id: string
    action: string
    version_name: string | null
    platform: string | null
    metadata: unknown
  }
  self_channels: { id: number; app_id: string; device_id: string; channel_id: number }
  settings: { key: string; value: string }
}

/** Whose write it is; triggers look at it as Capgo's look at the request's key. Nobody = the service itself. */
export interface Actor {
  key?: KeyRow | undefined
}
