import { expect, it } from 'vitest'
import type { DeviceRow } from '../../../src/capgo/schema.ts'
import { predictInstallation } from '../../../src/plan/tester-installation.ts'
import { bundle, channel } from './cases/rows.ts'

const seen = (change: Partial<DeviceRow> = {}): DeviceRow => ({
  device_id: 'ada',
  platform: 'android',
  version_name: '1.3.0',
  version_build: '1.0.0',
  plugin_version: null,
  is_prod: true,
  is_emulator: false,
  key_id: null,
  ...change,
})
const preview = channel({ name: 'pr-12', public: false, version: bundle({ name: '1.4.0' }) })

it.each<[string, typeof preview, DeviceRow | undefined, object | null]>([
  ['would take', preview, seen(), { kind: 'takes' }],
  ['runs it already', preview, seen({ version_name: '1.4.0' }), { kind: 'runs' }],
  ['was never seen', preview, undefined, { kind: 'never_seen' }],
  ['has a native version that nobody knows', preview, seen({ version_build: null }), null],
  ['would take nothing, as nothing is served', channel({ version: null }), seen(), null],
  [
    'is an emulator, which the channel refuses',
    { ...preview, allow_emulator: false },
    seen({ is_emulator: true }),
    { kind: 'refuses', rule: expect.stringContaining('emulator') },
  ],
  [
    'would get a bundle that is not finished',
    { ...preview, version: bundle({ storage_provider: 'r2-direct' }) },
    seen(),
    { kind: 'refuses', rule: expect.stringContaining('no stored content') },
  ],
])('a device that %s', (_what, serving, device, expected) =>
  expect(predictInstallation(serving, device)).toEqual(expected),
)
