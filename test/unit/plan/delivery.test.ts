import { describe, expect, it } from 'vitest'
import { isReady, normaliseNative, refuseDelivery, refusedByVersion } from '../../../src/plan/delivery.ts'
import {
  CODES,
  DELIVERY,
  deliveryBundle,
  deliveryChannel,
  deliveryDevice,
  IN_WORDS,
  NATIVE_VERSIONS,
  POLICIES,
  UNDER_NATIVE_OFF,
  UNDER_NATIVE_ON,
} from './cases/delivery.ts'
import { bundle } from './cases/rows.ts'

describe('refusedByVersion', () => {
  for (const [table, underNative] of [
    [UNDER_NATIVE_ON, true],
    [UNDER_NATIVE_OFF, false],
  ] as const)
    for (const [native, name, ...verdicts] of table)
      for (const [column, verdict] of verdicts.entries()) {
        const policy = POLICIES[column] ?? 'none'
        it(`native ${native}, bundle ${name}, ${policy}, under native ${underNative ? 'on' : 'off'}: ${verdict}`, () => {
          const refusal = refusedByVersion(
            native,
            { name, min_update_version: normaliseNative(native) },
            { disable_auto_update: policy, disable_auto_update_under_native: underNative },
          )
          expect(refusal?.code ?? null).toBe(CODES[verdict])
        })
      }
})

const byNumber = { disable_auto_update: 'version_number', disable_auto_update_under_native: false } as const

it.each(IN_WORDS)('%s is refused in words', (_what, native, name, minimum, code, rule) => {
  expect(refusedByVersion(native, { name, min_update_version: minimum }, byNumber)).toEqual({
    code,
    rule: expect.stringMatching(rule),
  })
})

it('a bundle is delivered to its minimum native version, and not to who runs it', () => {
  const fits = { name: '1.4.0', min_update_version: '1.1.0' }
  expect(refusedByVersion('1.1.0', fits, byNumber)).toBeNull()
  expect(refusedByVersion('1.1.0', fits, byNumber, '1.4.0')?.rule).toBe('the device already runs 1.4.0')
})

it.each(NATIVE_VERSIONS)('native %s is compared as %s', (written, compared) =>
  expect(normaliseNative(written)).toBe(compared),
)

describe('refuseDelivery', () => {
  it.each(DELIVERY)('%s', (_what, ofDevice, ofChannel, ofBundle, code) => {
    const refusal = refuseDelivery(
      { ...deliveryDevice, ...ofDevice },
      { ...deliveryChannel, ...ofChannel },
      { ...deliveryBundle, ...ofBundle },
    )
    expect(refusal?.code ?? null).toBe(code)
  })
})

it.each([
  ['finished', {}, true],
  ['not finished', { storage_provider: 'r2-direct' }, false],
  ['deleted', { deleted: true }, false],
])('a bundle that is %s is ready: %s', (_what, change, expected) => {
  expect(isReady(bundle(change))).toBe(expected)
})
