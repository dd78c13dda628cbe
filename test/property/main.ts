/*
 * Web folders, publishes and deletions, for as long as one likes.
 *
 *   npm run installs                     20 histories
 *   npm run installs -- --seeds 500      so many
 *   npm run installs -- --from 1000      counts the seeds from here
 *   npm run installs -- --seed 7         one, and the smallest that fails in the same way
 *
 * Exit code 1 when a history failed.
 */
import { inspect, parseArgs } from 'node:util'
import fc from 'fast-check'
import { histories, newTally, play } from './installs.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '20' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
  },
})
const first = Number(values.seed ?? values.from)
const count = values.seed === undefined ? Number(values.seeds) : 1
const tally = newTally()
let failures = 0
for (let seed = first; seed < first + count; seed++) {
  const property = fc.asyncProperty(fc.noBias(histories), history => play(history, tally))
  const found = await fc.check(property, { seed, numRuns: 1, endOnFailure: values.seed === undefined })
  if ((seed - first) % 5 === 4) console.log(`${seed - first + 1} histories`)
  if (!found.failed) continue
  failures++
  console.log(`Seed ${seed}: ${inspect((found.errorInstance as Error).message)}`)
  if (values.seed !== undefined)
    console.log(inspect(found.counterexample, { depth: null, maxStringLength: 80 }))
}
console.log(`${count} histories, ${failures} failed. ${JSON.stringify(tally)}`)
process.exit(failures === 0 ? 0 : 1)
