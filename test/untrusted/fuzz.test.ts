/**
 * Text that others write, drawn at random, into every function that takes it apart: the answer is a value or one of our
 * errors, it comes soon, and text never becomes anything but text. Seeds are fixed.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as z from 'zod/mini'
import { makeScratch } from '../../local/runner/scratch.ts'
import { LeakSearch } from '../../local/runner/secrets.ts'
import { readActionMetadata } from '../../scripts/docs/main.ts'
import { list, query, quote } from '../../src/capgo/postgrest.ts'
import { parseResponse } from '../../src/capgo/response.ts'
import * as wire from '../../src/capgo/schema.ts'
import { readCapacitorConfig } from '../../src/checkout/capacitor-config.ts'
import { parseJson } from '../../src/checkout/json.ts'
import { readNativeVersions } from '../../src/checkout/native-version.ts'
import { detectPackageManager } from '../../src/checkout/package-manager.ts'
import { ActionError } from '../../src/errors.ts'
import { readTrigger, toPullRequest } from '../../src/event.ts'
import { readInputs } from '../../src/inputs/inputs.ts'
import { parseTesters } from '../../src/inputs/testers-file.ts'
import type { InputReader } from '../../src/inputs/values.ts'
import { noteCommit, readPulls, readServedCommit } from '../../src/plan/bundle-comment.ts'
import { matchChannel } from '../../src/plan/channel.ts'
import { previewChannelName } from '../../src/plan/preview.ts'
import { chooseName, DEFAULT_RULES, PREVIEW_RULES, preReleaseLabel } from '../../src/plan/version.ts'
import { createRedactor } from '../../src/runtime/redaction.ts'
import { hostileText } from '../unit/report/hostile.ts'

/** Milliseconds of this process's own work, however busy the machine is. */
const worked = (since: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(since)
  return (user + system) / 1000
}

const SETTINGS = { seed: 20261125, numRuns: 300 }
const CHANNEL_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** Names, injections for each language that text passes through, and what no program expects. */
const INJECTIONS = [
  '"; drop table apps; --',
  '),or=(id.gt.0',
  '&apikey=x&select=*',
  '%00%0d%0aSet-Cookie: a=b',
  '\r\nX-Injected: 1',
  '$(id)',
  '`id`',
  '../../../etc/passwd',
  '..\\..\\windows',
  '/etc/passwd',
  'C:\\Windows',
  '::set-output name=a::b',
  '\n::error::x',
  '__proto__',
  'constructor',
  '\u0000',
  '\ufeff',
  '\ud800',
  '🧨'.repeat(40),
  'a'.repeat(5000),
  '-'.repeat(300),
  '0'.repeat(400),
  '9'.repeat(400),
]
const text = fc.oneof(
  hostileText,
  fc
    .array(fc.oneof(fc.constantFrom(...INJECTIONS), fc.string({ maxLength: 8 })), { maxLength: 4 })
    .map(parts => parts.join('')),
)

/** What JSON can hold, keys of the prototype among them. */
const json = fc.jsonValue({ maxDepth: 4 })
const anything = fc.oneof(json, text, fc.constantFrom(null, [], {}, 0, -1, 1e308, true, { __proto__: null }))

/** Returns the value or our error; anything else that is thrown fails the test. */
function attempt<T>(act: () => T): T | ActionError {
  try {
    return act()
  } catch (error) {
    if (error instanceof ActionError) return error
    throw error
  }
}
const attemptLater = <T>(act: () => Promise<T>) =>
  act().catch((error: unknown) => {
    if (error instanceof ActionError) return error
    throw error
  })

describe('event payloads', () => {
  type Payload = Record<string, unknown>
  const examples = createRequire(import.meta.url)('@octokit/webhooks-examples') as {
    name: string
    examples: Payload[]
  }[]
  const payloads = examples
    .filter(({ name }) =>
      ['push', 'pull_request', 'workflow_run', 'workflow_dispatch', 'release'].includes(name),
    )
    .flatMap(({ name, examples: all }) => all.slice(0, 6).map(payload => ({ name, payload })))
  const env = {
    GITHUB_REF: 'refs/heads/main',
    GITHUB_SHA: 'a'.repeat(40),
    GITHUB_REPOSITORY: 'octo-org/daybreak',
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_RUN_ID: '1',
    GITHUB_RUN_NUMBER: '1',
    GITHUB_RUN_ATTEMPT: '1',
  }

  /** Paths of all values in a payload, the first two levels whole and below those what is looked at. */
  function pathsOf(value: unknown, depth = 0): string[][] {
    if (typeof value !== 'object' || value === null || depth > 3) return []
    return Object.entries(value).flatMap(([key, below]) => [
      [key],
      ...pathsOf(below, depth + 1).map(path => [key, ...path]),
    ])
  }
  function changed(payload: Payload, path: readonly string[], value: unknown): Payload {
    const copy = structuredClone(payload)
    let at = copy
    for (const key of path.slice(0, -1)) at = at[key] as Payload
    if (value === undefined) delete at[path.at(-1)!]
    else at[path.at(-1)!] = value
    return copy
  }

  it('with any field missing or of another type are read, or refused by name', () => {
    let refused = 0
    for (const { name, payload } of payloads)
      for (const path of pathsOf(payload))
        for (const value of [undefined, null, 7, 'x', [], {}, [null], true]) {
          const read = attempt(() =>
            readTrigger({ env: { ...env, GITHUB_EVENT_NAME: name }, payload: changed(payload, path, value) }),
          )
          if (!(read instanceof ActionError)) continue
          refused++
          expect(read.code).toBe('event_invalid')
          expect(read.message).toContain(
            path[0] === 'pull_request' || path[0] === 'workflow_run' ? '' : path[0],
          )
        }
    expect(refused).toBeGreaterThan(100)
  })

  it('of anything are read, or refused', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('push', 'pull_request', 'pull_request_target', 'workflow_run', 'schedule', 'x'),
        anything,
        (name, payload) => {
          const read = attempt(() => readTrigger({ env: { ...env, GITHUB_EVENT_NAME: name }, payload }))
          if (read instanceof ActionError) expect(read.code).toBe('event_invalid')
          // Never taken for a run of a branch.
          else if (name.startsWith('pull_request')) expect(read.pull).not.toBeNull()
          else if (name === 'workflow_run') expect(read.followed).not.toBeNull()
        },
      ),
      SETTINGS,
    )
  })

  it('with variables of anything are read, or refused', () => {
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(env)), text, (name, value) => {
        const read = attempt(() =>
          readTrigger({ env: { ...env, GITHUB_EVENT_NAME: 'push', [name]: value }, payload: {} }),
        )
        if (read instanceof ActionError) expect(read.code).toBe('not_on_github')
      }),
      SETTINGS,
    )
  })
})

describe('names of branches, tags and channels', () => {
  it('give a channel that every address, file and header takes, whatever the template', () => {
    fc.assert(
      fc.property(
        text,
        fc.constantFrom('pr-{number}', '{branch}', 'x-{branch}', '{number}-{branch}', '{branch}-{number}'),
        (headRef, template) => {
          expect(previewChannelName(template, { number: 12, headRef, fork: false })).toMatch(CHANNEL_NAME)
        },
      ),
      SETTINGS,
    )
  })

  it('match a plain pattern only when they are that name', () => {
    fc.assert(
      fc.property(text, name => {
        const ref = { name, full: `refs/heads/${name}` }
        const match = matchChannel(ref, [
          { pattern: 'main', channel: 'production' },
          { pattern: 'release/*', channel: 'beta' },
        ])
        if (match?.channel === 'production') expect(name).toBe('main')
        if (match?.channel === 'beta') expect(name).toMatch(/^release\/[^/]+\/?$/s)
      }),
      {
        ...SETTINGS,
        examples: [['main'], ['release/1'], ['release/'], ['release/a/b'], ['main\n'], ['Main']],
      },
    )
  })

  it('are noted in a comment that reads back, and forge no other note', () => {
    const commit = { sha: 'a'.repeat(40), runId: 5, runNumber: 5, runAttempt: 1, url: '' }
    fc.assert(
      fc.property(text, text, (refName, after) => {
        const note = noteCommit(
          null,
          'pr-12',
          { ...commit, refName, pull: 'octo-org/daybreak#12' },
          { previous: after },
        )
        expect(readServedCommit({ comment: note }, 'pr-12')).toMatchObject({ sha: commit.sha, runId: 5 })
        expect(readPulls({ comment: note })).toMatchObject([
          { pull: 'octo-org/daybreak#12', channel: 'pr-12' },
        ])
        expect(readServedCommit({ comment: note }, 'production')).toBeNull()
      }),
      {
        ...SETTINGS,
        examples: [
          [`x\nproduction: main@${'b'.repeat(40)} run 9.1 (id 9)`, ''],
          [`x@${'b'.repeat(40)} run 9.1 (id 9) for a/b#1`, 'a for a/b#2'],
        ],
      },
    )
  })

  it('are labels of versions that devices compare', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 1e6 }), (name, run) => {
        const purpose = { kind: 'branch', isDefaultBranch: false } as const
        expect(
          preReleaseLabel(previewChannelName('{branch}', { number: 1, headRef: name, fork: false }), purpose),
        ).toMatch(/^[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*$/)
        expect(run).toBeGreaterThan(0)
      }),
      SETTINGS,
    )
  })
})

describe('comments on bundles, written by whoever may', () => {
  it('are read in no time', () => {
    fc.assert(
      fc.property(text, comment => {
        attempt(() => readServedCommit({ comment }, 'production'))
        attempt(() => readPulls({ comment }))
      }),
      SETTINGS,
    )
    const began = process.cpuUsage()
    for (const comment of [
      ' a b'.repeat(100_000),
      `x: y@${'a'.repeat(40)} run 1.1 (id 1)${' a'.repeat(100_001)}`,
      '\n'.repeat(500_000),
      `${'x'.repeat(300_000)}: `,
      '1'.repeat(300_000),
    ])
      readPulls({ comment })
    expect(worked(began)).toBeLessThan(3_000)
  })
})

describe('testers files', () => {
  it('of anything are problems with a line, never a crash', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          text,
          json.map(value => JSON.stringify(value, null, 1)),
        ),
        source => {
          const { problems, testers } = parseTesters(source, '2026-11-25')
          for (const { line, column } of problems) expect(Math.min(line, column)).toBeGreaterThan(0)
          if (problems.length === 0)
            for (const { device } of testers) expect(device).toMatch(/^[0-9a-f-]{36}$/)
        },
      ),
      SETTINGS,
    )
  })

  it('whose entries hold anything are refused at that entry, or taken', () => {
    const device = 'ada00000-1111-4222-8333-000000000001'
    fc.assert(
      fc.property(
        fc.constantFrom('device', 'name', 'github', 'groups', 'channel', 'until', 'other', '__proto__'),
        anything,
        (key, value) => {
          const source = `[\n${JSON.stringify({ device })},\n{"device": "${device.replace('1', '2')}", ${JSON.stringify(key)}: ${JSON.stringify(value)}}\n]`
          const { problems, testers } = parseTesters(source, '2026-11-25')
          for (const { line } of problems) expect([1, 2, 3, 4]).toContain(line)
          for (const { channel } of problems.length === 0 ? testers : [])
            if (channel !== null) expect(channel).toMatch(CHANNEL_NAME)
        },
      ),
      SETTINGS,
    )
  })

  it.each([
    ['nested a hundred thousand deep', '['.repeat(100_000)],
    ['nested deep and closed', '['.repeat(50_000) + ']'.repeat(50_000)],
    ['of 20 MB', `[${'"x",'.repeat(5_000_000)}"x"]`],
    ['with a million mistakes', `[${'{},'.repeat(1_000_000)}{}]`],
  ])('%s are refused in seconds', (_name, source) => {
    const began = process.cpuUsage()
    expect(parseTesters(source, '2026-11-25').problems.length).toBeGreaterThan(0)
    expect(worked(began)).toBeLessThan(10_000)
  })
})

describe('package.json and Capacitor configs', () => {
  it.each([
    ['nested deep', '{"a":'.repeat(100_000)],
    ['a NUL', '\u0000{}'],
    ['half a surrogate pair', '{"name": "\ud800'],
    ['nothing', ''],
  ])('parseJson: %s', (_name, source) => {
    expect(attempt(() => parseJson(source, 'package.json', 'package_json_broken'))).toBeInstanceOf(
      ActionError,
    )
  })

  it('of any value are read, or refused by name', async () => {
    const root = makeScratch('config')
    await fc.assert(
      fc.asyncProperty(
        fc.record(
          {
            appId: anything,
            webDir: anything,
            android: fc.oneof(anything, fc.record({ path: anything })),
            ios: fc.oneof(anything, fc.record({ path: anything })),
            plugins: fc.oneof(
              anything,
              fc.record({
                CapacitorUpdater: fc.oneof(
                  anything,
                  fc.record({ appId: anything, version: anything, publicKey: anything }),
                ),
              }),
            ),
          },
          { requiredKeys: [] },
        ),
        async config => {
          writeFileSync(join(root, 'capacitor.config.json'), JSON.stringify(config))
          const read = await attemptLater(() =>
            readCapacitorConfig({ root, directory: root, env: {}, nodePath: '', evaluatorPath: '' }),
          )
          if (!(read instanceof ActionError)) expect(read.appId).toMatch(/^[a-z0-9]+(\.[\w-]+)+$/i)
        },
      ),
      { ...SETTINGS, numRuns: 150 },
    )
  })

  it('tell a package manager, or none', async () => {
    const root = makeScratch('manager')
    await fc.assert(
      fc.asyncProperty(anything, anything, async (packageManager, devEngines) => {
        writeFileSync(join(root, 'package.json'), JSON.stringify({ packageManager, devEngines }))
        const found = await attemptLater(() => detectPackageManager({ root, directory: root }))
        if (found !== null && !(found instanceof ActionError))
          expect(found.name).toMatch(/^(npm|pnpm|yarn|bun)$/)
      }),
      { ...SETTINGS, numRuns: 100 },
    )
  })

  it('with any native version give a name that Capgo and devices take, or an error', () => {
    fc.assert(
      fc.property(text, fc.boolean(), (native, isPreview) => {
        const chosen = attempt(() =>
          chooseName({
            wanted: { version: '1.2.0', source: 'package.json', forced: false },
            nativeVersions: [{ platform: 'android', version: native, source: 'android/app/build.gradle:1' }],
            rules: isPreview ? PREVIEW_RULES : DEFAULT_RULES,
            minUpdateVersion: null,
            channelName: 'production',
            purpose: isPreview ? { kind: 'preview', pull: 12 } : { kind: 'branch', isDefaultBranch: true },
            commit: { sha: 'a'.repeat(40), refName: 'main', runId: 5, runNumber: 57, runAttempt: 1, url: '' },
            taken: new Set(),
          }),
        )
        if (chosen instanceof ActionError) return
        for (const name of chosen.names)
          expect(name).toMatch(/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/)
      }),
      SETTINGS,
    )
  })
})

describe('files of native projects', () => {
  it('of anything are read in no time', async () => {
    const root = makeScratch('native')
    for (const folder of ['android/app', 'ios/App/App', 'ios/App/App.xcodeproj'])
      mkdirSync(join(root, folder), { recursive: true })
    const files = [
      'android/app/build.gradle',
      'android/app/build.gradle.kts',
      'ios/App/App/Info.plist',
      'ios/App/App.xcodeproj/project.pbxproj',
    ]
    const long = [
      '/*'.repeat(400_000),
      'versionName '.repeat(80_000),
      `versionName "${'1.'.repeat(400_000)}`,
      '"'.repeat(800_000),
      '\n'.repeat(800_000),
      '<key>CFBundleShortVersionString</key>'.repeat(20_000),
      'MARKETING_VERSION = '.repeat(40_000),
      '//'.repeat(400_000),
      `versionName${' '.repeat(800_000)}`,
      `<key>CFBundleShortVersionString</key>${' \n'.repeat(300_000)}`,
    ]
    for (const source of long) {
      for (const file of files) writeFileSync(join(root, file), source)
      const began = process.cpuUsage()
      await readNativeVersions({ root, directory: root, config: null })
      expect(worked(began), source.slice(0, 40)).toBeLessThan(15_000)
    }
  })
})

describe("filters and addresses of Capgo's database", () => {
  /** What PostgREST reads in `in.(…)`: quoted values, in which a backslash stands before a quote or backslash. */
  function readList(filter: string): string[] {
    const inner = /^in\.\((.*)\)$/s.exec(filter)?.[1] ?? ''
    const values: string[] = []
    for (const match of inner.matchAll(/"((?:[^"\\]|\\.)*)"|([^,"]+)/gs))
      values.push(match[1]?.replace(/\\(.)/gs, '$1') ?? match[2]!)
    return values
  }

  it('hold any text as text', () => {
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 4 }), values => {
        const whole = values.map(value => value.toWellFormed())
        expect(readList(list(whole))).toEqual(whole)
        const read = new URL(
          `https://x.example/rest/v1/channels?${query({ name: `eq.${quote(whole[0]!)}`, select: '*' })}`,
        )
        expect([...read.searchParams.keys()]).toEqual(['name', 'select'])
        expect(read.searchParams.get('name')).toBe(`eq.${quote(whole[0]!)}`)
        expect(read.pathname).toBe('/rest/v1/channels')
      }),
      SETTINGS,
    )
  })
})

describe('answers of servers', () => {
  const schemas = Object.entries(wire).flatMap(([name, value]) =>
    value instanceof z.ZodMiniType ? [[name, value] as const] : [],
  )

  it.each(schemas)('%s: of any form is taken, or refused by the name of the field', (_name, schema) => {
    fc.assert(
      fc.property(fc.oneof(anything, fc.constant(undefined)), value => {
        const read = attempt(() =>
          parseResponse(schema as z.ZodMiniType, { json: value } as never, 'read it'),
        )
        if (read instanceof ActionError) expect(read.code).toBe('unexpected_response')
      }),
      { ...SETTINGS, numRuns: 100 },
    )
  })

  it('pull requests of any form are taken, or refused', () => {
    fc.assert(
      fc.property(anything, value => {
        expect(attempt(() => toPullRequest(value))).toBeInstanceOf(ActionError)
      }),
      SETTINGS,
    )
  })
})

describe('inputs', () => {
  const { inputs } = readActionMetadata()
  const reader =
    (given: Readonly<Record<string, string>>): InputReader =>
    name =>
      given[name] ?? inputs[name]?.default ?? ''

  it('of any text are taken, or refused with the name of the input', () => {
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(inputs)), text, (name, value) => {
        const read = attempt(() => readInputs(reader({ [name]: value })))
        if (!(read instanceof ActionError)) return
        expect(read.code).toMatch(/^(invalid_input|outside_checkout)$/)
        expect(read.message).toMatch(/^Inputs? "/)
      }),
      { ...SETTINGS, numRuns: 1500 },
    )
  })
})

describe('redaction', () => {
  it('leaves no form of a secret, wherever it stands', () => {
    const secret = fc
      .string({ minLength: 8, maxLength: 60, unit: 'binary' })
      .filter(value => value.trim() === value && value.isWellFormed() && new Set(value).size > 5)
    fc.assert(
      fc.property(secret, text, text, (value, before, after) => {
        const search = new LeakSearch([value])
        const bytes = Buffer.from(`${before.toWellFormed()}${value}${after.toWellFormed()}`)
        const said = [
          bytes.toString('utf8'),
          JSON.stringify(bytes.toString('utf8')),
          encodeURIComponent(bytes.toString('utf8')),
          bytes.toString('hex'),
          bytes.toString('base64'),
          bytes.toString('base64url'),
        ]
        const redact = createRedactor([value])
        for (const each of said) expect(search.find([['here', redact(each)]])).toBeNull()
      }),
      SETTINGS,
    )
  })
})
