/*
 * Histories under faults, for as long as one likes.
 *
 *   npm run histories                        20 histories
 *   npm run histories -- --seeds 500         so many
 *   npm run histories -- --hours 2           for so long
 *   npm run histories -- --seed 123          one, and a smaller one when it fails
 *   npm run histories -- --from 1000         counts the seeds from here
 *
 * Exit code 1 when a history failed. Each is printed with the command that plays it again.
 */
import { parseArgs } from 'node:util'
import { trySeed } from './seeds.ts'
import { renderTally, Tally } from './tally.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '20' },
    hours: { type: 'string' },
    seed: { type: 'string' },
    from: { type: 'string', default: '1' },
    shrink: { type: 'string', default: '120' },
  },
})
const tally = new Tally()
const began = performance.now()
const seconds = () => (performance.now() - began) / 1000
const first = Number(values.seed ?? values.from)
const isEnough = (tried: number) => {
  if (values.seed !== undefined) return tried === 1
  return values.hours === undefined ? tried === Number(values.seeds) : seconds() > Number(values.hours) * 3600
}
let failures = 0
for (let tried = 0; !isEnough(tried); tried++) {
  const seed = first + tried
  const failure = await trySeed(seed, tally, Number(values.shrink))
  if (failure !== null) {
    failures++
    console.log(
      `\nSeed ${seed} fails (made smaller ${failure.shrinks} times). Again: npm run histories -- --seed ${seed}\n${failure.story}\n`,
    )
  } else if (tried % 10 === 9) console.log(`${tried + 1} histories, ${Math.round(seconds())} s`)
}
console.log(`\n${renderTally(tally, failures, seconds())}`)
process.exit(failures === 0 ? 0 : 1)
