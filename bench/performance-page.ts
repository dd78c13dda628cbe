import { availableParallelism, cpus } from 'node:os'
import { archiveSize } from '../scripts/archive-size.ts'
import { CLI_VERSION } from './contestants.ts'
import { median } from './measure.ts'
import { type Bar, drawRatios } from './plot.ts'
import type { Cold, Limits, Measured, Sample, Scenario } from './results.ts'

/** In docs/. */
export const PLOT = 'images/performance.svg'

/** The medians of one contestant in one place. */
interface Summary {
  /** In place of numbers: `failed`, `> 1200 s`, `not tried` as what it builds on failed. */
  readonly trouble: string | null
  readonly values: Readonly<Record<Metric, number>>
}

type Metric = 'seconds' | 'cpu' | 'memory' | 'requests' | 'up' | 'roundTrips'
const METRICS = ['seconds', 'cpu', 'memory', 'requests', 'up', 'roundTrips'] as const satisfies Metric[]

interface Row {
  readonly app: string
  readonly latency: number
  readonly scenario: Scenario
  readonly ours: Summary | null
  readonly cli: Summary | null
}

const COLUMNS: Readonly<Record<Metric, { title: string; show: (value: number) => string }>> = {
  seconds: { title: 'Time, s', show: value => value.toFixed(1) },
  cpu: { title: 'CPU, s', show: value => value.toFixed(1) },
  memory: { title: 'Memory, MB', show: value => (value / 1e6).toFixed(0) },
  requests: { title: 'Requests', show: value => value.toLocaleString('en') },
  up: { title: 'Sent, MB', show: value => (value / 1e6).toFixed(1) },
  roundTrips: { title: 'Round trips', show: value => value.toLocaleString('en') },
}

function rowsOf(samples: readonly Sample[]): Row[] {
  const places = new Map<string, Sample[]>()
  for (const sample of samples) {
    const place = `${sample.app}\n${sample.scenario}\n${sample.latency}`
    places.set(place, [...(places.get(place) ?? []), sample])
  }
  const order: readonly Scenario[] = ['zip', 'delta, first', 'delta, one file changed', 'unchanged']
  return [...places.values()]
    .map(all => ({
      app: all[0]!.app,
      latency: all[0]!.latency,
      scenario: all[0]!.scenario,
      ours: summarize(all.filter(({ contestant }) => contestant === 'ours')),
      cli: summarize(all.filter(({ contestant }) => contestant === 'cli')),
    }))
    .sort(
      (one, other) =>
        Number.parseInt(one.app, 10) - Number.parseInt(other.app, 10) ||
        order.indexOf(one.scenario) - order.indexOf(other.scenario) ||
        one.latency - other.latency,
    )
}

function summarize(samples: readonly Sample[]): Summary | null {
  if (samples.length === 0) return null
  const tooLong = samples.find(({ end }) => end === 'too long')
  const trouble =
    tooLong !== undefined
      ? `> ${Math.floor(tooLong.seconds!)} s`
      : samples.some(({ end, seconds }) => end === 'failed' && seconds === undefined)
        ? 'not tried'
        : samples.some(({ end }) => end === 'failed')
          ? 'failed'
          : null
  const of = (metric: Metric) => median(samples.map(sample => sample[metric] ?? Number.NaN))
  return { trouble, values: Object.fromEntries(METRICS.map(metric => [metric, of(metric)])) as never }
}

/** How many times the CLI's is ours; null when it is unknown. */
function ratioOf({ ours, cli }: Row, metric: Metric): number | null {
  if (!ours || !cli || ours.trouble !== null || cli.trouble !== null) return null
  return cli.values[metric] / ours.values[metric]
}

/** Over no wire, what follows what cannot be told from what waits for what. */
const isKnown = (row: Row, metric: Metric) => metric !== 'roundTrips' || row.latency > 0

function cellsOf(row: Row, metric: Metric): string[] {
  if (!isKnown(row, metric)) return ['–', '–', '–']
  const value = (summary: Summary | null) =>
    summary === null ? '–' : (summary.trouble ?? COLUMNS[metric].show(summary.values[metric]))
  const ratio = ratioOf(row, metric)
  return [value(row.ours), value(row.cli), ratio === null ? '–' : `${ratio.toFixed(1)}×`]
}

export function renderTables({ samples, limits, colds }: Measured): string {
  const rows = rowsOf(samples)
  const apps = [...new Set(rows.map(({ app }) => app))]
  const parts = apps.map(app => {
    const own = rows.filter(row => row.app === app)
    const time = table(
      ['Publish', 'Each way', 'This action, s', 'CLI, s', 'CLI / this action'],
      own.map(row => [row.scenario, `${row.latency} ms`, ...cellsOf(row, 'seconds')]),
    )
    const rest = METRICS.filter(metric => metric !== 'seconds')
    const work = table(
      ['Publish', 'Each way', ...rest.map(metric => COLUMNS[metric].title)],
      own.map(row => [
        row.scenario,
        `${row.latency} ms`,
        ...rest.map(metric => {
          const [ours, cli, ratio] = cellsOf(row, metric)
          return ours === '–' && cli === '–' ? '–' : `${ours} / ${cli} (${ratio})`
        }),
      ]),
    )
    return `## ${app}\n\n${time}\nWhat it took: this action / CLI (CLI / this action).\n\n${work}`
  })
  return [...parts, ...renderLimits(limits), ...renderColds(colds)].join('\n')
}

function renderLimits(limits: readonly Limits[]): string[] {
  if (limits.length === 0) return []
  const s = (seconds: number) => seconds.toFixed(seconds < 0.1 ? 3 : 2)
  const cores = availableParallelism()
  const title = (what: string) => `${what}, ${cores} ${cores === 1 ? 'core' : 'cores'}`
  return [
    `## What the machine allows

Seconds that the same files take in bare loops. The zip is deflated with zlib in WebAssembly as this action does it, and with Node's own zlib.

${table(
  [
    'App',
    'Read',
    'SHA-256',
    'WebAssembly, 1 core',
    title('WebAssembly'),
    title('zlib'),
    'Deflated, MB',
    'Through one socket',
  ],
  limits.map(limit => [
    limit.app,
    s(limit.read),
    s(limit.hash),
    s(limit.wasm),
    s(limit.wasmOnAll),
    s(limit.zlibOnAll),
    (limit.deflated / 1e6).toFixed(1),
    s(limit.send),
  ]),
)}`,
  ]
}

function renderColds(colds: readonly Cold[]): string[] {
  const [ours, cli] = (['ours', 'cli'] as const).map(name =>
    colds.find(({ contestant, failed }) => contestant === name && !failed),
  )
  if (!ours || !cli) return []
  const row = (what: string, of: (cold: Cold) => number, digits: number) => [
    what,
    of(ours).toFixed(digits),
    of(cli).toFixed(digits),
    `${(of(cli) / of(ours)).toFixed(1)}×`,
  ]
  return [
    `## From an empty machine

The app of ${ours.app}, as a zip, over no wire. The CLI comes through \`npx\` with an empty npm cache (without install scripts); this action is unpacked from an archive. The archive's way from GitHub is left out; that of the CLI's packages is in.

${table(
  ['', 'This action', 'CLI', 'CLI / this action'],
  [
    row('Time, s', ({ seconds }) => seconds, 1),
    row('CPU, s', ({ cpu }) => cpu, 1),
    row('Of its own to fetch, MB', ({ downloaded }) => downloaded / 1e6, 1),
  ],
)}`,
  ]
}

export function plotOf({ samples }: Measured): string {
  const bars: Bar[] = rowsOf(samples).map(row => ({
    group: row.app,
    label: `${row.scenario}, ${row.latency} ms`,
    ratio: ratioOf(row, 'seconds'),
  }))
  return drawRatios('How many times as long the CLI takes (dashed: as long as this action)', bars)
}

export function renderPage(measured: Measured): string {
  const apps = new Map<string, number>()
  for (const { app, repetition } of measured.samples) apps.set(app, Math.max(repetition, apps.get(app) ?? 0))
  const repeated = [...apps].map(([app, times]) => `${app}: ${times} of each`).join('; ')
  const model = cpus()[0]?.model.trim() ?? 'an unknown processor'
  return `<!-- Made by \`node bench/publish.ts --write\`. -->
# Performance

What a publish costs with this action and with \`@capgo/cli\` ${CLI_VERSION} (\`bundle upload\`), measured in one run on one machine against one local Capgo.

![How many times as long the CLI takes](../${PLOT})

- **Each way** is how long every byte is under way in each direction, and a new connection first costs a round trip. Bandwidth is not limited, nothing is encrypted, and the local Capgo answers at once: on the real network everything takes longer.
- **zip** is a first upload without delta files (\`--no-delta\`), **delta, first** one with them (\`--delta\`), and **delta, one file changed** the next one after one script has changed. **unchanged** publishes the same files again; the CLI refuses that with an error, and the time until then is counted.
- About half of the bytes of each app are images and fonts, which do not deflate. The app is built already: no install and no build is in the numbers.
- **CPU** is user and system time with child processes, **memory** the peak of the largest process. **Round trips** are requests of which each began when the one before had ended, in the longest such chain; where much goes on side by side that is more than had to wait for each other.
- The CLI runs without telemetry, and its look for a newer version fails at once. This action runs without comment and deployment, which the CLI does not have.
- Numbers are medians (${repeated}). The machine: ${availableParallelism()} cores of ${model}, Node ${process.version}, shared with Capgo and the wire.

## What a job downloads

GitHub packs the repository anew for each job that uses the action, and the runner downloads that archive before the job
begins: **${(archiveSize() / 1e6).toFixed(2)} MB** (\`node scripts/archive-size.ts\`). \`.gitattributes\` keeps out of it what no job needs, such as sources, tests and
pictures: whole, it would be 4 MB. \`dist/\` is most of the rest. Comments and white space are left out of it, which
makes it a third smaller; names are kept, so that a stack can be read. What the action and GitHub's client for artifacts
both need, such as undici, is there once.

${renderTables(measured)}`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`
  const rule = head.map((_, at) => (at === 0 ? '---' : '---:'))
  return [head, rule, ...rows].map(line).join('')
}
