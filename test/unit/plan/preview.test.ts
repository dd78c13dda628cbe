import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  channelDeepLink,
  checkPreviewChannel,
  checkPreviewTemplate,
  previewChannelName,
  previewObstacle,
  wantsPreview,
  webPreview,
  whyNoPreview,
} from '../../../src/plan/preview.ts'
import { CHANNEL_NAMES, OURS, pull, TAKEN, TEMPLATES, WANTED, WEB } from './cases/preview.ts'
import { bundle, channel, line } from './cases/rows.ts'

describe('previewChannelName', () => {
  it.each(CHANNEL_NAMES)('%s of %j is %s', (template, headRef, name) =>
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
          .filter(template => template.includes('{number}') && checkPreviewTemplate(template) === null),
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

it.each(TEMPLATES)('the template %s: %s', (template, why) => {
  expect(checkPreviewTemplate(template)?.why ?? null).toBe(why)
})

describe('a preview is wanted', () => {
  it.each(WANTED)('%s', (_what, change, inputs, why) => {
    const of = { ...pull, ...change }
    const asked = { previewLabel: null, previewDrafts: true, ...inputs }
    expect(whyNoPreview(of, asked)).toBe(why)
    expect(wantsPreview(of, asked)).toBe(why === null)
  })
})

describe('a preview takes a channel that serves', () => {
  for (const [what, of, why, repository] of TAKEN)
    it(what, () => {
      const refusal = checkPreviewChannel(of, {
        pull: OURS,
        ...(repository === undefined ? {} : { repository }),
      })
      expect(refusal?.code).toBe(why === null ? undefined : 'preview_channel_taken')
      if (why !== null) expect(refusal?.message).toMatch(why)
    })
  it('or proposes a template that tells repositories apart', () => {
    const comment = line('pr-12', 5, ' for octo-org/other#12')
    const taken = channel({ name: 'pr-12', public: false, version: bundle({ comment }) })
    expect(checkPreviewChannel(taken, { pull: OURS })?.hint).toContain('preview-channel: daybreak-{number}')
  })
})

it.each(WEB)('a browser shows %s, or not', (_what, app, of, isCloud, shown) => {
  expect(webPreview(app, channel({ id: 9 }), of, { isCloud })).toEqual(shown)
})

it("Capgo's own app shows also what a browser cannot: bundles without delta files, long app ids", () => {
  for (const [, app, of, isCloud, shown] of WEB) {
    const isBrowserOnly = 'url' in shown || shown.why === 'no_delta_files' || shown.why === 'long_app_id'
    expect(previewObstacle(app, of, { isCloud })).toBe(isBrowserOnly ? null : shown.why)
  }
  expect(previewObstacle(null, { session_key: null }, { isCloud: true })).toBeNull()
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
