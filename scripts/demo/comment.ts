import { bold, cyan, dim, type Story } from './terminal.ts'

/** At most so many lines of a comment as a person reads it, folded; all of it, folds open, in the full story. */
export function showComment(markdown: string, story: Story, lines: number): void {
  const folded = story.isFull ? markdown : markdown.replace(FOLD, '▸ $1')
  const text = folded
    .replace(/<!--.*?-->\n/g, '')
    // Each theme has a code of its own; terminals are dark.
    .replace(/<a href="#gh-light-mode-only".*?<\/a>/g, '')
    .replace(/<a href="#gh-dark-mode-only".*?<kbd>(.*?)<\/kbd><\/a>/g, (_, code: string) =>
      halve(code.split('<br>')),
    )
    .replace(/<details[^>]*><summary>(.*?)<\/summary>/g, '▾ $1')
    .replace(/<\/details>/g, '')
    .replace(/^```\w*\n([\s\S]*?)\n```$/gm, (_, code: string) => cyan(code.replace(/^/gm, '  ')))
    .replace(/\[((?:[^[\]]|\[[^\]]*\])*)\]\(<[^>]*>\)/g, '$1')
    .replace(/^### (.*)$/gm, (_, title: string) => bold(plain(title)))
    .replace(/<code>(.*?)<\/code>/g, (_, code: string) => cyan(code))
    .replace(/<sub>(.*?)<\/sub>/g, (_, small: string) => dim(plain(small)))
    .replace(/^\|[ :|-]+\|\n/gm, '')
  const shown = plain(text)
    .split('\n')
    .filter(line => line.trim() !== '')
  for (const line of story.isFull ? shown : shown.slice(0, lines)) story.line(`  ${dim('│')} ${line}`)
}

const FOLD = /<details[^>]*><summary>(.*?)<\/summary>[\s\S]*?<\/details>/g

/** Two rows of modules to a line: a terminal's cells are twice as high as wide. */
function halve(rows: readonly string[]): string {
  const lines: string[] = []
  for (let row = 0; row < rows.length; row += 2) {
    const [upper = '', lower = ''] = [rows[row], rows[row + 1]]
    lines.push(
      [...upper].map((module, column) => BLOCKS[`${module === '█'}-${lower[column] === '█'}`]).join(''),
    )
  }
  return lines.join('\n')
}

const BLOCKS: Readonly<Record<string, string>> = {
  'true-true': '█',
  'true-false': '▀',
  'false-true': '▄',
  'false-false': ' ',
}

function plain(html: string): string {
  return html
    .replace(/<br>/g, '\n')
    .replace(/<\/?(b|code|span|sub)>/g, '')
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
}
