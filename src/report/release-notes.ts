/** Release notes as Markdown and as plain text. Titles are untrusted text: they ping nobody and link nothing. */
import type { ReleaseNotes } from '../plan/release-notes.ts'
import { escapeText, makeVisible } from './markdown.ts'

/** A list in Markdown; empty without notes. */
export function renderReleaseNotes(notes: ReleaseNotes): string {
  return list(notes, escapeText)
}

/** A list of plain lines; empty without notes. */
export function describeReleaseNotes(notes: ReleaseNotes): string {
  return list(notes, makeVisible)
}

function list({ titles, more }: ReleaseNotes, show: (title: string) => string): string {
  if (titles.length === 0) return ''
  const lines = [...titles.map(show), ...(more === 0 ? [] : [`and ${more.toLocaleString('en-US')} more`])]
  return lines.map(line => `- ${line}`).join('\n')
}
