/** Sentences that have to be read twice: none in the code, the inputs, the workflows and the documents. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

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
