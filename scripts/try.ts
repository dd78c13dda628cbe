/** `npm run try -- <folder>`: the action with an app of one's own, on this machine; nothing leaves it. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { StoredApp } from '../local/capgo/index.ts'
import { runAction } from '../local/runner/runner.ts'
import { cyan, dim, Story } from './demo/terminal.ts'
import { type App, guessAppId, readApp } from './trial.ts'
import { readWishes, STATE, USAGE, UsageError, type Wishes } from './try/arguments.ts'
import { askDevices } from './try/devices.ts'
import { readEvent, type TriedEvent } from './try/event.ts'
import { describeResult, type TryResult, tellBeginning, tellResult } from './try/report.ts'
import { TriedRepository } from './try/repository.ts'
import {
  type Capgo,
  type GitHub,
  keepState,
  type Memory,
  openCapgo,
  openGitHub,
  readMemory,
} from './try/servers.ts'

/** The exit code where the try could not be made. The action's own are 0 and 1. */
const NOT_TRIED = 2

async function main(): Promise<number> {
  const problems: string[] = []
  const here = process.env.INIT_CWD ?? '.'
  const wishes = readWishes(process.argv.slice(2), here, problems)
  if (wishes === null) {
    process.stdout.write(USAGE)
    return 0
  }
  await using stack = new AsyncDisposableStack()
  // Where something is wrong already, the rest is only looked at for more of it.
  const used = problems.length > 0 ? { ...wishes, state: null, capgo: null } : wishes
  const repository = openRepository(used, problems)
  const memory = readMemory(wishes)
  const capgo = await openCapgo(used)
  stack.defer(() => capgo.stop())
  const github = await openGitHub(used, repository, capgo.now)
  stack.defer(() => github.stop())
  const stage = { repository, hosted: github.hosted, pushed: memory.pushed }
  const event = await readEvent(wishes, stage, problems)
  complain(problems)
  return await attempt(wishes, { memory, capgo, github, repository, event })
}

interface Try {
  readonly memory: Memory
  readonly capgo: Capgo
  readonly github: GitHub
  readonly repository: TriedRepository
  readonly event: TriedEvent
}

async function attempt(wishes: Wishes, { memory, capgo, github, repository, event }: Try): Promise<number> {
  const began = performance.now()
  const { directory } = repository
  const inputs = { ...(directory === '' ? {} : { 'working-directory': directory }), ...wishes.inputs }
  const checkout = repository.checkOut(event.checkout, event.ref, wishes.fetchDepth)
  for (const command of wishes.before) prepare(command, checkout)
  const found = await readApp(checkout, inputs)
  const appId = found?.id ?? (await guessAppId(checkout, inputs)) ?? memory.appId ?? 'com.example.app'
  const key = await capgo.open(appId, wishes.keyRole)
  const number =
    wishes.runNumber ?? (wishes.state === null ? repository.count(event.checkout) : memory.runs + 1)
  const runAttempt = (memory.attempts[number] ?? 0) + 1
  const story = new Story()
  tellBeginning(story, found, event, repository, capgo.url)
  story.chapter('Log')
  const before = {
    capgo: (await capgo.describe(appId)).requests,
    github: github.requests,
    comments: new Set(github.hosted.comments.map(textOf)),
  }
  const run = await runAction({
    repo: checkout,
    event,
    inputs: { 'capgo-token': key, 'api-url': capgo.url, ...inputs },
    env: { GITHUB_REPOSITORY_ID: String(github.hosted.id), ...wishes.env },
    secrets: [key],
    githubToken: github.token,
    apiUrl: github.url,
    resultsUrl: github.resultsUrl,
    runId: 9_000_000_000 + number,
    runNumber: number,
    runAttempt,
    // A leak is told below, with all else that came of it.
    mayLeak: true,
    onVisibleLine: line => story.line(`  ${line}`),
  })
  // The run has installed what the config and the app's plugin are read from.
  const app = (await readApp(checkout, inputs)) ?? found
  const stored = await capgo.describe(appId)
  const requests = { capgo: stored.requests - before.capgo, github: github.requests - before.github }
  const { devices, testers } = await capgo.look(() =>
    lookAround(capgo, app, stored, run.outputs.channel ?? ''),
  )
  const result = describeResult(run, stored, { repository, hosted: github.hosted }, devices, requests)
  const written = result.comments.filter(comment => !before.comments.has(textOf(comment)))
  const from = wishes.state === null ? null : repository.path
  tellResult(story, run, result, { app, key, testers, written, repository: from })
  remember(wishes, memory, { number, runAttempt, appId: app?.id ?? memory.appId, event })
  keepState(wishes, memory, github)
  if (wishes.json !== null) {
    mkdirSync(dirname(wishes.json), { recursive: true })
    writeFileSync(wishes.json, `${JSON.stringify(result, null, 2)}\n`)
  }
  story.line(`\n${dim(`${((performance.now() - began) / 1000).toFixed(1)} s`)}`)
  if (wishes.keep) await keep(story, { capgo, github, key, app })
  return result.exitCode
}

/** The app's own devices; and where none of them follows the channel of the run, who chooses that one. */
async function lookAround({ url }: Capgo, app: App | null, stored: StoredApp, channel: string) {
  const devices = app === null ? [] : await askDevices(url, app, stored)
  const isFollowed = devices.some(device => device.channel === channel)
  const isThere = stored.channels.some(({ name }) => name === channel)
  if (app === null || isFollowed || !isThere) return { devices, testers: [] }
  return {
    devices,
    testers: await askDevices(url, { ...app, defaultChannel: channel }, { ...stored, overrides: [] }),
  }
}

const textOf = ({ issue, body }: TryResult['comments'][number]) => `${issue}: ${body}`

function openRepository({ folder, state }: Wishes, problems: string[]): TriedRepository {
  try {
    const kept = state === null ? undefined : join(state, STATE.repository)
    const repository = new TriedRepository(folder, kept)
    problems.push(...repository.rejected)
    return repository
  } catch {
    if (!problems.some(each => each.startsWith('The folder')))
      problems.push(
        `${folder} has no commit, and a commit is what is published.\nThere: git init && git add --all && git commit --message "First commit"`,
      )
    throw complaint(problems)
  }
}

/** A step of the workflow before the action. */
function prepare(command: string, cwd: string): void {
  const own = Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD$)/.test(name))
  const { status } = spawnSync(command, {
    cwd,
    shell: true,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...Object.fromEntries(own), CI: 'true' },
  })
  if (status !== 0)
    throw new UsageError(`--before ${command} ended with exit code ${status}, so the action did not run.`)
}

function remember(
  { event: name }: Wishes,
  memory: Memory,
  run: { number: number; runAttempt: number; appId: string | null; event: TriedEvent },
): void {
  const { number, runAttempt, appId, event } = run
  memory.runs = Math.max(memory.runs, number)
  memory.attempts[number] = runAttempt
  memory.appId = appId
  const branch = /^refs\/heads\/(.+)$/.exec(event.ref)?.[1]
  if (name === 'push' && branch !== undefined) memory.pushed[branch] = event.sha
}

async function keep(
  story: Story,
  { capgo, github, key, app }: { capgo: Capgo; github: GitHub; key: string; app: App | null },
): Promise<void> {
  story.chapter('Capgo and GitHub run until Ctrl+C')
  story.fact('Capgo', `${cyan(capgo.url)} (api-url; in a browser, a page with a phone)`)
  story.fact('key', key)
  story.fact('app', app?.id ?? 'none')
  story.fact('GitHub', `${github.url}, repository ${github.hosted.name}`)
  story.fact('token', github.token)
  // Other listeners would end the process before the servers are closed.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.removeAllListeners(signal)
  await new Promise(done => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, done)
  })
}

function complain(problems: readonly string[]): void {
  if (problems.length > 0) throw complaint(problems)
}

const complaint = (problems: readonly string[]) =>
  new UsageError(`${[...new Set(problems)].join('\n')}\n\nnpm run try -- --help shows all options.`)

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = NOT_TRIED
}
