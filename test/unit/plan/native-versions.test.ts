import { describe, expect, it } from 'vitest'
import type { ActionError } from '../../../src/errors.ts'
import { judgeNativeVersions } from '../../../src/plan/native-versions.ts'
import { checkBeforeBuild, planPublish } from '../../../src/plan/publish.ts'
import type { Decision, NativeVersion } from '../../../src/plan/types.ts'
import { chooseName, type NameRequest } from '../../../src/plan/version.ts'
import { facts } from './cases/facts.ts'
import { channel } from './cases/rows.ts'

const android = (version: string): NativeVersion => ({
  platform: 'android',
  version,
  source: 'android/app/build.gradle:12',
})
const ios = (version: string): NativeVersion => ({ platform: 'ios', version, source: 'App.xcodeproj:34' })
const UNREAD = {
  platform: 'android',
  source: 'android/app/build.gradle:12',
  says: 'has "versionName v"',
} as const

/** What the error says: message and hint. */
function errorOf(change: Partial<NameRequest>): { code: string; message: string; hint: string } {
  const request: NameRequest = {
    wanted: { version: '5.3.0', source: 'package.json', forced: false },
    nativeVersions: [],
    rules: { disable_auto_update: 'major', disable_auto_update_under_native: true },
    minUpdateVersion: null,
    channelName: 'production',
    purpose: { kind: 'branch', isDefaultBranch: true },
    commit: { sha: 'a'.repeat(40), refName: 'main', runId: 9, runNumber: 57, runAttempt: 1, url: '' },
    taken: new Set(),
    ...change,
  }
  try {
    return { code: 'none', message: chooseName(request).names[0], hint: '' }
  } catch (error) {
    const { code, message, hint = '' } = error as ActionError
    return { code, message, hint }
  }
}

describe('judgeNativeVersions', () => {
  it('says nothing of what is known', () => {
    const natives = [android('1.0'), ios('1.0.1')]
    expect(judgeNativeVersions(natives, [])).toEqual({ natives, warnings: [] })
  })

  it('tells what is not known, where, and which platform alone was looked at', () => {
    expect(judgeNativeVersions([ios('1.4.0')], [UNREAD]).warnings).toEqual([
      'The native version of Android is not known: android/app/build.gradle:12 has "versionName v". Not checked whether Android devices accept the bundle (checked: iOS 1.4.0). To check it, set the input "native-version" to the version in the stores.',
    ])
    expect(judgeNativeVersions([], [UNREAD]).warnings[0]).toContain(
      'The native version of Android is not known: android/app/build.gradle:12 has "versionName v". Not checked whether Android devices accept the bundle. To check it, set the input "native-version" to the version in the stores.',
    )
    expect(judgeNativeVersions([android('1.0'), ios('2.0')], [UNREAD]).warnings[0]).toMatch(
      /^A native version of Android .* \(checked: Android 1\.0\)\. To check it, set/,
    )
    const other = { platform: 'ios', source: 'App.xcodeproj', says: 'is missing' } as const
    expect(judgeNativeVersions([], [UNREAD, other]).warnings).toHaveLength(2)
  })

  it('leaves out a flavour that Capgo cannot compare, and tells of it', () => {
    const judged = judgeNativeVersions([android('1.2.3'), android('1.0-dev')], [])
    expect(judged.natives).toEqual([android('1.2.3')])
    expect(judged.warnings).toEqual([
      'Android 1.0-dev (android/app/build.gradle:12) is not a version that Capgo can compare, so apps with it get no bundle.',
    ])
    // Nothing else is known of the platform: a matter for an error.
    const alone = [android('2024.05.01'), ios('1.0')]
    expect(judgeNativeVersions(alone, [])).toEqual({ natives: alone, warnings: [] })
  })
})

describe('channel_refuses_all', () => {
  it.each(['2024.05.01', '1.2.3.4', '01.2', '1.0-dev', 'v1.2', '1.0 (5)', ''])(
    'native %j is told as what it is, whatever the channel is',
    version => {
      for (const policy of ['none', 'major', 'patch', 'version_number'] as const) {
        const rules = { disable_auto_update: policy, disable_auto_update_under_native: false }
        for (const forced of [true, false]) {
          const wanted = { version: '5.3.0', source: 'x', forced }
          const error = errorOf({ nativeVersions: [ios('5.0'), android(version)], rules, wanted })
          expect(error.code).toBe('channel_refuses_all')
          expect(error.message).toContain(`${JSON.stringify(version)} (android/app/build.gradle:12)`)
          expect(error.message).not.toContain('App.xcodeproj')
          expect(error.hint).toContain('"native-version"')
          expect(error.hint).toContain('plugins.CapacitorUpdater.version')
          expect(error.hint).not.toContain('policy')
        }
      }
    },
  )

  it('names both files and the input where two versions are in each other’s way', () => {
    const error = errorOf({ nativeVersions: [android('1.0'), ios('5.2.0')] })
    expect(error.code).toBe('channel_refuses_all')
    expect(error.message).toBe(
      'Channel production cannot deliver any bundle name to both native 1.0 (android/app/build.gradle:12) and 5.2.0 (App.xcodeproj:34): the channel\'s policy "major" blocks 5.3.0 on native 1.0.0: higher major version, and 1.0.1-production.57.1 is below native 5.2.0, and the channel rejects bundles below the native version.',
    )
    expect(error.hint).toMatch(/^If one of them is a placeholder.*set the input "native-version"/)
    expect(error.hint).not.toContain('"major"')
    expect(error.hint).toContain('set its update policy to "none", or switch off its "under native" rule')
  })

  it.each<[string, Partial<NameRequest>, RegExp, RegExp]>([
    [
      'one version and the policy "patch"',
      {
        nativeVersions: [android('1.0')],
        rules: { disable_auto_update: 'patch', disable_auto_update_under_native: true },
      },
      /set its update policy to "major", or switch off its "under native" rule/,
      /placeholder/,
    ],
    [
      'two versions and the policy "minor"',
      {
        nativeVersions: [android('1.0'), ios('1.2')],
        rules: { disable_auto_update: 'minor', disable_auto_update_under_native: false },
      },
      /placeholder.*"native-version".*set its update policy to "major"/,
      /"under native"|"none"/,
    ],
    [
      'two versions and the policy "patch"',
      {
        nativeVersions: [android('1.0'), ios('2.0')],
        rules: { disable_auto_update: 'patch', disable_auto_update_under_native: true },
      },
      /set its update policy to "none"/,
      /"major"|"under native"/,
    ],
    [
      'a minimum that no app has',
      {
        nativeVersions: [android('1.0')],
        minUpdateVersion: '2.0.0',
        rules: { disable_auto_update: 'version_number', disable_auto_update_under_native: true },
      },
      /lower the input "min-update-version" \(2\.0\.0\)/,
      /placeholder/,
    ],
  ])('%s', (_, change, has, hasNot) => {
    const { code, hint } = errorOf(change)
    expect(code).toBe('channel_refuses_all')
    expect(hint).toMatch(has)
    expect(hint).not.toMatch(hasNot)
    expect(hint).toContain('"native-version"')
  })
})

describe('a publish', () => {
  it('shows what is not known, and takes no version of its own for it', () => {
    const wanted = { version: '5.3.0', source: 'package.json', forced: false }
    const of = channel({ version: null })
    const plan = planPublish(
      facts({ nativeVersions: [], unreadVersions: [UNREAD], wanted, channel: of, bundles: [] }),
    )
    expect(plan.decisions).toContainEqual<Decision>({
      what: 'native version',
      value: 'not known (android)',
      why: 'android/app/build.gradle:12 has "versionName v"',
    })
    expect(plan.warnings).toEqual([])
    expect(
      planPublish(facts({ nativeVersions: [], wanted, channel: of, bundles: [] })).warnings[0],
    ).toContain('native 1.0')
  })

  it('says of a version that cannot be compared what it is, where a minimum is needed too', () => {
    const byNumber = channel({ disable_auto_update: 'version_number', version: null })
    const unfit = facts({ nativeVersions: [android('2024.05.01')], channel: byNumber, bundles: [] })
    expect(() => checkBeforeBuild(unfit)).toThrow('"2024.05.01" (android/app/build.gradle:12)')
  })

  it('leaves out a platform that the channel is switched off for', () => {
    const natives = [android('1.0'), ios('5.2.0')]
    const wanted = { version: '5.3.0', source: 'package.json', forced: false }
    const of = (change: Parameters<typeof channel>[0]) =>
      facts({
        nativeVersions: natives,
        wanted,
        channel: channel({ disable_auto_update_under_native: true, version: null, ...change }),
        bundles: [],
      })
    expect(() => checkBeforeBuild(of({}))).toThrow('both native')
    const open = of({ android: false })
    expect(checkBeforeBuild(open)[0]).toBe('5.3.0')
    expect(planPublish(open).action).toMatchObject({ do: 'upload', names: expect.arrayContaining(['5.3.0']) })
    expect(planPublish(open).warnings).toEqual([])
  })
})
