import { expect, it } from 'vitest'
import { describeRetry } from '../../../src/runtime/retry.ts'

it.each([
  [500, [2, 5], 'Capgo answered 503. Next try in 0.5 s (2 of 5).'],
  [949, [2, 5], 'Capgo answered 503. Next try in 0.9 s (2 of 5).'],
  [3_200, [3, 5], 'Capgo answered 503. Next try in 4 s (3 of 5).'],
  [10_000, null, 'Capgo answered 503. Next try in 10 s.'],
] as const)('says when it is tried again: after %d ms', (pause, attempts, line) =>
  expect(describeRetry('Capgo answered 503.', pause, attempts)).toBe(line),
)
