// Triggers of Capgo's database around each write.
import { bundleTriggers } from './bundle-triggers.ts'
import { channelTriggers } from './channel-triggers.ts'
import { ownerOf } from './permissions.ts'
import type { AppRow, OverrideRow } from './rows.ts'
import type { TableTriggers, Triggers } from './store.ts'

/** Consumers of the counter queue run about every 10 s; 8 s was seen for the first override (contract 19). */
const OVERRIDE_COUNT_MS = 8_000

const overrideTriggers: TableTriggers<OverrideRow> = {
  beforeInsert(store, override) {
    override.owner_org = ownerOf(store, override.app_id)
  },
  beforeUpdate(store, _old, next) {
    next.owner_org = ownerOf(store, next.app_id)
  },
  afterInsert: (store, { app_id }) =>
    store.schedule('override_count', OVERRIDE_COUNT_MS, { app_id, delta: 1 }),
  afterDelete: (store, { app_id }) =>
    store.schedule('override_count', OVERRIDE_COUNT_MS, { app_id, delta: -1 }),
}

const appTriggers: TableTriggers<AppRow> = {
  afterDelete(store, { app_id }) {
    for (const channel of store.list('channels', { app_id })) store.remove('channels', channel.id)
    for (const bundle of store.list('app_versions', { app_id })) store.remove('app_versions', bundle.id)
    for (const device of store.list('devices', { app_id })) store.remove('devices', device.id)
  },
}

export const triggers: Triggers = {
  apps: appTriggers,
  app_versions: bundleTriggers,
  channels: channelTriggers,
  channel_devices: overrideTriggers,
}
