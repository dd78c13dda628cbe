/** Samples say what the code says: their sentences are made of the texts of src/, and of names and numbers. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { expect, it } from 'vitest'
import { comments } from '../../../scripts/pictures/comments.ts'
import { samples } from '../../../scripts/pictures/samples.ts'

const SRC = join(import.meta.dirname, '../../../src')
/** Fields with words of the code. All others are data, or output of other programs. */
const SPOKEN = new Set([
  'reason',
  'hint',
  'message',
  'why',
  'refusal',
  'rule',
  'warnings',
  'kept',
  'verified',
])
/** In a row, between two texts of the code: a name. */
const NAME_WORDS = 3

const countWords = (text: string) =>
  text.replace(/"[^"]*"/g, '').match(/(?<=^|[\s"(])[a-z]{2,}(?=$|[\s.,;:)"])/g)?.length ?? 0

/** Strings, and what templates have around their holes, of two words or more; the longest first. */
const texts = globSync('**/*.ts', { cwd: SRC })
  .flatMap(file => {
    const found: string[] = []
    const visit = (node: ts.Node): void => {
      if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node))
        found.push(node.text.trim().toLowerCase())
      ts.forEachChild(node, visit)
    }
    visit(ts.createSourceFile(file, readFileSync(join(SRC, file), 'utf8'), ts.ScriptTarget.Latest))
    return found
  })
  .filter(text => countWords(text) > 1)
  .sort((a, b) => b.length - a.length)

/** What of a sentence is neither a text of the code nor a name. */
function unknownWords(sentence: string): string[] {
  let parts = [sentence.toLowerCase()]
  for (const text of texts) parts = parts.flatMap(part => part.split(text))
  return parts.filter(part => countWords(part) > NAME_WORDS)
}

function sentencesOf(value: unknown, isSpoken = false): string[] {
  if (typeof value === 'string') return isSpoken ? [value] : []
  if (Array.isArray(value)) return value.flatMap(each => sentencesOf(each, isSpoken))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, each]) => sentencesOf(each, SPOKEN.has(name)))
}

const real = Object.entries({ ...samples, ...comments }).filter(([name]) => !name.startsWith('hostile'))

it.each([...new Set(real.flatMap(([, sample]) => sentencesOf(sample)))])('%s', sentence => {
  expect(unknownWords(sentence), 'src/ does not say this: take the words of a real run').toEqual([])
})

it('words that the code does not have are found', () => {
  expect(unknownWords('The end of its output is below and in the log.')).not.toEqual([])
  expect(unknownWords('Channel production was served by bundle 1.4.0.')).not.toEqual([])
})
