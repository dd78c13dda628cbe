/** The sections of a comment, one for each app: one app has its section alone, several have a table above. */
import { SIGNS, stateOfComment } from './comment.ts'
import { bundleOf } from './comment-parts.ts'
import { plural } from './format.ts'
import { code, details, limit, link, row, table } from './markdown.ts'
import type { PreviewComment } from './preview-comment.ts'

/** An app's part of a comment. */
export interface Section {
  readonly appId: string
  /** Markdown; it begins with the mark of its app. */
  readonly text: string
}

/** The facts of an app in the table, besides the state of its preview. */
interface SectionFacts {
  /** The preview's page in a browser. */
  readonly web: string | null
  /** Whether the text below has a code to scan with a phone. */
  readonly scan: boolean
  /** Name of the bundle that the channel serves, and its page. */
  readonly bundle: string | null
  readonly url: string | null
}

type State = PreviewComment['state']

/** The first line of a section, and of a comment of several. */
export const MARK = '<!-- capgo-publish-action '
const SEVERAL = `${MARK}-->`
const END = '<!-- /capgo-publish-action -->'
const BEGINS = /^<!-- capgo-publish-action (\S+) -->$/
/** A line that reads as the beginning or the end of a section: a build may print anything. */
const FORGED = /(?<=\n)(?=<!-- \/?capgo-publish-action )/g
/** Comments above the first visible line. */
const HIDDEN = /^(?:<!--.*-->\s*)+/
const FACTS = /^<!-- row (\{.*\}) -->\r?$/m

/** GitHub's limit in characters; code units are never fewer. */
const MAX_COMMENT = 65_536

/** Problems first; the first that occurs gives the heading its sign. */
const STATES: ReadonlyMap<State, string> = new Map([
  ['failed', 'failed'],
  ['missing', 'missing'],
  ['building', 'building'],
  ['kept', 'not published'],
  ['ready', 'ready'],
  ['closed', 'removed'],
])

/** The sections of a comment of ours; none where the text is not in the form of ours. */
export function parseSections(body: string): Section[] {
  const lines = body.split('\n')
  const appOf = (line: string | undefined) => BEGINS.exec(line?.trimEnd() ?? '')?.[1]
  if (lines[0]?.trimEnd() !== SEVERAL) {
    const appId = appOf(lines[0])
    return appId === undefined ? [] : [{ appId, text: body }]
  }
  const sections = new Map<string, string[]>()
  let open: string[] | null = null
  for (const line of lines) {
    const appId = appOf(line)
    if (appId !== undefined || line.trimEnd() === END) open = null
    if (appId !== undefined && !sections.has(appId)) {
      open = []
      sections.set(appId, open)
    }
    open?.push(line)
  }
  return [...sections].map(([appId, text]) => ({ appId, text: text.join('\n').trimEnd() }))
}

/** The comment of these sections. The longest texts are cut to GitHub's limit, never the table. */
export function renderSections(sections: readonly Section[]): string {
  const [first, ...others] = sections.toSorted((one, other) => (one.appId < other.appId ? -1 : 1))
  if (first === undefined) return ''
  if (others.length === 0) return limit(first.text, MAX_COMMENT, length)
  const all = [first, ...others].map(({ appId, text }) => ({
    appId,
    state: stateOfComment(text),
    facts: factsOf(text),
    text: text.trimEnd().replace(FORGED, ' '),
  }))
  const top = [SEVERAL, heading(all.map(({ state }) => state)), '', overview(all)].join('\n')
  const fold = (each: (typeof all)[number], text: string) =>
    details(row([code(each.appId), status(each.state)]), `${text}\n${END}`)
  const around = all.reduce((sum, each) => sum + fold(each, '').length + 2, top.length)
  const share = fairShare(
    all.map(({ text }) => text.length),
    MAX_COMMENT - around,
  )
  return [top, ...all.map(each => fold(each, shorten(each.text, share)))].join('\n\n')
}

/** A line of a section from which the table is made; nobody sees it. */
export function hideFacts(comment: PreviewComment): string {
  const bundle = bundleOf(comment)
  const facts: SectionFacts = {
    web: comment.state === 'ready' && 'url' in comment.web ? comment.web.url : null,
    scan: bundle !== null && 'obstacle' in bundle && bundle.obstacle === null,
    bundle: bundle?.name ?? null,
    url: bundle?.url ?? null,
  }
  return `<!-- row ${JSON.stringify(facts).replaceAll('>', '\\u003e')} -->`
}

/** The lines that nobody sees above a section's text. Further down the output of a build may say anything. */
export function hiddenLines(text: string): string {
  return HIDDEN.exec(text)?.[0] ?? ''
}

/** Former versions hid none. */
function factsOf(text: string): SectionFacts {
  const read = (value: unknown) => (typeof value === 'string' ? value : null)
  try {
    const { web, scan, bundle, url } = JSON.parse(FACTS.exec(hiddenLines(text))?.[1] ?? '{}')
    return { web: read(web), scan: scan === true, bundle: read(bundle), url: read(url) }
  } catch {
    return { web: null, scan: false, bundle: null, url: null }
  }
}

function heading(states: readonly (State | null)[]): string {
  const counts = [...STATES].flatMap(([state, word]) => {
    const count = states.filter(each => each === state).length
    return count === 0 ? [] : [{ sign: SIGNS[state], text: `${count} ${word}` }]
  })
  const sign = counts[0]?.sign ?? SIGNS.ready
  return `### ${sign} ${plural(states.length, 'preview')}: ${counts.map(({ text }) => text).join(', ')}`
}

function overview(all: readonly { appId: string; state: State | null; facts: SectionFacts }[]): string {
  const rows = all.map(({ appId, state, facts: { web, scan, bundle, url } }) => [
    code(appId),
    status(state),
    row([web === null ? '' : link('open in the browser', web), scan ? 'scan the code below' : '']),
    bundle === null ? '' : link(code(bundle), url),
  ])
  return table(['app', 'preview', 'try it', 'bundle'], rows)
}

function status(state: State | null): string {
  return state === null ? '' : `${SIGNS[state]} ${STATES.get(state)}`
}

/** Cut at the end, so that the hidden lines stay. */
function shorten(text: string, most: number): string {
  return limit(text, most, length) || hiddenLines(text)
}

/** The length that each text may have at most, so that all together have this room: short ones leave theirs to long ones. */
function fairShare(lengths: readonly number[], room: number): number {
  let left = room
  const ascending = lengths.toSorted((one, other) => one - other)
  for (const [at, each] of ascending.entries()) {
    const share = Math.max(0, Math.floor(left / (ascending.length - at)))
    if (each > share) return share
    left -= each
  }
  return Number.POSITIVE_INFINITY
}

const length = (text: string) => text.length
