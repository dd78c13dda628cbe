import { accessSync, constants, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium } from 'playwright-core'

export const THEMES = ['light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

/** Chromium or Chrome: named in `CHROMIUM`, else the first on the PATH. */
export function findBrowser(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  const candidates = ['chromium', 'chromium-browser', 'google-chrome'].flatMap(name =>
    folders.map(folder => join(folder, name)),
  )
  return [process.env.CHROMIUM ?? '', ...candidates].find(isProgram)
}

export function startBrowser(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  })
}

/** `width` in CSS pixels; the height is that of the page, all requests are refused. */
export async function takePicture(
  browser: Browser,
  html: string,
  screen: { readonly width: number; readonly scale: number },
): Promise<Buffer> {
  const tab = await browser.newPage({
    viewport: { width: screen.width, height: 100 },
    deviceScaleFactor: screen.scale,
  })
  try {
    await tab.route('**', route => route.abort())
    await tab.setContent(html)
    return await tab.screenshot({ fullPage: true })
  } finally {
    await tab.close()
  }
}

/**
 * A page in GitHub's stylesheet. What the package of that sheet leaves out is GitHub's rule for content of one
 * theme, by the end of an address, and the smaller text of comments.
 */
export function page(html: string, theme: Theme, fontSize = 16): string {
  const sheet = import.meta.resolve(`github-markdown-css/github-markdown-${theme}.css`)
  const other = theme === 'light' ? 'dark' : 'light'
  return `<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<style>${readFileSync(fileURLToPath(sheet), 'utf8')}
body { margin: 0 } .markdown-body { padding: 24px; font-size: ${fontSize}px }
.markdown-body [href$="#gh-${other}-mode-only"] { display: none }</style>
<article class="markdown-body">${html}</article>`
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return path !== ''
  } catch {
    return false
  }
}
