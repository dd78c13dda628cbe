/** Some histories of publishes and deletions; `npm run installs` plays more of them. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type Change, type History, histories, newTally, play, type Step } from './installs.ts'

const SEEDS = [2, 3, 5, 6]
const tally = newTally()

const change = (kind: Change['kind'], name = '', which = 0): Change => ({
  kind,
  which,
  name,
  content: { size: 5, isText: true },
})
const publish = (more: Partial<Extract<Step, { do: 'publish' }>> = {}): Step => ({
  do: 'publish',
  changes: [],
  channel: 'production',
  delta: 'true',
  meanwhile: null,
  ...more,
})
const history = (steps: readonly Step[], more: Partial<History> = {}): History => ({
  profile: 'new',
  isEncrypted: false,
  steps,
  ...more,
})
/** `my photo.txt` becomes `my_photo.txt`. */
const renamed = change('alias')
/** The channel whose files are taken is closed before the list of files is there. */
const closed = { moment: 1, at: 'before', closes: true } as const

it.each<[string, History]>([
  [
    'a file is renamed to what a key may show of its name',
    history([publish(), publish({ changes: [renamed] })]),
  ],
  ...(['new', 'base'] as const).map((profile): [string, History] => [
    `the bundle whose files are taken goes, on a server with the profile ${profile}`,
    history([publish({ channel: 'beta' }), publish({ changes: [change('edit')], meanwhile: closed })], {
      profile,
    }),
  ]),
  [
    'a folder has names that a device cannot tell apart',
    history([publish(), publish({ changes: [change('add', 'a.txt'), change('add', 'A.txt')] })]),
  ],
])('%s: every device installs what the runs said', (_what, steps) => play(steps, tally))

it.each(SEEDS)('every device installs what the runs said: seed %i', async seed => {
  const property = fc.asyncProperty(fc.noBias(histories), drawn => play(drawn, tally))
  await fc.assert(property, { seed, numRuns: 1, endOnFailure: true })
})

it('thousands of files, and one that is renamed', async () => {
  const steps = [publish({ changes: [change('many', 'icons', 1100)] }), publish({ changes: [renamed] })]
  await play(history(steps, { isLarge: true }), tally)
})

it('deletions, refusals and installs did happen', () => {
  console.log(JSON.stringify(tally))
  expect(Math.min(...Object.values(tally))).toBeGreaterThan(0)
})
