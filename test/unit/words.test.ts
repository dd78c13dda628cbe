/** Sentences that have to be read twice: none in the code, the inputs, the workflows and the documents. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')

const WORST: readonly (readonly [pattern: RegExp, better: string])[] = [
  [/\bshall\b/i, '"must", "should", or the present tense'],
  [/\bmay not\b/i, '"cannot", or "is not allowed to"'],
  [/\bis no (?!longer\b)/i, '"is not a", or "does not exist"'],
  [/\bThere (?:are|is)\b/, 'a sentence with a subject'],
  [/(?:^|[.!?:] |\*\* ?|\* |\| )What is\b/, 'a sentence with a subject'],
]

/** Words of others: Postgres' own message, what a package manager prints, commits and answers that were recorded. */
const QUOTED = /^(?:docs\/first-publish\.md|local\/capgo\/postgrest\.ts|local\/github\/openapi\.json)$/

const files = execFileSync(
  'git',
  ['ls-files', '*.md', 'action.yml', 'docs/*.yml', '.github', 'src', 'local', 'scripts', 'bench'],
  { cwd: ROOT, encoding: 'utf8' },
)
  .split('\n')
  .filter(
    file =>
      /\.(?:ts|md|yml)$/.test(file) && !QUOTED.test(file) && !/^(?:examples|test\/fixtures)\//.test(file),
  )

function findWorst(text: string): string[] {
  return text
    .split('\n')
    .flatMap(line =>
      WORST.flatMap(([pattern, better]) =>
        pattern.test(line) ? [`${line.trim().slice(0, 120)} -> ${better}`] : [],
      ),
    )
}

it('reads the project', () => expect(files.length).toBeGreaterThan(300))

it.each([
  'The channel shall exist.',
  'The key may not do this.',
  '"x" is no number.',
  'There are two of them.',
  '/** What is left. */',
  'It failed. What is missing is told.',
])('finds "%s"', sentence => expect(findWorst(sentence)).toHaveLength(1))

it('finds nothing where nothing is wrong', () =>
  expect(findWorst('It is no longer there. What remains is kept. See there is one.')).toEqual([]))

it.each(files)('%s', file => expect(findWorst(readFileSync(join(ROOT, file), 'utf8'))).toEqual([]))

it.each(files.filter(file => file.endsWith('.ts')))('%s begins with what it is, as a noun', file => {
  const text = readFileSync(join(ROOT, file), 'utf8')
  expect(text.slice(0, 40)).not.toMatch(/^(?:\/\*\*\s*\*?|\/\/)\s*(?:What|Who|Whom|Whose)\b/)
})

/** Of messages alone: comments and documents may need these words. */
const UNCLEAR: readonly (readonly [pattern: RegExp, better: string])[] = [
  [/; [a-z$]/, 'two sentences'],
  [/\b(?:tell|tells|told)\b/, '"report", or the fact itself'],
  [/\b(?:go|goes) on\b/, '"continue"'],
  [/\bstands? for\b/, 'the fact itself'],
  [/\bstrangers?\b/, '"untrusted"'],
  [/\ball the same\b/, '"anyway"'],
  [/\ba step before\b/, '"an earlier step"'],
  [/\brun the job again\b/i, '"re-run the job"'],
  [/\bmistakes?\b/, '"error"'],
  [/\bdocs\/[\w-]+\.md\b/, 'the link at the end: a path of ours means nothing to the reader'],
]
const MAX_WORDS = 22
const SENTENCE = /(?<=[.!?:](?:\\n)?) /

/** Texts of four words and more, each interpolation as one word. */
function messagesOf(file: string, text: string): string[] {
  const messages: string[] = []
  const visit = (node: ts.Node): void => {
    const isText = ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)
    if (isText && (node.getText().match(/[A-Za-z]{2,} /g) ?? []).length >= 3) messages.push(plainText(node))
    else ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true))
  return messages
}

function plainText(node: ts.StringLiteralLike | ts.TemplateExpression): string {
  if (ts.isStringLiteralLike(node)) return node.text
  return [node.head.text, ...node.templateSpans.map(({ literal }) => `X${literal.text}`)].join('')
}

function findUnclear(message: string): string[] {
  const long = message
    .split(SENTENCE)
    .filter(sentence => (sentence.match(/[A-Za-z][\w./()@'-]*/g) ?? []).length > MAX_WORDS)
  return [
    ...UNCLEAR.flatMap(([pattern, better]) => (pattern.test(message) ? [`${message} -> ${better}`] : [])),
    ...long.map(sentence => `${sentence} -> at most ${MAX_WORDS} words`),
  ]
}

describe('messages', () => {
  it.each([
    'Nothing was published; run it later.',
    'The comment tells which channel it is.',
    'It goes on where this run stopped.',
    'The name stands for nothing here.',
    'Code of a stranger would run here.',
    'It is published all the same.',
    'Build in a step before this action.',
    'Wait, and then run the job again.',
    'The file has 5 mistakes.',
    'See docs/forks.md for the whole story.',
    `It has ${'very '.repeat(MAX_WORDS)}many words.`,
  ])('are found where one is "%s"', message => expect(findUnclear(message)).toHaveLength(1))

  it('are read with what is put into them', () =>
    expect(messagesOf('a.ts', "const a = `${b ? 'x' : y} is not a valid name for ${z}.`")).toEqual([
      'X is not a valid name for X.',
    ]))

  // Code that is written into other files is no message.
  const CODE = /^src\/checkout\/(?:stand-in|evaluate-config|config-source)\.ts$/
  it.each(files.filter(file => /^src\/.*\.ts$/.test(file) && !CODE.test(file)))('of %s are clear', file => {
    const messages = messagesOf(file, readFileSync(join(ROOT, file), 'utf8'))
    expect(messages.flatMap(findUnclear)).toEqual([])
  })
})

/** A clause as a subject, or as a name: it has to be read twice. */
const CLAUSE = /^\s*(?:\/\*\*|\*|\/\/) ?(?:What|Who|Whom|Whose|Whoever|Whatever) [a-z].*$/gm

it('finds a comment that begins with a clause', () =>
  expect('  // What was read stays.\n/** Bytes: What is it? */'.match(CLAUSE)).toHaveLength(1))

it.each(files.filter(file => file.startsWith('src/')))('%s: no comment begins with a clause', file =>
  expect(readFileSync(join(ROOT, file), 'utf8').match(CLAUSE) ?? []).toEqual([]),
)
