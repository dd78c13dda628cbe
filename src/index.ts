/** The only entry: builds Deps, calls run, sets the exit code. */
import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import * as core from '@actions/core'
import { EnvHttpProxyAgent, fetch } from 'undici'
import { createCapgo } from './capgo/client.ts'
import type { Deps, Log } from './deps.ts'
import type { Place } from './errors.ts'
import { connectGitHub } from './github/client.ts'
import { run } from './run.ts'
import { createStop, PROCESS_ENDS, type Stop } from './stop.ts'

const USER_AGENT = 'capgo-publish-action'

const { env } = process

const stop = createStop()

const log: Log = {
  info: message => core.info(inert(message)),
  warning: (message, at) => core.warning(message, annotation(at)),
  error: (message, at) => core.error(message, annotation(at)),
  output: work => work(showToTheLetter),
  group(title, work) {
    stop.begin(title)
    return core.group(title, work)
  },
}

/** Text that is not ours must not be taken for a workflow command: those stand at the beginning of a line. */
function inert(message: string): string {
  return message.replace(/^(\s*):(?=:)/gm, '$1\u02d0').replace(/##\[/g, '## [')
}

/** A line of a child process. Where it looks like a workflow command, commands are switched off around it. */
function showToTheLetter(line: string): void {
  if (!/^\s*::|##\[/.test(line)) {
    core.info(line)
    return
  }
  const token = randomUUID()
  core.info(`::stop-commands::${token}`)
  core.info(line)
  core.info(`::${token}::`)
}

function annotation(at: Place | undefined): core.AnnotationProperties {
  return {
    title: 'Capgo publish',
    ...(at === undefined ? {} : { file: at.file }),
    ...(at?.line === undefined ? {} : { startLine: at.line }),
    ...(at?.column === undefined ? {} : { startColumn: at.column }),
  }
}

/** The input `private-key` may be a path, which is no secret. */
function isKeyFile(value: string): boolean {
  return value === core.getInput('private-key') && value.length < 256 && !value.includes('-----')
}

/**
 * The runner cancels with SIGINT, then SIGTERM (Windows: Ctrl+C, then Ctrl+Break), and kills in the end;
 * `docker stop` and the like send SIGTERM alone, and give ten seconds too.
 */
function listenToRunner({ signal, cancel, after }: Stop): void {
  process.on('SIGINT', () => cancel('SIGINT'))
  process.on('SIGTERM', () => cancel('SIGTERM'))
  if (process.platform === 'win32') process.on('SIGBREAK', () => cancel('SIGBREAK'))
  signal.addEventListener('abort', () => log.info(`${signal.reason.message} Ending what still runs.`))
  // What cannot be aborted (a look-up of a name, a file system that hangs) must not keep the process.
  after(PROCESS_ENDS).addEventListener('abort', () => leave())
}

/** Ends the process although something still runs. What was written to the log is written first. */
function leave(): void {
  process.stdout.write('', () => process.exit(process.exitCode ?? 1))
}

async function main(): Promise<void> {
  listenToRunner(stop)
  const scratch = await mkdtemp(join(env.RUNNER_TEMP ?? tmpdir(), 'capgo-publish-'))
  const secrets = ['capgo-token', 'devices-token', 'github-token', 'private-key']
    .map(name => core.getInput(name))
    .filter(secret => secret !== '' && !isKeyFile(secret))
  for (const line of secrets.flatMap(secret => secret.split(/\n|\\n/)))
    if (line.trim() !== '') core.setSecret(line.trim())
  const dispatcher = new EnvHttpProxyAgent()
  const deps: Deps = {
    readInput: name => core.getInput(name),
    env,
    payload: JSON.parse(await readFile(env.GITHUB_EVENT_PATH ?? '', 'utf8').catch(() => '{}')),
    workspace: env.GITHUB_WORKSPACE ?? process.cwd(),
    scratch,
    deflateWorker: join(dirname(process.argv[1] ?? ''), 'deflate-worker', 'index.js'),
    evaluator: {
      // Beside this file. Not `import.meta.url`: the bundler reads that as an asset to copy.
      script: join(dirname(process.argv[1] ?? ''), 'evaluate-config', 'index.js'),
      node: process.execPath,
    },
    stop,
    log,
    sink: {
      setOutput: (name, value) => core.setOutput(name, value),
      async writeSummary(markdown) {
        if (env.GITHUB_STEP_SUMMARY) await core.summary.addRaw(markdown, true).write()
      },
    },
    clock: () => performance.now(),
    now: () => new Date(),
    connectCapgo: (token, hosts) =>
      createCapgo({
        token,
        ...hosts,
        dispatcher,
        userAgent: USER_AGENT,
        // Whoever waited looks at the signal.
        sleep: ms => sleep(ms, undefined, { signal: stop.signal }).catch(() => {}),
        signal: stop.signal,
        onRetry: message => log.info(message),
      }),
    connectGitHub: (token, repository, signal) =>
      connectGitHub({
        token,
        repository,
        apiUrl: env.GITHUB_API_URL ?? 'https://api.github.com',
        userAgent: USER_AGENT,
        signal,
        fetchUrl: (url, signal) => fetch(url, { dispatcher, redirect: 'error', signal }) as never,
      }),
  }
  try {
    process.exitCode = (await run(deps)) ? 0 : 1
  } finally {
    await rm(scratch, { recursive: true, force: true }).catch(() => {})
    await (stop.signal.aborted ? dispatcher.destroy() : dispatcher.close())
    if (stop.signal.aborted) leave()
  }
}

await main()
