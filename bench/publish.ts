/*
 * What a publish costs, here and with the official CLI: the same apps to the same local Capgo, over wires of some
 * length. Everything is shown, nothing is held to.
 *
 *   node bench/publish.ts --small             the app of 5 MB (some minutes)
 *   node bench/publish.ts --write             all three apps, and docs/development/performance.md (hours: keep it with --results)
 */
import { writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { removeScratch } from '../local/runner/scratch.ts'
import { APP_ID, type App, type AppSize, changeOneFile, createApp, hashesOf } from './app.ts'
import { type CapgoProcess, startCapgoProcess } from './capgo.ts'
import {
  type Contestant,
  npxFromNothing,
  type OurAction,
  officialCli,
  ourAction,
  ourActionFromNothing,
  type Publish,
  type Run,
} from './contestants.ts'
import { type LatencyProxy, longestChain, startProxy } from './latency.ts'
import { measureLimit } from './limit.ts'
import { PLOT, plotOf, renderPage, renderTables } from './performance-page.ts'
import { Results, type Sample, type Scenario, SERIES, type Series } from './results.ts'

const usage = `Compares the built action with the official CLI against the local Capgo.

  --apps <MB,..>      default 5,50,300
  --small             the same as --apps 5
  --latency <ms,..>   milliseconds each way, default 0,30,100
  --only <what,..>    zip (first upload, then unchanged), delta (first, then one file changed); default both
  --repeat <n>        instead of three times for 5 MB, twice for 50 MB and once for 300 MB
  --cold              also from an empty machine, with npx and the npm registry
  --limit <s>         a publish that takes longer is ended, default 1200
  --no-limits         switch the local Capgo's rate limits off
  --results <file>    keep every measurement there, and go on where an ended run was
  --write             write docs/development/performance.md and its plot
`

const SIZES: readonly (AppSize & { readonly repeat: number })[] = [
  { label: '5 MB, 300 files', megabytes: 5, files: 300, repeat: 3 },
  { label: '50 MB, 2,000 files', megabytes: 50, files: 2_000, repeat: 2 },
  { label: '300 MB, 10,000 files', megabytes: 300, files: 10_000, repeat: 1 },
]
const CHANNEL = 'production'
const DOCS = new URL('../docs/', import.meta.url)

interface Bench {
  readonly proxy: LatencyProxy
  readonly capgo: CapgoProcess
  readonly ours: OurAction
  readonly cli: Contestant
  readonly results: Results
  /** Seconds. */
  readonly limit: number
}

const say = (text: string) => process.stderr.write(`${text}\n`)

/** A first upload and the one after it, by one contestant, to an app that Capgo has never seen. */
async function measureSeries(
  bench: Bench,
  app: App,
  contestant: Contestant,
  about: Pick<Sample, 'app' | 'latency' | 'repetition'> & { readonly series: Series },
): Promise<void> {
  const { series, ...where } = about
  const appId = nextAppId()
  await bench.capgo.seed(appId, CHANNEL)
  bench.proxy.latency = about.latency
  let isLost = false
  for (const [at, scenario] of SERIES[series].entries()) {
    const changed = scenario === 'delta, one file changed'
    if (changed) changeOneFile(app, ++changes)
    const result: Result = isLost
      ? { end: 'failed' }
      : await measureOne(bench, contestant, scenario, await publishOf(bench, app, appId, series, at + 1))
    isLost ||= result.end === 'failed' || result.end === 'too long'
    bench.results.add({ sample: { ...where, scenario, contestant: contestant.name, ...result } })
  }
  await bench.capgo.forget(appId)
}

let apps = 0
let changes = 0
const nextAppId = () => `${APP_ID}.n${process.pid}.a${++apps}`

const publishOf = async (
  { proxy, capgo, limit }: Bench,
  app: App,
  appId: string,
  series: Series,
  number: number,
): Promise<Publish> => ({
  app,
  appId,
  channel: CHANNEL,
  // Another run is another minute in life: no publish is refused for what the one before asked.
  key: await capgo.key(appId, 'app_admin'),
  capgoUrl: `http://127.0.0.1:${proxy.port}`,
  delta: series === 'delta',
  number,
  limit,
})

type Result = Omit<Sample, 'app' | 'latency' | 'repetition' | 'scenario' | 'contestant'>

async function measureOne(
  { proxy, capgo }: Bench,
  contestant: Contestant,
  scenario: Scenario,
  publish: Publish,
): Promise<Result> {
  const before = await capgo.served(publish.appId, CHANNEL)
  await capgo.take()
  proxy.take()
  const run = await contestant.publish(publish)
  const traffic = proxy.take()
  const counts = await capgo.take()
  const wrong =
    run.end === 'too long' ? null : await findWrong(capgo, publish, scenario, before?.version, run)
  const end = wrong === null ? run.end : 'failed'
  const roundTrips = longestChain(traffic.exchanges)
  const asked = traffic.exchanges.length
  say(
    `    ${contestant.name.padEnd(4)} ${scenario.padEnd(23)} ${end.padEnd(9)} ${run.seconds.toFixed(2)} s, CPU ${run.cpu.toFixed(2)} s, ` +
      `${(run.memory / 1e6).toFixed(0)} MB, ${counts.requests} requests, ${(traffic.up / 1e6).toFixed(1)} MB up, ` +
      `${roundTrips} in a row on ${traffic.connections} connections`,
  )
  if (asked !== counts.requests)
    say(`      The wire saw ${asked} exchanges, Capgo ${counts.requests} requests.`)
  const refused = Object.entries(counts.refused).filter(([what]) => !what.startsWith('404 GET'))
  if (refused.length > 0) say(`      ${refused.map(([what, times]) => `${times} × ${what}`).join(', ')}`)
  if (wrong !== null) say(`      ${wrong}\n${run.log.slice(-3_000).replace(/^/gm, '      | ')}`)
  return {
    end,
    seconds: run.seconds,
    cpu: run.cpu,
    memory: run.memory,
    requests: counts.requests,
    up: traffic.up,
    roundTrips,
    connections: traffic.connections,
  }
}

/** Mistakes at the end of a publish, looked at from Capgo's side; null when it is as it should be. */
async function findWrong(
  capgo: CapgoProcess,
  { app, appId, delta }: Publish,
  scenario: Scenario,
  before: string | undefined,
  run: Run,
): Promise<string | null> {
  const wanted = scenario === 'unchanged' ? 'unchanged' : 'published'
  if (run.end !== wanted) return `It is ${run.end}, not ${wanted}.`
  const served = await capgo.served(appId, CHANNEL)
  if (served === null) return 'The channel serves nothing.'
  if (wanted === 'unchanged')
    return served.version === before ? null : `The channel serves ${served.version}.`
  if (served.version === before) return 'The channel serves the bundle of before.'
  if (!delta) return served.zip !== null && served.delta.length === 0 ? null : 'It is not a zip, or not only.'
  if (served.missing > 0) return `${served.missing} delta files are not stored.`
  return served.delta.join() === hashesOf(app).join() ? null : 'The delta files are not those of the app.'
}

/** Once for each contestant, over no wire. */
async function measureCold(bench: Bench, app: App, size: AppSize): Promise<void> {
  bench.proxy.latency = 0
  for (const name of ['ours', 'cli'] as const) {
    const appId = nextAppId()
    await bench.capgo.seed(appId, CHANNEL)
    const publish = await publishOf(bench, app, appId, 'zip', 1)
    const run = await (name === 'ours' ? ourActionFromNothing(bench.ours, publish) : npxFromNothing(publish))
    const wrong = await findWrong(bench.capgo, publish, 'zip', undefined, run)
    say(
      `    ${name.padEnd(4)} from nothing: ${run.seconds.toFixed(2)} s, ${(run.downloaded / 1e6).toFixed(1)} MB of its own`,
    )
    if (wrong !== null) say(`      ${wrong}\n${run.log.slice(-3_000).replace(/^/gm, '      | ')}`)
    const { seconds, cpu, downloaded } = run
    bench.results.add({
      cold: { app: size.label, contestant: name, seconds, cpu, downloaded, failed: wrong !== null },
    })
    await bench.capgo.forget(appId)
  }
}

async function measureSize(
  bench: Bench,
  size: (typeof SIZES)[number],
  wanted: { latencies: readonly number[]; series: readonly Series[]; repeat: number; cold: boolean },
): Promise<void> {
  const { results } = bench
  const app = createApp(size, `http://127.0.0.1:${bench.proxy.port}`)
  say(`${size.label}: ${app.bytes} bytes`)
  if (!results.limits.some(({ app }) => app === size.label))
    results.add({ limits: { app: size.label, ...(await measureLimit(app)) } })
  // The repetitions are outside, so that a busy minute of the machine meets them all once and none of them always.
  for (let repetition = 1; repetition <= wanted.repeat; repetition++)
    for (const latency of wanted.latencies)
      for (const series of wanted.series) {
        say(
          `  ${latency} ms each way, ${series}, ${repetition} of ${wanted.repeat} (load ${loadavg()[0]!.toFixed(1)})`,
        )
        const both = [bench.ours, bench.cli].filter(({ hasDelta }) => series !== 'delta' || hasDelta)
        for (const contestant of repetition % 2 === 1 ? both : both.toReversed()) {
          const about = { app: size.label, latency, repetition }
          const isDone = results.samples.some(
            sample =>
              sample.app === about.app &&
              sample.latency === latency &&
              sample.repetition === repetition &&
              sample.contestant === contestant.name &&
              sample.scenario === SERIES[series].at(-1),
          )
          if (!isDone) await measureSeries(bench, app, contestant, { ...about, series })
        }
      }
  if (wanted.cold && !results.colds.some(({ app }) => app === size.label)) await measureCold(bench, app, size)
  removeScratch(app.repository.path)
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      apps: { type: 'string', default: '5,50,300' },
      small: { type: 'boolean', default: false },
      latency: { type: 'string', default: '0,30,100' },
      only: { type: 'string', default: 'zip,delta' },
      repeat: { type: 'string' },
      cold: { type: 'boolean', default: false },
      limit: { type: 'string', default: '1200' },
      'no-limits': { type: 'boolean', default: false },
      results: { type: 'string' },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(usage)
    return
  }
  const megabytes = values.small ? [5] : values.apps.split(',').map(Number)
  const latencies = values.latency.split(',').map(Number)
  const series = values.only.split(',') as Series[]
  const repeat = values.repeat === undefined ? undefined : Number(values.repeat)
  const limit = Number(values.limit)
  const isWrong =
    megabytes.some(wanted => !SIZES.some(({ megabytes }) => megabytes === wanted)) ||
    latencies.some(ms => !(ms >= 0)) ||
    series.some(name => !(name in SERIES)) ||
    (repeat !== undefined && !(repeat >= 1)) ||
    !(limit > 0)
  if (isWrong) {
    process.stderr.write(usage)
    process.exitCode = 2
    return
  }

  const cli = officialCli()
  const ours = ourAction()
  if (!ours.hasDelta) say('The action has no input "delta": there only the CLI is measured.')
  const results = new Results(values.results)
  const proxy = await startProxy()
  const capgo = await startCapgoProcess(proxy.port, { limits: !values['no-limits'] })
  proxy.target = capgo.port
  try {
    const bench = { proxy, capgo, ours, cli, results, limit }
    for (const size of SIZES.filter(({ megabytes: its }) => megabytes.includes(its)))
      await measureSize(bench, size, {
        latencies,
        series,
        repeat: repeat ?? size.repeat,
        cold: values.cold && size === SIZES[0],
      })
  } finally {
    proxy.stop()
    capgo.stop()
  }
  process.stdout.write(renderTables(results))
  if (values.write) {
    writeFileSync(new URL('development/performance.md', DOCS), renderPage(results))
    writeFileSync(new URL(PLOT, DOCS), plotOf(results))
    say('docs/development/performance.md and its plot are written.')
  }
  if (results.samples.some(({ end }) => end === 'failed')) process.exitCode = 1
}

if (import.meta.main) await main()
