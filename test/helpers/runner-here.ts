/**
 * The action's code as a step of a job in this process: everything is as in `runAction` but the process, at a fifth of
 * its time. What is about the process runs the built action: signals, limits, other users, threads that hang, what a
 * child prints, the environment that a build sees.
 */
import { readFileSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fetch } from 'undici'
import { parse } from 'yaml'
import { secretValues } from '../../src/build-variables.ts'
import { SECRET_INPUTS } from '../../src/bundle/environment.ts'
import { guardFiles } from '../../src/bundle/untouched.ts'
import { createCapgo } from '../../src/capgo/client.ts'
import { appendWhole, keyValueLines } from '../../src/command-file.ts'
import type { Deps, Log, Sink } from '../../src/deps.ts'
import type { Place } from '../../src/errors.ts'
import { connectGitHub } from '../../src/github/client.ts'
import { createNetwork } from '../../src/network.ts'
import { createRedactor, secretParts } from '../../src/redaction.ts'
import { failure } from '../../src/report/outcome.ts'
import { report } from '../../src/report/report.ts'
import { run } from '../../src/run.ts'
import { makeScratch, replaceHome, requireWorkspace } from '../../src/runner-folders.ts'
import { createStop, type Stop } from '../../src/stop.ts'
import type { RunnerLog } from './log.ts'
import { type ActionRun, type Manifest, openStep, type RunOptions, readStep } from './runner.ts'
import { worker, zlib } from './zlib.ts'

const PROJECT = join(import.meta.dirname, '../..')
const USER_AGENT = 'capgo-publish-action'
const manifest = parse(readFileSync(join(PROJECT, 'action.yml'), 'utf8')) as Manifest

/** What only a process of its own can be given. */
type Here = Omit<RunOptions, 'action' | 'actionPath' | 'through' | 'prepare' | 'onLine' | 'mayLeak'>

/** Rejects like `runAction`, and when a child prints what only the built action keeps from being a command. */
export async function runActionHere(options: Here): Promise<ActionRun> {
  const { inputs, log } = readStep(manifest, options)
  const step = openStep(options, inputs, log)
  const env: Record<string, string> = { ...step.env }
  const read = (name: string) => (env[`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`] ?? '').trim()
  const secrets = [...SECRET_INPUTS.map(read), ...secretValues(read('build-secrets'))].filter(
    secret => secret !== '' && !isKeyFile(secret, read('private-key')),
  )
  const tokens = Object.entries(env).flatMap(([name, value]) =>
    /^ACTIONS_.*TOKEN$/.test(name) ? [value] : [],
  )
  const redact = createRedactor([...secrets, ...tokens])
  const stop = createStop()
  const out = { log: createLog(log, redact, stop), sink: createSink(env, redact) }
  for (const part of secrets.flatMap(secretParts)) command(log, 'add-mask', part)
  const network = createNetwork(env)
  const viaNetwork = ((url: string, init: RequestInit) =>
    fetch(url, { ...init, dispatcher: network.dispatcher } as never)) as never
  let scratch = ''
  let isGreen = false
  try {
    const made = await makeScratch([env.RUNNER_TEMP!, env.TMPDIR!])
    scratch = made.scratch
    const home = await replaceHome(env.HOME, scratch)
    if (home !== null) env.HOME = home.home
    for (const note of [...made.notes, ...(home === null ? [] : [home.note])]) out.log.info(note)
    const deps: Deps = {
      scratch,
      readInput: read,
      env,
      payload: JSON.parse(await readFile(env.GITHUB_EVENT_PATH!, 'utf8')),
      workspace: await requireWorkspace(env.GITHUB_WORKSPACE!),
      deflateWorker: worker,
      zlib,
      requireUntouched: await guardFiles(commandFiles(env)),
      loadArtifacts() {
        throw new Error('The built action alone stores artifacts.')
      },
      evaluator: { script: join(PROJECT, 'dist/evaluate-config/index.js'), node: process.execPath },
      stop,
      ...out,
      clock: () => performance.now(),
      now: () => new Date(),
      connectCapgo: (token, hosts) =>
        createCapgo({
          token,
          ...hosts,
          ...network,
          redact,
          userAgent: USER_AGENT,
          sleep: ms => sleep(ms, undefined, { signal: stop.signal }).catch(() => {}),
          signal: stop.signal,
          onRetry: message => out.log.info(message),
        }),
      connectGitHub: (token, repository, signal) =>
        connectGitHub({
          token,
          repository,
          redact,
          apiUrl: env.GITHUB_API_URL!,
          userAgent: USER_AGENT,
          signal,
          fetch: viaNetwork,
        }),
    }
    isGreen = await run(deps)
  } catch (error) {
    report(failure(error, 'Run'), out)
  } finally {
    if (scratch !== '') await rm(scratch, { recursive: true, force: true })
    await network.dispatcher.close()
  }
  return step.close({ exitCode: isGreen ? 0 : 1, signal: null })
}

/** The input `private-key` may be a path. */
const isKeyFile = (value: string, privateKey: string) =>
  value === privateKey && value.length < 256 && !value.includes('-----')

const commandFiles = (env: Readonly<Record<string, string>>) =>
  Object.entries(env).flatMap(([name, path]) =>
    /^GITHUB_(OUTPUT|ENV|PATH|STATE|STEP_SUMMARY)$/.test(name) && path ? [{ path, what: name }] : [],
  )

function createLog(log: RunnerLog, redact: (text: string) => string, stop: Stop): Log {
  const print = (text: string) => {
    for (const line of redact(text).split(/\r\n|\n|\r/)) {
      if (/::|##\[/.test(line.replace(/[^!-~]/g, '')) && /^\W*(::|##)/.test(line))
        throw new Error(`Run the built action: here this line would be a workflow command: ${line}`)
      log.write(line)
    }
  }
  return {
    info: print,
    warning: (message, at) => command(log, 'warning', redact(message), annotation(at)),
    error: (message, at) => command(log, 'error', redact(message), annotation(at)),
    output: work => work(print),
    async group(title, work) {
      stop.begin(title)
      command(log, 'group', redact(title))
      try {
        return await work()
      } finally {
        command(log, 'endgroup', '')
      }
    },
  }
}

function createSink(env: Readonly<Record<string, string>>, redact: (text: string) => string): Sink {
  return {
    setOutputs(values) {
      const hidden = Object.entries(values).map(([name, value]) => [name, redact(value)])
      appendWhole(env.GITHUB_OUTPUT!, keyValueLines(Object.fromEntries(hidden)))
      return null
    },
    writeSummary(markdown) {
      appendWhole(env.GITHUB_STEP_SUMMARY!, `${redact(markdown)}\n`)
      return null
    },
  }
}

const annotation = (at: Place | undefined) => ({
  title: 'Capgo publish',
  file: at?.file,
  line: at?.line,
  col: at?.column,
})

/** A workflow command as `@actions/core` writes it. */
function command(
  log: RunnerLog,
  name: string,
  message: string,
  properties: Readonly<Record<string, string | number | undefined>> = {},
): void {
  const escaped = (text: string) =>
    text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
  const list = Object.entries(properties)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${escaped(String(value)).replaceAll(':', '%3A').replaceAll(',', '%2C')}`)
  log.write(`::${name}${list.length === 0 ? '' : ` ${list.join(',')}`}::${escaped(message)}`)
}
