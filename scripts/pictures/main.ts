/**
 * Pictures of every job summary and every comment as GitHub shows them: `npm run preview -- <folder> [name…]`,
 * a name as in `summary-published`. For each sample light and dark, on a desktop and a phone (390 px), and with
 * all folds open. Needs Chromium or Chrome, on the PATH or named in `CHROMIUM`; without one it writes the pages
 * as HTML only.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { renderComment } from '../../src/report/comment.ts'
import { renderSummary } from '../../src/report/summary.ts'
import { findBrowser, page, startBrowser, THEMES, takePicture } from './browser.ts'
import { comments } from './comments.ts'
import { renderAsGitHub } from './github.ts'
import { samples } from './samples.ts'

/** Width of the column and size of text that GitHub gives it on a desktop, in CSS pixels. */
interface Sample {
  readonly markdown: () => string
  readonly width: number
  readonly fontSize: number
}

const PHONE = 390

const all: Readonly<Record<string, Sample>> = {
  ...prefixed('summary', samples, result => ({
    markdown: () => renderSummary(result),
    width: 1012,
    fontSize: 16,
  })),
  ...prefixed('comment', comments, comment => ({
    markdown: () => renderComment(comment),
    width: 780,
    fontSize: 14,
  })),
}

async function preview(folder: string, names: readonly string[]): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const program = findBrowser()
  const browser = program === undefined ? undefined : await startBrowser(program)
  try {
    for (const name of names) {
      const sample = all[name]
      if (sample === undefined)
        throw new Error(`No sample "${name}"; there are ${Object.keys(all).join(', ')}.`)
      const html = renderAsGitHub(sample.markdown())
      for (const theme of THEMES) {
        const path = join(folder, `${name}-${theme}`)
        const folded = page(html, theme, sample.fontSize)
        writeFileSync(`${path}.html`, folded)
        if (browser === undefined) continue
        const open = folded.replaceAll('<details>', '<details open>')
        for (const [suffix, html, width] of [
          ['', folded, sample.width],
          ['-open', open, sample.width],
          ['-phone', folded, PHONE],
          ['-phone-open', open, PHONE],
        ] as const)
          writeFileSync(`${path}${suffix}.png`, await takePicture(browser, html, { width, scale: 2 }))
      }
    }
  } finally {
    await browser?.close()
  }
  const what = browser === undefined ? 'pages (no Chromium found for pictures)' : 'pages and pictures'
  console.log(`${names.length} samples: ${what} in ${folder}`)
}

function prefixed<T>(kind: string, of: Readonly<Record<string, T>>, sample: (it: T) => Sample) {
  return Object.fromEntries(Object.entries(of).map(([name, it]) => [`${kind}-${name}`, sample(it)]))
}

const [folder, ...names] = process.argv.slice(2)
if (folder === undefined) {
  console.error('Usage: npm run preview -- <folder> [name…]')
  process.exitCode = 2
} else await preview(folder, names.length > 0 ? names : Object.keys(all))
