/** References in an HTML page. Only pages of builds are read, so a scanner is enough, and it never fails. */

interface PageScript {
  /** As written; null for one that is in the page itself. */
  readonly src: string | null
  readonly code: string
  /** Only browsers without modules run it. */
  readonly isLegacy: boolean
}

export interface Page {
  /** Of `<base>`. */
  readonly base: string | null
  readonly scripts: readonly PageScript[]
  /** Addresses of style sheets, as written. */
  readonly styles: readonly string[]
  /** The page without its comments. */
  readonly text: string
}

const TAG = /<(script|link|base)\b((?:[^>"']|"[^"]*"|'[^']*')*)>/gi
const ATTRIBUTE = /([^\s"'>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g
const SCRIPT_TYPE = /^(?:module|(?:text|application)\/(?:x-)?(?:java|ecma)script)?$/i
const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  quot: '"',
  apos: "'",
  lt: '<',
  gt: '>',
  '#39': "'",
}

export function readPage(html: string): Page {
  const text = html.replace(/<!--[\s\S]*?(?:-->|$)/g, '')
  const scripts: PageScript[] = []
  const styles: string[] = []
  let base: string | null = null
  const tags = new RegExp(TAG)
  for (let match = tags.exec(text); match !== null; match = tags.exec(text)) {
    const [, tag = '', inner = ''] = match
    const attributes = readAttributes(inner)
    const href = attributes.get('href')
    if (tag.toLowerCase() === 'base') base ??= href ?? null
    else if (tag.toLowerCase() === 'link') {
      if (href !== undefined && /(?:^|\s)stylesheet(?:\s|$)/i.test(attributes.get('rel') ?? ''))
        styles.push(href)
    } else {
      const end = text.toLowerCase().indexOf('</script', tags.lastIndex)
      const code = text.slice(tags.lastIndex, end < 0 ? text.length : end)
      tags.lastIndex += code.length
      if (!SCRIPT_TYPE.test(attributes.get('type')?.trim() ?? '')) continue
      scripts.push({ src: attributes.get('src') ?? null, code, isLegacy: attributes.has('nomodule') })
    }
  }
  return { base, scripts, styles, text }
}

function readAttributes(text: string): Map<string, string> {
  const attributes = new Map<string, string>()
  for (const [, name = '', double, single, bare] of text.matchAll(ATTRIBUTE)) {
    const value = (double ?? single ?? bare ?? '').replace(
      /&(\w+|#39);/g,
      (entity, known: string) => ENTITIES[known.toLowerCase()] ?? entity,
    )
    if (!attributes.has(name.toLowerCase())) attributes.set(name.toLowerCase(), value)
  }
  return attributes
}

/** Where the WebView has the bundle; any address would do. */
const ORIGIN = 'https://localhost'

/** The path in the bundle that an address of `index.html` leads to; null when it leads elsewhere. */
export function pathOf(address: string, base: string | null): string | null {
  const url = URL.parse(address.trim(), URL.parse(base ?? '', `${ORIGIN}/`)?.href ?? ORIGIN)
  if (url === null || url.origin !== ORIGIN) return null
  return decode(url.pathname).slice(1)
}

/** `%20` as a space. */
export function decode(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
