import fc from 'fast-check'
import type { Element, Root, RootContent } from 'hast'
import { parseAsGitHub } from '../../../scripts/pictures/github.ts'

/** What Markdown, HTML or GitHub itself would make something of, and what does not show. */
const FRAGMENTS = [
  ...'`*_[](){}<>&|~!#+-=.:@$\\^"\'/ \t\n\r0aw'.split(''),
  '*x*',
  '**x**',
  '__x__',
  'a | b',
  '```',
  '~~~',
  '\n\n',
  '\r\n',
  '  \n',
  '    ',
  '\u2028',
  '\\|',
  '<!--',
  '-->',
  '<![CDATA[',
  '<?',
  '</code>',
  '</summary>',
  '</details>',
  '</table>',
  '<b>',
  '<img src=x onerror=alert(1)>',
  '<script>',
  '<a href="https://evil.example">',
  'https://evil.example',
  'HTTP://evil.example',
  'www.evil.example',
  'WWW.',
  'ftp://evil.example',
  'mailto:a@evil.example',
  'xmpp:a@evil.example/b',
  'a@evil.example',
  '@octocat',
  '@github/team',
  '#1',
  'owner/repo#12',
  'GH-7',
  'gh-7',
  ':tada:',
  '$x$',
  '$$',
  '$`x`$',
  '[x](https://evil.example)',
  '![x](https://evil.example/x.png)',
  '[x]: https://evil.example',
  '[^1]',
  '[^1]: note',
  '[!NOTE]',
  '> ',
  '# ',
  '- [x] ',
  '1. ',
  '| - |',
  ':-:',
  '---',
  '===',
  '&lt;',
  '&#60;',
  '&amp;',
  '\u202e',
  '\u2066',
  '\u200b',
  '\u200d',
  '\ufeff',
  '\u00ad',
  '\u0000',
  '\u0007',
  '\u001b[31m',
  '\ud800',
  '\u{e0041}',
  '\u3164',
  'שלום',
  'می‌خواهم',
  '👨‍👩‍👧',
  '😀',
  '\u00a0',
]

/** Any text, and text that is out for trouble. */
export const hostileText = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.array(fc.constantFrom(...FRAGMENTS), { maxLength: 12 }).map(parts => parts.join('')),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
)

/**
 * Every element with its attributes, in order, without texts. `br`, and `span` with nothing but a direction of its own,
 * do nothing: escaped text may have them.
 */
export function skeleton(markdown: string): string[] {
  return elements(parseAsGitHub(markdown))
    .filter(
      ({ tagName, properties }) =>
        !(/^(span|br)$/.test(tagName) && Object.keys(properties).every(name => name === 'dir')),
    )
    .map(({ tagName, properties }) => `${tagName} ${JSON.stringify(properties)}`)
}

export function elements(node: Root | RootContent): Element[] {
  const below = 'children' in node ? node.children.flatMap(elements) : []
  return node.type === 'element' ? [node, ...below] : below
}

/** What a reader sees of a node; `br` as a newline. */
export function textOf(node: Root | RootContent): string {
  if (node.type === 'text') return node.value
  if (node.type === 'element' && node.tagName === 'br') return '\n'
  return 'children' in node ? node.children.map(textOf).join('') : ''
}
