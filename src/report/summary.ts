/** The job summary: GitHub-flavoured Markdown, what was done on the first line, problems next, details folded. */

import { type Documents, documentsOf, troubleshooting } from '../documents.ts'
import type { ReleaseNotes } from '../plan/release-notes.ts'
import { renderDevices } from './devices.ts'
import { formatDuration, lastLines, plural, shortSha } from './format.ts'
import { deletedPreviews, headlineOf } from './headline.ts'
import type { EnrolmentResult } from './list-results.ts'
import { alert, code, codeBlock, details, escapeText, limit, link, row, table, warn } from './markdown.ts'
import { renderReleaseNotes } from './release-notes.ts'
import {
  type ChannelResult,
  type ClosedPreview,
  type FailedResult,
  ownRollout,
  type PreviewLinks,
  type PreviewsClosedResult,
  type Result,
  type SkippedResult,
} from './result.ts'
import { describeDownload, renderSizes, updateOf } from './sizes.ts'
import { renderOldBundles, renderStatus } from './status.ts'
import { renderFileChanges, renderNativeChanges } from './tables.ts'
import { countTesters, nameDevices, renderTesters, type TestersReport } from './testers.ts'

/** GitHub takes a job summary of 1 MiB from a step and drops one that is longer; some room for other writers. */
const MAX_SUMMARY = 1024 * 1024 - 4096
const EXCLUDED_SHOWN = 10
/** A longer list is folded under its count. */
const OPEN_UP_TO = 8

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
      return [title(result), warnings(result), ...renderOldBundles(result)]
    case 'status':
      return [title(result), warnings(result), ...renderStatus(result)]
    case 'devices':
      return [title(result), warnings(result), ...renderDevices(result)]
    case 'enrolment':
      return enrolment(result, documents)
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

function title(result: Exclude<Result, FailedResult>): string {
  const { icon, text } = headlineOf(result, code)
  return `### ${icon} ${text}`
}

/** The error's code, which leads to its heading in the documents. */
function aboutError(id: string, documents: Documents): string {
  return `Help: ${link(code(id), troubleshooting(documents, id))}`
}

function skipped(result: SkippedResult, documents: Documents): string[] {
  const { testers, reason } = result
  return [
    title(result),
    escapeText(reason),
    warnings(result),
    ...(testers === null ? [] : testerDetails(testers, documents)),
  ]
}

function enrolment(result: EnrolmentResult, documents: Documents): string[] {
  const { reason, commentUrl, testers } = result
  return [
    title(result),
    escapeText(reason),
    commentUrl === null ? '' : link('Comment', commentUrl),
    warnings(result),
    ...(testers === null ? [] : testerDetails(testers, documents)),
  ]
}

/** The devices of testers, in a summary that is about something else: failures first, the list folded. */
function testerDetails(report: TestersReport, documents: Documents): string[] {
  const { changed, failures } = report
  const failed = failures.map(({ code: id, message, hint, devices }) => {
    const what = `${escapeText(nameDevices(devices))}: <b>${escapeText(message)}</b>`
    const parts = [what, hint === null ? '' : escapeText(hint), aboutError(id, documents)]
    return alert('CAUTION', parts.filter(part => part !== '').join('\n\n'))
  })
  const more = changed.filter(row => report.rows.every(({ device }) => device !== row.device))
  const rows = [...report.rows, ...more]
  return [...failed, fold(`<b>${countTesters(report)}</b>`, renderTesters(rows), rows.length)]
}

/** A list of `count` entries under its counted headline; the headline alone where it is empty. */
function fold(headline: string, list: string, count: number): string {
  return list === '' ? headline : details(headline, list, { open: count <= OPEN_UP_TO })
}

function previewsClosed(result: PreviewsClosedResult, documents: Documents): string[] {
  const { reason, testers } = result
  const previews = deletedPreviews(result.previews)
  const hasDevices = previews.some(({ devices }) => devices > 0)
  const rows = previews.map(({ why, channels, bundles, devices }) => [
    escapeText(why),
    [...channels.map(code), plural(bundles.length, 'bundle')].join(', '),
    ...(hasDevices ? [String(devices)] : []),
  ])
  const head = ['pull request', 'channel and bundles', ...(hasDevices ? ['devices taken off'] : [])]
  const kept = result.previews.flatMap(each => each.kept).map(text => `- ${escapeText(text)}`)
  return [
    title(result),
    rows.length === 0 ? escapeText(reason) : '',
    warnings(result),
    rows.length === 0
      ? ''
      : fold(countDeleted(previews), table(head, rows, ['---', '---', '--:']), rows.length),
    kept.length === 0 ? '' : fold('<b>Not deleted</b>', kept.join('\n'), kept.length),
    ...(testers === null ? [] : testerDetails(testers, documents)),
  ]
}

function countDeleted(previews: PreviewsClosedResult['previews']): string {
  const count = (all: (each: ClosedPreview) => readonly string[]) => previews.flatMap(all).length
  const channels = plural(
    count(each => each.channels),
    'channel',
  )
  return `<b>${channels} and ${plural(
    count(each => each.bundles),
    'bundle',
  )}</b>`
}

function channel(result: ChannelResult, documents: Documents): string[] {
  return [
    title(result),
    facts(result),
    why(result),
    warnings(result),
    'verified' in result && result.verified !== null ? escapeText(result.verified) : '',
    'preview' in result && result.preview !== null ? preview(result.preview) : '',
    ...(result.testers === null ? [] : testerDetails(result.testers, documents)),
    'releaseNotes' in result ? changed(result.releaseNotes) : '',
    'nativeChanges' in result ? renderNativeChanges(result.nativeChanges) : '',
    ...('contents' in result
      ? [renderFileChanges(result.contents.change), renderSizes(result.contents.sizes)]
      : []),
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

/** Whether the run wrote to the channel, or a dry run would. */
function changesChannel(result: ChannelResult): boolean {
  if (result.outcome === 'planned') return result.kind === 'publish' ? result.method !== null : !result.isDone
  return result.outcome === 'published'
}

/** The commit, what a device downloads, the bundle that it replaces, its page. */
function facts(result: ChannelResult): string {
  const { outcome, bundle, commit } = result
  const from =
    commit === null ? '' : `${link(code(shortSha(commit.sha)), commit.url)} on ${code(commit.refName)}`
  const page = bundle.id === null ? '' : link(`bundle ${bundle.id}`, bundle.url)
  // The bundle of a stale run is not of its commit.
  if (outcome === 'stale')
    return row([from === '' ? '' : `This run: commit ${from}`, page === '' ? '' : `served: ${page}`])
  return row([from === '' ? '' : `Commit ${from}`, describeDownload(result, code), replaced(result), page])
}

/** Empty where the update's size names it already. */
function replaced(result: ChannelResult): string {
  const { channel, bundle, before } = result
  const rollout = ownRollout(result)
  const isSame = (rollout === null && !changesChannel(result)) || before?.id === bundle.id
  if (isSame) return ''
  if (rollout !== null) {
    const stable = rollout.stableBundle
    return `the others have ${stable === null ? 'nothing' : code(stable)}`
  }
  if (before === null)
    return channel.isNew
      ? `new ${channel.public ? 'public' : 'private'} channel`
      : 'first bundle on the channel'
  return updateOf(result)?.from === before.name ? '' : `replaces ${code(before.name)}`
}

function preview({ pull, commentUrl, deepLink, webUrl }: PreviewLinks): string {
  const comment = link(escapeText(`#${pull}`), commentUrl)
  const web = webUrl === null ? '' : link('in a browser', webUrl)
  return row([`Preview of ${comment}`, `on a phone: ${code(deepLink)}`, web])
}

/** Why the bundle was not uploaded, or the channel was left alone; else the headline says it all. */
function why(result: ChannelResult): string {
  const { reason, outcome } = result
  if (outcome === 'planned') return 'Nothing was written.'
  if (outcome !== 'published') return escapeText(reason)
  if (result.kind === 'channel-change') return escapeText(result.consequence)
  const choice = result.decisions.find(({ what }) => what === 'bundle')?.why ?? ''
  return result.method === 'upload' || choice === ''
    ? ''
    : escapeText(`${choice.charAt(0).toUpperCase()}${choice.slice(1)}.`)
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
  const publishing = 'publishDuration' in result ? result.publishDuration : null
  const line = row([
    escapeText(appId),
    channel.public === null ? '' : `${channel.public ? 'public' : 'private'} channel`,
    build === null || !isOurs ? '' : plural(build.files.count, 'file'),
    bundle.sha256 === null || !isOurs ? '' : `SHA-256 ${code(bundle.sha256.slice(0, 12))}`,
    build === null || build.duration === null ? '' : `built in ${formatDuration(build.duration)}`,
    publishing === null ? '' : `published in ${formatDuration(publishing)}`,
    `${formatDuration(duration)} in all`,
  ])
  return `<sub>${line}</sub>`
}
