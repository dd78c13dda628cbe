import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { comments } from '../../../scripts/pictures/comments.ts'
import { parseAsGitHub } from '../../../scripts/pictures/github.ts'
import type { CapgoCode } from '../../../src/error-codes.ts'
import { renderComment } from '../../../src/report/comment.ts'
import type { PreviewComment } from '../../../src/report/preview-comment.ts'
import { elements, hostileText, skeleton, textOf } from './hostile.ts'

const { ready, failed, closed } = comments
const change = ready.change!

describe('the comment of', () => {
  it.each(Object.entries(comments))('%s', async (name, comment) => {
    await expect(renderComment(comment)).toMatchFileSnapshot(`comments/${name}.md.snap`)
  })
})

const headings = Object.entries(comments)
  .filter(([name]) => !name.startsWith('hostile'))
  .map(([name, comment]) => [name, textOf(parseAsGitHub(renderComment(comment)).children[0]!)])

it('says it all on the first line', () => {
  expect(Object.fromEntries(headings)).toMatchInlineSnapshot(`
    {
      "building": "🔨 Building 4f9c2d7 for pr-12",
      "building-first": "🔨 Building 4f9c2d7 for pr-12",
      "closed": "🧹 Preview closed",
      "closed-kept": "🧹 Preview closed",
      "closed-nothing": "🧹 Preview closed",
      "failed": "❌ No preview of 4f9c2d7: build failed",
      "failed-first": "❌ No preview of 4f9c2d7: permission missing",
      "kept": "📱 Preview ready: 1.4.1-pr.12.56.1 (bundle 48190)",
      "missing": "⚠️ Preview missing: 4f9c2d7",
      "ready": "📱 Preview ready: 1.4.1-pr.12.57.1 (bundle 48213)",
      "ready-no-web": "📱 Preview ready: 1.4.1-pr.12.57.1 (bundle 48213)",
      "ready-refused": "📱 Preview ready: 1.4.1-pr.12.57.1 (bundle 48213)",
      "testers": "📱 Preview ready: 1.4.1-pr.12.57.1 (bundle 48213)",
    }
  `)
})

it('has no newline in a paragraph: GitHub breaks the line at each one in a comment', () => {
  for (const comment of Object.values(comments))
    for (const paragraph of elements(parseAsGitHub(renderComment(comment))).filter(({ tagName }) =>
      /^(p|h3|li|td|summary|sub)$/.test(tagName),
    ))
      for (const child of paragraph.children)
        if (child.type === 'text' && child.value.trim() !== '') expect(child.value).not.toContain('\n')
})

it('says nothing of what there is not', () => {
  const bare = renderComment({
    ...ready,
    change: null,
    nativeVersions: [],
    devices: null,
    bundle: { ...ready.bundle, size: null, url: null },
  })
  expect(bare).not.toMatch(/undefined|null|NaN|device|on a browser|runs on|against/)
  expect(bare.split('<details'), 'how to get it is there').toHaveLength(2)
  const none = renderComment({ ...comments.building, served: null })
  expect(none).not.toMatch(/undefined|null|NaN|phone|serves|<details/)
})

it('offers the switcher only where an app may put itself on the channel', () => {
  const offers = (selfAssignable: boolean) =>
    renderComment({ ...ready, bundle: { ...ready.bundle, selfAssignable } }).includes('setChannel(')
  expect([offers(true), offers(false)]).toEqual([true, false])
})

const isOnPhone = (comment: PreviewComment) =>
  comment.state === 'ready' ||
  ('served' in comment && comment.served !== null && 'deepLink' in comment.served)

it('has a QR code for as long as there is something to open', () => {
  const hasQr = Object.entries(comments).map(([name, comment]) => [
    name,
    renderComment(comment).includes('<kbd>'),
  ])
  expect(Object.fromEntries(hasQr)).toEqual(
    Object.fromEntries(Object.entries(comments).map(([name, comment]) => [name, isOnPhone(comment)])),
  )
})

it('offers the link as text without a code when it is too long for one', () => {
  const deepLink = `capgo://preview/channel?appId=${'x'.repeat(400)}`
  const comment = renderComment({ ...ready, bundle: { ...ready.bundle, deepLink } })
  expect(comment).not.toContain('<kbd>')
  expect(comment).toContain(`Open this on the phone:\n\n\`\`\`text\n${deepLink}\n`)
})

describe('stays below what GitHub takes', () => {
  const files = (kind: string) =>
    Array.from({ length: 10_000 }, (_, n) => ({
      path: `${kind}/${'\u{e0041}`|'.repeat(40)}/${n}.js`,
      size: n,
      sizeBefore: 1,
    }))
  const line = '\u0007\u{e0041}`<script>@octocat'.repeat(100)
  const output = `${Array.from({ length: 5_000 }, () => line).join('\n')}\nthe last line`
  const long = '\u202e@<'.repeat(1_000_000)
  const cases: Record<string, PreviewComment> = {
    '10,000 files of each kind': {
      ...ready,
      change: { ...change, added: files('a'), changed: files('c'), removed: files('r') },
    },
    'a log of 10 MB': { ...failed, error: { ...failed.error, output } },
    'a log of one endless line': { ...failed, error: { ...failed.error, output: long } },
    'long names and 500 warnings': {
      ...ready,
      appId: long,
      channelName: long,
      bundle: { ...ready.bundle, name: long },
      nativeVersions: Array.from({ length: 100 }, () => ({ platform: long, version: long, refusal: long })),
      warnings: Array.from({ length: 500 }, () => long),
    },
    'ten thousand things kept': {
      ...closed,
      removed: { ...closed.removed, kept: Array.from({ length: 10_000 }, () => 'Bundle x stays.') },
    },
  }
  it.each(Object.entries(cases))('%s', (_, comment) => {
    const markdown = renderComment(comment)
    expect(markdown.length).toBeLessThanOrEqual(65_536 - 1_000)
    const top = parseAsGitHub(markdown).children.filter(node => node.type === 'element')
    expect(top[0]!.tagName).toBe('h3')
    expect(top.at(-1)!.tagName).toBe('p')
  })
  it('and the last line of the log is there', () => {
    const tree = parseAsGitHub(renderComment(cases['a log of 10 MB']!))
    const log = elements(tree).find(({ tagName }) => tagName === 'pre')!
    expect(textOf(log).trimEnd().split('\n').at(-1)).toBe('the last line')
  })
})

/** Puts one text into one field; every text field of a comment has its line. */
const fields: Record<string, (text: string) => PreviewComment> = {
  appId: text => ({ ...ready, appId: text }),
  'commit.sha': text => ({ ...ready, commit: { ...ready.commit, sha: text } }),
  'channel.name': text => ({ ...ready, channelName: text }),
  'channel.name, building': text => ({ ...comments.building, channelName: text }),
  'channel.name, failed': text => ({ ...failed, channelName: text }),
  'channel.name, closed': text => ({ ...closed, removed: { ...closed.removed, channel: text } }),
  'bundle.name': text => ({ ...ready, bundle: { ...ready.bundle, name: text } }),
  'bundle.name, failed': text => ({ ...failed, served: { ...failed.served, name: text } }),
  'bundle.from.sha': text => ({
    ...failed,
    served: { ...failed.served, from: { ...ready.commit, sha: text } },
  }),
  'change.channel': text => ({ ...ready, change: { ...change, channel: text } }),
  'change.since': text => ({ ...ready, change: { ...change, since: text } }),
  'change.changed.path': text => ({
    ...ready,
    change: { ...change, added: [], removed: [], changed: [{ path: text, size: 1, sizeBefore: 2 }] },
  }),
  'natives.platform': text => ({
    ...ready,
    nativeVersions: [{ platform: text, version: '1', refusal: null }],
  }),
  'natives.version': text => ({
    ...ready,
    nativeVersions: [{ platform: 'ios', version: text, refusal: null }],
  }),
  'natives.refusal': text => ({
    ...ready,
    nativeVersions: [{ platform: 'ios', version: '1', refusal: text }],
  }),
  deepLink: text => ({ ...ready, bundle: { ...ready.bundle, deepLink: text } }),
  'web.why': text => ({ ...ready, web: { why: text } }),
  'warnings, one': text => ({ ...ready, warnings: [text] }),
  'warnings, two': text => ({ ...ready, warnings: [text, text] }),
  reason: text => ({ ...comments.kept, reason: text }),
  'error.code': text => ({ ...failed, error: { ...failed.error, code: text as CapgoCode } }),
  'error.message': text => ({ ...failed, error: { ...failed.error, message: text } }),
  'error.hint': text => ({ ...failed, error: { ...failed.error, hint: text } }),
  'error.output': text => ({ ...failed, error: { ...failed.error, output: `${text}.` } }),
  'removed.kept': text => ({ ...closed, removed: { ...closed.removed, kept: [text] } }),
}

describe('text that is not ours makes nothing but text in', () => {
  it.each(Object.entries(fields))('%s', (_, put) => {
    const plain = skeleton(renderComment(put('x')))
    fc.assert(
      // At least one letter, since an empty text may leave out what it would stand in.
      fc.property(hostileText, text => {
        expect(skeleton(renderComment(put(`${text}x`)))).toEqual(plain)
        expect(skeleton(renderComment(put(`x${text}`)))).toEqual(plain)
      }),
      { numRuns: 10 },
    )
  })
  it.each(['hostile', 'hostile-failed', 'hostile-closed'] as const)('all fields of %s at once', name => {
    expect(skeleton(renderComment(comments[name])).join('\n')).not.toMatch(
      /^(img|script|h[12]) |"(javascript:|https:\/\/evil)|mention|issue-link|emoji|math/m,
    )
  })
  it('keeps no address that is not http(s)', () => {
    const url = 'javascript:alert(1)'
    const comment = renderComment({
      ...ready,
      commit: { ...ready.commit, url },
      runUrl: url,
      bundle: { ...ready.bundle, url },
      web: { url },
    })
    const hrefs = elements(parseAsGitHub(comment)).flatMap(({ properties }) => properties.href ?? [])
    expect(hrefs).toEqual(['#gh-light-mode-only', '#gh-dark-mode-only'])
  })
})

it('begins no line with a workflow command, outside of blocks of code', () => {
  const command = '::set-output name=x::y\n::stop-commands::z'
  for (const put of Object.values(fields))
    expect(
      renderComment(put(`${command}\n${command}`)).replace(/^`{3,}text\n[\s\S]*?^`{3,}$/gm, ''),
    ).not.toMatch(/^\s*::/m)
})
