import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { comments as samples } from '../../../scripts/pictures/comments.ts'
import { renderComment } from '../../../src/report/comment.ts'
import {
  hiddenLines,
  hideFacts,
  parseSections,
  renderSections,
  type Section,
} from '../../../src/report/comment-sections.ts'
import type { PreviewComment } from '../../../src/report/preview-comment.ts'

const mark = (appId: string) => `<!-- capgo-publish-action ${appId} -->`
/** As a run writes it, but for the proof. */
const section = (appId: string, comment: PreviewComment): Section => ({
  appId,
  text: `${mark(appId)}\n<!-- run 7.1 -->\n${hideFacts(comment)}\n${renderComment(comment)}`,
})
const { ready, failed, closed, building } = samples
const tableOf = (body: string) =>
  body
    .split('\n')
    .filter(line => /^\| /.test(line))
    .slice(0, 6)

describe('the comment of several apps', () => {
  it('of one app is its text alone', () => {
    const one = section('com.a', ready)
    expect(renderSections([one])).toBe(one.text)
    expect(parseSections(one.text)).toEqual([one])
    expect(renderSections([])).toBe('')
  })

  it('is a table, problems in the heading, and each text folded', async () => {
    const body = renderSections([
      section('com.example.rider', ready),
      section('com.example.driver', failed),
      section('com.example.admin', { ...closed, appId: 'com.example.admin' }),
      {
        appId: 'com.example.former',
        text: `${mark('com.example.former')}\n### 🔨 Building of a former version`,
      },
    ])
    await expect(body).toMatchFileSnapshot('comments/several-apps.md.snap')
  })

  it('is the same whoever writes it, and its hidden facts are read again', () => {
    const [a, b, c] = [section('com.a', ready), section('com.b', building), section('com.c', failed)] as const
    const body = renderSections([a, b, c])
    expect(renderSections([c, a, b])).toBe(body)
    expect(renderSections(parseSections(body))).toBe(body)
  })

  it.each([
    'com.a',
    '',
    'x',
    '{"web":1,"bundle":[],"url":{}}',
    '{',
    '<!-- row {"web":"javascript:alert(1)"} -->',
  ])('takes facts as they are: %s', facts => {
    const text = `${mark('com.b')}\n<!-- row ${facts} -->\n### 📱 Preview ready`
    const [, , row] = tableOf(renderSections([section('com.a', ready), { appId: 'com.b', text }])).slice(1)
    expect(row).toBe('| <code>com.b</code> | 📱 ready |  |  |')
  })

  it('hides facts that end no comment early', () => {
    const url = 'https://x.example/--><script>'
    const hidden = hideFacts({ ...ready, web: { url }, bundle: { ...ready.bundle, name: '--!>|`@octo #1' } })
    expect(hidden.indexOf('>')).toBe(hidden.length - 1)
    const body = renderSections([
      section('com.a', {
        ...ready,
        web: { url },
        bundle: { ...ready.bundle, name: '--!>|`@octo #1', url: null },
      }),
      section('com.b', ready),
    ])
    expect(tableOf(body)[2]).toBe(
      '| <code>com.a</code> | 📱 ready | [open in the browser](<https://x.example/--%3E%3Cscript%3E>) · scan the code below | <code>--!&#62;&#124;&#96;<span>@</span>octo <span>#</span>1</code> |',
    )
  })

  it('the output of a build neither begins nor ends a section', () => {
    const output = [
      'x',
      '<!-- /capgo-publish-action -->',
      '</details>',
      mark('com.b'),
      '<!-- run 9999.1 -->',
      '### 📱 Preview ready: forged',
      '<!-- capgo-publish-action -->',
    ].join('\n')
    const hostile = section('com.a', { ...failed, error: { ...failed.error, output } })
    const body = renderSections([hostile, section('com.b', ready)])
    const [a, b] = parseSections(body)
    expect(b).toEqual({ ...section('com.b', ready), text: section('com.b', ready).text.trimEnd() })
    expect(a!.text).toContain(' <!-- /capgo-publish-action -->\n')
    expect(renderSections(parseSections(body))).toBe(body)
    expect(parseSections(hostile.text), 'nor in a comment of one app').toEqual([hostile])
  })

  it('that was edited on the website (its line ends change) is read', () => {
    const body = renderSections([section('com.a', ready), section('com.b', failed)]).replaceAll('\n', '\r\n')
    expect(parseSections(body).map(({ appId, text }) => [appId, text.split('\r\n')[1]])).toEqual([
      ['com.a', '<!-- run 7.1 -->'],
      ['com.b', '<!-- run 7.1 -->'],
    ])
  })

  it('of two sections of one app the first counts, and one that lost its end ends with the next', () => {
    const body = [
      '<!-- capgo-publish-action -->',
      mark('a.a'),
      'one',
      mark('b.b'),
      'two',
      mark('a.a'),
      'three',
    ].join('\n')
    expect(parseSections(body)).toEqual([
      { appId: 'a.a', text: `${mark('a.a')}\none` },
      { appId: 'b.b', text: `${mark('b.b')}\ntwo` },
    ])
    expect(parseSections('Hello'), 'not of ours').toEqual([])
    expect(parseSections(`Hello\n${mark('a.a')}`), 'nor this').toEqual([])
  })

  it('too long for GitHub: short texts stay, long ones end at the same length, the table is whole', () => {
    const long = (appId: string, lines: number): Section => ({
      appId,
      text: `${section(appId, ready).text}${'A line of forty characters, which is it.\n'.repeat(lines)}`,
    })
    const all = [
      section('com.a', ready),
      long('com.b', 1_200),
      long('com.c', 1_500),
      section('com.d', failed),
    ]
    const body = renderSections(all)
    expect(body.length).toBeLessThanOrEqual(65_536)
    expect(body.length).toBeGreaterThan(65_000)
    expect(tableOf(body)).toHaveLength(6)
    const [a, b, c, d] = parseSections(body)
    expect([a, d]).toEqual([all[0], all[3]].map(each => ({ ...each, text: each!.text.trimEnd() })))
    expect(Math.abs(b!.text.length - c!.text.length)).toBeLessThan(100)
    expect(renderSections(parseSections(body)), 'and shrinks no further').toBe(body)
  })

  it('of more apps than there is room for keeps the head of each', () => {
    const apps = Array.from({ length: 60 }, (_, n) => section(`com.example.app${n + 10}`, ready))
    const body = renderSections(apps)
    expect(body.length).toBeLessThanOrEqual(65_536)
    const parsed = parseSections(body)
    expect(parsed).toHaveLength(60)
    for (const { text } of parsed) expect(hiddenLines(text)).toContain('<!-- run 7.1 -->')
  })

  it('holds any texts: what is written is read', () => {
    const texts = fc.dictionary(
      fc.stringMatching(/^[a-z]{1,3}\.[a-z]{1,3}$/),
      fc.string({ unit: 'grapheme', maxLength: 200 }),
      {
        minKeys: 2,
        maxKeys: 5,
      },
    )
    fc.assert(
      fc.property(texts, all => {
        const sections = Object.entries(all).map(([appId, text]) => ({
          appId,
          text: `${mark(appId)}\n${text}`.trimEnd(),
        }))
        const read = parseSections(renderSections(sections))
        expect(read).toEqual(sections.toSorted((one, other) => (one.appId < other.appId ? -1 : 1)))
      }),
    )
  })
})
