/** `npm run try -- <folder>`: the action with an app of one's own, on this machine; nothing leaves it. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { startCapgo } from '../server/index.ts'
import { isLocal } from '../src/capgo/hosts.ts'
import { startGitHub } from '../test/github-server/index.ts'
import { Device } from '../test/helpers/device.ts'
import { pushEvent } from '../test/helpers/event.ts'
import { type ActionRun, runAction } from '../test/helpers/runner.ts'
import { makeScratch } from '../test/helpers/scratch.ts'
import { failOnLeak } from '../test/helpers/secrets.ts'
import { bold, cyan, dim, Story } from './demo/terminal.ts'
import { type App, readApp } from './trial.ts'

const usage = `Runs the action for a push of an app's newest commit, as GitHub would, against a Capgo on this machine.
Then a device takes what was published.

  npm run try -- <folder of the app> [options]

  --branch <name>          the branch that is pushed to; by default the one that is checked out
  --input <name=value>     an input of the action (action.yml), as often as you like
  --capgo <url> --key <k>  use the local Capgo that "npm run capgo" started, instead of a new one
`

/** The commit that is tried, checked out as GitHub's runner would have it. */
interface Checkout {
  /** Of the user's repository. */
  readonly origin: string
  readonly path: string
  /** The app's folder, from the root of the repository. */
  readonly directory: string
  readonly sha: string
  readonly subject: string
  readonly branch: string
  /** Up to this one: what the run is numbered with, so that a try of a later commit is a later run. */
  readonly commits: number
  /** Files that are not committed, so not part of what is tried. */
  readonly changed: number
}

interface Capgo extends AsyncDisposable {
  readonly url: string
  readonly key: string
}

/** What the user can mend: told without a stack. */
class UsageError extends Error {}

async function main(): Promise<boolean> {
  const { values, positionals } = readArguments()
  const [folder, ...more] = positionals
  if (values.help || folder === undefined || more.length > 0) {
    process.stdout.write(usage)
    return values.help
  }
  const given = Object.fromEntries((values.input ?? []).map(readInput))
  const running = readRunning(values)
  const checkout = checkOut(resolve(process.env.INIT_CWD ?? '.', folder), values.branch)
  const inputs = {
    ...(checkout.directory === '' ? {} : { 'working-directory': checkout.directory }),
    ...given,
  }
  const app = await readApp(checkout.path, inputs)
  const story = new Story()
  const began = performance.now()
  await using github = await startLocalGitHub(checkout)
  await using capgo = running ?? (await startLocalCapgo(app))

  story.line(bold('The action, as GitHub would run it; GitHub and Capgo are on this machine'))
  story.fact('app', `${app?.id ?? 'no app id found'} in ${basename(folder)}`)
  story.fact('commit', `${checkout.sha.slice(0, 7)} "${checkout.subject}"`)
  if (checkout.changed > 0)
    story.fact('', `${checkout.changed} changed files are not committed, so they are not in it`)
  story.fact('event', `push to ${checkout.branch}`)
  story.fact('Capgo', cyan(capgo.url))
  story.chapter('Log')
  const run = await runAction({
    repo: checkout.path,
    event: pushEvent({ branch: checkout.branch, sha: checkout.sha, repository: github.repository }),
    inputs: {
      'capgo-token': capgo.key,
      'api-url': capgo.url,
      ...inputs,
    },
    secrets: [capgo.key],
    githubToken: github.token,
    apiUrl: github.url,
    resultsUrl: github.resultsUrl,
    runId: 9_000_000_000 + checkout.commits,
    runNumber: checkout.commits,
    onVisibleLine: line => story.line(`  ${line}`),
  })
  story.chapter('Job summary')
  story.line(asText(run.summary).replace(/^/gm, '  '))
  story.chapter('Outputs')
  const outputs = Object.entries(run.outputs).filter(([, value]) => value !== '')
  for (const [name, value] of outputs) story.line(`  ${dim(name.padEnd(15))} ${value}`)
  story.chapter('What came of it')
  story.claim('the step is green', run.exitCode === 0, `exit code ${run.exitCode}`)
  story.claim('the key is nowhere in log, summary and outputs', !leaks(run, capgo.key))
  if (run.outputs.channel && app !== null && run.exitCode === 0) await lookAsDevice(story, capgo, app, run)
  story.line(`\n${dim(`${((performance.now() - began) / 1000).toFixed(1)} s`)}`)
  return story.broken.length === 0
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        branch: { type: 'string' },
        input: { type: 'string', multiple: true },
        capgo: { type: 'string' },
        key: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
  } catch (error) {
    throw new UsageError(`${(error as Error).message.split('. ')[0]}.\n\n${usage}`)
  }
}

function readInput(pair: string): [name: string, value: string] {
  const at = pair.indexOf('=')
  if (at < 1) throw new UsageError(`--input ${pair} is not name=value.`)
  return [pair.slice(0, at), pair.slice(at + 1)]
}

/** A clone with the newest commit alone, as actions/checkout leaves it: what is not committed does not count. */
function checkOut(folder: string, branch: string | undefined): Checkout {
  if (!existsSync(folder)) throw new UsageError(`There is no folder ${folder}.`)
  const ask = (...words: string[]) => git(folder, ...words)
  let origin: string
  let sha: string
  try {
    origin = ask('rev-parse', '--show-toplevel')
    sha = ask('rev-parse', '--verify', 'HEAD')
  } catch {
    throw new UsageError(
      `${folder} has no commit, and a commit is what is published.\nThere: git init && git add --all && git commit --message "First commit"`,
    )
  }
  const path = makeScratch('checkout')
  git(path, 'clone', '--quiet', '--depth', '1', `file://${origin}`, '.')
  const checkedOut = ask('rev-parse', '--abbrev-ref', 'HEAD')
  if (branch === undefined && checkedOut === 'HEAD')
    throw new UsageError('No branch is checked out there. Name the branch that is pushed to: --branch main')
  return {
    origin,
    path,
    directory: ask('rev-parse', '--show-prefix').replace(/\/$/, ''),
    sha,
    subject: ask('log', '-1', '--format=%s'),
    branch: branch ?? checkedOut,
    commits: Number(ask('rev-list', '--count', 'HEAD')),
    changed: ask('status', '--porcelain', '.').split('\n').filter(Boolean).length,
  }
}

function git(folder: string, ...words: string[]): string {
  return execFileSync('git', words, {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim()
}

async function startLocalGitHub({ origin }: Checkout) {
  const server = await startGitHub()
  const repository = `you/${basename(origin).replace(/[^\w.-]/g, '-')}`
  server.addRepository({ name: repository, gitDir: origin, private: true })
  const permissions = { contents: 'read', deployments: 'write', 'pull-requests': 'write' } as const
  const token = server.addToken({ repository, permissions })
  return {
    url: server.url,
    resultsUrl: server.resultsUrl,
    repository,
    token,
    [Symbol.asyncDispose]: () => server.stop(),
  }
}

/** The Capgo that `--capgo` names; null = a new one. */
function readRunning({ capgo: url, key }: { capgo?: string | undefined; key?: string | undefined }) {
  if (url === undefined && key === undefined) return null
  if (url === undefined || key === undefined) throw new UsageError('--capgo and --key go together.')
  if (!URL.canParse(url) || !isLocal(new URL(url).hostname))
    throw new UsageError(`--capgo ${url} is not on this machine; trials do not go elsewhere.`)
  return { url, key, [Symbol.asyncDispose]: async () => {} }
}

/** With the app, no channel, and a key for all of it. */
async function startLocalCapgo(app: App | null): Promise<Capgo> {
  const server = await startCapgo()
  const appId = app?.id ?? 'com.example.app'
  server.seedApp({ appId })
  const key = server.seedKey({ appId, role: 'app_admin' })
  return { url: server.url, key, [Symbol.asyncDispose]: () => server.stop() }
}

/** A newly installed app asks for the update, downloads and verifies it. */
async function lookAsDevice(story: Story, { url }: Capgo, app: App, { outputs }: ActionRun): Promise<void> {
  const device = new Device({
    capgoUrl: url,
    appId: app.id,
    versionBuild: app.native,
    defaultChannel: outputs.channel ?? '',
  })
  const who = `a device with native version ${app.native} (${app.nativeSource})`
  const wanted = outputs['bundle-version'] ?? ''
  try {
    const answer = await device.checkForUpdate()
    if (answer.kind !== 'update') throw new Error(`${answer.error} ${answer.message}`.trim())
    if (answer.sessionKey !== '') {
      story.claim(
        `${who} is offered ${answer.version}, encrypted: not opened here`,
        answer.version === wanted,
      )
      return
    }
    const bundle = await device.download(answer)
    const size = `${bundle.files.size} files, ${(bundle.downloaded / 1024).toFixed(1)} kB`
    story.claim(
      `${who} takes ${bundle.version} from channel ${outputs.channel}: ${size}`,
      bundle.version === wanted,
      `${wanted} was published`,
    )
  } catch (error) {
    const hint = app.isKnown ? '' : '; say the version in the stores: --input native-version=1.0'
    story.claim(
      `${who} takes ${wanted} from channel ${outputs.channel}`,
      false,
      `${(error as Error).message}${hint}`,
    )
  }
}

/** The summary's Markdown without the HTML and the diagrams that GitHub renders. */
function asText(markdown: string): string {
  return markdown
    .replace(/^```mermaid\n[\s\S]*?^```\n/gm, '')
    .replace(/\[([^\]]*)\]\(<[^>]*>\)/g, '$1')
    .replace(/<\/?(?:b|code|details|span|summary|sub)\b[^>]*>/g, '')
    .replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
}

function leaks(run: ActionRun, key: string): boolean {
  try {
    failOnLeak(run, [key])
    return false
  } catch {
    return true
  }
}

try {
  process.exitCode = (await main()) ? 0 : 1
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}
