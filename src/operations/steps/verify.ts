/** Asks for the update as a device does, and checks what it would install. */
import type { Opener, Session } from '../../bundle/encrypt.ts'
import type { BundleRow, ChannelRow } from '../../capgo/schema.ts'
import type { Offer } from '../../capgo/updates.ts'
import type { RunContext } from '../../context.ts'
import { ActionError } from '../../errors.ts'
import { shortDevice } from '../../plan/device-id.ts'
import { activeRollout, formatShare } from '../../plan/rollout.ts'
import type { NativeVersion } from '../../plan/types.ts'
import { formatDuration, plural } from '../../report/format.ts'
import { formatBytes } from '../../runtime/bytes.ts'
import { sha256 } from '../../runtime/digest.ts'
import { plainSha256 } from './served-contents.ts'
import { checkFiles } from './verify-files.ts'

/** The update that a channel must offer to devices. */
interface ExpectedUpdate {
  readonly appId: string
  readonly channel: ChannelRow
  readonly bundle: BundleRow
  readonly natives: readonly NativeVersion[]
  /** The work of the app's public key; null when neither that nor the private one is known here. */
  readonly opener: Opener | null
}

/** The result of a verification: a sentence for the summary, and warnings. */
interface Verification {
  readonly said: string | null
  readonly warnings: readonly string[]
}

/** Refusals that no waiting changes, whatever bundle they are about. */
const PERMANENT_REFUSALS =
  /^(on_premise_app|provider_infrastructure_request_blocked|unsupported_plugin_version|semver_error)$/

/** Throws `verify_impossible` before anything is built or written. `bundle` is null where it is made by this run. */
export function requireVerifiable(
  channel: ChannelRow | null,
  natives: readonly NativeVersion[],
  { bundle, opener }: { readonly bundle: BundleRow | null; readonly opener: Opener | null },
  { inputs }: RunContext,
): void {
  if (!inputs.verify) return
  if (natives.length === 0)
    throw new ActionError(
      'verify_impossible',
      'Cannot verify the publish, because no native version is known.',
      {
        hint: 'Set the input "native-version". "verify" requests the update like a device, which sends its native version.',
      },
    )
  if (channel !== null) requireAnswers(channel, natives)
  if (bundle?.session_key && opener === null)
    throw new ActionError(
      'verify_impossible',
      `Bundle ${bundle.name} is encrypted, and no key to open it is known.`,
      {
        hint: 'Check the repository out in an earlier step, for the public key of the Capacitor config. Or set the input "private-key", or remove the input "verify".',
      },
    )
}

/** Throws when no device that could be asked as is answered by this channel. */
function requireAnswers(channel: ChannelRow, natives: readonly NativeVersion[]): void {
  if (!channel.public && !channel.allow_device_self_set)
    throw new ActionError(
      'verify_impossible',
      `Cannot verify channel ${channel.name}: it is private, and answers only devices with an override.`,
      {
        hint: 'Remove the input "verify" for this channel, or allow devices to join it (Capgo console, "Allow devices to self set").',
      },
    )
  if (askingApps(natives, channel).length > 0) return
  const platforms = [...new Set(platformsOf(natives))].join(' and ')
  throw new ActionError(
    'verify_impossible',
    `Cannot verify channel ${channel.name}: it is off for ${platforms}, so no known device gets its bundle.`,
    {
      hint: 'Switch the platform on in the Capgo console (channel, "Platforms"). Or set the input "native-version" for apps of another platform, or remove the input "verify" for this channel.',
    },
  )
}

/**
 * Asks for the update as a newly installed app would, once for each native version and platform, until it is offered,
 * and checks the SHA-256 of what is downloaded. Throws `not_offered` or `download_differs`: the channel serves the
 * bundle then, and devices do not get it.
 */
export async function verifyAsDevice(expected: ExpectedUpdate, context: RunContext): Promise<Verification> {
  const { appId, channel, bundle, natives } = expected
  const { deps, capgo } = context
  requireAnswers(channel, natives)
  const active = activeRollout(channel)
  if (active !== null)
    return {
      said: null,
      warnings: [
        `Not verified, because channel ${channel.name} is rolling out a bundle to ${formatShare(active.bps)} of its devices.`,
      ],
    }
  const deviceId = deviceOf(appId)
  return deps.log.group('Verify the update as a device', async () => {
    deps.log.info(
      `Requesting the update as device ${shortDevice(deviceId)}, one active device in every run. Capgo may need two minutes.`,
    )
    const said: string[] = []
    let checked: string | null = null
    for (const { platform, native, source } of askingApps(natives, channel)) {
      const what = `native ${native} (${platform})`
      const { offer, waited } = await capgo.waitForOffer(
        { appId, deviceId, platform, native, channel: channel.name },
        bundle.name,
        offer => isFinal(offer, bundle.name),
        (offer, pause) => deps.log.info(`${what}: ${describe(offer)}, next try in ${formatDuration(pause)}.`),
      )
      if (offer.kind !== 'offered' || offer.version !== bundle.name)
        throw notOffered(expected, offer, `native ${native} (${platform}, ${source})`, waited)
      deps.log.info(
        `${what}: offered ${bundle.name}${waited === 0 ? ' at once' : ` after ${formatDuration(waited)}`}.`,
      )
      if (checked === null) deps.log.info('Checking the download.')
      checked ??= await checkOffer(expected, offer, context)
      said.push(`${what}${waited === 0 ? '' : ` after ${formatDuration(waited)}`}`)
    }
    const unasked = [...new Set(platformsOf(natives))].filter(platform => !channel[platform])
    return {
      said: `Verified: a device on ${said.join(' and ')} is offered ${bundle.name}, and ${checked}.`,
      warnings: unasked.map(
        platform => `Not verified for ${platform}: channel ${channel.name} is off for it.`,
      ),
    }
  })
}

/** Native versions with a platform that the channel is switched on for, each pair once. */
function askingApps(natives: readonly NativeVersion[], channel: ChannelRow) {
  const all = natives.flatMap(native =>
    platformsOf([native])
      .filter(each => channel[each])
      .map(each => ({ platform: each, native: native.version, source: native.source })),
  )
  return [...new Map(all.map(each => [`${each.platform} ${each.native}`, each])).values()]
}

function platformsOf(natives: readonly NativeVersion[]): readonly ('android' | 'ios')[] {
  return natives.flatMap(({ platform }) => (platform === 'any' ? (['android', 'ios'] as const) : [platform]))
}

/** A UUID that is the same for every run of an app. */
function deviceOf(appId: string): string {
  const hex = sha256(`capgo-publish-action ${appId}`)
  // Version 8 and the usual variant: what a UUID made by own rules has (RFC 9562).
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** A refusal of this very bundle is a rule; of another it may be an answer from before. */
function isFinal(offer: Offer, bundleName: string): boolean {
  return offer.kind === 'refused' && (PERMANENT_REFUSALS.test(offer.code) || offer.version === bundleName)
}

function describe(offer: Offer): string {
  return offer.kind === 'offered' ? `still offered ${offer.version}` : `${offer.code} (${offer.message})`
}

/** Downloads what is offered and undoes it as a device does; says what that came to. Throws `download_differs`. */
async function checkOffer(
  expected: ExpectedUpdate,
  offer: Extract<Offer, { kind: 'offered' }>,
  { capgo }: RunContext,
): Promise<string> {
  const { bundle, opener } = expected
  if (offer.checksum !== bundle.checksum)
    throw differs(expected, `devices get the checksum ${offer.checksum} instead of ${bundle.checksum}`)
  const session = offer.sessionKey === null ? null : (opener?.openSession(offer.sessionKey) ?? null)
  if (offer.sessionKey !== null && session === null)
    throw differs(expected, 'the key of the app cannot decrypt it')
  const hasZip = bundle.r2_path !== null || bundle.external_url !== null
  if (!hasZip && offer.files.length === 0)
    throw differs(expected, 'it has no zip, and devices get no list of delta files')
  const parts: string[] = []
  if (hasZip) {
    const size = await checkZip(expected, offer.url, session, capgo)
    parts.push(`what it downloads (${formatBytes(size)}) is what was published`)
  }
  if (offer.files.length > 0) {
    const { fault, looked } = await checkFiles(offer.files, session, opener, capgo)
    if (fault !== null) throw differs(expected, fault)
    parts.push(
      `all ${plural(offer.files.length, 'delta file')} are there, and ${looked} of them were downloaded and are what was published`,
    )
  }
  return parts.join(', and ')
}

/** Size of the download in bytes. */
async function checkZip(
  expected: ExpectedUpdate,
  url: string,
  session: Session | null,
  capgo: RunContext['capgo'],
): Promise<number> {
  const sha256 = plainSha256(expected.bundle, expected.opener)
  const download = await capgo.hashDownload(url, session === null ? undefined : () => session.decipher())
  if (download === null) throw differs(expected, 'it cannot be downloaded')
  // A checksum in an older form cannot be compared here.
  const isRight = sha256 === null ? session === null : download.sha256 === sha256
  if (isRight) return download.size
  throw differs(
    expected,
    download.sha256 === null
      ? 'its download differs from the encrypted content'
      : `its SHA-256 is ${download.sha256} instead of ${sha256}`,
  )
}

function differs({ channel, bundle }: ExpectedUpdate, what: string): ActionError {
  return new ActionError(
    'download_differs',
    `Channel ${channel.name} serves ${bundle.name}, but ${what}, so devices reject it.`,
    {
      hint: `Roll back ("operation: rollback" with "channel: ${channel.name}"), then publish again.`,
    },
  )
}

function notOffered(
  { bundle, channel }: ExpectedUpdate,
  offer: Offer,
  what: string,
  waited: number,
): ActionError {
  const blocked = offer.kind === 'refused' && offer.code === 'provider_infrastructure_request_blocked'
  return new ActionError(
    'not_offered',
    `Channel ${channel.name} serves ${bundle.name}, but a device on ${what} does not get it${waited === 0 ? '' : ` even after ${formatDuration(waited)}`}: ${describe(offer)}.`,
    {
      hint: blocked
        ? 'Capgo blocks requests from the data centre of this runner. Remove the input "verify", or switch off that setting of the app.'
        : 'The bundle is published. Check the rules of the channel in the Capgo console. If Capgo was only slow, re-run the job.',
    },
  )
}
