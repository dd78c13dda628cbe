/** Previews: which pull requests get one, and on which channel. Pure. */
import type { App, BundleRow, ChannelRow } from '../capgo/schema.ts'
import { ActionError } from '../errors.ts'
import type { PullRequest, Trigger } from '../event.ts'
import { readServedCommit } from './bundle-comment.ts'
import { ENROLMENT_BRANCH } from './enrolment.ts'
import type { Commit } from './types.ts'
import { mayShow } from './version.ts'

/** The facts that decide whether a pull request gets a preview. */
export interface PreviewInputs {
  /** Only pull requests with this label; null = all. */
  readonly previewLabel: string | null
  readonly previewDrafts: boolean
}

type Previewed = Pick<PullRequest, 'number' | 'open' | 'merged' | 'draft' | 'labels' | 'headRef'>

/** Why a pull request, as it is now, has no preview; null = it has one. */
export function whyNoPreview(
  { number, open, merged, draft, labels, headRef }: Previewed,
  { previewLabel, previewDrafts }: PreviewInputs,
): string | null {
  if (!open) return `#${number} was ${merged ? 'merged' : 'closed'}`
  if (previewLabel !== null && !hasLabel(labels, previewLabel))
    return `#${number} has no label "${previewLabel}"`
  // Anybody may have asked for it, and a preview would move the phones of testers.
  if (headRef.startsWith(ENROLMENT_BRANCH)) return `#${number} is a tester's request`
  if (draft && !previewDrafts) return `#${number} is a draft`
  return null
}

/** Whether a pull request, as it is now, has a preview. */
export function wantsPreview(pull: Previewed, inputs: PreviewInputs): boolean {
  return whyNoPreview(pull, inputs) === null
}

/** GitHub keeps the case of a label and takes no other that differs in it alone. */
export function hasLabel(labels: readonly string[], wanted: string): boolean {
  return labels.some(label => label.toLowerCase() === wanted.toLowerCase())
}

/** As long as a channel's name may be. */
const MAX_NAME_LENGTH = 64
/** Digits of the largest number that a pull request may have. */
const MAX_NUMBER_LENGTH = 10
/** Room for a branch, and for what tells it from others that are called alike. */
const MIN_BRANCH_LENGTH = 12

/** Why a template cannot name the channels of previews, or null. */
export function checkPreviewTemplate(template: string): { why: string; hint: string } | null {
  const unknown = /\{(?!number\}|branch\})[^}]*\}?/.exec(template)?.[0]
  if (unknown !== undefined)
    return { why: `has the unknown placeholder ${unknown}.`, hint: 'Available: {number}, {branch}.' }
  const count = (placeholder: string) => template.split(placeholder).length - 1
  const literal = template.replace(/\{(?:number|branch)\}/g, '').length
  const longest = literal + count('{number}') * MAX_NUMBER_LENGTH + count('{branch}') * MIN_BRANCH_LENGTH
  if (longest > MAX_NAME_LENGTH)
    return {
      why: `"${template}" is too long: with number or branch, a channel name can have ${MAX_NAME_LENGTH} characters.`,
      hint: 'Shorten it, for example to "pr-{number}".',
    }
  // `{branch}{number}` is "a12" for branch "a", #12, and for branch "a1", #2.
  if (/\{branch\}[0-9]*\{number\}|\{number\}[0-9]*\{branch\}/.test(template))
    return {
      why: `"${template}" gives two pull requests the same channel: nothing separates {number} from {branch}.`,
      hint: 'Put a "-" between the two.',
    }
  return null
}

/**
 * The preview channel of a pull request: `{number}` and `{branch}` of the template filled in. A branch that is too
 * long is cut, nothing else. Without `{number}` a branch whose name had to be changed, or that is of a fork, ends with
 * a hash of it, so that `a/b` and `a-b` have two channels.
 */
export function previewChannelName(
  template: string,
  { number, headRef, fork }: Pick<PullRequest, 'number' | 'headRef' | 'fork'>,
): string {
  const numbered = template.replaceAll('{number}', String(number))
  const parts = numbered.split('{branch}')
  const room = Math.max(
    1,
    Math.floor((MAX_NAME_LENGTH - parts.join('').length) / Math.max(1, parts.length - 1)),
  )
  const plain = trimmed(headRef.replace(/[^A-Za-z0-9._-]+/g, '-'))
  const isUnique = template.includes('{number}') || (plain === headRef && plain.length <= room && !fork)
  const suffix = isUnique ? '' : `-${hash(fork ? `${headRef}#${number}` : headRef)}`
  const branch = trimmed(plain.slice(0, Math.max(1, room - suffix.length))) || 'branch'
  return parts.join(`${branch}${suffix}`.slice(0, room)).slice(0, MAX_NAME_LENGTH)
}

function trimmed(name: string): string {
  return name.replace(/^[._-]+|[._-]+$/g, '')
}

/** Eight hex digits (FNV-1a): enough to tell the branches of one repository apart. */
function hash(text: string): string {
  let value = 0x811c9dc5
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193)
  return (value >>> 0).toString(16).padStart(8, '0')
}

/**
 * Why a preview must not replace what a channel is or serves, or null. A preview takes over channels without a bundle
 * and those that serve a preview of this repository: nothing that is public, that a branch publishes to, that another
 * repository previews on, or that somebody made by hand. `pull` is `owner/name#12`.
 */
export function checkPreviewChannel(
  channel: Pick<ChannelRow, 'name' | 'public' | 'version'>,
  { pull = '', repository: id }: Pick<Commit, 'pull' | 'repository'>,
): ActionError | null {
  const [repository, number] = splitPull(pull)
  const refuse = (what: string, hint: string) =>
    new ActionError(
      'preview_channel_taken',
      `The preview of #${number} cannot use channel ${channel.name}, which ${what}.`,
      { hint },
    )
  const hint = 'Use separate channels for previews, such as preview-channel: pr-{number}.'
  if (channel.public) return refuse("is the app's public channel", hint)
  const served = channel.version
  if (served === null) return null
  const note = readServedCommit(served, channel.name)
  if (note === null) {
    // A key may be too weak to note it, and the name says it too.
    if (mayShow(served.name, '', channel.name, { kind: 'preview', pull: Number(number) })) return null
    return refuse(
      `serves ${served.name}, which is not a preview`,
      `${hint} Delete the channel in the Capgo console if nobody uses it.`,
    )
  }
  if (note.pull === null) return refuse(`serves ${served.name}, which ${note.refName} published`, hint)
  // A repository that was renamed keeps its id.
  const isOwn =
    note.repository !== null && id !== undefined
      ? note.repository === id
      : splitPull(note.pull)[0] === repository
  if (isOwn) return null
  return refuse(
    `serves the preview of ${note.pull}, another repository that publishes this app`,
    `Use separate channels for each repository: preview-channel: ${repository.split('/')[1]?.toLowerCase()}-{number}. If the repository was renamed, delete the channel in the Capgo console.`,
  )
}

function splitPull(pull: string): [repository: string, number: string] {
  const at = pull.lastIndexOf('#')
  return [pull.slice(0, at), pull.slice(at + 1)]
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
const MAX_LABEL_LENGTH = 63

/** Why Capgo shows a bundle neither in its own app nor in a browser. */
export type PreviewObstacle = 'self_hosted' | 'switched_off' | 'encrypted'

/** Null where it shows it, as far as is known: `app` is null where it could not be read. */
export function previewObstacle(
  app: Pick<App, 'allow_preview'> | null,
  bundle: Pick<BundleRow, 'session_key'>,
  { isCloud }: { readonly isCloud: boolean },
): PreviewObstacle | null {
  if (!isCloud) return 'self_hosted'
  if (app !== null && !app.allow_preview) return 'switched_off'
  return bundle.session_key ? 'encrypted' : null
}

/** Where a browser shows a channel, or why none can; Capgo's own app needs no delta files. */
export type WebPreview =
  | { readonly url: string }
  | { readonly why: PreviewObstacle | 'no_delta_files' | 'long_app_id' }

export function webPreview(
  app: App,
  channel: ChannelRow,
  bundle: Pick<BundleRow, 'manifest_count' | 'session_key'>,
  server: { readonly isCloud: boolean },
): WebPreview {
  const why = previewObstacle(app, bundle, server)
  if (why !== null) return { why }
  if (bundle.manifest_count === 0) return { why: 'no_delta_files' }
  const label = `c${channel.id}-${encodeAppId(app.app_id)}`
  if (label.length > MAX_LABEL_LENGTH) return { why: 'long_app_id' }
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
