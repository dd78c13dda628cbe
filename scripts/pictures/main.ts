/**
 * Pictures of job summaries and comments as GitHub shows them. `npm run preview` makes those that README and docs show
 * and deletes the others of `docs/images`. `npm run preview -- <folder> [sample…]` makes every form of every sample
 * (`summary-published`), or of those named, as HTML too. Needs Chromium or Chrome, on the PATH or named in `CHROMIUM`.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { findBrowser, page, startBrowser, takePicture } from './browser.ts'
import { gallery, IMAGES, imagesOnPages, isPicture, type Picture, pictureOf, picturesOf } from './gallery.ts'
import { renderAsGitHub } from './github.ts'
import { writeText } from './png-text.ts'

async function makeImages(browser: Browser): Promise<void> {
  const shown = imagesOnPages().filter(isPicture)
  const others = readdirSync(IMAGES).filter(file => isPicture(file) && !shown.includes(file))
  for (const file of others) rmSync(join(IMAGES, file))
  for (const file of shown) await make(browser, IMAGES, pictureOf(file))
  console.log(`docs/images: ${shown.join(', ')}`)
}

async function makeAll(browser: Browser, folder: string, names: readonly string[]): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const pictures = names.flatMap(picturesOf)
  for (const picture of pictures) {
    await make(browser, folder, picture)
    writeFileSync(join(folder, `${picture.name}.html`), htmlOf(picture))
  }
  console.log(`${pictures.length} pictures of ${names.length} samples in ${folder}`)
}

async function make(browser: Browser, folder: string, picture: Picture): Promise<void> {
  const png = await takePicture(browser, htmlOf(picture), { width: picture.width, scale: 2 })
  writeFileSync(join(folder, `${picture.name}.png`), writeText(png, picture.markdown()))
}

function htmlOf({ markdown, theme, fontSize, isOpen }: Picture): string {
  const html = page(renderAsGitHub(markdown()), theme, fontSize)
  return isOpen ? html.replaceAll('<details>', '<details open>') : html
}

const program = findBrowser()
if (program === undefined) {
  console.error('Pictures need Chromium: install chromium, or name the program in CHROMIUM.')
  process.exitCode = 2
} else {
  const [folder, ...names] = process.argv.slice(2)
  await using browser = await startBrowser(program)
  if (folder === undefined) await makeImages(browser)
  else await makeAll(browser, folder, names.length > 0 ? names : Object.keys(gallery))
}
