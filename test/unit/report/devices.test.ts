import { expect, it } from 'vitest'
import { parseTesters } from '../../../src/inputs/testers-file.ts'
import type { ListedDevice } from '../../../src/plan/device-list.ts'
import { renderDevices } from '../../../src/report/devices.ts'
import type { DevicesResult } from '../../../src/report/list-results.ts'

const idOf = (index: number) => `${String(index).padStart(8, '0')}-0000-4000-8000-000000000000`
const unknown = (index: number): ListedDevice => ({
  device: idOf(index),
  name: null,
  listed: false,
  platform: index % 2 === 0 ? 'ios' : 'android',
  emulator: false,
  native: '1.4.0',
  plugin: '8.51.2',
  bundle: 'builtin',
  seen: '2026-11-26T10:00:00.000Z',
  channel: 'production',
  by: 'public',
})
const result = (count: number): DevicesResult => ({
  kind: 'devices',
  outcome: 'read',
  reason: 'Seen.',
  appId: 'com.example.app',
  devices: Array.from({ length: count }, (_, index) => unknown(index)),
  unseen: [],
  showIds: true,
  testers: null,
  warnings: [],
})
const linesOf = (count: number) =>
  /```text\n(.*)\n```/s.exec(renderDevices(result(count)).join('\n'))?.[1] ?? ''

it.each([
  ['an empty list', '[▮\n]', 0],
  ['a list of others', `[▮\n  "${idOf(900)}"\n]`, 1],
  ['the testers of the whole form', `{ "testers": [▮{ "device": "${idOf(900)}", "name": "Ada" }] }`, 1],
])('the lines for the testers file fit into %s', (_what, file, before) => {
  const { testers, problems } = parseTesters(file.replace('▮', `\n${linesOf(3)}\n`), '2026-11-26')
  expect(problems).toEqual([])
  expect(testers.map(({ device }) => device).slice(0, 3)).toEqual([0, 1, 2].map(idOf))
  expect(testers).toHaveLength(3 + before)
})

it('the lines say that they are those of the newest devices where there are more', () => {
  expect(linesOf(201).split('\n')).toHaveLength(200)
  expect(renderDevices(result(201)).join('\n')).toContain(
    '<b>201 unknown devices</b>: lines for the testers file, the newest 200',
  )
  expect(renderDevices(result(200)).join('\n')).not.toContain('the newest')
})
