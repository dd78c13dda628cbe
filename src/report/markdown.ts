/**
 * Untrusted text as Markdown that shows exactly that text and does nothing else. Characters with a meaning in
 * Markdown become HTML entities: those are text in paragraphs, headings, table cells and raw HTML alike, so one
 * way of escaping serves everywhere.
 */
import { terminalLines } from './format.ts'

/** Longest text in a sentence, and longest name; in characters. Longer text is cut with `…`. */
const MAX_TEXT = 2_000
const MAX_NAME = 256
const MAX_LINE = 1_000

/**
 * Invisible or without a meaning of their own: controls, bidirectional and zero-width characters, tags, lone
 * surrogates, fillers. The two variation selectors are part of everyday emoji and change nothing else.
 */
const INVISIBLE = /(?![\ufe0e\ufe0f])[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u

/** One emoji of several characters: a family, a profession, a flag. Joiners and tags are part of no other text. */
const EMOJI = /\p{RGI_Emoji}|\p{ExtPict}[\ufe0e\ufe0f\p{EMod}]?(?:\u200d\p{ExtPict}[\ufe0e\ufe0f\p{EMod}]?)+/v

/** Letters of scripts where a joiner or non-joiner between two letters decides how both look. */
const JOINING = String.raw`[[\p{scx=Arab}\p{scx=Syrc}\p{scx=Deva}\p{scx=Beng}\p{scx=Guru}\p{scx=Gujr}\p{scx=Orya}\p{scx=Taml}\p{scx=Telu}\p{scx=Knda}\p{scx=Mlym}\p{scx=Sinh}]&&[\p{L}\p{M}]]`
const JOINER = `(?<=${JOINING})[\u200c\u200d](?=${JOINING})`

const VISIBLE_OR_NOT = new RegExp(`(?<visible>${EMOJI.source}|${JOINER})|${INVISIBLE.source}`, 'gv')

/** Words of scripts that run from right to left, with what stands between two of them. */
const RIGHT_TO_LEFT = String.raw`\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}`
const RIGHT_TO_LEFT_WORDS = new RegExp(
  String.raw`([${RIGHT_TO_LEFT}](?:[${RIGHT_TO_LEFT}\p{M}\p{N} .,'’\u200c\u200d-]*[${RIGHT_TO_LEFT}])?)`,
  'u',
)

const SPECIAL = /[&<>\\`*_[\]|~]/

/**
 * What GitHub makes something of when Markdown and entities are done: mentions, references to issues, emoji,
 * formulas, bare addresses. An element in between stops it, and nobody sees or copies one.
 */
const ACTIVE = /@|\$|#(?=\d)|(?<=GH)-(?=\d)|:(?=\/\/|[\w+-]+:)|(?<=www)\./

/** Characters that begin a list, a heading or a line of a table. */
const BLOCK = /^(?:[-+=#:]|\d+[.)](?=\s|$))/

const NEUTRALISE = new RegExp(`(?<special>${SPECIAL.source})|${ACTIVE.source}`, 'gi')

/** Text for a sentence, a cell or a heading; spaces are collapsed and newlines become `<br>`. */
export function escapeText(text: string): string {
  const lines = clip(text, MAX_TEXT)
    .split(/[\r\n\u2028\u2029]+/)
    .map(line => line.replace(/[ \t]+/g, ' ').trim())
    .filter(line => line !== '')
  const escaped = lines.map(show).join('<br>')
  return escaped.replace(BLOCK, start => start.slice(0, -1) + entity(start.slice(-1)))
}

/** A name (branch, file, version) as inline code, on one line: a newline in it shows as `\n`. */
export function code(text: string): string {
  return `<code>${show(clip(text, MAX_NAME))}</code>`
}

/** Lines as they are, without terminal colours. The fence is longer than any that the text may hold. */
export function codeBlock(text: string): string {
  const lines = terminalLines(text).map(line => makeVisible(clip(line, MAX_LINE)))
  const body = lines.join('\n').replace(/^\n+/, '').trimEnd()
  const longest = (body.match(/`+/g) ?? []).reduce((most, run) => Math.max(most, run.length), 2)
  const fence = '`'.repeat(longest + 1)
  return `${fence}text\n${body}\n${fence}`
}

/** Markdown that links to an http(s) address; the Markdown alone when there is none, or another kind. */
export function link(markdown: string, url: string | null): string {
  const parsed = url === null ? null : URL.parse(url)
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) return markdown
  const safe = parsed.href.replace(
    /[^\w\-./:?#@=&%,;+~$]/g,
    character => `%${character.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`,
  )
  return `[${markdown}](<${safe.replaceAll('&', '&amp;')}>)`
}

/** Rows of cells; a cell is Markdown made by the functions above. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  align: readonly string[] = [],
): string {
  const delimiters = head.map((_, column) => align[column] ?? '---')
  return [head, delimiters, ...rows].map(cells => `| ${cells.join(' | ')} |`).join('\n')
}

/** Folded away under one line. Both are Markdown; the line must be of one line. */
export function details(summary: string, body: string, { open = false } = {}): string {
  return `<details${open ? ' open' : ''}><summary>${summary}</summary>\n\n${body}\n\n</details>`
}

/** A block that GitHub sets apart with a colour and a title. The body is Markdown. */
export function alert(kind: 'NOTE' | 'WARNING' | 'CAUTION', body: string): string {
  return [`[!${kind}]`, ...body.split('\n')].map(line => `> ${line}`.trimEnd()).join('\n')
}

/** Sentences in Markdown, as one warning. */
export function warn(sentences: readonly string[]): string {
  if (sentences.length === 0) return ''
  const body = sentences.length === 1 ? sentences.join() : sentences.map(each => `- ${each}`).join('\n')
  return alert('WARNING', body)
}

/** The parts that say something, side by side. */
export function row(parts: readonly string[]): string {
  return parts.filter(part => part !== '').join(' · ')
}

const LEFT_OUT = '_The rest is left out: it is longer than GitHub shows._'

/**
 * Cuts between two lines so that at most `max` are left, and closes what is open there. GitHub counts bytes of
 * UTF-8 in a job summary, which is what is measured here unless told otherwise.
 */
export function limit(markdown: string, max: number, measure: (text: string) => number = bytes): string {
  if (measure(markdown) <= max) return markdown
  const lines = markdown.split('\n')
  let used = 0
  let folds = 0
  let fence: string | null = null
  let best = ''
  for (const [index, line] of lines.entries()) {
    used += measure(line) + 1
    if (used > max) break
    if (fence === null) {
      folds += count(line, '<details') - count(line, '</details>')
      fence = /^`{3,}/.exec(line)?.[0] ?? null
    } else if (line === fence) fence = null
    const end = [...(fence === null ? [] : [fence]), '', ...Array(folds).fill('</details>\n'), LEFT_OUT].join(
      '\n',
    )
    if (used + measure(end) <= max) best = `${lines.slice(0, index + 1).join('\n')}\n${end}`
  }
  return best
}

/** For logs and other plain text: one line in which everything can be seen. */
export function makeVisible(text: string): string {
  if (!INVISIBLE.test(text)) return text
  return text.replace(VISIBLE_OR_NOT, (character, visible?: string) => {
    if (visible !== undefined) return visible
    if (character === '\n') return '\\n'
    if (character === '\t') return '\\t'
    const point = (character.codePointAt(0) ?? 0).toString(16)
    return point.length <= 4 ? `\\u${point.padStart(4, '0')}` : `\\u{${point}}`
  })
}

/** Words from right to left stand isolated: their direction must not reorder what stands beside them. */
function show(text: string): string {
  return makeVisible(text)
    .split(RIGHT_TO_LEFT_WORDS)
    .map((part, index) =>
      index % 2 === 0 ? neutralise(part) : `<span dir="auto">${neutralise(part)}</span>`,
    )
    .join('')
}

function neutralise(text: string): string {
  return text.replace(NEUTRALISE, (character, ...rest) => {
    const { special } = rest.at(-1) as { special?: string }
    return special === undefined ? `<span>${character}</span>` : entity(character)
  })
}

function entity(character: string): string {
  return `&#${character.codePointAt(0)};`
}

/** At most `longest` characters, and `…` where it was longer. */
export function clip(text: string, longest: number): string {
  if (text.length <= longest) return text
  // Not through the middle of a surrogate pair, nor behind a joiner.
  return `${text.slice(0, longest).replace(/[\ud800-\udbff\u200d]+$/, '')}…`
}

function bytes(text: string): number {
  return new TextEncoder().encode(text).length
}

function count(text: string, part: string): number {
  return text.split(part).length - 1
}
