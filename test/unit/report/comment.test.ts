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

const headingOf = (comment: PreviewComment) => textOf(parseAsGitHub(renderComment(comment)).children[0]!)
const headings = Object.entries(comments)
  .filter(([name]) => !name.startsWith('hostile'))
  .map(([name, comment]) => [name, headingOf(comment)])

it('says what happened on the first line', () => {
  expect(Object.fromEntries(headings)).toMatchInlineSnapshot(`
    {
      "building": "🔨 Building the preview",
      "building-first": "🔨 Building the preview",
      "closed": "🧹 Preview removed: #12 was merged",
      "closed-kept": "🧹 Preview removed: #12 was merged",
      "closed-nothing": "🧹 Preview removed: #12 was merged",
      "closed-testers": "🧹 Preview removed: #12 was merged",
      "failed": "❌ Preview failed: the build broke",
      "failed-first": "❌ Preview failed: permission missing",
      "kept": "📱 Preview ready",
      "missing": "⚠️ Preview missing",
      "names": "📱 Preview ready",
      "ready": "📱 Preview ready",
      "ready-encrypted": "📱 Preview ready",
      "ready-no-web": "📱 Preview ready",
      "ready-refused": "📱 Preview ready",
      "ready-self-hosted": "📱 Preview ready",
      "ready-switched-off": "📱 Preview ready",
      "testers": "📱 Preview ready",
      "testers-120": "📱 Preview ready",
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
    commit: { ...ready.commit, title: null, author: null },
    change: null,
    nativeVersions: [],
    since: null,
    duration: null,
    bundle: { ...ready.bundle, url: null },
  })
  expect(bare).not.toMatch(/undefined|null|NaN|device|runs in|since|took| by /)
  expect(bare.split('<details'), 'how to get it is there').toHaveLength(2)
  const none = renderComment({ ...comments.building, served: null, since: null })
  expect(none).not.toMatch(/undefined|null|NaN|phone|still|since|<details/)
})

it('offers the switcher only where an app may put itself on the channel', () => {
  const offers = (selfAssignable: boolean) =>
    renderComment({ ...ready, bundle: { ...ready.bundle, selfAssignable } }).includes('channel switcher')
  expect([offers(true), offers(false)]).toEqual([true, false])
})

const isOnPhone = (comment: PreviewComment) => {
  const bundle = comment.state === 'ready' ? comment.bundle : 'served' in comment ? comment.served : null
  return bundle !== null && 'deepLink' in bundle && bundle.obstacle === null
}

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
  expect(comment).toContain(`Open this link on the phone:\n\n\`\`\`text\n${deepLink}\n`)
  expect(comment).toContain('open the link below')
})

describe('on a phone', () => {
  it("Capgo's app comes first, from both stores, then the code, the link and the app's own switcher", () => {
    const order = [
      'https://apps.apple.com/app/id1602316563',
      'https://play.google.com/store/apps/details?id=ee.forgr.capacitor_go',
      '<kbd>',
      'capgo://preview/channel',
      'channel switcher',
    ].map(part => renderComment(ready).indexOf(part))
    expect(order).not.toContain(-1)
    expect(order).toEqual([...order].sort((one, other) => one - other))
  })
  it.each([
    ['ready-switched-off', 'previews are switched off', '--preview'],
    ['ready-switched-off', 'console.capgo.app/app/com.example.shop/info', "app's settings"],
    ['ready-encrypted', 'the bundle is encrypted', 'channel switcher'],
    ['ready-self-hosted', 'Capgo Cloud only', 'testers.json'],
  ] as const)('%s says why, and offers what works', (name, why, instead) => {
    const comment = renderComment(comments[name])
    expect(comment).toContain(why)
    expect(comment).toContain(instead)
    expect(comment).not.toMatch(/<kbd>|apps\.apple|capgo:\/\//)
  })
  it("says that a browser cannot show what Capgo's app can", () => {
    const comment = renderComment(comments['ready-no-web'])
    expect(comment).toContain('Not in a browser: the bundle has no delta files.')
    expect(comment).toContain('<kbd>')
  })
})

describe('of a build that failed', () => {
  it('the line that says the error stands in the open, and its code links to its heading', () => {
    const [open = ''] = renderComment(failed).split('<details>')
    expect(open).toContain('is not exported by "src/money.ts"')
    expect(open).toContain('/docs/troubleshooting.md#build_failed')
    expect(open).not.toContain('env:')
  })
  it('what to do stands in the open where the output does not say it', () => {
    const [open = ''] = renderComment(comments['failed-first']).split('<details>')
    expect(open).toContain('The least privileged role that includes it is app&#95;developer')
    expect(open).toContain('/docs/troubleshooting.md#permission_missing')
  })
})

describe('of a preview that is gone', () => {
  it('says why', () => {
    expect(headingOf(closed)).toBe('🧹 Preview removed: #12 was merged')
    expect(headingOf({ ...closed, why: '#12 has no label "preview"' })).toContain('has no label "preview"')
  })
  it('says which channel its devices follow now, each once', () => {
    expect(renderComment(comments['closed-testers'])).toContain(
      '<b>Devices:</b> 4 follow the default channel again, 1 follows <code>beta</code>, 1 follows <code>pr-41</code>',
    )
    expect(renderComment(closed)).toContain('2 devices follow the default channel again.')
  })
})

/** Lines on a wide screen before anything is opened; those of an alert each. */
function linesOf(comment: PreviewComment): number {
  const blocks = parseAsGitHub(renderComment(comment)).children.filter(node => node.type === 'element')
  return blocks.reduce((sum, { tagName, children }) => {
    const lines = children.filter(child => child.type === 'element' && child.tagName === 'p')
    return sum + (tagName === 'div' ? lines.length : 1)
  }, 0)
}

it('is at most nine lines high before anything is opened, also with all that it may say', () => {
  const { rows } = comments['testers-120'].testers
  const full = {
    ...comments['ready-refused'],
    testers: { ...comments.testers.testers, rows },
  }
  for (const comment of [...Object.values(comments), full]) expect(linesOf(comment)).toBeLessThanOrEqual(9)
  expect(linesOf(full)).toBe(9)
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
  'commit.title': text => ({ ...ready, commit: { ...ready.commit, title: text } }),
  'commit.author': text => ({ ...ready, commit: { ...ready.commit, author: text } }),
  // A whole web address would be a link, as it must.
  'tester.name': text => ({
    ...ready,
    testers: {
      rows: comments.testers.testers.rows.map(row => ({ ...row, name: text, entry: `javascript:${text}` })),
      merging: null,
      addPhone: `javascript:${text}`,
    },
  }),
  'appId, switched off': text => ({ ...comments['ready-switched-off'], appId: text }),
  why: text => ({ ...closed, why: text }),
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
    // An error's code is the heading that its link leads to.
    const shape = (comment: PreviewComment) =>
      skeleton(renderComment(comment)).map(each => each.replace(/(troubleshooting\.md#)[^"]*/, '$1'))
    const plain = shape(put('x'))
    fc.assert(
      // At least one letter, since an empty text may leave out what it would stand in.
      fc.property(hostileText, text => {
        expect(shape(put(`${text}x`))).toEqual(plain)
        expect(shape(put(`x${text}`))).toEqual(plain)
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
    expect(hrefs.filter(href => !String(href).startsWith('https://'))).toEqual([
      '#gh-light-mode-only',
      '#gh-dark-mode-only',
    ])
  })
})

it('begins no line with a workflow command, outside of blocks of code', () => {
  const command = '::set-output name=x::y\n::stop-commands::z'
  for (const put of Object.values(fields))
    expect(
      renderComment(put(`${command}\n${command}`)).replace(/^`{3,}text\n[\s\S]*?^`{3,}$/gm, ''),
    ).not.toMatch(/^\s*::/m)
})
