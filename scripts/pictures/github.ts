import type { Element, ElementContent, Root, RootContent, Text } from 'hast'
import rehypeRaw from 'rehype-raw'
import rehypeSanitize from 'rehype-sanitize'
import rehypeStringify from 'rehype-stringify'
import remarkGfm from 'remark-gfm'
import remarkParse from 'remark-parse'
import remarkRehype from 'remark-rehype'
import { unified } from 'unified'

/**
 * Markdown as GitHub shows it: its dialect, raw HTML through its list of allowed elements and attributes, then
 * what it makes of text when that is done (alerts, mentions, references, emoji, formulas).
 */
const pipeline = unified()
  .use(remarkParse)
  .use(remarkGfm)
  .use(remarkRehype, { allowDangerousHtml: true })
  .use(rehypeRaw)
  .use(rehypeSanitize)
  .use(() => (root: Root) => {
    root.children = root.children.map(node => (isElement(node, 'blockquote') ? asAlert(node) : node))
    activate(root)
  })
  .use(rehypeStringify)

export function renderAsGitHub(markdown: string): string {
  return String(pipeline.processSync(markdown))
}

/** The same as a tree of elements, to look into. */
export function parseAsGitHub(markdown: string): Root {
  return pipeline.runSync(pipeline.parse(markdown)) as Root
}

/** `> [!WARNING]` */
function asAlert(quote: Element): Element {
  const paragraph = quote.children.find(node => isElement(node, 'p'))
  const first = paragraph?.children[0]
  const marker =
    first?.type === 'text' ? /^\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\](?:\n|$)/.exec(first.value) : null
  if (first?.type !== 'text' || paragraph === undefined || marker === null) return quote
  const kind = marker[1]!.toLowerCase()
  const title = element('p', ['markdown-alert-title'], `${kind.charAt(0).toUpperCase()}${kind.slice(1)}`)
  first.value = first.value.slice(marker[0].length)
  return {
    ...element('div', ['markdown-alert', `markdown-alert-${kind}`]),
    children: [title, ...quote.children],
  }
}

/** What GitHub looks for in every text that is not a link or code; each becomes an element of its own kind. */
const ACTIVE: readonly [kind: string, pattern: RegExp][] = [
  ['user-mention', /(?<![\w`/.@])@[a-z\d][a-z\d-]*(?:\/[\w-]+)?/i],
  ['issue-link', /(?:\b[\w.-]+(?:\/[\w.-]+)?)?#\d+|\bGH-\d+/i],
  ['emoji', /:[\w+-]+:/],
  ['math', /\$\$[^$]+\$\$|\$(?!\s)[^$\n]+(?<!\s)\$/],
]
const INERT = new Set(['a', 'code', 'pre', 'tt'])

function activate(parent: Root | Element): void {
  const children = parent.children.flatMap((node): (RootContent | ElementContent)[] => {
    if (node.type === 'element' && !INERT.has(node.tagName)) activate(node)
    return node.type === 'text' ? activateText(node) : [node]
  })
  parent.children = children as ElementContent[]
}

function activateText(text: Text): ElementContent[] {
  for (const [kind, pattern] of ACTIVE) {
    const found = pattern.exec(text.value)
    if (found === null) continue
    const rest = (value: string): ElementContent[] =>
      value === '' ? [] : activateText({ type: 'text', value })
    return [
      ...rest(text.value.slice(0, found.index)),
      element('a', [kind], found[0]),
      ...rest(text.value.slice(found.index + found[0].length)),
    ]
  }
  return [text]
}

function element(tagName: string, className: string[], text?: string): Element {
  const children: Text[] = text === undefined ? [] : [{ type: 'text', value: text }]
  return { type: 'element', tagName, properties: { className }, children }
}

function isElement(node: { type: string; tagName?: string }, tagName: string): node is Element {
  return node.type === 'element' && node.tagName === tagName
}
