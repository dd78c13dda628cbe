/** Plays a history, has one calm run after it, and judges what is there then. */
import { type Act, describeAct, describeHistory, type History } from './history.ts'
import {
  ALONG_THE_WAY,
  checkAtRest,
  judgeCalm,
  judgeGreen,
  judgeRun,
  judgeState,
  judgeStep,
  look,
} from './invariants.ts'
import { type Branch, Model, type ModelJob, repositoryFiles } from './model.ts'
import type { Tally } from './tally.ts'
import { type Ended, World } from './world.ts'

/** Milliseconds of a day and an hour: the schedule comes round. */
const DAY = 25 * 60 * 60 * 1000

/** What was done, line by line, and what is wrong. */
class Broken extends Error {
  constructor(history: History, story: readonly string[], wrong: readonly string[]) {
    const told = [
      ...describeHistory(history).slice(0, 1),
      ...story,
      '',
      ...wrong.map(each => `WRONG: ${each}`),
    ]
    super(told.join('\n'))
    this.name = 'Broken'
  }
}

export async function play(history: History, tally: Tally): Promise<void> {
  tally.histories++
  const world = await World.start(history.setup, repositoryFiles('main', []), tally)
  const story: string[] = []
  try {
    const model = new Model(world)
    world.wire.onLate = path => {
      story.push(`   (late: ${path.slice(0, 80)})`)
      model.lateSince = Math.min(model.lateSince, model.step)
    }
    world.wire.onMeanwhile = meanwhile => {
      if (meanwhile.kind === 'reopen') player.reopen()
      else {
        story.push(`   (by hand: ${meanwhile.device} on ${meanwhile.channel})`)
        model.putByHand(meanwhile.device, meanwhile.channel)
      }
    }
    const player = new Player(model, history, tally, story)
    await player.act()
    await player.calm()
    await player.end()
  } finally {
    await world.stop()
  }
}

class Player {
  readonly #model: Model
  readonly #history: History
  readonly #tally: Tally
  readonly #story: string[]
  /** Jobs that wait in the queue of their group: one each. */
  readonly #waiting = new Map<string, ModelJob>()

  constructor(model: Model, history: History, tally: Tally, story: string[]) {
    this.#model = model
    this.#history = history
    this.#tally = tally
    this.#story = story
  }

  /** While a clean-up runs; the run of it starts when that has ended, as in one group. */
  reopen(): void {
    const job = this.#model.reopenLast()
    if (job === null) return
    this.#story.push(`   (${job.name} meanwhile)`)
    this.#next.push(job)
  }
  readonly #next: ModelJob[] = []

  async act(): Promise<void> {
    const model = this.#model
    const { wire } = model.world
    for (const { acts, order } of this.#history.steps) {
      model.step++
      wire.order(order)
      const isQuiet = !wire.hasLate && acts.length === 1
      const before = await look(model)
      const started: [Act, ModelJob | null][] = []
      for (const act of acts) {
        const job = await model.perform(act.deed)
        this.#tally.count('deeds', act.deed.do)
        // GitHub runs one attempt of a job at a time.
        const isTwice = started.some(([, other]) => other !== null && other === job)
        started.push([act, isTwice || (job !== null && this.#waits(act, job)) ? null : job])
      }
      const jobs = started.filter(([, job]) => job !== null)
      if (jobs.length === 2) this.#tally.pairs++
      const ends = await Promise.all(jobs.map(([{ plan }, job]) => model.world.run(job!, plan)))
      for (const [index, ended] of ends.entries()) {
        const [act, job] = jobs[index]!
        await model.note(job!, ended)
        this.#tell(`${model.step}. ${describeAct(act)}`, job!, ended)
        this.#judge('error', judgeRun(job!, ended))
        if (!isQuiet || wire.hasLate || this.#next.length > 0) continue
        this.#judge('green', await judgeGreen(model, job!, ended))
        this.#judge('state', await judgeState(model, job!, ended))
      }
      // What a person did meanwhile may have come too late for the run.
      const isAlone = isQuiet && !wire.hasLate && this.#next.length === 0
      if (isAlone && ends.length > 0) this.#judge('step', await judgeStep(model, before))
      for (const job of this.#next.splice(0)) {
        const ended = await model.world.run(job)
        await model.note(job, ended)
        this.#tell('   then', job, ended)
        this.#judge('error', judgeRun(job, ended))
        if (!wire.hasLate) this.#judge('state', await judgeState(model, job, ended))
      }
    }
  }

  /** Whether the job has to wait; the one that waited in its group is dropped, whatever the new one does. */
  #waits({ plan, deed }: Act, job: ModelJob): boolean {
    const dropped = this.#waiting.get(job.group)
    if (dropped !== undefined) this.#story.push(`   (dropped: ${dropped.name})`)
    this.#waiting.delete(job.group)
    if (plan.waits && deed.do !== 'rerun') this.#waiting.set(job.group, job)
    return this.#waiting.has(job.group)
  }

  /**
   * What an ordinary day brings: what waits is run, a red promotion or roll-back is run again, the newest job of each
   * branch and of each pull request is run again, and the schedule comes round.
   */
  async calm(): Promise<void> {
    const model = this.#model
    await model.world.wire.flush()
    model.world.wire.order({ kind: 'drawn', seed: 0 })
    model.step++
    for (const job of this.#waiting.values()) {
      model.late.add(job)
      model.startAgain(job)
      await this.#calmly(job)
    }
    const isRed = (job: ModelJob) => job.ended !== null && !job.ended.isGreen
    for (const job of model.jobs.filter(isRed)) {
      const isMove = job.kind === 'promote' || job.kind === 'rollback'
      if (isMove && model.isNewestWord(job)) await this.#calmly(job)
    }
    for (const branch of ['main', 'develop'] as Branch[]) {
      const job = model.headJob(branch)
      if (job !== null) await this.#calmly(job)
    }
    for (const pull of model.pulls)
      if (pull.byHand === null && (model.isWanted(pull) || !this.#history.setup.sweepOnly))
        await this.#calmly(pull.last)
    model.world.capgo.clock.advance(DAY)
    await this.#calmly(model.schedule())
  }

  async #calmly(job: ModelJob): Promise<void> {
    const ended = await this.#model.world.run(job)
    await this.#model.note(job, ended)
    this.#tell('calm:', job, ended)
    this.#judge('calm', judgeCalm(job, ended))
  }

  async end(): Promise<void> {
    const wrong = await checkAtRest(this.#model, this.#tally)
    if (wrong.length > 0) throw new Broken(this.#history, this.#story, wrong)
  }

  #tell(what: string, job: ModelJob, { isGreen, isKilled, outputs }: Ended): void {
    const end = isKilled ? 'killed' : isGreen ? outputs.outcome : `red: ${outputs['error-code']}`
    this.#story.push(
      `${what} (${job.name}, run ${job.runId - 9_000_000_000}.${job.attempts}) -> ${end}: ${outputs.reason ?? ''}`,
    )
  }

  #judge(name: keyof typeof ALONG_THE_WAY, wrong: readonly string[]): void {
    this.#tally.count('invariants', ALONG_THE_WAY[name])
    if (wrong.length === 0) return
    throw new Broken(
      this.#history,
      this.#story,
      wrong.map(each => `${ALONG_THE_WAY[name]}: ${each}`),
    )
  }
}
