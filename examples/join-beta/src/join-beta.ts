/** `<join-beta>`: a tester sees the device id and the channel of the phone, joins and leaves. */
import { type Endpoint, type Enrolment, enroll, readEnrolment, withdraw } from './endpoint'
import { explain } from './problem'
import { STYLE } from './style'
import { fill, TEXTS, type Texts } from './texts'
import { choose, forget, goBack, type Phone, readPhone, type Updater } from './updater'

type Attributes = Readonly<Record<string, string | boolean | (() => unknown)>>
type Child = Node | string | null
type Token = () => string | Promise<string>

/** How a channel is joined: by the team's endpoint, or by the choice that the plugin keeps. */
interface Offer {
  readonly channel: string
  readonly by: 'endpoint' | 'plugin'
}

const OBSERVED = [
  'github',
  'github-template',
  'endpoint',
  'token',
  'self-assign',
  'reset',
  'device-name',
] as const
const DEFAULT_TEMPLATE = 'tester.yml'

/** Of the element; code can set them before this file is loaded. */
const PROPERTIES = ['plugin', 'texts', 'token'] as const

/** A server that renders the app loads this file, and has no elements. */
const Base = globalThis.HTMLElement ?? (class {} as typeof HTMLElement)

export class JoinBeta extends Base {
  static readonly observedAttributes: readonly string[] = OBSERVED

  #updater: Updater | null = null
  #texts: Texts = TEXTS
  #token: Token | null = null
  #phone: Phone | null = null
  #enrolment: Enrolment | null = null
  #state: 'loading' | 'browser' | 'failed' | 'ready' = 'loading'
  #isBusy = false
  #reading = 0
  /** Why phone or endpoint could not be read whole. */
  #trouble: unknown = null
  readonly #content = make('div', { class: 'content' })
  readonly #note = make('p', { class: 'note', role: 'status', part: 'note' })

  constructor() {
    super()
    const card = make('div', { class: 'card', part: 'card' }, this.#content, this.#note)
    const root = this.attachShadow({ mode: 'open' })
    addStyle(root)
    root.append(card)
  }

  /** `CapacitorUpdater` of @capgo/capacitor-updater. Without it: the one that the page has registered. */
  set plugin(updater: Updater) {
    this.#updater = updater
    void this.refresh()
  }

  /** Words that replace the component's own. */
  set texts(texts: Partial<Texts>) {
    this.#texts = { ...TEXTS, ...texts }
    this.#render()
  }

  /** The person's token for the endpoint, where it is not the same for everybody. Vue and React set the attribute's text. */
  set token(token: Token | string | null) {
    this.#token = typeof token === 'string' ? () => token : token
    void this.refresh()
  }

  connectedCallback(): void {
    // A property that was set before the upgrade hides the setter.
    const early = this as unknown as Record<string, unknown>
    for (const name of PROPERTIES.filter(name => Object.hasOwn(this, name))) {
      const value = early[name]
      delete early[name]
      early[name] = value
    }
    void this.refresh()
  }

  attributeChangedCallback(name: string): void {
    if (name === 'endpoint' || name === 'token') void this.refresh()
    else this.#render()
  }

  /** Reads phone and endpoint anew; a later call overtakes an earlier one. */
  async refresh(): Promise<void> {
    if (!this.isConnected) return
    const reading = ++this.#reading
    if (this.#phone === null) this.#state = 'loading'
    this.#render()
    // Code can set a property just after the element is created.
    await Promise.resolve()
    if (reading !== this.#reading) return
    try {
      const phone = await this.#readPhone()
      if (reading !== this.#reading) return
      this.#phone = phone
      this.#state = phone === null ? 'browser' : 'ready'
      const endpoint = this.#endpoint()
      if (phone?.trouble) throw phone.trouble
      const enrolment = phone && endpoint ? await readEnrolment(endpoint, phone.device) : null
      if (reading !== this.#reading) return
      this.#enrolment = enrolment
      this.#trouble = null
      this.#say('good', '')
    } catch (error) {
      if (reading !== this.#reading) return
      if (this.#phone === null) this.#state = 'failed'
      this.#trouble = error
      this.#say('bad', explain(error, '', this.#texts))
    }
    this.#render()
  }

  async #readPhone(): Promise<Phone | null> {
    const page = globalThis as { Capacitor?: { Plugins?: { CapacitorUpdater?: Updater } } }
    this.#updater ??= page.Capacitor?.Plugins?.CapacitorUpdater ?? null
    return this.#updater === null ? null : readPhone(this.#updater)
  }

  #endpoint(): Endpoint | null {
    const url = this.getAttribute('endpoint')
    if (!url) return null
    return { url, token: this.#token ?? (() => this.getAttribute('token') ?? '') }
  }

  /** An override of the team goes before a choice on the phone. */
  get #current(): string | null {
    const { chosen = null, usual = null } = this.#phone ?? {}
    return this.#enrolment?.channel ?? chosen ?? usual
  }

  /** An override that the endpoint cannot change. */
  get #isElsewhere(): boolean {
    const { channel = null, channels = [] } = this.#enrolment ?? {}
    return channel !== null && !channels.includes(channel)
  }

  get #offers(): readonly Offer[] {
    const byEndpoint = this.#enrolment?.channels ?? []
    const named = this.getAttribute('self-assign')
    const names = (named ?? '')
      .split(',')
      .map(name => name.trim())
      .filter(name => name !== '')
    const choices = this.#phone?.choices ?? names
    const byPlugin =
      named === null ? [] : choices.filter(channel => names.length === 0 || names.includes(channel))
    return [
      ...byEndpoint.map(channel => ({ channel, by: 'endpoint' as const })),
      ...byPlugin
        .filter(channel => !byEndpoint.includes(channel))
        .map(channel => ({ channel, by: 'plugin' as const })),
    ]
  }

  async #join({ channel, by }: Offer): Promise<void> {
    await this.#act(channel, async (updater, device, endpoint) => {
      if (by === 'endpoint' && endpoint !== null) await enroll(endpoint, device, channel)
      else {
        await choose(updater, channel)
        if (endpoint !== null && this.#enrolment?.channel) await withdraw(endpoint, device)
      }
      return fill(this.#texts.joined, { channel })
    })
  }

  async #leave(): Promise<void> {
    await this.#act(this.#current ?? '', async (updater, device, endpoint) => {
      await this.#undo(updater, device, endpoint, true)
      return this.#texts.left
    })
  }

  /** Without leaving, the next update would bring the test back. Nothing is loaded that would replace the store's version. */
  async #goBack(): Promise<void> {
    await this.#act(this.#current ?? '', async (updater, device, endpoint) => {
      await this.#undo(updater, device, endpoint, false)
      await goBack(updater)
      return this.#texts.restarting
    })
  }

  async #undo(
    updater: Updater,
    device: string,
    endpoint: Endpoint | null,
    isUpdated: boolean,
  ): Promise<void> {
    if (endpoint !== null && this.#enrolment?.channel && !this.#isElsewhere) await withdraw(endpoint, device)
    if (this.#phone?.chosen) await forget(updater, isUpdated)
  }

  async #act(
    channel: string,
    work: (updater: Updater, device: string, endpoint: Endpoint | null) => Promise<string>,
  ): Promise<void> {
    if (this.#isBusy || this.#updater === null || this.#phone === null) return
    this.#isBusy = true
    this.#say('good', '')
    this.#render()
    let isDone = true
    let text: string
    try {
      text = await work(this.#updater, this.#phone.device, this.#endpoint())
    } catch (error) {
      isDone = false
      text = explain(error, channel, this.#texts)
    }
    // Half of it can have happened.
    await this.refresh()
    this.#isBusy = false
    this.#render()
    this.#say(isDone ? 'good' : 'bad', text)
    const detail = { channel: this.#current }
    if (isDone) this.dispatchEvent(new CustomEvent('join-beta-change', { bubbles: true, detail }))
  }

  #say(mood: 'good' | 'bad' | 'plain', text: string): void {
    this.#note.className = `note ${mood}`
    this.#note.textContent = text
  }

  /** Draws all anew, and keeps the focus on the control of the same name, or else inside. */
  #render(): void {
    const focused = this.shadowRoot?.activeElement?.id
    const texts = this.#texts
    const title = make('h2', { id: 'title', tabindex: '-1' }, texts.title)
    const head = make('header', {}, title, make('p', { class: 'lead' }, texts.lead))
    this.#content.ariaBusy = String(this.#isBusy || this.#state === 'loading')
    this.#content.replaceChildren(head, ...this.#body().filter(child => child !== null))
    if (focused) (this.shadowRoot?.getElementById(focused) ?? title).focus()
  }

  #body(): (Node | null)[] {
    const texts = this.#texts
    const phone = this.#phone
    if (this.#state === 'loading') return [make('p', { class: 'note plain' }, texts.loading)]
    if (this.#state === 'browser') return [make('p', { class: 'note plain' }, texts.onPhone)]
    const retry = this.#button('retry', texts.retry, 'wide outlined', () => void this.refresh())
    if (phone === null) return [retry]
    if (this.#trouble !== null) return [this.#facts(phone), retry, this.#github(phone)]
    return [this.#facts(phone), this.#channels(), this.#github(phone), this.#reset(phone)]
  }

  #facts(phone: Phone): Node {
    const texts = this.#texts
    const channel = this.#current
    const why = this.#enrolment?.channel ? texts.assigned : phone.chosen ? texts.chosen : texts.usual
    return make(
      'dl',
      { part: 'facts' },
      make(
        'div',
        {},
        make('dt', {}, texts.device),
        make(
          'dd',
          { class: 'id' },
          make('code', { part: 'device' }, phone.device),
          this.#button('copy', texts.copy, 'outlined', () => void this.#copy(phone.device)),
        ),
      ),
      make(
        'div',
        {},
        make('dt', {}, texts.channel),
        make('dd', { class: 'name', part: 'channel' }, channel ?? texts.unknown),
        channel === null ? null : make('dd', { class: 'hint' }, why),
      ),
      make(
        'div',
        {},
        make('dt', {}, texts.version),
        make('dd', { class: 'name', part: 'version' }, phone.bundle ?? phone.native),
        make(
          'dd',
          { class: 'hint' },
          phone.bundle === null ? texts.fromStore : fill(texts.inApp, { native: phone.native }),
        ),
      ),
    )
  }

  #channels(): Node | null {
    const texts = this.#texts
    const isOffered = this.hasAttribute('self-assign') || this.hasAttribute('endpoint')
    if (!isOffered) return null
    const current = this.#current
    if (this.#isElsewhere)
      return make('p', { class: 'note plain' }, fill(texts.elsewhere, { channel: current ?? '' }))
    const offers = this.#offers
    if (offers.length === 0) return make('p', { class: 'note plain' }, texts.none)
    const rows = offers.map((offer, index) => {
      const isHere = offer.channel === current
      const button = isHere
        ? this.#button(`channel-${index}`, texts.leave, 'outlined', () => void this.#leave())
        : this.#button(`channel-${index}`, texts.join, 'primary', () => void this.#join(offer))
      button.ariaLabel = fill(isHere ? texts.leaveNamed : texts.joinNamed, { channel: offer.channel })
      return make(
        'li',
        {},
        make(
          'div',
          {},
          make('div', { class: 'name' }, offer.channel),
          isHere ? make('div', { class: 'here' }, texts.here) : null,
        ),
        button,
      )
    })
    return make('section', { part: 'channels' }, make('h3', {}, texts.channels), make('ul', {}, ...rows))
  }

  #github({ device }: Phone): Node | null {
    const home = homeOf(this.getAttribute('github') ?? '')
    if (home === null) return null
    const fields = new URLSearchParams({
      template: this.getAttribute('github-template') || DEFAULT_TEMPLATE,
      device,
      name: this.getAttribute('device-name') ?? guessName(navigator.userAgent),
    })
    return make(
      'section',
      { part: 'github' },
      // Capacitor opens it in the phone's browser, where the tester is signed in.
      make(
        'a',
        {
          id: 'github',
          class: `button wide ${this.#offers.length === 0 ? 'primary' : 'outlined'}`,
          href: `${home}/issues/new?${fields}`,
          target: '_blank',
          rel: 'noopener',
        },
        this.#texts.github,
      ),
      make('p', { class: 'hint' }, this.#texts.githubHint),
    )
  }

  #reset({ bundle }: Phone): Node | null {
    if (!this.hasAttribute('reset') || bundle === null) return null
    return this.#button('reset', this.#texts.reset, 'wide quiet', () => this.#askReset())
  }

  #askReset(): void {
    const texts = this.#texts
    const confirm = make('button', { class: 'wide primary', type: 'button' }, texts.resetConfirm)
    const cancel = make('button', { class: 'wide outlined', type: 'button' }, texts.cancel)
    const dialog = make(
      'dialog',
      { 'aria-labelledby': 'reset-title', part: 'dialog' },
      make('h3', { id: 'reset-title' }, texts.resetTitle),
      make('p', {}, texts.resetText),
      this.hasAttribute('github') || this.#isElsewhere ? make('p', { class: 'hint' }, texts.resetTeam) : null,
      make('div', { class: 'choices' }, confirm, cancel),
    )
    confirm.addEventListener('click', () => {
      dialog.close()
      void this.#goBack()
    })
    cancel.addEventListener('click', () => dialog.close())
    dialog.addEventListener('close', () => {
      dialog.remove()
      this.shadowRoot?.getElementById('reset')?.focus()
    })
    this.shadowRoot?.append(dialog)
    dialog.showModal()
  }

  #button(id: string, text: string, look: string, act: () => void): HTMLElement {
    const button = make('button', { id, type: 'button', class: look }, text)
    // Not `disabled`: that would drop the focus.
    if (this.#isBusy) button.ariaDisabled = 'true'
    button.addEventListener('click', () => {
      if (!this.#isBusy) act()
    })
    return button
  }

  async #copy(text: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text)
      this.#say('good', this.#texts.copied)
    } catch {
      // A web view without a clipboard: the id is selected, to be copied by hand.
      const code = this.shadowRoot?.querySelector('code')
      if (code) getSelection()?.selectAllChildren(code)
      this.#say('plain', this.#texts.selected)
    }
  }
}

/** A sheet, not an element: `style-src 'self'` forbids those. */
function addStyle(root: ShadowRoot): void {
  try {
    const sheet = new CSSStyleSheet()
    sheet.replaceSync(STYLE)
    root.adoptedStyleSheets = [sheet]
  } catch {
    // iOS before 16.4.
    root.append(make('style', {}, STYLE))
  }
}

function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes,
  ...children: Child[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value))
  element.append(...children.filter(child => child !== null))
  return element
}

/** The repository's page. Null where the text is neither `owner/name` nor an address of the web. */
function homeOf(repository: string): string | null {
  const isName = /^[\w.-]+\/[\w.-]+$/.test(repository)
  if (!isName && !/^https?:\/\//i.test(repository)) return null
  return (isName ? `https://github.com/${repository}` : repository).replace(/\/+$/, '')
}

/** The phone's name by its web view, such as "Pixel 9" or "iPhone"; the tester can change it in the form. */
function guessName(userAgent: string): string {
  const [, apple] = /\((iPhone|iPad)/.exec(userAgent) ?? []
  const [, android] = /Android [^;)]+; ([^;)]+?)(?: Build\/[^;)]*)?[;)]/.exec(userAgent) ?? []
  return apple ?? (android === undefined || android === 'K' ? '' : android)
}

if (globalThis.customElements?.get('join-beta') === undefined)
  globalThis.customElements?.define('join-beta', JoinBeta)

declare global {
  interface HTMLElementTagNameMap {
    'join-beta': JoinBeta
  }
}
