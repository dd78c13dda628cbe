/** The only entry: builds Deps, calls run, sets the exit code. */
import { rmSync } from 'node:fs'
import { readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import * as core from '@actions/core'
import { fetch } from 'undici'
import { compileZlib } from './bundle/zlib.ts'
import { createCapgo } from './capgo/client.ts'
import type { Deps } from './context.ts'
import { documentsOf } from './documents.ts'
import { ActionError } from './errors.ts'
import { notOnGitHub } from './event.ts'
import { connectGitHub } from './github/client.ts'
import { report } from './report/report.ts'
import { failure } from './report/results.ts'
import { run } from './run.ts'
import { createLog, createSink, readSecrets } from './runner.ts'
import { type Cancellation, createCancellation, PROCESS_GRACE } from './runtime/cancellation.ts'
import { HANDED_OVER, takeOver } from './runtime/handover.ts'
import { createNetwork, type Network } from './runtime/network.ts'
import { secretParts } from './runtime/redaction.ts'
import { makeScratch, replaceHome, requireWorkspace } from './runtime/runner-folders.ts'
import { type GuardedFile, guardFiles } from './runtime/tamper-guard.ts'

/** Not `import.meta.url`: the bundler reads that as an asset to copy. */
const dist = dirname(process.argv[1] ?? '')
/** Folder for what is written beside the checkout; null before it is made. */
let scratch: string | null = null
/** The network of all requests; null before the first. */
let network: Network | null = null

const { env } = process
// In the environment of this process from now on, and not in the one that the system shows to others.
if (process.argv[2] === HANDED_OVER) takeOver(env)

const runName = `${env.GITHUB_RUN_NUMBER}.${env.GITHUB_RUN_ATTEMPT}`
/** Names the run as notes on bundles do, so that the log of a server can be read run by run. */
const USER_AGENT = `capgo-publish-action${/^\d+\.\d+$/.test(runName) ? ` (run ${runName})` : ''}`

const { secrets, redact } = readSecrets(name => core.getInput(name), env)
const stop = createCancellation()
const clock = () => performance.now()
const log = createLog(core, redact, stop, clock)
const sink = createSink(core, env, redact)
const documents = documentsOf(env)

/** Files through which a step has power over the others, and this action's own. */
async function guardedFiles(): Promise<GuardedFile[]> {
  const commands = Object.entries(env).flatMap(([name, path]) =>
    /^GITHUB_(OUTPUT|ENV|PATH|STATE|STEP_SUMMARY)$/.test(name) && path ? [{ path, what: name }] : [],
  )
  const own = await readdir(dist, { recursive: true })
  return [...commands, ...own.map(file => ({ path: join(dist, file), what: `this action's dist/${file}` }))]
}

/**
 * The runner cancels with SIGINT, then SIGTERM (Windows: Ctrl+C, then Ctrl+Break), and kills in the end;
 * `docker stop` and the like send SIGTERM alone, and give ten seconds too.
 */
function listenToRunner({ signal, cancel, after }: Cancellation): void {
  process.on('SIGINT', () => cancel('SIGINT'))
  process.on('SIGTERM', () => cancel('SIGTERM'))
  if (process.platform === 'win32') process.on('SIGBREAK', () => cancel('SIGBREAK'))
  signal.addEventListener('abort', () => log.info(`${signal.reason.message} Stopping what still runs.`))
  // A look-up of a name or a file system that hangs cannot be aborted, and must not keep the process.
  after(PROCESS_GRACE).addEventListener('abort', () => leave())
}

function openNetwork(): Network {
  network ??= createNetwork(env)
  return network
}

function viaNetwork({ dispatcher }: Network): typeof globalThis.fetch {
  return ((url: string, init: RequestInit) => fetch(url, { ...init, dispatcher } as never)) as never
}

/** Ends the process although something still runs. The log is written first. */
function leave(): void {
  process.stdout.write('', () => process.exit(process.exitCode ?? 1))
}

/** Undefined where it is not JSON. Throws `not_on_github`, `event_unreadable`. */
async function readPayload(path = ''): Promise<unknown> {
  if (path === '') throw notOnGitHub('The variable GITHUB_EVENT_PATH is missing.')
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new ActionError(
      'event_unreadable',
      `The event file of this run cannot be read: ${(cause as Error).message}.`,
      {
        hint: "GITHUB_EVENT_PATH names that file. In a container job, start the container as a user who can read it: options: --user 1001 on GitHub's machines, or root.",
        cause,
      },
    )
  })
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A folder for what is written beside the checkout, and a home for package managers. */
async function prepareFolders(): Promise<string> {
  const made = await makeScratch([env.RUNNER_TEMP || tmpdir(), tmpdir()])
  scratch = made.scratch
  const home = process.platform === 'win32' ? null : await replaceHome(env.HOME, scratch)
  if (home !== null) env.HOME = home.home
  for (const note of [...made.notes, ...(home === null ? [] : [home.note])]) log.info(note)
  return scratch
}

async function createDeps(): Promise<Deps> {
  return {
    scratch: await prepareFolders(),
    readInput: name => core.getInput(name),
    env,
    payload: await readPayload(env.GITHUB_EVENT_PATH),
    workspace: await requireWorkspace(env.GITHUB_WORKSPACE || process.cwd()),
    // Read before anything of the user's runs, which could change it.
    deflateWorker: await readFile(join(dist, 'deflate-worker', 'index.js'), 'utf8'),
    zlib: await compileZlib(await readFile(join(dist, 'zlib.wasm'))),
    requireUntouched: await guardFiles(await guardedFiles()),
    // A chunk of its own in dist/, which only the runs that store something load.
    loadArtifacts: async () => (await import('./github/upload-artifact.ts')).uploadArtifact,
    evaluator: {
      script: join(dist, 'evaluate-config', 'index.js'),
      node: process.execPath,
    },
    documents,
    cancellation: stop,
    log,
    sink,
    clock,
    now: () => new Date(),
    connectCapgo: (token, hosts) =>
      createCapgo({
        token,
        ...hosts,
        ...openNetwork(),
        redact,
        userAgent: USER_AGENT,
        // The caller checks the signal.
        sleep: ms => sleep(ms, undefined, { signal: stop.signal }).catch(() => {}),
        signal: stop.signal,
        onRetry: message => log.info(message),
      }),
    connectGitHub: (token, repository, signal) =>
      connectGitHub({
        token,
        repository,
        redact,
        apiUrl: env.GITHUB_API_URL ?? 'https://api.github.com',
        userAgent: USER_AGENT,
        signal,
        fetch: viaNetwork(openNetwork()),
        onRetry: message => log.info(message),
      }),
  }
}

async function main(): Promise<void> {
  listenToRunner(stop)
  for (const part of secrets.flatMap(secretParts)) core.setSecret(part)
  try {
    process.exitCode = (await run(await createDeps())) ? 0 : 1
  } catch (error) {
    report(failure(error), { log, sink, documents })
    process.exitCode = 1
  } finally {
    await rm(scratch ?? '', { recursive: true, force: true }).catch(() => {})
    await (stop.signal.aborted ? network?.dispatcher.destroy() : network?.dispatcher.close())
    if (stop.signal.aborted) leave()
  }
}

/** Node would print the error with its properties: requests with their headers, values that are not a URL. */
function die(error: unknown): never {
  log.obeyCommands()
  report(failure(error), { log, sink, documents })
  if (scratch !== null) rmSync(scratch, { recursive: true, force: true })
  process.exit(1)
}

process.on('uncaughtException', die)
await main()
