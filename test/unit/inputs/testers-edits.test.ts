import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addTester, removeTester, updateTester } from '../../../src/inputs/testers-edits.ts'
import { parseTesters } from '../../../src/inputs/testers-file.ts'
import { entryOf, type TesterEntry } from '../../../src/plan/enrolment.ts'

const ADA = 'ada00000-0000-4000-8000-000000000001'
const BOB = 'b0b00000-0000-4000-8000-000000000002'
const EVE = 'e5e00000-0000-4000-8000-000000000003'
const NOTHING = { name: null, github: null, groups: [], channel: null, until: null }
const eve: TesterEntry = { ...NOTHING, device: EVE, name: 'Eve', github: 'eve' }
const EVE_LINE = `{ "device": "${EVE}", "name": "Eve", "github": "eve" }`

describe('a tester is added', () => {
  it.each<[string, string | null, string]>([
    ['no file', null, `[\n  ${EVE_LINE}\n]\n`],
    ['an empty list', '[]\n', `[\n  ${EVE_LINE}\n]\n`],
    ['an open list', '[\n]', `[\n  ${EVE_LINE}\n]`],
    ['a comment alone', '[ // nobody\n]', `[ // nobody\n  ${EVE_LINE}\n]`],
    ['one line', `["${ADA}"]`, `["${ADA}", ${EVE_LINE}]`],
    ['one line with a comma', `["${ADA}",]`, `["${ADA}", ${EVE_LINE},]`],
    ['lines', `[\n    "${ADA}"\n]\n`, `[\n    "${ADA}",\n    ${EVE_LINE}\n]\n`],
    ['lines of Windows', `[\r\n\t"${ADA}"\r\n]`, `[\r\n\t"${ADA}",\r\n\t${EVE_LINE}\r\n]`],
    ['a comma too many', `[\n  "${ADA}",\n]`, `[\n  "${ADA}",\n  ${EVE_LINE},\n]`],
    [
      'a comment behind the last',
      `[\n  "${ADA}" // Ada's, not [Eve's]\n]`,
      `[\n  "${ADA}", // Ada's, not [Eve's]\n  ${EVE_LINE}\n]`,
    ],
    [
      'objects and groups',
      `{\n  "testers": [\n    { "device": "${ADA}" }\n  ],\n  "groups": { "qa": ["${BOB}"] }\n}`,
      `{\n  "testers": [\n    { "device": "${ADA}" },\n    ${EVE_LINE}\n  ],\n  "groups": { "qa": ["${BOB}"] }\n}`,
    ],
    [
      'groups alone',
      `{ "groups": { "qa": ["${BOB}"] } }`,
      `{\n  "testers": [\n    ${EVE_LINE}\n  ], "groups": { "qa": ["${BOB}"] } }`,
    ],
    ['nothing at all', '{}', `{\n  "testers": [\n    ${EVE_LINE}\n  ]\n}`],
    ['a byte order mark', `\ufeff["${ADA}"]`, `\ufeff["${ADA}", ${EVE_LINE}]`],
  ])('%s', (_what, text, expected) => {
    expect(addTester(text, eve)).toBe(expected)
  })
})

describe('a tester is removed', () => {
  it.each([
    ['the only one', `["${EVE}"]`, '[]'],
    ['the only line', `[\n  "${EVE}"\n]`, '[\n]'],
    ['the first', `["${EVE}", "${ADA}"]`, `["${ADA}"]`],
    ['the last', `["${ADA}", "${EVE}"]`, `["${ADA}"]`],
    ['the first line', `[\n  "${EVE}",\n  "${ADA}"\n]`, `[\n  "${ADA}"\n]`],
    ['the last line', `[\n  "${ADA}",\n  "${EVE}"\n]`, `[\n  "${ADA}"\n]`],
    ['a line with a comma too many', `[\n  "${ADA}",\n  "${EVE}",\n]`, `[\n  "${ADA}",\n]`],
    [
      'a line between comments',
      `[\n  "${ADA}", // Ada\n  // Eve:\n  "${EVE}" // hers\n]`,
      `[\n  "${ADA}" // Ada\n  // Eve:\n  // hers\n]`,
    ],
    [
      'the list and the groups',
      `{\n  "testers": [{ "device": "${EVE.toUpperCase()}" }],\n  "groups": { "qa": ["${BOB}", "${EVE}"], "ops": ["${EVE}"] }\n}`,
      `{\n  "testers": [],\n  "groups": { "qa": ["${BOB}"], "ops": [] }\n}`,
    ],
  ])('%s', (_what, text, expected) => {
    expect(removeTester(text, EVE)).toBe(expected)
  })
})

it('an entry is updated field by field', () => {
  const text = `[\n  {\n    "name": "Eve", // hers\n    "device": "${EVE}",\n    "github": "eve", /* who */\n  },\n  "${ADA}"\n]`
  const entry = { ...eve, name: 'Eve 2', channel: 'beta', groups: ['qa'] }
  expect(updateTester(text, entry)).toBe(
    `[\n  {\n    "name": "Eve 2", // hers\n    "device": "${EVE}",\n    "github": "eve", "groups": ["qa"], "channel": "beta", /* who */\n  },\n  "${ADA}"\n]`,
  )
})

/** A file as people write it: comments and space anywhere, commas too many. */
const filler = fc.constantFrom('', ' ', '\n', '\n  ', ' // "[]{},\n', '/* , ] */', '\r\n\t')
const item = fc.record({
  number: fc.integer({ min: 1, max: 40 }),
  isObject: fc.boolean(),
  name: fc.option(fc.string({ minLength: 1, maxLength: 100, unit: 'binary' }), { nil: undefined }),
  around: fc.tuple(filler, filler, filler),
})
const deviceOf = (number: number) => `${String(number).padStart(8, '0')}-0000-4000-8000-000000000000`
const fileOf = (
  items: readonly (typeof item extends fc.Arbitrary<infer Item> ? Item : never)[],
  shape: { form: 'list' | 'object'; comma: boolean; end: string },
) => {
  const written = items.map(({ number, isObject, name, around: [one, two, three] }) => {
    const device = deviceOf(number)
    const value = isObject
      ? JSON.stringify({ device, github: 'eve', ...(name ? { name } : {}) })
      : `"${device}"`
    return `${one}${value}${two}${three}`
  })
  const comma = shape.comma && items.length > 0 ? ',' : ''
  const list = `[${written.join(',')}${comma}${shape.end}]`
  return shape.form === 'list' ? list : `{ "groups": {}, /* { */ "testers": ${list} // end\n}`
}
const file = fc.record({
  items: fc.uniqueArray(item, { selector: ({ number }) => number, maxLength: 8 }),
  shape: fc.record({ form: fc.constantFrom('list', 'object'), comma: fc.boolean(), end: filler }),
})

/** The text without space and commas, in order: what an edit leaves of it must still be there. */
const pieces = (text: string) => text.replace(/[\s,]/g, '')
const testersOf = (text: string) => {
  const { testers, problems } = parseTesters(text, '2026-01-01')
  expect(problems, text).toEqual([])
  return testers.map(entryOf)
}

it('whatever the file looks like: adding and removing change one entry, and every other byte but commas and space stays', () => {
  fc.assert(
    fc.property(
      file,
      fc.string({ minLength: 1, maxLength: 100, unit: 'binary' }),
      ({ items, shape }, name) => {
        const text = fileOf(items, shape)
        const before = testersOf(text)
        const entry = { ...eve, name, channel: 'beta' }
        const added = addTester(text, entry)
        expect(testersOf(added)).toEqual([...before, entry])
        const own = pieces(addTester(null, entry)).slice(1, -1)
        expect(pieces(added).replace(own, '')).toBe(pieces(text))
        const removed = removeTester(added, EVE)
        expect(testersOf(removed)).toEqual(before)
        expect(pieces(removed)).toBe(pieces(text))
        for (const { number } of items) {
          const device = deviceOf(number)
          expect(testersOf(removeTester(text, device))).toEqual(before.filter(each => each.device !== device))
        }
      },
    ),
    { numRuns: 300 },
  )
})
