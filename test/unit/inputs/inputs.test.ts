import { describe, expect, it } from 'vitest'
import { readActionMetadata } from '../../../scripts/docs/main.ts'
import type { ActionError } from '../../../src/errors.ts'
import { readTrigger } from '../../../src/event.ts'
import { readInputs } from '../../../src/inputs/inputs.ts'
import { matchChannel, newChannelSettings, suggestMapping } from '../../../src/plan/channel.ts'
import { decideOperation } from '../../../src/plan/operation.ts'

const read = (given: Record<string, string> = {}, defaultBranch: string | null = null) =>
  readInputs(name => given[name] ?? (name === 'capgo-token' ? 'key' : ''), defaultBranch)
/** Everything that is wrong, a line each. */
const wrong = (given: Record<string, string>) => {
  try {
    read(given)
  } catch (error) {
    const { message, hint, problems } = error as ActionError
    return problems.length > 0 ? problems.map(each => each.message) : [`${message} ${hint}`]
  }
  return []
}

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
  it('takes an empty input for one that is not given, whatever its kind', () => {
    const { inputs } = readActionMetadata()
    const declared = (name: string) => (name === 'github-token' ? '' : (inputs[name]?.default ?? ''))
    const bare = read({ 'capgo-token': '' })
    expect(readInputs(declared)).toEqual(bare)
    expect(readInputs(name => ` ${declared(name)}\n`)).toEqual(bare)
  })
  it('tells everything that is wrong at once, each with its input', () => {
    const all = wrong({
      build: 'yes',
      delta: 'always',
      operation: 'deploy',
      rollout: '0',
      keep: 'few',
      timeout: '5m',
      version: 'v1',
      channels: '- main: x\nmain: a b',
      'preview-channel': '{id}',
      'api-url': 'capgo',
      'capgo-token': 'a b',
      'assign-testers': 'everybody, nobody',
      'database-url': 'https://db.example.com',
      'working-directory': '../elsewhere',
      'build-env': 'no value',
      'build-secrets': 'PATH=/x',
    })
    const inputs = all.map(message => /^Input "([^"]+)"/.exec(message)?.[1])
    expect([...new Set(inputs)].sort()).toEqual([
      'api-url',
      'assign-testers',
      'build',
      'build-env',
      'build-secrets',
      'capgo-token',
      'channels',
      'database-key',
      'delta',
      'operation',
      'preview-channel',
      'rollout',
      'timeout',
      'version',
      'working-directory',
    ])
    for (const twice of ['channels', 'assign-testers'])
      expect(inputs.filter(name => name === twice)).toHaveLength(2)
    expect(() => read({ build: 'yes', version: 'v1', 'capgo-token': '' })).toThrow(
      /^Inputs "version", "build", "capgo-token": 3 errors.$/,
    )
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
    [{ channels: 'main' }, /^Input "channels", line 1, "main", is not "pattern: channel"/],
    [
      { channels: 'main: produc tion' },
      /line 1, "main: produc tion": "produc tion" is not a valid channel name/,
    ],
    [{ channels: '!main: x' }, /excludes refs, which is not supported/],
    [{ channel: 'a,b' }, /"a,b" is not a valid channel name/],
    [{ version: 'v1.2.3' }, /"v1.2.3" is not a semantic version/],
    [{ version: '1.2' }, /"1.2" is not a semantic version/],
    [{ 'native-version': 'one' }, /"one" is not a version/],
    [{ 'app-id': 'nodots' }, /"nodots" is not an app id/],
    [{ build: 'yes' }, /^Input "build" must be true or false, not "yes"/],
    [{ 'api-url': 'capgo' }, /"capgo" is not a URL/],
    [{ 'api-url': 'http://capgo.example.com' }, /must be https/],
    [{ 'api-url': 'https://user:pw@capgo.example.com' }, /cannot have a user name/],
    [{ 'database-url': 'https://db.example.com' }, /^Input "database-key" is required with "database-url"/],
    [{ artifact: 'web/app' }, /contains "\/"/],
    [{ artifact: 'web-{id}' }, /unknown placeholder \{id\}/],
    [{ 'min-update-version': '1.2' }, /"1.2" is not a semantic version/],
    [{ 'preview-channel': 'pr-{id}' }, /unknown placeholder \{id\}/],
    [{ 'preview-channel': `${'x'.repeat(60)}-{number}` }, /is too long/],
    [{ 'preview-channel': '{branch}{number}' }, /nothing separates/],
    [{ 'preview-channel': '{number}0{branch}' }, /nothing separates/],
    [{ 'preview-channel': 'production' }, /a branch publishes to/],
    [{ 'source-maps': 'yes' }, /cannot be "yes"/],
    [{ 'source-maps-artifact': 'maps/main' }, /"maps\/main" is not a valid artifact name/],
    [{ 'source-maps-artifact': '##[error]' }, /is not a valid artifact name/],
    [{ 'source-maps-retention-days': '0' }, /must be a number of days, not "0"/],
    [{ 'source-maps-retention-days': '401' }, /must be a number of days, not "401"/],
    [{ 'source-maps-retention-days': '7 days' }, /must be a number of days/],
  ])('%j is refused', (given, message) =>
    expect(() => read(given as Record<string, string>)).toThrow(message),
  )
  it('allows http on this machine only', () => {
    expect(read({ 'api-url': 'http://127.0.0.1:8787' }).hosts.api).toBe('http://127.0.0.1:8787')
    expect(() => read({ 'api-url': 'http://127.0.0.1.evil.example' })).toThrow(/must be https/)
  })
})

describe('the input operation', () => {
  it.each([
    [{}, null],
    [{ operation: 'status' }, { kind: 'status' }],
    [{ operation: 'testers' }, { kind: 'sweep-previews' }],
    [
      { operation: 'devices' },
      {
        kind: 'devices',
        filter: { id: null, platform: null, version: null, channel: null, days: 30 },
        showIds: false,
      },
    ],
    [
      {
        operation: 'devices',
        'device-filter': '# of QA\nid: 0A1B\r\nPlatform: iOS\nversion: 1.4\nchannel: pr-12\ndays: 7',
        'show-ids': 'true',
      },
      {
        kind: 'devices',
        filter: { id: '0a1b', platform: 'ios', version: '1.4', channel: 'pr-12', days: 7 },
        showIds: true,
      },
    ],
    [
      { operation: 'enroll' },
      {
        kind: 'enroll',
        rules: { membersSkipReview: false, channels: [], groups: [], days: null, label: null },
      },
    ],
    [
      {
        operation: 'enroll',
        'join-approve': 'members',
        'join-channels': 'beta, nightly\nbeta',
        'join-groups': 'qa',
        'join-days': '90',
        'join-label': 'tester-web',
      },
      {
        kind: 'enroll',
        rules: {
          membersSkipReview: true,
          channels: ['beta', 'nightly'],
          groups: ['qa'],
          days: 90,
          label: 'tester-web',
        },
      },
    ],
    [{ operation: 'cleanup' }, { kind: 'delete-old-bundles', keep: 20 }],
    [
      { operation: 'cleanup', keep: '5' },
      { kind: 'delete-old-bundles', keep: 5 },
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
    [{ operation: 'deploy' }, /^Input "operation" cannot be "deploy"/],
    [{ operation: 'promote', to: 'production' }, /^Input "from" is required with "operation: promote"/],
    [{ operation: 'promote', from: 'beta', to: 'beta' }, /copied from/],
    [{ operation: 'promote', from: 'be ta', to: 'production' }, /is not a valid channel name/],
    [{ operation: 'rollback' }, /"channel" is required/],
    [{ operation: 'rollout', channel: 'production' }, /"rollout" is required/],
    [{ operation: 'status', rollout: '10' }, /"rollout" is not used by "operation: status"/],
    [
      { operation: 'status', 'device-filter': 'days: 3' },
      /"device-filter" is not used by "operation: status"/,
    ],
    [{ 'show-ids': 'true' }, /"show-ids" is not used by "operation: auto"/],
    [
      { operation: 'devices', 'device-filter': 'platform: windows' },
      /line 1, "platform: windows": unknown platform/,
    ],
    [{ operation: 'devices', 'device-filter': 'days: 200' }, /not from 1 to 90 days/],
    [{ operation: 'devices', 'device-filter': 'id: xyz' }, /not the beginning of a device id/],
    [{ operation: 'devices', 'device-filter': '# iPhones\nios' }, /line 2, "ios": not "field: value"/],
    [{ operation: 'devices', 'device-filter': 'days: 3\nDays: 4' }, /line 2, "Days: 4": sets days again/],
    [{ operation: 'devices', 'device-filter': 'chanel: beta' }, /line 1, "chanel: beta": unknown field\.$/],
    [{ 'join-channels': 'beta' }, /"join-channels" is not used by "operation: auto"/],
    [{ operation: 'enroll', 'join-approve': 'all' }, /"join-approve" cannot be "all"/],
    [{ operation: 'enroll', 'join-channels': 'beta, ../x' }, /"join-channels" cannot have "..\/x"/],
    [{ operation: 'enroll', 'join-label': 'a,b' }, /"join-label" must be one label/],
    [{ operation: 'enroll', 'join-days': '0' }, /"join-days" must be a number of days/],
    [{ from: 'beta' }, /"from" is not used by "operation: auto"/],
    [{ operation: 'status', force: 'true' }, /"force" is not used by "operation: status"/],
    [{ keep: '5' }, /"keep" is not used by "operation: auto"/],
    [
      { operation: 'promote', from: 'a', to: 'b', channel: 'c' },
      /"channel" is not used by "operation: promote"/,
    ],
    [{ operation: 'promote', from: 'a', to: 'b', version: '1.0.0' }, /"version" is not used by/],
    [{ operation: 'status', verify: 'true' }, /"verify" is not used by "operation: status"/],
    [{ operation: 'status', 'on-active-rollout': 'replace' }, /"on-active-rollout" is not used/],
    [{ rollout: 'pause' }, /for a publish/],
    [{ rollout: '0' }, /must be a percentage .*not "0"/],
    [{ rollout: '101' }, /must be a percentage/],
    [{ 'on-active-rollout': 'reset' }, /cannot be "reset"/],
    [{ operation: 'cleanup', keep: 'few' }, /must be a number of bundles, not "few"/],
  ])('%j is refused', (given, message) =>
    expect(() => read(given as Record<string, string>)).toThrow(message),
  )

  it('every wrong line of a filter is named, with the field that was meant', () => {
    try {
      read({
        operation: 'devices',
        'device-filter': `chanel: beta\nplattform: ios\nname: Ada\ndays: 0\nversion ${'9'.repeat(1e6)}`,
      })
      expect.unreachable()
    } catch (error) {
      const { problems } = error as ActionError
      expect(problems.map(({ message }) => message)).toEqual([
        'Input "device-filter", line 1, "chanel: beta": unknown field. Did you mean "channel"?',
        'Input "device-filter", line 2, "plattform: ios": unknown field. Did you mean "platform"?',
        'Input "device-filter", line 3, "name: Ada": unknown field. The field is id, platform, version, channel or days. For example "platform: ios".',
        'Input "device-filter", line 4, "days: 0": not from 1 to 90 days. Use a whole number from 1 to 90. Capgo forgets older devices.',
        expect.stringMatching(/^.{100,250}$/),
      ])
    }
  })
})

describe('matchChannel', () => {
  const branch = (name: string) => ({ full: `refs/heads/${name}`, name })
  const tag = (name: string) => ({ full: `refs/tags/${name}`, name })
  const { channels } = read({
    channels:
      'main: production\nrelease/*: beta\n*-alpha.*: development\nrefs/tags/[0-9]*: production\nrefs/tags/app/**: production',
  })
  it.each([
    [branch('main'), 'production'],
    [branch('release/1.4'), 'beta'],
    [branch('release/1/4'), undefined],
    [tag('1.4.0-alpha.3'), 'development'],
    [tag('main'), undefined],
    [tag('release/1.4'), undefined],
    [tag('release/1.4.0'), undefined],
    [tag('nightly-alpha.3'), undefined],
    [tag('1.4.0'), 'production'],
    [tag('app/1.4.0'), 'production'],
    [branch('feature'), undefined],
  ])('%j -> %s', (ref, channel) => expect(matchChannel(ref, channels)?.channel).toBe(channel))
})

describe('channels without the input', () => {
  it.each([
    [null, 'main: production, develop: development'],
    ['main', 'main: production, develop: development'],
    ['master', 'master: production, develop: development'],
    ['trunk', 'trunk: production, develop: development'],
    ['develop', 'main: production, develop: development'],
    ['dev', 'main: production, dev: development'],
  ])('default branch %s: %s', (branch, lines) =>
    expect(
      read({}, branch)
        .channels.map(({ pattern, channel }) => `${pattern}: ${channel}`)
        .join(', '),
    ).toBe(lines),
  )
})

describe('lines of channels that could never publish anything', () => {
  it.each([
    ['- main: production', /"- main" is an item of a YAML list. Write "main"/],
    ['^main$: production', /is a regular expression/],
    ['main$: production', /is a regular expression/],
    ['/main/: production', /is a regular expression/],
    ['release/.*: production', /is a regular expression/],
    ['v\\d+: production', /is a regular expression/],
    ['main, next: production', /lists several names.*\{main,next\}/],
    ['main|next: production', /lists several names/],
    ['my branch: production', /has a space/],
    ['a~b: production', /has "~"/],
    ['a^b: production', /has "\^"/],
    ['a:b: production', /has ":"/],
    ['a..b: production', /has ".."/],
    ['-x: production', /begins with "-"/],
    ['.x: production', /begins with "."/],
    ['a/.x: production', /begins with "."/],
    ['x.lock: production', /".lock"/],
    ['x.lock/*: production', /".lock"/],
    ['x@{1}: production', /"@\{"/],
    ['x.: production', /ends with "."/],
    ['x/: production', /begins or ends with a slash/],
    ['/x: production', /begins or ends with a slash/],
    ['a//b: production', /two in a row/],
    ['[ab: production', /"\[" without "\]"/],
    ['@: production', /is reserved by git/],
    ['HEAD: production', /is reserved by git/],
    ['refs/pull/*/merge: production', /neither below "refs\/heads\/"/],
    ['refs/*: production', /neither below/],
    ['refs/heads: production', /neither below/],
    ['refs/remotes/origin/main: production', /neither below/],
    ['origin/main: production', /begins with "origin\/".*Write "main"/],
    ['tags/v*: production', /Write "refs\/tags\/v\*"/],
    ['heads/main: production', /Write "main"/],
    ['main: production\nmain: beta', /line 2, "main: beta", never applies: line 1/],
    ['**: beta\nmain: production', /line 2, .* never applies: line 1/],
    ['v*: beta\nv*-rc.*: production', /line 2, .* never applies: line 1/],
    ['refs/heads/**: a\nrefs/tags/**: b\nv*: c', /line 3, .* never applies: line 1/],
    ['refs/heads/main: a\nmain: b', /line 2, .* never applies: line 1/],
    ['main: ch annel', /"ch annel" is not a valid channel name/],
  ])('%j', (channels, message) => {
    const [first, ...others] = wrong({ channels })
    expect(first).toMatch(message)
    expect(first).toMatch(/^Input "channels", line \d/)
    expect(others).toEqual([])
  })
  it('are told all at once, each with its number', () => {
    expect(
      wrong({ channels: 'main: production\n# ok\n^x: a\n- y: b c\nmain: d' }).map(
        message => /line \d/.exec(message)?.[0],
      ),
    ).toEqual(['line 3', 'line 4', 'line 4', 'line 5'])
  })
  it.each([
    'main: production\nv*-rc.*: beta\nv*: production',
    'release/*: a\nrelease/**: b',
    'main: a\nrefs/tags/main: b',
    'v*: a\nrefs/tags/v*: b',
    '{main,next}: a\nv[0-9]+.[0-9]+: b\n[^a]*: c\n@(x|y): d\nfix(api): e',
    'refs/**: a',
    'refs/heads/origin/main: a\nrefs/heads/x,y: b',
    'feature/*-{a,b}: x\nüber: y\na+b: z\na@b: w\n#1: q',
  ])('%j can', channels => expect(wrong({ channels })).toEqual([]))
})

describe('suggestMapping', () => {
  it.each([
    ['refs/heads/master', 'master: production'],
    ['refs/heads/feature/x', 'feature/x: feature-x'],
    ['refs/heads/x,y', 'refs/heads/x,y: x-y'],
    ['refs/tags/v1.2.0', 'refs/tags/v*: production'],
    ['refs/tags/1.2.0', 'refs/tags/*: production'],
    ['refs/tags/nightly', 'refs/tags/nightly: nightly'],
  ])('%s: %s', (full, line) => {
    const ref = { full, name: full.replace(/^refs\/(heads|tags)\//, '') }
    expect(suggestMapping(ref, 'master')).toBe(line)
    expect(matchChannel(ref, read({ channels: line }).channels)).toBeDefined()
  })
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
    expect(decideOperation(trigger('refs/heads/feature/x'), inputs)).toEqual({
      kind: 'skip',
      reason: expect.stringContaining('"feature/x: feature-x"'),
    })
  })
  it('publishes no tag where a branch of its name is mapped', () => {
    for (const tag of ['main', 'develop'])
      expect(() => decideOperation(trigger(`refs/tags/${tag}`), inputs)).toThrow(/name of a branch/)
    const mapped = read({ 'capgo-token': 'key', channels: 'develop: development\nrefs/tags/develop: beta' })
    expect(decideOperation(trigger('refs/tags/develop'), mapped)).toMatchObject({ channelName: 'beta' })
    expect(decideOperation(trigger('refs/tags/release/2'), inputs)).toMatchObject({ kind: 'skip' })
  })
  it('removes the preview of what became a draft, where drafts get none', () => {
    const pulled = (action: string, draft: boolean) =>
      readTrigger({
        payload: {
          action,
          pull_request: {
            number: 12,
            state: 'open',
            draft,
            labels: [],
            head: { sha: 'a'.repeat(40), ref: 'x', repo: { full_name: 'octo-org/daybreak' } },
            base: { ref: 'main', repo: { full_name: 'octo-org/daybreak' } },
          },
        },
        env: {
          GITHUB_REF: 'refs/pull/12/merge',
          GITHUB_SHA: 'a'.repeat(40),
          GITHUB_REPOSITORY: 'octo-org/daybreak',
          GITHUB_SERVER_URL: 'https://github.com',
          GITHUB_EVENT_NAME: 'pull_request',
          GITHUB_RUN_ID: '1',
          GITHUB_RUN_NUMBER: '1',
          GITHUB_RUN_ATTEMPT: '1',
        },
      })
    const without = read({ 'capgo-token': 'key', 'preview-drafts': 'false' })
    expect(decideOperation(pulled('converted_to_draft', true), without)).toMatchObject({
      kind: 'close-preview',
      isEnding: true,
    })
    expect(decideOperation(pulled('converted_to_draft', true), inputs).kind).toBe('preview')
    expect(decideOperation(pulled('synchronize', true), without)).toMatchObject({
      kind: 'close-preview',
      isEnding: false,
    })
    expect(decideOperation(pulled('ready_for_review', false), without).kind).toBe('preview')
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
