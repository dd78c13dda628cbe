/** The comment of a pull request: GitHub-flavoured Markdown, what there is to try on the first line. */
import { NO_RELEASE_NOTES } from '../plan/release-notes.ts'
import { formatBytes } from '../runtime/bytes.ts'
import { LINES_SHOWN, lastLines, plural, shortSha } from './format.ts'
import { alert, code, codeBlock, details, escapeText, limit, link, row, warn } from './markdown.ts'
import type { CommentCommit, OnPhone, PreviewComment, ReadyComment, ServedBundle } from './preview-comment.ts'
import { renderQr } from './qr.ts'
import { renderReleaseNotes } from './release-notes.ts'
import { countChanges, listChanges, renderNativeChanges, tableOfChanges } from './tables.ts'
import { renderMerging, renderTesterSection, renderTesters, type TesterRow } from './testers.ts'

/** GitHub takes 65,536 characters and refuses more; some room for the marker that goes before. */
const MAX_COMMENT = 65_536 - 1_536
/** Of the end of the output, so that what comes after it is never cut off. */
const MAX_OUTPUT = 20_000

export function renderComment(comment: PreviewComment): string {
  const markdown = blocks(comment).filter(block => block !== '')
  // Code units: never fewer than the characters that GitHub counts.
  return `${limit(markdown.join('\n\n'), MAX_COMMENT, text => text.length)}\n`
}

/** A `kept` preview has the heading of one that is ready, where there is one. */
const HEADINGS: Readonly<Record<PreviewComment['state'], string>> = {
  building: '### 🔨 Building',
  ready: '### 📱 Preview ready',
  failed: '### ❌ No preview of',
  kept: '### 💤 No preview of',
  closed: '### 🧹 Preview closed',
  missing: '### ⚠️ Preview missing',
}

/** What a comment of ours says; null where it says nothing that is known. */
export function stateOfComment(body: string): PreviewComment['state'] | null {
  const heading = body.split('\n').find(line => line.startsWith('### ')) ?? ''
  const states = Object.keys(HEADINGS) as PreviewComment['state'][]
  return states.find(state => heading.startsWith(HEADINGS[state])) ?? null
}

type Of<State extends PreviewComment['state']> = Extract<PreviewComment, { state: State }>

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
  const { channelName, served } = comment
  return [
    `${HEADINGS.building} ${linkCommit(comment.commit)} for ${code(channelName)}`,
    served === null ? '' : still(channelName, served),
    phoneOfServed(comment),
    footer(comment),
  ]
}

function ready(comment: ReadyComment): string[] {
  const { bundle, channelName, web } = comment
  return [
    `${HEADINGS.ready}: ${nameBundle(bundle)}`,
    facts(comment),
    warn([...refusals(comment), ...comment.warnings.map(escapeText)]),
    comment.testers === null ? '' : setTesters(comment.testers.rows),
    phone(
      'it',
      channelName,
      bundle,
      'why' in web ? `No preview in the browser: ${escapeText(web.why)}.` : '',
    ),
    changes(comment),
    renderNativeChanges(comment.nativeChanges),
    renderMerging(comment.testers?.merging ?? null),
    footer(comment),
  ]
}

function failed(comment: Of<'failed'>): string[] {
  const { channelName, served, error } = comment
  const what = `<b>${escapeText(error.message)}</b>`
  return [
    // An error's code is its shortest name: `build_failed`.
    `${HEADINGS.failed} ${linkCommit(comment.commit)}: ${escapeText(error.code.replaceAll('_', ' '))}`,
    alert('CAUTION', error.hint === null ? what : `${what}\n\n${escapeText(error.hint)}`),
    served === null ? `Channel ${code(channelName)} serves nothing yet.` : stillWorks(channelName, served),
    output(error.output ?? ''),
    phoneOfServed(comment),
    footer(comment, `error ${code(error.code)}`),
  ]
}

function kept(comment: Of<'kept'>): string[] {
  const { channelName, served } = comment
  const commit = linkCommit(comment.commit)
  const shown = served?.from ?? comment.commit
  return [
    served === null ? `${HEADINGS.kept} ${commit}` : `${HEADINGS.ready}: ${nameBundle(served)}`,
    served === null ? '' : row([`Channel ${code(channelName)}`, `commit ${linkCommit(shown)}`]),
    alert('NOTE', `${commit} was not published. ${escapeText(comment.reason)}`.trim()),
    phoneOfServed(comment),
    footer(comment),
  ]
}

function closed(comment: Of<'closed'>): string[] {
  return [HEADINGS.closed, removed(comment), renderTesters(comment.testers), footer(comment)]
}

function missing({ commit, reason, served, appId }: Of<'missing'>): string[] {
  return [
    `${HEADINGS.missing}: ${linkCommit(commit)}`,
    `${escapeText(reason)} Push a commit, or run the workflow again, to make the preview again.`,
    served === null ? '' : still(served.channelName, served),
    `<sub>${escapeText(appId)}</sub>`,
  ]
}

/** Between these another run may put what has become of this preview's testers. */
const TESTERS = ['<!-- testers -->', '<!-- /testers -->'] as const

function setTesters(rows: readonly TesterRow[]): string {
  return [TESTERS[0], renderTesterSection(rows), TESTERS[1]].filter(part => part !== '').join('\n\n')
}

/** The comment with these testers instead; as it is when it has no place for them. */
export function replaceTesters(body: string, rows: readonly TesterRow[]): string {
  const from = body.indexOf(TESTERS[0])
  const to = body.indexOf(TESTERS[1], from)
  if (from < 0 || to < 0) return body
  return body.slice(0, from) + setTesters(rows) + body.slice(to + TESTERS[1].length)
}

function linkCommit({ sha, url }: CommentCommit): string {
  return link(code(shortSha(sha)), url)
}

/** By its name and its id. */
function nameBundle({ id, name, url }: Pick<ServedBundle, 'id' | 'name' | 'url'>): string {
  return `${code(name)} (${link(`bundle ${id}`, url)})`
}

/** Where it is, what it was made from, who has it, and what can take it. */
function facts({ bundle, commit, channelName, devices, nativeVersions, web }: ReadyComment): string {
  const takers = nativeVersions.filter(({ refusal }) => refusal === null).map(nameNative)
  return [
    row([
      `Channel ${code(channelName)}`,
      `commit ${linkCommit(commit)}`,
      bundle.size === null ? '' : formatBytes(bundle.size),
      devices === null ? '' : devices === 0 ? 'on no device yet' : `on ${plural(devices, 'device')}`,
    ]),
    row([
      'url' in web ? `🌐 ${link('Open in the browser', web.url)}` : '',
      takers.length === 0 ? '' : `runs on ${takers.join(' and ')}`,
    ]),
  ]
    .filter(line => line !== '')
    .join('<br>')
}

const PLATFORMS: Readonly<Record<string, string>> = { android: 'Android', ios: 'iOS' }

function nameNative({ platform, version }: ReadyComment['nativeVersions'][number]): string {
  return `${PLATFORMS[platform] ?? escapeText(platform)} ${code(version)}`
}

/** A sentence for each native version that a rule keeps from taking the bundle. */
function refusals({ nativeVersions }: ReadyComment): string[] {
  return nativeVersions.flatMap(native =>
    native.refusal === null ? [] : [`${nameNative(native)} does not take it: ${escapeText(native.refusal)}`],
  )
}

/** What the channel serves while this commit is not on it. */
function still(channelName: string, served: ServedBundle): string {
  const from = served.from === null ? '' : ` from ${linkCommit(served.from)}`
  return `Channel ${code(channelName)} still serves ${nameBundle(served)}${from}.`
}

function stillWorks(channelName: string, served: ServedBundle): string {
  if (served.from === null) return still(channelName, served)
  return `The earlier preview, of ${linkCommit(served.from)}, still works: channel ${code(channelName)} still serves ${nameBundle(served)}.`
}

function output(text: string): string {
  if (text.trim() === '') return ''
  // Fewer lines where they are long, so that the last are there.
  let lines = LINES_SHOWN
  let block = codeBlock(lastLines(text, lines))
  while (block.length > MAX_OUTPUT && lines > 1) {
    lines = Math.floor(lines / 2)
    block = codeBlock(lastLines(text, lines))
  }
  return details('<b>End of the output</b>', block)
}

function phoneOfServed({ channelName, served }: Of<'building' | 'failed' | 'kept'>): string {
  return served === null ? '' : phone(code(served.name), channelName, served)
}

/** The ways onto a phone: the code to scan, the link that it holds, the app's own switcher. */
function phone(what: string, channelName: string, { deepLink, selfAssignable }: OnPhone, more = ''): string {
  const qr = renderQr(deepLink)
  const setChannel = `await CapacitorUpdater.setChannel({ channel: ${JSON.stringify(channelName)}, triggerAutoUpdate: true })`
  const parts = [
    qr === null ? '' : `Scan it with the phone's camera; the Capgo app opens it:\n\n${qr}`,
    `${qr === null ? 'Open' : 'Or open'} this on the phone:\n\n${codeBlock(deepLink)}`,
    selfAssignable ? `Or, in an app with a channel switcher:\n\n${codeBlock(setChannel)}` : '',
    more,
  ].filter(part => part !== '')
  return details(`<b>Try ${what} on a phone</b>`, parts.join('\n\n'))
}

function changes({ change, releaseNotes = NO_RELEASE_NOTES }: ReadyComment): string {
  const notes = renderReleaseNotes(releaseNotes)
  if (change === null) return notes === '' ? '' : details('<b>What changed</b>', notes)
  const base = `${code(change.channel)} (${code(change.since)})`
  const files = listChanges(change)
  if (files.length === 0) return `No file differs from ${base}.`
  return details(
    `<b>${countChanges(files)}</b> against ${base} · ${formatBytes(change.download)} to download`,
    [notes, tableOfChanges(files)].filter(part => part !== '').join('\n\n'),
  )
}

function removed({ removed }: Of<'closed'>): string {
  const gone = [
    removed.channel === null ? '' : `channel ${code(removed.channel)}`,
    removed.bundles === 0 ? '' : plural(removed.bundles, 'bundle'),
  ].filter(part => part !== '')
  const what = gone.length === 0 ? 'There was nothing left to remove.' : `Removed ${gone.join(' and ')}.`
  const released =
    removed.devices === 0
      ? ''
      : ` ${plural(removed.devices, 'device is', 'devices are')} back on the default channel.`
  // Capgo does not fall back for a device that asks for a channel by its name.
  const chosen =
    removed.channel === null
      ? ''
      : ' A device that chose the channel itself keeps its last bundle until it chooses another.'
  const kept = removed.kept.map(sentence => `- ${escapeText(sentence)}`)
  return `${what}${released}${chosen}${kept.length === 0 ? '' : `\n\n${kept.join('\n')}`}`
}

function footer({ appId, runUrl }: PreviewComment, failed = ''): string {
  return `<sub>${row([escapeText(appId), failed, link('workflow run', runUrl)])}</sub>`
}
