import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { beforeAll, describe, expect, it } from 'vitest'
import { prepareZXingModule, readBarcodes } from 'zxing-wasm/reader'
import { page, THEMES, takePicture } from '../../../scripts/pictures/browser.ts'
import { comments } from '../../../scripts/pictures/comments.ts'
import { renderAsGitHub } from '../../../scripts/pictures/github.ts'
import { channelDeepLink } from '../../../src/plan/preview.ts'
import { renderComment } from '../../../src/report/comment.ts'
import { renderQr } from '../../../src/report/qr.ts'
import { browserOfFile, canLook } from '../../helpers/browser.ts'

/** A comment on a plain desktop display, and on a phone held upright, which has three pixels a point. */
const SCREENS = [
  { width: 780, scale: 1 },
  { width: 390, scale: 3 },
]
/** Usual, and as long as names get. */
const LINKS = [
  comments.ready.bundle.deepLink,
  channelDeepLink('io.github.some-organisation.storefront', { id: 123_456, name: 'pr-12345-new-checkout' }),
]

const { ready } = comments
const browser = browserOfFile()

beforeAll(() => {
  const wasm = createRequire(import.meta.url).resolve('zxing-wasm/reader/zxing_reader.wasm')
  prepareZXingModule({
    overrides: { wasmBinary: new Uint8Array(readFileSync(wasm)).buffer },
    fireImmediately: true,
  })
})

/** What a scanner that knows only dark codes on a light ground reads: the least able kind. */
async function scan(picture: Buffer): Promise<string[]> {
  const codes = await readBarcodes(new Uint8Array(picture), { formats: ['QRCode'], tryInvert: false })
  return codes.map(({ text }) => text)
}

describe.skipIf(!canLook).each(THEMES)('in the %s theme', theme => {
  describe.each(SCREENS)('$width px wide at a scale of $scale', screen => {
    it.each(LINKS)('%s scans from the comment as GitHub shows it', async deepLink => {
      const html = renderAsGitHub(renderComment({ ...ready, bundle: { ...ready.bundle, deepLink } }))
      const shown = page(html.replaceAll('<details>', '<details open>'), theme, 14)
      expect(await scan(await takePicture(browser(), shown, screen))).toEqual([deepLink])
    })
  })

  it('scans where both are shown, as in mail', async () => {
    const both = renderQr(LINKS[0]!)!.replaceAll('-mode-only', '')
    const picture = await takePicture(browser(), page(renderAsGitHub(both), theme, 14), SCREENS[0]!)
    expect(await scan(picture)).toEqual([LINKS[0]])
  })
})

it.skipIf(!canLook)('is not cut off on a phone', async () => {
  const tab = await browser().newPage({ viewport: { width: 390, height: 100 } })
  for (const link of LINKS) {
    await tab.setContent(page(renderAsGitHub(renderQr(link)!), 'light', 14))
    expect(await tab.evaluate('document.documentElement.scrollWidth')).toBe(390)
  }
  await tab.close()
})

it('is none for what does not fit', () => {
  expect(renderQr('x'.repeat(271))).not.toBeNull()
  expect(renderQr('x'.repeat(272))).toBeNull()
  expect(renderQr('x'.repeat(10_000))).toBeNull()
})
