import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Permissions as TokenPermissions } from '../../local/github/index.ts'
import type { WorkflowEvent } from '../../local/runner/event.ts'
import { type ActionRun, type RunOptions, runAction, runProgram } from '../../local/runner/runner.ts'
import { makeScratch } from '../../local/runner/scratch.ts'
import { failOnLeak } from '../../local/runner/secrets.ts'
import { writeRawZip } from '../helpers/raw-zip.ts'
import { REPOSITORY, type World } from '../scenarios/scenario.ts'
import { type Contexts, holds, resolve, type Status, toText } from './expressions.ts'
import {
  calledFile,
  type Declared,
  type Job,
  loadWorkflow,
  OWN_ACTION,
  type Permissions,
  type Step,
  starts,
  type Workflow,
} from './workflow.ts'

type Result = 'success' | 'failure' | 'skipped'
type Values = Readonly<Record<string, unknown>>
type Texts = Readonly<Record<string, string>>

interface StepRun {
  /** What it was: `uses` or `run`. */
  readonly what: string
  readonly result: Result
  readonly outputs: Texts
  /** Of a program: a script, or the action. */
  readonly run?: ActionRun
}

interface JobRun {
  readonly result: Result
  readonly outputs: Texts
  readonly steps: readonly StepRun[]
  /** Groups in which the job waits for others, and whether it ends them. */
  readonly groups: readonly Group[]
}

interface Group {
  readonly group: string
  readonly cancels: boolean
}

export interface WorkflowRun {
  readonly id: number
  readonly result: Result
  /** Those of a called workflow too. */
  readonly jobs: readonly JobRun[]
  /** By the id of the job that called. */
  readonly outputs: Readonly<Record<string, Texts>>
  /** Every run of our action, in order. */
  readonly actions: readonly ActionRun[]
}

export interface Started {
  readonly world: World
  readonly event: WorkflowEvent
  /** The repository's secrets. */
  readonly secrets?: Texts
  /** Secrets of its environments, which only the jobs of each can read. */
  readonly environments?: Readonly<Record<string, Texts>>
  /** What the job that calls a ready-made workflow passes too. */
  readonly with?: Values
  readonly runAttempt?: number
}

/** Every file of this project that was run. */
export const executed = new Set<string>()

/**
 * Runs a workflow as GitHub does, one job after the other, against the local Capgo (which stands where the cloud is) and the
 * local GitHub, whose token has the permissions that the workflow gives its jobs, and no others. Throws where GitHub would
 * not start it, and where it has what is not known here.
 */
export async function runWorkflow(workflow: Workflow, started: Started): Promise<WorkflowRun> {
  const { world, event } = started
  if (!starts(workflow, event)) throw new Error(`${workflow.file} does not start on ${event.name}.`)
  const pull = event.payload.pull_request as
    | { head: { sha: string; repo: { full_name: string } } }
    | undefined
  const fork = pull?.head.repo.full_name === REPOSITORY ? undefined : pull?.head.repo.full_name
  const isForeign = fork !== undefined && event.name === 'pull_request'
  const { id, number } = world.hosted.addRun({
    name: workflow.name,
    event: event.name,
    headBranch: event.headRef || event.ref.replace(/^refs\/\w+\//, ''),
    headSha: pull?.head.sha ?? event.sha,
    ...(fork === undefined ? {} : { fork }),
  })
  const dispatched = event.name === 'workflow_dispatch' ? (event.payload.inputs as Texts | null) : null
  const declared = workflow.on.workflow_dispatch?.inputs ?? {}
  const run = new Run(started, { id, number, isForeign })
  const { jobs, outputs } = await run.jobs(workflow, {
    inputs: dispatched === null ? {} : readInputs(workflow.file, declared, dispatched, true),
    secrets: isForeign ? {} : (started.secrets ?? {}),
    granted: null,
  })
  return { id, jobs: jobs.map(([, job]) => job), outputs, actions: run.actions, result: overall(jobs) }
}

interface Scope {
  readonly inputs: Values
  readonly secrets: Texts
  /** What the caller's job may; null = nobody calls. */
  readonly granted: Permissions | null
}

type Jobs = readonly (readonly [string, JobRun])[]

class Run {
  readonly actions: ActionRun[] = []
  readonly #started: Started
  readonly #run: { readonly id: number; readonly number: number; readonly isForeign: boolean }

  constructor(started: Started, run: { id: number; number: number; isForeign: boolean }) {
    this.#started = started
    this.#run = run
  }

  /** A workflow's jobs, and what those put out that call another workflow. */
  async jobs(workflow: Workflow, scope: Scope): Promise<{ jobs: Jobs; outputs: Record<string, Texts> }> {
    executed.add(workflow.file)
    const done = new Map<string, JobRun>()
    const called: (readonly [string, JobRun])[] = []
    const outputs: Record<string, Texts> = {}
    const waiting = new Map(Object.entries(workflow.jobs))
    while (waiting.size > 0) {
      const next = [...waiting].find(([, { needs }]) => [needs ?? []].flat().every(id => done.has(id)))
      if (next === undefined) throw new Error(`${workflow.file}: jobs wait for one another.`)
      const [id, job] = next
      waiting.delete(id)
      const permissions = this.#permissions(workflow, id, scope)
      const needs = Object.fromEntries([job.needs ?? []].flat().map(need => [need, done.get(need)!]))
      const contexts = {
        github: this.#github(workflow, id),
        inputs: scope.inputs,
        needs: Object.fromEntries(
          Object.entries(needs).map(([need, each]) => [need, { result: each.result, outputs: each.outputs }]),
        ),
        vars: {},
      }
      const results = Object.values(needs).map(({ result }) => result)
      const status: Status = results.every(result => result === 'success') ? 'success' : 'failure'
      if (!holds(job.if, contexts, status)) {
        done.set(id, { result: 'skipped', outputs: {}, steps: [], groups: [] })
        continue
      }
      const groups = [workflow.concurrency, job.concurrency].flatMap(each => toGroups(each, contexts))
      if (job.uses === undefined)
        done.set(id, await this.#steps(workflow, id, { ...scope, contexts, permissions, groups }))
      else {
        const inner = await this.#call(job, { ...scope, contexts, permissions })
        called.push(...inner.jobs)
        outputs[id] = inner.outputs
        done.set(id, { result: overall(inner.jobs), outputs: inner.outputs, steps: [], groups })
      }
    }
    return { jobs: [...done, ...called], outputs }
  }

  async #call(job: Job, scope: Scope & { contexts: Contexts; permissions: Permissions }) {
    const workflow = loadWorkflow(calledFile(job.uses!))
    const { inputs = {}, secrets = {}, outputs = {} } = workflow.on.workflow_call ?? {}
    const contexts = { ...scope.contexts, secrets: scope.secrets }
    const given = resolve({ ...job.with, ...this.#started.with }, contexts) as Values
    const passed =
      job.secrets === 'inherit'
        ? scope.secrets
        : (resolve(job.secrets ?? {}, contexts) as Record<string, unknown>)
    for (const name of Object.keys(passed))
      if (!(name in secrets)) throw new Error(`${workflow.file} has no secret "${name}".`)
    for (const [name, { required }] of Object.entries(secrets))
      if (required && !passed[name]) throw new Error(`${workflow.file} needs the secret "${name}".`)
    const { jobs } = await this.jobs(workflow, {
      inputs: readInputs(workflow.file, inputs, given, false),
      secrets: toTexts(passed),
      granted: scope.permissions,
    })
    const results = Object.fromEntries(
      jobs.map(([id, each]) => [id, { outputs: each.outputs, result: each.result }]),
    )
    const values = Object.entries(outputs).map(([name, { value }]) => [
      name,
      resolve(value, { jobs: results }),
    ])
    return { jobs, outputs: toTexts(Object.fromEntries(values)) }
  }

  async #steps(
    workflow: Workflow,
    id: string,
    scope: Scope & { contexts: Contexts; permissions: Permissions; groups: readonly Group[] },
  ): Promise<JobRun> {
    const job = workflow.jobs[id]!
    const workspace = join(makeScratch('workspace'), 'daybreak')
    mkdirSync(workspace)
    const token = this.#token(scope.permissions)
    const github = { ...(scope.contexts.github as object), token, workspace }
    const environment = toText(resolve(job.environment ?? '', scope.contexts))
    const own = this.#run.isForeign ? {} : this.#started.environments?.[environment]
    const outside = { ...scope.contexts, github, secrets: { ...scope.secrets, ...own, GITHUB_TOKEN: token } }
    const jobEnv = { ...workflow.env, ...(resolve(job.env ?? {}, outside) as Values) }
    const exported: Record<string, string> = {}
    const steps: Record<string, { outputs: Texts; outcome: Result; conclusion: Result }> = {}
    const done: StepRun[] = []
    let status: Status = 'success'
    for (const step of job.steps ?? []) {
      const contexts: Contexts = {
        ...outside,
        env: { ...jobEnv, ...exported },
        steps,
        job: { status },
        runner: { os: 'Linux', arch: 'X64' },
      }
      const ended = !holds(step.if, contexts, status)
        ? ({ what: nameOf(step), result: 'skipped', outputs: {} } as const)
        : await this.#step(
            step.run === undefined ? step : { ...job.defaults?.run, ...step },
            {
              ...contexts,
              env: { ...(contexts.env as Values), ...(resolve(step.env ?? {}, contexts) as Values) },
            },
            status,
            {
              repo: workspace,
              githubToken: token,
              env: { GITHUB_JOB: id, GITHUB_WORKFLOW: workflow.name },
            },
          )
      if (ended.result === 'failure') status = 'failure'
      if (step.id !== undefined)
        steps[step.id] = { outputs: ended.outputs, outcome: ended.result, conclusion: ended.result }
      Object.assign(exported, ended.run?.exportedEnv)
      done.push(ended)
    }
    const outputs = toTexts(resolve(job.outputs ?? {}, { ...outside, steps }) as Values)
    return {
      result: status === 'success' ? 'success' : 'failure',
      outputs,
      steps: done,
      groups: scope.groups,
    }
  }

  async #step(
    step: Step,
    contexts: Contexts,
    status: Status,
    options: Pick<RunOptions, 'repo' | 'githubToken' | 'env'>,
  ): Promise<StepRun> {
    const { world, event, runAttempt = 1, secrets = {}, environments = {} } = this.#started
    const hidden = [secrets, ...Object.values(environments)].flatMap(each => Object.values(each))
    const all = {
      ...options,
      event,
      runId: this.#run.id,
      runNumber: this.#run.number,
      runAttempt,
      apiUrl: world.github.url,
      resultsUrl: world.github.resultsUrl,
      secrets: hidden,
      // The machine's own npm settings are not the workflow's.
      env: {
        npm_config_userconfig: '/dev/null',
        npm_config_update_notifier: 'false',
        ...toTexts(contexts.env as Values),
        ...options.env,
      },
    }
    const given = toTexts(resolve(step.with ?? {}, contexts, status) as Values)
    const what = nameOf(step)
    const ended = async (running: Promise<ActionRun>): Promise<StepRun> => {
      const run = await running
      failOnLeak(run, hidden)
      return { what, run, outputs: run.outputs, result: run.exitCode === 0 ? 'success' : 'failure' }
    }
    if (step.run !== undefined) {
      const script = toText(resolve(step.run, contexts, status))
      const folder = toText(resolve(step['working-directory'] ?? '.', contexts, status))
      if (step.shell !== undefined && step.shell !== 'bash') throw new Error(`No shell ${step.shell} here.`)
      const flags = step.shell === 'bash' ? ['--noprofile', '--norc', '-eo', 'pipefail'] : ['-e']
      return ended(
        runProgram('bash', [...flags, '-c', script], {
          ...all,
          cwd: join(options.repo, folder),
          // A script of the user's may do with its secrets what it likes.
          mayLeak: true,
        }),
      )
    }
    const [action, version] = step.uses!.split('@') as [string, string | undefined]
    if (action === OWN_ACTION || action.startsWith('$/')) {
      if (action === OWN_ACTION && version !== 'v1') throw new Error(`${step.uses} is not released yet.`)
      const inputs = { ...given, 'api-url': isCloud(given['api-url']) ? world.capgo.url : given['api-url']! }
      const actionPath = action === OWN_ACTION ? '.' : action.slice(2)
      const end = await ended(runAction({ ...all, inputs, actionPath }))
      this.actions.push(end.run!)
      return end
    }
    const known = ACTIONS[action]
    if (known === undefined) throw new Error(`The runner has no ${step.uses}.`)
    const unknown = Object.keys(given).filter(name => !known.inputs.includes(name))
    if (unknown.length > 0) throw new Error(`${action} has no input ${unknown.join(', ')} here.`)
    known.run?.({ given, workspace: options.repo, world, event, runId: this.#run.id })
    return { what, result: 'success', outputs: {} }
  }

  #github(workflow: Workflow, job: string): Values {
    const { event, runAttempt = 1 } = this.#started
    const [owner] = event.repository.split('/')
    return {
      event: event.payload,
      event_name: event.name,
      ref: event.ref,
      ref_name: event.ref.replace(/^refs\/(heads|tags|pull)\//, ''),
      ref_type: event.ref.startsWith('refs/tags/') ? 'tag' : 'branch',
      sha: event.sha,
      head_ref: event.headRef,
      base_ref: event.baseRef,
      repository: event.repository,
      repository_owner: owner,
      actor: event.actor,
      triggering_actor: event.actor,
      run_id: String(this.#run.id),
      run_number: String(this.#run.number),
      run_attempt: String(runAttempt),
      server_url: 'https://github.com',
      api_url: this.#started.world.github.url,
      workflow: workflow.name,
      job,
    }
  }

  /**
   * Of a job: its own, else the workflow's, else the caller's. A called one may have no more than who calls it, which is
   * looked at before anything runs, and before the token of a fork's run is made to read only.
   */
  #permissions(workflow: Workflow, id: string, { granted }: Scope): Permissions {
    const own = workflow.jobs[id]!.permissions ?? workflow.permissions ?? granted
    if (own === null) throw new Error(`${workflow.file} says no permissions.`)
    if (granted === null) return own
    for (const [name, level] of Object.entries(own))
      if (LEVELS.indexOf(level) > LEVELS.indexOf(granted[name] ?? 'none'))
        throw new Error(`${workflow.file} needs "${name}: ${level}", which who calls it does not give.`)
    return own
  }

  #token(permissions: Permissions): string {
    const held = Object.entries(permissions).map(([name, level]) => [
      name,
      this.#run.isForeign && level === 'write' ? 'read' : level,
    ])
    return this.#started.world.github.addToken({
      repository: REPOSITORY,
      permissions: Object.fromEntries(held) as TokenPermissions,
    })
  }
}

const LEVELS = ['none', 'read', 'write']

interface ActionCall {
  readonly given: Texts
  readonly workspace: string
  readonly world: World
  readonly event: WorkflowEvent
  readonly runId: number
}

/** The actions of others, as far as the workflows here use them. */
const ACTIONS: Readonly<Record<string, { inputs: readonly string[]; run?: (call: ActionCall) => void }>> = {
  'actions/checkout': { inputs: ['ref', 'fetch-depth', 'persist-credentials'], run: checkOut },
  // Node is there.
  'actions/setup-node': { inputs: ['node-version', 'package-manager-cache'] },
  'actions/upload-artifact': {
    inputs: ['name', 'path', 'if-no-files-found', 'retention-days'],
    run: uploadArtifact,
  },
}

/** A clone as shallow as actions/checkout makes it, of the commit that the event is of. */
function checkOut({ given, workspace, world, event }: ActionCall): void {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: workspace, stdio: 'pipe' })
  world.repo.git(['config', 'uploadpack.allowAnySHA1InWant', 'true'])
  const depth = given['fetch-depth'] ?? '1'
  git('init', '--quiet')
  git('remote', 'add', 'origin', `file://${world.repo.path}`)
  const commit = given.ref || event.sha
  if (depth === '0') git('fetch', '--quiet', '--tags', 'origin', '+refs/heads/*:refs/remotes/origin/*')
  git('fetch', '--quiet', ...(depth === '0' ? [] : ['--depth', depth]), 'origin', commit)
  const branch = /^refs\/heads\/(.+)$/.exec(event.ref)?.[1]
  git('checkout', '--quiet', ...(branch && !given.ref ? ['-B', branch] : ['--detach']), 'FETCH_HEAD')
}

function uploadArtifact({ given, workspace, world, runId }: ActionCall): void {
  const folder = join(workspace, given.path!)
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map(name => join(folder, name))
    .filter(path => statSync(path).isFile() && !/(^|\/)\./.test(relative(folder, path)))
  if (files.length === 0 && given['if-no-files-found'] === 'error')
    throw new Error(`No files in ${given.path}.`)
  const entries = files.map(path => ({ name: relative(folder, path), content: readFileSync(path) }))
  world.hosted.addArtifact({ runId, name: given.name ?? 'artifact', zip: writeRawZip(entries) })
}

/** The inputs with their defaults. Throws as GitHub does on one too many or too few, or of another type. */
function readInputs(
  file: string,
  declared: Readonly<Record<string, Declared>>,
  given: Values,
  areTexts: boolean,
): Values {
  for (const name of Object.keys(given))
    if (!(name in declared)) throw new Error(`${file} has no input "${name}".`)
  return Object.fromEntries(
    Object.entries(declared).map(([name, { type = 'string', required, default: fallback, options }]) => {
      const value = given[name] ?? fallback
      if (value === undefined && required) throw new Error(`${file} needs the input "${name}".`)
      if (type === 'boolean') {
        const flag = areTexts && typeof value === 'string' ? value === 'true' : (value ?? false)
        if (typeof flag !== 'boolean') throw new Error(`${file}: input "${name}" is no boolean: ${value}`)
        return [name, flag]
      }
      if (type === 'number') return [name, Number(value ?? 0)]
      if (typeof (value ?? '') === 'boolean' || typeof value === 'object')
        throw new Error(`${file}: input "${name}" is no ${type}: ${value}`)
      if (options !== undefined && !options.includes(toText(value)))
        throw new Error(`${file}: input "${name}" has no option ${value}`)
      return [name, toText(value)]
    }),
  )
}

function toGroups(concurrency: unknown, contexts: Contexts): Group[] {
  if (concurrency === undefined) return []
  const resolved = resolve(concurrency, contexts)
  if (typeof resolved === 'string') return [{ group: resolved, cancels: false }]
  const { group, 'cancel-in-progress': cancels } = resolved as Values
  return [{ group: toText(group), cancels: Boolean(cancels) }]
}

const overall = (jobs: Jobs): Result => {
  const results = jobs.map(([, { result }]) => result)
  if (results.includes('failure')) return 'failure'
  return results.every(result => result === 'skipped') ? 'skipped' : 'success'
}
const nameOf = ({ uses, run }: Step): string => uses ?? run ?? ''
const isCloud = (url: string | undefined) => !url || url === 'https://api.capgo.app'
const toTexts = (values: Values): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, toText(value)]))
