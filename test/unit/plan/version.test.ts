import fc from 'fast-check'
import semver from 'semver'
import { describe, expect, it } from 'vitest'
import type { ActionError } from '../../../src/errors.ts'
import {
  chooseName,
  chooseVersion,
  firstRefusal,
  hasOtherName,
  mayShow,
  preReleaseLabel,
  withoutBuildMetadata,
} from '../../../src/plan/version.ts'
import { native } from './cases/rows.ts'
import { NAMES, nameRequest, VERSIONS, versionSources } from './cases/version.ts'
import { decided, eachCase } from './decided.ts'

eachCase(NAMES, ({ given, ...expected }) => {
  decided(
    expected,
    () => chooseName(nameRequest(given)),
    ({ names, why }) => [`\`${names[0]}\``, why],
  )
})

eachCase(VERSIONS, ({ given, ...expected }) => {
  decided(
    expected,
    () => chooseVersion(versionSources(given)),
    ({ version, source, forced }) => [`${version}${forced ? '!' : ''}`, source],
  )
})

const branch = { kind: 'branch', isDefaultBranch: true } as const

describe('chooseName', () => {
  it('holds names ready for the case that another run takes one', () => {
    expect(chooseName(nameRequest()).names).toEqual([
      '1.4.0',
      ...['', '.2', '.3', '.4'].map(spare => `1.4.1-production.57.1${spare}`),
    ])
    const forced = { version: '1.4.0', source: 'x', forced: true }
    expect(chooseName(nameRequest({ wanted: forced })).names).toEqual(['1.4.0'])
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
          const asked = nameRequest({
            wanted: { version: base, source: 'package.json', forced: false },
            nativeVersions: natives.map(version => native(version, 'any')),
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

describe('build metadata', () => {
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
