import { roles } from './roles.ts'
import type { KeyRow } from './rows.ts'
import type { Store } from './store.ts'

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

export function ownerOf(store: Store, appId: string): string {
  // The trigger fills the org from the app; an unknown app fails the row security or the foreign key.
  return store.find('apps', { app_id: appId })?.owner_org ?? ''
}
