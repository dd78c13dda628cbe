/**
 * Capgo's data as it is on the wire (snake_case rows of its database, read through PostgREST).
 * Parsed, so that a server that sends something else fails with the field's name and not later.
 */
import * as z from 'zod/mini'

/** A row's number. */
const Id = z.int()
const Count = z.int().check(z.nonnegative())
const Timestamp = z.string().check(z.refine(text => !Number.isNaN(Date.parse(text)), 'is not a timestamp'))
/** A device's last report: the cloud's analytics write UTC without a zone (`2026-11-26 05:52:20`), databases with one. */
const ReportTime = z.pipe(
  Timestamp,
  z.transform(text => (/(?:Z|[+-]\d\d(?::?\d\d)?)$/i.test(text) ? text : `${text.replace(' ', 'T')}Z`)),
)
/** A value that can be sent as a header: ASCII, without a line break. */
const HeaderValue = z.string().check(z.regex(/^[\x21-\x7e]+$/, 'is not a valid key'))

/** `GET {api}/private/config`: where the database is. `supaKey` is publishable. */
export const PrivateConfig = z.object({
  supaHost: z.url({ protocol: /^https?$/ }),
  supaKey: HeaderValue,
})
export type PrivateConfig = z.infer<typeof PrivateConfig>

/** Default limit of Capgo's files service, in bytes. */
export const MAX_UPLOAD = 1_073_741_824

/** `GET {files}/files/config`. Lengths in bytes. Defaults are those of a server without the route. */
export const FilesConfig = z.object({
  partialUpload: z._default(z.boolean(), false),
  TUSUpload: z._default(z.boolean(), false),
  TUSUploadForced: z._default(z.boolean(), false),
  maxUploadLength: z._default(Count, MAX_UPLOAD),
  maxChunkSize: z._default(z.int().check(z.positive()), 103_809_024),
  alertUploadSize: z._default(Count, 20_971_520),
})
export type FilesConfig = z.infer<typeof FilesConfig>

/** `GET {api}/app/<id>`, and a row of `apps`. */
export const App = z.object({
  app_id: z.string(),
  owner_org: z.string(),
  name: z.nullish(z.string()),
  allow_preview: z.nullish(z.boolean()),
})
export type App = z.infer<typeof App>
export const APP_COLUMNS = Object.keys(App.shape).join(',')

/** A bundle: a row of `app_versions`. */
export const BundleRow = z.object({
  id: Id,
  name: z.string(),
  deleted: z.boolean(),
  /** `r2-direct` while it is in progress; `r2` or `external` when it is ready. */
  storage_provider: z.string(),
  r2_path: z.nullable(z.string()),
  external_url: z.nullable(z.string()),
  checksum: z.nullable(z.string()),
  session_key: z.nullable(z.string()),
  key_id: z.nullable(z.string()),
  link: z.nullable(z.string()),
  comment: z.nullable(z.string()),
  min_update_version: z.nullable(z.string()),
  manifest_count: Count,
  created_at: Timestamp,
})
export type BundleRow = z.infer<typeof BundleRow>
export const BUNDLE_COLUMNS = Object.keys(BundleRow.shape).join(',')

/** A package with native code, as it was installed when a bundle was made. */
export const NativePackage = z.object({
  name: z.string(),
  version: z.string(),
  requested_version: z.nullish(z.string()),
  /** SHA-256 of its sources for the platform. */
  ios_checksum: z.nullish(z.string()),
  android_checksum: z.nullish(z.string()),
})
export type NativePackage = z.infer<typeof NativePackage>

/** A bundle that a channel serves, with the native packages that it was made for. */
export const ServedBundle = z.extend(BundleRow, {
  native_packages: z.nullish(z.catch(z.array(NativePackage), [])),
})
export type ServedBundle = z.infer<typeof ServedBundle>

/** How far a channel lets a device's native version and a bundle's version differ. */
export const UpdatePolicy = z.enum(['major', 'minor', 'patch', 'version_number', 'none'])
export type UpdatePolicy = z.infer<typeof UpdatePolicy>

/** A channel, with the bundle that it serves. */
export const ChannelRow = z.object({
  id: Id,
  name: z.string(),
  public: z.boolean(),
  ios: z.boolean(),
  android: z.boolean(),
  electron: z.boolean(),
  disable_auto_update: UpdatePolicy,
  disable_auto_update_under_native: z.boolean(),
  allow_device_self_set: z.boolean(),
  allow_emulator: z.boolean(),
  allow_device: z.boolean(),
  allow_dev: z.boolean(),
  allow_prod: z.boolean(),
  rollout_version: z.nullable(Id),
  rollout_enabled: z.boolean(),
  rollout_percentage_bps: z.number(),
  rollout_paused_at: z.nullable(z.string()),
  version: z.nullable(ServedBundle),
})
export type ChannelRow = z.infer<typeof ChannelRow>
export const CHANNEL_COLUMNS = [
  ...Object.keys(ChannelRow.shape).filter(column => column !== 'version'),
  `version:app_versions!channels_version_fkey(${Object.keys(ServedBundle.shape).join(',')})`,
].join(',')
/** To be read along with an app. */
export const EMBEDDED_CHANNELS = `channels!channels_app_id_fkey(${CHANNEL_COLUMNS})`

/** An override: a row of `channel_devices`. */
export const OverrideRow = z.object({
  id: Id,
  device_id: z.string(),
  channel_id: Id,
  updated_at: Timestamp,
})
export type OverrideRow = z.infer<typeof OverrideRow>

/** A device as it last reported. */
export const DeviceRow = z.object({
  device_id: z.string(),
  platform: z.enum(['ios', 'android', 'electron']),
  version_build: z.nullish(z.string()),
  version_name: z.nullish(z.string()),
  plugin_version: z.nullish(z.string()),
  is_prod: z.nullish(z.boolean()),
  is_emulator: z.nullish(z.boolean()),
  key_id: z.nullish(z.string()),
  /** Of its last report. */
  updated_at: z.nullish(ReportTime),
})
export type DeviceRow = z.infer<typeof DeviceRow>
export const DeviceList = z.object({ data: z.array(DeviceRow) })

/** A device in the inventory of the app. */
export const InventoryRow = z.extend(DeviceRow, {
  updated_at: ReportTime,
  /** The channel that the app's config or its user chose; empty or null where neither did. */
  default_channel: z.nullish(z.string()),
})
export type InventoryRow = z.infer<typeof InventoryRow>
/** Old servers give one page, without a word on what is left out. */
export const InventoryPage = z.object({
  data: z.array(InventoryRow),
  nextCursor: z.nullish(z.string()),
  hasMore: z.nullish(z.boolean()),
})

/** A delta file: a row of `manifest`. */
export const ManifestEntry = z.object({
  file_name: z.string(),
  s3_path: z.string(),
  file_hash: z.string(),
})
export type ManifestEntry = z.infer<typeof ManifestEntry>
/** As it is stored. */
export const StoredFile = z.extend(ManifestEntry, {
  /** Bytes as devices download them, compressed; 0 or null until the server has looked. */
  file_size: z.nullish(Count),
})
export type StoredFile = z.infer<typeof StoredFile>
export const FILE_COLUMNS = Object.keys(StoredFile.shape).join(',')
