/**
 * `npm run preview:join -- <folder>`: the page of examples/join-beta as a tester sees it, light and dark. Without a folder
 * those of `docs/images`.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { startTestCapgo } from '../../local/app.ts'
import { serveJoinPage } from '../../local/join-page.ts'
import { Phone, type PhoneOptions } from '../../local/phone.ts'
import { findBrowser, startBrowser, THEMES } from './browser.ts'
import { IMAGES } from './gallery.ts'

const SCREEN = { width: 390, height: 844 }
const DEVICE = '0a1b2c3d-1111-4222-8333-444455556666'

interface Story {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly phone?: Partial<PhoneOptions>
  /** Names of the buttons that the tester presses. */
  readonly presses?: readonly string[]
}

const ALL = { github: 'octo-org/daybreak', 'self-assign': 'beta, next', reset: '' }
const STORIES: readonly Story[] = [
  { name: 'choose', attributes: ALL },
  { name: 'joined', attributes: ALL, phone: { bundle: '1.5.0-beta.2' }, presses: ['Join beta'] },
  { name: 'github', attributes: { github: 'octo-org/daybreak' } },
  {
    name: 'back',
    attributes: ALL,
    phone: { bundle: '1.5.0-beta.2', defaultChannel: 'beta' },
    presses: ['Back to the version from the store'],
  },
  { name: 'refused', attributes: ALL, phone: { allowSetDefaultChannel: false }, presses: ['Join beta'] },
  { name: 'copied', attributes: { 'self-assign': 'beta' }, presses: ['Copy'] },
]

const folder = process.argv[2] ?? null
const program = findBrowser()
if (program === undefined) {
  process.stderr.write('Chromium must be on the PATH, or in CHROMIUM.\n')
  process.exitCode = 1
} else {
  if (folder !== null) mkdirSync(folder, { recursive: true })
  const stories = STORIES.filter(({ name }) => folder !== null || name === 'github')
  const browser = await startBrowser(program)
  await using capgo = await startTestCapgo({
    limits: false,
    channels: [
      { name: 'production', public: true },
      { name: 'beta', allow_device_self_set: true },
      { name: 'next', allow_device_self_set: true },
    ],
  })
  await using page = await serveJoinPage()
  for (const theme of THEMES)
    for (const { name, attributes, phone, presses = [] } of stories) {
      const context = await browser.newContext({ viewport: SCREEN, deviceScaleFactor: 2, colorScheme: theme })
      await context.grantPermissions(['clipboard-write'])
      const tab = await context.newPage()
      const options = { capgoUrl: capgo.url, appId: capgo.appId, deviceId: DEVICE, native: '1.4.0' }
      await page.open(tab, new Phone({ ...options, ...phone }), attributes)
      await tab.getByText(DEVICE).waitFor()
      for (const press of presses) await tab.getByRole('button', { name: press }).click()
      await tab.waitForLoadState('networkidle')
      await tab.locator('[aria-busy="false"]').waitFor()
      if (folder === null)
        await tab.locator('join-beta').screenshot({ path: join(IMAGES, `join-page-${theme}.png`) })
      else await tab.screenshot({ path: join(folder, `${name}-${theme}.png`), fullPage: true })
      await context.close()
    }
  await browser.close()
}
