import type { LocalCapgo } from '../../local/capgo/index.ts'
import type { State } from '../../scripts/distill/recorded.ts'

/** Names in the recordings. */
export const APP = 'com.lab.demo'
export const ORG = '046a36ac-e03c-4590-9257-bd6c9dba9ee8'
const USER = '6aa76066-55ef-4238-ade6-0b32334a4097'

/** A zip's worth of bytes. */
export const bytes = new Uint8Array(152)

/** The app and a key of each role, by its name in the recordings. */
export function seedApp(capgo: LocalCapgo): Record<string, string> {
  capgo.store.insert('orgs', { id: ORG, name: 'Local organization' })
  capgo.seedApp({ appId: APP })
  capgo.seedApp({ appId: 'com.demoadmin.app', org: 'other' })
  const keys: Record<string, string> = {
    CAPGO_KEY: capgo.seedKey({ appId: APP, role: 'org_super_admin', user: USER }),
  }
  for (const role of ['app_admin', 'app_developer', 'app_uploader', 'app_reader', 'app_preview'] as const)
    keys[`CAPGO_KEY_${role.toUpperCase()}`] = capgo.seedKey({ appId: APP, role, user: USER })
  return keys
}

/** A channel that a preview key made is its own, and so is the bundle on it. */
export function bindPreview({ store }: LocalCapgo, key: string, channelName: string): void {
  const { rbac_id } = store.list('apikeys').find(each => each.key === key)!
  const channel = store.find('channels', { app_id: APP, name: channelName })!
  store.insert('role_bindings', {
    key_rbac_id: rbac_id,
    role: 'channel_preview',
    org: ORG,
    app_id: APP,
    channel_id: channel.id,
  })
  // Past the store, which keeps who made a bundle.
  store.db
    .prepare('UPDATE app_versions SET created_by_apikey_rbac_id = ? WHERE id = ?')
    .run(rbac_id, channel.version)
}

/** What the recording's own answers tell of the state before it. */
export function seedState(capgo: LocalCapgo, { channels, bundles, objects, nextBundle }: State): void {
  for (const { id, name } of bundles) {
    nextIds(capgo, { bundle: id })
    capgo.seedBundle({ appId: APP, name, bytes })
  }
  for (const { id, name, version, public: isPublic } of channels) {
    if (id !== null) nextIds(capgo, { channel: id })
    const bundle = bundles.find(each => each.id === version)?.name
    capgo.seedChannel({ appId: APP, name, public: isPublic, ...(bundle === undefined ? {} : { bundle }) })
  }
  for (const key of objects) capgo.store.objects.put(key, new Uint8Array(1), 'text/plain')
  if (nextBundle !== null) nextIds(capgo, { bundle: nextBundle })
}

/** The ids that the next rows get: recorded requests name those that a real database gave. */
export function nextIds(
  { store }: LocalCapgo,
  next: { readonly bundle?: number; readonly channel?: number },
): void {
  for (const [table, id] of [
    ['app_versions', next.bundle],
    ['channels', next.channel],
  ] as const) {
    if (id === undefined) continue
    store.db.prepare('DELETE FROM sqlite_sequence WHERE name = ?').run(table)
    store.db.prepare('INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)').run(table, id - 1)
  }
}
