import { formatBytes, plural, shortSha } from './format.ts'
import { alert, code, codeBlock, details, escapeText, limit, link } from './markdown.ts'
import type { PreviewComment } from './preview.ts'
import { renderQr } from './qr.ts'
import {
  countChanges,
  LINES_SHOWN,
  lastLines,
  listChanges,
  renderNatives,
  row,
  setApart,
  tableOfChanges,
} from './render.ts'
import { renderMerging, renderTesterSection, renderTesters, type TesterRow } from './testers.ts'

/** GitHub takes 65,536 characters and refuses more; some room for the marker that goes before. */
const LONGEST_COMMENT = 65_536 - 1_536
/** Of the end of the output, so that what comes after it is never cut off. */
const LONGEST_OUTPUT = 20_000

/** The comment of a pull request: GitHub-flavoured Markdown, what there is to try on the first line. */
export function renderComment(comment: PreviewComment): string {
  const markdown = blocks(comment).filter(block => block !== '')
  // Code units: never fewer than the characters that GitHub counts.
  return `${limit(markdown.join('\n\n'), LONGEST_COMMENT, text => text.length)}\n`
}

/** A `kept` preview has the heading of one that is ready, where there is one. */
const HEADINGS: Readonly<Record<PreviewComment['state'], string>> = {
  building: '### 🔨 Building',
  ready: '### 📱 Preview ready',
  failed: '### ❌ No preview of',
  kept: '### 💤 No preview of',
  closed: '### 🧹 Preview closed',
}

/** What a comment of ours says; null where it says nothing that is known. */
export function stateOfComment(body: string): PreviewComment['state'] | null {
  const heading = body.split('\n').find(line => line.startsWith('### ')) ?? ''
  const states = Object.keys(HEADINGS) as PreviewComment['state'][]
  return states.find(state => heading.startsWith(HEADINGS[state])) ?? null
}

function blocks(comment: PreviewComment): string[] {
  const { bundle } = comment
  const commit = linkCommit(comment.commit)
  const warned = setApart([...refusals(comment), ...comment.warnings.map(escapeText)])
  switch (comment.state) {
    case 'building':
      return [
        `${HEADINGS.building} ${commit} for ${code(comment.channel.name)}`,
        bundle === null ? '' : still(comment),
        warned,
        phone(comment),
        footer(comment),
      ]
    case 'ready':
      return [
        `${HEADINGS.ready}: ${served(comment)}`,
        facts(comment),
        warned,
        testers(comment),
        phone(comment),
        changes(comment),
        renderNatives(comment.nativeChanges),
        renderMerging(comment.testers?.merging ?? null),
        footer(comment),
      ]
    case 'failed':
      return [
        `${HEADINGS.failed} ${commit}${why(comment)}`,
        failure(comment),
        still(comment),
        output(comment),
        warned,
        phone(comment),
        footer(comment),
      ]
    case 'kept':
      return [
        bundle === null ? `${HEADINGS.kept} ${commit}` : `${HEADINGS.ready}: ${served(comment)}`,
        bundle === null ? '' : facts(comment),
        alert('NOTE', `${commit} was not published. ${escapeText(comment.reason ?? '')}`.trim()),
        warned,
        phone(comment),
        footer(comment),
      ]
    case 'closed':
      return [HEADINGS.closed, removed(comment), movedOn(comment), warned, footer(comment)]
  }
}

/** Between these another run may put what has become of this preview's testers. */
const TESTERS = ['<!-- testers -->', '<!-- /testers -->'] as const

function testers(comment: PreviewComment): string {
  return comment.testers === null ? '' : setTesters(comment.testers.rows)
}

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

/** Where the testers of a closed preview are now. */
function movedOn({ testers }: PreviewComment): string {
  return testers === null ? '' : renderTesters(testers.rows)
}

function linkCommit({ sha, url }: PreviewComment['commit']): string {
  return link(code(shortSha(sha)), url)
}

/** By its name and its id; a channel that serves nothing stands for itself. */
function served({ bundle, channel }: PreviewComment): string {
  if (bundle === null) return `channel ${code(channel.name)}`
  return `${code(bundle.name)} (${link(`bundle ${bundle.id}`, bundle.url)})`
}

/** Where it is, what it was made from, who has it, and what can take it. */
function facts({ bundle, commit, channel, devices, natives, web }: PreviewComment): string {
  const size = bundle?.size ?? null
  const takers = natives.filter(({ refusal }) => refusal === null).map(nameNative)
  return [
    row([
      `Channel ${code(channel.name)}`,
      `commit ${linkCommit(bundle?.from ?? commit)}`,
      size === null ? '' : formatBytes(size),
      devices === null ? '' : devices === 0 ? 'on no device yet' : `on ${plural(devices, 'device')}`,
    ]),
    row([
      web !== null && 'url' in web ? `🌐 ${link('Open in the browser', web.url)}` : '',
      takers.length === 0 ? '' : `runs on ${takers.join(' and ')}`,
    ]),
  ]
    .filter(line => line !== '')
    .join('<br>')
}

const PLATFORMS: Readonly<Record<string, string>> = { android: 'Android', ios: 'iOS' }

function nameNative({ platform, version }: PreviewComment['natives'][number]): string {
  return `${PLATFORMS[platform] ?? escapeText(platform)} ${code(version)}`
}

/** A sentence for each native version that a rule keeps from taking the bundle. */
function refusals({ natives }: PreviewComment): string[] {
  return natives.flatMap(native =>
    native.refusal === null ? [] : [`${nameNative(native)} does not take it: ${escapeText(native.refusal)}`],
  )
}

/** What the channel serves while this commit is not on it; nothing is said of a channel that is not known. */
function still(comment: PreviewComment): string {
  const { bundle, channel } = comment
  if (channel.name === '') return ''
  if (bundle === null) return `Channel ${code(channel.name)} serves nothing yet.`
  const what = `hannel ${code(channel.name)} still serves ${served(comment)}`
  if (bundle.from === null) return `C${what}.`
  const from = linkCommit(bundle.from)
  return comment.state === 'failed'
    ? `The earlier preview, of ${from}, still works: c${what}.`
    : `C${what} from ${from}.`
}

/** An error's code is its shortest name: `build_failed`. */
function why({ error }: PreviewComment): string {
  return error === null ? '' : `: ${escapeText(error.code.replaceAll('_', ' '))}`
}

function failure({ error }: PreviewComment): string {
  if (error === null) return ''
  const what = `<b>${escapeText(error.message)}</b>`
  return alert('CAUTION', error.hint === null ? what : `${what}\n\n${escapeText(error.hint)}`)
}

function output({ error }: PreviewComment): string {
  const text = error?.output ?? ''
  if (text.trim() === '') return ''
  // Fewer lines where they are long, so that the last are there.
  let lines = LINES_SHOWN
  let block = codeBlock(lastLines(text, lines))
  while (block.length > LONGEST_OUTPUT && lines > 1) {
    lines = Math.floor(lines / 2)
    block = codeBlock(lastLines(text, lines))
  }
  return details('<b>End of the output</b>', block)
}

/** The ways onto a phone: the code to scan, the link that it holds, the app's own switcher. */
function phone({ state, deepLink, channel, bundle, web }: PreviewComment): string {
  if (deepLink === null) return ''
  const qr = renderQr(deepLink)
  const setChannel = `await CapacitorUpdater.setChannel({ channel: ${JSON.stringify(channel.name)}, triggerAutoUpdate: true })`
  const parts = [
    qr === null ? '' : `Scan it with the phone's camera; the Capgo app opens it:\n\n${qr}`,
    `${qr === null ? 'Open' : 'Or open'} this on the phone:\n\n${codeBlock(deepLink)}`,
    channel.selfAssignable ? `Or, in an app with a channel switcher:\n\n${codeBlock(setChannel)}` : '',
    web !== null && 'why' in web ? `No preview in the browser: ${escapeText(web.why)}.` : '',
  ].filter(part => part !== '')
  const what = state === 'ready' || bundle === null ? 'it' : code(bundle.name)
  return details(`<b>Try ${what} on a phone</b>`, parts.join('\n\n'))
}

function changes({ change }: PreviewComment): string {
  if (change === null) return ''
  const base = `${code(change.channel)} (${code(change.since)})`
  const files = listChanges(change)
  if (files.length === 0) return `No file differs from ${base}.`
  return details(
    `<b>${countChanges(files)}</b> against ${base} · ${formatBytes(change.download)} to download`,
    tableOfChanges(files),
  )
}

function removed({ removed, channel }: PreviewComment): string {
  if (removed === null) return ''
  const gone = [
    removed.channel ? `channel ${code(channel.name)}` : '',
    removed.bundles === 0 ? '' : plural(removed.bundles, 'bundle'),
  ].filter(part => part !== '')
  const what = gone.length === 0 ? 'There was nothing left to remove.' : `Removed ${gone.join(' and ')}.`
  const released =
    removed.devices === 0
      ? ''
      : ` ${plural(removed.devices, 'device is', 'devices are')} back on the default channel.`
  // Capgo does not fall back for a device that asks for a channel by its name.
  const chosen = removed.channel
    ? ' A device that chose the channel itself keeps its last bundle until it chooses another.'
    : ''
  const kept = removed.kept.map(sentence => `- ${escapeText(sentence)}`)
  return `${what}${released}${chosen}${kept.length === 0 ? '' : `\n\n${kept.join('\n')}`}`
}

function footer({ appId, runUrl, error }: PreviewComment): string {
  const failed = error === null ? '' : `error ${code(error.code)}`
  return `<sub>${row([escapeText(appId), failed, link('workflow run', runUrl)])}</sub>`
}
