import { createHash } from 'node:crypto'
import type { Offer } from '../capgo/updates.ts'
import type { BundleRow, ChannelRow } from '../capgo/wire.ts'
import { ActionError } from '../errors.ts'
import { activeRollout, formatShare } from '../plan/rollout.ts'
import { shortDevice } from '../plan/testers.ts'
import type { NativeVersion } from '../plan/types.ts'
import { formatBytes, formatDuration } from '../report/format.ts'
import type { RunContext } from './context.ts'

/** What a channel shall give to devices. */
export interface Verifiable {
  readonly appId: string
  readonly channel: ChannelRow
  readonly bundle: BundleRow
  readonly natives: readonly NativeVersion[]
  /** SHA-256 of the stored bytes, lower-case hex; null where only Capgo knows. */
  readonly sha256: string | null
}

/** What a verification came to: a sentence for the summary, and what could not be looked at. */
export interface Verification {
  readonly said: string | null
  readonly warnings: readonly string[]
}

/** Refusals that no waiting changes, whatever bundle they are about. */
const HOPELESS =
  /^(on_premise_app|provider_infrastructure_request_blocked|unsupported_plugin_version|semver_error)$/

/** Throws what makes a verification impossible, before anything is built or written. */
export function requireVerifiable(
  channel: ChannelRow | null,
  natives: readonly NativeVersion[],
  { inputs }: RunContext,
): void {
  if (!inputs.verify) return
  if (natives.length === 0)
    throw new ActionError('verify_impossible', 'No native version is known that a device could have.', {
      hint: 'The input "verify" asks Capgo as a device would, and devices say their native version. Set the input "native-version".',
    })
  if (channel !== null && !channel.public && !channel.allow_device_self_set)
    throw new ActionError(
      'verify_impossible',
      `Channel ${channel.name} is private: it answers only devices that an override has put on it.`,
      {
        hint: 'Leave out the input "verify" for this channel, or let devices choose it (Capgo console, "Allow devices to self set").',
      },
    )
}

/**
 * Asks for the update as a newly installed app would, once for each native version and platform, until it is offered,
 * and checks the SHA-256 of what is downloaded. Throws `not_offered` or `download_differs`: the channel serves the
 * bundle then, and devices do not get it.
 */
export async function verifyAsDevice(verifiable: Verifiable, context: RunContext): Promise<Verification> {
  const { appId, channel, bundle, natives } = verifiable
  const { deps, capgo } = context
  const active = activeRollout(channel)
  if (active !== null)
    return {
      said: null,
      warnings: [
        `Not verified: a device may be among those that channel ${channel.name} gives another bundle to (${formatShare(active.bps)} are in the rollout).`,
      ],
    }
  const deviceId = deviceOf(appId)
  return deps.log.group('Ask for the update as a device would', async () => {
    deps.log.info(
      `Device ${shortDevice(deviceId)} is always the same for this app, so that it counts as one monthly active device, however often this is asked. Capgo may take two minutes until every server knows of a change.`,
    )
    const said: string[] = []
    let size: number | null = null
    for (const { platform, native, source } of asking(natives, channel)) {
      const what = `native ${native} (${platform})`
      const { offer, waited } = await capgo.waitForOffer(
        { appId, deviceId, platform, native, channel: channel.name },
        bundle.name,
        offer => isFinal(offer, bundle.name),
        (offer, pause) =>
          deps.log.info(`${what}: ${describe(offer)}; asking again in ${formatDuration(pause)}.`),
      )
      if (offer.kind !== 'offered' || offer.version !== bundle.name)
        throw notOffered(verifiable, offer, `native ${native} (${platform}, ${source})`, waited)
      size ??= await checkDownload(verifiable, offer, context)
      deps.log.info(
        `${what}: offered ${bundle.name}${waited === 0 ? ' at once' : ` after ${formatDuration(waited)}`}.`,
      )
      said.push(`${what}${waited === 0 ? '' : ` after ${formatDuration(waited)}`}`)
    }
    const checked = size === null ? '' : `; what it downloads (${formatBytes(size)}) is what was published`
    return {
      said: `Verified: a device on ${said.join(' and ')} is offered ${bundle.name}${checked}.`,
      warnings: [],
    }
  })
}

/** Native versions with a platform that the channel is switched on for, each pair once. */
function asking(natives: readonly NativeVersion[], channel: ChannelRow) {
  const all = natives.flatMap(({ platform, version, source }) =>
    (platform === 'any' ? (['android', 'ios'] as const) : [platform])
      .filter(each => channel[each])
      .map(each => ({ platform: each, native: version, source })),
  )
  return [...new Map(all.map(each => [`${each.platform} ${each.native}`, each])).values()]
}

/** A UUID that is the same for every run of an app. */
function deviceOf(appId: string): string {
  const hex = createHash('sha256').update(`capgo-publish-action ${appId}`).digest('hex')
  // Version 8 and the usual variant: what a UUID made by own rules has (RFC 9562).
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** A refusal of this very bundle is a rule; of another it may be an answer from before. */
function isFinal(offer: Offer, bundleName: string): boolean {
  return offer.kind === 'refused' && (HOPELESS.test(offer.code) || offer.version === bundleName)
}

function describe(offer: Offer): string {
  return offer.kind === 'offered' ? `still offered ${offer.version}` : `${offer.code} (${offer.message})`
}

/** Size of the download in bytes; null where there is none to check: delta files only. */
async function checkDownload(
  { bundle, channel, sha256 }: Verifiable,
  offer: Extract<Offer, { kind: 'offered' }>,
  { capgo }: RunContext,
): Promise<number | null> {
  if (bundle.r2_path === null && bundle.external_url === null) return null
  const download = await capgo.hashDownload(offer.url)
  // The checksum of an encrypted bundle is signed: it is compared as it is.
  const expected = sha256 ?? (offer.encrypted ? null : bundle.checksum)
  if (
    download !== null &&
    offer.checksum === bundle.checksum &&
    (expected ?? download.sha256) === download.sha256
  )
    return download.size
  const what =
    download === null
      ? 'it cannot be downloaded'
      : offer.checksum !== bundle.checksum
        ? `devices are told the checksum ${offer.checksum}, and it has ${bundle.checksum}`
        : `its SHA-256 is ${download.sha256} instead of ${expected}`
  throw new ActionError(
    'download_differs',
    `Channel ${channel.name} serves ${bundle.name}, but ${what}: devices refuse it.`,
    {
      hint: `Take the channel back ("operation: rollback" with "channel: ${channel.name}") and publish again.`,
    },
  )
}

function notOffered(
  { bundle, channel }: Verifiable,
  offer: Offer,
  what: string,
  waited: number,
): ActionError {
  const blocked = offer.kind === 'refused' && offer.code === 'provider_infrastructure_request_blocked'
  return new ActionError(
    'not_offered',
    `Channel ${channel.name} serves ${bundle.name}, but a device on ${what} is not offered it${waited === 0 ? '' : ` even after ${formatDuration(waited)}`}: ${describe(offer)}.`,
    {
      hint: blocked
        ? 'Capgo answers no requests from this runner\'s data centre. Leave out the input "verify", or switch off the app\'s setting that blocks them.'
        : 'The publish itself was done. Look at the rules of the channel in the Capgo console; if Capgo was only slow, run the job again.',
    },
  )
}
