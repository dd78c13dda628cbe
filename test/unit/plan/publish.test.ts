import { describe, expect, it } from 'vitest'
import { channelWarnings } from '../../../src/plan/channel.ts'
import { checkBeforeBuild, planPublish } from '../../../src/plan/publish.ts'
import type { BuiltFacts, PublishPlan } from '../../../src/plan/publish-facts.ts'
import { formatShare } from '../../../src/plan/rollout.ts'
import { commit, facts } from './cases/facts.ts'
import { finishes, PUBLISH, promotes, STALE, UNCHANGED, uploads } from './cases/publish.ts'
import { bundle, channel, line, native } from './cases/rows.ts'
import { decided, eachCase, matching, refusalOf } from './decided.ts'

function resultOf({ action, rolloutTarget: stage }: PublishPlan): string {
  const share =
    stage.bps === null ? '' : ` for ${formatShare(stage.bps)} of the devices${stage.paused ? ', paused' : ''}`
  switch (action.do) {
    case 'upload':
      return uploads(action.names[0]) + share
    case 'resume':
      return finishes(action.bundle.name) + share
    case 'promote':
      return promotes(action.bundle.name) + share
    case 'keep':
      return action.outcome === 'stale' ? STALE : UNCHANGED
  }
}

const linesOf = ({ decisions }: PublishPlan, label: string) =>
  decisions.filter(({ what }) => what === label).map(({ value, why }) => `${value}: ${why}`)
const whyOf = ({ decisions }: PublishPlan) => decisions.find(({ what }) => what === 'bundle')?.why ?? ''

eachCase(
  PUBLISH,
  ({ given, warnings = [], decisions = {}, stage = {}, changed = [], minimum, ...expected }) => {
    const plan = decided(
      expected,
      () => planPublish(facts(given)),
      plan => [resultOf(plan), whyOf(plan)],
    )
    if (plan === null) return
    expect(plan.warnings).toEqual(warnings.map(matching))
    expect(plan.rolloutTarget).toMatchObject(stage)
    expect(plan.nativeChanges.map(({ name }) => name)).toEqual(changed)
    for (const [label, line] of Object.entries(decisions))
      expect(linesOf(plan, label)).toEqual(line === null ? [] : [matching(line)])
    if (plan.action.do === 'upload') {
      expect(facts(given).bundles.map(({ name }) => name)).not.toContain(plan.action.names[0])
      if (minimum !== undefined) expect(plan.action.minUpdateVersion).toBe(minimum)
    }
  },
)

describe('a plan says what it does', () => {
  it('on a channel that serves something', () => {
    const plan = planPublish(facts())
    expect(plan).toMatchObject({
      appId: 'com.example.app',
      channelName: 'production',
      channelId: 7,
      create: null,
      link: 'https://example.com',
      rolloutTarget: { bps: null, rolloutBundleId: null, paused: false },
    } satisfies Partial<PublishPlan>)
    expect(plan.comment).toBe(`production: main@${'b'.repeat(40)} run 57.1 (id 57) after 1.3.0`)
    expect(plan.decisions).toEqual([
      { what: 'channel', value: 'production', why: 'branch main matches "main"' },
      { what: 'native version', value: '1.0 (android)', why: 'android/app/build.gradle:12' },
      { what: 'bundle', value: '1.4.0', why: 'package.json' },
    ] satisfies PublishPlan['decisions'])
  })

  it('on one that is to be made', () => {
    const plan = planPublish(
      facts({
        channel: null,
        publicChannels: [],
        commitWhy: 'checked out',
        nativeVersions: [native('1.0', 'any')],
      }),
    )
    expect(plan.channelId).toBeNull()
    expect(plan.create).toMatchObject({ public: true })
    expect(plan.comment).not.toContain('after')
    expect(linesOf(plan, 'new channel')).toHaveLength(1)
    expect(linesOf(plan, 'commit')).toEqual(['bbbbbbb: checked out'])
    expect(linesOf(plan, 'native version')).toEqual(['1.0: the store'])
  })

  it('on one that others made, for a preview', () => {
    const note = (change: Partial<BuiltFacts>) =>
      planPublish(facts({ purpose: { kind: 'preview', pull: 1 }, ...change })).comment
    expect(note({ channel: channel(), bundles: [] })).toContain(' took 1.4.0')
    expect(note({ channel: null })).not.toContain('took')
    expect(note({ purpose: { kind: 'branch', isDefaultBranch: true } })).not.toContain('took')
  })

  it('what is served is so since its note says', () => {
    const at = '2026-11-26T10:00:00Z'
    const served = bundle({ comment: line('production', 5, ' at 2026-01-01T00:00:00Z') })
    const keep = planPublish(facts({ channel: channel({ version: served }), commit: { ...commit, at } }))
    expect(keep.comment).toContain('at 2026-01-01T00:00:00Z')
    expect(keep.comment).not.toContain('after')
    const moved = planPublish(
      facts({ channel: channel({ version: null }), bundles: [served], commit: { ...commit, at } }),
    )
    expect(moved.comment).toContain(`at ${at}`)
  })
})

describe('before the build', () => {
  it('a version that no device would take is refused', () => {
    const wanted = { version: '2.0.0', source: 'input "version"', forced: true }
    expect(refusalOf(() => checkBeforeBuild(facts({ wanted })))).toContain('version_refused')
  })
  it('a form that the channel does not accept is refused', () => {
    const demanding = facts({ delta: 'only', updatePackage: 'zip' })
    expect(refusalOf(() => checkBeforeBuild(demanding))).toContain('channel_zip_required')
  })
  it('names that may be wanted are told', () => {
    expect(checkBeforeBuild(facts())).toEqual([
      '1.4.0',
      ...[1, 2, 3, 4].map(n => `1.4.1-production.57.1${n === 1 ? '' : `.${n}`}`),
    ])
  })
})

it.each<[string, Parameters<typeof channel>[0], RegExp[]]>([
  ['a public one', {}, []],
  ['one for iOS alone', { android: false }, []],
  ['one for Android alone', { ios: false }, []],
  ['one that is switched off', { ios: false, android: false }, [/ is off for /]],
  ['a private one', { public: false }, [/is private/]],
  ['a private one that devices may choose', { public: false, allow_device_self_set: true }, []],
])('channelWarnings of %s', (_what, change, warnings) => {
  expect(channelWarnings(channel(change))).toEqual(warnings.map(text => expect.stringMatching(text)))
})
