import { expect, it } from 'vitest'
import { compareNativePackages, isShielded, listNativeChanges } from '../../../src/plan/native-changes.ts'
import { COMPATIBLE, camera, INCOMPATIBLE, NATIVE_CHANGES, NO_CHANGE } from './cases/native-changes.ts'
import { bundle, channel } from './cases/rows.ts'
import { decided, eachCase } from './decided.ts'

eachCase(NATIVE_CHANGES, ({ given: { before, now }, ...expected }) => {
  const changes = decided(
    expected,
    () => compareNativePackages(now, before),
    ([change]) =>
      change === undefined ? [NO_CHANGE, ''] : [change.compatible ? COMPATIBLE : INCOMPATIBLE, change.why],
  )
  expect(changes?.length).toBeLessThan(2)
})

it('changes are listed by name, with the version before and now', () => {
  const now = [camera({ name: 'share', version: '1.0.0' }), camera({ name: 'app' }), camera()]
  const changes = compareNativePackages(now, [camera(), camera({ name: 'gone' })])
  expect(changes.map(({ name, before, now }) => [name, before, now])).toEqual([
    ['app', null, '7.0.1'],
    ['gone', '7.0.1', null],
    ['share', null, '1.0.0'],
  ])
})

it('changes are told in one line', () => {
  const changes = compareNativePackages([camera({ version: '8.0.0' }), camera({ name: 'share' })], [camera()])
  expect(listNativeChanges(changes)).toBe(
    '@capacitor/camera 7.0.1 -> 8.0.0 (8.0.0 is not in the range of 7.0.1), share 7.0.1 (new native code that installed apps do not have)',
  )
})

it.each<[string, 'version_number' | 'major', string | null, string | null, boolean]>([
  ['that is raised', 'version_number', '1.0.0', '2.0.0', true],
  ['that is the first', 'version_number', null, '2.0.0', true],
  ['that is not raised', 'version_number', '2.0.0', '2.0.0', false],
  ['that is missing', 'version_number', '1.0.0', null, false],
  ['under another policy', 'major', '1.0.0', '2.0.0', false],
])('a minimum %s keeps older apps away or not', (_what, policy, has, minimum, expected) => {
  const of = channel({ disable_auto_update: policy, version: bundle({ min_update_version: has }) })
  expect(isShielded(of, minimum)).toBe(expected)
})
