/** Permissions of a Capgo key, each with the least privileged role that includes it (Capgo's role table). */
export const LEAST_ROLE = {
  'app.read': 'app_reader',
  'app.read_bundles': 'app_reader',
  'app.read_channels': 'app_reader',
  'app.read_devices': 'app_reader',
  'app.upload_bundle': 'app_uploader',
  'channel.promote_bundle': 'app_uploader',
  'app.create_channel': 'app_developer',
  'app.manage_devices': 'app_developer',
  'channel.manage_forced_devices': 'app_developer',
  'app.update_settings': 'app_admin',
  'channel.update_settings': 'app_admin',
  'bundle.delete': 'app_admin',
  'channel.delete': 'app_admin (or app_preview for its own channels)',
} as const

export type Permission = keyof typeof LEAST_ROLE
