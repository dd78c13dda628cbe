import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import type { WorkflowEvent } from '../../local/runner/event.ts'

export const ROOT = join(import.meta.dirname, '../..')
export const OWN_ACTION = 'OWNER/capgo-publish-action'
const CALLED = new RegExp(`^${OWN_ACTION}/(\\.github/workflows/[\\w-]+\\.yml)@v1$`)

export interface Step {
  readonly id?: string
  readonly name?: string
  readonly if?: unknown
  readonly uses?: string
  readonly run?: string
  readonly with?: Readonly<Record<string, unknown>>
  readonly env?: Readonly<Record<string, unknown>>
  readonly shell?: string
  readonly 'working-directory'?: string
}

export interface Job {
  readonly if?: unknown
  readonly needs?: string | readonly string[]
  readonly permissions?: Permissions
  readonly uses?: string
  readonly with?: Readonly<Record<string, unknown>>
  readonly secrets?: 'inherit' | Readonly<Record<string, unknown>>
  readonly env?: Readonly<Record<string, unknown>>
  readonly environment?: unknown
  readonly concurrency?: unknown
  readonly outputs?: Readonly<Record<string, unknown>>
  readonly defaults?: { readonly run: { readonly shell: string } }
  readonly steps?: readonly Step[]
  readonly strategy?: unknown
  readonly 'runs-on'?: unknown
  readonly 'timeout-minutes'?: number
}

export type Permissions = Readonly<Record<string, string>>

export interface Declared {
  readonly description?: string
  readonly type?: 'string' | 'boolean' | 'number' | 'choice'
  readonly required?: boolean
  readonly default?: unknown
  readonly options?: readonly string[]
}

interface Filter {
  readonly types?: readonly string[]
  readonly branches?: readonly string[]
  readonly tags?: readonly string[]
  readonly workflows?: readonly string[]
  readonly inputs?: Readonly<Record<string, Declared>>
}

interface Call {
  readonly inputs?: Readonly<Record<string, Declared>>
  readonly secrets?: Readonly<Record<string, { readonly description?: string; readonly required?: boolean }>>
  readonly outputs?: Readonly<Record<string, { readonly description?: string; readonly value: string }>>
}

export interface Workflow {
  /** Path from the root of the repository, or what else it came from. */
  readonly file: string
  readonly name: string
  readonly on: Readonly<Record<string, Filter | null>> & { readonly workflow_call?: Call | null }
  readonly permissions?: Permissions
  readonly concurrency?: unknown
  readonly env?: Readonly<Record<string, unknown>>
  readonly jobs: Readonly<Record<string, Job>>
}

/** What is not listed here is not run, and so must not be written. */
const WORKFLOW_KEYS = ['name', 'on', 'permissions', 'concurrency', 'env', 'jobs']
const JOB_KEYS = [
  ...['name', 'if', 'needs', 'permissions', 'uses', 'with', 'secrets', 'env', 'environment', 'concurrency'],
  ...['outputs', 'defaults', 'steps', 'runs-on', 'timeout-minutes'],
]
const STEP_KEYS = ['id', 'name', 'if', 'uses', 'run', 'with', 'env', 'shell', 'working-directory']

/** The workflow of this text, with `on` as a map. Throws where it has what the runner here does not know. */
export function readWorkflow(file: string, text: string): Workflow {
  const raw = parse(text) as Omit<Workflow, 'file' | 'name'> & { readonly name?: string }
  const on: unknown = raw.on
  const events = typeof on === 'string' ? { [on]: null } : Array.isArray(on) ? toKeys(on as string[]) : on
  refuseUnknown(file, raw, WORKFLOW_KEYS)
  for (const [id, job] of Object.entries(raw.jobs)) {
    refuseUnknown(`${file}, job ${id}`, job, JOB_KEYS)
    for (const [index, step] of (job.steps ?? []).entries())
      refuseUnknown(`${file}, job ${id}, step ${index + 1}`, step, STEP_KEYS)
  }
  return { ...raw, file, name: raw.name ?? file, on: events as Workflow['on'] }
}

export const loadWorkflow = (file: string): Workflow =>
  readWorkflow(file, readFileSync(join(ROOT, file), 'utf8'))

/** The file of this project that a job calls. */
export function calledFile(uses: string): string {
  const file = CALLED.exec(uses)?.[1]
  if (file === undefined) throw new Error(`No ready-made workflow: ${uses}`)
  return file
}

/** The workflows of a folder, by path from the root; the text tells which are ready-made ones. */
export function workflowFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder))
    .filter(name => /\.ya?ml$/.test(name))
    .map(name => `${folder}/${name}`)
}

export const isReadyMade = (file: string): boolean =>
  /^ {2}workflow_call:\n {4}inputs:/m.test(readFileSync(join(ROOT, file), 'utf8'))

/** Whether the event starts the workflow. */
export function starts({ on }: Workflow, { name, payload, ref }: WorkflowEvent): boolean {
  const filter = on[name]
  if (filter === undefined) return false
  const { types, branches, tags } = filter ?? {}
  const action = payload.action as string | undefined
  const usual = name.startsWith('pull_request') ? ['opened', 'synchronize', 'reopened'] : undefined
  const wanted = types ?? usual
  if (wanted !== undefined && action !== undefined && !wanted.includes(action)) return false
  if (name !== 'push') return true
  const [, kind, short] = /^refs\/(heads|tags)\/(.+)$/.exec(ref)!
  if (branches === undefined && tags === undefined) return true
  return ((kind === 'heads' ? branches : tags) ?? []).some(pattern => toPattern(pattern).test(short!))
}

/** GitHub's filter patterns; `+`, `?` and `[]` are those of regular expressions. */
function toPattern(filter: string): RegExp {
  const wild: Record<string, string> = { '**': '.*', '*': '[^/]*', '.': '\\.' }
  return new RegExp(`^${filter.replaceAll(/\*\*|\*|\./g, found => wild[found]!)}$`)
}

function toKeys(names: readonly string[]): Record<string, null> {
  return Object.fromEntries(names.map(name => [name, null]))
}

function refuseUnknown(where: string, value: object, known: readonly string[]): void {
  const unknown = Object.keys(value).filter(key => !known.includes(key))
  if (unknown.length > 0) throw new Error(`${where}: the runner does not know ${unknown.join(', ')}.`)
}
