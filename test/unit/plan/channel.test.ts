import { expect, it } from 'vitest'
import {
  defaultMappings,
  matchChannel,
  newChannelSettings,
  suggestMapping,
} from '../../../src/plan/channel.ts'
import { checkPattern } from '../../../src/plan/ref-pattern.ts'
import { BAD_PATTERNS, DEFAULT_MAPPINGS, NEW_CHANNEL, PATTERNS, SUGGESTIONS } from './cases/channel.ts'
import { decided, eachCase } from './decided.ts'

const refOf = (full: string) => ({ full, name: full.replace(/^refs\/(heads|tags)\//, '') })

eachCase(NEW_CHANNEL, ({ given: { purpose, publicChannels }, ...expected }) => {
  const plan = decided(
    expected,
    () => newChannelSettings(purpose, publicChannels),
    ({ settings, why }) => [
      `${settings.public ? 'public' : 'private'}${settings.allow_device_self_set ? ', devices may choose it' : ''}`,
      why,
    ],
  )
  // Only testers take whatever there is.
  const { public: _, allow_device_self_set: __, ...rules } = plan?.settings ?? {}
  expect(rules).toEqual(
    purpose.kind === 'branch'
      ? {}
      : {
          disableAutoUpdate: 'none',
          disableAutoUpdateUnderNative: false,
          allow_dev: true,
          allow_emulator: true,
        },
  )
})

it.each(DEFAULT_MAPPINGS)('the default branch %s: %s', (defaultBranch, mappings) => {
  const lines = defaultMappings(defaultBranch).map(({ pattern, channel }) => `${pattern}: ${channel}`)
  expect(lines.join(', ')).toBe(mappings)
})

it.each(PATTERNS)('%s matches %s: %s', (pattern, ref, isMatch) => {
  const mapping = { pattern, channel: 'x' }
  expect(matchChannel(refOf(ref), [mapping])).toEqual(isMatch ? mapping : undefined)
})

it('the first match wins', () => {
  const lines = ['v*-rc.*', 'v*'].map(pattern => ({ pattern, channel: pattern }))
  expect(matchChannel(refOf('refs/tags/v1.4.0-rc.2'), lines)?.channel).toBe('v*-rc.*')
  expect(matchChannel(refOf('refs/tags/v1.4.0'), lines)?.channel).toBe('v*')
})

it.each(SUGGESTIONS)('%s is proposed as "%s"', (ref, line) => {
  expect(suggestMapping(refOf(ref), 'main')).toBe(line)
})

it.each(BAD_PATTERNS)('%s is refused with what to write', (pattern, hint) =>
  expect(checkPattern(pattern)?.hint).toBe(hint),
)
