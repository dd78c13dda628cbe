import { describe, expect, it } from 'vitest'
import {
  type Asking,
  isInRollout,
  nativeVersion,
  type Offer,
  pluginHas,
  refusal,
  UnparseableName,
} from '../../../../local/capgo/decision.ts'
import type { BundleRow, ChannelRow } from '../../../../local/capgo/index.ts'

const asking: Asking = {
  version_name: '1.0.0',
  version_build: '1.0.0',
  platform: 'ios',
  plugin_version: '8.51.2',
  is_emulator: false,
  is_prod: true,
}
const openChannel = {
  id: 1,
  name: 'production',
  public: true,
  ios: true,
  android: true,
  electron: true,
  allow_device_self_set: false,
  allow_emulator: true,
  allow_device: true,
  allow_dev: true,
  allow_prod: true,
  disable_auto_update: 'major',
  disable_auto_update_under_native: true,
} as ChannelRow
const bundleOf = (name: string, more: Partial<BundleRow> = {}) =>
  ({
    id: 1,
    name,
    external_url: null,
    r2_path: 'a.zip',
    min_update_version: null,
    key_id: null,
    ...more,
  }) as BundleRow

const decide = (
  change: { asking?: Partial<Asking>; channel?: Partial<ChannelRow>; bundle?: BundleRow | null } & Partial<
    Omit<Offer, 'channel' | 'bundle'>
  >,
) =>
  refusal(
    { ...asking, ...change.asking },
    {
      channel: { ...openChannel, ...change.channel },
      bundle: change.bundle === undefined ? bundleOf('1.0.1') : change.bundle,
      deltaFiles: change.deltaFiles ?? 0,
      isOverride: change.isOverride ?? false,
    },
  )

// Contract 4.5, cell by cell: a device on its built-in code, the channel otherwise open.
const yes = undefined
const same = 'no_new_version_available'
const under = 'disable_auto_update_under_native'
const major = 'disable_auto_update_to_major'
const minor = 'disable_auto_update_to_minor'
const patch = 'disable_auto_update_to_patch'
const modes = ['none', 'major', 'minor', 'patch', 'version_number'] as const

const flagOn: [string, string, (string | undefined)[]][] = [
  ['1.0.0', '1.0.0', [same, same, same, same, same]],
  ['1.0.0', '1.0.0-pr.1', [under, under, under, under, under]],
  ['1.0.0', '1.0.1-pr.5.1', [yes, yes, yes, patch, yes]],
  ['1.0.0', '1.0.1', [yes, yes, yes, patch, yes]],
  ['1.0.0', '1.1.0', [yes, yes, minor, patch, yes]],
  ['1.0.0', '2.0.0', [yes, major, minor, patch, yes]],
  ['1.0.0', '2.0.0-pr.1', [yes, major, minor, patch, yes]],
  ['1.0.0', '0.9.9', [under, under, minor, patch, under]],
  ['1.0.0', '1.0.0+pr.5', [yes, yes, yes, yes, yes]],
  ['1.2.3', '1.2.3-pr.123', [under, under, under, under, under]],
  ['1.2', '1.2.1-pr.7.1', [yes, yes, yes, patch, yes]],
]
const flagOff: [string, string, (string | undefined)[]][] = [
  ['1.0.0', '1.0.0-pr.1', [yes, yes, yes, yes]],
  ['1.0.0', '0.9.9', [yes, yes, minor, patch]],
  ['1.0.0', '1.0.1-pr.5.1', [yes, yes, yes, patch]],
]

describe('the table of contract 4.5', () => {
  for (const [flag, rows] of [
    [true, flagOn],
    [false, flagOff],
  ] as const)
    for (const [native, name, answers] of rows)
      it.each(answers.map((answer, index) => [modes[index]!, answer] as const))(
        `native ${native}, bundle ${name}, under-native ${flag ? 'on' : 'off'}, mode %s -> %s`,
        (mode, answer) => {
          const version_build = nativeVersion(native)!
          const no = decide({
            asking: { version_build, version_name: version_build },
            channel: { disable_auto_update: mode, disable_auto_update_under_native: flag },
            bundle: bundleOf(name, { min_update_version: '0.0.1' }),
          })
          expect(no?.error).toBe(answer)
        },
      )
})

describe('the rules one by one', () => {
  it.each([
    ['no_bundle', 'failed', { bundle: bundleOf('1.0.1', { r2_path: null }) }],
    [
      'key_id_mismatch',
      'blocked',
      { asking: { key_id: 'AAAA' }, bundle: bundleOf('1.0.1', { key_id: 'BBBB' }) },
    ],
    ['disabled_platform_ios', 'blocked', { channel: { ios: false } }],
    [
      'disabled_platform_android',
      'blocked',
      { asking: { platform: 'android' }, channel: { android: false } },
    ],
    [
      'disabled_platform_electron',
      'blocked',
      { asking: { platform: 'electron' }, channel: { electron: false } },
    ],
    ['cannot_update_via_private_channel', 'blocked', { channel: { public: false } }],
    ['misconfigured_channel', 'failed', { channel: { disable_auto_update: 'version_number' } }],
    [
      'disable_auto_update_to_metadata',
      'blocked',
      {
        channel: { disable_auto_update: 'version_number' },
        bundle: bundleOf('1.0.1', { min_update_version: '1.0.1' }),
      },
    ],
    ['disable_prod_build', 'blocked', { channel: { allow_prod: false } }],
    ['disable_dev_build', 'blocked', { asking: { is_prod: false }, channel: { allow_dev: false } }],
    ['disable_device', 'blocked', { channel: { allow_device: false } }],
    ['disable_emulator', 'blocked', { asking: { is_emulator: true }, channel: { allow_emulator: false } }],
    [
      'revert_to_builtin_plugin_version_too_old',
      'failed',
      { asking: { plugin_version: '6.1.9' }, bundle: null },
    ],
  ] as const)('%s (%s)', (error, kind, change) => {
    expect(decide(change as Parameters<typeof decide>[0])).toMatchObject({ error, kind })
  })

  it('delivers delta files without a zip, and to overrides of private channels', () => {
    expect(decide({ bundle: bundleOf('1.0.1', { r2_path: null }), deltaFiles: 3 })).toBeUndefined()
    expect(decide({ channel: { public: false }, isOverride: true })).toBeUndefined()
  })

  it('asks for the key id only of plugins above 8.40.7', () => {
    const bundle = bundleOf('1.0.1', { key_id: 'BBBB' })
    expect(decide({ asking: { key_id: 'AAAA', plugin_version: '8.40.7' }, bundle })).toBeUndefined()
    expect(decide({ asking: { key_id: 'BBBB' }, bundle })).toBeUndefined()
  })

  it('answers in the order of the list: platform before major, major before private', () => {
    const bundle = bundleOf('2.0.0')
    expect(decide({ channel: { ios: false, public: false }, bundle })?.error).toBe('disabled_platform_ios')
    expect(decide({ channel: { public: false }, bundle })?.error).toBe('disable_auto_update_to_major')
  })

  it('says the installed bundle as `old` for some rules and the native version for others', () => {
    const running = { version_name: '1.0.5' }
    expect(decide({ asking: running, bundle: bundleOf('2.0.0') })?.extra).toEqual({
      major: true,
      version: '2.0.0',
      old: '1.0.0',
    })
    expect(decide({ asking: running, bundle: bundleOf('0.9.0') })?.extra).toEqual({
      version: '0.9.0',
      old: '1.0.5',
    })
  })

  it('fails on a name that is no version only when a rule has to compare', () => {
    const bundle = bundleOf('preview-build')
    expect(() => decide({ bundle })).toThrow(UnparseableName)
    expect(
      decide({ bundle, channel: { disable_auto_update: 'none', disable_auto_update_under_native: false } }),
    ).toBeUndefined()
  })
})

it('reads native versions as the service does', () => {
  expect(
    ['1', '1.2', '1.2.3', '1.2.3-beta.1', 'builtin', 'unknown', 'abc', '1.2.3.4', 'v1.0.0'].map(
      nativeVersion,
    ),
  ).toEqual(['1.0.0', '1.2.0', '1.2.3', '1.2.3-beta.1', '0.0.0', '0.0.0', undefined, undefined, undefined])
})

it('knows which plugins take what', () => {
  const delta = { 5: '5.10.0', 6: '6.25.0', 7: '7.0.35' }
  expect(
    ['4.9.0', '5.9.9', '5.10.0', '6.24.0', '6.25.0', '7.0.34', '7.0.35', '8.0.0'].map(version =>
      pluginHas(version, delta),
    ),
  ).toEqual([false, false, true, false, true, false, true, true])
})

describe('rollout', () => {
  const rolling = {
    ...openChannel,
    rollout_version: 2,
    rollout_enabled: true,
    rollout_percentage_bps: 2500,
    rollout_paused_at: null,
    rollout_id: 'r1',
  } as ChannelRow
  const ids = Array.from({ length: 2000 }, (_, n) => `device-${n}`)
  const cohort = (channel: ChannelRow) => ids.filter(id => isInRollout(channel, id, '1.0.0', '1.1.0'))

  it('takes about the percentage, the same devices each time, and only adds when it grows', () => {
    const quarter = cohort(rolling)
    expect(quarter.length).toBeGreaterThan(400)
    expect(quarter.length).toBeLessThan(600)
    expect(cohort(rolling)).toEqual(quarter)
    expect(cohort({ ...rolling, rollout_percentage_bps: 5000 })).toEqual(expect.arrayContaining(quarter))
    expect(cohort({ ...rolling, rollout_id: 'r2' })).not.toEqual(quarter)
  })

  it('gives stable to all others when paused or at 0 %, but lets devices keep the bundle that they run', () => {
    const paused = { ...rolling, rollout_paused_at: '2026-07-01T00:00:00Z' }
    expect(cohort(paused)).toEqual([])
    expect(cohort({ ...rolling, rollout_percentage_bps: 0 })).toEqual([])
    expect(isInRollout(paused, 'any', '1.1.0', '1.1.0')).toBe(true)
    expect(isInRollout({ ...rolling, rollout_enabled: false }, 'any', '1.1.0', '1.1.0')).toBe(false)
  })
})
