import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'

const ROOT = join(import.meta.dirname, '../..')
const FOLDER = join(ROOT, 'docs/workflows')
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')

interface Step {
  readonly uses?: string
  readonly run?: string
  readonly with?: Readonly<Record<string, unknown>>
}
interface Workflow {
  readonly on: string | Readonly<Record<string, unknown>>
  readonly permissions: Readonly<Record<string, string>>
  readonly jobs: Readonly<Record<string, { readonly steps: readonly Step[] }>>
}

const { inputs } = parse(read('action.yml')) as { inputs: Readonly<Record<string, unknown>> }
const files = readdirSync(FOLDER)
const workflows = files.map(file => [file, parse(read(`docs/workflows/${file}`)) as Workflow] as const)
const isOurs = ({ uses }: Step) => uses?.startsWith('OWNER/capgo-publish-action@') ?? false
const stepsOf = ({ jobs }: Workflow) => Object.values(jobs).flatMap(({ steps }) => steps)
const eventsOf = ({ on }: Workflow) => (typeof on === 'string' ? [on] : Object.keys(on))

describe.each(workflows)('docs/workflows/%s', (_file, workflow) => {
  it('names inputs that the action has, and its permissions', () => {
    for (const step of stepsOf(workflow).filter(isOurs))
      expect(Object.keys(inputs)).toEqual(expect.arrayContaining(Object.keys(step.with ?? {})))
    expect(Object.keys(workflow.permissions)).not.toEqual([])
  })

  it('runs no code of a pull request beside a secret', () => {
    const isPrivileged = eventsOf(workflow).some(event => /^(workflow_run|pull_request_target)$/.test(event))
    const steps = stepsOf(workflow)
    if (isPrivileged) {
      expect(steps.filter(({ run }) => run !== undefined)).toEqual([])
      expect(steps.find(isOurs)?.with).toMatchObject({ build: false, 'app-id': expect.any(String) })
      expect(steps.map(step => step.with?.ref)).toEqual(steps.map(() => undefined))
    }
    if (steps.some(({ run }) => run !== undefined)) expect(JSON.stringify(workflow)).not.toContain('secrets.')
  })
})

it('the README shows the workflow that docs/workflows holds', () => {
  const [, shown] = /```yaml\n# \.github\/workflows\/live-update\.yml\n([\s\S]*?)```/.exec(read('README.md'))!
  expect(parse(shown!)).toEqual(parse(read('docs/workflows/live-update.yml')))
})

it('the artifact that one workflow keeps is the one that the other takes', () => {
  const build = workflows.find(([file]) => file === 'preview-build.yml')![1]
  const kept = stepsOf(build).find(({ uses }) => uses?.startsWith('actions/upload-artifact@'))
  expect(kept?.with?.name).toBe((inputs.artifact as { default: string }).default)
})
