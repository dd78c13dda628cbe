/** The job summary: GitHub-flavoured Markdown, what is live where on the first line. */
import { type Documents, documentsOf, troubleshooting } from '../documents.ts'
import type { ReleaseNotes } from '../plan/release-notes.ts'
import { formatShare } from '../plan/rollout.ts'
import { formatBytes } from '../runtime/bytes.ts'
import { renderDevices } from './devices.ts'
import { formatDuration, lastLines, plural, shortSha } from './format.ts'
import { alert, code, codeBlock, details, escapeText, limit, link, row, table, warn } from './markdown.ts'
import { renderReleaseNotes } from './release-notes.ts'
import {
  type ChannelResult,
  type FailedResult,
  ownRollout,
  type PreviewLinks,
  type PreviewsClosedResult,
  type Result,
  type SkippedResult,
} from './result.ts'
import { renderSizes } from './sizes.ts'
import { renderOldBundles, renderStatus } from './status.ts'
import { renderFileChanges, renderNativeChanges } from './tables.ts'
import { countTesters, nameDevices, renderTesters, type TestersReport } from './testers.ts'

/** GitHub takes a job summary of 1 MiB from a step and drops one that is longer; some room for other writers. */
const MAX_SUMMARY = 1024 * 1024 - 4096
const EXCLUDED_SHOWN = 10

/** `documents` are those of the release in use. */
export function renderSummary(result: Result, documents = documentsOf({})): string {
  const markdown = blocks(result, documents).filter(block => block !== '')
  return `${limit(markdown.join('\n\n'), MAX_SUMMARY)}\n`
}

function blocks(result: Result, documents: Documents): string[] {
  switch (result.kind) {
    case 'failed':
      return failed(result, documents)
    case 'skipped':
      return skipped(result, documents)
    case 'previews-closed':
      return previewsClosed(result, documents)
    case 'old-bundles':
      return [...renderOldBundles(result), warnings(result)]
    case 'status':
      return [...renderStatus(result), warnings(result)]
    case 'devices':
      return [...renderDevices(result), warnings(result)]
    case 'publish':
    case 'channel-change':
    case 'preview-kept':
      return channel(result, documents)
  }
}

function failed(
  { what: work, code: id, reason, hint, at, output, problems }: FailedResult,
  documents: Documents,
): string[] {
  const position = [at?.file, at?.line, at?.column].filter(part => part !== undefined).join(':')
  const what = `<b>${escapeText(reason)}</b>`
  return [
    `### ❌ ${escapeText(`${work} failed`)}`,
    alert('CAUTION', hint === null ? what : `${what}\n\n${escapeText(hint)}`),
    problems.map(({ message }) => `- ${escapeText(message)}`).join('\n'),
    `<sub>${row([position === '' ? '' : code(position), aboutError(id, documents)])}</sub>`,
    output === null || output.trim() === ''
      ? ''
      : details('End of the output', codeBlock(lastLines(output)), { open: true }),
  ]
}

/** The error's code, which leads to its heading in the documents. */
function aboutError(id: string, documents: Documents): string {
  return `Help: ${link(code(id), troubleshooting(documents, id))}`
}

function skipped({ reason, testers }: SkippedResult, documents: Documents): string[] {
  if (testers === null) return ['### ⏭️ Nothing to publish', escapeText(reason)]
  return [`### 👥 ${countTesters(testers)}`, ...testerDetails(testers, documents), escapeText(reason)]
}

/** What was done with the devices of testers, in a summary that is about something else. */
function testersOf({ testers }: { readonly testers: TestersReport | null }, documents: Documents): string[] {
  return testers === null ? [] : [`**👥 ${countTesters(testers)}**`, ...testerDetails(testers, documents)]
}

function testerDetails({ changed, rows, failures }: TestersReport, documents: Documents): string[] {
  const failed = failures.map(({ code: id, message, hint, devices }) => {
    const what = `${escapeText(nameDevices(devices))}: <b>${escapeText(message)}</b>`
    const parts = [what, hint === null ? '' : escapeText(hint), aboutError(id, documents)]
    return alert('CAUTION', parts.filter(part => part !== '').join('\n\n'))
  })
  const more = changed.filter(row => rows.every(({ device }) => device !== row.device))
  return [...failed, renderTesters([...rows, ...more])]
}

function previewsClosed(result: PreviewsClosedResult, documents: Documents): string[] {
  const { outcome, reason, previews } = result
  const shown = previews.filter(({ channels, bundles }) => channels.length + bundles.length > 0)
  const names = (all: readonly string[]) => all.map(code).join(', ')
  const rows = shown.map(({ why, channels, bundles, devices }) => [
    escapeText(why),
    names(channels),
    names(bundles),
    String(devices),
  ])
  const kept = previews.flatMap(each => each.kept).map(text => `- ${escapeText(text)}`)
  return [
    outcome === 'planned' ? '### 🧪 Dry run: previews that would go' : '### 🧹 Previews removed',
    rows.length === 0
      ? escapeText(reason)
      : table(['because', 'channel', 'bundles', 'devices taken off'], rows),
    kept.join('\n'),
    ...testersOf(result, documents),
    warnings(result),
  ]
}

function channel(result: ChannelResult, documents: Documents): string[] {
  return [
    `### ${headline(result)}`,
    origin(result),
    why(result),
    'verified' in result && result.verified !== null ? escapeText(result.verified) : '',
    'preview' in result && result.preview !== null ? preview(result.preview) : '',
    ...testersOf(result, documents),
    'releaseNotes' in result ? changed(result.releaseNotes) : '',
    ...('contents' in result
      ? [renderSizes(result.contents.sizes), renderFileChanges(result.contents.change)]
      : []),
    'nativeChanges' in result ? renderNativeChanges(result.nativeChanges) : '',
    warnings(result),
    decisions(result),
    footer(result),
  ]
}

function changed(notes: ReleaseNotes): string {
  const list = renderReleaseNotes(notes)
  return list === '' ? '' : `**What changed**\n\n${list}`
}

function warnings({ warnings }: { readonly warnings: readonly string[] }): string {
  return warn(warnings.map(escapeText))
}

function headline(result: ChannelResult): string {
  const { outcome, channel, bundle } = result
  const size = bundle.size === null ? '' : ` · ${formatBytes(bundle.size)}`
  const name = `${bundle.name === '' ? 'no bundle' : code(bundle.name)}${size}`
  const rollout = ownRollout(result)
  if (rollout !== null) {
    const share = `${name} to ${formatShare(rollout.bps)}${rollout.paused ? ', paused' : ''}`
    if (outcome === 'published') return `✅ ${code(channel.name)} gives ${share}`
    if (outcome === 'unchanged') return `☑️ ${code(channel.name)} already gives ${share}`
    if (outcome === 'planned') return `🧪 Dry run: ${code(channel.name)} would give ${share}`
  }
  switch (outcome) {
    case 'published':
      return `✅ ${code(channel.name)} serves ${name}`
    case 'unchanged':
      return `☑️ ${code(channel.name)} already serves ${name}`
    case 'stale':
      return `⏭️ ${code(channel.name)} keeps the newer ${name}`
    case 'planned':
      return `🧪 Dry run: ${code(channel.name)} would ${changesChannel(result) ? 'serve' : 'keep'} ${name}`
  }
}

/** Whether the run wrote to the channel, or a dry run would. */
function changesChannel(result: ChannelResult): boolean {
  if (result.outcome === 'planned') return result.kind === 'publish' ? result.method !== null : !result.isDone
  return result.outcome === 'published'
}

/** The commit, what it replaces, which bundle it is. */
function origin(result: ChannelResult): string {
  const { outcome, channel, bundle, before, commit } = result
  const from =
    commit === null ? '' : `${link(code(shortSha(commit.sha)), commit.url)} on ${code(commit.refName)}`
  const page = bundle.id === null ? '' : link(`bundle ${bundle.id}`, bundle.url)
  // The bundle of a stale run is not of its commit.
  if (outcome === 'stale')
    return row([from === '' ? '' : `This run: commit ${from}`, page === '' ? '' : `served: ${page}`])
  const rollout = ownRollout(result)
  const stable = rollout?.stableBundle ?? null
  const replaced = before === null ? firstOf(channel) : `replaces ${code(before.name)}`
  const beside = rollout === null ? replaced : `the others have ${stable === null ? 'nothing' : code(stable)}`
  const isSame = (rollout === null && !changesChannel(result)) || before?.id === bundle.id
  return row([from === '' ? '' : `Commit ${from}`, isSame ? '' : beside, page])
}

function preview({ pull, commentUrl, deepLink, webUrl }: PreviewLinks): string {
  const comment = link(escapeText(`#${pull}`), commentUrl)
  const web = webUrl === null ? '' : link('in a browser', webUrl)
  return row([`Preview of ${comment}`, `on a phone: ${code(deepLink)}`, web])
}

function firstOf(channel: ChannelResult['channel']): string {
  return channel.isNew ? `new ${channel.public ? 'public' : 'private'} channel` : "the channel's first bundle"
}

/** Where the version comes from; or why the channel got another bundle or was left alone. */
function why(result: ChannelResult): string {
  const { reason, decisions } = result
  // Nothing was built: the reason tells what was done with a bundle that was there.
  if (result.kind !== 'publish') return escapeText(reason)
  if (result.outcome === 'stale' || result.outcome === 'unchanged') return escapeText(reason)
  const choice = decisions.find(({ what }) => what === 'bundle')?.why
  if (choice === undefined) return escapeText(reason)
  const sentence =
    result.method === 'upload'
      ? `Version: ${choice}.`
      : `${choice.charAt(0).toUpperCase()}${choice.slice(1)}.`
  return escapeText(result.outcome === 'planned' ? `${sentence} Nothing was written.` : sentence)
}

function decisions(result: ChannelResult): string {
  const rows = result.decisions.map(({ what, value, why }) => [
    escapeText(what),
    code(value),
    escapeText(why),
  ])
  const excluded = result.kind === 'publish' ? result.build.excluded : []
  const shown = excluded.slice(0, EXCLUDED_SHOWN).map(({ path, why }) => `${code(path)} (${escapeText(why)})`)
  if (excluded.length > shown.length) shown.push(`${excluded.length - shown.length} more`)
  const sourceMaps = 'sourceMaps' in result ? result.sourceMaps : null
  const body = [
    rows.length === 0 ? '' : table(['', 'chosen', 'because'], rows),
    shown.length === 0 ? '' : `Left out of the bundle: ${shown.join(', ')}.`,
    sourceMaps === null
      ? ''
      : `The source maps are kept as the artifact ${link(code(sourceMaps.name), sourceMaps.url)}.`,
  ].filter(part => part !== '')
  return body.length === 0
    ? ''
    : details('How this was decided', body.join('\n\n'), { open: result.outcome === 'planned' })
}

function footer(result: ChannelResult): string {
  const { outcome, appId, bundle, channel, duration } = result
  const isOurs = outcome !== 'stale'
  const build = result.kind === 'publish' ? result.build : null
  const delta = 'delta' in result ? result.delta : null
  const publishing = 'publishDuration' in result ? result.publishDuration : null
  const facts = row([
    escapeText(appId),
    channel.public === null ? '' : `${channel.public ? 'public' : 'private'} channel`,
    build === null || !isOurs
      ? ''
      : `${plural(build.files.count, 'file')}, ${formatBytes(build.files.bytes)} unpacked`,
    delta === null ? '' : `${plural(delta.sent, 'new file')}, ${formatBytes(delta.sentBytes)}`,
    bundle.sha256 === null || !isOurs ? '' : `SHA-256 ${code(bundle.sha256.slice(0, 12))}`,
    build === null || build.duration === null ? '' : `built in ${formatDuration(build.duration)}`,
    publishing === null ? '' : `published in ${formatDuration(publishing)}`,
    `${formatDuration(duration)} in all`,
  ])
  return `<sub>${facts}</sub>`
}
