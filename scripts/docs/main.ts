/** Writes what the pages take from action.yml, docs/inputs.yml and the planner; `--check` only compares. */
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { parse } from 'yaml'
import { decisionTables } from './decisions.ts'
import { indexPage } from './index-page.ts'
import {
  type InputExamples,
  inputSections,
  outputTable,
  ownInputTable,
  type ReadyMade,
  workflowLists,
} from './reference.ts'
import type { ActionMetadata } from './table.ts'

const root = join(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

export function readActionMetadata(): ActionMetadata {
  return parse(read('action.yml'))
}

export function readInputExamples(): InputExamples {
  return parse(read('docs/inputs.yml'))
}

/** docs/reference.md with its generated parts. Throws where an input has no example. */
function referencePage(page: string, { inputs, outputs }: ActionMetadata): string {
  const workflows = globSync('.github/workflows/*.yml', { cwd: root })
    .sort()
    .map((path): [string, ReadyMade | undefined] => [
      basename(path, '.yml'),
      parse(read(path)).on.workflow_call as ReadyMade | undefined,
    ])
    .filter((each): each is [string, ReadyMade] => each[1]?.inputs !== undefined)
  const parts: [string, string][] = [
    ['inputs', inputSections(inputs, readInputExamples())],
    ['outputs', outputTable(outputs)],
    [
      'own-inputs',
      ownInputTable(
        workflows.map(([, workflow]) => workflow),
        inputs,
      ),
    ],
    ...workflows.map(([name, workflow]): [string, string] => [name, workflowLists(name, workflow, inputs)]),
  ]
  return parts.reduce((text, [name, content]) => replaceBlock(text, name, content), page)
}

/** The text with the block `<!-- name:begin -->…<!-- name:end -->` replaced. */
function replaceBlock(text: string, name: string, content: string): string {
  const begin = `<!-- ${name}:begin -->`
  const end = `<!-- ${name}:end -->`
  const from = text.indexOf(begin)
  const to = text.indexOf(end)
  if (from < 0 || to < from) throw new Error(`The block ${begin} … ${end} is missing.`)
  return `${text.slice(0, from + begin.length)}\n${content}\n${text.slice(to)}`
}

/** READMEs of the apps of examples/, with the workflow that lies beside each. */
function examplePages(): [path: string, page: string][] {
  return globSync('examples/*/.github/workflows/live-update.yml', { cwd: root }).map(file => {
    const path = join(dirname(file), '../../README.md')
    const workflow = read(file).trimEnd()
    return [path, replaceBlock(read(path), 'workflow', `\`\`\`yaml\n${workflow}\n\`\`\``)]
  })
}

/** Each page that is generated, or has generated parts, as it should be. Throws where an input has no example. */
export function wantedPages(): ReadonlyMap<string, string> {
  const metadata = readActionMetadata()
  const decisions = Object.entries(decisionTables()).reduce(
    (page, [name, content]) => replaceBlock(page, name, content),
    read('docs/development/decisions.md'),
  )
  const pages = new Map([
    ['docs/reference.md', referencePage(read('docs/reference.md'), metadata)],
    ['docs/development/decisions.md', decisions],
    ...examplePages(),
  ])
  const others = globSync(['*.md', 'development/*.md'], { cwd: join(root, 'docs') })
    .map(file => file.replaceAll('\\', '/'))
    .filter(file => file !== 'README.md')
  pages.set(
    'docs/README.md',
    indexPage(new Map(others.map(file => [file, pages.get(`docs/${file}`) ?? read(`docs/${file}`)]))),
  )
  return pages
}

function main(): void {
  const pages = [...wantedPages()]
  const stale = pages.filter(([path, wanted]) => !existsSync(join(root, path)) || read(path) !== wanted)
  if (!process.argv.includes('--check')) {
    for (const [path, wanted] of stale) writeFileSync(join(root, path), wanted)
    return
  }
  for (const [path] of stale) console.error(`${path} is not what its sources say. Run: npm run readme`)
  if (stale.length > 0) process.exitCode = 1
  else console.log(`${pages.map(([path]) => path).join(', ')}: as their sources say.`)
}

if (import.meta.main) {
  try {
    main()
  } catch (error) {
    console.error((error as Error).message)
    process.exitCode = 1
  }
}
