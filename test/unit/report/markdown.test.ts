import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseAsGitHub } from '../../../scripts/pictures/github.ts'
import {
  alert,
  code,
  codeBlock,
  details,
  escapeText,
  limit,
  link,
  makeVisible,
  table,
} from '../../../src/report/markdown.ts'
import { elements, hostileText, skeleton, textOf } from './hostile.ts'

const EACH = { numRuns: 300 }

describe('the judge of these tests sees what GitHub would make of plain text', () => {
  it.each([
    ['@octocat', 'user-mention'],
    ['see #12', 'issue-link'],
    ['owner/repo#12', 'issue-link'],
    ['GH-12', 'issue-link'],
    [':tada:', 'emoji'],
    ['$x^2$', 'math'],
    ['https://evil.example', '"href":"https://evil.example"'],
    ['www.evil.example', '"href":"http://www.evil.example"'],
    ['me@evil.example', '"href":"mailto:me@evil.example"'],
    ['![x](https://evil.example/x.png)', 'img'],
    ['<b>x</b>', 'b {}'],
    ['> [!NOTE]\n> x', 'markdown-alert-note'],
  ])('%s', (markdown, sign) => expect(skeleton(markdown).join('\n')).toContain(sign))

  it('drops what GitHub drops', () => {
    const markdown = 'x <script>y</script><a href="javascript:z" style="color:red" onclick="z">z</a>'
    expect(skeleton(markdown)).toEqual(['p {}', 'a {}'])
  })
})

describe('escapeText', () => {
  it('shows exactly the text, with spaces collapsed and what is invisible made visible', () => {
    fc.assert(
      fc.property(hostileText, text => {
        const lines = text.split(/[\r\n\u2028\u2029]+/).map(line => line.replace(/[ \t]+/g, ' ').trim())
        const expected = lines
          .filter(line => line !== '')
          .map(makeVisible)
          .join('\n')
        const [paragraph] = parseAsGitHub(`${escapeText(text)}\n`).children
        expect(paragraph === undefined ? '' : textOf(paragraph)).toBe(expected)
      }),
      EACH,
    )
  })
  it('makes nothing of it but text, wherever it stands', () => {
    const places: ((text: string) => string)[] = [
      text => text,
      text => `### a ${text}`,
      text => `<b>${text}</b> and **x**`,
      text => `- ${text}\n- x`,
      text => alert('WARNING', text),
      text => details(text, text),
      text => table(['a', text], [[text, 'x']]),
      text => link(text, 'https://ours.example/'),
    ]
    fc.assert(
      fc.property(hostileText, fc.constantFrom(...places), (text, place) => {
        fc.pre(escapeText(text) !== '')
        expect(skeleton(place(escapeText(text)))).toEqual(skeleton(place('x')))
      }),
      { numRuns: 1000 },
    )
  })
  it('is cut where it is too long', () => {
    expect(escapeText('x'.repeat(5_000))).toBe(`${'x'.repeat(2_000)}…`)
    expect(escapeText(`${'x'.repeat(1_999)}😀`)).toBe(`${'x'.repeat(1_999)}…`)
  })
})

describe('code', () => {
  it('shows exactly the name, on one line', () => {
    fc.assert(
      fc.property(hostileText, text => {
        const tree = parseAsGitHub(`a ${code(text)} b`)
        expect(
          elements(tree)
            .filter(({ tagName }) => tagName !== 'span')
            .map(({ tagName }) => tagName),
        ).toEqual(['p', 'code'])
        expect(textOf(tree)).toBe(`a ${makeVisible(text)} b`)
      }),
      EACH,
    )
  })
  it('makes nothing of it but text in a cell, a link, a heading and a fold', () => {
    const places: ((text: string) => string)[] = [
      text => table(['a'], [[text, 'x']]),
      text => link(text, 'https://ours.example/'),
      text => `### ${text}`,
      text => details(text, text),
      text => text,
    ]
    fc.assert(
      fc.property(hostileText, fc.constantFrom(...places), (text, place) => {
        expect(skeleton(place(code(text)))).toEqual(skeleton(place(code('x'))))
      }),
      { numRuns: 400 },
    )
  })
  it('makes reversed, invisible and control characters visible', () => {
    expect(code('a\u202eb\u200bc\u0007d\ne\u{e0041}')).toBe(
      '<code>a&#92;u202eb&#92;u200bc&#92;u0007d&#92;ne&#92;u{e0041}</code>',
    )
  })
  it('leaves everyday emoji and scripts as they are', () => {
    expect(code('❤️ größe 日本語')).toBe('<code>❤️ größe 日本語</code>')
  })
})

/** Text as a reader sees it, in a cell between two others. */
const shown = (text: string) =>
  textOf(parseAsGitHub(table(['a', 'b', 'c'], [['left', escapeText(text), code(text)]])))
    .trim()
    .split('left')[1]!
    .replaceAll('\n', '')

describe('a name', () => {
  it.each([
    ['a family', 'Cohen 👨‍👩‍👧‍👦'],
    ['a profession with a skin tone', 'Zoë 👩🏽‍💻'],
    ['a flag of two letters', '🇩🇪 Ada'],
    ['a flag of tags', '🏴󠁧󠁢󠁳󠁣󠁴󠁿 Ada'],
    ['a flag of two emoji', '🏳️‍🌈'],
    ['an emoji without its selector, as some keyboards write it', '❤‍🔥'],
    ['a key', 'iPhone 5️⃣'],
    ['Persian, with a non-joiner', 'می‌خواهم'],
    ['Hindi, with a joiner', 'क्‍ष'],
    ['Malayalam, with a joiner between letters', 'ന്‍റ'],
    ['Hebrew with a number and Latin', 'דנה 2 (iPad)'],
    ['Arabic', 'أحمد'],
  ])('is shown as it is: %s', (_, name) => {
    expect(shown(name)).toBe(name + name)
  })
  it.each([
    ['a joiner in a Latin word', 'a\u200db', 'a\\u200db'],
    ['a non-joiner at the end', 'می\u200c', 'می\\u200c'],
    ['a joiner between an emoji and a letter', '👩\u200dx', '👩\\u200dx'],
    ['text hidden in tags', '🏴\u{e0068}\u{e0069}\u{e007f}', '🏴\\u{e0068}\\u{e0069}\\u{e007f}'],
    ['an override of direction in Hebrew', 'ד\u202eנה', 'ד\\u202eנה'],
    ['an isolate that never ends', '\u2067דנה', '\\u2067דנה'],
  ])('shows what is hidden in it: %s', (_, name, visible) => {
    expect(shown(name)).toBe(visible + visible)
  })

  /** The text of each element that has a direction of its own. */
  const isolated = (markdown: string) =>
    elements(parseAsGitHub(markdown))
      .filter(({ properties }) => properties.dir === 'auto')
      .map(textOf)

  it('that runs from right to left is isolated from what stands beside it', () => {
    expect(isolated(`3 devices, ${escapeText('דנה')}, 5 more`)).toEqual(['דנה'])
    expect(isolated(`by ${escapeText('دانا می‌خواهم')} 10:15`)).toEqual(['دانا می‌خواهم'])
    expect(isolated(code('feature/שלום-2'))).toEqual(['שלום'])
    expect(isolated(escapeText('דנה, 2 and א.ב 3'))).toEqual(['דנה', 'א.ב'])
    expect(isolated(escapeText('Zoë 👩🏽‍💻'))).toEqual([])
  })
})

describe('codeBlock', () => {
  it('is one block, whatever is in it', () => {
    fc.assert(
      fc.property(hostileText, text => {
        const tree = parseAsGitHub(details('x', codeBlock(text)))
        expect(elements(tree).map(({ tagName }) => tagName)).toEqual(['details', 'summary', 'pre', 'code'])
      }),
      EACH,
    )
  })
  it('has a fence longer than any inside', () => {
    expect(codeBlock('a\n`````\nb')).toBe('``````text\na\n`````\nb\n``````')
  })
  it('shows what a terminal would: no colours, the last state of a progress bar', () => {
    expect(codeBlock('\u001b[32m10%\r50%\r100%\u001b[0m\r\n\u001b]0;title\u0007\tdone\n\n')).toBe(
      '```text\n100%\n    done\n```',
    )
  })
})

describe('link', () => {
  it.each(['javascript:alert(1)', 'data:text/html,x', 'ftp://x.example', 'not a url', '', null])(
    'takes no %s',
    url => {
      expect(link('x', url)).toBe('x')
    },
  )
  it('survives every character in the address', () => {
    fc.assert(
      fc.property(hostileText, text => {
        const url = `https://ours.example/a?q=${text}`
        fc.pre(URL.canParse(url))
        const [, anchor, ...others] = elements(parseAsGitHub(`see ${link('x', url)}.`))
        expect(others).toEqual([])
        const href = new URL(String(anchor?.properties.href))
        expect(href.origin).toBe('https://ours.example')
        expect(decode(href.href)).toBe(decode(new URL(url).href))
      }),
      EACH,
    )
  })
})

describe('limit', () => {
  const long = [
    '### Title',
    table(
      ['a', 'b'],
      Array.from({ length: 30 }, (_, n) => [`${n}`, 'ä'.repeat(n)]),
    ),
    details('one', details('two', codeBlock(`x\n\`\`\`\n</details>\n${'line\n'.repeat(30)}`))),
    'The end.',
  ].join('\n\n')

  it('changes nothing that is short enough', () => {
    expect(limit(long, new TextEncoder().encode(long).length)).toBe(long)
  })
  it('closes what is open where it cuts, and is never longer', () => {
    const size = new TextEncoder().encode(long).length
    fc.assert(
      fc.property(fc.integer({ min: 120, max: size - 1 }), max => {
        const cut = limit(long, max)
        expect(new TextEncoder().encode(cut).length).toBeLessThanOrEqual(max)
        const last = parseAsGitHub(cut)
          .children.filter(node => node.type === 'element')
          .at(-1)!
        expect(elements(last).map(({ tagName }) => tagName)).toEqual(['p', 'em'])
        expect(textOf(last)).toContain('left out')
      }),
      { numRuns: 100 },
    )
  })
  it('gives nothing rather than something broken', () => {
    expect(limit('x'.repeat(1000), 10)).toBe('')
  })
})

function decode(href: string): string {
  return unescape(href)
}
