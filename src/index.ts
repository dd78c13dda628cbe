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

const USER_AGENT = 'capgo-publish-action'

const { env } = process

const log: Log = {
  info: message => core.info(inert(message)),
  warning: (message, at) => core.warning(message, annotation(at)),
  error: (message, at) => core.error(message, annotation(at)),
  output: work => work(showToTheLetter),
  group: (title, work) => core.group(title, work),
}

/** Text that is not ours must not be taken for a workflow command: those stand at the beginning of a line. */
function inert(message: string): string {
  // Not `\s`: over the newlines of a long text that takes the square of its length.
  return message.replace(/^([^\S\r\n]*):(?=:)/gm, '$1\u02d0').replace(/##\[/g, '## [')
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

/** What is no JSON is told of when the event is read. */
async function readPayload(path = ''): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8').catch(() => '{}'))
  } catch {
    return undefined
  }
}

async function main(): Promise<void> {
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
    payload: await readPayload(env.GITHUB_EVENT_PATH),
    workspace: env.GITHUB_WORKSPACE ?? process.cwd(),
    scratch,
    deflateWorker: join(dirname(process.argv[1] ?? ''), 'deflate-worker', 'index.js'),
    evaluator: {
      // Beside this file. Not `import.meta.url`: the bundler reads that as an asset to copy.
      script: join(dirname(process.argv[1] ?? ''), 'evaluate-config', 'index.js'),
      node: process.execPath,
    },
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
        sleep: ms => sleep(ms),
        onRetry: message => log.info(message),
      }),
    connectGitHub: (token, repository) =>
      connectGitHub({
        token,
        repository,
        apiUrl: env.GITHUB_API_URL ?? 'https://api.github.com',
        userAgent: USER_AGENT,
        fetch: ((url: string, init: RequestInit) => fetch(url, { ...init, dispatcher } as never)) as never,
      }),
  }
  try {
    if (!(await run(deps))) process.exitCode = 1
  } finally {
    await rm(scratch, { recursive: true, force: true })
    await dispatcher.close()
  }
}

await main()
