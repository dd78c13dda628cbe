/** Writes the tables of inputs and outputs into README.md from action.yml; `--check` only compares. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

interface ActionMetadata {
  readonly inputs: Readonly<Record<string, { description: string; required?: boolean; default?: string }>>
  readonly outputs: Readonly<Record<string, { description: string }>>
}

const root = join(import.meta.dirname, '..')

export function readActionMetadata(): ActionMetadata {
  return parse(readFileSync(join(root, 'action.yml'), 'utf8'))
}

/** The text with each `<!-- name:begin -->…<!-- name:end -->` block replaced. */
export function withTables(readme: string, { inputs, outputs }: ActionMetadata): string {
  return replaceBlock(replaceBlock(readme, 'inputs', inputTable(inputs)), 'outputs', outputTable(outputs))
}

function inputTable(inputs: ActionMetadata['inputs']): string {
  const rows = Object.entries(inputs).map(([name, { description, required, default: value }]) => {
    const shown = required
      ? '**required**'
      : value === undefined || value === ''
        ? ''
        : value
            .split('\n')
            .map(line => `\`${line}\``)
            .join('<br>')
    return `| \`${name}\` | ${cell(description)} | ${shown.replaceAll('|', '\\|')} |`
  })
  return ['| input | what it does | default |', '|---|---|---|', ...rows].join('\n')
}

function outputTable(outputs: ActionMetadata['outputs']): string {
  const rows = Object.entries(outputs).map(
    ([name, { description }]) => `| \`${name}\` | ${cell(description)} |`,
  )
  return ['| output | what it is |', '|---|---|', ...rows].join('\n')
}

function cell(text: string): string {
  return text.trim().replace(/\s+/g, ' ').replaceAll('|', '\\|')
}

function replaceBlock(text: string, name: string, content: string): string {
  const begin = `<!-- ${name}:begin -->`
  const end = `<!-- ${name}:end -->`
  const from = text.indexOf(begin)
  const to = text.indexOf(end)
  if (from < 0 || to < from) throw new Error(`README.md has no block ${begin} … ${end}`)
  return `${text.slice(0, from + begin.length)}\n${content}\n${text.slice(to)}`
}

if (import.meta.main) {
  const file = join(root, 'README.md')
  const now = readFileSync(file, 'utf8')
  const wanted = withTables(now, readActionMetadata())
  if (process.argv.includes('--check')) {
    if (now !== wanted) {
      console.error('README.md does not say what action.yml says. Run: npm run readme')
      process.exit(1)
    }
    console.log('README.md says what action.yml says.')
  } else writeFileSync(file, wanted)
}
