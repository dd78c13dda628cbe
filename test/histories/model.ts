/** What a team did, and what must be true because of it. */
import { buffer } from 'node:stream/consumers'
import { unzip } from '../../local/device-files.ts'
import type { Files } from '../../local/repository.ts'
import {
  dispatchEvent,
  type PullRequestAction,
  pullRequestEvent,
  pushEvent,
  scheduleEvent,
  type WorkflowEvent,
} from '../../local/runner/event.ts'
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
  readonly kind: 'push' | 'move' | 'person'
  /** Undefined: a promotion or roll-back that never ended green, so anything of it may be true. */
  content: Content | undefined
  /** Contents that somebody put there since by starting an older run again. */
  readonly again: Content[]
  /** What a roll-back takes off. */
  readonly off: Content | undefined
}

/** A commit of a branch. */
interface Made {
  readonly sha: string
  readonly content: string
}

export interface ModelPull {
  readonly number: number
  readonly author: string
  readonly branch: string
  /** Oldest first; what was dropped is not in it. */
  readonly commits: Made[]
  readonly labels: Set<string>
  open: boolean
  merged: boolean
  /** What somebody put on its channel in the console; `maybe`: a run went on since that may have replaced it. */
  byHand: { readonly content: string; maybe: boolean } | null
  last: PullJob
}

/** A job, and what the model knows of it. */
export interface ModelJob extends Job {
  readonly kind: 'push' | 'pull' | 'promote' | 'rollback' | 'schedule' | 'housekeep'
  readonly step: number
  readonly channel: StageChannel | null
  /** A push that changed the testers file. */
  readonly isEdit: boolean
  /** Jobs of a group run one after another: of those that wait GitHub keeps the newest. */
  readonly group: string
  readonly pull: number | null
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

interface BranchCommit extends Made {
  readonly file: readonly Entry[]
  job: ModelJob | null
}

export class Model {
  readonly world: World
  readonly jobs: ModelJob[] = []
  readonly pulls: ModelPull[] = []
  readonly claims: Record<StageChannel, Claim[]> = { production: [], development: [] }
  /** Oldest first; what was dropped is not in it. */
  readonly branches: Record<Branch, BranchCommit[]>
  #lastClosed: ModelPull | null = null
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
    repo.branch('develop')
    // Neither branch is older than the other.
    repo.commit(builtFiles('develop'))
    const first = { file: [], job: null }
    const develop = { ...first, sha: repo.head, content: 'develop' }
    repo.checkout('main')
    repo.commit({ 'README.md': 'On main.\n' })
    this.branches = {
      main: [{ ...first, sha: repo.head, content: 'main' }],
      develop: [develop],
    }
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
        return this.#push(
          'main',
          this.#rolledBack ? this.#content('E') : this.head('main').content,
          deed.file,
        )
      case 'open': {
        const number = 11 + this.pulls.length
        const branch = `feature/${number}`
        world.repo.branch(branch, 'main')
        const content = `${deed.content} of #${number}`
        world.repo.commit(builtFiles(content))
        const { author } = deed
        const labels = ['preview']
        await world.hosted.addPull({ number, head: { ref: branch }, base: { ref: 'main' }, author, labels })
        world.hosted.addComment(number, { body: FOREIGN.comment, author: 'mallory' })
        const commits = [{ sha: world.repo.head, content }]
        const state = { open: true, merged: false, byHand: null, labels: new Set(labels) }
        const pull = { number, author, branch, commits, ...state }
        const complete = Object.assign(pull, { last: this.#pullJob(pull, 'opened') })
        this.pulls.push(complete)
        return complete.last
      }
      case 'update': {
        const pull = this.#pickOpen(deed.which)
        if (pull === undefined) return null
        world.repo.checkout(pull.branch)
        const content = `${deed.content} of #${pull.number}`
        world.repo.commit(builtFiles(content))
        pull.commits.push({ sha: world.repo.head, content })
        return this.#moved(pull)
      }
      case 'drop': {
        const pull = this.#pickOpen(deed.which)
        if (pull === undefined || pull.commits.length < 2) return null
        pull.commits.pop()
        world.repo.git(['checkout', '--quiet', '-B', pull.branch, headOf(pull).sha])
        return this.#moved(pull)
      }
      case 'reset':
        return this.#reset(deed.branch)
      case 'label': {
        const pull = this.#pickOpen(deed.which)
        if (pull === undefined || pull.labels.has(deed.label) === deed.isOn) return null
        if (deed.isOn) pull.labels.add(deed.label)
        else pull.labels.delete(deed.label)
        world.hosted.pull(pull.number).issue.labels = [...pull.labels]
        pull.last = this.#pullJob(pull, deed.isOn ? 'labeled' : 'unlabeled', deed.label)
        return pull.last
      }
      case 'close': {
        const pull = this.#pickOpen(deed.which)
        if (pull === undefined) return null
        this.#lastClosed = pull
        pull.open = false
        pull.merged = deed.merged
        world.hosted.closePull(pull.number, { merged: deed.merged })
        pull.last = this.#pullJob(pull, 'closed')
        return pull.last
      }
      case 'reopen': {
        const closed = this.pulls.filter(({ open, merged }) => !open && !merged)
        const pull =
          deed.which === 'last' ? closed.find(each => each === this.#lastClosed) : pick(closed, deed.which)
        return pull === undefined ? null : this.#reopen(pull)
      }
      case 'promote':
        return this.#move('promote', 'production', { from: 'development', to: 'production' })
      case 'rollback': {
        this.#rolledBack = true
        const job = this.#move('rollback', deed.channel, { channel: deed.channel })
        this.#off.set(job.runId, (await this.served(deed.channel)) ?? null)
        return job
      }
      case 'schedule':
        return this.schedule()
      case 'housekeep':
        return this.#dispatch('housekeep', null, { operation: 'cleanup', keep: String(deed.keep) })
      case 'rerun': {
        const job = pick(
          this.jobs.filter(({ kind, ended }) => ended !== null && (kind === 'push' || kind === 'pull')),
          deed.which,
        )
        if (job !== undefined) this.startAgain(job)
        return job ?? null
      }
      case 'assign': {
        const bundle = pick(await this.#branchBundles(), deed.which)
        const channel = this.#row(deed.channel)
        if (bundle === undefined || channel === undefined) return null
        world.capgo.store.update('channels', channel, { version: bundle.id })
        this.#claim(deed.channel, this.#runs++, 'person', bundle.content)
        return null
      }
      case 'repoint': {
        const pull = this.#pickOpen(deed.which)
        const channel = pull && this.#row(`pr-${pull.number}`)
        const bundle = pick(await this.#branchBundles(), deed.which)
        if (pull === undefined || channel === undefined || bundle === undefined) return null
        world.capgo.store.update('channels', channel, { version: bundle.id })
        pull.byHand = { content: bundle.content, maybe: false }
        return null
      }
      case 'hand':
        this.putByHand(deed.device, deed.channel)
        return null
    }
  }

  /** The pull request that was closed last; null where it was merged, or is open already. */
  reopenLast(): ModelJob | null {
    const pull = this.#lastClosed
    return pull === null || pull.open || pull.merged ? null : this.#reopen(pull)
  }

  /** Whether the channel serves what no run put there. */
  #isForeign(name: string): boolean {
    const { store } = this.world.capgo
    const channel = store.find('channels', { app_id: APP_ID, name })
    if (channel === undefined) return false
    const bundle = store.find('app_versions', { id: channel.version ?? 0 })
    return !`\n${bundle?.comment}`.includes(`\n${name}: `)
  }

  #reopen(pull: ModelPull): ModelJob {
    pull.open = true
    // Its clean-up may have left the channel.
    if (!this.#isForeign(`pr-${pull.number}`)) pull.byHand = null
    this.world.hosted.reopenPull(pull.number)
    pull.last = this.#pullJob(pull, 'reopened')
    return pull.last
  }

  putByHand(device: string, channel: string): void {
    const { capgo } = this.world
    const row = capgo.store.find('channel_devices', { app_id: APP_ID, device_id: device })
    if (row !== undefined) capgo.store.remove('channel_devices', row.id)
    capgo.seedOverride({ appId: APP_ID, deviceId: device, channel })
    this.hand.set(device, channel)
  }

  head(branch: Branch): BranchCommit {
    return this.branches[branch].at(-1)!
  }

  /** Of main. */
  get file(): readonly Entry[] {
    return this.head('main').file
  }

  /**
   * The job of a branch's newest commit; made where its push was never seen. Null where somebody said a newer word on
   * its channel: whoever starts the job again then takes that word back.
   */
  headJob(branch: Branch): ModelJob | null {
    const newest = this.#newest(CHANNEL_OF[branch])
    // A promotion or roll-back that never succeeded said nothing.
    if (newest !== undefined && newest.kind !== 'push' && newest.content !== undefined) return null
    const head = this.head(branch)
    head.job ??= this.#pushJob(branch, head, null, true)
    return head.job
  }

  /** Whether a pull request is to have a preview. */
  isWanted({ open, labels }: ModelPull): boolean {
    return open && (!this.world.isByLabel || labels.has('preview'))
  }

  /** What the channel of a pull request may serve; undefined = no channel. */
  wantedOf(pull: ModelPull): readonly (Content | undefined)[] {
    const due = this.isWanted(pull) ? headOf(pull).content : undefined
    if (pull.byHand === null) return [due]
    return pull.byHand.maybe ? [pull.byHand.content, due] : [pull.byHand.content]
  }

  schedule(): ModelJob {
    const { sha } = this.head('main')
    return this.#job('schedule', 'schedule', scheduleEvent({ sha }), sha, {})
  }

  /** After an attempt of a job: what it claims for its channel. */
  async note(job: ModelJob, ended: Ended): Promise<void> {
    job.ended = ended
    const pull = this.pulls.find(({ number }) => number === job.pull)
    if (pull?.byHand && pull.open) pull.byHand.maybe = true
    if (job.channel === null || (job.kind !== 'promote' && job.kind !== 'rollback')) return
    const id = Number(ended.outputs['bundle-id'])
    const content = ended.isGreen && id > 0 ? await this.contentOf(id) : undefined
    const claims = this.claims[job.channel]
    // One that waited in its queue moves what is served when it runs, and not when it was asked for.
    const word = this.late.has(job) ? Number.MAX_SAFE_INTEGER : job.runId
    const old = claims.find(({ runId }) => runId === word)
    if (old === undefined) this.#claim(job.channel, word, 'move', content, job.step)
    else old.content = content ?? old.content
  }

  /** Jobs that began long after others that were asked for later. */
  readonly late = new Set<ModelJob>()

  readonly #off = new Map<number, Content>()

  #claim(
    channel: StageChannel,
    runId: number,
    kind: Claim['kind'],
    content: Content | undefined,
    step = this.step,
  ): void {
    this.claims[channel].push({ runId, step, kind, content, again: [], off: this.#off.get(runId) })
  }

  #newest(channel: StageChannel): Claim | undefined {
    return this.claims[channel].toSorted((one, other) => other.runId - one.runId)[0]
  }

  /**
   * An older push is run again after a newer word that was none: it counts where its commit is the head, and not where
   * what is served was built from a later one of its branch, or was rolled back.
   */
  startAgain({ kind, channel, sha }: ModelJob): void {
    if (channel === null || kind !== 'push') return
    const newest = this.#newest(channel)
    if (newest === undefined || newest.kind === 'push') return
    const commits = this.branches[channel === 'production' ? 'main' : 'develop']
    const at = commits.findIndex(each => each.sha === sha)
    const own = commits[at]
    if (own === undefined || own.content === newest.off) return
    const isLater = commits.slice(at + 1).some(({ content }) => content === newest.content)
    if (at === commits.length - 1 || !isLater) newest.again.push(own.content)
  }

  /** Whether nobody said a newer word on the job's channel. */
  isNewestWord(job: ModelJob): boolean {
    return job.channel !== null && this.claims[job.channel].every(({ runId }) => runId <= job.runId)
  }

  /** What a channel may serve; null = anything that anybody ever put there. */
  allowed(channel: StageChannel): readonly Content[] | null {
    const claims = this.claims[channel]
    const newest = this.#newest(channel)
    if (newest === undefined) return [null]
    if (newest.kind === 'push') return [newest.content!]
    const since = Math.min(newest.step, this.lateSince)
    const rivals = claims.filter(({ step }) => step >= since)
    const words = [newest, ...rivals]
    return words.some(({ content }) => content === undefined)
      ? null
      : [...new Set(words.flatMap(({ content, again }) => [content!, ...again]))]
  }

  /** By device: the channel. */
  expectedOverrides(): Record<string, string> {
    const overrides = new Map<string, string>()
    const open = this.pulls.filter(pull => this.isWanted(pull))
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
    repo.commit(
      file === null ? changed : { ...changed, 'testers.json': JSON.stringify({ testers: file }, null, 2) },
    )
    const commit = { sha: repo.head, content, file: file ?? this.head(branch).file, job: null }
    this.branches[branch].push(commit)
    return this.#pushed(branch, before, file !== null)
  }

  /** Back to the commit before; not after a roll-back: what that took off would come back. */
  #reset(branch: Branch): ModelJob | null {
    const commits = this.branches[branch]
    if (this.#rolledBack || commits.length < 2) return null
    const dropped = commits.pop()!
    this.world.repo.git(['checkout', '--quiet', '-B', branch, this.head(branch).sha])
    return this.#pushed(branch, dropped.sha, dropped.file !== this.head(branch).file)
  }

  #pushed(branch: Branch, before: string, isEdit: boolean): ModelJob {
    const head = this.head(branch)
    head.job = this.#pushJob(branch, head, before, isEdit)
    return head.job
  }

  #pushJob(branch: Branch, { sha, content }: Made, before: string | null, isEdit: boolean): ModelJob {
    const event = pushEvent({ branch, sha, ...(before === null ? {} : { before }) })
    const channel = CHANNEL_OF[branch]
    const job = this.#job(
      'push',
      `push of ${content} to ${branch}`,
      event,
      sha,
      {},
      { channel, isEdit, group: branch },
    )
    this.#claim(channel, job.runId, 'push', content)
    return job
  }

  /** After another commit is the head of its branch. */
  #moved(pull: ModelPull): ModelJob {
    this.world.hosted.pull(pull.number).pull.head.sha = headOf(pull).sha
    pull.byHand = null
    pull.last = this.#pullJob(pull, 'synchronize')
    return pull.last
  }

  #pickOpen(which: number): ModelPull | undefined {
    return pick(
      this.pulls.filter(({ open }) => open),
      which,
    )
  }

  #row(name: string) {
    return this.world.capgo.store.find('channels', { app_id: APP_ID, name })
  }

  /** Those that a phone can install, without previews. */
  async #branchBundles(): Promise<{ id: number; content: string }[]> {
    const bundles = this.world.capgo.store.list('app_versions', { app_id: APP_ID, deleted: false })
    const own = bundles.filter(
      ({ name, storage_provider }) =>
        storage_provider !== 'r2-direct' &&
        !name.includes('-pr.') &&
        !FOREIGN.bundles.includes(name as never),
    )
    const contents = await Promise.all(own.map(async ({ id }) => ({ id, content: await this.contentOf(id) })))
    return contents.filter((each): each is { id: number; content: string } => each.content !== null)
  }

  #pullJob(pull: Omit<ModelPull, 'last'>, action: PullRequestAction, label?: string): ModelJob {
    const { number, branch, author, merged } = pull
    const { sha: headSha } = headOf(pull)
    const event = pullRequestEvent(action, {
      number,
      headSha,
      headRef: branch,
      baseRef: 'main',
      merged,
      actor: author,
      labels: [...pull.labels],
      ...(label === undefined ? {} : { label }),
    })
    const sha = action === 'closed' ? this.head('main').sha : headSha
    const title = `#${number} ${action}${label === undefined ? '' : ` ${label}`}`
    return this.#job('pull', title, event, sha, {}, { group: `#${number}`, pull: number })
  }

  #move(operation: 'promote' | 'rollback', channel: StageChannel, inputs: Record<string, string>): ModelJob {
    return this.#dispatch(operation, channel, { operation, ...inputs })
  }

  #dispatch(kind: ModelJob['kind'], channel: StageChannel | null, inputs: Record<string, string>): ModelJob {
    const { sha } = this.head('main')
    const name = Object.values(inputs).join(' ')
    const event = dispatchEvent({ ref: 'refs/heads/main', sha })
    return this.#job(kind, name, event, sha, inputs, { channel })
  }

  #job(
    kind: ModelJob['kind'],
    name: string,
    event: WorkflowEvent,
    sha: string,
    inputs: Record<string, string>,
    more: Partial<Pick<ModelJob, 'channel' | 'isEdit' | 'group' | 'pull'>> = {},
  ): ModelJob {
    const job = {
      kind,
      name,
      event,
      sha,
      inputs,
      channel: null,
      isEdit: false,
      group: kind,
      pull: null,
      ...more,
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

const headOf = ({ commits }: Pick<ModelPull, 'commits'>) => commits.at(-1)!

function pick<T>(of: readonly T[], which: number): T | undefined {
  return of[which % Math.max(1, of.length)]
}
