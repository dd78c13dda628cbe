/** A Gradle script, Groovy or Kotlin, as its statements: enough of it to find what a script says of a version. */

export interface Statement {
  readonly text: string
  readonly line: number
  /** Names of the blocks around it, from the outermost: `android`, `productFlavors`, `free`. */
  readonly path: readonly string[]
  /** The text before the innermost block. */
  readonly header: string
}

interface Block {
  readonly names: readonly string[]
  readonly header: string
  /** Brackets that were open where it began. */
  readonly depth: number
}

/** The end of a string that begins at `from`. Strings of double quotes may hold `${…}`. */
function endOfString(text: string, from: number): number {
  const quote = text.charAt(from)
  const mark = text.startsWith(quote.repeat(3), from) ? quote.repeat(3) : quote
  let at = from + mark.length
  while (at < text.length) {
    if (text[at] === '\\') at += 2
    else if (quote === '"' && text.startsWith('${', at)) at = endOfBraces(text, at + 1)
    else if (text.startsWith(mark, at)) return at + mark.length
    else if (mark.length === 1 && text[at] === '\n') return at
    else at++
  }
  return text.length
}

function endOfBraces(text: string, from: number): number {
  let open = 0
  for (let at = from; at < text.length; at++) {
    if (text[at] === '{') open++
    else if (text[at] === '}' && --open === 0) return at + 1
    else if (text[at] === '\n') return at
  }
  return text.length
}

/** Comments as blanks, so that lines keep their numbers; strings stay (`"https://"`). */
function withoutComments(text: string): string {
  let plain = ''
  let at = 0
  while (at < text.length) {
    const isString = text[at] === '"' || text[at] === "'"
    const isLine = text.startsWith('//', at)
    if (!isString && !isLine && !text.startsWith('/*', at)) {
      plain += text[at++]
      continue
    }
    const found = isString ? endOfString(text, at) : text.indexOf(isLine ? '\n' : '*/', at + (isLine ? 0 : 2))
    const end = found < 0 ? text.length : isString || isLine ? found : found + 2
    const part = text.slice(at, end)
    plain += isString ? part : part.replace(/[^\n]/g, ' ')
    at = end
  }
  return plain
}

/** A statement continues on the next line. */
const GOES_ON = /(?:[=+,:?.(]|\bas|\bby)$/
const CONTINUES = /^\s*(?:[.+:?]|as\b)/

export function readStatements(source: string): Statement[] {
  const text = withoutComments(source.replace(/\r\n?/g, '\n'))
  const statements: Statement[] = []
  const blocks: Block[] = []
  let depth = 0
  let begin = 0
  let counted = 0
  let line = 1
  const flush = (end: number) => {
    const found = text.slice(begin, end)
    const inner = found.trim()
    const from = begin + found.length - found.trimStart().length
    begin = end + 1
    if (inner === '') return
    line += linesIn(text.slice(counted, from))
    counted = from
    const path = blocks.flatMap(block => block.names)
    statements.push({ text: inner, line, path, header: blocks.at(-1)?.header ?? '' })
  }
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at)
    if (char === '"' || char === "'") at = endOfString(text, at) - 1
    else if (char === '(' || char === '[') depth++
    else if (char === ')' || char === ']') depth = Math.max(0, depth - 1)
    else if (char === '{') {
      const header = text.slice(begin, at).trim()
      flush(at)
      blocks.push({ names: namesOf(header), header, depth })
      depth = 0
    } else if (char === '}') {
      flush(at)
      depth = blocks.pop()?.depth ?? 0
    } else if ((char === ';' || char === '\n') && depth === 0 && isOver(char, text, begin, at)) flush(at)
  }
  flush(text.length)
  return statements
}

function isOver(char: string, text: string, begin: number, at: number): boolean {
  return (
    char === ';' ||
    (!GOES_ON.test(text.slice(begin, at).trimEnd()) && !CONTINUES.test(text.slice(at + 1, at + 200)))
  )
}

const linesIn = (text: string) => text.split('\n').length - 1

/** `android.productFlavors` is two names, `create("free")` and `"free"` are `free`. */
export function namesOf(header: string): string[] {
  const last = header.slice(header.lastIndexOf('\n') + 1).trim()
  const call = /(?:create|register|maybeCreate|getByName|named|invoke)\s*\(\s*["']([^"']+)["']/.exec(last)
  if (call?.[1] !== undefined) return [...namesOf(last.slice(0, call.index).replace(/\.$/, '')), call[1]]
  const quoted = /^["']([^"']+)["']/.exec(last)?.[1]
  if (quoted !== undefined) return [quoted]
  return (/^[\w.]+/.exec(last)?.[0] ?? '').split('.').filter(name => name !== '')
}

/** The tokens of an expression. Null where something stands that has no value here: an operator, a closure. */
export function tokenize(expression: string): string[] | null {
  const tokens: string[] = []
  let at = 0
  while (at < expression.length) {
    const char = expression.charAt(at)
    if (/\s/.test(char)) {
      at++
      continue
    }
    const end =
      char === '"' || char === "'"
        ? endOfString(expression, at)
        : at +
          (/^(?:[A-Za-z_]\w*|\d[\w.]*|\?\.|!!|[.()[\],+<>?*])/.exec(expression.slice(at))?.[0].length ?? 0)
    if (end === at) return null
    tokens.push(expression.slice(at, end))
    at = end
  }
  return tokens
}
