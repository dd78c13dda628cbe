import type { Browser } from 'playwright-core'
import { afterAll, beforeAll } from 'vitest'
import { findBrowser, startBrowser } from '../../scripts/pictures/browser.ts'

const program = findBrowser()
/** Without a browser these tests are left out, which the report says; in CI they must not be. */
export const canLook = program !== undefined || Boolean(process.env.CI)

/** A browser for all tests of a file, once these begin. */
export function browserOfFile(): () => Browser {
  let browser: Browser | undefined
  beforeAll(async () => {
    if (!canLook) return
    if (program === undefined)
      throw new Error('These tests need Chromium: install chromium, or name the program in CHROMIUM.')
    browser = await startBrowser(program)
  })
  afterAll(() => browser?.close())
  return () => browser!
}
