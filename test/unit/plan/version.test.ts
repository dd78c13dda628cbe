import fc from 'fast-check'
import semver from 'semver'
import { describe, expect, it } from 'vitest'
import { ActionError } from '../../../src/errors.ts'
import {
  chooseName,
  chooseVersion,
  DEFAULT_RULES,
  firstRefusal,
  hasOtherName,
  mayShow,
  type NameRequest,
  preReleaseLabel,
  type VersionSources,
  withoutBuildMetadata,
} from '../../../src/plan/version.ts'

const commit = {
  sha: 'a'.repeat(40),
  refName: 'main',
  runId: 9,
  runNumber: 57,
  runAttempt: 1,
  url: 'https://x',
}
function request(change: Partial<NameRequest> = {}): NameRequest {
  return {
    wanted: { version: '1.4.0', source: 'package.json', forced: false },
    nativeVersions: [{ platform: 'android', version: '1.0', source: 'android/app/build.gradle:12' }],
    rules: DEFAULT_RULES,
    minUpdateVersion: null,
    channelName: 'production',
    purpose: { kind: 'branch', isDefaultBranch: true },
    commit,
    taken: new Set(),
    ...change,
  }
}
const branch = { kind: 'branch', isDefaultBranch: true } as const
const wanted = (version: string, forced = false) => ({
  version,
  source: forced ? 'input "version"' : 'package.json',
  forced,
})
const native = (...versions: string[]) =>
  versions.map(version => ({ platform: 'any' as const, version, source: 'input "native-version"' }))

describe('chooseName', () => {
  it('takes the wanted version when it is free and would be delivered', () => {
    const choice = chooseName(request())
    expect(choice.names.slice(0, 3)).toEqual(['1.4.0', '1.4.1-production.57.1', '1.4.1-production.57.1.2'])
    expect(choice.why).toBe('package.json')
  })
  it('moves to the next patch pre-release when other content has the name', () => {
    const choice = chooseName(request({ taken: new Set(['1.4.0']) }))
    expect(choice.names[0]).toBe('1.4.1-production.57.1')
    expect(choice.why).toContain('a name that other content has')
  })
  it('tells why in a sentence, also where package.json tells no version', () => {
    const why = (wanted: NameRequest['wanted']) => chooseName(request({ wanted })).why
    expect(why(wanted('0.9.0'))).toMatch(/^package\.json says 0\.9\.0, but 0\.9\.0 is below native/)
    expect(why(chooseVersion({ input: null, tag: null, manifest: {} }))).toMatch(
      /^no version in package\.json \(taken as 0\.0\.0\), but 0\.0\.0 is below native/,
    )
  })
  it('moves when the name is the native version, which is never delivered', () => {
    const choice = chooseName(request({ nativeVersions: native('1.4.0') }))
    expect(choice.names[0]).toBe('1.4.1-production.57.1')
    expect(choice.why).toContain('never delivered')
  })
  it('goes above the native version when package.json is behind it', () => {
    expect(chooseName(request({ wanted: wanted('0.0.0') })).names[0]).toBe('1.0.1-production.57.1')
  })
  it('stays in the native minor on a "minor" channel', () => {
    const rules = { disable_auto_update: 'minor', disable_auto_update_under_native: true } as const
    expect(chooseName(request({ rules, nativeVersions: native('1.2.3') })).names[0]).toBe(
      '1.2.4-production.57.1',
    )
  })
  it('uses the native patch on a "patch" channel that takes bundles under native', () => {
    const rules = { disable_auto_update: 'patch', disable_auto_update_under_native: false } as const
    expect(chooseName(request({ rules, nativeVersions: native('1.2.3') })).names[0]).toBe(
      '1.2.3-production.57.1',
    )
  })
  it('says so when no name would be delivered', () => {
    const rules = { disable_auto_update: 'patch', disable_auto_update_under_native: true } as const
    expect(() => chooseName(request({ rules, nativeVersions: native('1.2.3') }))).toThrow(
      /No bundle name would be delivered/,
    )
  })
  it('serves two native versions at once', () => {
    expect(
      chooseName(request({ wanted: wanted('1.0.0'), nativeVersions: native('1.0', '1.2') })).names[0],
    ).toBe('1.2.1-production.57.1')
  })
  it('refuses a forced version that the rules refuse, and names the rule', () => {
    const forced = () => chooseName(request({ wanted: wanted('2.0.0', true) }))
    expect(forced).toThrow(ActionError)
    expect(forced).toThrow(/disable_auto_update_to_major.*build.gradle:12/)
  })
  it('refuses a forced version that is taken, and never moves to another', () => {
    const asked = request({ wanted: wanted('1.4.0', true) })
    expect(chooseName(asked)).toEqual({ names: ['1.4.0'], why: 'input "version"' })
    expect(() => chooseName({ ...asked, taken: new Set(['1.4.0']) })).toThrow(
      expect.objectContaining({ code: 'version_taken', message: expect.stringContaining('1.4.0') }),
    )
  })
  it('finds another name when the derived ones are taken too', () => {
    const taken = new Set(['1.4.0', '1.4.1-production.57.1', '1.4.1-production.57.1.2'])
    expect(chooseName(request({ taken })).names[0]).toBe('1.4.1-production.57.1.3')
  })
  it('names a preview for its pull request, above the native version, and leaves the wanted name free', () => {
    const asked = request({ purpose: { kind: 'preview', pull: 12 }, channelName: 'pr-12' })
    expect(chooseName(asked).names[0]).toBe('1.4.1-pr.12.57.1')
    expect(chooseName({ ...asked, nativeVersions: native('1.4.0') }).names[0]).toBe('1.4.1-pr.12.57.1')
  })
  it('keeps the patch of a wanted pre-release', () => {
    expect(
      chooseName(request({ wanted: wanted('1.5.0-beta.1'), taken: new Set(['1.5.0-beta.1']) })).names[0],
    ).toBe('1.5.0-production.57.1')
  })

  it('never proposes a name that is taken, not semver, or refused by the rules', () => {
    const number = fc.nat({ max: 3 })
    const version = fc.tuple(number, number, number).map(parts => parts.join('.'))
    fc.assert(
      fc.property(
        version,
        fc.array(version, { maxLength: 2 }),
        fc.constantFrom('major', 'minor', 'patch', 'none'),
        fc.boolean(),
        fc.array(fc.constantFrom('1.4.0', '1.4.1-production.57.1', '1.0.1-production.57.1', '0.0.1'), {
          maxLength: 4,
        }),
        fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,12}$/),
        (base, natives, policy, underNative, taken, channelName) => {
          const rules = {
            disable_auto_update: policy,
            disable_auto_update_under_native: underNative,
          } as const
          const asked = request({
            wanted: wanted(base),
            nativeVersions: native(...natives),
            rules,
            taken: new Set(taken),
            channelName,
          })
          let names: readonly string[]
          try {
            names = chooseName(asked).names
          } catch (error) {
            expect((error as ActionError).code).toBe('channel_refuses_all')
            return
          }
          for (const name of names) {
            expect(semver.valid(name)).toBe(name)
            expect(taken).not.toContain(name)
            expect(firstRefusal(name, asked.nativeVersions, rules, null)).toBeNull()
          }
        },
      ),
    )
  })
})

describe('chooseVersion', () => {
  const manifest = { name: '@acme/mobile', version: '1.3.0' }
  const choose = (given: Partial<VersionSources>) => {
    const { version, source, forced } = chooseVersion({ input: null, tag: null, manifest, ...given })
    return `${version}${forced ? '!' : ''} ${source}`
  }
  it.each<[Partial<VersionSources>, string]>([
    [{ input: '2.0.0', tag: 'v1.0.0' }, '2.0.0! input "version"'],
    [{}, '1.3.0 package.json'],
    [{ tag: 'v5.0.0' }, '5.0.0 tag v5.0.0'],
    [{ tag: '5.0.0-rc.1' }, '5.0.0-rc.1 tag 5.0.0-rc.1'],
    [{ tag: '@acme/mobile@5.0.0' }, '5.0.0 tag @acme/mobile@5.0.0'],
    [{ tag: 'mobile@5.0.0' }, '5.0.0 tag mobile@5.0.0'],
    [{ tag: 'mobile-v5.0.0' }, '5.0.0 tag mobile-v5.0.0'],
    [{ tag: 'mobile/v5.0.0' }, '5.0.0 tag mobile/v5.0.0'],
    [
      { tag: '@acme/api@5.0.0' },
      '1.3.0 package.json; tag @acme/api@5.0.0 is not one of this app, but of "@acme/api"',
    ],
    [
      { tag: '@other/mobile@5.0.0' },
      '1.3.0 package.json; tag @other/mobile@5.0.0 is not one of this app, but of "@other/mobile"',
    ],
    [{ tag: 'api-v5.0.0' }, '1.3.0 package.json; tag api-v5.0.0 is not one of this app, but of "api"'],
    [{ tag: 'api/v5.0.0' }, '1.3.0 package.json; tag api/v5.0.0 is not one of this app, but of "api"'],
    [
      { tag: 'api-mobile-5.0.0' },
      '1.3.0 package.json; tag api-mobile-5.0.0 is not one of this app, but of "api-mobile"',
    ],
    [
      { tag: 'mobile@5.0.0', manifest: null },
      '0.0.0 no version in package.json (taken as 0.0.0); tag mobile@5.0.0 is not one of this app, but of "mobile"',
    ],
    [{ tag: 'nightly' }, '1.3.0 package.json; tag nightly is not a version'],
    [{ tag: 'v1.02.0' }, '1.3.0 package.json; tag v1.02.0 is not a version'],
    [
      { manifest: { version: '1.4' } },
      '0.0.0 "1.4" in package.json is not a semantic version (taken as 0.0.0)',
    ],
    [{ manifest: { version: 'v1.4.0' } }, '1.4.0 package.json (v1.4.0, taken as 1.4.0)'],
    // One rule for build metadata.
    [{ input: '1.4.0+7' }, '1.4.0! input "version" (1.4.0+7, taken as 1.4.0)'],
    [{ tag: 'v1.3.0+45' }, '1.3.0 tag v1.3.0+45 (1.3.0+45, taken as 1.3.0)'],
    [
      { tag: 'mobile@1.3.0-rc.1+45' },
      '1.3.0-rc.1 tag mobile@1.3.0-rc.1+45 (1.3.0-rc.1+45, taken as 1.3.0-rc.1)',
    ],
    [{ manifest: { version: '1.4.0+7' } }, '1.4.0 package.json (1.4.0+7, taken as 1.4.0)'],
  ])('%j: %s', (given, said) => expect(choose(given)).toBe(said))

  it.each([
    ['1', '1'],
    ['1.2', '1.2'],
    ['1.2.3', '1.2.3'],
    ['1.2.3-rc.1+7', '1.2.3-rc.1'],
  ])('a native version %s is %s', (given, version) =>
    expect(withoutBuildMetadata(given, 'x').version).toBe(version),
  )
})

describe('preReleaseLabel', () => {
  it.each([
    ['production', 'production'],
    ['release/1.x_y', 'release-1-x-y'],
    ['007', 'channel-007'],
    ['__', 'channel'],
  ])('%s -> %s', (channel, label) => expect(preReleaseLabel(channel, branch)).toBe(label))
})

describe('mayShow', () => {
  it.each([
    ['1.4.0', true],
    ['1.4.1-production.12.1', true],
    ['1.4.1-pr.5.1.1', false],
    ['1.4.1-development.3.1', false],
    ['1.3.0', false],
  ])('%s: %s', (name, expected) => expect(mayShow(name, '1.4.0', 'production', branch)).toBe(expected))
})

describe('mayShow on a preview', () => {
  it.each([
    ['1.4.1-pr.12.3.1', true],
    ['1.4.1-pr.1.3.1', false],
    ['1.4.1-pr.123.3.1', false],
    ['1.4.0', false],
  ])('%s: %s', (name, expected) =>
    expect(mayShow(name, '1.4.0', 'pr-12', { kind: 'preview', pull: 12 })).toBe(expected),
  )
})

it.each([
  ['1.4.0', true, false],
  ['1.4.1', true, true],
  ['1.4.1', false, false],
])('a bundle %s is under another name than 1.4.0 (forced: %s): %s', (name, forced, expected) => {
  expect(hasOtherName({ name }, { version: '1.4.0', source: 'x', forced })).toBe(expected)
})
