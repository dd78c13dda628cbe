import type { NativeChange } from '../plan/native-changes.ts'
import { formatShare } from '../plan/rollout.ts'
import type { Decision } from '../plan/types.ts'
import { formatBytes, formatDifference, formatDuration, plural, shortSha } from './format.ts'
import { renderMakeup } from './makeup.ts'
import { alert, code, codeBlock, details, escapeText, limit, link, makeVisible, table } from './markdown.ts'
import type {
  CleanedResult,
  ContentChange,
  FailedResult,
  FileChange,
  PublishResult,
  Result,
  RolloutState,
  SkippedResult,
} from './result.ts'
import { renderHousekeeping, renderStatus } from './status.ts'
import { countTesters, nameDevices, renderTesters, type TestersReport } from './testers.ts'

/** GitHub takes a job summary of 1 MiB from a step and drops one that is longer; some room for other writers. */
const LONGEST_SUMMARY = 1024 * 1024 - 4096
/** So many files and output lines are shown; the rest is counted. */
const FILES_SHOWN = 40
const LEFT_OUT_SHOWN = 10
export const LINES_SHOWN = 60

/** The job summary: GitHub-flavoured Markdown, what is live where on the first line. */
export function renderSummary(result: Result): string {
  const markdown = blocks(result).filter(block => block !== '')
  return `${limit(markdown.join('\n\n'), LONGEST_SUMMARY)}\n`
}

/** What came of the run, as one line for the log. */
export function describeOutcome(result: Result): string {
  const testers =
    result.kind === 'failed' || result.testers === null ? '' : ` ${countTesters(result.testers)}.`
  return makeVisible(`${result.outcome}: ${describe(result)}${testers}`)
}

/** The decisions of a plan as aligned lines for the log: what, value, why. */
export function renderLogPlan(decisions: readonly Decision[]): string[] {
  const rows = decisions.map(({ what, value, why }) => [what, value, why].map(makeVisible))
  const width = (column: number) => Math.max(...rows.map(row => row[column]!.length))
  return rows.map(([what, value, why]) =>
    `${what!.padEnd(width(0))}  ${value!.padEnd(width(1))}  ${why}`.trimEnd(),
  )
}

function describe(result: Result): string {
  switch (result.kind) {
    case 'failed':
    case 'skipped':
    case 'cleaned':
    case 'housekeeping':
      return result.reason
    case 'status':
      return result.reason
    case 'publish': {
      const { outcome, reason, channel, bundle, before, commit } = result
      if (outcome === 'planned') return reason
      if (outcome !== 'published')
        return `channel ${channel.name} keeps ${bundle.name || 'no bundle'}. ${reason}`
      const size = bundle.size === null ? '' : ` (${formatBytes(bundle.size)})`
      const some = rolledOut(result)
      if (some !== null && outcome === 'published')
        return `channel ${channel.name} gives ${bundle.name} to ${formatShare(some.bps)} of its devices${some.paused ? ' (paused)' : ''}; the others have ${some.others ?? 'nothing'}.`
      const instead = before === null || before.id === bundle.id ? '' : `, instead of ${before.name}`
      return `channel ${channel.name} serves ${bundle.name}${size}${commit === null ? '' : ` from ${shortSha(commit.sha)}`}${instead}.`
    }
  }
}

function blocks(result: Result): string[] {
  switch (result.kind) {
    case 'failed':
      return failed(result)
    case 'skipped':
      return skipped(result)
    case 'cleaned':
      return cleaned(result)
    case 'housekeeping':
      return [...renderHousekeeping(result), warnings(result.warnings)]
    case 'status':
      return [...renderStatus(result), warnings(result.warnings)]
    case 'publish':
      return published(result)
  }
}

function failed({ what: work, code: id, reason, hint, at, output, problems }: FailedResult): string[] {
  const position = [at?.file, at?.line, at?.column].filter(part => part !== undefined).join(':')
  const what = `<b>${escapeText(reason)}</b>`
  return [
    `### ❌ ${escapeText(`${work} failed`)}`,
    alert('CAUTION', hint === null ? what : `${what}\n\n${escapeText(hint)}`),
    problems.map(({ message }) => `- ${escapeText(message)}`).join('\n'),
    `<sub>${row([position === '' ? '' : code(position), `error ${code(id)}`])}</sub>`,
    output === null || output.trim() === ''
      ? ''
      : details('End of the output', codeBlock(lastLines(output)), true),
  ]
}

function skipped({ reason, testers }: SkippedResult): string[] {
  if (testers === null) return ['### ⏭️ Nothing to publish', escapeText(reason)]
  return [`### 👥 ${countTesters(testers)}`, ...testerDetails(testers), escapeText(reason)]
}

/** What was done with the devices of testers, in a summary that is about something else. */
function testersOf(testers: TestersReport | null): string[] {
  return testers === null ? [] : [`**👥 ${countTesters(testers)}**`, ...testerDetails(testers)]
}

function testerDetails({ changed, rows, failures }: TestersReport): string[] {
  const failed = failures.map(({ message, hint, devices }) => {
    const what = `${escapeText(nameDevices(devices))}: <b>${escapeText(message)}</b>`
    return alert('CAUTION', hint === null ? what : `${what}\n\n${escapeText(hint)}`)
  })
  const more = changed.filter(row => rows.every(({ device }) => device !== row.device))
  return [...failed, renderTesters([...rows, ...more])]
}

function cleaned({ outcome, reason, previews, testers, warnings: texts }: CleanedResult): string[] {
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
    ...testersOf(testers),
    warnings(texts),
  ]
}

function published(result: PublishResult): string[] {
  return [
    `### ${headline(result)}`,
    origin(result),
    why(result),
    result.verified === null ? '' : escapeText(result.verified),
    preview(result),
    ...testersOf(result.testers),
    renderMakeup(result.makeup),
    changes(result.change),
    renderNatives(result.natives),
    warnings(result.warnings),
    decisions(result),
    footer(result),
  ]
}

function warnings(texts: readonly string[]): string {
  return setApart(texts.map(escapeText))
}

/** Sentences in Markdown, as one warning. */
export function setApart(sentences: readonly string[]): string {
  if (sentences.length === 0) return ''
  const body = sentences.length === 1 ? sentences.join() : sentences.map(each => `- ${each}`).join('\n')
  return alert('WARNING', body)
}

function headline(result: PublishResult): string {
  const { outcome, channel, bundle, by } = result
  const size = bundle.size === null ? '' : ` · ${formatBytes(bundle.size)}`
  const name = `${bundle.name === '' ? 'no bundle' : code(bundle.name)}${size}`
  const some = rolledOut(result)
  if (some !== null) {
    const share = `${name} to ${formatShare(some.bps)}${some.paused ? ', paused' : ''}`
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
      return `🧪 Dry run: ${code(channel.name)} would ${by === null ? 'keep' : 'serve'} ${name}`
  }
}

/** The commit, what it replaces, which bundle it is. */
function origin(result: PublishResult): string {
  const { outcome, channel, bundle, before, commit, by } = result
  const from =
    commit === null ? '' : `${link(code(shortSha(commit.sha)), commit.url)} on ${code(commit.refName)}`
  const page = bundle.id === null ? '' : link(`bundle ${bundle.id}`, bundle.url)
  // The bundle of a stale run is not of its commit.
  if (outcome === 'stale')
    return row([from === '' ? '' : `This run: commit ${from}`, page === '' ? '' : `served: ${page}`])
  const replaced = before === null ? firstOf(channel) : `replaces ${code(before.name)}`
  const some = rolledOut(result)
  const beside =
    some === null ? replaced : `the others have ${some.others === null ? 'nothing' : code(some.others)}`
  const commitOf = from === '' ? '' : `Commit ${from}`
  return row([commitOf, (by === null && some === null) || before?.id === bundle.id ? '' : beside, page])
}

/** The rollout that the result's own bundle is in. */
export function rolledOut({ rollout, bundle }: PublishResult): RolloutState | null {
  return rollout?.of === bundle.name ? rollout : null
}

function preview({ preview }: PublishResult): string {
  if (preview === null) return ''
  const comment = link(escapeText(`#${preview.pull}`), preview.commentUrl)
  const web = preview.webUrl === null ? '' : link('in a browser', preview.webUrl)
  return row([`Preview of ${comment}`, `on a phone: ${code(preview.deepLink)}`, web])
}

function firstOf(channel: PublishResult['channel']): string {
  return channel.made ? `new ${channel.public ? 'public' : 'private'} channel` : "the channel's first bundle"
}

/** Where the version comes from; or why the channel got another bundle or was left alone. */
function why({ outcome, reason, by, decisions, files }: PublishResult): string {
  // Nothing was built: the reason tells what was done with a bundle that was there.
  if (files === null) return escapeText(reason)
  const said = decisions.find(({ what }) => what === 'bundle')?.why
  if (outcome === 'stale' || outcome === 'unchanged' || said === undefined) return escapeText(reason)
  const sentence = by === 'upload' ? `Version: ${said}.` : `${said.charAt(0).toUpperCase()}${said.slice(1)}.`
  return escapeText(outcome === 'planned' ? `${sentence} Nothing was written.` : sentence)
}

function decisions({ decisions, leftOut, sourceMaps, outcome }: PublishResult): string {
  const rows = decisions.map(({ what, value, why }) => [escapeText(what), code(value), escapeText(why)])
  const shown = leftOut.slice(0, LEFT_OUT_SHOWN).map(({ path, why }) => `${code(path)} (${escapeText(why)})`)
  if (leftOut.length > shown.length) shown.push(`${leftOut.length - shown.length} more`)
  const body = [
    rows.length === 0 ? '' : table(['', 'chosen', 'because'], rows),
    shown.length === 0 ? '' : `Left out of the bundle: ${shown.join(', ')}.`,
    sourceMaps === null
      ? ''
      : `The source maps are kept as the artifact ${link(code(sourceMaps.name), sourceMaps.url)}.`,
  ].filter(part => part !== '')
  return body.length === 0 ? '' : details('How this was decided', body.join('\n\n'), outcome === 'planned')
}

function footer({ outcome, appId, bundle, channel, files, delta, durations, by }: PublishResult): string {
  const isOurs = outcome !== 'stale'
  const facts = row([
    escapeText(appId),
    channel.public === null ? '' : `${channel.public ? 'public' : 'private'} channel`,
    files === null || !isOurs ? '' : `${plural(files.count, 'file')}, ${formatBytes(files.bytes)} unpacked`,
    delta === null ? '' : `${plural(delta.sent, 'new file')}, ${formatBytes(delta.sentBytes)}`,
    bundle.sha256 === null || !isOurs ? '' : `SHA-256 ${code(bundle.sha256.slice(0, 12))}`,
    durations.build === null ? '' : `built in ${formatDuration(durations.build)}`,
    durations.upload === null || by === null ? '' : `published in ${formatDuration(durations.upload)}`,
    `${formatDuration(durations.total)} in all`,
  ])
  return `<sub>${facts}</sub>`
}

/** The parts that say something, side by side. */
export function row(parts: readonly string[]): string {
  return parts.filter(part => part !== '').join(' · ')
}

/** Counts on the folded line, files with sizes inside. */
function changes(change: ContentChange | null): string {
  if (change === null) return ''
  const files = listChanges(change)
  const since = code(change.since)
  if (files.length === 0) return `No file differs from ${since}.`
  return details(`<b>Files:</b> ${countChanges(files)} since ${since}`, tableOfChanges(files))
}

/** What installed apps may lack comes first; the table is open when they do. */
export function renderNatives(changes: readonly NativeChange[]): string {
  if (changes.length === 0) return ''
  const lacking = changes.filter(({ compatible }) => !compatible)
  const rows = [...lacking, ...changes.filter(({ compatible }) => compatible)].map(change => [
    change.compatible ? '✓' : '⚠️',
    code(change.name),
    change.before === null ? '–' : code(change.before),
    change.now === null ? '–' : code(change.now),
    escapeText(change.why),
  ])
  const title =
    lacking.length === 0
      ? `<b>Native packages:</b> ${changes.length} changed, installed apps can take them`
      : `<b>Native packages:</b> installed apps lack ${lacking.length} of ${changes.length} that changed`
  return details(title, table(['', 'package', 'before', 'now', 'because'], rows), lacking.length > 0)
}

/** `4 changed, 1 added`. */
export function countChanges(files: readonly ChangedFile[]): string {
  return (['changed', 'added', 'removed'] as const)
    .map(kind => ({ kind, count: files.filter(file => file.kind === kind).length }))
    .filter(({ count }) => count > 0)
    .map(({ kind, count }) => `${count.toLocaleString('en-US')} ${kind}`)
    .join(', ')
}

/** The first files with their sizes; the others are counted. */
export function tableOfChanges(files: readonly ChangedFile[]): string {
  const rows = files
    .slice(0, FILES_SHOWN)
    .map(file => [
      code(file.path),
      file.kind === 'added' ? '–' : formatBytes(file.sizeBefore),
      file.kind === 'removed' ? '–' : formatBytes(file.size),
      formatDifference(difference(file)),
    ])
  const more = files.length - rows.length
  const list = table(['file', 'before', 'now', 'difference'], rows, ['---', '--:', '--:', '--:'])
  return more > 0 ? `${list}\n\n… and ${plural(more, 'more file')} with smaller differences.` : list
}

export interface ChangedFile extends FileChange {
  readonly kind: 'added' | 'changed' | 'removed'
}

/**
 * The files that differ, the largest differences first. Build tools put a hash of the content into names: an
 * added and a removed file whose names differ by nothing else are one file that changed.
 */
export function listChanges({ added, changed, removed }: ContentChange): ChangedFile[] {
  const before = new Map(withoutHash(removed))
  const pairs = withoutHash(added).flatMap(([name, now]) => {
    const was = before.get(name)
    return was === undefined ? [] : [{ now, was }]
  })
  const paired = new Set(pairs.flatMap(({ now, was }) => [now, was]))
  const files: ChangedFile[] = [
    ...changed.map(file => ({ ...file, kind: 'changed' as const })),
    ...pairs.map(({ now, was }) => ({ ...now, sizeBefore: was.sizeBefore, kind: 'changed' as const })),
    ...added.filter(file => !paired.has(file)).map(file => ({ ...file, kind: 'added' as const })),
    ...removed.filter(file => !paired.has(file)).map(file => ({ ...file, kind: 'removed' as const })),
  ]
  return files.sort((a, b) => Math.abs(difference(b)) - Math.abs(difference(a)) || (a.path < b.path ? -1 : 1))
}

function difference({ size, sizeBefore }: FileChange): number {
  return size - sizeBefore
}

/** `index-CkVzA1xy.js` (Vite), `main.8f3a2b1c9d.css` (webpack), `main-QK4TNY2R.js` (Angular). */
const HASH = /(?<=[-.])(?=[\w-]*[\dA-Z])(?:[\w-]{8}|[A-Za-z0-9]{8,64})(?=(?:\.[A-Za-z0-9]+)+$)/

/** Names with the hash taken out; those that stand for one file only. */
function withoutHash(files: readonly FileChange[]): [string, FileChange][] {
  const named = files.filter(({ path }) => HASH.test(path))
  const byName = Map.groupBy(named, ({ path }) => path.replace(HASH, '*'))
  return [...byName].flatMap(([name, [file, ...others]]) =>
    file && others.length === 0 ? [[name, file]] : [],
  )
}

/** The end of a child's output; the lines before it are counted. */
export function lastLines(output: string, shown = LINES_SHOWN): string {
  const lines = output.trimEnd().split('\n')
  const left = lines.length - shown
  return left > 0 ? [`… ${plural(left, 'line')} before`, ...lines.slice(left)].join('\n') : output
}
