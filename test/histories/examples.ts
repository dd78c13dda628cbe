/** Histories that are worth to be played each time: each is about one thing that must not happen. */
import type { Act, Deed, History, Setup } from './history.ts'

const SETUP: Setup = {
  runtime: 'workerd',
  profile: 'base',
  upload: 'whole',
  delta: 'false',
  checkout: 'shallow',
  deployments: false,
  sweepOnly: true,
}
const ONE = 'd0000001-0000-4000-8000-000000000000'
const TWO = 'd0000002-0000-4000-8000-000000000000'

const push = (content: string): Deed => ({ do: 'push', branch: 'main', content })
const open: Deed = { do: 'open', author: 'ada', content: 'A' }
const close: Deed = { do: 'close', which: 0, merged: false }
/** Of the jobs that can be run again, counted from 0. */
const rerun = (which: number): Deed => ({ do: 'rerun', which })

function history(deeds: readonly (Deed | Act)[]): History {
  const undisturbed = { faults: [], kill: null, isProcess: false }
  return {
    setup: SETUP,
    steps: deeds.map(each => ({
      acts: ['deed' in each ? each : { deed: each, plan: undisturbed }],
      order: { kind: 'drawn', seed: 0 },
    })),
  }
}

const killed = (deed: Deed, at: number): Act => ({
  deed,
  plan: { faults: [], kill: { at, when: 'after' }, isProcess: false },
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
    [13, 15, 17].map(at => [
      `a first push is killed at request ${at}, and another one comes`,
      history([killed(push('A'), at), push('B')]),
    ]),
  ),
  'every request of a preview arrives twice': history([
    {
      deed: open,
      plan: {
        faults: Array.from({ length: 40 }, (_, n) => ({ at: n + 1, kind: 'doubled', after: 1 })),
        kill: null,
        isProcess: false,
      },
    },
  ]),
}
