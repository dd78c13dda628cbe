import type { App, BundleRow, ChannelRow } from '../capgo/wire.ts'
import type { PullRequest, Trigger } from '../event.ts'
import type { Commit } from './types.ts'

/** The preview channel of a pull request: `{number}` and `{branch}` of the template filled in. */
export function previewChannelName(
  template: string,
  pull: { readonly number: number; readonly headRef: string },
): string {
  const branch = pull.headRef.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[._-]+|[._-]+$/g, '')
  return template
    .replaceAll('{number}', String(pull.number))
    .replaceAll('{branch}', branch || 'branch')
    .slice(0, 64)
}

/** How a pull request is named in what this action writes: `owner/name#12`. */
export function pullName(repository: string, number: number): string {
  return `${repository}#${number}`
}

/** The head of a pull request as the commit that this run publishes. */
export function commitOfPull(pull: PullRequest, trigger: Trigger): Commit {
  return {
    ...trigger.commit,
    sha: pull.headSha,
    refName: pull.headRef,
    url: `${trigger.repositoryUrl}/commit/${pull.headSha}`,
    pull: pullName(trigger.repository, pull.number),
    ...(trigger.repositoryId === null ? {} : { repository: trigger.repositoryId }),
  }
}

/** What Capgo's preview app opens; also the text of the QR code (Capgo's own form). */
export function channelDeepLink(appId: string, channel: Pick<ChannelRow, 'id' | 'name'>): string {
  const query = new URLSearchParams({ appId, channel: channel.name, channelId: String(channel.id) })
  return `capgo://preview/channel?${query}`
}

/** A host's first label is at most this long (DNS). */
const LONGEST_LABEL = 63

/** Where a browser shows the channel, or why there is no such place. */
export function webPreview(
  app: App,
  channel: ChannelRow,
  bundle: Pick<BundleRow, 'manifest_count' | 'session_key'>,
  cloud: boolean,
): { url: string } | { why: string } {
  if (!cloud) return { why: 'only the Capgo cloud has web previews' }
  if (!app.allow_preview)
    return { why: 'web previews are switched off for this app (Capgo console, app settings)' }
  if (bundle.session_key) return { why: 'the bundle is encrypted' }
  if (bundle.manifest_count === 0)
    return { why: 'the bundle has no delta files, and web previews are made of those' }
  const label = `c${channel.id}-${encodeAppId(app.app_id)}`
  if (label.length > LONGEST_LABEL) return { why: 'the app id is too long for a host name' }
  return { url: `https://${label}.preview.capgo.app/` }
}

/** An app id inside a host name (Capgo's own encoding): `com.My-App` -> `com-0-my-1-app`. */
function encodeAppId(appId: string): string {
  return [...appId]
    .map(character =>
      character === '.'
        ? '-0'
        : character === '-'
          ? '-1'
          : /[A-Z]/.test(character)
            ? `-${character.toLowerCase()}`
            : character,
    )
    .join('')
}
