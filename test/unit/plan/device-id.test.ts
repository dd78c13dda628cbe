import { expect, it } from 'vitest'
import { shortDevice } from '../../../src/plan/device-id.ts'

it.each([
  ['0b5e2f0c-51c9-4f2e-9f0d-6a3c1d2e4f5a', '0b5e2f0c…'],
  // Never a whole one, however short.
  ['abcd', 'ab…'],
  ['a', '…'],
])('device %s is shown as %s', (id, shown) => expect(shortDevice(id)).toBe(shown))
