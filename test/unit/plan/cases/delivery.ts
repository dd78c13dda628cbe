/** Whether a device is given a bundle, by the rules of Capgo's server: `refusedByVersion` and `refuseDelivery`. */
import type { DeliverableBundle, DeliveryDevice, DeliveryRules } from '../../../../src/plan/delivery.ts'

export type Policy = 'major' | 'minor' | 'patch' | 'version_number' | 'none'
export const POLICIES: Policy[] = ['none', 'major', 'minor', 'patch', 'version_number']
/** Capgo's codes for what a verdict says. */
export const CODES = {
  same: 'no_new_version_available',
  under: 'disable_auto_update_under_native',
  major: 'disable_auto_update_to_major',
  minor: 'disable_auto_update_to_minor',
  patch: 'disable_auto_update_to_patch',
  yes: null,
} as const
export type Verdict = keyof typeof CODES

/** Native, bundle, then the verdict for each policy above (minimum native version = the native one). */
export const UNDER_NATIVE_ON: [string, string, Verdict, Verdict, Verdict, Verdict, Verdict][] = [
  ['1.0.0', '1.0.0', 'same', 'same', 'same', 'same', 'same'],
  ['1.0.0', '1.0.0-pr.1', 'under', 'under', 'under', 'under', 'under'],
  ['1.0.0', '1.0.1-pr.5.1', 'yes', 'yes', 'yes', 'patch', 'yes'],
  ['1.0.0', '1.0.1', 'yes', 'yes', 'yes', 'patch', 'yes'],
  ['1.0.0', '1.1.0', 'yes', 'yes', 'minor', 'patch', 'yes'],
  ['1.0.0', '2.0.0', 'yes', 'major', 'minor', 'patch', 'yes'],
  ['1.0.0', '2.0.0-pr.1', 'yes', 'major', 'minor', 'patch', 'yes'],
  ['1.0.0', '0.9.9', 'under', 'under', 'minor', 'patch', 'under'],
  ['1.0.0', '1.0.0+pr.5', 'yes', 'yes', 'yes', 'yes', 'yes'],
  ['1.2.3', '1.2.3-pr.123', 'under', 'under', 'under', 'under', 'under'],
  ['1.2', '1.2.1-pr.7.1', 'yes', 'yes', 'yes', 'patch', 'yes'],
]
export const UNDER_NATIVE_OFF: [string, string, Verdict, Verdict, Verdict, Verdict][] = [
  ['1.0.0', '1.0.0-pr.1', 'yes', 'yes', 'yes', 'yes'],
  ['1.0.0', '0.9.9', 'yes', 'yes', 'minor', 'patch'],
  ['1.0.0', '1.0.1-pr.5.1', 'yes', 'yes', 'yes', 'patch'],
]

/** Native, bundle, its minimum native version, Capgo's code and the same in words. */
export const IN_WORDS: readonly (readonly [
  what: string,
  native: string,
  bundle: string,
  minimum: string | null,
  code: string,
  rule: RegExp,
])[] = [
  ['a native version that is none', 'v1', '1.0.1', null, 'semver_error', /native version v1/],
  ['a name that is none', '1.0.0', 'by hand', null, 'semver_error', /bundle name by hand/],
  [
    'a minimum that is none',
    '1.0.0',
    '1.0.1',
    '1.0',
    'semver_error',
    /minimum native version 1\.0 is not a version/,
  ],
  [
    'the name of the native version',
    '1.0',
    '1.0.0',
    '1.0.0',
    'no_new_version_available',
    /same name as the native/,
  ],
  [
    'no minimum, where the channel needs one',
    '1.0.0',
    '1.4.0',
    null,
    'misconfigured_channel',
    /does not have$/,
  ],
  [
    'a minimum above the native version',
    '1.0.0',
    '1.4.0',
    '1.1.0',
    'disable_auto_update_to_metadata',
    /needs native 1\.1\.0 or later, and the device has 1\.0\.0$/,
  ],
]

/** A native version as written, and as Capgo compares it; null = it answers with an error. */
export const NATIVE_VERSIONS: readonly (readonly [written: string, compared: string | null])[] = [
  ['1', '1.0.0'],
  ['1.2', '1.2.0'],
  ['1.2.3', '1.2.3'],
  ['12', '12.0.0'],
  ['12.34', '12.34.0'],
  ['1.2.3-rc.1', '1.2.3-rc.1'],
  ['builtin', '0.0.0'],
  ['unknown', '0.0.0'],
  ['', null],
  ['1.2.3.4', null],
  ['v1', null],
]

export const deliveryChannel: DeliveryRules = {
  name: 'beta',
  public: false,
  ios: true,
  android: true,
  electron: true,
  disable_auto_update: 'major',
  disable_auto_update_under_native: true,
  allow_device_self_set: true,
  allow_emulator: true,
  allow_device: true,
  allow_dev: true,
  allow_prod: true,
}
export const deliveryBundle: DeliverableBundle = {
  name: '1.0.1',
  min_update_version: null,
  key_id: null,
  hasContent: true,
}
export const deliveryDevice: DeliveryDevice = {
  platform: 'android',
  native: '1.0.0',
  isProd: true,
  isEmulator: false,
  byOverride: false,
}

/** Changes of device, channel and bundle; null = it is delivered. The order of the rules is that of the server. */
export const DELIVERY: readonly (readonly [
  what: string,
  device: Partial<DeliveryDevice>,
  channel: Partial<DeliveryRules>,
  bundle: Partial<DeliverableBundle>,
  code: string | null,
])[] = [
  ['delivered', {}, {}, {}, null],
  ['nothing stored', {}, {}, { hasContent: false }, 'no_bundle'],
  [
    'another key',
    { pluginVersion: '8.40.8', keyId: 'aaaa' },
    {},
    { key_id: 'bbbb', name: '1.0.0' },
    'key_id_mismatch',
  ],
  ['another key, older plugin', { pluginVersion: '8.40.7', keyId: 'aaaa' }, {}, { key_id: 'bbbb' }, null],
  ['the same key', { pluginVersion: '8.40.8', keyId: 'aaaa' }, {}, { key_id: 'aaaa' }, null],
  ['another key, no plugin told', { keyId: 'aaaa' }, {}, { key_id: 'bbbb' }, null],
  ['another key, odd plugin', { pluginVersion: 'x', keyId: 'aaaa' }, {}, { key_id: 'bbbb' }, null],
  ['a key that the app has alone', { pluginVersion: '8.40.8', keyId: 'aaaa' }, {}, {}, null],
  ['a key that the bundle has alone', { pluginVersion: '8.40.8' }, {}, { key_id: 'bbbb' }, null],
  ['a name that is none, before the platform', {}, { android: false }, { name: 'x' }, 'semver_error'],
  ['another platform off', {}, { ios: false, electron: false }, {}, null],
  ['minor', {}, { disable_auto_update: 'minor' }, { name: '1.1.0' }, 'disable_auto_update_to_minor'],
  ['emulators off, on a device', {}, { allow_emulator: false }, {}, null],
  ['devices off, on an emulator', { isEmulator: true }, { allow_device: false }, {}, null],
  ['production builds off, on a development build', { isProd: false }, { allow_prod: false }, {}, null],
  ['development builds off, on a production build', {}, { allow_dev: false }, {}, null],
  ['already there', { installed: '1.0.1' }, { android: false }, {}, 'no_new_version_available'],
  ['platform off', {}, { android: false }, { name: '2.0.0' }, 'disabled_platform_android'],
  [
    'major before private',
    {},
    { allow_device_self_set: false },
    { name: '2.0.0' },
    'disable_auto_update_to_major',
  ],
  [
    'private before minor',
    {},
    { allow_device_self_set: false, disable_auto_update: 'minor' },
    { name: '1.1.0' },
    'cannot_update_via_private_channel',
  ],
  ['private, by override', { byOverride: true }, { allow_device_self_set: false }, {}, null],
  ['production builds off', {}, { allow_prod: false }, {}, 'disable_prod_build'],
  ['development builds off', { isProd: false }, { allow_dev: false }, {}, 'disable_dev_build'],
  ['devices off', {}, { allow_device: false }, {}, 'disable_device'],
  ['emulators off', { isEmulator: true }, { allow_emulator: false }, {}, 'disable_emulator'],
]
