/** Where the comments of JavaScript are. */

/** A `/` behind one of these begins a regular expression; behind other words and brackets it divides. */
const BEFORE_PATTERN =
  /(?:^|[^\w$.])(?:return|typeof|case|in|of|do|else|void|delete|throw|new|instanceof|yield|await)$/

/** Ranges of comments, from start to end. Minified code too; what ends nowhere ends with the text. */
export function findComments(code: string): { readonly from: number; readonly to: number }[] {
  const comments: { from: number; to: number }[] = []
  /** Braces that are open in each `${…}` around the place. */
  const templates: number[] = []
  let at = 0
  /** Where the last token ended. */
  let last = 0
  const endAt = (to: number) => {
    at = to < 0 ? code.length : to
  }
  while (at < code.length) {
    const char = code.charAt(at)
    if (char === '/' && code[at + 1] === '/') {
      const from = at
      endAt(code.indexOf('\n', at))
      comments.push({ from, to: at })
    } else if (char === '/' && code[at + 1] === '*') {
      const from = at
      const end = code.indexOf('*/', at + 2)
      endAt(end < 0 ? -1 : end + 2)
      comments.push({ from, to: at })
    } else if (/\s/.test(char)) at++
    else {
      if (char === '"' || char === "'") endAt(endOfQuoted(code, at))
      else if (char === '`') readTemplate(at + 1)
      else if (char === '/' && isPattern(code, last)) endAt(endOfPattern(code, at))
      else if (char === '}' && templates.at(-1) === 0) {
        templates.pop()
        readTemplate(at + 1)
      } else {
        if (templates.length > 0 && (char === '{' || char === '}'))
          templates.push((templates.pop() ?? 0) + (char === '{' ? 1 : -1))
        at++
      }
      last = at
    }
  }
  return comments

  /** From behind the backtick, or behind a `}`, to the end of the template or into its next `${`. */
  function readTemplate(from: number): void {
    for (at = from; at < code.length; at++) {
      if (code[at] === '\\') at++
      else if (code[at] === '`') {
        at++
        return
      } else if (code[at] === '$' && code[at + 1] === '{') {
        at += 2
        templates.push(0)
        return
      }
    }
  }
}

/** The text ends at the end of its line too: a lone quote must not swallow the rest. */
function endOfQuoted(code: string, from: number): number {
  for (let at = from + 1; at < code.length; at++) {
    if (code[at] === '\\') at++
    else if (code[at] === code[from]) return at + 1
    else if (code[at] === '\n') return at
  }
  return -1
}

function endOfPattern(code: string, from: number): number {
  let isClass = false
  for (let at = from + 1; at < code.length; at++) {
    const char = code[at]
    if (char === '\\') at++
    else if (char === '\n') return from + 1
    else if (char === '[') isClass = true
    else if (char === ']') isClass = false
    else if (char === '/' && !isClass) return at + 1
  }
  return from + 1
}

function isPattern(code: string, last: number): boolean {
  const before = code.slice(Math.max(0, last - 12), last)
  return !/[\w$)\]}"'`]$/.test(before) || BEFORE_PATTERN.test(before)
}
