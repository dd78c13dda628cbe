import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, it } from 'vitest'
import { testersSchema } from '../../scripts/docs/schema.ts'
import { parseTesters } from '../../src/inputs/testers-file.ts'

const docs = join(import.meta.dirname, '../../docs')
const published = JSON.parse(readFileSync(join(docs, 'testers.schema.json'), 'utf8'))
const validate = new Ajv2020({ formats: { date: /^\d{4}-\d\d-\d\d$/ } }).compile(published)
const examples = [...readFileSync(join(docs, 'testers.md'), 'utf8').matchAll(/```json\n(.*?)```/gs)].map(
  ([, text]) => text!,
)
const ID = '0a1b2c3d-1111-4222-8333-444455556666'

it('the published schema is what parses', () => expect(testersSchema()).toEqual(published))

it('takes the examples of the docs, and so does the action', () => {
  expect(examples.length).toBeGreaterThan(1)
  for (const text of examples) {
    expect(validate(JSON.parse(text)), JSON.stringify(validate.errors)).toBe(true)
    expect(parseTesters(text, '2026-11-23').problems).toEqual([])
  }
})

it('an editor that follows the $schema line of a file finds the same faults as the action', () => {
  const file = {
    $schema: './testers.schema.json',
    testers: [{ device: 'nope', githab: 'ada' }, { name: 'x' }, 5],
  }
  const schema = JSON.parse(readFileSync(join(docs, file.$schema), 'utf8'))
  const check = new Ajv2020({ allErrors: true, formats: { date: /^\d{4}-\d\d-\d\d$/ } }).compile(schema)
  expect(check(file)).toBe(false)
  const places = new Set(check.errors?.map(({ instancePath }) => instancePath))
  expect([...places]).toEqual(
    expect.arrayContaining(['/testers/0/device', '/testers/0', '/testers/1', '/testers/2']),
  )
  expect(parseTesters(JSON.stringify(file), '2026-11-23').problems).toHaveLength(4)
})

it.each([
  ['a list of numbers', [1]],
  ['another key', { tester: [] }],
  ['a channel with a slash', [{ device: ID, channel: 'a/b' }]],
  ['a day that is none', [{ device: ID, until: 'soon' }]],
])('refuses %s, and so does the action', (_what, file) => {
  expect(validate(file)).toBe(false)
  expect(parseTesters(JSON.stringify(file), '2026-11-23').problems).not.toEqual([])
})
