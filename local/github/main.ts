// `npm run github`: a GitHub on this machine, whose one repository has the commits of a git repository.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { parseArgs, styleText } from 'node:util'
import { type HostedRepository, type LocalGitHub, runtimeToken, startGitHub } from './index.ts'

const usage = `The local GitHub.

  --port <n>           default 8788
  --repository <dir>   the git repository whose commits and branches it has; default: this folder
  --name <owner/name>  how GitHub names it; default: you/<folder>
  --branch <name>      the default branch; default: main
  --pull <branch>      opens a pull request from this branch; may be given several times
  --file <path>        keeps comments, deployments and pull requests there; without it they are gone at the end
`

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8788' },
    repository: { type: 'string', default: '.' },
    name: { type: 'string' },
    branch: { type: 'string', default: 'main' },
    pull: { type: 'string', multiple: true, default: [] },
    file: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
const gitDir = resolve(values.repository)
const name = values.name ?? `you/${basename(gitDir)}`

if (values.help) process.stdout.write(usage)
else await run()

async function run(): Promise<void> {
  const port = Number(values.port)
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    return fail(`--port ${values.port} is not a port.\n\n${usage}`)
  if (!existsSync(resolve(gitDir, '.git'))) return fail(`${gitDir} is not a git repository.\n\n${usage}`)
  if (!/^[\w.-]+\/[\w.-]+$/.test(name)) return fail(`--name ${name} is not owner/name.\n\n${usage}`)
  let github: LocalGitHub
  try {
    github = await startGitHub({ port })
  } catch (error) {
    const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
    return fail(isTaken ? `Port ${port} is taken. Choose another with --port.\n` : `${error}\n`)
  }
  try {
    const repository = openRepository(github)
    for (const branch of values.pull) await openPull(repository, branch)
    process.stdout.write(banner(github, repository))
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop(github))
  } catch (error) {
    fail(`${(error as Error).message}\n`)
    await github.stop()
  }
}

function fail(message: string): void {
  process.stderr.write(message)
  process.exitCode = 1
}

function openRepository(github: LocalGitHub): HostedRepository {
  const { file } = values
  const saved = file !== undefined && existsSync(file) ? { saved: readFileSync(file, 'utf8') } : {}
  return github.addRepository({ name, gitDir, private: true, defaultBranch: values.branch, ...saved })
}

/** One open pull request for each branch, as on GitHub. */
async function openPull(repository: HostedRepository, branch: string): Promise<void> {
  const isOpen = [...repository.issues.values()].some(
    ({ state, pull }) => state === 'open' && pull?.head.ref === branch,
  )
  if (!isOpen) await repository.addPull({ head: { ref: branch }, title: branch })
}

async function stop(github: LocalGitHub): Promise<void> {
  if (values.file !== undefined) writeFileSync(values.file, `${github.repository(name).save()}\n`)
  await github.stop()
}

function banner(github: LocalGitHub, repository: HostedRepository): string {
  const token = github.addToken({
    repository: name,
    permissions: { actions: 'read', contents: 'read', deployments: 'write', 'pull-requests': 'write' },
  })
  const dim = (text: string) => styleText('dim', text)
  const pulls = [...repository.issues.values()].filter(({ pull }) => pull !== null)
  const shown = pulls.map(
    ({ number, state, pull }) => `  Pull   #${number} of ${pull?.head.ref}  ${dim(`(${state})`)}\n`,
  )
  return `
  ${styleText('bold', 'Local GitHub')}  ${dim(values.file ? `kept in ${values.file}` : 'in memory')}

  API    ${styleText(['cyan', 'underline'], `${github.url}/repos/${name}`)}
  Git    ${gitDir}
  Token  ${token}  ${dim("(a workflow's, with the permissions of the README)")}
${shown.join('')}
  ${dim('Ask it:')}

    curl -H "Authorization: Bearer ${token}" ${github.url}/repos/${name}/pulls

  ${dim('For a run of the action on this machine:')}

    GITHUB_API_URL=${github.url}
    GITHUB_REPOSITORY=${name}
    ACTIONS_RESULTS_URL=${github.resultsUrl}/
    ACTIONS_RUNTIME_TOKEN=${runtimeToken(1)}
    INPUT_GITHUB-TOKEN=${token}

  ${dim('Ctrl+C stops it.')}

`
}
