import { expect, test } from 'vitest'
import { judgeUpdater } from '../../../src/plan/updater.ts'

test.each<[string, string | null, boolean, boolean]>([
  ['nothing is installed', null, false, false],
  ['5, too old', '5.9.5', false, true],
  ['5', '5.10.0', false, false],
  ['6, too old', '6.24.9', false, true],
  ['6', '6.25.0', false, false],
  ['7, too old', '7.0.34', false, true],
  ['7', '7.0.35', false, false],
  ['8', '8.0.0', false, false],
  ['published by mistake', '9.0.0', false, true],
  ['published by mistake', '10.0.0', false, true],
  ['too old for SHA-256, but encrypted bundles have always been compared with it', '6.14.26', true, false],
])('%s (%s, encrypted: %s): %s', (_, version, isEncrypted, isTold) => {
  const told = judgeUpdater(version, { isEncrypted })
  expect(told).toEqual(isTold ? expect.stringContaining(`@capgo/capacitor-updater ${version}`) : null)
})
