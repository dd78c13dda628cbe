import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './workflow.ts'

export interface Block {
  /** Path of the page from the root. */
  readonly page: string
  /** Of the block's first line in the page. */
  readonly line: number
  /** Without the indentation that all its lines have. */
  readonly text: string
}

/** "```yaml other" says that it is neither a workflow nor a piece of one. */
const FENCE = /^([ \t]*)```ya?ml(?! +other)[^\n]*\n([\s\S]*?)^\1```[ \t]*$/gm

/** The YAML blocks of a page. */
export function yamlBlocks(page: string): Block[] {
  const text = readFileSync(join(ROOT, page), 'utf8').replaceAll('\r\n', '\n')
  return [...text.matchAll(FENCE)].map(({ index, 1: indent = '', 2: body = '' }) => ({
    page,
    line: text.slice(0, index).split('\n').length + 1,
    text: outdent(body.replaceAll(new RegExp(`^${indent}`, 'gm'), '')),
  }))
}

function outdent(text: string): string {
  const depths = text
    .split('\n')
    .filter(line => line.trim() !== '')
    .map(line => line.length - line.trimStart().length)
  return text.replaceAll(new RegExp(`^ {${Math.min(...depths)}}`, 'gm'), '')
}
