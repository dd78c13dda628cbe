/** The page of the local Capgo in a browser: what it shows, what its phone gets, and whether everybody can read it. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { THEMES, type Theme } from '../../../../scripts/pictures/browser.ts'
import { browserOfFile, canLook } from '../../../helpers/browser.ts'
import { APP, lab } from './client.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const PHONE = '00000000-0000-4000-8000-0000000000a1'
const SHA = '5f5c961aa7f3b2c4d5e6f708192a3b4c5d6e7f80'
const browser = browserOfFile()

/** Something of everything that the page shows. */
async function fill() {
  const { capgo } = await lab()
  const bytes = Buffer.from('zip')
  const comment = `production: main@${SHA} run 7.1 (id 9000000007) after 1.0.0 at 2026-07-01T04:18:00Z`
  capgo.seedBundle({ appId: APP, name: '1.0.0', bytes })
  capgo.seedBundle({ appId: APP, name: '1.0.1', bytes, comment })
  capgo.seedBundle({ appId: APP, name: '1.0.2', storage_provider: 'r2-direct' })
  capgo.seedBundle({ appId: APP, name: '0.9.0', deleted: true })
  capgo.seedChannel({ appId: APP, name: 'production', public: true, bundle: '1.0.1' })
  capgo.seedChannel({
    appId: APP,
    name: 'android-only',
    bundle: '1.0.1',
    ios: false,
    allow_device_self_set: true,
  })
  capgo.seedChannel({
    appId: APP,
    name: 'beta',
    bundle: '1.0.0',
    rolloutBundle: '1.0.1',
    rollout_enabled: true,
    rollout_percentage_bps: 2500,
  })
  capgo.seedChannel({ appId: APP, name: 'empty' })
  capgo.seedDevice({ appId: APP, deviceId: PHONE, platform: 'ios', version_build: '1.0.0' })
  capgo.seedOverride({ appId: APP, deviceId: PHONE.replace('a1', 'a2'), channel: 'beta' })
  const run = { 'user-agent': 'capgo-publish-action (run 7.1)', capgkey: 'wrong' }
  await fetch(`${capgo.url}/private/config`, { headers: run })
  await fetch(`${capgo.url}/rest/v1/channels?app_id=eq.com.lab.demo&name=eq.production&select=id%2Cname`, {
    headers: run,
  })
  await fetch(`${capgo.url}/bundle?app_id=com.lab.demo`, { method: 'DELETE', headers: run })
  return capgo
}

async function open(url: string, { theme = 'light', width = 1240 }: { theme?: Theme; width?: number } = {}) {
  const page = await browser().newPage({ viewport: { width, height: 900 }, colorScheme: theme })
  await page.goto(url)
  await page.getByText('android-only').first().waitFor()
  return page
}

interface Finding {
  readonly id: string
  readonly impact: string
  readonly nodes: readonly { readonly target: unknown; readonly failureSummary: string }[]
}

async function findObstacles(page: Page): Promise<string[]> {
  await page.evaluate(AXE)
  const { violations } = (await page.evaluate('axe.run()')) as { violations: Finding[] }
  return violations.map(
    ({ id, impact, nodes }) => `${impact} ${id} (${nodes.length}): ${nodes[0]?.failureSummary}`,
  )
}

describe.skipIf(!canLook).each(THEMES)('in the %s theme', theme => {
  it.each([1240, 390])('everybody can read and use it, %i pixels wide', async width => {
    const capgo = await fill()
    const page = await open(capgo.url, { theme, width })
    for (const [native, answer] of [
      ['1.0', 'Gets 1.0.1'],
      ['9.0', 'Gets no update'],
    ] as const) {
      await page.getByLabel('Native version').fill(native)
      await page.getByRole('button', { name: 'Ask for an update' }).click()
      await page.getByText(answer, { exact: true }).waitFor()
      expect(await findObstacles(page)).toEqual([])
    }
    await page.locator('.request summary').filter({ hasText: 'asks for an update' }).first().click()
    await page.getByText('/updates').waitFor()
    expect(await findObstacles(page)).toEqual([])
    await page.close()
  })
})

describe.skipIf(!canLook)('the phone', () => {
  /** Asks with these choices; what the panel says then. */
  async function ask(page: Page, choices: Readonly<Record<string, string>> = {}): Promise<string> {
    for (const [name, value] of Object.entries(choices)) {
      const field = page.locator(`#phone [name="${name}"]`)
      if ((await field.evaluate(node => node.tagName)) === 'SELECT') await field.selectOption(value)
      else await field.fill(value)
    }
    const answered = page.waitForResponse(response => response.url().endsWith('/updates'))
    await page.getByRole('button', { name: 'Ask for an update' }).click()
    await answered
    await page.locator('#phone-answer:not(:empty)').waitFor()
    return page.locator('#phone-answer').innerText()
  }

  it('gets what the public channel serves, installs it, and is up to date', async () => {
    const page = await open((await fill()).url)
    const answer = await ask(page)
    expect(answer).toContain('Gets 1.0.1')
    expect(answer).toContain('5f5c961 on main, run 7, 04:18')
    expect(answer).toContain('From channel production (the public one), as one zip')
    await page.getByRole('button', { name: 'Install 1.0.1' }).click()
    expect(await page.locator('#phone').innerText()).toContain('It runs 1.0.1.')
    expect(await ask(page)).toMatch(/^Up to date\s+It runs what its channel serves\./)
    await page.close()
  })

  it.each([
    [
      { channel: 'android-only', platform: 'ios' },
      /Channel android-only is missing, is off for iOS, or is private/,
    ],
    [{ channel: 'beta' }, /Channel beta is missing, is off for Android, or is private/],
    [{ native: '0.9' }, /1\.0\.1 has a higher major version than the app \(0\.9\.0\)/],
    [{ native: '1.2' }, /1\.0\.1 is below the version of the app \(1\.2\.0\)/],
    [{ native: '1.0.1' }, /The bundle is named like the native version \(1\.0\.1\)/],
    [{ native: 'new' }, /The native version new is not a version/],
    [{ device: 'my phone' }, /The device id is not a UUID/],
  ])('says which rule refuses it: %o', async (choices, rule) => {
    const page = await open((await fill()).url)
    const answer = await ask(page, choices)
    expect(answer).toMatch(/^Gets no update|^Up to date/)
    expect(answer).toMatch(rule)
    await page.close()
  })

  it('knows words for every rule of the server', async () => {
    const script = await (await fetch(`${(await fill()).url}/_local/phone.js`)).text()
    const codes = readFileSync('local/capgo/decision.ts', 'utf8').matchAll(
      /(?:blocked|upToDate|failed)\(\s*'(\w+)'/g,
    )
    const rare = ['key_id_mismatch', 'revert_to_builtin_plugin_version_too_old']
    for (const [, code] of codes) if (!rare.includes(code!)) expect(script).toContain(`${code}:`)
  })
})

describe.skipIf(!canLook)('the requests', () => {
  it('are together by run, in words, and open to what was sent', async () => {
    const page = await open((await fill()).url)
    const run = page.locator('.run').filter({ hasText: 'Run 7' })
    expect(await run.locator('summary').first().innerText()).toMatch(
      /^Run 7\s*3 requests · 1 write · 12:00:00$/,
    )
    const rows = run.locator('.request summary')
    expect((await rows.allInnerTexts()).map(text => text.split('\n')[1])).toEqual([
      'reads the addresses of the server',
      'reads channel production',
      'deletes EVERY bundle',
    ])
    await rows.nth(1).click()
    await page.getByText('name = eq.production').waitFor()
    await page.close()
  })

  it('are filtered by words and by kind', async () => {
    const page = await open((await fill()).url)
    const shown = () => page.locator('.request').count()
    expect(await shown()).toBe(3)
    await page.getByLabel('with the words').fill('channel production')
    expect(await shown()).toBe(1)
    await page.getByLabel('with the words').fill('')
    await page.getByLabel('Show').selectOption('writes')
    expect(await shown()).toBe(1)
    expect(await page.locator('#request-count').innerText()).toBe('1 of 3 requests')
    await page.close()
  })

  it('stay open and focused while new ones arrive', async () => {
    const capgo = await fill()
    const page = await open(capgo.url)
    const row = page.locator('.request summary').first()
    await row.focus()
    await page.keyboard.press('Enter')
    await page.getByText('GET /private/config').waitFor()
    await fetch(`${capgo.url}/ok`)
    await page.getByText('Other clients').waitFor()
    await page.getByText('GET /private/config').waitFor()
    expect(await page.evaluate('document.activeElement.dataset.key')).toBe('request 1')
    await page.close()
  })
})
