/** Histories: what a team does, and what goes wrong meanwhile. */
import fc from 'fast-check'
import { type Disturbance, FAULTS, type FaultKind, type LinePlan, type Order } from './wire.ts'

const AUTHORS = ['ada', 'bob'] as const
/** Devices that the file may list. */
const LISTED = [1, 2, 3].map(deviceId)
/** Devices that are never in the file: only people put them on channels. */
const STRANGERS = [8, 9].map(deviceId)

function deviceId(n: number): string {
  return `d000000${n}-0000-4000-8000-000000000000`
}

export interface Entry {
  readonly device: string
  readonly github?: string
  readonly channel?: string
}

/** What somebody does. `which` counts what is there, round and round. */
export type Deed =
  | { readonly do: 'push'; readonly branch: 'main' | 'develop'; readonly content: string }
  | { readonly do: 'edit'; readonly file: readonly Entry[] }
  | { readonly do: 'open'; readonly author: string; readonly content: string }
  | { readonly do: 'update'; readonly which: number; readonly content: string }
  | { readonly do: 'close'; readonly which: number; readonly merged: boolean }
  /** `last`: the one that was closed last, whose clean-up may still be running. */
  | { readonly do: 'reopen'; readonly which: number | 'last' }
  /** Force-push of a pull request's branch, or of a mapped one, back to the commit before. */
  | { readonly do: 'drop'; readonly which: number }
  | { readonly do: 'reset'; readonly branch: 'main' | 'develop' }
  | {
      readonly do: 'label'
      readonly which: number
      readonly label: 'preview' | 'urgent'
      readonly isOn: boolean
    }
  | { readonly do: 'promote' }
  | { readonly do: 'rollback'; readonly channel: 'production' | 'development' }
  | { readonly do: 'schedule' }
  | { readonly do: 'housekeep'; readonly keep: number }
  | { readonly do: 'rerun'; readonly which: number }
  | { readonly do: 'hand'; readonly device: string; readonly channel: string }
  /** In the console, a channel gets another bundle: that of a branch, or an open pull request's. */
  | { readonly do: 'assign'; readonly channel: 'production' | 'development'; readonly which: number }
  | { readonly do: 'repoint'; readonly which: number }

export interface Plan extends LinePlan {
  /** The run waits in its queue: GitHub drops it for the next one of the same group, else it runs in the end. */
  readonly waits: boolean
  /** The built action as a process that is killed by SIGKILL. */
  readonly isProcess: boolean
}

export interface Act {
  readonly deed: Deed
  readonly plan: Plan
}

/** One act, or more whose runs go on at once. */
export interface Step {
  readonly acts: readonly [Act, ...Act[]]
  readonly order: Order
}

export interface Setup {
  readonly runtime: 'workerd' | 'edge'
  readonly profile: 'base' | 'new'
  readonly upload: 'whole' | 'chunks' | 'presigned'
  readonly delta: 'auto' | 'false'
  readonly checkout: 'full' | 'shallow'
  readonly deployments: boolean
  /** Only pull requests with the label "preview" get one. */
  readonly byLabel: boolean
  /** Closed pull requests are left to the schedule in the end. */
  readonly sweepOnly: boolean
}

export interface History {
  readonly setup: Setup
  readonly steps: readonly Step[]
}

const content = fc.constantFrom('A', 'B', 'C', 'D')
const entry = (device: string) =>
  fc.record(
    {
      device: fc.constant(device),
      github: fc.constantFrom(...AUTHORS),
      channel: fc.constantFrom('beta', 'alpha'),
    },
    { requiredKeys: ['device'] },
  ) as fc.Arbitrary<Entry>
const file = fc
  .tuple(...LISTED.map(device => fc.option(entry(device), { nil: null, freq: 3 })))
  .map(entries => entries.filter(each => each !== null))
const which = fc.nat(7)
const deed = <T extends Deed['do'], R>(name: T, more: { [K in keyof R]: fc.Arbitrary<R[K]> }) =>
  fc.record({ do: fc.constant(name), ...more } as never) as unknown as fc.Arbitrary<Deed>
const branch = fc.constantFrom('main', 'develop')

const deeds: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 6, arbitrary: deed('push', { branch, content }) },
  { weight: 3, arbitrary: deed('edit', { file }) },
  { weight: 4, arbitrary: deed('open', { author: fc.constantFrom(...AUTHORS), content }) },
  { weight: 3, arbitrary: deed('update', { which, content }) },
  { weight: 4, arbitrary: deed('close', { which, merged: fc.boolean() }) },
  { weight: 2, arbitrary: deed('reopen', { which }) },
  { weight: 2, arbitrary: deed('drop', { which }) },
  { weight: 2, arbitrary: deed('reset', { branch }) },
  {
    weight: 2,
    arbitrary: deed('label', { which, label: fc.constantFrom('preview', 'urgent'), isOn: fc.boolean() }),
  },
  {
    weight: 1,
    arbitrary: deed('assign', { channel: fc.constantFrom('production', 'development'), which }),
  },
  { weight: 1, arbitrary: deed('repoint', { which }) },
  { weight: 2, arbitrary: deed('promote', {}) },
  { weight: 2, arbitrary: deed('rollback', { channel: fc.constantFrom('production', 'development') }) },
  { weight: 2, arbitrary: deed('schedule', {}) },
  { weight: 1, arbitrary: deed('housekeep', { keep: fc.nat(2) }) },
  { weight: 4, arbitrary: deed('rerun', { which }) },
  {
    weight: 1,
    arbitrary: deed('hand', { device: fc.constantFrom(...LISTED), channel: fc.constant('support') }),
  },
  {
    weight: 1,
    arbitrary: deed('hand', {
      device: fc.constantFrom(...STRANGERS),
      channel: fc.constantFrom('support', 'beta'),
    }),
  },
)

/** A run has some 10 to 40 requests. */
const at = fc.integer({ min: 1, max: 32 })
const disturbance: fc.Arbitrary<Disturbance> = fc.record({
  at,
  kind: fc.constantFrom(...(Object.keys(FAULTS) as FaultKind[])),
  after: fc.integer({ min: 1, max: 60 }),
})
const kill = fc.record({ at, when: fc.constantFrom('before', 'half', 'after') })
const plan: fc.Arbitrary<Plan> = fc
  .record({
    faults: fc.oneof(
      { weight: 2, arbitrary: fc.constant([]) },
      { weight: 3, arbitrary: fc.array(disturbance, { minLength: 1, maxLength: 4 }) },
    ),
    kill: fc.oneof({ weight: 2, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: kill }),
    isProcess: fc.nat(9).map(n => n === 0),
    waits: fc.nat(7).map(n => n === 0),
  })
  // A process waits as in production: it is only killed.
  .map(({ faults, kill, isProcess, waits }) => ({
    faults: isProcess && kill !== null ? [] : faults,
    kill,
    isProcess: isProcess && kill !== null,
    meanwhile: null,
    waits,
  })) as fc.Arbitrary<Plan>
const act = fc.record({ deed: deeds, plan })
const actOf = (deed: fc.Arbitrary<Deed>) => fc.record({ deed, plan })
/** While the clean-up runs, somebody puts a device elsewhere, or opens the pull request again. */
const meanwhile = fc.oneof(
  fc.record({
    kind: fc.constant('hand' as const),
    look: fc.integer({ min: 1, max: 4 }),
    device: fc.constantFrom(...LISTED),
    channel: fc.constant('support'),
  }),
  fc.record({ kind: fc.constant('reopen' as const), at: fc.integer({ min: 2, max: 20 }) }),
)
const closing = fc
  .tuple(which, fc.boolean(), plan, fc.option(meanwhile, { nil: null }))
  .map(([which, merged, plan, meanwhile]): Act => {
    return { deed: { do: 'close', which, merged }, plan: { ...plan, meanwhile, waits: false } }
  })
const edit = actOf(deed('edit', { file }))
const HELD_FIRST: Order = { kind: 'held', line: 0, at: 6 }
const order: fc.Arbitrary<Order> = fc.oneof(
  fc.record({ kind: fc.constant('drawn' as const), seed: fc.nat(1_000_000) }),
  fc.record({
    kind: fc.constant('held' as const),
    line: fc.constantFrom(0 as const, 1 as const),
    at,
  }),
)
const together: fc.Arbitrary<Step> = fc.record({
  acts: fc.oneof(
    { weight: 6, arbitrary: fc.tuple(act) },
    { weight: 4, arbitrary: fc.tuple(act, act) },
    { weight: 1, arbitrary: fc.tuple(closing) },
    // Opened again while the clean-up runs.
    {
      weight: 1,
      arbitrary: fc.tuple(closing, actOf(deed('reopen', { which: fc.constant('last' as const) }))),
    },
  ) as fc.Arbitrary<Step['acts']>,
  order,
})
/** Three pushes of the testers, and the first one's run is slow. */
const edits = fc
  .tuple(edit, edit, edit, fc.integer({ min: 4, max: 20 }))
  .map(([one, two, three, at]): Step => ({ acts: [one, two, three], order: { ...HELD_FIRST, at } }))
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 14, arbitrary: together },
  { weight: 1, arbitrary: edits },
)

export const histories: fc.Arbitrary<History> = fc.record({
  setup: fc.record({
    runtime: fc.constantFrom('workerd', 'edge'),
    profile: fc.constantFrom('base', 'new'),
    upload: fc.constantFrom('whole', 'chunks', 'presigned'),
    delta: fc.constantFrom('auto', 'false'),
    checkout: fc.constantFrom('full', 'shallow'),
    deployments: fc.boolean(),
    byLabel: fc.nat(2).map(n => n === 0),
    sweepOnly: fc.boolean(),
  }),
  steps: fc.array(step, { minLength: 3, maxLength: 8, size: 'max' }),
}) as fc.Arbitrary<History>

/** A history as lines that a person reads. */
export function describeHistory({ setup, steps }: History): string[] {
  const { runtime, profile, upload, delta, checkout, deployments, byLabel, sweepOnly } = setup
  return [
    `a ${runtime} server of profile ${profile}; uploads ${upload}; delta ${delta}; ${checkout} checkouts; ${deployments ? 'with' : 'no'} deployments${byLabel ? '; previews by label' : ''}${sweepOnly ? '; closed pull requests are left to the schedule' : ''}`,
    ...steps.map(({ acts, order }, index) => {
      const said = acts.map(describeAct).join('  ||  ')
      if (acts.length === 1) return `${index + 1}. ${said}`
      const how =
        order.kind === 'drawn'
          ? `order ${order.seed}`
          : `the ${order.line === 0 ? 'first' : 'second'} is held at request ${order.at} until the others have ended`
      return `${index + 1}. at once (${how}): ${said}`
    }),
  ]
}

export function describeAct({ deed, plan }: Act): string {
  const { do: name, ...more } = deed
  const what = `${name} ${JSON.stringify(more)}`
  const wrong = [
    ...plan.faults.map(
      ({ at, kind, after }) => `request ${at} ${kind}${/echoed|late/.test(kind) ? ` by ${after}` : ''}`,
    ),
    ...(plan.kill === null
      ? []
      : [`${plan.isProcess ? 'a process ' : ''}killed ${plan.kill.when} request ${plan.kill.at}`]),
  ]
  if (plan.waits) wrong.push('its run waits')
  if (plan.meanwhile?.kind === 'hand')
    wrong.push(
      `${plan.meanwhile.device} is put on ${plan.meanwhile.channel} before look ${plan.meanwhile.look}`,
    )
  if (plan.meanwhile?.kind === 'reopen') wrong.push(`opened again before request ${plan.meanwhile.at}`)
  return wrong.length === 0 ? what : `${what} [${wrong.join(', ')}]`
}
