import type { KeyRow, Store } from './store.ts'

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

/** Whether the key may do it on this app, or on this channel of it. Unknown apps: never. */
export function can(
  store: Store,
  key: KeyRow | undefined,
  permission: string,
  appId: string | null,
  channelId?: number | null,
): boolean {
  if (!key || key.without.includes(permission)) return false
  const app = appId === null ? undefined : store.find('apps', { app_id: appId })
  if (appId !== null && !app) return false
  return store.list('role_bindings', { key_rbac_id: key.rbac_id }).some(binding => {
    if (!(roles[binding.role] as readonly string[]).includes(permission)) return false
    if (binding.channel_id !== null) return channelId === binding.channel_id && binding.app_id === appId
    if (binding.app_id !== null) return binding.app_id === appId
    return app ? binding.org === app.owner_org : appId === null
  })
}

/** Whether the key may do it in the organisation itself. */
export function mayInOrg(store: Store, key: KeyRow | undefined, permission: string, org: string): boolean {
  const bindings = key === undefined ? [] : store.list('role_bindings', { key_rbac_id: key.rbac_id, org })
  return bindings.some(binding => (roles[binding.role] as readonly string[]).includes(permission))
}

/**
 * Whether the app's organisation demands two factors of people who have one. Row security hides its apps, channels and
 * overrides from them then; bundles stay as they are, and so does what asks for a permission.
 */
export function isLockedOut(store: Store, appId: string): boolean {
  const app = store.find('apps', { app_id: appId })
  return app !== undefined && store.find('orgs', { id: app.owner_org })?.enforcing_2fa === true
}

/** The id that marks what a preview key made, or null for every other key. */
export function previewOwner(store: Store, key: KeyRow | undefined, appId: string): string | null {
  if (!key) return null
  const binding = store.find('role_bindings', {
    key_rbac_id: key.rbac_id,
    role: 'app_preview',
    app_id: appId,
  })
  return binding ? key.rbac_id : null
}
