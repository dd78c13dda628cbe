// Contract 1.6 and 19: what a role may do. `org_admin` has neither bundle.delete nor channel.delete (seen by running it).
const read = [
  'app.read',
  'app.read_bundles',
  'app.read_channels',
  'app.read_devices',
  'app.read_logs',
  'app.read_audit',
  'channel.read',
  'channel.read_forced_devices',
] as const
const upload = [...read, 'app.upload_bundle', 'channel.promote_bundle'] as const
const develop = [
  ...upload,
  'app.create_channel',
  'app.manage_devices',
  'app.build_native',
  'channel.rollback_bundle',
  'channel.manage_forced_devices',
] as const
const administer = [
  ...develop,
  'app.update_settings',
  'app.update_user_roles',
  'bundle.delete',
  'channel.update_settings',
  'channel.delete',
] as const
const own = [...administer, 'app.delete', 'org.create_app', 'org.read'] as const

export type Permission = (typeof own)[number]
const channelPart = (permissions: readonly Permission[]) =>
  permissions.filter(name => name.startsWith('channel.'))

export const roles = {
  app_reader: read,
  app_uploader: upload,
  app_developer: develop,
  app_admin: administer,
  app_preview: ['app.read', 'app.read_bundles', 'app.upload_bundle', 'app.create_channel'],
  org_admin: own.filter(name => !['bundle.delete', 'channel.delete', 'app.delete'].includes(name)),
  org_super_admin: own,
  channel_reader: channelPart(read),
  channel_uploader: channelPart(upload),
  channel_developer: channelPart(develop),
  channel_admin: channelPart(administer),
  /** Given to an app_preview key on each channel that it creates. */
  channel_preview: ['channel.read', 'channel.promote_bundle', 'channel.delete'],
} satisfies Record<string, readonly Permission[]>

export type Role = keyof typeof roles
