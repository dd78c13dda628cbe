/**
 * Whatever happens, in whatever order, and wherever a run is killed: after the next whole run Capgo's overrides are
 * what the file and the open pull requests say, and what a person did in the console is as they left it.
 */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { manyTesters } from '../../bench/testers.ts'
import { pushEvent, scheduleEvent } from '../../local/runner/event.ts'
import type { ActionProcess, ActionRun } from '../../local/runner/runner.ts'
import { openPull, type TestPull } from '../scenarios/pull.ts'
import { APP_ID, createWorld, tinyApp, type World } from '../scenarios/scenario.ts'

const INPUTS = { build: 'false', comment: 'false', deployments: 'false' }
const MINUTE = 61_000
const id = (n: number) => `d000000${n}-0000-4000-8000-000000000000`
/** In the file or not. */
const LISTED = [1, 2, 3].map(id)
/** Never in the file: only people put them on channels. */
const STRANGERS = [8, 9].map(id)
const LOGINS = ['ada', 'bob']

type Entry = { device: string; github?: string; channel?: string }
type Command =
  | { do: 'edit'; file: Entry[] }
  | { do: 'open' | 'push'; author: string }
  | { do: 'close'; which: number; merged: boolean }
  | { do: 'hand'; device: string; channel: string }
  | { do: 'schedule' }

const entry = (device: string) =>
  fc.record(
    {
      device: fc.constant(device),
      github: fc.constantFrom(...LOGINS),
      channel: fc.constantFrom('beta', 'alpha'),
    },
    { requiredKeys: ['device'] },
  ) as fc.Arbitrary<Entry>
const file = fc
  .tuple(...LISTED.map(device => fc.option(entry(device), { nil: null })))
  .map(entries => entries.filter(each => each !== null))
const byHand = (devices: string[], ...channels: string[]) =>
  fc.record({
    do: fc.constant('hand' as const),
    device: fc.constantFrom(...devices),
    channel: fc.constantFrom(...channels),
  })
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('edit' as const), file }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('open' as const), author: fc.constantFrom(...LOGINS) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('close' as const), which: fc.nat(2), merged: fc.boolean() }),
  },
  // A person's channel, or one that the file manages.
  { weight: 2, arbitrary: byHand(LISTED, 'support') },
  { weight: 1, arbitrary: byHand(STRANGERS, 'support', 'beta') },
  { weight: 1, arbitrary: fc.constant({ do: 'schedule' as const }) },
)
const step = fc.record({
  command,
  /** The write of the run at which it is killed, and run again; null = it is let live. */
  kill: fc.option(
    fc.record({
      write: fc.integer({ min: 1, max: 8 }),
      at: fc.constantFrom('before' as const, 'after' as const),
    }),
  ),
})

it('overrides are what the file and the open pull requests say', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 7 }), async steps => {
      const model = new Model(await createWorld({ files: built([]), role: 'app_admin' }))
      for (const name of ['beta', 'alpha', 'support'])
        model.world.capgo.seedChannel({ appId: APP_ID, name, public: false })
      for (const { command, kill } of steps) {
        await model.perform(command, kill)
        expect(overridesOf(model.world), JSON.stringify(command)).toEqual(model.expected())
      }
    }),
    // A failing case is worth more than its smallest form: each step takes a run.
    {
      numRuns: Number(process.env.TESTERS_RUNS ?? 8),
      endOnFailure: true,
      seed: Number(process.env.TESTERS_SEED ?? 20261123),
    },
  )
}, 600_000)

it('10,000 testers with 12 changes take 30 requests at most', async () => {
  const [run] = await manyTesters()
  expect(run?.outcome).toBe('{"assigned":6,"released":6,"renewed":0,"failed":0}')
  expect(run?.writes).toBe(12)
  expect(run?.refused).toBe(0)
  expect(run?.requests).toBeLessThanOrEqual(30)
})

class Model {
  readonly world: World
  file: Entry[] = []
  readonly open: { pull: TestPull; author: string }[] = []
  /** Where people put devices. */
  readonly hand = new Map<string, string>()
  #numbers = 11

  constructor(world: World) {
    this.world = world
  }

  expected(): Record<string, string> {
    const overrides = new Map<string, string>()
    const byAuthor = this.file.some(({ github }) => github !== undefined)
    for (const { device, github, channel } of this.file) {
      const wanting = this.open.filter(({ author }) => !byAuthor || author === github)
      const newest = wanting.sort((one, other) => other.pull.number - one.pull.number)[0]
      const to = newest === undefined ? channel : `pr-${newest.pull.number}`
      if (to !== undefined) overrides.set(device, to)
    }
    return Object.fromEntries([...overrides, ...this.hand].sort())
  }

  async perform(command: Command, kill: { write: number; at: 'before' | 'after' } | null): Promise<void> {
    const { world } = this
    const { repo, capgo } = world
    switch (command.do) {
      case 'edit': {
        repo.checkout('main')
        const before = repo.head
        this.file = command.file
        repo.commit({ ...built(this.file), 'nonce.txt': String(Math.random()) })
        const event = pushEvent({ branch: 'main', sha: repo.head, before })
        return this.#run(() => world.run(event, { inputs: INPUTS }), kill)
      }
      case 'open': {
        repo.checkout('main')
        const number = ++this.#numbers
        const pull = await openPull(world, {
          number,
          branch: `feature/${number}`,
          files: { 'www/index.html': `<h1>${number}</h1><script src="app.js"></script>` },
          actor: command.author,
        })
        this.open.push({ pull, author: command.author })
        return this.#run(() => pull.run('opened', {}, { inputs: INPUTS }), kill)
      }
      case 'close': {
        const [closed] = this.open.splice(command.which % Math.max(1, this.open.length), 1)
        if (closed === undefined) return
        // What the runner checks out after a merge, and the file is the same in both.
        repo.checkout('main')
        world.hosted.closePull(closed.pull.number, { merged: command.merged })
        return this.#run(() => closed.pull.run('closed', {}, { inputs: INPUTS }), kill)
      }
      case 'hand': {
        const row = capgo.store.find('channel_devices', { app_id: APP_ID, device_id: command.device })
        if (row !== undefined) capgo.store.remove('channel_devices', row.id)
        capgo.seedOverride({ appId: APP_ID, deviceId: command.device, channel: command.channel })
        this.hand.set(command.device, command.channel)
        return
      }
      case 'schedule': {
        repo.checkout('main')
        const event = scheduleEvent({ sha: repo.head })
        return this.#run(() => world.run(event, { inputs: INPUTS }), kill)
      }
    }
  }

  /** A whole run, or one that is killed at a write and then run again. */
  async #run(
    start: () => Promise<ActionRun>,
    kill: { write: number; at: 'before' | 'after' } | null,
  ): Promise<void> {
    const { capgo } = this.world
    if (kill !== null) {
      capgo.clock.advance(MINUTE)
      let action: ActionProcess | undefined
      let writes = 0
      capgo.faults.add({
        match: { path: /^\/(device|channel|bundle)|channel_devices/ },
        at: kill.at,
        times: Number.POSITIVE_INFINITY,
        do: async ({ method }) => {
          if (method === 'GET' || ++writes !== kill.write) return
          action?.kill('SIGKILL')
          await new Promise(resolve => setTimeout(resolve, 50))
        },
      })
      action = start() as ActionProcess
      await action
      capgo.faults.clear()
    }
    capgo.clock.advance(MINUTE)
    const run = await start()
    expect(run.exitCode, run.visibleLog).toBe(0)
  }
}

/** The app with its web build, and the file. */
function built(testers: Entry[]) {
  return {
    ...tinyApp(),
    '.gitignore': '',
    'www/index.html': '<script src="app.js"></script>',
    'www/app.js': 'CapacitorUpdater.notifyAppReady()',
    'testers.json': JSON.stringify({ testers }, null, 2),
  }
}

function overridesOf({ capgo }: World): Record<string, string> {
  const names = new Map(capgo.store.list('channels', { app_id: APP_ID }).map(({ id, name }) => [id, name]))
  const rows = capgo.store.list('channel_devices', { app_id: APP_ID })
  return Object.fromEntries(rows.map(row => [row.device_id, names.get(row.channel_id) ?? '?']).sort())
}
