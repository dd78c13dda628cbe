import { describe, expect, it } from 'vitest'
import { readTrigger } from '../../src/event.ts'
import { readInputs } from '../../src/inputs.ts'
import { matchChannel, newChannelSettings } from '../../src/plan/channel.ts'
import { decideOperation } from '../../src/plan/operation.ts'

const DEFAULTS: Record<string, string> = {
  channels: 'main: production\ndevelop: development',
  'working-directory': '.',
  build: 'true',
  'build-script': 'build',
  'check-notify-app-ready': 'true',
  'dry-run': 'false',
  comment: 'true',
  deployments: 'true',
  force: 'false',
  verify: 'false',
  'api-url': 'https://api.capgo.app',
}
const read = (given: Record<string, string> = {}) =>
  readInputs(name => ({ ...DEFAULTS, ...given })[name] ?? '')

describe('readInputs', () => {
  it('has the cloud as its default', () => {
    expect(read().hosts).toEqual({
      api: 'https://api.capgo.app',
      files: 'https://files.capgo.app',
      database: null,
      console: 'https://console.capgo.app',
      plugin: 'https://plugin.capgo.app',
    })
  })
  it('takes files from a self-hosted API, without links to the cloud', () => {
    expect(read({ 'api-url': 'https://capgo.example.com/functions/v1/' }).hosts).toEqual({
      api: 'https://capgo.example.com/functions/v1',
      files: 'https://capgo.example.com/functions/v1',
      database: null,
      console: null,
      plugin: 'https://capgo.example.com/functions/v1',
    })
  })
  it('reads channels with comments, quotes and odd spaces', () => {
    expect(
      read({ channels: '\n  "v*-alpha.*" : development # tags\n# all others\nrefs/tags/**: production\n' })
        .channels,
    ).toEqual([
      { pattern: 'v*-alpha.*', channel: 'development' },
      { pattern: 'refs/tags/**', channel: 'production' },
    ])
  })
  it.each([
    [{ channels: 'main' }, /line 1, "main", is not "pattern: channel"/],
    [{ channels: 'main: produc tion' }, /"produc tion" cannot be a channel's name/],
    [{ channels: '!main: x' }, /patterns that exclude/],
    [{ channel: 'a,b' }, /"a,b" cannot be a channel's name/],
    [{ version: 'v1.2.3' }, /"v1.2.3" is not a semantic version/],
    [{ version: '1.2' }, /"1.2" is not a semantic version/],
    [{ 'native-version': 'one' }, /"one" is not a version/],
    [{ 'app-id': 'nodots' }, /"nodots" is not an app id/],
    [{ build: 'yes' }, /"yes" is neither true nor false/],
    [{ 'api-url': 'capgo' }, /"capgo" is not a URL/],
    [{ 'api-url': 'http://capgo.example.com' }, /is not https/],
    [{ 'api-url': 'https://user:pw@capgo.example.com' }, /must not hold a user name/],
    [{ 'database-url': 'https://db.example.com' }, /database-key/],
    [{ 'source-maps': 'yes' }, /"yes" is not known/],
    [{ 'source-maps-artifact': 'maps/main' }, /"maps\/main" cannot be the name of an artifact/],
    [{ 'source-maps-artifact': '##[error]' }, /cannot be the name of an artifact/],
    [{ 'source-maps-retention-days': '0' }, /"0" is not a number of days/],
    [{ 'source-maps-retention-days': '401' }, /"401" is not a number of days/],
    [{ 'source-maps-retention-days': '7 days' }, /is not a number of days/],
  ])('%j is refused', (given, message) =>
    expect(() => read(given as Record<string, string>)).toThrow(message),
  )
  it('allows http on this machine only', () => {
    expect(read({ 'api-url': 'http://127.0.0.1:8787' }).hosts.api).toBe('http://127.0.0.1:8787')
    expect(() => read({ 'api-url': 'http://127.0.0.1.evil.example' })).toThrow(/not https/)
  })
})

describe('the input operation', () => {
  it.each([
    [{}, null],
    [{ operation: 'status' }, { kind: 'status' }],
    [{ operation: 'cleanup' }, { kind: 'housekeep', keep: 20 }],
    [
      { operation: 'cleanup', keep: '5' },
      { kind: 'housekeep', keep: 5 },
    ],
    [
      { operation: 'promote', from: 'beta', to: 'production' },
      { kind: 'promote', from: 'beta', to: 'production', force: false },
    ],
    [
      { operation: 'rollback', channel: 'production', to: '1.2.0', force: 'true' },
      { kind: 'rollback', channelName: 'production', to: '1.2.0', force: true },
    ],
    [
      { operation: 'rollout', channel: 'production', rollout: '12.5%' },
      { kind: 'rollout', channelName: 'production', change: { kind: 'share', bps: 1250 } },
    ],
    [
      { operation: 'rollout', channel: 'production', rollout: 'pause' },
      { kind: 'rollout', channelName: 'production', change: { kind: 'pause' } },
    ],
  ])('%j', (given, operation) => {
    const inputs = read(given as Record<string, string>)
    expect(inputs.operation).toEqual(operation)
    expect(inputs.rollout).toBeNull()
  })
  it('takes a percentage for a publish', () => {
    expect(read({ rollout: '10' }).rollout).toBe(1000)
    expect(read({ operation: 'promote', from: 'a', to: 'b', rollout: '0.5' }).rollout).toBe(50)
  })
  it.each([
    [{ operation: 'deploy' }, /"deploy" is not known/],
    [{ operation: 'promote', to: 'production' }, /"from": is missing/],
    [{ operation: 'promote', from: 'beta', to: 'beta' }, /comes from/],
    [{ operation: 'promote', from: 'be ta', to: 'production' }, /cannot be a channel's name/],
    [{ operation: 'rollback' }, /"channel": is missing/],
    [{ operation: 'rollout', channel: 'production' }, /"rollout": is missing/],
    [{ operation: 'status', rollout: '10' }, /"rollout": is not used by "operation: status"/],
    [{ from: 'beta' }, /"from": is not used by "operation: auto"/],
    [{ force: 'true' }, /"force": is not used by/],
    [{ rollout: 'pause' }, /this run publishes/],
    [{ rollout: '0' }, /neither a percentage/],
    [{ rollout: '101' }, /neither a percentage/],
    [{ 'on-active-rollout': 'reset' }, /"reset" is not known/],
    [{ operation: 'cleanup', keep: 'few' }, /not a number of bundles/],
  ])('%j is refused', (given, message) =>
    expect(() => read(given as Record<string, string>)).toThrow(message),
  )
})

describe('matchChannel', () => {
  const branch = (name: string) => ({ full: `refs/heads/${name}`, name })
  const tag = (name: string) => ({ full: `refs/tags/${name}`, name })
  const { channels } = read({
    channels: 'main: production\nrelease/*: beta\n*-alpha.*: development\nrefs/tags/**: production',
  })
  it.each([
    [branch('main'), 'production'],
    [branch('release/1.4'), 'beta'],
    [branch('release/1/4'), undefined],
    [tag('1.4.0-alpha.3'), 'development'],
    [tag('1.4.0'), 'production'],
    [tag('app/1.4.0'), 'production'],
    [branch('feature'), undefined],
  ])('%j -> %s', (ref, channel) => expect(matchChannel(ref, channels)?.channel).toBe(channel))
})

describe('decideOperation', () => {
  const inputs = read({ 'capgo-token': 'key' })
  const trigger = (ref: string) =>
    readTrigger({
      payload: {},
      env: {
        GITHUB_REF: ref,
        GITHUB_SHA: 'a'.repeat(40),
        GITHUB_REPOSITORY: 'octo-org/daybreak',
        GITHUB_SERVER_URL: 'https://github.com',
        GITHUB_EVENT_NAME: 'push',
        GITHUB_RUN_ID: '1',
        GITHUB_RUN_NUMBER: '1',
        GITHUB_RUN_ATTEMPT: '1',
      },
    })
  it('says how to map a ref that maps to nothing', () => {
    expect(decideOperation(trigger('refs/heads/feature/x y'), inputs)).toEqual({
      kind: 'skip',
      reason: expect.stringContaining('"feature/x y: feature-x-y"'),
    })
  })
  it('refuses a ref that is neither branch nor tag', () => {
    expect(() => decideOperation(trigger('refs/pull/1/merge'), inputs)).toThrow(/neither a branch nor a tag/)
  })
})

describe('newChannelSettings', () => {
  it('makes the public channel once, from the default branch only', () => {
    expect(newChannelSettings({ kind: 'branch', isDefaultBranch: true }, []).settings).toEqual({
      public: true,
      allow_device_self_set: false,
    })
    expect(newChannelSettings({ kind: 'branch', isDefaultBranch: true }, ['live']).settings).toEqual({
      public: false,
      allow_device_self_set: true,
    })
    expect(newChannelSettings({ kind: 'branch', isDefaultBranch: false }, []).settings).toEqual({
      public: false,
      allow_device_self_set: true,
    })
  })
})
