import fc from 'fast-check'
import { expect, it } from 'vitest'
import { deltaKey } from '../../../src/capgo/delta-key.ts'

const APP = { owner_org: '046a36ac-e03c-4590-9257-bd6c9dba9ee8', app_id: 'com.example.daybreak' }
const file = (file_name: string, file_hash = 'h') => ({ file_name, file_hash })
const tailOf = (key: string) => key.split('/delta/')[1]

it.each([
  ['a plain name', 'assets/x-1.2.js.br', /^[0-9a-f]{64}_assets\/x-1\.2\.js\.br$/],
  [
    'a name with _, which older keys made of many',
    'my_photo.txt',
    /^[0-9a-f]{64}-[0-9a-f]{64}_my_photo\.txt$/,
  ],
  ['a blank', 'my photo.txt', /^[0-9a-f]{64}-[0-9a-f]{64}_my_photo\.txt$/],
  ['a folder', 'ä/ö/index.js', /^[0-9a-f]{64}-[0-9a-f]{64}_{5}index\.js$/],
  ['a long name', `${'a/'.repeat(900)}z`, /^[0-9a-f]{64}-[0-9a-f]{64}_[a_]+z$/],
])('the key of %s', (_what, name, form) => {
  expect(tailOf(deltaKey(APP, file(name), null))).toMatch(form)
})

it('an encrypted bundle has keys of its own', () => {
  const scope = Buffer.from('iv:key').toString('hex')
  expect(tailOf(deltaKey(APP, file('a.js'), 'iv:key'))).toMatch(new RegExp(`^${scope}/[0-9a-f]{64}_a\\.js$`))
})

it('no two names share one, whatever characters they have, and the store takes each', () => {
  const odd = fc.constantFrom(
    '_',
    ' ',
    '-',
    '/',
    'ä',
    'a\u0308',
    '%20',
    '%',
    '?',
    '#',
    '+',
    '日本',
    '👍',
    'A',
    'a',
    '.',
  )
  const name = fc.array(odd, { minLength: 1, maxLength: 400 }).map(parts => parts.join(''))
  const sessionKey = 'k'.repeat(369)
  fc.assert(
    fc.property(name, name, fc.constantFrom(null, sessionKey), (one, other, session) => {
      const [first, second] = [one, other].map(each => deltaKey(APP, file(each), session))
      expect(first === second).toBe(one === other)
      expect(first).toMatch(/^[A-Za-z0-9._/-]+$/)
      expect(Buffer.byteLength(first!)).toBeLessThanOrEqual(1024)
    }),
    { numRuns: 500 },
  )
})
