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
/** In a row, in a hole of a template or between two texts of the code: a name. */
const NAME_WORDS = 3

function countWords(text: string): number {
  const words = text.replace(/"[^"]*"|\b(?:ios|android|electron|and|or)\b/g, '')
  return words.match(/(?<=^|[\s"(])[a-z]{2,}(?=$|[\s.,;:)"])/g)?.length ?? 0
}

const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')

/** Each string of the code, and each template as the texts around its holes; in lower case. */
const templates = globSync('**/*.ts', { cwd: SRC }).flatMap(file => {
  const found: string[][] = []
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) found.push([node.text.toLowerCase()])
    if (ts.isTemplateExpression(node)) {
      const texts = [node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)]
      found.push(texts.map(text => text.toLowerCase()))
    }
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(file, readFileSync(join(SRC, file), 'utf8'), ts.ScriptTarget.Latest))
  return found
})
const texts = templates
  .flat()
  .map(text => text.trim())
  .filter(text => countWords(text) > 1)
  .sort((a, b) => b.length - a.length)
const wholes = templates
  .filter(parts => parts.length > 1 && countWords(parts.join(' ')) > 2)
  .map(parts => new RegExp(`^${parts.map(escaped).join('(.*?)')}$`, 's'))

/** Words of a sentence that are neither a text of the code nor a name. */
function unknownWords(sentence: string): string[] {
  const text = sentence.toLowerCase()
  const isNamed = (holes: RegExpExecArray | null) =>
    holes?.slice(1).every(hole => countWords(hole) <= NAME_WORDS) ?? false
  if (wholes.some(whole => isNamed(whole.exec(text)))) return []
  let parts = [text]
  for (const known of texts) parts = parts.flatMap(part => part.split(known))
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
