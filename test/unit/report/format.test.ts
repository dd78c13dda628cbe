import { describe, expect, it } from 'vitest'
import {
  formatDateTime,
  formatDifference,
  formatDuration,
  formatElapsed,
  formatTime,
  plural,
  shortSha,
} from '../../../src/report/format.ts'
import { formatBytes } from '../../../src/runtime/bytes.ts'

describe('sizes are SI', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1 kB'],
    [1234, '1.2 kB'],
    [12_340, '12.3 kB'],
    [99_949, '99.9 kB'],
    [99_950, '100 kB'],
    [999_499, '999 kB'],
    [999_500, '1 MB'],
    [1_243_518, '1.2 MB'],
    [2_147_483_648, '2.1 GB'],
    [5e15, '5000 TB'],
  ])('%d bytes', (bytes, shown) => expect(formatBytes(bytes)).toBe(shown))

  it.each([
    [1_200, '+1.2 kB'],
    [-340, '−340 B'],
    [0, '±0 B'],
  ])('a difference of %d', (bytes, shown) => expect(formatDifference(bytes)).toBe(shown))
})

it.each([
  [0, '0 ms'],
  [849.6, '850 ms'],
  [999.6, '1 s'],
  [3_400, '3.4 s'],
  [9_960, '10 s'],
  [59_600, '1 min'],
  [72_000, '1 min 12 s'],
  [3_599_700, '1 h'],
  [7_500_000, '2 h 5 min'],
])('%d ms', (milliseconds, shown) => expect(formatDuration(milliseconds)).toBe(shown))

it('shortens what is long', () => {
  expect(shortSha('4f9c2d7e81b06a35c4d2e9f7a0b18c63d5e7f291')).toBe('4f9c2d7')
})

it('counts', () => {
  expect([plural(1, 'file'), plural(0, 'file'), plural(1240, 'file'), plural(2, 'entry', 'entries')]).toEqual(
    ['1 file', '0 files', '1,240 files', '2 entries'],
  )
})

it.each([
  [0, '0:00'],
  [7_900, '0:07'],
  [750_000, '12:30'],
  [3_723_000, '1:02:03'],
])('%d ms after the start', (milliseconds, shown) => expect(formatElapsed(milliseconds)).toBe(shown))

it('formats times in UTC, so that they do not break and can be told apart', () => {
  expect(formatTime('2026-11-06T04:05:59.000Z')).toBe('Nov\u00a06, 04:05\u00a0UTC')
  expect(formatTime('2026-11-26T23:30:00-05:00')).toBe('Nov\u00a027, 04:30\u00a0UTC')
  expect([formatTime(null), formatTime(''), formatTime('yesterday')]).toEqual([null, null, null])
  expect(formatDateTime('2026-11-26T23:30:00-05:00')).toBe('Nov\u00a027,\u00a02026, 04:30\u00a0UTC')
  expect([formatDateTime(null), formatDateTime('yesterday')]).toEqual(['', ''])
})
