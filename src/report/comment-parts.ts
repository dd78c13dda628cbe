/** Parts of the comments of several states: the line of the commit, warnings, an output's end, the last line. */
import { LINES_SHOWN, lastLines, plural, shortSha } from './format.ts'
import { clip, code, codeBlock, details, escapeText, link, row } from './markdown.ts'
import type { CommentCommit, PreviewComment, ServedBundle } from './preview-comment.ts'

/** Git's own advice for the first line of a message. */
const MAX_TITLE = 72
const MAX_AUTHOR = 40
/** A longer sentence does not stand on a folded line. */
const MAX_LINE = 100
/** Of the end of the output, so that what comes after it is never cut off. */
const MAX_OUTPUT = 20_000

export function linkCommit({ sha, url }: CommentCommit): string {
  return link(code(shortSha(sha)), url)
}

/** The commit with its title, its author, and what there is to say of it. */
export function commitLine({ commit }: PreviewComment, more: readonly string[]): string {
  const title = commit.title === null ? '' : ` ${escapeText(clip(commit.title, MAX_TITLE))}`
  return row([
    `${linkCommit(commit)}${title}`,
    commit.author === null ? '' : `by ${escapeText(clip(commit.author, MAX_AUTHOR))}`,
    ...more,
  ])
}

/** The first in short on the line, all of them inside. */
export function foldWarnings(sentences: readonly string[]): string {
  const [first] = sentences
  if (first === undefined) return ''
  const short = clip(/^.*?[.:](?= |$)/s.exec(first)?.[0] ?? first, MAX_LINE).replace(/[.:]$/, '')
  const more = sentences.length === 1 ? '' : `, and ${sentences.length - 1} more`
  return details(
    `⚠️ <b>${escapeText(short)}</b>${more}`,
    sentences.map(each => `- ${escapeText(each)}`).join('\n'),
  )
}

/** The bundle that the channel serves while this commit is not on it. */
export function stillWorks({ served }: { readonly served: ServedBundle | null }, begin: string): string {
  if (served === null) return ''
  const of = served.from === null ? '' : ` of ${linkCommit(served.from)}`
  return `${begin} preview${of} still works.`
}

export function endOfOutput(text: string, hint: string | null): string {
  if (text.trim() === '') return ''
  // Fewer lines where they are long, so that the last are there.
  let lines = LINES_SHOWN
  let block = codeBlock(lastLines(text, lines))
  while (block.length > MAX_OUTPUT && lines > 1) {
    lines = Math.floor(lines / 2)
    block = codeBlock(lastLines(text, lines))
  }
  const shown = Math.min(lines, text.trimEnd().split('\n').length)
  return details(
    `<b>Last ${plural(shown, 'line')} of the output</b>${hint === null ? '' : ' and a hint'}`,
    hint === null ? block : `${escapeText(hint)}\n\n${block}`,
  )
}

/** The bundle that the channel serves, as far as the comment is about one. */
export function bundleOf(comment: PreviewComment) {
  return comment.state === 'ready' ? comment.bundle : 'served' in comment ? comment.served : null
}

/** App, bundle by name and id, channel, and where all this is explained. */
export function footer(comment: PreviewComment): string {
  const { appId, documents } = comment
  const bundle = bundleOf(comment)
  const channel =
    'channelName' in comment
      ? comment.channelName
      : comment.state === 'missing'
        ? comment.served?.channelName
        : null
  return `<sub>${row([
    escapeText(appId),
    bundle == null
      ? ''
      : `bundle ${link(escapeText(clip(bundle.name, MAX_TITLE)), bundle.url)} (id ${bundle.id})`,
    channel == null ? '' : `channel ${escapeText(clip(channel, MAX_TITLE))}`,
    comment.state === 'ready' ? 'updated with each push' : '',
    comment.state === 'closed' || comment.state === 'kept' ? link('log', comment.runUrl) : '',
    link('about previews', documents('previews')),
  ])}</sub>`
}
