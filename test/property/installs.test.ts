/** Some histories of publishes and deletions; `npm run installs` plays more of them. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type Change, type History, histories, newTally, play } from './installs.ts'

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8]
const tally = newTally()

it.each(SEEDS)('every device installs what the runs said: seed %i', async seed => {
  const [history] = fc.sample(histories, { seed, numRuns: 1 })
  await play(history!, tally)
})

const file = (kind: Change['kind'], name: string, which = 0): Change => ({
  kind,
  which,
  name,
  content: { size: 5, isText: true },
})

it('thousands of files, of which the old bundle has some under other names', async () => {
  const add = Array.from({ length: 2100 }, (_, n) => file('add', `icons/icon ${n}.svg`))
  const publish = { do: 'publish', channel: 'production', delta: 'true', meanwhile: null } as const
  const history: History = {
    profile: 'new',
    isEncrypted: false,
    steps: [
      { ...publish, changes: add },
      { ...publish, changes: [file('rename', 'icons/icon_0.svg'), file('edit', '', 7)] },
    ],
  }
  await play(history, tally)
})

it('deletions, refusals and installs did happen', () => {
  console.log(JSON.stringify(tally))
  expect(Math.min(...Object.values(tally))).toBeGreaterThan(0)
})
