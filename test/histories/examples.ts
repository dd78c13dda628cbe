/** Histories that are worth to be played each time: each is about one thing that must not happen. */
import type { Act, Deed, History, Plan, Setup, Step } from './history.ts'

const SETUP: Setup = {
  runtime: 'workerd',
  profile: 'base',
  upload: 'whole',
  delta: 'false',
  checkout: 'shallow',
  deployments: false,
  byLabel: false,
  sweepOnly: true,
}
const UNDISTURBED: Plan = { faults: [], kill: null, meanwhile: null, isProcess: false, waits: false }
const ONE = 'd0000001-0000-4000-8000-000000000000'
const TWO = 'd0000002-0000-4000-8000-000000000000'

const push = (content: string): Deed => ({ do: 'push', branch: 'main', content })
const open: Deed = { do: 'open', author: 'ada', content: 'A' }
const close: Deed = { do: 'close', which: 0, merged: false }
/** Of the jobs that can be run again, counted from 0. */
const rerun = (which: number): Deed => ({ do: 'rerun', which })

function history(deeds: readonly (Deed | Act | Step)[], setup: Partial<Setup> = {}): History {
  return {
    setup: { ...SETUP, ...setup },
    steps: deeds.map(each =>
      'acts' in each
        ? each
        : {
            acts: ['deed' in each ? each : { deed: each, plan: UNDISTURBED }],
            order: { kind: 'drawn', seed: 0 },
          },
    ),
  }
}

/** Both runs at once: one is held at its nth request until the others have ended. */
function held(line: 0 | 1, at: number, ...deeds: readonly [Deed, ...Deed[]]): Step {
  const [first, ...others] = deeds.map(each => ({ deed: each, plan: UNDISTURBED })) as [Act, ...Act[]]
  return { acts: [first, ...others], order: { kind: 'held', line, at } }
}

const waiting = (deed: Deed): Act => ({ deed, plan: { ...UNDISTURBED, waits: true } })

const killed = (deed: Deed, at: number): Act => ({
  deed,
  plan: { ...UNDISTURBED, kill: { at, when: 'after' } },
})

export const EXAMPLES: Readonly<Record<string, History>> = {
  'an old push is run again': history([push('A'), push('B'), rerun(0)]),
  'what was rolled back is run again': history([
    push('A'),
    push('B'),
    { do: 'rollback', channel: 'production' },
    rerun(1),
  ]),
  'an old change of the testers is run again': history([
    {
      do: 'edit',
      file: [
        { device: ONE, channel: 'beta' },
        { device: TWO, channel: 'beta' },
      ],
    },
    { do: 'edit', file: [{ device: ONE, channel: 'alpha' }] },
    push('B'),
    rerun(0),
  ]),
  'the closing job of a pull request that is open again is run again': history([
    open,
    close,
    { do: 'reopen', which: 0 },
    rerun(1),
  ]),
  ...Object.fromEntries(
    [12, 13, 14, 15].map(at => [
      `a clean-up is killed at request ${at} and left to the schedule`,
      history([open, killed(close, at)]),
    ]),
  ),
  ...Object.fromEntries(
    [9, 11, 13].map(at => [
      `a first preview is killed at request ${at}, and so is its clean-up`,
      history([killed(open, at), killed(close, 4)]),
    ]),
  ),
  ...Object.fromEntries(
    [13, 15, 17].map(at => [
      `a first push is killed at request ${at}, and another one comes`,
      history([killed(push('A'), at), push('B')]),
    ]),
  ),
  'a pull request is reset to its commit before': history([
    open,
    { do: 'update', which: 0, content: 'B' },
    { do: 'drop', which: 0 },
  ]),
  'main is reset to the commit before': history([push('A'), push('B'), { do: 'reset', branch: 'main' }]),
  'the dropped push of main is run again': history([
    push('A'),
    push('B'),
    { do: 'reset', branch: 'main' },
    rerun(1),
  ]),
  'an old push is run again after somebody assigned a newer bundle': history([
    push('A'),
    push('B'),
    push('C'),
    { do: 'assign', channel: 'production', which: 1 },
    rerun(0),
  ]),
  ...Object.fromEntries(
    [4, 8, 12, 16].map(at => [
      `a pull request is opened again before request ${at} of its clean-up`,
      history([open, { deed: close, plan: { ...UNDISTURBED, meanwhile: { kind: 'reopen', at } } }]),
    ]),
  ),
  'the run of an update is dropped for that of a label': history([
    open,
    waiting({ do: 'update', which: 0, content: 'B' }),
    { do: 'label', which: 0, label: 'urgent', isOn: true },
  ]),
  'the label is taken and given again': history(
    [
      open,
      { do: 'label', which: 0, label: 'preview', isOn: false },
      { do: 'label', which: 0, label: 'preview', isOn: true },
    ],
    { byLabel: true },
  ),
  'a preview that somebody gave another bundle is closed': history([
    push('A'),
    open,
    { do: 'repoint', which: 0 },
    close,
  ]),
  'a preview that somebody gave another bundle gets a tester': history([
    push('A'),
    open,
    { do: 'repoint', which: 0 },
    { do: 'edit', file: [{ device: ONE, github: 'ada' }] },
  ]),
  'the push that takes a tester off is dropped for the next one': history([
    { do: 'edit', file: [{ device: ONE, channel: 'beta' }] },
    waiting({ do: 'edit', file: [] }),
    push('B'),
  ]),
  'three pushes of the testers, and the first one is slow': history([
    held(
      0,
      8,
      { do: 'edit', file: [{ device: ONE, channel: 'beta' }] },
      { do: 'edit', file: [{ device: ONE, channel: 'alpha' }] },
      { do: 'edit', file: [] },
    ),
  ]),
  'every request of a preview arrives twice': history([
    {
      deed: open,
      plan: {
        ...UNDISTURBED,
        faults: Array.from({ length: 40 }, (_, n) => ({ at: n + 1, kind: 'doubled', after: 1 })),
      },
    },
  ]),
}
