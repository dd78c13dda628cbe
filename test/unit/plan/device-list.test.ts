import { expect, it } from 'vitest'
import type { InventoryRow } from '../../../src/capgo/schema.ts'
import { type DeviceFacts, type DeviceFilter, listDevices } from '../../../src/plan/device-list.ts'
import { channel } from './cases/rows.ts'

const device = (id: string, change: Partial<InventoryRow> = {}): InventoryRow => ({
  device_id: id,
  platform: 'ios',
  version_build: '1.4.0',
  version_name: '1.4.1-pr.12.1.1',
  updated_at: '2026-11-26T10:00:00+00:00',
  ...change,
})
const everything: DeviceFilter = { id: null, platform: null, version: null, channel: null, days: 30 }
const list = (change: Partial<DeviceFacts>) =>
  listDevices({
    devices: [device('a')],
    overrides: [],
    channels: [
      channel({ id: 7, name: 'production', public: true }),
      channel({ id: 8, name: 'pr-12', public: false }),
    ],
    testers: [],
    filter: everything,
    ...change,
  })
const tester = {
  device: 'a',
  name: 'Ada',
  github: 'ada',
  groups: [],
  channel: null,
  until: null,
  line: 1,
  column: 1,
}
const override = { id: 1, device_id: 'a', channel_id: 8, updated_at: '2026-11-26T10:00:00+00:00' }

it('a device of the testers file has its name, and its GitHub account where it has none', () => {
  expect(list({ testers: [tester] })[0]).toMatchObject({ name: 'Ada', listed: true })
  expect(list({ testers: [{ ...tester, name: null }] })[0]).toMatchObject({ name: 'ada', listed: true })
  expect(list({ testers: [{ ...tester, name: null, github: null }] })[0]).toMatchObject({
    name: null,
    listed: true,
  })
  expect(list({})[0]).toMatchObject({ name: null, listed: false })
})

it('an override comes before the choice of the app, that before the public channel of its platform', () => {
  const chosen = device('a', { default_channel: 'beta' })
  expect(list({ devices: [chosen], overrides: [override] })[0]).toMatchObject({
    channel: 'pr-12',
    by: 'override',
  })
  expect(list({ devices: [chosen] })[0]).toMatchObject({ channel: 'beta', by: 'app' })
  expect(list({})[0]).toMatchObject({ channel: 'production', by: 'public' })
  const onlyAndroid = [channel({ public: true, ios: false })]
  expect(list({ channels: onlyAndroid })[0]).toMatchObject({ channel: null, by: null })
  expect(list({ overrides: [{ ...override, channel_id: 99 }] })[0]).toMatchObject({
    channel: '#99',
    by: 'override',
  })
})

it('what a device did not say is null, as "unknown" is', () => {
  const silent = { native: null, plugin: null, bundle: null, channel: 'production', by: 'public' }
  const empty = { version_build: '', plugin_version: '', version_name: '', default_channel: '' }
  expect(list({ devices: [device('a', empty)] })[0]).toMatchObject(silent)
  const unknown = {
    version_build: null,
    plugin_version: null,
    version_name: 'unknown',
    default_channel: null,
  }
  expect(list({ devices: [device('a', unknown)] })[0]).toMatchObject(silent)
  expect(list({ devices: [device('a', { version_name: 'builtin' })] })[0]).toMatchObject({
    bundle: 'builtin',
  })
})

it('the newest come first', () => {
  const devices = [
    device('b', { updated_at: '2026-11-20T10:00:00+00:00' }),
    device('c', { updated_at: '2026-11-20T10:00:00+00:00' }),
    device('a'),
  ]
  expect(list({ devices }).map(each => each.device)).toEqual(['a', 'b', 'c'])
})

it.each<[Partial<DeviceFilter>, boolean]>([
  [{ id: '0a1b' }, true],
  [{ id: 'a1b' }, false],
  [{ platform: 'ios' }, true],
  [{ platform: 'android' }, false],
  [{ version: '1.4.0' }, true],
  [{ version: '1.4' }, true],
  [{ version: '1' }, true],
  [{ version: '1.4.1-pr.12' }, true],
  [{ version: '1.4.1-pr.1' }, false],
  [{ version: '4.0' }, false],
  [{ channel: 'production' }, true],
  [{ channel: 'prod' }, false],
  [{ id: '0a1b', channel: 'beta' }, false],
])('%j: %j', (filter, isListed) =>
  expect(list({ devices: [device('0a1b2c')], filter: { ...everything, ...filter } })).toHaveLength(
    Number(isListed),
  ),
)
