import { bold, cyan, dim, type Story } from './terminal.ts'

/** A comment as a person reads it, folds open; in a terminal. */
export function showComment(markdown: string, story: Story): void {
  const text = markdown
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
  for (const line of plain(text)
    .replace(/\n{2,}/g, '\n')
    .trim()
    .split('\n'))
    story.line(`  ${dim('│')} ${line}`)
}

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
