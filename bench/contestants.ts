import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { cpSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pushEvent } from '../local/runner/event.ts'
import { runAction } from '../local/runner/runner.ts'
import { atEnd, makeScratch, removeScratch } from '../local/runner/scratch.ts'
import type { App } from './app.ts'
import { measuring, readUsage, type Usage } from './measure.ts'

export const CLI_VERSION = '8.68.1'
const PROJECT = fileURLToPath(new URL('..', import.meta.url))
const CLI = join(PROJECT, 'bench/node_modules/@capgo/cli/dist/index.js')

export interface Publish {
  readonly app: App
  /** Each publish from the same app to one server has another. */
  readonly appId: string
  readonly channel: string
  readonly key: string
  readonly capgoUrl: string
  readonly delta: boolean
  /** Counts the publishes of an app id, from 1. */
  readonly number: number
  /** Seconds after which it is ended. */
  readonly limit: number
}

export interface Run extends Usage {
  readonly seconds: number
  readonly end: 'published' | 'unchanged' | 'failed' | 'too long'
  /** What it printed. */
  readonly log: string
}

export interface Contestant {
  readonly name: 'ours' | 'cli'
  readonly hasDelta: boolean
  publish(publish: Publish): Promise<Run>
}

export interface OurAction extends Contestant {
  /** Where its action.yml is. */
  readonly folder: string
}

/** The built action, as it is now: whoever builds it anew does not disturb. */
export function ourAction(): OurAction {
  if (!existsSync(join(PROJECT, 'dist/index.js'))) throw new Error('The action is not built: npm run build')
  const folder = makeScratch('bench-action')
  for (const name of ['action.yml', 'dist'])
    cpSync(join(PROJECT, name), join(folder, name), { recursive: true })
  const hasDelta = /^ {2}delta:/m.test(readFileSync(join(folder, 'action.yml'), 'utf8'))
  return {
    name: 'ours',
    folder,
    hasDelta,
    async publish({ app, appId, channel, key, capgoUrl, delta, number, limit }) {
      const before = app.repository.head
      const sha = app.repository.commit({}, `Change ${number}`)
      const action = runAction({
        action: folder,
        repo: app.repository.path,
        event: pushEvent({ branch: 'main', sha, before }),
        inputs: {
          'capgo-token': key,
          'api-url': capgoUrl,
          'app-id': appId,
          channel,
          build: 'false',
          'native-version': '1.0.0',
          // What the CLI does not do, and what needs GitHub.
          deployments: 'false',
          comment: 'false',
          ...(hasDelta ? { delta: String(delta) } : {}),
        },
        env: measuring(),
        secrets: [key],
        runId: 9_000_000_000 + number,
        runNumber: number,
      })
      const timer = setTimeout(() => action.kill('SIGKILL'), limit * 1000)
      const run = await action
      clearTimeout(timer)
      const { outcome = '' } = run.outputs
      const ended = run.exitCode === 0 && (outcome === 'published' || outcome === 'unchanged')
      return {
        ...(readUsage() ?? { cpu: Number.NaN, memory: Number.NaN }),
        seconds: run.durationMs / 1000,
        end: run.signal !== null ? 'too long' : ended ? outcome : 'failed',
        log: run.visibleLog,
      }
    },
  }
}

/** The CLI as it is installed beside the benches. */
export function officialCli(): Contestant {
  if (!existsSync(CLI)) throw new Error('The CLI is not installed: npm ci --prefix bench --ignore-scripts')
  return {
    name: 'cli',
    hasDelta: true,
    publish: publish => runCli(process.execPath, [CLI, ...uploadWords(publish)], publish, OFFLINE),
  }
}

/**
 * The CLI as `npx` brings it to a machine that has never seen it. Install scripts are left out: the only one compiles
 * a terminal that an upload does not use.
 */
export async function npxFromNothing(publish: Publish): Promise<Run & { readonly downloaded: number }> {
  const cache = makeScratch('bench-npm-cache')
  const offline = Object.entries(OFFLINE).map(([name, value]) => `${name}=${value}`)
  const command = ['env', ...offline, 'capgo', ...uploadWords(publish)].join(' ')
  const words = ['--yes', '--package', `@capgo/cli@${CLI_VERSION}`, '--call', command]
  try {
    const run = await runCli('npx', words, publish, {
      ...npmSettings(),
      npm_config_cache: cache,
      npm_config_ignore_scripts: 'true',
      npm_config_update_notifier: 'false',
    })
    return { ...run, downloaded: bytesIn(join(cache, '_cacache')) }
  } finally {
    removeScratch(cache)
  }
}

function uploadWords({ appId, channel, key, delta, number }: Publish): string[] {
  const version = `1.0.${number}`
  // Its own limit of two minutes would end large uploads over long wires.
  const words = ['--channel', channel, '--bundle', version, '--timeout', '7200', '--apikey', key]
  return ['bundle', 'upload', appId, ...words, delta ? '--delta' : '--no-delta']
}

/** Our action as it comes to such a machine: an archive to unpack. Its way from GitHub is left out. */
export async function ourActionFromNothing(
  ours: OurAction,
  publish: Publish,
): Promise<Run & { readonly downloaded: number }> {
  const folder = makeScratch('bench-archive')
  const archive = join(folder, 'action.tar.gz')
  execFileSync('tar', ['-czf', archive, '-C', ours.folder, 'action.yml', 'dist'])
  const started = performance.now()
  execFileSync('tar', ['-xzf', archive, '-C', folder])
  const unpacked = (performance.now() - started) / 1000
  const run = await ours.publish(publish)
  const downloaded = statSync(archive).size
  removeScratch(folder)
  return { ...run, seconds: run.seconds + unpacked, downloaded }
}

function bytesIn(folder: string): number {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter(entry => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0)
}

/** Whatever it wants of the rest of the world, such as its newest version, fails at once: nobody is on port 9. */
const OFFLINE = {
  NODE_USE_ENV_PROXY: '1',
  HTTP_PROXY: 'http://127.0.0.1:9',
  HTTPS_PROXY: 'http://127.0.0.1:9',
  NO_PROXY: '127.0.0.1',
}

/** How npm reaches its registry here. */
function npmSettings(): Record<string, string> {
  const wanted = /^(npm_config_(registry|userconfig|cafile|https?_?proxy)|NODE_EXTRA_CA_CERTS|https?_proxy)$/i
  const file = join(process.env.HOME ?? '', '.npmrc')
  return {
    ...(existsSync(file) ? { npm_config_userconfig: file } : {}),
    ...(Object.fromEntries(Object.entries(process.env).filter(([name]) => wanted.test(name))) as Record<
      string,
      string
    >),
  }
}

const running = new Set<ChildProcess>()
atEnd(() => {
  for (const child of running) killGroup(child)
})

function killGroup(child: ChildProcess): void {
  try {
    process.kill(-child.pid!, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

async function runCli(
  program: string,
  words: readonly string[],
  { app, limit }: Publish,
  env: Readonly<Record<string, string>>,
): Promise<Run> {
  const home = makeScratch('bench-home')
  const started = performance.now()
  const child = spawn(program, words, {
    cwd: app.repository.path,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      HOME: home,
      CI: 'true',
      CAPGO_DISABLE_TELEMETRY: 'true',
      CAPGO_SKIP_UPDATE_PROMPT: 'true',
      ...env,
      ...measuring(),
    },
  })
  const chunks: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => chunks.push(chunk))
  running.add(child)
  const timer = setTimeout(() => killGroup(child), limit * 1000)
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (...end) => resolve(end))
  })
  clearTimeout(timer)
  running.delete(child)
  const seconds = (performance.now() - started) / 1000
  removeScratch(home)
  const log = Buffer.concat(chunks).toString()
  return {
    ...(readUsage() ?? { cpu: Number.NaN, memory: Number.NaN }),
    seconds,
    // It takes an upload of what the channel has already for a mistake, and fails.
    end:
      signal !== null
        ? 'too long'
        : code === 0
          ? 'published'
          : log.includes('Cannot upload the same bundle content')
            ? 'unchanged'
            : 'failed',
    log,
  }
}
