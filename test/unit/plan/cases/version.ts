/** What a bundle is called, by `chooseVersion` and `chooseName`. */
import type { Purpose, WantedVersion } from '../../../../src/plan/types.ts'
import {
  DEFAULT_RULES,
  type NameRequest,
  PREVIEW_RULES,
  type VersionSources,
} from '../../../../src/plan/version.ts'
import { type Case, fails } from './case.ts'
import { commit } from './facts.ts'
import { native } from './rows.ts'

const INPUT = 'input "native-version"'
const anyOf = (...versions: readonly string[]) => versions.map(version => native(version, 'any', INPUT))
const wanted = (version: string, source = 'package.json'): WantedVersion => ({
  version,
  source,
  forced: false,
})
const forced = (version: string): WantedVersion => ({ version, source: 'input "version"', forced: true })
const PREVIEW: Purpose = { kind: 'preview', pull: 12 }
const ofPreview = { purpose: PREVIEW, channelName: 'pr-12', rules: PREVIEW_RULES }
const policy = (disable_auto_update: NameRequest['rules']['disable_auto_update'], isAboveNative = true) => ({
  disable_auto_update,
  disable_auto_update_under_native: isAboveNative,
})

/** The wanted version, the native ones and the policy of the channel: 1.4.0, 1.0 and "major". */
export function nameRequest(change: Partial<NameRequest> = {}): NameRequest {
  return {
    wanted: wanted('1.4.0'),
    nativeVersions: anyOf('1.0'),
    rules: DEFAULT_RULES,
    minUpdateVersion: null,
    channelName: 'production',
    purpose: { kind: 'branch', isDefaultBranch: true },
    commit,
    taken: new Set(),
    ...change,
  }
}

type NameCase = Case<Partial<NameRequest>>

const derived = (why: string) => `${why}, so a pre-release of the next patch`

const names: readonly NameCase[] = [
  {
    name: 'the wanted one, when it is free and would be delivered',
    page: ['`1.4.0` (package.json)', 'apps at native `1.0`'],
    given: {},
    result: '`1.4.0`',
    why: 'package.json',
  },
  {
    name: 'another, when other content has it',
    page: ['`1.4.0` (package.json)', 'other content has that name'],
    given: { taken: new Set(['1.4.0']) },
    result: '`1.4.1-production.57.1`',
    why: '1.4.0 (package.json) is already taken, so a pre-release of the next patch',
  },
  {
    name: 'another, when it is the native version, which is never delivered',
    page: ['`1.4.0` (package.json)', 'apps at native `1.4.0`'],
    given: { nativeVersions: anyOf('1.4.0') },
    result: '`1.4.1-production.57.1`',
    why: derived(
      '1.4.0 (package.json) is not delivered: a bundle with the same name as the native version (1.4.0) is never delivered (input "native-version")',
    ),
  },
  {
    name: 'that of the tag',
    page: ['`1.4.0` (tag v1.4.0)', 'apps at native `1.3.0`'],
    given: { wanted: wanted('1.4.0', 'tag v1.4.0'), nativeVersions: anyOf('1.3.0') },
    result: '`1.4.0`',
    why: 'tag v1.4.0',
  },
  {
    name: 'above the native version, when package.json is behind it',
    page: ['`1.2.0` (package.json)', 'apps at native `1.4.0`'],
    given: { wanted: wanted('1.2.0'), nativeVersions: anyOf('1.4.0') },
    result: '`1.4.1-production.57.1`',
    why: derived(
      '1.2.0 (package.json) is not delivered: 1.2.0 is below native 1.4.0, and the channel rejects bundles below the native version (input "native-version")',
    ),
  },
  {
    name: 'below the next major version, which the policy blocks',
    page: ['`2.0.0` (package.json)', 'apps at native `1.4.0`'],
    given: { wanted: wanted('2.0.0'), nativeVersions: anyOf('1.4.0') },
    result: '`1.4.1-production.57.1`',
    why: derived(
      '2.0.0 (package.json) is not delivered: the channel\'s policy "major" blocks 2.0.0 on native 1.4.0: higher major version (input "native-version")',
    ),
  },
  {
    name: 'above the highest of several native versions',
    page: ['`1.4.0` (package.json)', 'apps at native `1.4.0` and `1.5.0`'],
    given: { nativeVersions: anyOf('1.4.0', '1.5.0') },
    result: '`1.5.1-production.57.1`',
    why: derived(
      '1.4.0 (package.json) is not delivered: a bundle with the same name as the native version (1.4.0) is never delivered (input "native-version")',
    ),
  },
  {
    name: 'none, on a "patch" channel that refuses bundles under native',
    page: ['`1.5.0` (package.json)', 'apps at native `1.4.2`, policy `patch`'],
    given: { wanted: wanted('1.5.0'), nativeVersions: anyOf('1.4.2'), rules: policy('patch') },
    result: fails('channel_refuses_all'),
    why: 'Channel production cannot deliver any bundle name to native 1.4.2 (input "native-version"): the channel\'s policy "patch" blocks 1.5.0 on native 1.4.2: major, minor and patch version must be the same.',
  },
  {
    name: 'the wanted one, where no native version is known',
    page: ['`1.4.0` (package.json)', 'no native version is known'],
    given: { nativeVersions: [] },
    result: '`1.4.0`',
    why: 'package.json (not checked: native version unknown)',
  },
  {
    name: 'of a preview, which leaves the wanted name free',
    page: ['`1.4.0` (package.json)', 'the preview of pull request 12'],
    given: ofPreview,
    result: '`1.4.1-pr.12.57.1`',
    why: 'a pre-release after 1.4.0 (package.json)',
  },
  {
    name: 'none, when a version that is insisted on is refused',
    page: ['`1.4.0` (input "version")', 'apps at native `1.4.0`'],
    given: { wanted: forced('1.4.0'), nativeVersions: anyOf('1.4.0') },
    result: fails('version_refused'),
    why: 'Devices would not get version 1.4.0 (input "version"): a bundle with the same name as the native version (1.4.0) is never delivered (rule no_new_version_available, native version from input "native-version").',
  },
  {
    name: 'none, when a version that is insisted on is taken',
    page: ['`1.4.0` (input "version")', 'other content has that name'],
    given: { wanted: forced('1.4.0'), taken: new Set(['1.4.0']) },
    result: fails('version_taken'),
    why: 'Version 1.4.0 (input "version") is already used by another bundle of this app.',
  },
  {
    name: "none, when native versions are in each other's way",
    page: ['`2.0.0` (package.json)', 'apps at native `1.0` and `2.0.0`'],
    given: { wanted: wanted('2.0.0'), nativeVersions: anyOf('1.0', '2.0.0') },
    result: fails('channel_refuses_all'),
    why: 'Channel production cannot deliver any bundle name to both native 1.0 (input "native-version") and 2.0.0 (input "native-version"): the channel\'s policy "major" blocks 2.0.0 on native 1.0.0: higher major version, and 1.0.1-production.57.1 is below native 2.0.0, and the channel rejects bundles below the native version.',
  },
  {
    name: 'the one that is insisted on, when it is free',
    given: { wanted: forced('1.4.0') },
    result: '`1.4.0`',
    why: 'input "version"',
  },
  {
    name: 'none, when the policy blocks a version that is insisted on',
    given: {
      wanted: forced('2.0.0'),
      nativeVersions: [native('1.0', 'android', 'android/app/build.gradle:12')],
    },
    result: fails('version_refused'),
    why: /rule disable_auto_update_to_major, native version from android\/app\/build\.gradle:12\)\.$/,
  },
  {
    name: 'above native, where package.json is behind it',
    given: { wanted: wanted('0.9.0') },
    result: '`1.0.1-production.57.1`',
    why: /^0\.9\.0 \(package\.json\) is not delivered: 0\.9\.0 is below native 1\.0\.0/,
  },
  {
    name: 'above native, where package.json tells no version',
    given: { wanted: wanted('0.0.0', 'package.json has no version') },
    result: '`1.0.1-production.57.1`',
    why: /^0\.0\.0 \(package\.json has no version\) is not delivered: 0\.0\.0 is below native/,
  },
  {
    name: 'in the native minor on a "minor" channel',
    given: { rules: policy('minor'), nativeVersions: anyOf('1.2.3') },
    result: '`1.2.4-production.57.1`',
    why: /policy "minor" blocks 1\.4\.0/,
  },
  {
    name: 'in the native patch on a "patch" channel that takes bundles under native',
    given: { rules: policy('patch', false), nativeVersions: anyOf('1.2.3') },
    result: '`1.2.3-production.57.1`',
    why: /policy "patch" blocks 1\.4\.0/,
  },
  {
    name: 'for two native versions at once',
    given: { wanted: wanted('1.0.0'), nativeVersions: anyOf('1.0', '1.2') },
    result: '`1.2.1-production.57.1`',
    why: /never delivered/,
  },
  {
    name: 'another still, when the derived ones are taken too',
    given: { taken: new Set(['1.4.0', '1.4.1-production.57.1', '1.4.1-production.57.1.2']) },
    result: '`1.4.1-production.57.1.3`',
    why: /is already taken/,
  },
  {
    name: 'of a preview, above the native version',
    given: { ...ofPreview, nativeVersions: anyOf('1.4.0') },
    result: '`1.4.1-pr.12.57.1`',
    why: 'a pre-release after 1.4.0 (package.json)',
  },
  {
    name: 'with the patch of a wanted pre-release',
    given: { wanted: wanted('1.5.0-beta.1'), taken: new Set(['1.5.0-beta.1']) },
    result: '`1.5.0-production.57.1`',
    why: /is already taken/,
  },
  {
    name: 'of another attempt of the run',
    given: { taken: new Set(['1.4.0']), commit: { ...commit, runAttempt: 2 } },
    result: '`1.4.1-production.57.2`',
    why: /of the next patch$/,
  },
]

/** Those with a page are in its order. */
export const NAMES = { 'the name is': names }

const MANIFEST = { name: '@acme/mobile', version: '1.3.0' }
export const versionSources = (change: Partial<VersionSources>): VersionSources => ({
  input: null,
  tag: null,
  manifest: MANIFEST,
  ...change,
})

const version = (
  name: string,
  given: Partial<VersionSources>,
  result: string,
  why: string,
): Case<Partial<VersionSources>> => ({ name, given, result, why })
const tagged = (tag: string, result: string) => version(`tag ${tag}`, { tag }, result, `tag ${tag}`)
const otherTag = (tag: string, why: string) =>
  version(`tag ${tag}`, { tag }, '1.3.0', `package.json, and tag ${tag} is ${why}`)

export const VERSIONS = {
  'the wanted version is that of': [
    version(
      'the input, which is insisted on',
      { input: '2.0.0', tag: 'v1.0.0' },
      '2.0.0!',
      'input "version"',
    ),
    version('package.json', {}, '1.3.0', 'package.json'),
    tagged('v5.0.0', '5.0.0'),
    tagged('5.0.0-rc.1', '5.0.0-rc.1'),
    tagged('@acme/mobile@5.0.0', '5.0.0'),
    tagged('mobile@5.0.0', '5.0.0'),
    tagged('mobile-v5.0.0', '5.0.0'),
    tagged('mobile/v5.0.0', '5.0.0'),
    otherTag('@acme/api@5.0.0', 'for "@acme/api"'),
    otherTag('@other/mobile@5.0.0', 'for "@other/mobile"'),
    otherTag('api-v5.0.0', 'for "api"'),
    otherTag('api/v5.0.0', 'for "api"'),
    otherTag('api-mobile-5.0.0', 'for "api-mobile"'),
    otherTag('nightly', 'not a version'),
    otherTag('v1.02.0', 'not a version'),
    version(
      'nothing, where there is no package.json',
      { tag: 'mobile@5.0.0', manifest: null },
      '0.0.0',
      'package.json has no version, and tag mobile@5.0.0 is for "mobile"',
    ),
    version('nothing, where package.json has none', { manifest: {} }, '0.0.0', 'package.json has no version'),
    version(
      'nothing, where package.json has another kind',
      { manifest: { version: '1.4' } },
      '0.0.0',
      '"1.4" in package.json is not a semantic version',
    ),
    version('package.json, with a v', { manifest: { version: 'v1.4.0' } }, '1.4.0', 'package.json: v1.4.0'),
    // One rule for build metadata.
    version('the input, with build metadata', { input: '1.4.0+7' }, '1.4.0!', 'input "version": 1.4.0+7'),
    version('a tag with build metadata', { tag: 'v1.3.0+45' }, '1.3.0', 'tag v1.3.0+45: 1.3.0+45'),
    version(
      'a pre-release with build metadata',
      { tag: 'mobile@1.3.0-rc.1+45' },
      '1.3.0-rc.1',
      'tag mobile@1.3.0-rc.1+45: 1.3.0-rc.1+45',
    ),
    version(
      'package.json, with build metadata',
      { manifest: { version: '1.4.0+7' } },
      '1.4.0',
      'package.json: 1.4.0+7',
    ),
  ],
}
