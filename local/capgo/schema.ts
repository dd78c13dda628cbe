// The part of Capgo's database that a client can see, plus what this server needs for itself.

type Kind = 'int' | 'real' | 'text' | 'bool' | 'time' | 'json'

export interface Column {
  kind: Kind
  /** Value of a row that does not give one; a function is called per row. */
  default?: unknown
  required?: true
  primary?: true
  /** Allowed texts (a PostgreSQL enum). */
  values?: readonly string[]
  /** [N] exists on newer servers only. */
  newer?: true
  /** Of this server alone: PostgREST knows nothing of it. */
  hidden?: true
  /** Most characters of a text. */
  length?: number
}

export interface Table {
  columns: Record<string, Column>
  unique?: readonly (readonly string[])[]
  /** Reachable through PostgREST. */
  exposed?: true
}

const uuid = () => crypto.randomUUID()
const int = (value?: unknown): Column => ({ kind: 'int', default: value ?? null })
const text = (value?: unknown): Column => ({ kind: 'text', default: value ?? null })
const bool = (value: boolean): Column => ({ kind: 'bool', default: value })
const time = (): Column => ({ kind: 'time', default: null })
const json = (value?: unknown): Column => ({ kind: 'json', default: value ?? null })
const id: Column = { kind: 'int', primary: true }
const required: Column = { kind: 'text', required: true }

const updateModes = ['major', 'minor', 'patch', 'version_number', 'none'] as const
export const updatePackages = ['all', 'zip', 'delta', 'zip_from_builtin', 'delta_from_builtin'] as const

export const schema = {
  apps: {
    exposed: true,
    columns: {
      created_at: time(),
      app_id: { kind: 'text', primary: true, required: true },
      icon_url: text(''),
      user_id: text(),
      name: text(),
      last_version: text(),
      updated_at: time(),
      id: text(uuid),
      retention: int(2592000),
      owner_org: required,
      default_upload_channel: text('production'),
      transfer_history: json(() => []),
      channel_device_count: int(0),
      manifest_bundle_count: int(0),
      expose_metadata: bool(false),
      allow_preview: bool(false),
      allow_device_custom_id: bool(true),
      need_onboarding: bool(false),
      existing_app: bool(false),
      ios_store_url: text(),
      android_store_url: text(),
      stats_updated_at: time(),
      stats_refresh_requested_at: time(),
      build_timeout_seconds: int(900),
      build_timeout_updated_at: time(),
      block_provider_infra_requests: bool(true),
      rollout_channel_count: int(0),
      rollout_paused_version_names: json(() => []),
      created_from_onboarding: bool(false),
      onboarding_completed_at: time(),
    },
  },
  app_versions: {
    exposed: true,
    unique: [['name', 'app_id']],
    columns: {
      id,
      created_at: time(),
      app_id: required,
      name: required,
      updated_at: time(),
      deleted: bool(false),
      external_url: text(),
      checksum: text(),
      session_key: text(),
      storage_provider: text('r2'),
      min_update_version: text(),
      native_packages: json(),
      owner_org: text(),
      user_id: text(),
      r2_path: text(),
      manifest: json(),
      link: text(),
      comment: text(),
      manifest_count: int(0),
      key_id: { kind: 'text', default: null, length: 20 },
      cli_version: text(),
      deleted_at: time(),
      created_by_apikey_rbac_id: text(),
    },
  },
  channels: {
    exposed: true,
    unique: [['name', 'app_id']],
    columns: {
      id,
      created_at: time(),
      name: required,
      app_id: required,
      version: int(),
      updated_at: time(),
      public: bool(false),
      disable_auto_update_under_native: bool(true),
      ios: bool(true),
      android: bool(true),
      allow_device_self_set: bool(false),
      allow_emulator: bool(true),
      allow_dev: bool(true),
      disable_auto_update: { kind: 'text', default: 'major', values: updateModes },
      owner_org: text(),
      created_by: required,
      allow_device: bool(true),
      allow_prod: bool(true),
      electron: bool(true),
      rbac_id: text(uuid),
      rollout_version: int(),
      rollout_percentage_bps: int(0),
      rollout_enabled: bool(false),
      rollout_id: text(uuid),
      rollout_paused_at: time(),
      rollout_pause_reason: text(),
      rollout_cache_ttl_seconds: int(2592000),
      auto_pause_enabled: bool(false),
      auto_pause_window_minutes: int(60),
      auto_pause_failure_rate_bps: int(),
      auto_pause_confidence: { kind: 'real', default: 0.95 },
      auto_pause_min_attempts: int(),
      auto_pause_min_failures: int(),
      auto_pause_action: { kind: 'text', default: 'pause', values: ['pause', 'rollback', 'notify'] },
      auto_pause_cooldown_minutes: int(60),
      auto_pause_last_triggered_at: time(),
      auto_pause_last_checked_at: time(),
      update_package: { kind: 'text', default: 'all', values: updatePackages, newer: true },
      /** Where the row lies: reads without an order give the lowest first. */
      place: { kind: 'int', default: 0, hidden: true },
    },
  },
  channel_devices: {
    exposed: true,
    unique: [['app_id', 'device_id']],
    columns: {
      id,
      created_at: time(),
      channel_id: { kind: 'int', required: true },
      app_id: required,
      updated_at: time(),
      device_id: required,
      owner_org: text(),
    },
  },
  manifest: {
    exposed: true,
    columns: {
      id,
      app_version_id: { kind: 'int', required: true },
      file_name: required,
      s3_path: required,
      file_hash: required,
      file_size: int(0),
    },
  },
  orgs: {
    exposed: true,
    columns: {
      id: { kind: 'text', primary: true, default: uuid },
      name: required,
      enforcing_2fa: bool(false),
      enforce_encrypted_bundles: bool(false),
      required_encryption_key: { kind: 'text', default: null, length: 21 },
      plan_valid: { ...bool(true), hidden: true },
      cli_warnings: { ...json(() => []), hidden: true },
    },
  },
  // Below: not reachable through PostgREST.
  devices: {
    unique: [['app_id', 'device_id']],
    columns: {
      id,
      updated_at: time(),
      device_id: required,
      custom_id: text(''),
      is_prod: bool(true),
      is_emulator: bool(false),
      install_source: text(),
      version_name: text(),
      app_id: required,
      platform: text('ios'),
      plugin_version: text('8.0.0'),
      os_version: text(),
      version_build: text(),
      key_id: text(),
      country_code: text(),
      default_channel: text(),
    },
  },
  apikeys: {
    columns: {
      id,
      key: text(),
      key_hash: text(),
      user_id: required,
      rbac_id: text(uuid),
      expires_at: time(),
      /** Permissions taken away from the roles, for tests of a single missing one. */
      without: json(() => []),
    },
  },
  role_bindings: {
    columns: { id, key_rbac_id: required, role: required, org: text(), app_id: text(), channel_id: int() },
  },
  objects: {
    columns: {
      key: { kind: 'text', primary: true, required: true },
      size: int(0),
      content_type: text(),
      etag: text(),
      /** base64, only when the uploader gave one. */
      sha256: text(),
      created_at: time(),
    },
  },
  uploads: {
    unique: [['path']],
    columns: {
      id: { kind: 'text', primary: true, default: uuid },
      path: required,
      length: int(),
      offset: int(0),
      content_type: text(),
      sha256: text(),
      expires_at: time(),
      done: bool(false),
    },
  },
  jobs: {
    columns: { id, due: int(0), kind: required, app_id: text(), ref: int(), delta: int(0) },
  },
  stats: {
    columns: {
      id,
      created_at: time(),
      app_id: text(),
      device_id: text(),
      action: text(),
      version_name: text(),
      platform: text(),
      metadata: json(),
    },
  },
  /** channel choices that old plugins keep on the server (§9.8, level 1). */
  self_channels: {
    unique: [['app_id', 'device_id']],
    columns: { id, app_id: required, device_id: required, channel_id: { kind: 'int', required: true } },
  },
  settings: { columns: { key: { kind: 'text', primary: true, required: true }, value: text() } },
} satisfies Record<string, Table>

export const tables: Record<string, Table> = schema

export const primaryKey = (table: string) =>
  Object.entries(tables[table]!.columns).find(([, column]) => column.primary)![0]
