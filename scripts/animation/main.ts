/**
 * `npm run animation`: docs/images/push-to-phone.svg, made of a real run. The built action publishes a pull request of
 * the example app to the local Capgo; the comment and the app on the phone are pictures of what came of it.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { findBrowser, page, startBrowser, type Theme, takePicture } from '../pictures/browser.ts'
import { IMAGES } from '../pictures/gallery.ts'
import { renderAsGitHub } from '../pictures/github.ts'
import { drawAnimation, type Raster } from './drawing.ts'
import { play, type Shown } from './story.ts'

/** In CSS pixels: of a phone on which the comment is read, and of the phone in the picture. */
const COMMENT = 390
const PHONE = { width: 320, height: 576 }
const NOON = new Date('2026-11-27T12:00:00Z')

async function photographComment(browser: Browser, markdown: string, theme: Theme): Promise<Raster> {
  const png = await takePicture(browser, page(renderAsGitHub(markdown), theme, 16), {
    width: COMMENT,
    scale: 2,
  })
  return { data: png, type: 'image/png', width: COMMENT, height: png.readUInt32BE(20) / 2 }
}

/** The installed files in a browser. What the plugin tells on a phone, and cannot in a browser, is filled in. */
async function photographApp(browser: Browser, { files, bundle, native }: Shown): Promise<Raster> {
  const tab = await browser.newPage({ viewport: PHONE, deviceScaleFactor: 2 })
  await tab.clock.setFixedTime(NOON)
  await tab.route('**', route => {
    const path = new URL(route.request().url()).pathname.slice(1) || 'index.html'
    const body = files.get(path)
    return body === undefined ? route.abort() : route.fulfill({ body, contentType: typeOf(path) })
  })
  await tab.goto('http://localhost/')
  await tab.waitForFunction("document.getElementById('headline').textContent !== 'Daybreak'")
  await tab.evaluate(`document.getElementById('bundle').textContent = ${JSON.stringify(bundle)}`)
  await tab.evaluate(`document.getElementById('native').textContent = ${JSON.stringify(native)}`)
  const data = await tab.screenshot({ type: 'jpeg', quality: 88 })
  await tab.close()
  return { data, type: 'image/jpeg', ...PHONE }
}

function typeOf(path: string): string {
  const types: Readonly<Record<string, string>> = {
    html: 'text/html',
    js: 'text/javascript',
    css: 'text/css',
    svg: 'image/svg+xml',
  }
  return types[path.slice(path.lastIndexOf('.') + 1)] ?? 'application/octet-stream'
}

const program = findBrowser()
if (program === undefined) {
  console.error('The animation needs Chromium: install chromium, or name the program in CHROMIUM.')
  process.exitCode = 2
} else {
  const story = await play()
  await using browser = await startBrowser(program)
  const svg = drawAnimation(story, {
    light: await photographComment(browser, story.comment, 'light'),
    dark: await photographComment(browser, story.comment, 'dark'),
    before: await photographApp(browser, story.before),
    after: await photographApp(browser, story.after),
  })
  const file = join(IMAGES, 'push-to-phone.svg')
  writeFileSync(file, svg)
  console.log(`docs/images/push-to-phone.svg: ${Math.ceil(svg.length / 1000)} kB`)
}
