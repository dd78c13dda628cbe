import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { RUNTIME_SIGNATURE, runtimeToken } from '../github/artifact-service.ts'
import type { WorkflowEvent } from './event.ts'
import { parseKeyValueFile } from './file-commands.ts'
import { RunnerLog } from './log.ts'
import { watchProcesses } from './processes.ts'
import { atEnd, makeScratch, removeScratch } from './scratch.ts'
import { LeakSearch, type Place, placesIn, placesOf } from './secrets.ts'
import { type Received, watchWire } from './wire.ts'

export interface RunOptions {
  /** The workspace: a checkout as actions/checkout leaves it. */
  readonly repo: string
  readonly event: WorkflowEvent
  /** The `with:` block. */
  readonly inputs?: Readonly<Record<string, string>>
  /** The step's `env:` block; also replaces a variable of the runner. */
  readonly env?: Readonly<Record<string, string>>
  /** Value of `${{ github.token }}`. */
  readonly githubToken?: string
  /** What GitHub knows as secrets and masks by itself. */
  readonly secrets?: readonly string[]
  /** Folder of the action's repository; this project by default. */
  readonly action?: string
  /** Folder in it that has the `action.yml`; by default itself. */
  readonly actionPath?: string
  readonly runId?: number
  readonly runNumber?: number
  readonly runAttempt?: number
  readonly apiUrl?: string
  /** Where a job stores artifacts; by default nobody answers there. */
  readonly resultsUrl?: string
  readonly onLine?: (line: string) => void
  /** The action is a probe that shows its secrets; no other run is allowed to. */
  readonly mayLeak?: boolean
  /** A program and its arguments that starts the action: as another user, or with other limits. */
  readonly through?: readonly string[]
  /** Changes the runner's folders and files, by its variables, before the action starts. */
  readonly prepare?: (variables: Readonly<Record<string, string>>) => void
  /** A line of the log as a person reads it on GitHub. */
  readonly onVisibleLine?: (line: string) => void
}

export interface ActionRun {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly durationMs: number
  readonly outputs: Readonly<Record<string, string>>
  readonly state: Readonly<Record<string, string>>
  /** Through `GITHUB_ENV` and `GITHUB_PATH`. */
  readonly exportedEnv: Readonly<Record<string, string>>
  readonly exportedPath: readonly string[]
  /** As written; GitHub shows it masked. */
  readonly summary: string
  readonly log: RunnerLog
  /** What a person reads on GitHub. */
  readonly visibleLog: string
  /** What servers of this process got while it ran. */
  readonly received: readonly Received[]
}

/** The run, and a way to end it with all its child processes. */
export type ActionProcess = Promise<ActionRun> & { kill(signal: NodeJS.Signals): void }

export interface Manifest {
  readonly inputs?: Readonly<Record<string, { readonly default?: unknown }>>
  readonly runs: { readonly using: string; readonly main: string }
}

const PROJECT = fileURLToPath(new URL('../..', import.meta.url))

/** GitHub drops a larger summary. */
const SUMMARY_LIMIT = 1024 * 1024

const running = new Set<ChildProcess>()
atEnd(() => {
  for (const child of running) killGroup(child, 'SIGKILL')
})

/**
 * Runs the built action as a step of a job, as actions/runner does for `using: node24`. Rejects when a secret of the
 * run is found anywhere but where it belongs, or when something is left in the folders for temporary files.
 */
export function runAction(options: RunOptions): ActionProcess {
  const action = join(installAction(options.action ?? PROJECT), options.actionPath ?? '.')
  const manifest = parse(readFileSync(join(action, 'action.yml'), 'utf8')) as Manifest
  // The suite also runs on the LTS after that one.
  if (manifest.runs.using !== 'node24' || Number.parseInt(process.versions.node, 10) < 24)
    throw new Error(`The action wants ${manifest.runs.using}; this is Node ${process.version}.`)
  const { inputs, log } = readStep(manifest, options)
  const [program, ...args] = [...(options.through ?? []), process.execPath, join(action, manifest.runs.main)]
  return runProgram(program!, args, options, inputs, log)
}

/** Runs a program as a step of a job: with the runner's variables, files and log. `variables` yield to those. */
export function runProgram(
  program: string,
  args: readonly string[],
  options: Omit<RunOptions, 'inputs' | 'action' | 'actionPath'> & { readonly cwd?: string },
  variables: Readonly<Record<string, string>> = {},
  log = new RunnerLog(options.onVisibleLine),
): ActionProcess {
  const step = openStep(options, variables, log)
  const { env } = step
  options.prepare?.(env)
  const child = spawn(program, args, {
    cwd: options.cwd ?? options.repo,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  running.add(child)
  const processes = watchProcesses(child.pid ?? 0, ({ commandLine, environment }) => {
    const name = commandLine.replaceAll('\0', ' ').slice(0, 200)
    step.look([
      ['a command line', commandLine],
      [`the environment of "${name}"`, environment],
    ])
  })
  const streams = (['stdout', 'stderr'] as const).map(async stream => {
    for await (const line of linesOf(child[stream])) {
      log.write(line, stream)
      options.onLine?.(line)
    }
  })
  const ended = new Promise<Pick<ActionRun, 'exitCode' | 'signal'>>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (exitCode, signal) => resolve({ exitCode, signal }))
  })
  const run = Promise.all([ended, ...streams]).then(([end]) => {
    running.delete(child)
    processes.stop()
    return step.close(end)
  })
  return Object.assign(run, { kill: (signal: NodeJS.Signals) => killGroup(child, signal) })
}

/** The inputs as the variables that a step has, and its log. */
export function readStep(manifest: Manifest, options: RunOptions) {
  const { inputs, unexpected } = readWith(manifest, options)
  const log = new RunnerLog(options.onVisibleLine)
  if (unexpected.length > 0) log.write(`::warning::Unexpected input(s) '${unexpected.join("', '")}'`)
  return { inputs, log }
}

/** What the runner gives a step. */
export interface Step {
  readonly env: Readonly<Record<string, string>>
  /** Searches for the run's secrets; `close` throws when one was found. */
  look(places: Iterable<Place>): void
  /** Reads what the step left, and removes its folders. Throws on a secret, or on what is left behind. */
  close(end: Pick<ActionRun, 'exitCode' | 'signal'>): ActionRun
}

/** The runner's side of a step. `variables` yield to the runner's own. */
export function openStep(
  options: Omit<RunOptions, 'inputs' | 'action' | 'actionPath'>,
  variables: Readonly<Record<string, string>>,
  log: RunnerLog,
): Step {
  const files = createFiles()
  for (const secret of [options.githubToken, ...(options.secrets ?? [])]) if (secret) log.addMask(secret)
  const secrets = secretsOf(variables, options)
  const search = new LeakSearch(options.mayLeak ? [] : secrets)
  const leaks: string[] = []
  const look = (places: Iterable<Place>) => {
    const found = search.find(places)
    if (found !== null) leaks.push(found)
  }
  const wire = watchWire()
  const env = { ...baseEnvironment(), ...variables, ...runnerEnvironment(options, files), ...options.env }
  const started = performance.now()
  return {
    env,
    look,
    close(end) {
      wire.stop()
      const durationMs = Math.round(performance.now() - started)
      const { received } = wire
      const result = { ...end, durationMs, ...collect(files, log), log, visibleLog: log.visible, received }
      look(placesOf(result))
      look(placesOnTheWire(received, variables, options))
      look(placesIn(files.folder))
      // A process that is killed cannot clean up.
      if (end.signal === null && !options.mayLeak) leaks.push(...leftBehind(files))
      removeScratch(files.folder)
      if (leaks.length > 0) throw new Error(leaks.join('\n'))
      return result
    },
  }
}

/** Not readline: it also breaks at U+2028, which the runner does not. */
async function* linesOf(stream: Readable): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of stream.setEncoding('utf8')) {
    const lines = `${rest}${chunk}`.split(/\r\n|\n|\r(?!$)/)
    rest = lines.pop() ?? ''
    yield* lines
  }
  if (rest !== '') yield rest.replace(/\r$/, '')
}

/** The `INPUT_*` variables. An input of action.yml that has neither value nor default is set and empty. */
function readWith(manifest: Manifest, options: RunOptions) {
  const given = options.inputs ?? {}
  const declared = manifest.inputs ?? {}
  const unexpected = Object.keys(given).filter(name => !(name in declared))
  const values = { ...given }
  for (const [name, { default: fallback }] of Object.entries(declared))
    values[name] ??= String(fallback ?? '').replace(
      /\$\{\{\s*github\.token\s*\}\}/g,
      options.githubToken ?? '',
    )
  const inputs = Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      `INPUT_${name.replaceAll(' ', '_').toUpperCase()}`,
      value,
    ]),
  )
  return { inputs, unexpected }
}

/** How this machine reaches the network, as on a self-hosted runner behind a proxy. */
const NETWORK = /^(NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|SSL_CERT_DIR|(https?|no|all)_proxy)$/i

/** The machine's own variables. Scripts' `.bin` folders go: a package manager that ran us put them there. */
function baseEnvironment(): Record<string, string> {
  const path = (process.env.PATH ?? '').split(':').filter(folder => !/node_modules|node-gyp-bin/.test(folder))
  const network = Object.entries(process.env).filter(([name]) => NETWORK.test(name))
  return {
    ...(Object.fromEntries(network) as Record<string, string>),
    PATH: [dirname(process.execPath), ...path].join(':'),
    HOME: process.env.HOME ?? '/root',
  }
}

/** Writes the files that the step reads and fills, and returns their paths. */
function runnerEnvironment(
  options: Omit<RunOptions, 'inputs' | 'action' | 'actionPath'>,
  files: Files,
): Record<string, string> {
  const { event } = options
  const server = 'https://github.com'
  const { temp, commands } = files
  const eventPath = join(temp, EVENT_FILE)
  writeFileSync(eventPath, JSON.stringify(event.payload, null, 2))
  const api = options.apiUrl ?? 'https://api.github.com'
  const owner = event.repository.split('/')[0]!
  return {
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    GITHUB_ACTION: 'capgo',
    GITHUB_ACTION_REPOSITORY: 'capgo-publish-action/capgo-publish-action',
    GITHUB_ACTION_REF: 'v1',
    GITHUB_ACTOR: event.actor,
    GITHUB_ACTOR_ID: '1',
    GITHUB_API_URL: api,
    GITHUB_BASE_REF: event.baseRef,
    GITHUB_ENV: commands.env,
    GITHUB_EVENT_NAME: event.name,
    GITHUB_EVENT_PATH: eventPath,
    GITHUB_GRAPHQL_URL: `${api}/graphql`,
    GITHUB_HEAD_REF: event.headRef,
    GITHUB_JOB: 'publish',
    GITHUB_OUTPUT: commands.output,
    GITHUB_PATH: commands.path,
    GITHUB_REF: event.ref,
    GITHUB_REF_NAME: event.ref.replace(/^refs\/(heads|tags|pull)\//, ''),
    GITHUB_REF_PROTECTED: 'false',
    GITHUB_REF_TYPE: event.ref.startsWith('refs/tags/') ? 'tag' : 'branch',
    GITHUB_REPOSITORY: event.repository,
    GITHUB_REPOSITORY_ID: '1',
    GITHUB_REPOSITORY_OWNER: owner,
    GITHUB_REPOSITORY_OWNER_ID: '1',
    GITHUB_RETENTION_DAYS: '90',
    GITHUB_RUN_ATTEMPT: String(options.runAttempt ?? 1),
    GITHUB_RUN_ID: String(options.runId ?? 9_000_000_001),
    GITHUB_RUN_NUMBER: String(options.runNumber ?? 1),
    GITHUB_SERVER_URL: server,
    GITHUB_SHA: event.sha,
    GITHUB_STATE: commands.state,
    GITHUB_STEP_SUMMARY: commands.summary,
    GITHUB_TRIGGERING_ACTOR: event.actor,
    GITHUB_WORKFLOW: 'Live updates',
    GITHUB_WORKFLOW_REF: `${event.repository}/.github/workflows/live-updates.yml@${event.ref}`,
    GITHUB_WORKFLOW_SHA: event.sha,
    GITHUB_WORKSPACE: options.repo,
    RUNNER_ARCH: process.arch === 'arm64' ? 'ARM64' : 'X64',
    RUNNER_ENVIRONMENT: 'github-hosted',
    RUNNER_NAME: 'GitHub Actions 1',
    RUNNER_OS: process.platform === 'darwin' ? 'macOS' : 'Linux',
    RUNNER_TEMP: temp,
    RUNNER_TOOL_CACHE: files.toolCache,
    RUNNER_WORKSPACE: dirname(options.repo),
    ACTIONS_RUNTIME_URL: 'https://pipelines.actions.example/',
    ACTIONS_RESULTS_URL: options.resultsUrl ?? 'https://results.actions.example/',
    ACTIONS_RUNTIME_TOKEN: runtimeToken(options.runId ?? 9_000_000_001),
    ACTIONS_ID_TOKEN_REQUEST_URL: 'https://pipelines.actions.example/id-token',
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: ID_TOKEN,
    // The runner sets none; here it keeps what a run writes beside its own folder apart from everybody else's.
    TMPDIR: files.systemTemp,
  }
}

/** The runner's own tokens, which a step has too; of the first the part that no other has. No build may see them. */
export const RUNTIME_TOKEN = RUNTIME_SIGNATURE
export const ID_TOKEN = 'id-token-fedcba9876543210'

/** The files through which a step speaks to the runner, with the beginnings of their names (actions/runner). */
const FILE_COMMANDS = {
  env: 'set_env',
  output: 'set_output',
  path: 'add_path',
  state: 'save_state',
  summary: 'step_summary',
} as const
type FileCommand = keyof typeof FILE_COMMANDS

const COMMANDS_FOLDER = '_runner_file_commands'
const EVENT_FILE = 'event.json'

/** Folders and files of the runner, as they are on GitHub's machines. */
interface Files {
  readonly folder: string
  readonly temp: string
  readonly toolCache: string
  readonly systemTemp: string
  readonly commands: Readonly<Record<FileCommand, string>>
}

function createFiles(): Files {
  const folder = makeScratch('runner')
  const temp = join(folder, '_temp')
  const toolCache = join(folder, '_tool')
  const systemTemp = join(folder, 'tmp')
  const commandsFolder = join(temp, COMMANDS_FOLDER)
  for (const each of [temp, toolCache, systemTemp, commandsFolder]) mkdirSync(each)
  const commands = Object.fromEntries(
    Object.entries(FILE_COMMANDS).map(([name, prefix]) => [
      name,
      join(commandsFolder, `${prefix}_${randomUUID()}`),
    ]),
  ) as Files['commands']
  for (const file of Object.values(commands)) writeFileSync(file, '')
  return { folder, temp, toolCache, systemTemp, commands }
}

/** What this action wrote beside the checkout and did not remove. */
function leftBehind({ temp, systemTemp }: Files): string[] {
  const ours = [temp, systemTemp]
    .flatMap(folder => readdirSync(folder))
    .filter(name => name.startsWith('capgo-'))
  return ours.map(name => `${name} is left behind in a folder for temporary files.`)
}

/** Values of inputs that are secret; the path of a key is none. */
function secretsOf(inputs: Readonly<Record<string, string>>, options: RunOptions): string[] {
  const given = ['CAPGO-TOKEN', 'DEVICES-TOKEN', 'GITHUB-TOKEN', 'PRIVATE-KEY', 'DATABASE-KEY']
    .filter(name => name !== 'PRIVATE-KEY' || (inputs[`INPUT_${name}`] ?? '').length > 255)
    .map(name => inputs[`INPUT_${name}`]?.trim() ?? '')
  const all = [...given, ...(options.secrets ?? []), RUNTIME_TOKEN, ID_TOKEN]
  return [...new Set(all)].filter(secret => secret.length >= 6)
}

/** Requests without the credentials that are where they belong: in their header, at their own host. */
function* placesOnTheWire(
  received: readonly Received[],
  inputs: Readonly<Record<string, string>>,
  { apiUrl = '', resultsUrl = '' }: RunOptions,
): Generator<Place> {
  const portsOf = (urls: readonly (string | undefined)[]) =>
    new Set(urls.map(url => Number(URL.parse(url ?? '')?.port ?? 0)))
  const capgo = portsOf(['API', 'FILES', 'DATABASE'].map(name => inputs[`INPUT_${name}-URL`]))
  const github = portsOf([apiUrl, resultsUrl])
  for (const { method, url, port, headers, body } of received) {
    const what = `the request ${method} ${url.split('?')[0]} to port ${port}`
    yield [`the address of ${what}`, url]
    const isHome = (name: string) =>
      (capgo.has(port) && (name === 'capgkey' || name === 'apikey')) ||
      (github.has(port) && name === 'authorization')
    for (const [name, value] of headers) if (!isHome(name)) yield [`header ${name} of ${what}`, value]
    // Capgo's functions of the database take the key whose permissions are asked for.
    const isAsking = capgo.has(port) && url.includes('/rpc/cli_check_permission')
    yield [`the body of ${what}`, isAsking ? body.replace(/"apikey":"[^"]*"/, '') : body]
  }
}

function collect({ commands }: Files, log: RunnerLog) {
  const read = (name: FileCommand) => readFileSync(commands[name], 'utf8')
  const summary = read('summary')
  const tooLarge = Buffer.byteLength(summary) > SUMMARY_LIMIT
  if (tooLarge)
    log.write(`::error::$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of 1024k`)
  return {
    outputs: { ...log.outputs, ...parseKeyValueFile(read('output')) },
    state: { ...log.state, ...parseKeyValueFile(read('state')) },
    exportedEnv: parseKeyValueFile(read('env')),
    exportedPath: read('path').split('\n').filter(Boolean),
    summary: tooLarge ? '' : summary,
  }
}

const installed = new Map<string, string>()

/** A copy of what a user's job would download, so that nothing of this project's node_modules is in reach. */
function installAction(folder: string): string {
  const existing = installed.get(folder)
  if (existing !== undefined) return existing
  const copy = makeScratch('action')
  chmodSync(copy, 0o755)
  for (const name of ['action.yml', 'dist', '.github/actions'])
    if (existsSync(join(folder, name))) cpSync(join(folder, name), join(copy, name), { recursive: true })
  installed.set(folder, copy)
  return copy
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  try {
    process.kill(-child.pid, signal)
  } catch (error) {
    // It ended between the look and the shot.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
