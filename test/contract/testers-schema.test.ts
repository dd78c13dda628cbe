import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { getLanguageService, TextDocument } from 'vscode-json-languageservice'
import { testersSchema } from '../../scripts/docs/schema.ts'
import { parseTesters } from '../../src/inputs/testers-file.ts'

const docs = join(import.meta.dirname, '../../docs')
const published = JSON.parse(readFileSync(join(docs, 'testers.schema.json'), 'utf8'))
/** Keywords of VS Code, for people alone. */
const EDITORS = [
  'allowComments',
  'allowTrailingCommas',
  'defaultSnippets',
  'errorMessage',
  'markdownDescription',
]
const compile = (schema: object) => {
  const ajv = new Ajv2020({ allErrors: true, formats: { date: /^\d{4}-\d\d-\d\d$/ } })
  return ajv.addVocabulary(EDITORS).compile(schema)
}
const validate = compile(published)
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
  const check = compile(schema)
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

it('takes what the action takes, and refuses what it refuses', () => {
  const odd = fc.oneof(
    fc.constantFrom<unknown>(
      '',
      ' ',
      'qa',
      'q a',
      '-a',
      'a-',
      'a--b',
      '@ada',
      'ada_corp',
      'é',
      `${ID}\n`,
      'qa\n',
    ),
    fc.constantFrom<unknown>(ID.toUpperCase(), 5, null, true, [], {}, [1], ['qa'], ['q a'], ['qa', 'qa'], {
      a: 1,
    }),
    fc.constantFrom(
      '2027-03-31',
      '2027-02-29',
      '2028-02-29',
      '0000-01-01',
      '2027-3-1',
      '2027-03-31T00:00:00Z',
    ),
    fc
      .tuple(fc.constantFrom('n', '💥', '👩‍👩‍👧'), fc.constantFrom(20, 38, 39, 40, 64, 65, 100, 101))
      .map(([text, times]) => text.repeat(times)),
    fc.string(),
  )
  let count = 0
  const id = fc.constant(null).map(() => `${ID.slice(0, -6)}${String(count++ % 1e6).padStart(6, '0')}`)
  const keys = ['device', 'name', 'github', 'groups', 'channel', 'until', 'nmae', '__proto__', 'constructor']
  const more = fc.dictionary(fc.constantFrom(...keys), odd, { maxKeys: 2 })
  const entry = fc.oneof(
    id,
    odd,
    more,
    fc.tuple(id, more).map(([device, rest]) => ({ device, ...rest })),
  )
  const list = fc.array(entry, { maxLength: 2 })
  const name = fc.oneof(fc.constantFrom('qa', '__proto__', 'constructor', ''), fc.string())
  const ids = fc.oneof(fc.array(fc.oneof(id, odd), { maxLength: 2 }), odd)
  const parts = {
    testers: fc.oneof(list, odd),
    groups: fc.oneof(fc.dictionary(name, ids, { maxKeys: 2 }), odd),
    $schema: fc.oneof(fc.constant('./x'), odd),
    tester: odd,
  }
  const file = fc.oneof(list, odd, fc.record(parts, { requiredKeys: [] }))
  fc.assert(
    fc.property(file, content => {
      const text = JSON.stringify(content)
      const { problems } = parseTesters(text, '2026-11-23')
      // Of doubles an editor sees some.
      if (problems.some(({ message }) => /twice|but on "/.test(message))) return
      expect(validate(JSON.parse(text)), problems[0]?.message).toBe(problems.length === 0)
    }),
    { numRuns: 5_000 },
  )
})

it('the same id twice is found in an editor too', () => {
  for (const file of [[ID, ID], { testers: [ID, ID] }, { groups: { qa: [ID, ID] } }]) {
    expect(validate(file)).toBe(false)
    expect(parseTesters(JSON.stringify(file), '2026-11-23').problems).toHaveLength(1)
  }
})

/** What the snippets of a schema insert, each placeholder as it stands there, with ids that are filled in. */
function snippetsOf(schema: unknown): unknown[] {
  if (typeof schema !== 'object' || schema === null) return []
  const { defaultSnippets = [], ...rest } = schema as { defaultSnippets?: { body: unknown }[] }
  let count = 0
  const fill = (text: string) => (text === 'device id' ? `${ID.slice(0, -1)}${count++}` : text)
  const bodies = defaultSnippets.map(({ body }) =>
    JSON.parse(JSON.stringify(body).replaceAll(/\$\{\d:(.*?)\}/g, (_, text: string) => fill(text))),
  )
  return [...bodies, ...Object.values(rest).flatMap(snippetsOf)]
}

it('what a snippet inserts is right for the action, once its ids are filled in', () => {
  const bodies = snippetsOf(published)
  expect(bodies.length).toBeGreaterThan(3)
  for (const body of bodies) {
    const forms = [[body], { groups: body }, body].filter(form => validate(form))
    expect(forms, JSON.stringify(body)).toHaveLength(1)
    expect(parseTesters(JSON.stringify(forms[0]), '2026-11-23').problems).toEqual([])
  }
})

/** The JSON support of VS Code, with the published schema. */
function openInEditor(text: string) {
  const service = getLanguageService({})
  service.configure({ schemas: [{ uri: 'testers.schema.json', fileMatch: ['*'], schema: published }] })
  const [content, after] = text.split('▮')
  const document = TextDocument.create('file:///testers.json', 'json', 1, `${content}${after ?? ''}`)
  const json = service.parseJSONDocument(document)
  const cursor = document.positionAt(content!.length)
  return {
    problems: async () =>
      (await service.doValidation(document, json)).map(
        ({ range, message }) => `${range.start.line + 1}:${range.start.character + 1} ${message}`,
      ),
    suggestions: async () => {
      const { items } = (await service.doComplete(document, cursor, json))!
      return items.map(({ label, insertText, textEdit }) => [label, textEdit?.newText ?? insertText])
    },
    hover: async () => JSON.stringify((await service.doHover(document, cursor, json))?.contents),
  }
}

it('an editor takes comments and a comma too many', async () => {
  expect(await openInEditor(`{ "testers": [\n  "${ID}", // Ada\n] }`).problems()).toEqual([])
})

it.each([
  [
    '{ "testers": ["nope"] }',
    `1:15 Not a device id. CapacitorUpdater.getDeviceId() returns it, for example ${ID}.`,
  ],
  [
    `{ "testers": [{ "device": "${ID}", "github": "@ada" }] }`,
    '1:77 Not a login of GitHub. Write it without "@".',
  ],
  [`{ "testers": [{ "device": "${ID}", "until": "soon" }] }`, '1:76 Not a day. Write it as 2027-03-31.'],
  [
    `{ "testers": [{ "device": "${ID}", "nmae": "Ada" }] }`,
    '1:67 A tester is a device id, or an object with "device" and, as you like, "name", "github", "groups", "channel", "until".',
  ],
  [
    `{ "testers": [{ "device": "${ID}", "groups": ["q a"] }] }`,
    '1:78 Not a group\'s name. Use letters, digits, ".", "_" and "-".',
  ],
  ['{ "groups": { "q a": [] } }', '1:15 Not a group\'s name. Use letters, digits, ".", "_" and "-".'],
  ['{ "tester": [] }', '1:1 The file has "testers", "groups" and "$schema", or it is a list of testers.'],
  [
    '{ "groups": [] }',
    '1:13 Groups are an object: {"qa": ["<device id>"]}. Names are of letters, digits, ".", "_" and "-".',
  ],
])('an editor says what is wrong with %s in words', async (text, message) => {
  expect(await openInEditor(text).problems()).toEqual([message])
})

it('an editor offers a tester, a group, and the whole file to fill in', async () => {
  expect(await openInEditor('{ "testers": [▮] }').suggestions()).toEqual(
    expect.arrayContaining([
      ['Tester', '{\n\t"device": "${1:device id}",\n\t"name": "${2:name}"\n}'],
      ['Device id', '"${1:device id}"'],
    ]),
  )
  expect(await openInEditor('{ "groups": ▮ }').suggestions()).toContainEqual([
    'Group',
    '{\n\t"${1:qa}": [\n\t\t"${2:device id}"\n\t]\n}',
  ])
  expect((await openInEditor('▮').suggestions()).map(([label]) => label)).toContain('Testers file')
})

it('an editor links the page on testers, at headings that are there', async () => {
  const hover = await openInEditor(`[{ "chan▮nel": "beta" }]`).hover()
  expect(hover).toContain('while it has no preview')
  expect(hover).toContain('/docs/testers.md#')
  const headings = [...readFileSync(join(docs, 'testers.md'), 'utf8').matchAll(/^#+ (.*)$/gm)].map(
    ([, text]) => text!.toLowerCase().replaceAll(' ', '-'),
  )
  const named = [...JSON.stringify(published).matchAll(/docs\/testers\.md#([\w-]+)/g)].map(([, to]) => to!)
  expect(named.length).toBeGreaterThan(3)
  expect(headings).toEqual(expect.arrayContaining(named))
})
