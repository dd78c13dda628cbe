import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { type LocalCapgo, type LocalCapgoOptions, startCapgo } from '../../local/capgo/index.ts'
import {
  type HostedRepository,
  type LocalGitHub,
  type Permissions,
  startGitHub,
} from '../../local/github/index.ts'
import { createRepository, type Files, type Repository } from '../../local/repository.ts'
import { pushEvent, tagPushEvent, type WorkflowEvent } from '../../local/runner/event.ts'
import { type ActionRun, type RunOptions, runAction } from '../../local/runner/runner.ts'
import { runActionHere } from '../helpers/runner-here.ts'

export const APP_ID = 'com.example.app'
export const REPOSITORY = 'octo-org/daybreak'
/** What the README's workflow gives the job's token. */
const PERMISSIONS: Permissions = {
  contents: 'read',
  deployments: 'write',
  'pull-requests': 'write',
  actions: 'read',
}

/** A web app whose build takes no time: the script copies a page that says which greeting it was built with. */
export function tinyApp(greeting = 'Hello', version = '1.2.0'): Files {
  return {
    'capacitor.config.json': JSON.stringify({ appId: APP_ID, appName: 'Tiny', webDir: 'www' }, null, 2),
    'package.json': JSON.stringify(
      { name: 'tiny', version, private: true, scripts: { build: 'node build.js' } },
      null,
      2,
    ),
    'package-lock.json': JSON.stringify(
      { name: 'tiny', version, lockfileVersion: 3, packages: { '': { name: 'tiny', version } } },
      null,
      2,
    ),
    'build.js': `require('fs').mkdirSync('www', { recursive: true })
require('fs').writeFileSync('www/index.html', require('fs').readFileSync('greeting.txt', 'utf8') + '<script src="app.js"></script>')
require('fs').writeFileSync('www/app.js', 'CapacitorUpdater.notifyAppReady()')
console.log('built', require('fs').readFileSync('greeting.txt', 'utf8').trim())
`,
    'greeting.txt': `<h1>${greeting}</h1>\n`,
    'android/app/build.gradle':
      'android {\n    defaultConfig {\n        applicationId "com.example.app"\n        versionName "1.0"\n    }\n}\n',
    '.gitignore': 'www\nnode_modules\n',
  }
}

/** What `tinyApp`'s own build script does, without `npm`: half of the time of a run. */
function buildTinyApp(folder: string): boolean {
  const read = (name: string) => readFileSync(join(folder, name), 'utf8')
  if (!existsSync(join(folder, 'build.js')) || read('build.js') !== tinyApp()['build.js']) return false
  mkdirSync(join(folder, 'www'), { recursive: true })
  writeFileSync(join(folder, 'www/index.html'), `${read('greeting.txt')}<script src="app.js"></script>`)
  writeFileSync(join(folder, 'www/app.js'), 'CapacitorUpdater.notifyAppReady()')
  return true
}

/** The files of a web folder that is committed: what a push publishes with `build: false`. */
export const webFolder = (greeting: string): Files => ({
  'www/index.html': `<h1>${greeting}</h1>\n<script src="app.js"></script>`,
  'www/app.js': 'CapacitorUpdater.notifyAppReady()',
})

/** `tinyApp` with its web folder committed, for scenarios that are not about building: see `createBuiltWorld`. */
export function builtApp(greeting = 'Hello', version = '1.2.0'): Files {
  return { ...tinyApp(greeting, version), ...webFolder(greeting), '.gitignore': 'node_modules\n' }
}

export interface WorldRun extends Partial<RunOptions> {
  /** Run the built action, in a process of its own; else the same code runs in this process, in a fifth of the time. */
  readonly builtAction?: boolean
  /** Between two tries of a request, of a run in this process. */
  readonly pauses?: Parameters<typeof runActionHere>[0]['pauses']
}

/** For a story that is told whole: of the built action. */
export const BUILT_ACTION = { builtAction: true } as const

/** Every run is one of the built action: before a release, and after a change of how it is bundled. */
const ALL_BUILT = process.env.BUILT_ACTION === 'true'

/** What is about the process: limits, other users, lines as they come. */
const needsProcess = ({ through, prepare, onLine, action }: Partial<RunOptions>): boolean =>
  [through, prepare, onLine, action].some(option => option !== undefined)

export interface World {
  readonly capgo: LocalCapgo
  readonly repo: Repository
  readonly key: string
  readonly github: LocalGitHub
  /** The repository as GitHub has it. */
  readonly hosted: HostedRepository
  /** Runs the action for a push of the branch's newest commit. */
  push(branch: string, options?: WorldRun & { sha?: string }): Promise<ActionRun>
  tag(tag: string, options?: WorldRun): Promise<ActionRun>
  run(event: WorkflowEvent, options?: WorldRun): Promise<ActionRun>
  /** What a user sees and what went over the wire since the last story, free of chance. */
  story(run: ActionRun): string
}

type Role = Parameters<LocalCapgo['seedKey']>[0]['role']

export interface WorldOptions {
  readonly server?: LocalCapgoOptions
  readonly files?: Files
  readonly role?: Role
  readonly without?: string[]
  readonly app?: Partial<Parameters<LocalCapgo['seedApp']>[0]>
  readonly branch?: string
  /** Of the job's token. */
  readonly permissions?: Permissions
  /** The action installs and builds the app; else its web folder is there before the run, and `build` is false. */
  readonly builds?: boolean
  /** The default of its runs' `builtAction`, instead of "where something is built". */
  readonly builtAction?: boolean
  /** What the workflow's step has in its `with:` block, for every run. */
  readonly inputs?: Readonly<Record<string, string>>
}

/** A world whose app is built already: a run takes half the time. Commit `webFolder(...)` for another content. */
export const createBuiltWorld = ({ files, inputs, ...options }: WorldOptions = {}): Promise<World> =>
  createWorld({ ...options, files: { ...builtApp(), ...files }, inputs: { build: 'false', ...inputs } })

/** A local Capgo with one app and key, and a repository of that app. Gone at the end of the test. */
export async function createWorld(options: WorldOptions = {}): Promise<World> {
  const capgo = await startCapgo(options.server)
  capgo.seedApp({ appId: APP_ID, ...options.app })
  const key = capgo.seedKey({
    appId: APP_ID,
    role: options.role ?? 'app_developer',
    ...(options.without ? { without: options.without } : {}),
  })
  const files = Object.entries(options.files ?? tinyApp()).filter(([, content]) => content !== null)
  const repo = createRepository({ files: Object.fromEntries(files), branch: options.branch ?? 'main' })
  const github = await startGitHub()
  const hosted = github.addRepository({ name: REPOSITORY, gitDir: repo.path, private: true })
  const githubToken = github.addToken({
    repository: REPOSITORY,
    permissions: options.permissions ?? PERMISSIONS,
  })
  onTestFinished(async () => {
    const violations = capgo.deleteAllAttempts.length
    await capgo.stop()
    await github.stop()
    expect(github.violations, 'requests as GitHub describes them').toEqual([])
    repo.remove()
    if (violations > 0) throw new Error('Somebody sent the request that deletes every bundle.')
  })
  let runs = 0
  let seen = 0
  let seenGitHub = 0
  const run = (event: WorkflowEvent, { builtAction, pauses, ...more }: WorldRun = {}): Promise<ActionRun> => {
    runs++
    const { build } = { ...options.inputs, ...more.inputs }
    const isBuilt = options.builds !== true && build === undefined && buildTinyApp(more.repo ?? repo.path)
    // A build may do everything that a process keeps from it.
    const mayBuild = !isBuilt && build !== 'false'
    const storesArtifact = more.inputs?.['source-maps'] === 'artifact'
    const isProcess =
      ALL_BUILT || storesArtifact || needsProcess(more) || (builtAction ?? options.builtAction ?? mayBuild)
    const step = {
      repo: repo.path,
      event,
      secrets: [key],
      githubToken,
      apiUrl: github.url,
      resultsUrl: github.resultsUrl,
      runId: 9_000_000_000 + runs,
      runNumber: runs,
      ...more,
      // The machine's own npm settings are not the scenario's.
      env: { npm_config_userconfig: '/dev/null', npm_config_update_notifier: 'false', ...more.env },
      inputs: {
        'capgo-token': key,
        'api-url': capgo.url,
        ...(isBuilt ? { build: 'false' } : {}),
        ...options.inputs,
        ...more.inputs,
      },
    }
    return isProcess ? runAction(step) : runActionHere({ ...step, ...(pauses ? { pauses } : {}) })
  }
  return {
    capgo,
    repo,
    key,
    github,
    hosted,
    run,
    push: (branch, { sha, ...more } = {}) => run(pushEvent({ branch, sha: sha ?? repo.shaOf(branch) }), more),
    tag: (tag, more = {}) => run(tagPushEvent({ tag, sha: repo.git(['rev-parse', tag]) }), more),
    story(result) {
      const requests = capgo.requests.slice(seen)
      seen = capgo.requests.length
      const githubRequests = github.requests.slice(seenGitHub)
      seenGitHub = github.requests.length
      return withoutChance(
        [
          `exit code ${result.exitCode}`,
          '--- log',
          result.visibleLog.trimEnd(),
          '--- outputs',
          ...Object.entries(result.outputs).map(([name, value]) => `${name}=${value}`),
          '--- requests',
          ...inOrder(
            requests.map(({ method, path, status }) => `${method} ${withoutColumns(path)} ${status}`),
          ),
          '--- requests to GitHub',
          ...listsInOrder(
            besidesLast(githubRequests.map(({ operation, status }) => `${operation} ${status}`)),
          ),
        ].join('\n'),
        {
          [capgo.url]: 'http://capgo.local',
          [github.url]: 'http://github.local',
          [key]: 'CAPGO_KEY',
          [repo.path]: '/checkout',
        },
      )
    },
  }
}

/** Method, table and status; what a query asks for, the tests of the client say. */
const inShort = (request: string): string => request.replace(/[?&].*(?= \d+$)/, '')

/** A path without the list of columns. */
const withoutColumns = (path: string): string => decodeURIComponent(path).replace(/[?&]select=[^&]*/, '')

/** Lists that are asked for side by side come in any order: such neighbours are sorted. */
function listsInOrder(requests: readonly string[]): string[] {
  const isList = (request: string | undefined) => /^repos\/list-(commits|activities) /.test(request ?? '')
  const ordered = [...requests]
  for (let start = 0; start < ordered.length; start++) {
    let end = start
    while (isList(ordered[end])) end++
    ordered.splice(start, end - start, ...ordered.slice(start, end).sort())
    start = Math.max(start, end)
  }
  return ordered
}

/**
 * A deployment is begun while the run goes on, and commits are compared meanwhile, so that their requests fall between
 * any others.
 */
function besidesLast(requests: readonly string[]): string[] {
  const isBeside = (request: string) => /deployment|compare-commits/.test(request)
  const beside = requests.filter(isBeside)
  const isCompare = (request: string) => request.includes('compare-commits')
  return [
    ...requests.filter(request => !isBeside(request)),
    ...beside.filter(isCompare),
    ...beside.filter(request => !isCompare(request)),
  ]
}

/** Requests that are sent side by side come in any order: such neighbours are sorted, and reads of bundles stand last. */
function inOrder(requests: readonly string[]): string[] {
  const isReading = (request: string) => request.includes('/files/read/')
  const sideBySide = [
    /\/rpc\/|\/files\/config|channels\?app_id=[^&]*&name=|&bundles\.or=/,
    /\/files\/config|\/private\/config/,
    /order=id\.asc&limit|channels\?app_id=[^&]*&order=|^PATCH \/rest\/v1\/app_versions/,
    /^(POST|DELETE) \/device /,
    /^PATCH \/rest\/v1\/app_versions|^GET \/rest\/v1\/channels\?/,
  ]
  const areSideBySide = (one: string, other: string) =>
    sideBySide.some(pattern => pattern.test(one) && pattern.test(other))
  const groups: string[][] = []
  for (const request of requests.filter(request => !isReading(request))) {
    const last = groups.at(-1)
    if (last?.every(one => areSideBySide(one, request))) last.push(request)
    else groups.push([request])
  }
  return [
    ...groups.flatMap(group => group.map(inShort).sort()),
    ...requests.filter(isReading).map(inShort).sort(),
  ]
}

/** Replaces what differs from run to run: addresses, keys, durations, ids that are drawn. */
export function withoutChance(text: string, known: Readonly<Record<string, string>> = {}): string {
  let clean = text
  for (const [from, to] of Object.entries(known)) clean = clean.replaceAll(from, to)
  return clean
    .replace(/^▸ (?:\d+:)?\d+:\d\d /gm, '▸ ')
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, 'UUID')
    .replace(/\b\d+(\.\d+)?[ \u00a0]?(ms|s)\b/g, 'N s')
    .replace(/\b[A-Z][a-z]{2}\u00a0\d{1,2}, \d\d:\d\d\u00a0UTC/g, 'TIME')
    .replace(/<!-- key [0-9a-f.]+ -->/g, '<!-- key SEAL -->')
    .replace(/\/(tmp|dev\/shm)\/[\w./-]+/g, '/tmp/…')
}

/** The same, and every time of day. */
export const timeless = (text: string): string =>
  withoutChance(
    text
      .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
      .replace(/\w{3}\u00a0\d+,\u00a0\d{4}, \d\d:\d\d\u00a0UTC/g, 'TIME'),
  )
