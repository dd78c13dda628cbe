/** The arguments of `npm run try`. All mistakes are reported at once. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { KEY_ROLES, type Role } from '../../local/capgo/index.ts'
import type { Payload } from '../../local/runner/event.ts'
import { isLocal } from '../../src/capgo/hosts.ts'

export const USAGE = `Runs the action for an event of GitHub with an app of yours, against a Capgo and a GitHub on this machine.
Then devices ask for the update: one for each platform and native version of the app.

  npm run try -- <folder of the app> [options]

What happened on GitHub
  --event <name>           any event that starts a workflow, for example pull_request; the default is push
  --payload <file>         JSON of the event: GitHub's whole one, or a few fields, for example
                           {"action": "closed", "number": 7}; the rest comes from the repository
  --branch <name>          the branch it is about; the default is the one that is checked out
  --tag <name>             the tag that was pushed or released
  --commit <commit>        the event's commit, where it is not the newest of the branch
  --checkout <commit>      what the workflow checks out (branch, tag or commit), where it is not the event's commit
  --fetch-depth <n>        how many commits are checked out; the default is 1, and 0 is the whole history
  --artifact <name=folder> an artifact of the run that a workflow_run follows

The step
  --input <name=value>     an input of the action (action.yml)
  --env <NAME=value>       a variable of the step (env:)
  --before <command>       run in the checkout before the action, for example "npm ci"
  --permission <name=level>  a permission of the job's token, for example contents=read; replaces the default ones,
                           which are those of docs/workflows/join.yml for issues and operation=enroll
  --run-number <n>         the number of the run; one that the folder of --state knows is a re-run of it

Capgo and GitHub
  --state <folder>         kept there: Capgo, GitHub with its branches, and the clock; the next try with this folder
                           continues, and pushes the branches that changed in yours
  --wait <duration>        lets time pass before the run, for example 25h
  --key-role <role>        the role of the Capgo key; the default is app_admin
  --capgo <url> --key <k>  use the local Capgo that "npm run capgo" started, with any app id

What came of it
  --json <file>            writes it as JSON
  --keep                   Capgo and GitHub run until Ctrl+C
  --help                   shows this text

--input, --env, --before, --permission and --artifact can be given several times.
The exit code is the action's, or 2 where the try itself could not be made.
`

/** What the user can mend: told without a stack. */
export class UsageError extends Error {}

export interface Wishes {
  readonly folder: string
  readonly event: string
  readonly payload: Payload
  readonly branch: string | null
  readonly tag: string | null
  readonly commit: string | null
  readonly checkout: string | null
  readonly fetchDepth: number
  /** Names to folders. */
  readonly artifacts: Texts
  readonly inputs: Texts
  readonly env: Texts
  readonly before: readonly string[]
  /** Null: what the README's workflow gives, or the one of testers who join. */
  readonly permissions: Texts | null
  readonly runNumber: number | null
  readonly state: string | null
  readonly waitMs: number
  readonly keyRole: Role | null
  readonly capgo: { readonly url: string; readonly key: string } | null
  readonly json: string | null
  readonly keep: boolean
}

type Texts = Readonly<Record<string, string>>

const OPTIONS = {
  event: { type: 'string' },
  payload: { type: 'string' },
  branch: { type: 'string' },
  tag: { type: 'string' },
  commit: { type: 'string' },
  checkout: { type: 'string' },
  'fetch-depth': { type: 'string' },
  artifact: { type: 'string', multiple: true },
  input: { type: 'string', multiple: true },
  env: { type: 'string', multiple: true },
  before: { type: 'string', multiple: true },
  permission: { type: 'string', multiple: true },
  'run-number': { type: 'string' },
  state: { type: 'string' },
  wait: { type: 'string' },
  'key-role': { type: 'string' },
  capgo: { type: 'string' },
  key: { type: 'string' },
  json: { type: 'string' },
  keep: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const
type Option = keyof typeof OPTIONS

const PERMISSION = /^(actions|contents|deployments|issues|pull-requests)=(none|read|write)$/
const UNITS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** Null for `--help`. Mistakes are added to `problems`; the result is then of no use. */
export function readWishes(words: readonly string[], here: string, problems: string[]): Wishes | null {
  const { all, positionals } = split(words, problems)
  if (all.has('help')) return null
  const one = (name: Option) => all.get(name)?.at(-1) ?? null
  const must = (isRight: boolean, problem: string) => void (isRight || problems.push(problem))
  const path = (name: Option) => (one(name) === null ? null : resolve(here, one(name)!))
  const count = (name: Option, least: number) => {
    const value = one(name)
    must(
      value === null || (/^\d+$/.test(value) && Number(value) >= least),
      `--${name} ${value} is not a number.`,
    )
    return value === null ? null : Number(value)
  }
  const [folder, ...more] = positionals
  must(folder !== undefined, 'The folder of the app is missing.')
  must(more.length === 0, `One folder at a time: ${positionals.join(', ')}.`)
  must(folder === undefined || existsSync(resolve(here, folder)), `The folder ${folder} does not exist.`)
  const event = one('event') ?? 'push'
  must(/^[a-z_]+$/.test(event), `--event ${event} is not the name of an event, for example pull_request.`)
  must(one('branch') === null || one('tag') === null, '--branch and --tag cannot be used together.')
  const permissions = pairs(all, 'permission', problems)
  for (const [name, level] of Object.entries(permissions))
    must(
      PERMISSION.test(`${name}=${level}`),
      `--permission ${name}=${level}: use actions, contents, deployments, issues or pull-requests with none, read or write.`,
    )
  const artifacts = pairs(all, 'artifact', problems)
  for (const place of Object.values(artifacts))
    must(existsSync(resolve(here, place)), `--artifact: the folder ${place} does not exist.`)
  const role = one('key-role')
  must(role === null || KEY_ROLES.includes(role as Role), `--key-role ${role}: use ${KEY_ROLES.join(', ')}.`)
  const state = path('state')
  must(
    state === null || isState(state),
    `--state ${one('state')} has other files than those of a try. Name an empty or new folder.`,
  )
  return {
    folder: resolve(here, folder ?? '.'),
    event,
    payload: readPayload(path('payload'), problems),
    branch: one('branch')?.replace(/^refs\/heads\//, '') ?? null,
    tag: one('tag')?.replace(/^refs\/tags\//, '') ?? null,
    commit: one('commit'),
    checkout: one('checkout'),
    fetchDepth: count('fetch-depth', 0) ?? 1,
    artifacts: Object.fromEntries(
      Object.entries(artifacts).map(([name, place]) => [name, resolve(here, place)]),
    ),
    inputs: pairs(all, 'input', problems),
    env: pairs(all, 'env', problems),
    before: all.get('before') ?? [],
    permissions: all.has('permission') ? permissions : null,
    runNumber: count('run-number', 1),
    state,
    waitMs: readDuration(one('wait'), problems),
    keyRole: role as Role | null,
    capgo: readRunning(one('capgo'), one('key'), problems),
    json: path('json'),
    keep: all.has('keep'),
  }
}

function split(words: readonly string[], problems: string[]) {
  // A word that begins as an option is none's value: `--env=--x` says that it is.
  const isBare = (word: string, next: string | undefined) =>
    typeOf(word.slice(2)) === 'string' &&
    word.startsWith('--') &&
    (next === undefined || next.startsWith('--'))
  const bare = words.filter((word, index) => isBare(word, words[index + 1]))
  const args = words.filter((word, index) => !isBare(word, words[index + 1]))
  problems.push(...bare.map(word => `${word} needs a value.`))
  const all = new Map<Option, string[]>()
  const positionals: string[] = []
  for (const token of parseArgs({ args, options: OPTIONS, strict: false, tokens: true }).tokens) {
    if (token.kind === 'positional') positionals.push(token.value)
    if (token.kind !== 'option') continue
    const type = typeOf(token.name)
    if (type === null) problems.push(`${token.rawName} is not an option.`)
    else if (type === 'boolean' && token.value !== undefined)
      problems.push(`${token.rawName} does not take a value.`)
    else all.set(token.name as Option, [...(all.get(token.name as Option) ?? []), token.value ?? ''])
  }
  return { all, positionals }
}

const typeOf = (name: string) => (Object.hasOwn(OPTIONS, name) ? OPTIONS[name as Option].type : null)

function pairs(all: ReadonlyMap<Option, readonly string[]>, name: Option, problems: string[]): Texts {
  return Object.fromEntries(
    (all.get(name) ?? []).flatMap(pair => {
      const at = pair.indexOf('=')
      if (at >= 1) return [[pair.slice(0, at), pair.slice(at + 1)]]
      problems.push(`--${name} ${pair} is not name=value.`)
      return []
    }),
  )
}

function readPayload(file: string | null, problems: string[]): Payload {
  if (file === null) return {}
  try {
    const payload = JSON.parse(readFileSync(file, 'utf8')) as unknown
    if (typeof payload === 'object' && payload !== null && !Array.isArray(payload)) return payload as Payload
    problems.push(`--payload: ${file} does not contain a JSON object.`)
  } catch (error) {
    problems.push(`--payload: ${file} cannot be read: ${(error as Error).message}.`)
  }
  return {}
}

function readDuration(text: string | null, problems: string[]): number {
  if (text === null) return 0
  const [, amount, unit] = /^(\d+)([smhd])$/.exec(text) ?? []
  if (amount === undefined)
    problems.push(`--wait ${text} is not a duration, for example 90s, 30m, 25h or 7d.`)
  return Number(amount ?? 0) * UNITS[(unit ?? 's') as keyof typeof UNITS]
}

function readRunning(url: string | null, key: string | null, problems: string[]): Wishes['capgo'] {
  if (url === null && key === null) return null
  if (url === null || key === null) problems.push('--capgo and --key go together.')
  if (url !== null && (!URL.canParse(url) || !isLocal(new URL(url).hostname)))
    problems.push(`--capgo ${url} is not on this machine; trials do not go elsewhere.`)
  return { url: (url ?? '').replace(/\/$/, ''), key: key ?? '' }
}

/** Of an earlier try, also of one that could not be made, or nothing yet. */
function isState(folder: string): boolean {
  const own = new Set<string>(Object.values(STATE))
  return (
    !existsSync(folder) ||
    existsSync(join(folder, STATE.memory)) ||
    readdirSync(folder).every(name => own.has(name))
  )
}

/** Names in the folder of `--state`. */
export const STATE = {
  memory: 'try.json',
  capgo: 'capgo',
  github: 'github.json',
  repository: 'repository',
} as const
