import { expect, it } from 'vitest'
import { RATE_LIMIT_PAUSE, runInBulk } from '../../../src/capgo/bulk.ts'
import { ActionError } from '../../../src/errors.ts'

const RATE = { concurrency: 1, interval: 1, intervalCap: 100 }

async function bulk(items: readonly number[], run: (item: number) => string, batchSize = 2) {
  const log: string[] = []
  const results = await runInBulk(items, {
    rate: RATE,
    perWindow: 4,
    batchSize,
    select: async batch => {
      log.push(`look at ${batch.join(' ')}`)
      return batch.filter(item => item !== 2)
    },
    sleep: async ms => void log.push(`sleep ${ms}`),
    run: async item => {
      log.push(`run ${item}`)
      return run(item)
    },
    onDone: tried => log.push(`tried ${tried}`),
  })
  return { log, results }
}

it('looks at each batch before it is tried, and pauses after each window', async () => {
  const { log, results } = await bulk([1, 2, 3, 4, 5], item => `done ${item}`)
  expect(log).toEqual([
    'look at 1 2',
    'run 1',
    'tried 1',
    'look at 3 4',
    'run 3',
    'tried 2',
    'run 4',
    'tried 3',
    `sleep ${RATE_LIMIT_PAUSE}`,
    'look at 5',
    'run 5',
    'tried 4',
  ])
  expect([...results.keys()]).toEqual([1, 3, 4, 5])
  expect(results.get(5)).toBe('done 5')
})

it('goes on after an error of one item', async () => {
  const error = new ActionError('channel_unknown', 'no such channel')
  const { log, results } = await bulk([1, 3], item => {
    if (item === 1) throw error
    return 'done'
  })
  expect(results).toEqual(
    new Map<number, string | ActionError>([
      [1, error],
      [3, 'done'],
    ]),
  )
  expect(log).toContain('tried 2')
})

it('tries no other item, and does not pause, once a permission is missing', async () => {
  const error = new ActionError('permission_missing', 'no')
  const { log, results } = await bulk([1, 3, 4, 5, 6], () => {
    throw error
  })
  expect(log.filter(line => !line.startsWith('look'))).toEqual(['run 1', 'tried 1'])
  expect([...results.values()]).toEqual(Array(5).fill(error))
})

it('ends at once with an error that is no refusal', async () => {
  const broken = new TypeError('broken')
  await expect(
    bulk([1, 3, 4], () => {
      throw broken
    }),
  ).rejects.toBe(broken)
})
