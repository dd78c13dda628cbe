/**
 * The action's code as a step of a job in this process: everything is as in `runAction` but the process, at a fifth of
 * its time. What is about the process runs the built action: signals, limits, other users, threads that hang, what a
 * child prints, the environment that a build sees.
 */
import { readFileSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AnnotationProperties } from '@actions/core'
import { type Dispatcher, fetch } from 'undici'
import { parse } from 'yaml'
import type { RunnerLog } from '../../local/runner/log.ts'
import {
  type ActionProcess,
  type ActionRun,
  type Manifest,
  openStep,
  type RunOptions,
  readStep,
  type Step,
} from '../../local/runner/runner.ts'
import { worker, zlib } from '../../local/zlib.ts'
import { createCapgo } from '../../src/capgo/client.ts'
import type { HttpOptions } from '../../src/capgo/http.ts'
import type { Deps } from '../../src/context.ts'
import { documentsOf } from '../../src/documents.ts'
import { connectGitHub } from '../../src/github/client.ts'
import { report } from '../../src/report/report.ts'
import { failure } from '../../src/report/results.ts'
import { run } from '../../src/run.ts'
import { createLog, createSink, readSecrets, type Toolkit } from '../../src/runner.ts'
import { createCancellation } from '../../src/runtime/cancellation.ts'
import { createNetwork, type Network } from '../../src/runtime/network.ts'
import { secretParts } from '../../src/runtime/redaction.ts'
import { makeScratch, replaceHome, requireWorkspace } from '../../src/runtime/runner-folders.ts'
import { guardFiles } from '../../src/runtime/tamper-guard.ts'

const PROJECT = join(import.meta.dirname, '../..')
const USER_AGENT = 'capgo-publish-action'
const manifest = parse(readFileSync(join(PROJECT, 'action.yml'), 'utf8')) as Manifest

/** Without what only a process of its own can be given. */
type Here = Omit<RunOptions, 'action' | 'actionPath' | 'through' | 'prepare' | 'onLine' | 'mayLeak'> & {
  /** Instead of those of production. */
  readonly pauses?: Partial<Pick<HttpOptions, 'firstPause' | 'outage' | 'uploadStallTimeout'>>
}

/**
 * Rejects like `runAction`, and when a line is printed that only the built action keeps from being a command. What
 * `kill` ends is cut off from everything: from then on it hears and sends nothing, and nobody hears of it.
 */
export function runActionHere(options: Here): ActionProcess {
  const { inputs, log } = readStep(manifest, options)
  const end = createEnd()
  const step = openStep(options, inputs, log)
  const killed = end.reached.then(() => step.close({ exitCode: null, signal: 'SIGKILL' }))
  const run = runStep(options, step, log, end)
  // What it comes to after that is nothing to anybody.
  run.catch(() => {})
  return Object.assign(Promise.race([killed, run]), {
    kill(signal: NodeJS.Signals) {
      if (signal !== 'SIGKILL') throw new Error('The built action alone hears signals.')
      end.reach()
    },
  })
}

async function runStep(options: Here, step: Step, log: RunnerLog, end: End): Promise<ActionRun> {
  const env: Record<string, string> = { ...step.env }
  const read = (name: string) => (env[`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`] ?? '').trim()
  const { secrets, redact } = readSecrets(read, env)
  const stop = createCancellation()
  const lines = end.before(log)
  const toolkit = createToolkit(lines)
  const out = {
    log: createLog(toolkit, redact, stop, () => performance.now()),
    sink: createSink(toolkit, env, redact),
    documents: documentsOf(env),
  }
  for (const part of secrets.flatMap(secretParts)) command(lines, 'add-mask', part)
  const network = end.cuts(createNetwork(env))
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
      cancellation: stop,
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
          sleep: ms => end.orNever(sleep(ms, undefined, { signal: stop.signal }).catch(() => {})),
          signal: stop.signal,
          onRetry: message => out.log.info(message),
          ...options.pauses,
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
          settling: 50,
          sleep: ms => end.orNever(sleep(ms, undefined, { signal })),
          ...(options.pauses?.firstPause === undefined ? {} : { firstPause: options.pauses.firstPause }),
        }),
    }
    isGreen = await run(deps)
  } catch (error) {
    report(failure(error, 'Run'), out)
  } finally {
    if (scratch !== '') await rm(scratch, { recursive: true, force: true })
    await network.dispatcher.close()
  }
  await end.orNever(Promise.resolve())
  return step.close({ exitCode: isGreen ? 0 : 1, signal: null })
}

/** The end of a run that is killed. */
interface End {
  readonly reached: Promise<void>
  reach(): void
  /** Never settles once the end is reached. */
  orNever<T>(work: Promise<T>): Promise<T>
  /** Takes no line after it. */
  before(log: Lines): Lines
  /** Its connections are cut, and no call is sent or answered after it. */
  cuts(network: Network): Network
}

type Lines = Pick<RunnerLog, 'write'>

function createEnd(): End {
  const { promise: reached, resolve } = Promise.withResolvers<void>()
  let isReached = false
  const never = new Promise<never>(() => {})
  return {
    reached,
    reach() {
      isReached = true
      resolve()
    },
    orNever: work =>
      work.then(
        value => (isReached ? never : value),
        error => (isReached ? never : Promise.reject(error)),
      ),
    before: log => ({ write: line => (isReached ? undefined : log.write(line)) }),
    cuts({ dispatcher, ...network }) {
      reached.then(() => dispatcher.destroy())
      const deaf = (handler: Dispatcher.DispatchHandler) =>
        new Proxy(handler, {
          get(target, name) {
            const part = Reflect.get(target, name)
            if (typeof part !== 'function') return part
            return (...args: unknown[]) => (isReached ? undefined : part.apply(target, args))
          },
        })
      return {
        ...network,
        dispatcher: dispatcher.compose(
          dispatch => (options, handler) => isReached || dispatch(options, deaf(handler)),
        ),
      }
    },
  }
}

const commandFiles = (env: Readonly<Record<string, string>>) =>
  Object.entries(env).flatMap(([name, path]) =>
    /^GITHUB_(OUTPUT|ENV|PATH|STATE|STEP_SUMMARY)$/.test(name) && path ? [{ path, what: name }] : [],
  )

/** GitHub's toolkit, which writes to the log of this run and not to the output of this process. */
function createToolkit(lines: Lines): Toolkit {
  const annotate =
    (name: string) =>
    (message: string | Error, properties: AnnotationProperties = {}) =>
      command(lines, name, String(message), {
        title: properties.title,
        file: properties.file,
        line: properties.startLine,
        col: properties.startColumn,
      })
  return {
    info(message) {
      for (const line of message.split(/\r\n|\n|\r/)) lines.write(line)
    },
    notice: annotate('notice'),
    warning: annotate('warning'),
    error: annotate('error'),
    setOutput: (name, value) => command(lines, 'set-output', String(value), { name }),
    async group(title, work) {
      command(lines, 'group', title)
      try {
        return await work()
      } finally {
        command(lines, 'endgroup', '')
      }
    },
  }
}

/** A workflow command as `@actions/core` writes it. */
function command(
  log: Lines,
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
