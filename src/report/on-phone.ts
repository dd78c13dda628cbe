/** The part of a comment that leads onto a phone: Capgo's own app, the app's own switcher, the testers file. */
import type { WebPreview } from '../plan/preview.ts'
import { code, codeBlock, details, escapeText, link } from './markdown.ts'
import type { OnPhone, PreviewComment } from './preview-comment.ts'
import { renderQr } from './qr.ts'

/** Capgo's own app, which shows the previews of every app (Cap-go/capgo, PreviewDownloadPrompt.vue). */
const IPHONE = 'https://apps.apple.com/app/id1602316563'
const ANDROID = 'https://play.google.com/store/apps/details?id=ee.forgr.capacitor_go'

type About = Pick<PreviewComment, 'appId' | 'documents'>

interface PhonePreview {
  readonly channelName: string
  readonly bundle: OnPhone
  readonly title: string
  /** Null where a browser is not spoken of. */
  readonly web: WebPreview | null
}

/** The steps on a phone, folded. */
export function renderOnPhone({ channelName, bundle, title, web }: PhonePreview, about: About): string {
  const { documents } = about
  const ways = [
    bundle.obstacle === null ? capgoApp(bundle) : whyNot(bundle, about),
    bundle.selfAssignable
      ? `In your own app, if it has a channel switcher: choose ${code(channelName)}.`
      : '',
    bundle.obstacle === null
      ? ''
      : `Or list the phone in ${link(code('testers.json'), documents('testers'))}: it gets each preview by itself.`,
    bundle.obstacle === null && web !== null && 'why' in web ? whyNoBrowser(web.why) : '',
    link('More on previews on a phone', documents('on-your-phone')),
  ]
  const hint = bundle.obstacle === null && renderQr(bundle.deepLink) !== null ? ' (QR code)' : ''
  return details(`<b>${title}</b>${hint}`, ways.filter(way => way !== '').join('\n\n'))
}

/** One thing to do on a phone, in a few words, for the first line. */
export function nameFirstStep({ channelName, bundle }: Pick<PhonePreview, 'channelName' | 'bundle'>): string {
  const { obstacle, settings, deepLink, selfAssignable } = bundle
  if (obstacle === null)
    return `<b>On a phone:</b> ${renderQr(deepLink) === null ? 'open the link' : 'scan the code'} below`
  if (obstacle === 'switched_off' && settings !== null)
    return `<b>${link('Switch previews on', settings)}</b> to open it in a browser and in the Capgo app`
  return selfAssignable
    ? `<b>On a phone:</b> choose ${code(channelName)} in your app's channel switcher`
    : '<b>On a phone:</b> the devices of the testers file get it'
}

function capgoApp({ deepLink }: OnPhone): string {
  const qr = renderQr(deepLink)
  return [
    `1. Once: install the <b>Capgo</b> app, for ${link('iPhone', IPHONE)} or ${link('Android', ANDROID)}.`,
    qr === null
      ? '2. Open this link on the phone:'
      : `2. Scan this code with the phone's camera, or open the link below it on the phone.\n\n${qr}`,
  ]
    .join('\n')
    .concat(`\n\n${codeBlock(deepLink)}`)
}

function whyNot({ obstacle, settings }: OnPhone, { appId }: About): string {
  const so = 'Neither a browser nor the Capgo app can show it'
  if (obstacle === 'encrypted') return `${so}: the bundle is encrypted, and only your own app can decrypt it.`
  if (obstacle === 'self_hosted')
    return `${so}: they work with Capgo Cloud only, and this app is on another server.`
  const where = `Turn on "Allow bundle preview" in the ${link("app's settings", settings)}, or run this`
  return `${so}: previews are switched off for this app. ${where}:\n\n${codeBlock(`npx @capgo/cli@latest app set ${appId} --preview`)}`
}

function whyNoBrowser(why: Extract<WebPreview, { why: unknown }>['why']): string {
  return why === 'no_delta_files'
    ? 'Not in a browser: the bundle has no delta files.'
    : escapeText('Not in a browser: the app id is too long for an address.')
}
