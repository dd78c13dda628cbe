/** The page of examples/join-beta in Chromium, on a phone of this machine, against the local Capgo over real HTTP. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import type { BrowserContext, Page } from 'playwright-core'
import ts from 'typescript'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startTestCapgo, type TestCapgo } from '../../local/app.ts'
import { type JoinPage, serveJoinPage } from '../../local/join-page.ts'
import { Phone, type PhoneOptions } from '../../local/phone.ts'
import { browserOfFile, canLook } from '../helpers/browser.ts'
import { type Endpoint, startNode } from './enroll-endpoint.ts'

const TOKEN = 'the-token-of-these-testers'
const run = promisify(execFile)
const bundleOf = async (path: string) => {
  const entry = join(import.meta.dirname, '../../examples/join-beta', path)
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    format: 'esm',
    minify: true,
    write: false,
  })
  return outputFiles[0]!.text
}
const axe = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8')
const browser = browserOfFile()

describe.skipIf(!canLook)('<join-beta>', () => {
  let page: JoinPage
  let capgo: TestCapgo
  let context: BrowserContext
  let tab: Page

  beforeAll(async () => {
    page = await serveJoinPage()
  })
  afterAll(async () => {
    await page[Symbol.asyncDispose]()
  })
  beforeEach(async () => {
    capgo = await startTestCapgo({ limits: false })
    const { server, appId } = capgo
    for (const name of ['1.1.0', '1.2.0', '1.3.0']) server.seedBundle({ appId, name })
    // Not called "production", which is what Capgo answers for a phone without a choice.
    server.seedChannel({ appId, name: 'stable', public: true, bundle: '1.1.0' })
    server.seedChannel({ appId, name: 'beta', allow_device_self_set: true, bundle: '1.2.0' })
    server.seedChannel({ appId, name: 'team', bundle: '1.3.0' })
    context = await browser().newContext({ viewport: { width: 390, height: 844 } })
    tab = await context.newPage()
  })
  afterEach(async () => {
    await context.close()
    await capgo.stop()
  })

  const takePhone = (options: Partial<PhoneOptions> = {}) =>
    new Phone({ capgoUrl: capgo.url, appId: capgo.appId, ...options })
  async function open(phone: Phone | null, attributes: Readonly<Record<string, string>>) {
    await page.open(tab, phone, attributes)
    await tab.locator('[aria-busy="false"]').waitFor()
  }
  const press = (name: string) => tab.getByRole('button', { name, exact: true }).click()
  const note = () => tab.getByRole('status').textContent()
  const noteSays = (text: string) => tab.getByRole('status').getByText(text, { exact: true }).waitFor()
  const fact = (part: string) => tab.locator(`[part=${part}]`).textContent()
  const overrideOf = (device: string) =>
    capgo.server.store.find('channel_devices', { app_id: capgo.appId, device_id: device })

  it('shows the id in lower case, the channel and the version, and copies the id', async () => {
    const phone = takePhone({
      deviceId: '0A1B2C3D-1111-4222-8333-444455556666',
      bundle: '1.1.0',
      native: '1.0.3',
    })
    await context.grantPermissions(['clipboard-read', 'clipboard-write'])
    await open(phone, {})
    expect([await fact('device'), await fact('channel'), await fact('version')]).toEqual([
      '0a1b2c3d-1111-4222-8333-444455556666',
      'stable',
      '1.1.0',
    ])
    await press('Copy')
    await noteSays('Device id copied.')
    expect(await tab.evaluate('navigator.clipboard.readText()')).toBe('0a1b2c3d-1111-4222-8333-444455556666')
  })

  it.each([
    ['8.51.23', 1],
    ['8.47.9', 1],
    ['8.47.8', 0],
    ['7.50.1', 1],
    ['7.45.10', 0],
    ['6.50.1', 1],
    ['5.50.2', 1],
  ])('looking changes no update of a phone with plugin %s', async (pluginVersion, taken) => {
    const phone = takePhone({ pluginVersion })
    await open(phone, { 'self-assign': '' })
    expect(phone.calls.filter(call => call === 'unsetChannel')).toHaveLength(taken)
    expect([phone.channel, await phone.askForUpdate()]).toEqual(['', '1.1.0'])
  })

  it('looking keeps the choice of a phone', async () => {
    const phone = takePhone()
    await phone.call('setChannel', { channel: 'beta' })
    await open(phone, { 'self-assign': '' })
    expect([await fact('channel'), phone.channel, await phone.askForUpdate()]).toEqual([
      'beta',
      'beta',
      '1.2.0',
    ])
  })

  it('brings updates back to a phone whose chosen channel is gone', async () => {
    const phone = takePhone()
    await phone.call('setChannel', { channel: 'beta' })
    const { store } = capgo.server
    store.remove('channels', store.find('channels', { app_id: capgo.appId, name: 'beta' })!.id)
    expect(await phone.askForUpdate()).toBe('no_channel')
    await open(phone, { 'self-assign': '' })
    expect([await fact('channel'), await phone.askForUpdate()]).toEqual(['stable', '1.1.0'])
    await tab.getByText('Your team offers no channel at the moment.').waitFor()
  })

  it('finds the plugin that the app has loaded', async () => {
    const phone = takePhone()
    await open(phone, {})
    await tab.evaluate('document.querySelector("join-beta").replaceWith(document.createElement("join-beta"))')
    await tab.getByText(phone.id).waitFor()
  })

  it.each(['android', 'ios'] as const)(
    '%s joins a channel that devices can choose with one tap, and leaves with another',
    async platform => {
      const phone = takePhone({ platform })
      await open(phone, { 'self-assign': '' })
      expect(await tab.getByRole('listitem').allTextContents()).toEqual(['betaJoin'])
      await press('Join beta')
      await noteSays('You are on beta. Open the app twice to get its version.')
      expect([await fact('channel'), await phone.askForUpdate()]).toEqual(['beta', '1.2.0'])
      await press('Leave beta')
      await noteSays('You left. Open the app twice to get the version that everybody has.')
      expect([await fact('channel'), await phone.askForUpdate()]).toEqual(['stable', '1.1.0'])
    },
  )

  it('asks once for two quick taps', async () => {
    await open(takePhone(), { 'self-assign': '' })
    await tab.getByRole('button', { name: 'Join beta' }).dblclick()
    await noteSays('You are on beta. Open the app twice to get its version.')
    const asked = capgo.requests.filter(({ method, path }) => method === 'POST' && path === '/channel_self')
    expect(asked).toHaveLength(1)
  })

  it('tells the page which channel the phone is on now', async () => {
    await open(takePhone(), { 'self-assign': '' })
    await tab.evaluate(
      'new Promise(done => { window.said = []; addEventListener("join-beta-change", event => window.said.push(event.detail.channel)); done() })',
    )
    await press('Join beta')
    await noteSays('You are on beta. Open the app twice to get its version.')
    await press('Leave beta')
    await noteSays('You left. Open the app twice to get the version that everybody has.')
    expect(await tab.evaluate('window.said')).toEqual(['beta', 'stable'])
  })

  it('offers of the channels those that the team names', async () => {
    const { server, appId } = capgo
    for (const name of ['next', 'preview-7']) server.seedChannel({ appId, name, allow_device_self_set: true })
    await open(takePhone(), { 'self-assign': 'next, beta, team' })
    expect(await tab.getByRole('listitem').allTextContents()).toEqual(['betaJoin', 'nextJoin'])
  })

  it('takes the names of the team where the plugin cannot list channels', async () => {
    const phone = takePhone({ pluginVersion: '7.4.0' })
    await open(phone, { 'self-assign': 'beta' })
    await press('Join beta')
    await noteSays('You are on beta. Open the app twice to get its version.')
    expect(await fact('channel')).toBe('beta')
    await press('Leave beta')
    await noteSays('You left. Open the app twice to get the version that everybody has.')
    expect(await fact('channel')).toBe('stable')
    expect(phone.calls).toContain('unsetChannel')
  })

  describe.each([
    { platform: 'android' },
    { platform: 'ios' },
    { platform: 'ios', pluginVersion: '7.4.0' },
  ] as const)('$platform $pluginVersion says why', phone => {
    it.each([
      ['the app switched it off', 'This app does not let you choose a channel.'],
      ['the channel was closed meanwhile', 'Only your team adds phones to beta.'],
      ['the channel was deleted meanwhile', 'beta does not exist any more.'],
      ['Capgo cannot be reached', 'No connection. Check it, and try again.'],
    ])('%s', async (title, text) => {
      await open(takePhone({ ...phone, allowSetDefaultChannel: !title.includes('switched') }), {
        'self-assign': 'beta',
      })
      const { store, faults } = capgo.server
      const beta = store.find('channels', { app_id: capgo.appId, name: 'beta' })!
      if (title.includes('closed')) store.update('channels', beta, { allow_device_self_set: false })
      if (title.includes('deleted')) store.remove('channels', beta.id)
      if (title.includes('reached'))
        faults.add({ match: { method: 'POST', path: '/channel_self' }, do: 'drop' })
      await press('Join beta')
      await noteSays(text)
    })
  })

  it('shows the id and the form without Capgo too, and offers to try again', async () => {
    capgo.server.faults.add({
      match: { path: /^\/channel_self/ },
      do: 'drop',
      times: Number.POSITIVE_INFINITY,
    })
    const phone = takePhone({ bundle: '1.2.0' })
    await open(phone, { 'self-assign': '', github: 'octo-org/daybreak', reset: '' })
    expect([await note(), await fact('device'), await fact('channel')]).toEqual([
      'No connection. Check it, and try again.',
      phone.id,
      'Unknown',
    ])
    expect(await tab.getByRole('link').getAttribute('href')).toContain(phone.id)
    // Leaving comes before the way back, and needs Capgo.
    expect(await tab.getByRole('button').allTextContents()).toEqual(['Copy', 'Try again'])
    capgo.server.faults.clear()
    await press('Try again')
    await tab.getByRole('button', { name: 'Join beta' }).waitFor()
    expect(await note()).toBe('')
    // The button that had it is gone.
    expect(await focused()).toBe('Test new versions')
  })

  it.each([
    ['a text', '"Broken"', 'That did not work: Broken'],
    ['nothing', 'undefined', 'That did not work: undefined'],
    ['an error', 'new Error("Broken")', 'That did not work: Broken'],
  ])('lives with a call that rejects with %s', async (_title, reason, text) => {
    await open(takePhone(), {})
    await tab.evaluate(
      `document.querySelector('join-beta').plugin = { getDeviceId: () => Promise.reject(${reason}) }`,
    )
    await noteSays(text)
  })

  it('asks for the phone in a browser', async () => {
    await open(null, { 'self-assign': '', github: 'octo-org/daybreak' })
    await tab.getByText('Open this page in the app on your phone. A browser has no device id.').waitFor()
    expect(await tab.getByRole('link').count()).toBe(0)
  })

  it.each([
    ['octo-org/daybreak', 'https://github.com/octo-org/daybreak'],
    ['https://git.example.com/octo-org/daybreak/', 'https://git.example.com/octo-org/daybreak'],
  ])('opens the form of %s with the device in a window of its own', async (github, home) => {
    const deviceId = '0a1b2c3d-1111-4222-8333-444455556666'
    await context.route(`${home}/**`, route => route.fulfill({ body: 'the form' }))
    await open(takePhone({ deviceId }), { github, 'device-name': "Iris' Pixel 9 & co" })
    const [form] = await Promise.all([
      context.waitForEvent('page'),
      tab.getByRole('link', { name: 'Join on GitHub' }).click(),
    ])
    await form.waitForLoadState()
    const address = new URL(form.url())
    expect(address.origin + address.pathname).toBe(`${home}/issues/new`)
    expect([...address.searchParams]).toEqual([
      ['template', 'tester.yml'],
      ['device', deviceId],
      ['name', "Iris' Pixel 9 & co"],
    ])
  })

  it.each(['javascript://x/%0aalert(1)', 'octo-org', ' '])('opens no form of %j', async github => {
    await open(takePhone(), { github })
    expect(await tab.getByRole('link').count()).toBe(0)
  })

  it('names the phone as its browser does', async () => {
    const userAgent =
      'Mozilla/5.0 (Linux; Android 16; Pixel 9 Build/BP2A; wv) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36'
    await context.close()
    context = await browser().newContext({ userAgent })
    tab = await context.newPage()
    await open(takePhone(), { github: 'octo-org/daybreak' })
    expect(await tab.getByRole('link').getAttribute('href')).toContain('name=Pixel+9')
  })

  describe('with an endpoint', () => {
    let endpoint: Endpoint
    beforeEach(async () => {
      endpoint = await startNode({
        CAPGO_KEY: capgo.token,
        CAPGO_URL: capgo.url,
        APP_ID: capgo.appId,
        CHANNELS: 'testers',
        ORIGINS: page.origin,
        ENROLL_TOKEN: TOKEN,
      })
      capgo.server.seedChannel({ appId: capgo.appId, name: 'testers', bundle: '1.3.0' })
    })
    afterEach(() => endpoint.stop())
    const attributes = (more = {}) => ({ endpoint: `${endpoint.url}/device`, token: TOKEN, ...more })

    it('joins and leaves', async () => {
      const phone = takePhone()
      await open(phone, attributes())
      await press('Join testers')
      await noteSays('You are on testers. Open the app twice to get its version.')
      expect(await fact('channel')).toBe('testers')
      // Capgo looks for overrides once it has counted the app's first one.
      capgo.server.clock.advance(20_000)
      expect(await phone.askForUpdate()).toBe('1.3.0')
      await press('Leave testers')
      await noteSays('You left. Open the app twice to get the version that everybody has.')
      expect([await fact('channel'), overrideOf(phone.id), await phone.askForUpdate()]).toEqual([
        'stable',
        undefined,
        '1.1.0',
      ])
    })

    it('goes from one kind of channel to the other', async () => {
      const phone = takePhone()
      await open(phone, attributes({ 'self-assign': 'beta' }))
      await press('Join testers')
      await noteSays('You are on testers. Open the app twice to get its version.')
      await press('Join beta')
      await noteSays('You are on beta. Open the app twice to get its version.')
      expect([await fact('channel'), overrideOf(phone.id), await phone.askForUpdate()]).toEqual([
        'beta',
        undefined,
        '1.2.0',
      ])
    })

    it('says who has the phone where the team put it elsewhere', async () => {
      const phone = takePhone()
      capgo.server.seedOverride({ appId: capgo.appId, deviceId: phone.id, channel: 'team' })
      await open(phone, attributes({ 'self-assign': 'beta' }))
      await tab
        .getByText('Your team put this phone on team. Ask them to remove it before you join another channel.')
        .waitFor()
      expect(await fact('channel')).toBe('team')
      expect(await tab.getByRole('button').allTextContents()).toEqual(['Copy'])
    })

    it('says that somebody is not on the list, and still shows the id', async () => {
      const phone = takePhone()
      await open(phone, attributes({ token: 'a-token-of-somebody-else' }))
      await noteSays('You are not on the list of testers. Ask your team.')
      expect([await fact('device'), await tab.getByRole('button').allTextContents()]).toEqual([
        phone.id,
        ['Copy', 'Try again'],
      ])
    })

    it('stays where it is when only half of a move works', async () => {
      const phone = takePhone()
      capgo.server.seedOverride({ appId: capgo.appId, deviceId: phone.id, channel: 'testers' })
      await open(phone, attributes({ 'self-assign': 'beta' }))
      const { store } = capgo.server
      const beta = store.find('channels', { app_id: capgo.appId, name: 'beta' })!
      store.update('channels', beta, { allow_device_self_set: false })
      await press('Join beta')
      await noteSays('Only your team adds phones to beta.')
      expect([await fact('channel'), overrideOf(phone.id)]).toEqual([
        'testers',
        expect.objectContaining({ device_id: phone.id }),
      ])
    })

    it.each([
      ['a text', `element.token = '${TOKEN}'`],
      ['a function, set before the element is known', `element.token = async () => '${TOKEN}'`],
    ])('takes a token that is %s', async (title, code) => {
      const phone = takePhone()
      await open(phone, {})
      await tab.evaluate(`{
        const known = document.querySelector('join-beta')
        const element = document.createElement('join-beta')
        element.setAttribute('endpoint', '${endpoint.url}/device')
        if (${title.includes('before')}) {
          Object.defineProperty(element, 'token', { value: async () => '${TOKEN}', configurable: true, writable: true })
        } else { ${code} }
        known.replaceWith(element)
      }`)
      await tab.getByRole('button', { name: 'Join testers' }).waitFor()
    })

    it.each([
      [
        'a page to sign in',
        { contentType: 'text/html', body: '<h1>Welcome</h1>' },
        'No connection. Check it, and try again.',
      ],
      ['null', { json: null }, 'No connection. Check it, and try again.'],
      [
        'an error called constructor',
        { status: 400, json: { error: 'constructor', message: 'Odd.' } },
        'That did not work: Odd.',
      ],
      [
        'a redirect',
        { status: 302, headers: { location: 'https://elsewhere.example/' } },
        'No connection. Check it, and try again.',
      ],
    ])('does not believe %s', async (_title, answer, text) => {
      await open(takePhone(), attributes())
      await tab.route('**/device', route =>
        route.fulfill({
          ...answer,
          headers: { 'access-control-allow-origin': '*', ...('headers' in answer ? answer.headers : {}) },
        }),
      )
      await press('Join testers')
      await noteSays(text)
      await press('Copy')
    })

    it('sends no token over http to another machine', async () => {
      const asked: string[] = []
      tab.on('request', request => asked.push(request.url()))
      await open(takePhone(), attributes({ endpoint: 'http://enroll.example/device' }))
      await noteSays('That did not work: The address of the endpoint must begin with https://.')
      expect(asked.filter(url => url.includes('enroll.example'))).toEqual([])
    })

    it('says how long to wait', async () => {
      await open(takePhone(), attributes())
      capgo.server.faults.add({
        match: { method: 'POST', path: '/device' },
        do: { status: 429, headers: { 'Retry-After': '42' }, body: { error: 'too_many_requests' } },
      })
      await press('Join testers')
      await noteSays('Too many tries. Try again in 42 seconds.')
    })
  })

  describe("back to the store's version", () => {
    const openJoined = async () => {
      const phone = takePhone({ bundle: '1.2.0' })
      await phone.call('setChannel', { channel: 'beta' })
      await open(phone, { reset: '', 'self-assign': '' })
      phone.calls.length = 0
      return phone
    }
    const RESET = 'Back to the version from the store'

    it('leaves first, then goes back', async () => {
      const phone = await openJoined()
      await press(RESET)
      await press('Leave and restart')
      await tab.getByText('From the store').waitFor()
      const order = phone.calls.filter(call => call === 'unsetChannel' || call === 'reset')
      expect(order.slice(0, 2)).toEqual(['unsetChannel', 'reset'])
      // An update would take the store's version away again.
      expect(phone.updates).toBe(0)
      expect([phone.bundle, await fact('channel'), await phone.askForUpdate()]).toEqual([
        'builtin',
        'stable',
        '1.1.0',
      ])
    })

    it('does nothing when it is cancelled, by key too', async () => {
      const phone = await openJoined()
      const dialog = tab.getByRole('dialog', { name: `${RESET}?` })
      await press(RESET)
      await dialog.waitFor()
      await press('Cancel')
      await dialog.waitFor({ state: 'detached' })
      await press(RESET)
      await dialog.waitFor()
      await tab.keyboard.press('Escape')
      await dialog.waitFor({ state: 'detached' })
      expect([phone.calls, phone.bundle]).toEqual([[], '1.2.0'])
      expect(await focused()).toBe(RESET)
    })

    it('is not offered on a phone that has it', async () => {
      await open(takePhone(), { reset: '' })
      expect(await tab.getByRole('button', { name: RESET }).count()).toBe(0)
    })
  })

  const focused = () =>
    tab.evaluate('document.querySelector("join-beta").shadowRoot.activeElement?.textContent ?? null')

  it('works by keyboard, and the focus stays where it was', async () => {
    await open(takePhone(), { 'self-assign': '', github: 'octo-org/daybreak' })
    for (const control of ['Copy', 'Join', 'Join on GitHub']) {
      await tab.keyboard.press('Tab')
      expect(await focused()).toBe(control)
    }
    await tab.keyboard.press('Shift+Tab')
    await tab.keyboard.press('Enter')
    await noteSays('You are on beta. Open the app twice to get its version.')
    expect(await focused()).toBe('Leave')
  })

  it('says everything in the words that the app has for it', async () => {
    await open(takePhone(), { 'self-assign': '' })
    await tab.evaluate(
      'document.querySelector("join-beta").texts = { title: "Beta testen", join: "Mitmachen", joined: "Du bist auf {channel}." }',
    )
    await tab.getByRole('heading', { name: 'Beta testen' }).waitFor()
    await tab.getByText('Mitmachen').click()
    await noteSays('Du bist auf beta.')
  })

  it('keeps its look where a page allows no styles of its own', async () => {
    await tab.route('**/*', async route => {
      const response = await route.fetch()
      const headers = { ...response.headers(), 'content-security-policy': "default-src 'self'" }
      await route.fulfill({ response, headers })
    })
    await open(takePhone(), {})
    expect(
      await tab.evaluate(
        'getComputedStyle(document.querySelector("join-beta").shadowRoot.querySelector(".card")).borderRadius',
      ),
    ).toBe('20px')
  })

  it('selects the id without a clipboard', async () => {
    const phone = takePhone()
    await tab.addInitScript('Object.defineProperty(navigator, "clipboard", { value: undefined })')
    await open(phone, {})
    await press('Copy')
    await noteSays('The device id is selected. Copy it by hand.')
    expect(await tab.evaluate('getSelection().toString()')).toBe(phone.id)
  })

  it('shows the id in its own direction on a page that is read from the right', async () => {
    await open(takePhone({ deviceId: '01234567-abcd-4222-8333-444455556666' }), {})
    await tab.evaluate('document.documentElement.dir = "rtl"')
    const places = (await tab.evaluate(`[0, 10].map(start => {
      const range = document.createRange()
      const { firstChild } = document.querySelector('join-beta').shadowRoot.querySelector('code')
      range.setStart(firstChild, start)
      range.setEnd(firstChild, start + 1)
      return range.getBoundingClientRect().x
    })`)) as number[]
    expect(places[0]).toBeLessThan(places[1]!)
  })

  it('is loaded on a server too, which has no elements', async () => {
    const { stdout } = await run(process.execPath, [
      '--input-type=module',
      '--eval',
      `const { JoinBeta } = await import('data:text/javascript,' + ${JSON.stringify(encodeURIComponent(await bundleOf('src/join-beta.ts')))})
      console.log(typeof JoinBeta)`,
    ])
    expect(stdout.trim()).toBe('function')
  })

  it('shows names as text', async () => {
    const name = '<img src=x onerror="window.hurt=1">'
    capgo.server.seedChannel({ appId: capgo.appId, name, allow_device_self_set: true })
    await open(takePhone({ bundle: name }), { 'self-assign': '' })
    await press(`Join ${name}`)
    await noteSays(`You are on ${name}. Open the app twice to get its version.`)
    expect(await tab.evaluate('window.hurt')).toBeUndefined()
  })

  describe.each(['light', 'dark'] as const)('%s', colorScheme => {
    it.each([390, 320])('has no barrier and fits a screen of %i px', async width => {
      await tab.emulateMedia({ colorScheme })
      await tab.setViewportSize({ width, height: 700 })
      await open(takePhone({ bundle: '1.2.0' }), {
        'self-assign': '',
        github: 'octo-org/daybreak',
        reset: '',
      })
      const problems = async () => {
        await tab.evaluate(axe)
        const { violations } = (await tab.evaluate(
          'axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"], rules: { "page-has-heading-one": { enabled: false } } })',
        )) as { violations: { id: string; nodes: { html: string }[] }[] }
        return violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)])
      }
      expect(await problems()).toEqual([])
      await press('Join beta')
      await noteSays('You are on beta. Open the app twice to get its version.')
      expect(await problems()).toEqual([])
      expect(await tab.evaluate('document.documentElement.scrollWidth')).toBe(width)
      await press('Back to the version from the store')
      expect(await problems()).toEqual([])
    })
  })
})

it.each(['ionic-angular', 'ionic-react', 'ionic-vue'])('src/ compiles with the settings of %s', app => {
  const examples = join(import.meta.dirname, '../../examples')
  const { config } = ts.readConfigFile(join(examples, app, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.convertCompilerOptionsFromJson({ ...config.compilerOptions, types: [] }, examples)
  const program = ts.createProgram([join(examples, 'join-beta/src/join-beta.ts')], options)
  expect(ts.getPreEmitDiagnostics(program).map(({ messageText }) => messageText)).toEqual([])
})
