/** Apple's older form of property lists, in which Xcode writes its projects: `{ key = (a, b); }`. */

export interface Leaf {
  readonly text: string
  readonly line: number
}

export type Node = Leaf | readonly Node[] | ReadonlyMap<string, Node>

const TOKEN = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\[\s\S]|[^"\\])*"|[{}()=;,]|[^\s{}()=;,"]+/g

/** Null where the text is not of this form. */
export function parsePropertyList(text: string): Node | null {
  const tokens: Leaf[] = []
  let counted = 0
  let line = 1
  for (const match of text.matchAll(TOKEN)) {
    for (let at = counted; at < match.index; at++) if (text[at] === '\n') line++
    counted = match.index
    const [token] = match
    if (!token.startsWith('/*') && !token.startsWith('//')) tokens.push({ text: token, line })
  }
  let at = 0
  const root = node()
  return root ?? null

  function node(): Node | undefined {
    const token = tokens[at++]
    if (token === undefined) return undefined
    if (token.text === '{') return dictionary()
    if (token.text === '(') return array()
    if (/^[})=;,]$/.test(token.text)) return undefined
    return { text: unquoted(token.text), line: token.line }
  }

  function dictionary(): Node | undefined {
    const entries = new Map<string, Node>()
    for (;;) {
      const key = tokens[at++]
      if (key === undefined) return undefined
      if (key.text === '}') return entries
      if (tokens[at++]?.text !== '=') return undefined
      const value = node()
      if (value === undefined || tokens[at++]?.text !== ';') return undefined
      entries.set(unquoted(key.text), value)
    }
  }

  function array(): Node | undefined {
    const values: Node[] = []
    for (;;) {
      if (tokens[at]?.text === ')') {
        at++
        return values
      }
      const value = node()
      if (value === undefined) return undefined
      values.push(value)
      if (tokens[at]?.text === ',') at++
    }
  }
}

function unquoted(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replace(/\\([\s\S])/g, '$1') : text
}

/** The value at a path of keys; undefined where it ends before. */
export function at(node: Node | undefined, ...keys: readonly string[]): Node | undefined {
  let found = node
  for (const key of keys) found = found instanceof Map ? found.get(key) : undefined
  return found
}

export function leafAt(node: Node | undefined, ...keys: readonly string[]): Leaf | undefined {
  const found = at(node, ...keys)
  return found !== undefined && 'text' in found ? (found as Leaf) : undefined
}

export function listAt(node: Node | undefined, ...keys: readonly string[]): readonly Leaf[] {
  const found = at(node, ...keys)
  return Array.isArray(found) ? (found as Node[]).filter((each): each is Leaf => 'text' in each) : []
}
