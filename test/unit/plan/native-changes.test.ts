import { describe, expect, it } from 'vitest'
import type { NativePackage } from '../../../src/capgo/schema.ts'
import { compareNativePackages } from '../../../src/plan/native-changes.ts'

const camera = (rest: Partial<NativePackage> = {}): NativePackage => ({
  name: '@capacitor/camera',
  version: '7.0.1',
  requested_version: '^7.0.0',
  ios_checksum: 'a1',
  android_checksum: 'b1',
  ...rest,
})

/** The one change from the camera before to the camera now, or null. */
function judge(before: Partial<NativePackage>, now: Partial<NativePackage>) {
  const changes = compareNativePackages([camera(now)], [camera(before)])
  expect(changes.length).toBeLessThan(2)
  return changes[0] ?? null
}

describe('compareNatives', () => {
  it('judges nothing without a list to compare with', () => {
    expect(compareNativePackages([camera()], null)).toEqual([])
    expect(compareNativePackages([camera()], [])).toEqual([])
    expect(compareNativePackages([], [camera()])).toEqual([])
  })

  it('lists nothing that is the same', () => {
    expect(compareNativePackages([camera()], [camera()])).toEqual([])
  })

  it('new native code is not compatible, by name', () => {
    const added = { before: null, compatible: false, why: 'new native code that installed apps do not have' }
    expect(
      compareNativePackages(
        [camera({ name: 'share', version: '1.0.0' }), camera({ name: 'app' }), camera()],
        [camera()],
      ),
    ).toEqual([
      { name: 'app', now: '7.0.1', ...added },
      { name: 'share', now: '1.0.0', ...added },
    ])
  })

  it('native code that is gone is compatible', () => {
    const share = camera({ name: 'share' })
    expect(compareNativePackages([share], [camera(), share])).toEqual([
      {
        name: '@capacitor/camera',
        before: '7.0.1',
        now: null,
        compatible: true,
        why: 'native code that this bundle no longer uses',
      },
    ])
  })

  it.each([
    // Exact versions are ranges of themselves alone, whatever part of them is another.
    ['7.0.1', '7.0.2', false],
    ['7.0.1', '8.0.0', false],
    ['0.9.0', '1.2.0', false],
    ['7.0.1', '7.0.1-rc.1', false],
    ['7.0.1', '=7.0.1', true],
    ['7.0.1', '7.0.1+build', true],
    ['^7.0.0', '7.4.0', true],
    ['7.4.0', '^7.0.0', true],
    ['^7.0.0', '^7.5.0', true],
    ['^7.0.0', '^8.0.0', false],
    ['~7.0.0', '7.1.0', false],
    ['^7.0.0 || ^8.0.0', '8.1.0', true],
    ['*', '8.1.0', true],
    // No versions at all.
    ['workspace:*', '1.0.0', false],
    ['file:../camera', 'file:../camera2', false],
    ['1.0.0', 'workspace:*', false],
  ])('before %s, now %s: compatible is %s', (before, now, compatible) => {
    expect(judge({ version: before }, { version: now })).toEqual({
      name: '@capacitor/camera',
      before,
      now,
      compatible,
      why: compatible ? `${now} is in the range of ${before}` : `${now} is not in the range of ${before}`,
    })
  })

  it.each(['workspace:*', 'file:../camera', '^7.0.0', '7.0.1-rc.1'])('%s goes with itself', version => {
    expect(judge({ version }, { version: ` ${version} ` })).toBeNull()
  })

  it.each([
    [{ ios_checksum: 'a2' }, 'its iOS code differs'],
    [{ android_checksum: 'b2' }, 'its Android code differs'],
    [{ ios_checksum: 'a2', android_checksum: 'b2' }, 'its iOS and Android code differs'],
    [{ version: '7.0.2', ios_checksum: 'a2' }, '7.0.2 is not in the range of 7.0.1, its iOS code differs'],
    [{ version: '^7.0.0', ios_checksum: 'a2' }, 'its iOS code differs'],
    [{ requested_version: '*', ios_checksum: 'a2' }, 'its iOS code differs'],
  ])('other code is not compatible: %o', (now, why) => {
    expect(judge({}, now)).toMatchObject({ compatible: false, why })
  })

  it('spaces around a checksum are no other code', () => {
    expect(judge({ ios_checksum: ' a1' }, { android_checksum: 'b1 ' })).toBeNull()
    expect(judge({ version: ' 7.0.1' }, {})).toBeNull()
  })

  it.each([undefined, '', ' '])('a checksum that is %o on one side tells nothing', none => {
    expect(judge({ ios_checksum: none }, {})).toBeNull()
    expect(judge({}, { ios_checksum: none, android_checksum: none })).toBeNull()
    expect(judge({ ios_checksum: none }, { android_checksum: 'b2' })).toMatchObject({ compatible: false })
  })

  it('another requested range alone is information', () => {
    expect(judge({}, { requested_version: '^7.0.1' })).toEqual({
      name: '@capacitor/camera',
      before: '7.0.1',
      now: '7.0.1',
      compatible: true,
      why: 'the same version, asked for as ^7.0.1 instead of ^7.0.0',
    })
    // Lists of older CLIs have none.
    expect(judge({ requested_version: undefined }, {})).toBeNull()
  })
})
