/**
 * `node scripts/docs/first-publish.ts`: follows the README's section "With your own app" to the letter, in an empty folder
 * with a fresh clone of this commit, and writes the log to docs/development/first-publish.md. Needs the npm registry.
 */
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { makeScratch } from '../../local/runner/scratch.ts'

const ROOT = join(import.meta.dirname, '../..')
const PAGE = join(ROOT, 'docs/development/first-publish.md')
const SECTION = '### With your own app'
/** Seconds; a new user gives up after. */
const LIMIT = 300

/** Empty: a new user has downloaded nothing yet. */
const CACHE = makeScratch('npm-cache')

interface Done {
  readonly command: string
  readonly seconds: number
  readonly code: number
  readonly output: string
}

/** The commands of the section's `sh` blocks, one a line. */
export function readCommands(readme: string): string[] {
  const begin = readme.indexOf(SECTION)
  if (begin < 0) throw new Error(`README.md has no section "${SECTION}".`)
  const section = readme.slice(begin).split(/\n#{1,3} (?!With your own app)/)[0]!
  const blocks = [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block!)
  return blocks.flatMap(block => block.split('\n').filter(line => line.trim() !== ''))
}

async function follow(commands: readonly string[]): Promise<Done[]> {
  const folder = makeScratch('first-publish')
  const done: Done[] = []
  let cwd = folder
  for (const command of commands) {
    process.stdout.write(`$ ${command}\n`)
    const began = performance.now()
    const { code, output, after } = await shell(command, cwd)
    process.stdout.write(output)
    const seconds = (performance.now() - began) / 1000
    done.push({ command, seconds, code, output: neutral(output, folder) })
    if (code !== 0) break
    cwd = after
  }
  return done
}

/** One command of a terminal session: the next one goes on in the folder where this one ends. */
async function shell(command: string, cwd: string) {
  const script = `${command}\nstatus=$?\npwd >&3\nexit $status`
  const child = spawn('bash', ['-c', script], {
    cwd,
    env: environment(),
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  })
  const output: Buffer[] = []
  const after: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream!.on('data', chunk => output.push(chunk))
  child.stdio[3]!.on('data', (chunk: Buffer) => after.push(chunk))
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', code => resolve(code ?? 1))
  })
  return {
    code,
    output: Buffer.concat(output).toString(),
    after: Buffer.concat(after).toString().trim() || cwd,
  }
}

/** A user's terminal: nothing of the npm script that runs us, this Node, a name for commits. */
function environment(): Record<string, string | undefined> {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(npm_(?!config_)|INIT_CWD|NODE_ENV)/.test(name),
  )
  const path = (process.env.PATH ?? '').split(':').filter(folder => !folder.includes('node_modules'))
  return {
    ...Object.fromEntries(own),
    PATH: [dirname(process.execPath), ...path].join(':'),
    NO_COLOR: '1',
    CI: undefined,
    npm_config_cache: CACHE,
    GIT_AUTHOR_NAME: 'Ada Example',
    GIT_AUTHOR_EMAIL: 'ada@example.com',
    GIT_COMMITTER_NAME: 'Ada Example',
    GIT_COMMITTER_EMAIL: 'ada@example.com',
    // The clone is of this very commit.
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: `url.file://${ROOT}.insteadOf`,
    GIT_CONFIG_VALUE_0: 'https://github.com/OWNER/capgo-publish-action',
  }
}

/** Without what is of this machine: folders, where npm has its packages from, colours. */
function neutral(output: string, folder: string): string {
  return stripVTControlCharacters(output)
    .replaceAll(folder, '~/try')
    .replaceAll(ROOT, '~/capgo-publish-action')
    .split('\n')
    .filter(line => !/^npm notice|registry/i.test(line))
    .map(line => line.replace(/^.*\r(?=.)/s, '').trimEnd())
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
}

function render(done: readonly Done[]): string {
  const total = done.reduce((sum, { seconds }) => sum + seconds, 0)
  const rows = done.map(
    ({ command, seconds }) => `| \`${command.replaceAll('|', '\\|')}\` | ${seconds.toFixed(1)} |`,
  )
  const log = done.map(({ command, output }) => `$ ${command}${output === '' ? '' : `\n${output}`}`)
  return `# The first publish, timed

From an empty folder to an update on a phone: the commands of the [README](../../README.md#with-your-own-app), on a fresh
clone and with an app made for it. This run took **${Math.round(total)} seconds**.

\`scripts/docs/first-publish.ts\` runs the README's commands unchanged and writes this page; a test compares the two. It ran with
Node ${process.versions.node} on ${availableParallelism()} cores and an empty npm cache. Two things are set from outside: the name
that git writes into the commit, and the clone's source, which is the checkout at hand.

| command | seconds |
|---|---|
${rows.join('\n')}
| **all** | **${total.toFixed(1)}** |

## The log

~~~text
${log.join('\n\n')}
~~~
`
}

if (import.meta.main) {
  const commands = readCommands(readFileSync(join(ROOT, 'README.md'), 'utf8'))
  const done = await follow(commands)
  const total = done.reduce((sum, { seconds }) => sum + seconds, 0)
  const last = done.at(-1)
  if (last === undefined || last.code !== 0) {
    process.stderr.write(`\nThe README's command "${last?.command}" ended with exit code ${last?.code}.\n`)
    process.exitCode = 1
  } else if (total > LIMIT) {
    process.stderr.write(`\nThat took ${Math.round(total)} s; a new user has ${LIMIT}.\n`)
    process.exitCode = 1
  } else writeFileSync(PAGE, render(done))
}
