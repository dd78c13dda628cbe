/** The comment of a pull request: what happened, one thing to click, the rest folded with problems first. */

import { troubleshooting } from '../documents.ts'
import { NO_RELEASE_NOTES } from '../plan/release-notes.ts'
import { formatBytes } from '../runtime/bytes.ts'
import { findErrorLine } from './build-error.ts'
import { commitLine, endOfOutput, foldWarnings, footer, linkCommit, stillWorks } from './comment-parts.ts'
import { formatDuration, formatTime, PLATFORMS, plural } from './format.ts'
import { alert, clip, code, details, escapeText, limit, link, row } from './markdown.ts'
import { nameFirstStep, renderOnPhone } from './on-phone.ts'
import type { CommentTesters, PreviewComment, ReadyComment } from './preview-comment.ts'
import { renderReleaseNotes } from './release-notes.ts'
import { countChanges, listChanges, renderNativeChanges, tableOfChanges } from './tables.ts'
import { renderMerging, renderTesterSection, renderTesters } from './testers.ts'

/** GitHub takes 65,536 characters and refuses more; some room for the marker that goes before. */
const MAX_COMMENT = 65_536 - 1_536
/** Of a platform or version on the first line. */
const MAX_VERSION = 40
/** So many sentences on what stays are not folded. */
const KEPT_SHOWN = 2

export function renderComment(comment: PreviewComment): string {
  const markdown = blocks(comment).filter(block => block !== '')
  // Code units: never fewer than the characters that GitHub counts.
  return `${limit(markdown.join('\n\n'), MAX_COMMENT, text => text.length)}\n`
}

type State = PreviewComment['state']

/** How a heading of each state begins. A `kept` preview has that of one that is ready, where there is one. */
export const SIGNS: Readonly<Record<State, string>> = {
  building: '🔨',
  ready: '📱',
  failed: '❌',
  kept: '💤',
  closed: '🧹',
  missing: '⚠️',
}

/** The state that a comment of ours reports; null where it is unknown. */
export function stateOfComment(body: string): State | null {
  const heading = body.split('\n').find(line => line.startsWith('### ')) ?? ''
  const states = Object.keys(SIGNS) as State[]
  return states.find(state => heading.startsWith(`### ${SIGNS[state]} `)) ?? null
}

function heading(state: State, text: string): string {
  return `### ${SIGNS[state]} ${text}`
}

type Of<S extends State> = Extract<PreviewComment, { state: S }>

function blocks(comment: PreviewComment): string[] {
  switch (comment.state) {
    case 'building':
      return building(comment)
    case 'ready':
      return ready(comment)
    case 'failed':
      return failed(comment)
    case 'kept':
      return kept(comment)
    case 'closed':
      return closed(comment)
    case 'missing':
      return missing(comment)
  }
}

function building(comment: Of<'building'>): string[] {
  const since = formatTime(comment.since)
  return [
    heading('building', 'Building the preview'),
    commitLine(comment, [since === null ? '' : `since ${since}`, `<b>${link('watch', comment.runUrl)}</b>`]),
    `This comment changes by itself when the preview is ready.${stillWorks(comment, ' Until then, the')}`,
    phoneOfServed(comment),
    footer(comment),
  ]
}

function ready(comment: ReadyComment): string[] {
  const { bundle, channelName, web } = comment
  return [
    heading('ready', 'Preview ready'),
    row([
      'url' in web ? `<b>${link('Open in the browser', web.url)}</b>` : '',
      nameFirstStep(comment),
      runsIn(comment),
    ]),
    commitLine(comment, [lived(comment), link('log', comment.runUrl)]),
    foldWarnings([...refusals(comment), ...comment.warnings]),
    renderOnPhone({ channelName, bundle, web, title: 'Try it on a phone' }, comment),
    comment.testers === null ? '' : setTesters(comment.testers),
    changes(comment),
    renderMerging(comment.testers?.merging ?? null),
    footer(comment),
  ]
}

/** An error's code is its shortest name, but for those that everybody meets. */
const FAILURES: Readonly<Record<string, string>> = {
  build_failed: 'the build broke',
  install_failed: 'the install broke',
  cancelled: 'the run was cancelled',
  run_timeout: 'the run took too long',
}

function failed(comment: Of<'failed'>): string[] {
  const { error } = comment
  const output = error.output ?? ''
  const said = findErrorLine(output)
  // How a build gets its variables is worth a look only where its own words do not help.
  const [hint, hiddenHint] = error.code === 'build_failed' ? [null, error.hint] : [error.hint, null]
  const help = `Help: ${link(escapeText(error.code), troubleshooting(comment.documents, error.code))}`
  const more = [said === null ? null : error.message, hint].map(text =>
    text === null ? '' : escapeText(text),
  )
  const why = [
    `<b>${said === null ? escapeText(error.message) : code(said)}</b>`,
    [...more, help].filter(part => part !== '').join(' '),
  ]
  return [
    heading(
      'failed',
      `Preview failed: ${FAILURES[error.code] ?? escapeText(error.code.replaceAll('_', ' '))}`,
    ),
    commitLine(comment, [link('full log', comment.runUrl)]),
    alert('CAUTION', why.join('\n\n')),
    endOfOutput(output, hiddenHint),
    stillWorks(comment, 'The'),
    phoneOfServed(comment),
    footer(comment),
  ]
}

function kept(comment: Of<'kept'>): string[] {
  const { served } = comment
  return [
    served === null ? heading('kept', 'No preview yet') : heading('ready', 'Preview ready'),
    [
      served === null ? '' : `It shows ${linkCommit(served.from ?? comment.commit)}.`,
      served !== null && served.from === null ? '' : `${linkCommit(comment.commit)} was not published.`,
      escapeText(comment.reason),
    ]
      .filter(part => part !== '')
      .join(' '),
    phoneOfServed(comment),
    footer(comment),
  ]
}

function closed(comment: Of<'closed'>): string[] {
  return [
    heading('closed', `Preview removed: ${escapeText(comment.why)}`),
    removed(comment),
    stayed(comment),
    moved(comment),
    footer(comment),
  ]
}

function missing(comment: Of<'missing'>): string[] {
  return [
    heading('missing', 'Preview missing'),
    commitLine(comment, []),
    `${escapeText(comment.reason)} Push a commit or re-run the workflow to build it again.`,
    stillWorks(comment, 'The'),
    footer(comment),
  ]
}

/** Between these another run may put what has become of this preview's testers. */
const TESTERS = ['<!-- testers -->', '<!-- /testers -->'] as const

function setTesters({ rows, addPhone }: CommentTesters): string {
  return [TESTERS[0], renderTesterSection(rows, addPhone), TESTERS[1]]
    .filter(part => part !== '')
    .join('\n\n')
}

/** The comment with these testers instead; as it is when it has no place for them. */
export function replaceTesters(body: string, testers: CommentTesters): string {
  const from = body.indexOf(TESTERS[0])
  const to = body.indexOf(TESTERS[1], from)
  if (from < 0 || to < 0) return body
  return body.slice(0, from) + setTesters(testers) + body.slice(to + TESTERS[1].length)
}

/** Since when it is there, and how long that took. */
function lived({ since, duration }: ReadyComment): string {
  const time = formatTime(since)
  const took = duration === null ? '' : `took ${formatDuration(duration).replaceAll(' ', '\u00a0')}`
  return [time === null ? '' : `live since ${time}`, took].filter(part => part !== '').join(', ')
}

function namePlatform(platform: string): string {
  const names: Readonly<Record<string, string>> = PLATFORMS
  return names[platform] ?? platform
}

/** The native versions that take it. */
function runsIn({ nativeVersions }: ReadyComment): string {
  const takers = nativeVersions.filter(({ refusal }) => refusal === null)
  if (takers.length === 0) return ''
  const byVersion = [...Map.groupBy(takers, ({ version }) => version)].map(
    ([version, natives]) =>
      `${escapeText(clip(version, MAX_VERSION))} (${natives.map(each => escapeText(clip(namePlatform(each.platform), MAX_VERSION))).join(', ')})`,
  )
  return `runs in app version ${byVersion.join(' and ')}`
}

/** A sentence for each native version that a rule keeps from taking the bundle. */
function refusals({ nativeVersions }: ReadyComment): string[] {
  return nativeVersions.flatMap(({ platform, version, refusal }) =>
    refusal === null ? [] : [`${namePlatform(platform)} app ${version} will not install it: ${refusal}.`],
  )
}

function phoneOfServed(comment: Of<'building' | 'failed' | 'kept'>): string {
  const { channelName, served } = comment
  if (served === null) return ''
  const title = comment.state === 'kept' ? 'Try it on a phone' : 'Try the last preview on a phone'
  return renderOnPhone({ channelName, bundle: served, web: null, title }, comment)
}

/** In words, native packages and files: a warning says what installed apps lack. */
function changes({ change, nativeChanges, releaseNotes = NO_RELEASE_NOTES }: ReadyComment): string {
  const notes = renderReleaseNotes(releaseNotes)
  const natives = renderNativeChanges(nativeChanges)
  const files = change === null ? [] : listChanges(change)
  if (notes !== '' && files.length === 0)
    return [details('<b>What changed</b>', notes), natives].filter(part => part !== '').join('\n\n')
  if (change === null) return natives
  const base = code(change.channel)
  if (files.length === 0) return natives === '' ? `No file differs from ${base}.` : natives
  return details(
    `<b>Changes:</b> ${countChanges(files, 'file')} since ${base} · ${formatBytes(change.download)} to download`,
    [notes, natives, tableOfChanges(files)].filter(part => part !== '').join('\n\n'),
  )
}

function removed({ removed }: Of<'closed'>): string {
  const gone = [
    removed.channel === null ? '' : `channel ${code(removed.channel)}`,
    removed.bundles === 0 ? '' : plural(removed.bundles, 'bundle'),
  ].filter(part => part !== '')
  if (gone.length === 0) return 'Nothing was left to remove.'
  // Capgo does not fall back for a device that asks for a channel by its name.
  const chosen =
    removed.channel === null
      ? ''
      : ' Devices that joined this channel themselves keep this version until they switch.'
  return `Deleted ${gone.join(' and ')}.${chosen}`
}

function stayed({ removed: { kept } }: Of<'closed'>): string {
  const list = kept.map(sentence => `- ${escapeText(sentence)}`).join('\n')
  return kept.length > KEPT_SHOWN ? details(`<b>${kept.length} things stay</b>`, list) : list
}

/** Which channel its devices follow now: those of testers one by one, the others by number. */
function moved({ removed: { devices }, testers }: Of<'closed'>): string {
  const released = testers.filter(({ state }) => /^(?:release|expired|none)$/.test(state))
  const followed = testers.filter(({ state }) => state === 'set' || state === 'there')
  const byChannel = [...Map.groupBy(followed, ({ to }) => to ?? '')].map(
    ([channel, rows]) => [code(channel), rows.length] as const,
  )
  const back = devices + released.length
  const counts = [...(back === 0 ? [] : [['the default channel again', back] as const]), ...byChannel].map(
    ([where, count]) => `${plural(count, 'follows', 'follow')} ${where}`,
  )
  if (testers.length === 0)
    return back === 0 ? '' : `${plural(back, 'device follows', 'devices follow')} the default channel again.`
  return details(
    `<b>Devices:</b> ${counts.length === 0 ? plural(testers.length, 'tester') : counts.join(', ')}`,
    renderTesters(testers),
  )
}
