/** How the native code of two bundles differs, by `compareNativePackages`. */
import type { NativePackage } from '../../../../src/capgo/schema.ts'
import type { Case } from './case.ts'

export const camera = (change: Partial<NativePackage> = {}): NativePackage => ({
  name: '@capacitor/camera',
  version: '7.0.1',
  requested_version: '^7.0.0',
  ios_checksum: 'a1',
  android_checksum: 'b1',
  ...change,
})

/** The lists of packages; of `before` null where the bundle before does not tell. */
export interface NativeGiven {
  readonly before: readonly NativePackage[] | null
  readonly now: readonly NativePackage[]
}

/** One package before and now. */
const pair = (before: Partial<NativePackage>, now: Partial<NativePackage>): NativeGiven => ({
  before: [camera(before)],
  now: [camera(now)],
})

export const NO_CHANGE = 'no change'
export const COMPATIBLE = 'compatible'
export const INCOMPATIBLE = 'not compatible'
const none = { result: NO_CHANGE, why: '' }

/** Versions before and now, and whether an app with the one can run a bundle made for the other. */
const VERSIONS: readonly (readonly [before: string, now: string, isCompatible: boolean])[] = [
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
]

const OTHER_CODE: readonly (readonly [now: Partial<NativePackage>, why: string])[] = [
  [{ ios_checksum: 'a2' }, 'its iOS code differs'],
  [{ android_checksum: 'b2' }, 'its Android code differs'],
  [{ ios_checksum: 'a2', android_checksum: 'b2' }, 'its iOS and Android code differs'],
  [{ version: '7.0.2', ios_checksum: 'a2' }, '7.0.2 is not in the range of 7.0.1, its iOS code differs'],
  [{ version: '^7.0.0', ios_checksum: 'a2' }, 'its iOS code differs'],
  [{ requested_version: '*', ios_checksum: 'a2' }, 'its iOS code differs'],
]

const UNTOLD: readonly (string | undefined)[] = [undefined, '', ' ']
const share = camera({ name: 'share', version: '1.0.0' })

export const NATIVE_CHANGES: Readonly<Record<string, readonly Case<NativeGiven>[]>> = {
  'lists of native packages': [
    { name: 'of which one is not told', given: { before: null, now: [camera()] }, ...none },
    { name: 'of which one is empty', given: { before: [], now: [camera()] }, ...none },
    { name: 'of an app that was not installed here', given: { before: [camera()], now: [] }, ...none },
    { name: 'that are the same', given: pair({}, {}), ...none },
    {
      name: 'of which one has another package: installed apps lack it',
      given: { before: [camera()], now: [share, camera()] },
      result: INCOMPATIBLE,
      why: 'new native code that installed apps do not have',
    },
    {
      name: 'of which one lacks a package: nothing uses it',
      given: { before: [camera(), share], now: [share] },
      result: COMPATIBLE,
      why: 'native code that this bundle no longer uses',
    },
  ],
  'versions of a native package': VERSIONS.map(([before, now, isCompatible]) => ({
    name: `${before}, then ${now}`,
    given: pair({ version: before }, { version: now }),
    result: isCompatible ? COMPATIBLE : INCOMPATIBLE,
    why: `${now} is ${isCompatible ? 'in' : 'not in'} the range of ${before}`,
  })),
  'a version of a native package goes with itself:': [
    'workspace:*',
    'file:../camera',
    '^7.0.0',
    '7.0.1-rc.1',
  ].map(version => ({ name: version, given: pair({ version }, { version: ` ${version} ` }), ...none })),
  'other code of a native package': OTHER_CODE.map(([now, why]) => ({
    name: JSON.stringify(now),
    given: pair({}, now),
    result: INCOMPATIBLE,
    why,
  })),
  'what is no other native code': [
    { name: 'a space at the begin of a checksum', given: pair({ ios_checksum: ' a1' }, {}), ...none },
    { name: 'a space at the end of a checksum', given: pair({}, { android_checksum: 'b1 ' }), ...none },
    { name: 'a space at the begin of a version', given: pair({ version: ' 7.0.1' }, {}), ...none },
    ...UNTOLD.flatMap(untold => [
      {
        name: `a checksum that was ${JSON.stringify(untold)}`,
        given: pair({ ios_checksum: untold }, {}),
        ...none,
      },
      {
        name: `checksums that are ${JSON.stringify(untold)}`,
        given: pair({}, { ios_checksum: untold, android_checksum: untold }),
        ...none,
      },
      {
        name: `not that: a checksum that was ${JSON.stringify(untold)}, where the other differs`,
        given: pair({ ios_checksum: untold }, { android_checksum: 'b2' }),
        result: INCOMPATIBLE,
        why: 'its Android code differs',
      },
    ]),
    {
      name: 'another range that was asked for: that is told',
      given: pair({}, { requested_version: '^7.0.1' }),
      result: COMPATIBLE,
      why: 'the same version, requested as ^7.0.1 instead of ^7.0.0',
    },
    // Lists of older CLIs have none.
    { name: 'a range that was not told', given: pair({ requested_version: undefined }, {}), ...none },
  ],
}
