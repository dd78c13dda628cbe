/**
 * Pictures of every job summary as GitHub shows it: `npm run preview -- <folder> [sample…]`. For each sample
 * light and dark, on a desktop (1012 px) and a phone (390 px). Needs Chromium or Chrome, on the PATH or named
 * in `CHROMIUM`; without one it writes the pages as HTML only.
 */
import { accessSync, constants, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium } from 'playwright-core'
import { renderSummary } from '../src/report/render.ts'
import { renderAsGitHub } from './preview/github.ts'
import { samples } from './preview/samples.ts'

const THEMES = ['light', 'dark'] as const
/** Widths in CSS pixels: the column of a job summary on a desktop (also with all folds open), a phone held upright. */
const SCREENS = [
  { suffix: '', width: 1012, unfold: false },
  { suffix: '-open', width: 1012, unfold: true },
  { suffix: '-phone', width: 390, unfold: false },
] as const

async function preview(folder: string, names: readonly string[]): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const program = findBrowser()
  const browser =
    program === undefined
      ? undefined
      : await chromium.launch({
          executablePath: program,
          args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
        })
  try {
    for (const name of names) {
      const result = samples[name]
      if (result === undefined)
        throw new Error(`No sample "${name}"; there are ${Object.keys(samples).join(', ')}.`)
      const html = renderAsGitHub(renderSummary(result))
      for (const theme of THEMES) {
        writeFileSync(join(folder, `summary-${name}-${theme}.html`), page(html, theme))
        if (browser !== undefined)
          await takePictures(browser, page(html, theme), join(folder, `summary-${name}-${theme}`))
      }
    }
  } finally {
    await browser?.close()
  }
  const what = browser === undefined ? 'pages (no Chromium found for pictures)' : 'pages and pictures'
  console.log(`${names.length} samples: ${what} in ${folder}`)
}

async function takePictures(browser: Browser, html: string, path: string): Promise<void> {
  for (const { suffix, width, unfold } of SCREENS) {
    const tab = await browser.newPage({ viewport: { width, height: 100 }, deviceScaleFactor: 2 })
    await tab.route('**', route => route.abort())
    await tab.setContent(unfold ? html.replaceAll('<details>', '<details open>') : html)
    await tab.screenshot({ path: `${path}${suffix}.png`, fullPage: true })
    await tab.close()
  }
}

function page(html: string, theme: (typeof THEMES)[number]): string {
  const sheet = import.meta.resolve(`github-markdown-css/github-markdown-${theme}.css`)
  return `<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<style>${readFileSync(fileURLToPath(sheet), 'utf8')}
body { margin: 0 } .markdown-body { padding: 24px }</style>
<article class="markdown-body">${html}</article>`
}

function findBrowser(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  const candidates = ['chromium', 'chromium-browser', 'google-chrome'].flatMap(name =>
    folders.map(folder => join(folder, name)),
  )
  return [process.env.CHROMIUM ?? '', ...candidates].find(isProgram)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return path !== ''
  } catch {
    return false
  }
}

const [folder, ...names] = process.argv.slice(2)
if (folder === undefined) {
  console.error('Usage: npm run preview -- <folder> [sample…]')
  process.exitCode = 2
} else await preview(folder, names.length > 0 ? names : Object.keys(samples))
