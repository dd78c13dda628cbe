import { expect, it } from 'vitest'
import { InventoryRow } from '../../../src/capgo/schema.ts'

it.each([
  ['2026-11-26 05:52:20', '2026-11-26T05:52:20Z'],
  ['2026-11-26T05:52:20.451', '2026-11-26T05:52:20.451Z'],
  ['2026-11-26T05:52:20.451+00:00', '2026-11-26T05:52:20.451+00:00'],
  ['2026-11-26 05:52:20.451-03', '2026-11-26 05:52:20.451-03'],
  ['2026-11-26T05:52:20Z', '2026-11-26T05:52:20Z'],
])('a last report of %s is in UTC where it has no zone, wherever the runner is', (updated_at, expected) =>
  expect(InventoryRow.parse({ device_id: 'a', platform: 'ios', updated_at }).updated_at).toBe(expected),
)
