/** What a team did, and what must be true because of it. */
import { buffer } from 'node:stream/consumers'
import { unzip } from '../helpers/device.ts'
import {
  dispatchEvent,
  type PullRequestAction,
  pullRequestEvent,
  pushEvent,
  scheduleEvent,
  type WorkflowEvent,
} from '../helpers/event.ts'
import type { Files } from '../helpers/repository.ts'
import type { Deed, Entry } from './history.ts'
import { APP_ID, type Ended, type Job, type World } from './world.ts'

export type Branch = 'main' | 'develop'
export type StageChannel = 'production' | 'development'
export const CHANNEL_OF = { main: 'production', develop: 'development' } as const
export const STAGES = ['production', 'development'] as const

/** Contents of index.html, or null for a channel that serves nothing. */
export type Content = string | null

/** Somebody's word on what a channel is to serve: a push, a promotion, a roll-back. */
interface Claim {
  readonly runId: number
  readonly step: number
  readonly kind: 'push' | 'move'
  /** Undefined: a promotion or roll-back that never ended green, so anything of it may be true. */
  content: Content | undefined
}

export interface ModelPull {
  readonly number: number
  readonly author: string
  readonly branch: string
  head: string
  content: string
  open: boolean
  merged: boolean
  last: PullJob
}

/** A job, and what the model knows of it. */
export interface ModelJob extends Job {
  readonly kind: 'push' | 'pull' | 'promote' | 'rollback' | 'schedule' | 'housekeep'
  readonly step: number
  readonly channel: StageChannel | null
  /** A push that changed the testers file. */
  readonly isEdit: boolean
  ended: Ended | null
}
type PullJob = ModelJob

/** Where people other than this action work. */
export const FOREIGN = {
  channels: ['support', 'beta', 'alpha'],
  bundles: ['3.0.0', '2.0.0', '2.1.0-unfinished'],
  comment: `<!-- capgo-publish-action ${APP_ID} -->\nI can write that, too.`,
} as const

const FIRST_RUN = 9_000_000_001
const UPDATER = { name: '@capgo/capacitor-updater', version: '8.51.2' }
const APP = 'CapacitorUpdater.notifyAppReady()'

/** The web folder with this content. */
export const webFiles = (content: string): Record<string, string> => ({
  'index.html': page(content),
  'app.js': APP,
  'empty.txt': '',
})
const page = (content: string) => `<h1>${content}</h1><script src="app.js"></script>${' '.repeat(600)}`

export function repositoryFiles(content: string, testers: readonly Entry[]): Files {
  return {
    'capacitor.config.json': JSON.stringify({ appId: APP_ID, webDir: 'web' }),
    'package.json': JSON.stringify({
      name: 'tiny',
      version: '1.2.0',
      dependencies: { [UPDATER.name]: UPDATER.version },
    }),
    [`node_modules/${UPDATER.name}/package.json`]: JSON.stringify(UPDATER),
    'android/app/build.gradle': 'android { defaultConfig { versionName "1.0" } }\n',
    ...builtFiles(content),
    'testers.json': JSON.stringify({ testers }, null, 2),
  }
}

const builtFiles = (content: string): Record<string, string> =>
  Object.fromEntries(Object.entries(webFiles(content)).map(([path, text]) => [`web/${path}`, text]))

export class Model {
  readonly world: World
  readonly jobs: ModelJob[] = []
  readonly pulls: ModelPull[] = []
  readonly claims: Record<StageChannel, Claim[]> = { production: [], development: [] }
  readonly heads: Record<Branch, { sha: string; content: string; job: ModelJob | null }>
  /** Of main. */
  file: readonly Entry[] = []
  /** Where people put devices. */
  readonly hand = new Map<string, string>()
  step = 0
  #runs = FIRST_RUN
  #fresh = 0
  #rolledBack = false
  /** From this step on, requests of runs arrived long after they were sent. */
  lateSince = Number.POSITIVE_INFINITY

  constructor(world: World) {
    const { repo, capgo } = world
    this.world = world
    const main = repo.head
    repo.branch('develop')
    // Neither branch is older than the other.
    repo.commit(builtFiles('develop'))
    this.heads = {
      main: { sha: main, content: 'main', job: null },
      develop: { sha: repo.head, content: 'develop', job: null },
    }
    repo.checkout('main')
    repo.commit({ 'README.md': 'On main.\n' })
    this.heads.main.sha = repo.head
    const [served, old, unfinished] = FOREIGN.bundles
    capgo.seedBundle({ appId: APP_ID, name: served, bytes: Buffer.from('foreign'), comment: 'by hand' })
    capgo.seedBundle({ appId: APP_ID, name: old, bytes: Buffer.from('foreign, old'), comment: null })
    capgo.seedBundle({ appId: APP_ID, name: unfinished, storage_provider: 'r2-direct', comment: null })
    for (const name of FOREIGN.channels)
      capgo.seedChannel({ appId: APP_ID, name, public: false, bundle: served })
  }

  /** The deed itself, and the job that it starts; null where it starts none, or cannot be done now. */
  async perform(deed: Deed): Promise<ModelJob | null> {
    const { world } = this
    switch (deed.do) {
      case 'push':
        return this.#push(deed.branch, this.#content(deed.content), null)
      case 'edit':
        return this.#push('main', this.#rolledBack ? this.#content('E') : this.heads.main.content, deed.file)
      case 'open': {
        const number = 11 + this.pulls.length
        const branch = `feature/${number}`
        world.repo.branch(branch, 'main')
        const content = `${deed.content} of #${number}`
        world.repo.commit(builtFiles(content))
        const { author } = deed
        await world.hosted.addPull({ number, head: { ref: branch }, base: { ref: 'main' }, author })
        world.hosted.addComment(number, { body: FOREIGN.comment, author: 'mallory' })
        const pull = { number, author, branch, head: world.repo.head, content, open: true, merged: false }
        const complete = Object.assign(pull, { last: this.#pullJob(pull, 'opened') })
        this.pulls.push(complete)
        return complete.last
      }
      case 'update': {
        const pull = pick(
          this.pulls.filter(({ open }) => open),
          deed.which,
        )
        if (pull === undefined) return null
        world.repo.checkout(pull.branch)
        pull.content = `${deed.content} of #${pull.number}`
        world.repo.commit(builtFiles(pull.content))
        pull.head = world.repo.head
        world.hosted.pull(pull.number).pull.head.sha = pull.head
        pull.last = this.#pullJob(pull, 'synchronize')
        return pull.last
      }
      case 'close': {
        const pull = pick(
          this.pulls.filter(({ open }) => open),
          deed.which,
        )
        if (pull === undefined) return null
        pull.open = false
        pull.merged = deed.merged
        world.hosted.closePull(pull.number, { merged: deed.merged })
        pull.last = this.#pullJob(pull, 'closed')
        return pull.last
      }
      case 'reopen': {
        const pull = pick(
          this.pulls.filter(({ open, merged }) => !open && !merged),
          deed.which,
        )
        if (pull === undefined) return null
        pull.open = true
        world.hosted.reopenPull(pull.number)
        pull.last = this.#pullJob(pull, 'reopened')
        return pull.last
      }
      case 'promote':
        return this.#move('promote', 'production', { from: 'development', to: 'production' })
      case 'rollback': {
        this.#rolledBack = true
        return this.#move('rollback', deed.channel, { channel: deed.channel })
      }
      case 'schedule':
        return this.schedule()
      case 'housekeep':
        return this.#dispatch('housekeep', null, { operation: 'cleanup', keep: String(deed.keep) })
      case 'rerun':
        return (
          pick(
            this.jobs.filter(({ kind, ended }) => ended !== null && (kind === 'push' || kind === 'pull')),
            deed.which,
          ) ?? null
        )
      case 'hand': {
        const { capgo } = world
        const row = capgo.store.find('channel_devices', { app_id: APP_ID, device_id: deed.device })
        if (row !== undefined) capgo.store.remove('channel_devices', row.id)
        capgo.seedOverride({ appId: APP_ID, deviceId: deed.device, channel: deed.channel })
        this.hand.set(deed.device, deed.channel)
        return null
      }
    }
  }

  /** The job of a branch's newest commit; made where its push was never seen. */
  headJob(branch: Branch): ModelJob {
    const head = this.heads[branch]
    head.job ??= this.#pushJob(branch, head.sha, null, head.content, true)
    return head.job
  }

  schedule(): ModelJob {
    const { sha } = this.heads.main
    return this.#job('schedule', 'schedule', scheduleEvent({ sha }), sha, {}, null)
  }

  /** After an attempt of a job: what it claims for its channel. */
  async note(job: ModelJob, ended: Ended): Promise<void> {
    job.ended = ended
    if (job.channel === null || (job.kind !== 'promote' && job.kind !== 'rollback')) return
    const id = Number(ended.outputs['bundle-id'])
    const content = ended.isGreen && id > 0 ? await this.contentOf(id) : undefined
    const claims = this.claims[job.channel]
    const old = claims.find(({ runId }) => runId === job.runId)
    if (old === undefined) claims.push({ runId: job.runId, step: job.step, kind: 'move', content })
    else old.content = content ?? old.content
  }

  /** Whether nobody said a newer word on the job's channel. */
  isNewestWord(job: ModelJob): boolean {
    return job.channel !== null && this.claims[job.channel].every(({ runId }) => runId <= job.runId)
  }

  /** What a channel may serve; null = anything that anybody ever put there. */
  allowed(channel: StageChannel): readonly Content[] | null {
    const claims = [...this.claims[channel]].sort((one, other) => other.runId - one.runId)
    const [newest] = claims
    if (newest === undefined) return [null]
    if (newest.kind === 'push') return [newest.content!]
    const since = Math.min(newest.step, this.lateSince)
    const rivals = claims.filter(({ step }) => step >= since)
    const words = [newest, ...rivals]
    return words.some(({ content }) => content === undefined)
      ? null
      : [...new Set(words.map(({ content }) => content!))]
  }

  /** By device: the channel. */
  expectedOverrides(): Record<string, string> {
    const overrides = new Map<string, string>()
    const open = this.pulls.filter(pull => pull.open)
    const byAuthor = this.file.some(({ github }) => github !== undefined)
    for (const { device, github, channel } of this.file) {
      const wanting = open.filter(({ author }) => !byAuthor || author === github)
      const newest = wanting.sort((one, other) => other.number - one.number)[0]
      const to = newest === undefined ? channel : `pr-${newest.number}`
      if (to !== undefined) overrides.set(device, to)
    }
    return Object.fromEntries([...overrides, ...this.hand].sort())
  }

  overrides(): Record<string, string> {
    const { store } = this.world.capgo
    const names = new Map(store.list('channels', { app_id: APP_ID }).map(({ id, name }) => [id, name]))
    const rows = store.list('channel_devices', { app_id: APP_ID })
    return Object.fromEntries(rows.map(row => [row.device_id, names.get(row.channel_id) ?? '?']).sort())
  }

  /** What a channel serves; undefined without such a channel. */
  async served(name: string): Promise<Content | undefined> {
    const channel = this.world.capgo.store.find('channels', { app_id: APP_ID, name })
    if (channel === undefined) return undefined
    return channel.version === null ? null : this.contentOf(channel.version)
  }

  /** By what is stored, not by what anybody says about it. */
  async contentOf(bundleId: number): Promise<Content> {
    const { store } = this.world.capgo
    const bundle = store.find('app_versions', { id: bundleId })
    if (!bundle?.r2_path || !store.objects.stat(bundle.r2_path)) return null
    const files = await unzip(await buffer(store.objects.read(bundle.r2_path))).catch(() => new Map())
    return /<h1>(.*)<\/h1>/.exec(files.get('index.html')?.toString() ?? '')?.[1] ?? null
  }

  #push(branch: Branch, content: string, file: readonly Entry[] | null): ModelJob {
    const { repo } = this.world
    repo.checkout(branch)
    const before = repo.head
    const changed = { ...builtFiles(content), 'nonce.txt': `${this.#runs}` }
    if (file !== null) this.file = file
    repo.commit(
      file === null ? changed : { ...changed, 'testers.json': JSON.stringify({ testers: file }, null, 2) },
    )
    const job = this.#pushJob(branch, repo.head, before, content, file !== null)
    this.heads[branch] = { sha: repo.head, content, job }
    return job
  }

  #pushJob(branch: Branch, sha: string, before: string | null, content: string, isEdit: boolean): ModelJob {
    const event = pushEvent({ branch, sha, ...(before === null ? {} : { before }) })
    const channel = CHANNEL_OF[branch]
    const job = this.#job('push', `push of ${content} to ${branch}`, event, sha, {}, channel, isEdit)
    this.claims[channel].push({ runId: job.runId, step: this.step, kind: 'push', content })
    return job
  }

  #pullJob(
    pull: Pick<ModelPull, 'number' | 'author' | 'branch' | 'head' | 'merged'>,
    action: PullRequestAction,
  ): ModelJob {
    const event = pullRequestEvent(action, {
      number: pull.number,
      headSha: pull.head,
      headRef: pull.branch,
      baseRef: 'main',
      merged: pull.merged,
      actor: pull.author,
    })
    const sha = action === 'closed' ? this.heads.main.sha : pull.head
    return this.#job('pull', `#${pull.number} ${action}`, event, sha, {}, null)
  }

  #move(operation: 'promote' | 'rollback', channel: StageChannel, inputs: Record<string, string>): ModelJob {
    return this.#dispatch(operation, channel, { operation, ...inputs })
  }

  #dispatch(kind: ModelJob['kind'], channel: StageChannel | null, inputs: Record<string, string>): ModelJob {
    const { sha } = this.heads.main
    const name = Object.values(inputs).join(' ')
    return this.#job(kind, name, dispatchEvent({ ref: 'refs/heads/main', sha }), sha, inputs, channel)
  }

  #job(
    kind: ModelJob['kind'],
    name: string,
    event: WorkflowEvent,
    sha: string,
    inputs: Record<string, string>,
    channel: StageChannel | null,
    isEdit = false,
  ): ModelJob {
    const job = {
      kind,
      name,
      event,
      sha,
      inputs,
      channel,
      isEdit,
      runId: this.#runs++,
      attempts: 0,
      step: this.step,
      ended: null,
    }
    this.jobs.push(job)
    return job
  }

  /** After a roll-back nobody commits the same bytes again: that it would not be published is what is promised. */
  #content(wanted: string): string {
    return this.#rolledBack ? `${wanted}${++this.#fresh}` : wanted
  }
}

function pick<T>(of: readonly T[], which: number): T | undefined {
  return of[which % Math.max(1, of.length)]
}
