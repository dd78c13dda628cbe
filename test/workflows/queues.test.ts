/**
 * GitHub keeps one waiting run of a concurrency group and cancels the one that waited before. So runs that are about
 * different things must not share a group, in any workflow that users take or call.
 */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { resolve, toText } from '../workflow-runner/expressions.ts'
import { yamlBlocks } from '../workflow-runner/page.ts'
import { isReadyMade, OWN_ACTION, ROOT, type Workflow, workflowFiles } from '../workflow-runner/workflow.ts'

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const MAIN = 'refs/heads/main'
const fork = { head_repository: { full_name: 'mallory/daybreak' }, head_branch: 'x' }
const pull = (number: number) => ({
  pull_request: { number, head: { ref: 'x', repo: { full_name: 'mallory/daybreak' } } },
})

/** Runs that are about different things; those of one line are about the same, so a newer one may replace an older. */
const MEANINGS: Readonly<Record<string, readonly { event_name: string; ref: string; event?: object }[]>> = {
  'a push to main': [{ event_name: 'push', ref: MAIN }],
  'a push to develop': [{ event_name: 'push', ref: 'refs/heads/develop' }],
  'a tag': [{ event_name: 'push', ref: 'refs/tags/v1' }],
  'the schedule': [{ event_name: 'schedule', ref: MAIN }],
  'a run by hand': [{ event_name: 'workflow_dispatch', ref: MAIN }],
  'issue 45': [{ event_name: 'issues', ref: MAIN, event: { issue: { number: 45 } } }],
  'issue 46': [{ event_name: 'issues', ref: MAIN, event: { issue: { number: 46 } } }],
  'a release': [{ event_name: 'release', ref: 'refs/tags/v1' }],
  // Also when it closes: a run looks at what is true now. The ref of a merged pull request is its base's.
  'pull request 12': [
    { event_name: 'pull_request', ref: 'refs/pull/12/merge', event: pull(12) },
    { event_name: 'pull_request', ref: MAIN, event: pull(12) },
  ],
  'pull request 13': [{ event_name: 'pull_request', ref: 'refs/pull/13/merge', event: pull(13) }],
  'the end of 12, from a fork': [{ event_name: 'pull_request_target', ref: MAIN, event: pull(12) }],
  'the end of 13, from a fork': [{ event_name: 'pull_request_target', ref: MAIN, event: pull(13) }],
  'what was built of x in a fork': [{ event_name: 'workflow_run', ref: MAIN, event: { workflow_run: fork } }],
  'what was built of y in a fork': [
    { event_name: 'workflow_run', ref: MAIN, event: { workflow_run: { ...fork, head_branch: 'y' } } },
  ],
}
const INPUTS = { 'working-directory': '.', 'app-id': '', channel: 'production', to: 'production' }

interface Grouped {
  readonly name: string
  readonly group: string
  readonly events: readonly string[]
}

const eventsOf = ({ on }: Workflow): string[] =>
  typeof on === 'string' ? [on] : Array.isArray(on) ? (on as string[]) : Object.keys(on ?? {})

/** Events of a ready-made workflow are those of its callers. */
function groupsOf(workflow: Workflow, name: string): Grouped[] {
  const { concurrency, jobs } = workflow as Workflow & { concurrency?: unknown }
  const own = eventsOf(workflow)
  const events = own.includes('workflow_call') ? callersOf(name).flatMap(eventsOf) : own
  return [concurrency, ...Object.values(jobs).map(job => job.concurrency)].flatMap(each => {
    const group = typeof each === 'string' ? each : (each as { group?: string } | undefined)?.group
    return group === undefined ? [] : [{ name, group, events }]
  })
}

const isOurs = (text: string) => text.includes(OWN_ACTION) || text.includes('.github/actions/capgo')
const files = [
  ...workflowFiles('.github/workflows').filter(isReadyMade),
  ...workflowFiles('docs/workflows'),
  ...globSync('examples/**/.github/workflows/*.yml', { cwd: ROOT, exclude: ['**/node_modules'] }),
]
const pages = ['README.md', ...globSync(['docs/**/*.md', 'examples/*/README.md'], { cwd: ROOT })]
const texts = [
  ...files.map((name): [string, string] => [name, read(name)]),
  ...pages.flatMap(yamlBlocks).map(({ page, line, text }): [string, string] => [`${page}:${line}`, text]),
]
const grouped = texts
  .filter(([, text]) => isOurs(text) || text.includes('actions/upload-artifact'))
  .filter(([, text]) => 'jobs' in ((parse(text) as object | null) ?? {}))
  .flatMap(([name, text]) => groupsOf(parse(text) as Workflow, name))

function callersOf(file: string): Workflow[] {
  const name = file.split('/').at(-1)!
  return yamlBlocks('docs/reference.md')
    .filter(({ text }) => text.includes(`workflows/${name}@`))
    .map(({ text }) => parse(text) as Workflow)
}

/** What is done to a channel by hand, or when a release comes: which event asks for it makes no difference. */
const isChange = ({ group }: Grouped) => /^capgo-(promote|rollback)-/.test(group)

const nameOf = (group: string, github: object) =>
  toText(resolve(group, { github: { event: {}, ...github }, inputs: INPUTS, matrix: {} }))

it('are found', () => {
  expect(grouped.length).toBeGreaterThan(20)
  expect(grouped.filter(isChange)).toHaveLength(2)
})

describe.each(grouped.filter(each => !isChange(each)).map(each => [each.name, each] as const))(
  'the group of %s',
  (_, { group, events }) => {
    it('is of one meaning alone', () => {
      const isCalled = events.includes('workflow_call')
      const possible = Object.entries(MEANINGS)
        .map(
          ([what, runs]) => [what, runs.filter(run => isCalled || events.includes(run.event_name))] as const,
        )
        .filter(([, runs]) => runs.length > 0)
      expect(possible.length).toBeGreaterThan(0)
      const names = possible.map(([what, runs]) => {
        const own = new Set(runs.map(run => nameOf(group, run)))
        expect(own.size, `${what} has one group`).toBe(1)
        return [...own][0]!
      })
      expect(new Set(names).size, names.join('\n')).toBe(names.length)
    })

    it('has the form of all others: a name, the app, the event, what it is about', () => {
      expect(group).toMatch(
        /^[a-z-]+(-\$\{\{ inputs\.[^}]+ \}\})?-\$\{\{ github\.event_name \}\}(-\$\{\{ github\.[^}]+ \}\})+$/,
      )
    })
  },
)

it('a promotion and a roll-back of one channel have groups of their own, as all ready-made workflows', () => {
  const readyMade = grouped.filter(({ name }) => name.startsWith('.github/'))
  const names = readyMade.map(({ group }) => nameOf(group, { event_name: 'push', ref: MAIN }))
  expect(new Set(names).size, names.join('\n')).toBe(names.length)
  expect(names.length).toBeGreaterThan(5)
})

it('requests of testers: two apps have two copies of the workflow, and a label starts a run of each', () => {
  const { group } = grouped.find(({ name }) => name === 'docs/workflows/join.yml')!
  const [run] = MEANINGS['issue 45']!
  const names = ['join-rider', 'join-driver'].map(name =>
    nameOf(group, { ...run, workflow_ref: `octo-org/app/.github/workflows/${name}.yml@${MAIN}` }),
  )
  expect(new Set(names).size, names.join('\n')).toBe(2)
})

describe('the types that a workflow asks for', () => {
  const workflows = texts
    .filter(([, text]) => /(^|\n)on:/.test(text) && text.includes('jobs:'))
    .filter(([, text]) => isOurs(text) || text.includes('actions/upload-artifact'))
    .map(([name, text]) => [name, parse(text) as Workflow] as const)
  const typesOf = (workflow: Workflow, event: string) =>
    (workflow.on as Record<string, { types?: string[] } | null | undefined>)[event]

  it.each(workflows.filter(([, workflow]) => typesOf(workflow, 'pull_request') !== undefined))(
    '%s: all that matters',
    (_, workflow) => {
      const { types } = typesOf(workflow, 'pull_request')!
      const builds = JSON.stringify(workflow).includes('upload-artifact')
      const calls = JSON.stringify(workflow).includes('preview-build.yml')
      const wanted = builds || calls ? ['labeled'] : ['closed']
      expect(types).toEqual(expect.arrayContaining(['opened', 'synchronize', 'reopened', ...wanted]))
    },
  )

  it.each(workflows.filter(([, workflow]) => typesOf(workflow, 'pull_request_target') !== undefined))(
    '%s: what ends a preview, and nothing else',
    (_, workflow) => {
      expect(typesOf(workflow, 'pull_request_target')?.types).toEqual(['closed', 'unlabeled'])
    },
  )
})
