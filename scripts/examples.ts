/**
 * `npm run examples [-- name ...]`: every app of examples/, or those named, in a repository of its own, published as its
 * own workflow says: with its package manager, by the built action, to a Capgo on this machine. Then a device takes it.
 * Needs the npm registry.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, delimiter, dirname, join } from 'node:path'
import { parse } from 'yaml'
import { startTestCapgo } from '../local/app.ts'
import { startGitHub } from '../local/github/index.ts'
import { createRepository } from '../local/repository.ts'
import { pushEvent } from '../local/runner/event.ts'
import { type ActionRun, runAction } from '../local/runner/runner.ts'
import { makeScratch } from '../local/runner/scratch.ts'
import { bold, dim, red } from './demo/terminal.ts'
import { type App, type Native, PROJECT, readApp } from './trial.ts'

const EXAMPLES = join(PROJECT, 'examples')
const WORKFLOW = '.github/workflows/live-update.yml'
const ACTION = 'OWNER/capgo-publish-action'

type Texts = Readonly<Record<string, string>>

interface Job {
  readonly strategy?: { readonly matrix: Readonly<Record<string, readonly string[]>> }
  readonly steps: readonly { readonly uses: string; readonly with?: Readonly<Record<string, unknown>> }[]
}

/** An example's workflow, as far as it decides what the action gets. */
interface Plan {
  /** Package managers that a step sets up. */
  readonly tools: readonly string[]
  /** Inputs of our step, once for each job of the matrix. */
  readonly jobs: readonly Texts[]
}

/** What the set-up actions install. Node and npm are here. */
const TOOLS: Readonly<Record<string, string | null>> = {
  'actions/checkout': null,
  'actions/setup-node': null,
  'pnpm/action-setup': 'pnpm',
  'oven-sh/setup-bun': 'bun',
}

function readPlan(folder: string): Plan {
  const { jobs } = parse(readFileSync(join(folder, WORKFLOW), 'utf8')) as { jobs: { publish: Job } }
  const { strategy, steps } = jobs.publish
  const uses = steps.map(step => step.uses.split('@')[0]!)
  const ours = steps[uses.indexOf(ACTION)]
  if (ours === undefined) throw new Error(`${folder}: no step uses ${ACTION}.`)
  const tools = uses
    .filter(name => name !== ACTION)
    .map(name => {
      if (!(name in TOOLS)) throw new Error(`${folder}: nobody here knows ${name}.`)
      return TOOLS[name]!
    })
  return {
    tools: tools.filter(tool => tool !== null),
    jobs: combinations(strategy?.matrix ?? {}).map(matrix => resolveInputs(ours.with ?? {}, matrix)),
  }
}

/** The jobs of a matrix. */
function combinations(matrix: Readonly<Record<string, readonly string[]>>): Texts[] {
  return Object.entries(matrix).reduce<Texts[]>(
    (all, [name, values]) => all.flatMap(one => values.map(value => ({ ...one, [name]: value }))),
    [{}],
  )
}

/** Without the key, which is of the Capgo here. */
function resolveInputs(given: Readonly<Record<string, unknown>>, matrix: Texts): Texts {
  const inputs = Object.entries(given).filter(([name]) => name !== 'capgo-token')
  return Object.fromEntries(
    inputs.map(([name, value]) => [
      name,
      String(value).replace(/\$\{\{ *(.+?) *\}\}/g, (expression, path: string) => {
        const known = path.startsWith('matrix.') ? matrix[path.slice('matrix.'.length)] : undefined
        if (known === undefined) throw new Error(`Nobody here knows ${expression}.`)
        return known
      }),
    ]),
  )
}

const installed = new Map<string, string>()

/** The folder of a package manager's program, in the version that the example's package.json names. */
function installTool(tool: string, folder: string): string {
  const { packageManager } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  if (!packageManager?.startsWith(`${tool}@`)) throw new Error(`${folder}: package.json names no ${tool}.`)
  const known = installed.get(packageManager)
  if (known !== undefined) return known
  const prefix = makeScratch(tool)
  execFileSync('npm', ['install', '--global', '--prefix', prefix, '--no-audit', '--no-fund', packageManager])
  installed.set(packageManager, join(prefix, 'bin'))
  return join(prefix, 'bin')
}

/** The example, committed; what its .gitignore names stays out. */
function createExample(folder: string) {
  const repository = createRepository()
  cpSync(folder, repository.path, {
    recursive: true,
    filter: path => !['node_modules', 'dist', 'www'].includes(basename(path)),
  })
  repository.commit({}, 'Add the app')
  return repository
}

interface Published {
  readonly run: ActionRun
  readonly app: App | null
  /** Files that a device took. */
  readonly files: number
  /** Why the device took nothing. */
  readonly refused: string | null
}

/** One job: a fresh checkout, the action, a device. */
async function publish(
  repository: ReturnType<typeof createExample>,
  inputs: Texts,
  path: readonly string[],
): Promise<Published> {
  const checkout = repository.clone('main')
  const app = await readApp(checkout.path, inputs)
  await using capgo = await startTestCapgo({ role: 'app_developer', ...(app && { appId: app.id }) })
  await using github = await startGitHub()
  const name = 'octo-org/daybreak'
  github.addRepository({ name, gitDir: repository.path, private: true })
  const permissions = { contents: 'read', deployments: 'write', 'pull-requests': 'write' } as const
  const run = await runAction({
    repo: checkout.path,
    event: pushEvent({ branch: 'main', sha: repository.head, repository: name }),
    inputs: { ...capgo.inputs, ...inputs },
    secrets: [capgo.token],
    githubToken: github.addToken({ repository: name, permissions }),
    apiUrl: github.url,
    resultsUrl: github.resultsUrl,
    env: { PATH: [...path, dirname(process.execPath), process.env.PATH].join(delimiter) },
  })
  const { channel, 'bundle-version': version } = run.outputs
  if (run.exitCode !== 0 || app === null || !channel)
    return { run, app, files: 0, refused: 'nothing was published' }
  const [{ version: versionBuild }] = app.natives as [Native]
  const device = capgo.device({ versionBuild, defaultChannel: channel })
  try {
    const bundle = await device.update()
    const refused = bundle?.version === version ? null : `the device has ${bundle?.version ?? 'nothing'}`
    return { run, app, files: bundle?.files.size ?? 0, refused }
  } catch (error) {
    return { run, app, files: 0, refused: (error as Error).message }
  }
}

function describe(title: string, tools: readonly string[], { run, app, files, refused }: Published): string {
  const { size, channel, 'bundle-version': version } = run.outputs
  const facts = [
    title.padEnd(28),
    (tools[0] ?? 'npm').padEnd(5),
    (app?.id ?? '').padEnd(26),
    `${files} files`.padStart(9),
    `${(Number(size || 0) / 1024).toFixed(1)} kB`.padStart(9),
    `${(run.durationMs / 1000).toFixed(1)} s`.padStart(8),
    ` ${version || 'no bundle'} on ${channel || 'no channel'}`.padEnd(22),
  ]
  return `${facts.join(' ')} ${refused === null ? 'a device took it' : red(refused)}`
}

async function main(names: readonly string[]): Promise<boolean> {
  const known = readdirSync(EXAMPLES).filter(name => existsSync(join(EXAMPLES, name, WORKFLOW)))
  const unknown = names.filter(name => !known.includes(name))
  if (unknown.length > 0) {
    process.stderr.write(`No example ${unknown.join(', ')}. Use ${known.join(', ')}.\n`)
    return false
  }
  const began = performance.now()
  let apps = 0
  let failed = 0
  for (const name of names.length > 0 ? names : known) {
    const folder = join(EXAMPLES, name)
    const { tools, jobs } = readPlan(folder)
    const path = tools.map(tool => installTool(tool, folder))
    const repository = createExample(folder)
    for (const inputs of jobs) {
      const published = await publish(repository, inputs, path)
      const where = inputs['working-directory']
      apps++
      process.stdout.write(`${describe(where ? `${name}/${where}` : name, tools, published)}\n`)
      if (published.refused === null) continue
      failed++
      process.stdout.write(`${dim(published.run.visibleLog.replace(/^/gm, '    | '))}\n`)
    }
    repository.remove()
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(0)
  process.stdout.write(
    `${bold(failed === 0 ? `All ${apps} apps are on a device.` : `${failed} of ${apps} apps are not.`)} ${dim(`${seconds} s`)}\n`,
  )
  return failed === 0
}

if (!(await main(process.argv.slice(2)))) process.exitCode = 1
