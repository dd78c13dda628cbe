/** Both servers, the repository, and runs: whole ones in this process, or the built action as a process. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type LocalCapgo, startCapgo } from '../../local/capgo/index.ts'
import { type HostedRepository, type LocalGitHub, startGitHub } from '../../local/github/index.ts'
import { createRepository, type Files, type Repository } from '../../local/repository.ts'
import type { WorkflowEvent } from '../../local/runner/event.ts'
import { type ActionProcess, runAction } from '../../local/runner/runner.ts'
import { makeScratch, removeScratch } from '../../local/runner/scratch.ts'
import { failOnLeak } from '../../local/runner/secrets.ts'
import { createStop } from '../../src/runtime/cancellation.ts'
import { runHere } from '../integration/in-process.ts'
import type { Plan, Setup } from './history.ts'
import type { Tally } from './tally.ts'
import { type Line, Wire } from './wire.ts'

export const APP_ID = 'com.example.app'
const REPOSITORY = 'octo-org/daybreak'
/** Longer than every window of Capgo's rate limits, milliseconds. */
const MINUTE = 61_000
/** Real milliseconds that a pause of a run takes; on the servers' clock it takes as long as it says. */
const PAUSE = 2

/** A job of a workflow: what a re-run has in common with the run. */
export interface Job {
  readonly name: string
  readonly event: WorkflowEvent
  /** What is checked out. */
  readonly sha: string
  readonly inputs: Readonly<Record<string, string>>
  readonly runId: number
  attempts: number
}

export interface Ended {
  readonly isGreen: boolean
  readonly isKilled: boolean
  readonly outputs: Readonly<Record<string, string>>
  /** As annotations; null where they were not looked at. */
  readonly errors: readonly string[] | null
  readonly log: readonly string[]
}

const UNDISTURBED: Plan = { faults: [], kill: null, meanwhile: null, isProcess: false, waits: false }

const UPLOADS = {
  whole: {},
  chunks: { maxChunkSize: 400 },
  presigned: { TUSUpload: false, TUSUploadForced: false, partialUpload: false },
} as const

export class World {
  readonly capgo: LocalCapgo
  readonly github: LocalGitHub
  readonly hosted: HostedRepository
  readonly repo: Repository
  readonly wire: Wire
  readonly #setup: Setup
  readonly #tally: Tally
  readonly #key: string
  readonly #githubToken: string
  readonly #checkouts = new Map<string, string>()
  readonly #folder = makeScratch('histories')

  static async start(setup: Setup, files: Files, tally: Tally): Promise<World> {
    const { runtime, profile, upload } = setup
    const capgo = await startCapgo({ runtime, profile, filesConfig: UPLOADS[upload] })
    const github = await startGitHub({ now: () => new Date(capgo.clock.now()) })
    return new World(setup, files, tally, capgo, github)
  }

  private constructor(setup: Setup, files: Files, tally: Tally, capgo: LocalCapgo, github: LocalGitHub) {
    this.#setup = setup
    this.#tally = tally
    this.capgo = capgo
    this.github = github
    capgo.seedApp({ appId: APP_ID })
    this.#key = capgo.seedKey({ appId: APP_ID, role: 'app_admin' })
    this.repo = createRepository({ files })
    // So that a shallow checkout of any commit can be made.
    this.repo.git(['config', 'uploadpack.allowAnySHA1InWant', 'true'])
    this.hosted = github.addRepository({ name: REPOSITORY, gitDir: this.repo.path, private: true })
    this.#githubToken = github.addToken({
      repository: REPOSITORY,
      permissions: { contents: 'read', deployments: 'write', 'pull-requests': 'write', actions: 'read' },
    })
    this.wire = new Wire({ capgo: capgo.url, github: github.url }, tally)
    tally.count('servers', `${setup.runtime}, profile ${setup.profile}`)
  }

  /** Whether only pull requests with the label "preview" have one. */
  get isByLabel(): boolean {
    return this.#setup.byLabel
  }

  async stop(): Promise<void> {
    await this.wire.close()
    await this.capgo.stop()
    await this.github.stop()
    this.repo.remove()
    removeScratch(this.#folder)
  }

  /** One attempt of a job. */
  async run(job: Job, plan: Plan = UNDISTURBED): Promise<Ended> {
    this.#tally.runs++
    this.capgo.clock.advance(MINUTE)
    const attempt = ++job.attempts
    return plan.isProcess ? this.#runProcess(job, attempt, plan) : this.#runHere(job, attempt, plan)
  }

  async #runHere(job: Job, attempt: number, plan: Plan): Promise<Ended> {
    const stop = createStop()
    // A process that is killed sends nothing any more: this run is cut off, and ended because it is of no use.
    const line = await this.wire.open(plan, () => stop.cancel('SIGTERM'))
    const { clock } = this.capgo
    try {
      const run = await runHere({
        repo: this.#checkout(job.sha),
        sha: job.event.sha,
        event: job.event,
        runId: job.runId,
        attempt,
        inputs: this.#inputs(job, line),
        github: { url: line.github, token: this.#githubToken },
        stop,
        // Whoever waits lets time pass on the server, too.
        sleep: async ms => {
          clock.advance(ms)
          await sleep(PAUSE)
        },
        now: () => new Date(clock.now()),
        http: { outage: 50 },
      })
      return { ...run, isKilled: line.isDead }
    } finally {
      await line.close()
    }
  }

  async #runProcess(job: Job, attempt: number, plan: Plan): Promise<Ended> {
    this.#tally.processes++
    let action: ActionProcess | undefined
    const line = await this.wire.open(plan, () => action?.kill('SIGKILL'))
    try {
      action = runAction({
        repo: this.#checkout(job.sha),
        event: job.event,
        secrets: [this.#key],
        // The servers see what a run sends twice here, and at another address: who looks for secrets on the wire would take
        // that for a leak. What the run says is searched below.
        mayLeak: true,
        githubToken: this.#githubToken,
        apiUrl: line.github,
        runId: job.runId,
        runNumber: job.runId - 9_000_000_000,
        runAttempt: attempt,
        inputs: this.#inputs(job, line),
      })
      const run = await action
      failOnLeak(run, [this.#key, this.#githubToken])
      return {
        isGreen: run.exitCode === 0,
        isKilled: line.isDead,
        outputs: run.outputs,
        errors: null,
        log: run.visibleLog.split('\n'),
      }
    } finally {
      await line.close()
    }
  }

  #inputs({ inputs }: Job, line: Line): Record<string, string> {
    const { delta, deployments, byLabel } = this.#setup
    return {
      'capgo-token': this.#key,
      'api-url': line.capgo,
      build: 'false',
      delta,
      deployments: String(deployments),
      ...(byLabel ? { 'preview-label': 'preview' } : {}),
      ...inputs,
    }
  }

  /** As actions/checkout leaves it: the newest commit alone, or the whole history. */
  #checkout(sha: string): string {
    const known = this.#checkouts.get(sha)
    if (known !== undefined) return known
    const folder = join(this.#folder, sha)
    if (this.#setup.checkout === 'full')
      this.repo.git(['worktree', 'add', '--detach', '--quiet', folder, sha])
    else {
      mkdirSync(folder)
      const git = (...args: string[]) => this.repo.git(['-C', folder, ...args])
      git('init', '--quiet')
      git('fetch', '--quiet', '--depth', '1', `file://${this.repo.path}`, sha)
      git('checkout', '--quiet', '--detach', 'FETCH_HEAD')
    }
    this.#checkouts.set(sha, folder)
    return folder
  }
}
