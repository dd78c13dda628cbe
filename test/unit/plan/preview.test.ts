import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { App, ChannelRow } from '../../../src/capgo/schema.ts'
import {
  channelDeepLink,
  previewChannelName,
  refuseChannel,
  refusePreview,
  refuseTemplate,
  wantsPreview,
  webPreview,
} from '../../../src/plan/preview.ts'

describe('previewChannelName', () => {
  it.each([
    ['pr-{number}', 'feature/x', 'pr-12'],
    ['preview', 'feature/x', 'preview'],
    ['{branch}', 'feature-x', 'feature-x'],
    ['{branch}', 'feature/x', 'feature-x-1573876a'],
    ['{branch}-{number}', 'fix: a, b', 'fix-a-b-12'],
    ['{branch}-{number}', '../..', 'branch-12'],
    ['{branch}-{number}', '--x--', 'x-12'],
    ['{branch}-{number}', '\u202e\u200b', 'branch-12'],
    ['{branch}-{number}', 'x'.repeat(200), `${'x'.repeat(61)}-12`],
    ['app-{number}-{branch}.web', 'x'.repeat(200), `app-12-${'x'.repeat(53)}.web`],
    ['{branch}-{number}-{branch}', 'x'.repeat(200), `${'x'.repeat(30)}-12-${'x'.repeat(30)}`],
    ['{branch}', 'x'.repeat(200), `${'x'.repeat(55)}-b3e4b6e5`],
  ])('%s of %j is %s', (template, headRef, name) =>
    expect(previewChannelName(template, { number: 12, headRef, fork: false })).toBe(name),
  )

  const name = (template: string, number: number, headRef: string, fork = false) =>
    previewChannelName(template, { number, headRef, fork })
  it('tells branches apart that are spelt alike, cut alike, or of a fork', () => {
    const long = 'x'.repeat(70)
    const names = [
      name('{branch}', 1, 'a-b'),
      name('{branch}', 2, 'a/b'),
      name('{branch}', 3, 'a b'),
      name('{branch}', 4, `${long}1`),
      name('{branch}', 5, `${long}2`),
      name('{branch}', 6, 'a-b', true),
      name('{branch}', 7, 'a-b', true),
    ]
    expect(new Set(names).size).toBe(names.length)
    expect(name('{branch}', 8, 'a/b')).toBe(names[1])
  })
  it('never gives two pull requests one channel where the template has {number}', () => {
    const pull = fc.record({
      number: fc.integer({ min: 1, max: 300 }),
      headRef: fc.stringMatching(/^[ab1.-]{1,4}$|^x{70}$/),
      fork: fc.boolean(),
    })
    fc.assert(
      fc.property(
        fc
          .stringMatching(
            /^[a1-]{0,2}(\{number\}|\{branch\})[a1.-]{0,2}(\{number\}|\{branch\})?[a1-]{0,2}(\{branch\})?$/,
          )
          .filter(template => template.includes('{number}') && refuseTemplate(template) === null),
        pull,
        pull,
        (template, one, other) => {
          fc.pre(one.number !== other.number)
          const [first, second] = [one, other].map(each => previewChannelName(template, each))
          expect(first).not.toBe(second)
          expect(first!.length).toBeLessThanOrEqual(64)
        },
      ),
      { numRuns: 2000 },
    )
  })
})

describe('wantsPreview', () => {
  const pull = { number: 12, open: true, merged: false, draft: false, labels: ['Preview'] }
  const all = { previewLabel: null, previewDrafts: true }
  it.each([
    ['an open one', pull, all, null],
    ['a closed one', { ...pull, open: false }, all, '#12 was closed'],
    ['a merged one', { ...pull, open: false, merged: true }, all, '#12 was merged'],
    ['one with the label, in another case', pull, { ...all, previewLabel: 'preview' }, null],
    [
      'one with the label among others',
      { ...pull, labels: ['x', 'preview'] },
      { ...all, previewLabel: 'preview' },
      null,
    ],
    ['one without', { ...pull, labels: ['x'] }, { ...all, previewLabel: 'y' }, '#12 has no label "y"'],
    ['a draft', { ...pull, draft: true }, all, null],
    [
      'a draft that is not wanted',
      { ...pull, draft: true },
      { ...all, previewDrafts: false },
      '#12 is a draft',
    ],
    ['no draft, where those are not wanted', pull, { ...all, previewDrafts: false }, null],
  ])('%s', (_what, of, inputs, why) => {
    expect(refusePreview(of, inputs)).toBe(why)
    expect(wantsPreview(of, inputs)).toBe(why === null)
  })
})

describe('refuseChannel', () => {
  const note = (pull: string | null, channel = 'pr-12') =>
    `${channel}: main@${'a'.repeat(40)} run 5.1 (id 5)${pull === null ? '' : ` for ${pull}`}`
  const serving = (name: string, comment: string | null, more = {}) =>
    ({ name: 'pr-12', public: false, version: { name, comment }, ...more }) as ChannelRow
  const OURS = 'octo-org/daybreak#12'
  it.each<[string, ChannelRow, RegExp | null]>([
    ['its own preview', serving('1.0.0', note(OURS)), null],
    ['a preview of the same repository', serving('1.0.0', note('octo-org/daybreak#13')), null],
    ['nothing', serving('', null, { version: null }), null],
    ['its own preview, which could not be noted', serving('1.0.1-pr.12.3.1', null), null],
    ["another's preview, which could not be noted", serving('1.0.1-pr.1.3.1', null), /is no preview/],
    ['what was uploaded by hand', serving('1.0.0', 'by hand'), /serves 1.0.0, which is no preview/],
    ['what a branch published', serving('1.0.0', note(null)), /serves 1.0.0, which main published/],
    ['a note for another channel', serving('1.0.0', note(OURS, 'pr-13')), /is no preview/],
    ['the public channel, whatever it serves', serving('1.0.0', note(OURS), { public: true }), /public/],
    [
      'a preview of another repository',
      serving('1.0.0', note('octo-org/daybreak-ios#12')),
      /serves the preview of octo-org\/daybreak-ios#12/,
    ],
  ])('%s', (_what, channel, message) => {
    const refusal = refuseChannel(channel, { pull: OURS })
    if (message === null) expect(refusal).toBeNull()
    else
      expect(refusal).toMatchObject({
        code: 'preview_channel_taken',
        message: expect.stringMatching(message),
      })
  })
  it('proposes a template that tells repositories apart', () => {
    const refusal = refuseChannel(serving('1.0.0', note('octo-org/other#12')), { pull: OURS })
    expect(refusal?.hint).toContain('preview-channel: daybreak-{number}')
  })
})

describe('webPreview', () => {
  const app = (appId: string, allowed = true) => ({ app_id: appId, allow_preview: allowed }) as App
  const channel = { id: 9 } as ChannelRow
  const delta = { manifest_count: 3, session_key: null }
  it.each([
    ['com.example.app', 'https://c9-com-0example-0app.preview.capgo.app/'],
    ['com.My-App', 'https://c9-com-0-my-1-app.preview.capgo.app/'],
    ['com.a_b', 'https://c9-com-0a_b.preview.capgo.app/'],
  ])('of %s is %s', (appId, url) =>
    expect(webPreview(app(appId), channel, delta, { isCloud: true })).toEqual({ url }),
  )
  it.each([
    ['a self-hosted server', app('com.a'), delta, false, /cloud/],
    ['an app that does not allow it', app('com.a', false), delta, true, /switched off/],
    ['an encrypted bundle', app('com.a'), { manifest_count: 3, session_key: 'iv:key' }, true, /encrypted/],
    ['a bundle without delta files', app('com.a'), { manifest_count: 0, session_key: null }, true, /delta/],
    ['a long app id', app(`com.${'a'.repeat(60)}`), delta, true, /too long/],
  ])('there is none for %s', (_what, of, bundle, cloud, why) =>
    expect(webPreview(of, channel, bundle, { isCloud: cloud })).toEqual({ why: expect.stringMatching(why) }),
  )
})

it('the deep link names app and channel, encoded', () => {
  const link = channelDeepLink('com.example.app', { id: 9, name: 'a&b=c d' })
  const url = new URL(link)
  expect(link.startsWith('capgo://preview/channel?')).toBe(true)
  expect(Object.fromEntries(url.searchParams)).toEqual({
    appId: 'com.example.app',
    channel: 'a&b=c d',
    channelId: '9',
  })
})
