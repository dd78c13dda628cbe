import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { manyTesters } from '../../../scripts/pictures/large-samples.ts'
import { samples } from '../../../scripts/pictures/samples.ts'
import type { FileChange } from '../../../src/bundle/contents.ts'
import type { CapgoCode } from '../../../src/error-codes.ts'
import type { BundleStatus } from '../../../src/plan/status.ts'
import type { StatusResult } from '../../../src/report/list-results.ts'
import { describeOutcome, renderLinks, renderLogPlan } from '../../../src/report/log.ts'
import type {
  ChannelChangeResult,
  ClosedPreview,
  FailedResult,
  OldBundlesResult,
  PreviewsClosedResult,
  PublishedResult,
  Result,
  StaleResult,
} from '../../../src/report/result.ts'
import { renderSummary } from '../../../src/report/summary.ts'
import { hostileText, skeleton } from './hostile.ts'

const published = samples.published as PublishedResult
const failed = samples.failed as FailedResult
const cleaned = samples.cleaned as PreviewsClosedResult

describe('the summary of', () => {
  it.each(Object.entries(samples))('%s', async (name, result) => {
    await expect(renderSummary(result)).toMatchFileSnapshot(`summaries/${name}.md.snap`)
  })
})

const done = Object.entries(samples).flatMap(([name, result]) =>
  result.kind === 'failed' || name.startsWith('hostile') ? [] : [[name, result] as const],
)

it('begins with what was done', () => {
  const headlines = done.map(([, result]) => renderSummary(result).split('\n')[0])
  expect(headlines).toMatchInlineSnapshot(`
    [
      "### ✅ Published <code>1.4.1-production.57.1</code> to <code>production</code>",
      "### ✅ Published <code>1.4.0</code> to <code>production</code>",
      "### ✅ Published <code>2.0.0</code> to <code>beta</code>",
      "### ✅ Published <code>1.4.1-production.57.1</code> to <code>production</code>",
      "### ✅ Published <code>1.4.1-production.55.1</code> to <code>production</code>",
      "### ☑️ No change: <code>production</code> serves <code>1.4.1-production.57.1</code>",
      "### ⏭️ Not published: <code>production</code> serves the newer <code>1.4.1-production.58.1</code>",
      "### 🧪 Dry run: would publish <code>1.4.1-production.57.1</code> to <code>production</code>",
      "### 🧪 Dry run: no change, <code>production</code> serves <code>1.4.1-production.57.1</code>",
      "### ⏭️ Nothing to publish",
      "### ✅ Published <code>1.4.1-production.57.1</code> to 10% of <code>production</code>",
      "### ⏪ Rolled back <code>production</code> to <code>1.4.1-production.56.1</code>",
      "### ⬆️ Promoted <code>1.4.1-beta.57.1</code> from <code>beta</code> to <code>production</code>",
      "### ⏸️ Paused the rollout of <code>1.4.1-production.57.1</code> to 10% of <code>production</code>",
      "### ✅ Finished the rollout on <code>production</code>: all devices get <code>1.4.1-production.57.1</code>",
      "### ↩️ Cancelled the rollout on <code>production</code>: all devices get <code>1.4.1-production.56.1</code>",
      "### ❌ Published <code>1.4.1-production.57.1</code> to <code>pr-12</code>, but 2 test devices could not be changed",
      "### 📡 40 channels of <code>com.example.shop</code>",
      "### 🧹 Deleted 180 old bundles",
      "### 🧹 Deleted 60 previews",
      "### 📡 3 channels of <code>com.example.shop</code>",
      "### 📱 Devices of <code>com.example.shop</code>",
      "### 🧹 Deleted 2 old bundles",
      "### 🧹 Deleted the previews of #9, #12",
      "### 🧪 Dry run: would delete the previews of #9, #12",
    ]
  `)
})

it('never begins with a tick where devices of testers could not be changed', () => {
  for (const [, result] of done) {
    if (result.kind === 'old-bundles' || result.kind === 'status' || result.kind === 'devices') continue
    const { failures } = manyTesters
    const withFailures = { ...result, testers: { ...manyTesters, failures } }
    const [headline] = renderSummary(withFailures).split('\n')
    expect(headline).toMatch(/^### ❌ .*(, but 2 test devices could not be changed|, 2 failed)$/)
    expect(headline).not.toContain('failed, but')
    expect(renderSummary({ ...result, testers: { ...manyTesters, failures: [] } })).not.toMatch(/^### ❌/)
  }
})

it('says each outcome in one line of the log', () => {
  expect(done.map(([, result]) => describeOutcome(result))).toMatchInlineSnapshot(`
    [
      "Published 1.4.1-production.57.1 to production. Commit 4f9c2d7 on main, 1.2 MB download, 84.1 kB as an update from 1.4.1-production.56.1.",
      "Published 1.4.0 to production. Commit 4f9c2d7 on main, 1.2 MB download.",
      "Published 2.0.0 to beta. Commit 4f9c2d7 on release/2.0, 18.3 MB download, 84.1 kB as an update from 1.9.4.",
      "Published 1.4.1-production.57.1 to production. Commit 4f9c2d7 on main, 1.2 MB download, 84.1 kB as an update from 1.4.1-production.56.1.",
      "Published 1.4.1-production.55.1 to production. Commit 4f9c2d7 on main, 1.2 MB download, 84.1 kB as an update from 1.4.1-production.56.1.",
      "No change: production serves 1.4.1-production.57.1. The channel already serves this content.",
      "Not published: production serves the newer 1.4.1-production.58.1. The channel serves b81d03c (main, run 58.1), and this run's commit 4f9c2d7 is older.",
      "Dry run: would publish 1.4.1-production.57.1 to production. Nothing was written.",
      "Dry run: no change, production serves 1.4.1-production.57.1. Nothing was written.",
      "Nothing to publish. No channel is mapped to branch feature/login. To publish it, add a line such as "feature/login: feature-login" to the input "channels".",
      "Published 1.4.1-production.57.1 to 10% of production. Commit 4f9c2d7 on main, 1.2 MB download, 84.1 kB as an update from 1.4.1-production.56.1.",
      "Rolled back production to 1.4.1-production.56.1. 1,204 devices still run 1.4.1-production.57.1 until their next update check.",
      "Promoted 1.4.1-beta.57.1 from beta to production.",
      "Paused the rollout of 1.4.1-production.57.1 to 10% of production. Devices that have it keep it. No other device gets it.",
      "Finished the rollout on production: all devices get 1.4.1-production.57.1.",
      "Cancelled the rollout on production: all devices get 1.4.1-production.56.1. Devices that have 1.4.1-production.57.1 (10%) return, too.",
      "Published 1.4.1-production.57.1 to pr-12, but 2 test devices could not be changed. Commit 4f9c2d7 on main, 1.2 MB download, 84.1 kB as an update from 1.4.1-production.56.1. 120 testers: 118 assigned, 2 failed.",
      "40 channels of com.example.shop.",
      "Deleted 180 old bundles.",
      "Deleted 60 previews.",
      "3 channels of com.example.shop.",
      "Devices of com.example.shop. 4 devices were seen in the last 30 days.",
      "Deleted 2 old bundles.",
      "Deleted the previews of #9, #12.",
      "Dry run: would delete the previews of #9, #12. Nothing was written.",
    ]
  `)
  const hostile = samples.hostile as PublishedResult
  expect(describeOutcome(hostile)).not.toMatch(/[\n\r\u202e\u200b]/)
  expect(renderLinks(hostile)).not.toMatch(/[\n\r\u202e\u200b]/)
})

it('ends the log with where to look next', () => {
  const { url } = published.bundle
  expect(renderLinks(published)).toBe(`Bundle: ${url}`)
  const preview = samples['published-preview'] as PublishedResult
  expect(renderLinks(preview)).toBe(`Bundle: ${url} · Comment: ${preview.preview?.commentUrl}`)
  expect(renderLinks(null)).toBe('')
  expect(renderLinks({ ...published, bundle: { ...published.bundle, url: null } })).toBe('')
})

describe('the size', () => {
  const line = (result: Result) => renderSummary(result).split('\n')[2]
  it('is what a device downloads, full and as an update', () => {
    expect(line(published)).toContain(
      '1.2 MB download, 84.1 kB as an update from <code>1.4.1-production.56.1</code>',
    )
  })
  it('names the bundle before only once', () => {
    expect(line(published)).not.toContain('replaces')
    expect(line(withUpdate(null))).toContain(
      ' · 1.2 MB download · replaces <code>1.4.1-production.56.1</code>',
    )
  })
  it('is the full one alone where an update is not smaller', () => {
    expect(line(withUpdate(published.bundle.size))).not.toContain('update')
  })
  it('is left out where it is not known', () => {
    expect(line({ ...published, bundle: { ...published.bundle, size: null } })).not.toContain('download')
  })
  const withUpdate = (updateSize: number | null): Result => ({
    ...published,
    contents: { ...published.contents, updateSize },
  })
})

describe('a long list is folded under its count', () => {
  const folds = (name: string) =>
    renderSummary(samples[name]!)
      .split('\n')
      .filter(line => line.startsWith('<details'))
  it.each([
    ['status-many', ['<details><summary><b>35 previews of pull requests</b></summary>']],
    ['status', ['<details open><summary><b>1 preview of pull requests</b></summary>']],
    ['old-bundles-many', ['<details><summary><b>180 bundles</b>, the oldest first</summary>']],
    ['old-bundles', ['<details open><summary><b>2 bundles</b>, the oldest first</summary>']],
    ['cleaned-many', ['<details><summary><b>60 channels and 180 bundles</b></summary>']],
  ])('%s', (name, expected) => expect(folds(name)).toEqual(expected))

  it('a status has the public channel and those of branches before it, in two columns, which fit a phone', () => {
    const summary = renderSummary(samples['status-many']!)
    const rows = summary.split('\n').filter(line => line.startsWith('| '))
    expect(
      rows
        .map(line => /^\| <code>([\w-]+)/.exec(line)?.[1])
        .filter(Boolean)
        .slice(0, 6),
    ).toEqual(['production', 'beta', 'by-hand', 'development', 'staging', 'pr-100'])
    expect(Math.max(...rows.map(line => line.split(' | ').length))).toBe(2)
  })
})

it('lines up the plan for the log', () => {
  expect(renderLogPlan(published.decisions)).toMatchInlineSnapshot(`
    [
      "Plan:",
      "  channel         production             branch main matches "main"",
      "  native version  1.4.0 (android)        android/app/build.gradle:12",
      "  native version  1.4.0 (ios)            ios/App/App.xcodeproj/project.pbxproj:357",
      "  bundle          1.4.1-production.57.1  1.4.0 (package.json) is already taken, so a pre-release of the next patch",
    ]
  `)
  expect(renderLogPlan([])).toEqual([])
  expect(renderLogPlan([{ what: 'bundle', value: 'a\nb\u202e', why: '' }])).toEqual([
    'Plan:',
    '  bundle  a\\nb\\u202e',
  ])
})

const withChange = (change: PublishedResult['contents']['change']): Result => ({
  ...published,
  contents: { ...published.contents, change },
})

describe('what changed', () => {
  const change = (added: FileChange[], removed: FileChange[], changed: FileChange[] = []) =>
    renderSummary(withChange({ since: '1.0.0', added, removed, changed }))
  const now = (path: string, size = 10): FileChange => ({ path, size, sizeBefore: 0 })
  const was = (path: string, size = 10): FileChange => ({ path, size: 0, sizeBefore: size })

  it.each([
    ['index-CkVzA1xy.js', 'index-Dp9aQw2k.js'],
    ['a/index-B-x_1abc.js.map', 'a/index-Dp9aQw2k.js.map'],
    ['main.8f3a2b1c9d.css', 'main.0a1b2c3d4e.css'],
    ['main-QK4TNY2R.js', 'main-ABCDEFGH.js'],
  ])('%s and %s are one file', (before, after) => {
    expect(change([now(after, 30)], [was(before, 10)])).toContain(
      '<b>Files:</b> 1 changed since <code>1.0.0</code></summary>',
    )
  })
  it.each([
    ['my-component.js', 'my-elements.js'],
    ['lib-CkVzA1xy.js', 'app-Dp9aQw2k.js'],
    ['index-CkVzA1xy.js', 'index-Dp9aQw2k.css'],
  ])('%s and %s are two', (before, after) => {
    expect(change([now(after)], [was(before)])).toContain('<b>Files:</b> 1 added, 1 removed since')
  })
  it('does not guess which is which when names without the hash are not unique', () => {
    const added = [now('chunk-AAAAAAA1.js'), now('chunk-AAAAAAA2.js')]
    expect(change(added, [was('chunk-AAAAAAA3.js')])).toContain('<b>Files:</b> 2 added, 1 removed since')
  })
  it('shows the largest differences first, and counts those that it does not show', () => {
    const summary = renderSummary(samples['published-many-warnings']!)
    expect(summary.indexOf('lesson-280/')).toBeLessThan(summary.indexOf('lesson-279/'))
    expect(summary).toContain('… and 241 more files with smaller differences.')
  })
  it('says so when nothing differs', () => {
    expect(change([], [])).toContain('No file differs from <code>1.0.0</code>.')
  })
})

it('shows the last 60 lines of an output and counts the others', () => {
  const summary = renderSummary({
    ...failed,
    output: Array.from({ length: 100 }, (_, n) => `line ${n + 1}`).join('\n'),
  })
  expect(summary).toContain('```text\n… 40 lines before\nline 41\n')
  expect(summary).toContain('line 100\n```')
})

it('stays below what GitHub takes, whatever comes', () => {
  const long = '\u202e'.repeat(3_000_000)
  const warnings = Array.from({ length: 500 }, () => long)
  const summary = renderSummary({ ...published, appId: long, warnings })
  expect(new TextEncoder().encode(summary).length).toBeLessThan(1024 * 1024)
  expect(summary).toContain('The rest is left out')
})

const withExcluded = (file: PublishedResult['build']['excluded'][number]): Result => ({
  ...published,
  build: { ...published.build, excluded: [file] },
})

/** Puts one text into one field; every text field of a result has its line. */
const publishFields: Record<string, (text: string) => Result> = {
  reason: text => ({ ...(samples.stale as StaleResult), reason: text }),
  appId: text => ({ ...published, appId: text }),
  'channel.name': text => ({ ...published, channel: { ...published.channel, name: text } }),
  'bundle.name': text => ({ ...published, bundle: { ...published.bundle, name: text } }),
  'bundle.checksum': text => ({ ...published, bundle: { ...published.bundle, checksum: text } }),
  'before.name': text => ({ ...published, before: { id: 1, name: text } }),
  'commit.sha': text => ({ ...published, commit: { ...published.commit, sha: text } }),
  'commit.refName': text => ({ ...published, commit: { ...published.commit, refName: text } }),
  'change.since': text => withChange({ ...published.contents.change!, since: text }),
  'change.changed.path': text =>
    withChange({
      since: '1.0.0',
      added: [],
      changed: [{ path: text, size: 1, sizeBefore: 2 }],
      removed: [],
    }),
  'excluded.path': text => withExcluded({ path: text, why: 'why' }),
  'excluded.why': text => withExcluded({ path: 'path', why: text }),
  'decisions.what': text => ({ ...published, decisions: [{ what: `${text}?`, value: 'value', why: 'why' }] }),
  'decisions.value': text => ({ ...published, decisions: [{ what: 'bundle', value: text, why: 'why' }] }),
  'decisions.why': text => ({ ...published, decisions: [{ what: 'bundle', value: 'value', why: text }] }),
  'warnings, one': text => ({ ...published, warnings: [text] }),
  'warnings, two': text => ({ ...published, warnings: [text, text] }),
}
const withPreview = (of: Partial<ClosedPreview>): Result => ({
  ...cleaned,
  previews: [{ ...cleaned.previews[0]!, ...of }],
})
const promoted = samples['promoted-from-beta'] as ChannelChangeResult
const status = samples.status as StatusResult
const oldBundles = samples['old-bundles'] as OldBundlesResult
const [firstChannel] = status.channels
const withBundle = (of: Partial<BundleStatus>): Result => ({
  ...status,
  channels: [{ ...firstChannel!, bundle: { ...firstChannel!.bundle!, ...of } }],
})
const otherFields: Record<string, (text: string) => Result> = {
  'skipped.reason': text => ({
    kind: 'skipped',
    testers: null,
    outcome: 'skipped',
    reason: text,
    warnings: [],
  }),
  'cleaned.reason': text => ({ ...cleaned, previews: [], reason: text }),
  'cleaned.why': text => withPreview({ why: text }),
  'cleaned.channels': text => withPreview({ channels: [text] }),
  'cleaned.bundles': text => withPreview({ bundles: [text] }),
  'cleaned.kept': text => withPreview({ kept: [text] }),
  'cleaned.warnings': text => ({ ...cleaned, warnings: [text] }),
  'status.channel': text => ({ ...status, channels: [{ ...firstChannel!, channel: text }] }),
  'status.bundle.name': text => withBundle({ name: text }),
  'status.bundle.since': text => withBundle({ since: text }),
  // Its address is made here, of GitHub's and the commit: that is no text of others.
  'status.bundle.commit.ref': text =>
    withBundle({ commit: { sha: text, ref: text, url: firstChannel!.bundle!.commit!.url } }),
  'status.bundle.rolledBackFrom': text => withBundle({ rolledBackFrom: text }),
  'status.appId': text => ({ ...status, appId: text }),
  'status.warnings': text => ({ ...status, warnings: [text] }),
  'move.from': text => ({ ...promoted, move: { kind: 'promotion', from: text } }),
  'old-bundles.removed': text => ({ ...oldBundles, removed: [{ id: 1, name: text, made: text }] }),
  'old-bundles.linked': text => ({ ...oldBundles, linked: [text] }),
  verified: text => ({ ...published, verified: text }),
  'rollout.stableBundle': text => ({
    ...published,
    rollout: { bps: 1000, paused: false, bundle: published.bundle.name, stableBundle: text },
  }),
  'failed.what': text => ({ ...failed, what: `Publish ${text}.` }),
  'failed.code': text => ({ ...failed, code: text as CapgoCode }),
  'failed.reason': text => ({ ...failed, reason: text }),
  'failed.hint': text => ({ ...failed, hint: text }),
  'failed.at.file': text => ({ ...failed, at: { file: text, line: 1 } }),
  'failed.output': text => ({ ...failed, output: `${text}.` }),
}

describe('text that is not ours makes nothing but text in', () => {
  it.each(Object.entries({ ...publishFields, ...otherFields }))('%s', (_, put) => {
    const plain = skeleton(renderSummary(put('x')))
    fc.assert(
      // At least one letter, since an empty text may leave out what it would stand in.
      fc.property(hostileText, text => {
        expect(skeleton(renderSummary(put(`${text}x`)))).toEqual(plain)
        expect(skeleton(renderSummary(put(`x${text}`)))).toEqual(plain)
      }),
      { numRuns: 30 },
    )
  })
  it('all fields at once', () => {
    const made = (name: string) => skeleton(renderSummary(samples[name]!)).join('\n')
    expect(made('hostile')).not.toMatch(
      /^(img|script|h[12]) |"(javascript:|https:\/\/evil)|mention|issue-link|emoji|math/m,
    )
    expect(made('hostile-failed')).not.toMatch(/^(img|script|h[12]) /m)
    // Help for the error's code alone.
    expect(made('hostile-failed').match(/^a .*$/gm)).toEqual([
      expect.stringMatching(/troubleshooting\.md#capgo_code"\}$/),
    ])
  })
})
