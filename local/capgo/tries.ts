// Routes for `npm run try` on a Capgo that runs already: an app of any id with a key, and everything stored of an app.
import { Hono } from 'hono'
import { type C, type Capgo, type Env, isAppId, isLocalHost, jsonBody } from './context.ts'
import { ApiError } from './errors.ts'
import { can } from './permissions.ts'
import { type Role, roles } from './roles.ts'
import type { ChannelRow, KeyRow } from './rows.ts'
import { seeders } from './seed.ts'
import type { Store } from './store.ts'

/** Roles of a key for a whole app. */
export const KEY_ROLES = (Object.keys(roles) as Role[]).filter(name => !name.startsWith('channel_'))

/** Everything of one app that somebody else than a client of Capgo's wants to know. */
export interface StoredApp {
  readonly channels: readonly (Pick<ChannelRow, 'name' | 'public' | 'ios' | 'android'> & {
    /** Name of the bundle that it serves. */
    readonly bundle: string | null
  })[]
  readonly bundles: readonly {
    readonly name: string
    readonly checksum: string | null
    readonly deleted: boolean
  }[]
  readonly overrides: readonly { readonly device: string; readonly channel: string }[]
  /** Devices that asked for updates. */
  readonly devices: readonly { readonly device: string; readonly platform: string; readonly native: string }[]
  /** How many requests the server has had, of all apps. */
  readonly requests: number
}

/** A key with this role for the app. The app and the key are made where they are missing. */
export function openApp(store: Store, appId: string, role: Role): string {
  const { seedApp, seedKey } = seeders(store)
  const app = store.find('apps', { app_id: appId }) ?? seedApp({ appId, allowPreview: true })
  const place = role.startsWith('org_') ? { org: app.owner_org } : { app_id: appId }
  for (const { key_rbac_id } of store.list('role_bindings', { role, ...place })) {
    const key = store.find('apikeys', { rbac_id: key_rbac_id })
    if (key !== undefined && isPlain(store, key)) return key.key!
  }
  return seedKey({ appId, role })
}

/** In force, with its text known and no right taken away or added. */
function isPlain(store: Store, { key, rbac_id, expires_at, without }: KeyRow): boolean {
  const bindings = store.list('role_bindings', { key_rbac_id: rbac_id })
  return (
    key !== null &&
    expires_at === null &&
    without.length === 0 &&
    bindings.filter(({ role }) => role !== 'channel_preview').length === 1
  )
}

export function describeApp(
  { store, requests }: Pick<Capgo, 'store' | 'requests'>,
  appId: string,
): StoredApp {
  const bundles = store.list('app_versions', { app_id: appId })
  const channels = store.list('channels', { app_id: appId })
  return {
    channels: channels.map(({ name, public: isPublic, ios, android, version }) => ({
      name,
      public: isPublic,
      ios,
      android,
      bundle: bundles.find(({ id }) => id === version)?.name ?? null,
    })),
    bundles: bundles.map(({ name, checksum, deleted }) => ({ name, checksum, deleted })),
    overrides: store.list('channel_devices', { app_id: appId }).map(({ device_id, channel_id }) => ({
      device: device_id,
      channel: channels.find(({ id }) => id === channel_id)?.name ?? '?',
    })),
    devices: store.list('devices', { app_id: appId }).map(({ device_id, platform, version_build }) => ({
      device: device_id,
      platform,
      native: version_build ?? '',
    })),
    requests: requests.length,
  }
}

export const tries = new Hono<Env>()

tries.get('/_local/apps/:app', c => {
  keyOf(c)
  return c.json(describeApp(c.get('capgo'), c.req.param('app')))
})

/** `{ appId, role? }`: without a role, the key that asks is given the app. */
tries.post('/_local/apps', async c => {
  const { store } = c.get('capgo')
  const asking = keyOf(c)
  const { appId, role } = await jsonBody(c)
  if (!isAppId(appId)) throw new ApiError(400, 'invalid_app_id', 'Not an app id', { appId })
  if (role !== undefined && !KEY_ROLES.includes(role))
    throw new ApiError(400, 'invalid_role', `The role is one of ${KEY_ROLES.join(', ')}`, { role })
  if (role !== undefined) return c.json({ key: openApp(store, appId, role) })
  if (!store.find('apps', { app_id: appId })) seeders(store).seedApp({ appId, allowPreview: true })
  if (!can(store, asking, 'app.read', appId))
    store.insert('role_bindings', {
      key_rbac_id: asking.rbac_id,
      role: 'app_admin',
      org: null,
      app_id: appId,
      channel_id: null,
    })
  return c.json({ key: c.req.header('capgkey') })
})

/** A page of another site can send neither this header nor another host's name. */
function keyOf(c: C): KeyRow {
  const sent = c.req.header('capgkey')
  const key = sent ? c.get('capgo').store.find('apikeys', { key: sent }) : undefined
  if (!isLocalHost(c) || key === undefined)
    throw new ApiError(401, 'invalid_apikey', 'A key of this Capgo is needed')
  return key
}
