/** Whether every workflow, and every YAML block of the documents, is one that GitHub would take, and says what is true. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { readTesterForm } from '../../src/inputs/tester-form.ts'
import { type Block, yamlBlocks } from '../workflow-runner/page.ts'
import {
  calledFile,
  isReadyMade,
  OWN_ACTION,
  ROOT,
  type Step,
  type Workflow,
  workflowFiles,
} from '../workflow-runner/workflow.ts'
import { findProblems, wrap } from './lint.ts'

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const { inputs: ownInputs } = parse(read('action.yml')) as {
  inputs: Readonly<Record<string, { readonly default?: string }>>
}
const ownNames = Object.keys(ownInputs)
const isOurs = ({ uses = '' }: Step) =>
  uses.startsWith(`${OWN_ACTION}@`) || uses === '$/.github/actions/capgo' || uses === './'
const jobsOf = (workflow: Workflow) => Object.values(workflow.jobs)
const stepsOf = (workflow: Workflow) => jobsOf(workflow).flatMap(({ steps }) => steps ?? [])
const eventsOf = ({ on }: Workflow): string[] => (typeof on === 'string' ? [on] : Object.keys(on))

/** Steps with our action name inputs that it has, and jobs that call a ready-made workflow what that has. */
function findUnknownNames(workflow: Workflow): string[] {
  const tooMany = (given: unknown, known: readonly string[], where: string) =>
    Object.keys((given ?? {}) as object)
      .filter(name => !known.includes(name))
      .map(name => `${where} has no "${name}"`)
  const steps = stepsOf(workflow).filter(isOurs)
  const calls = jobsOf(workflow).filter(({ uses }) => uses?.startsWith(`${OWN_ACTION}/`))
  return [
    ...steps.flatMap(step => tooMany(step.with, ownNames, 'action.yml')),
    ...calls.flatMap(job => {
      const file = calledFile(job.uses!)
      const { inputs = {}, secrets = {} } = (parse(read(file)) as Workflow).on.workflow_call!
      const given = job.secrets === 'inherit' ? {} : job.secrets
      return [
        ...tooMany(job.with, Object.keys(inputs!), file),
        ...tooMany(given, Object.keys(secrets!), file),
      ]
    }),
  ]
}

const own = workflowFiles('.github/workflows')
const readyMade = own.filter(isReadyMade)
const toCopy = [
  ...workflowFiles('docs/workflows'),
  ...globSync('examples/**/.github/workflows/*.{yml,yaml}', { cwd: ROOT, exclude: ['**/node_modules'] }),
]
const pages = ['README.md', ...globSync(['docs/**/*.md', 'examples/*/README.md'], { cwd: ROOT })]
const blocks = pages
  .flatMap(yamlBlocks)
  .map((block): [string, Block] => [`${block.page}:${block.line}`, block])

describe.each([...own, ...toCopy])('%s', file => {
  const text = read(file)
  const workflow = parse(text) as Workflow

  it('is a workflow, with names that there are', async () => {
    // Under a path where it would be on GitHub: the linter looks at workflows alone.
    expect(await findProblems(text, `.github/workflows/${file.split('/').at(-1)}`)).toEqual([])
    expect(findUnknownNames(workflow)).toEqual([])
  })

  it('says what its token may', () => {
    expect(workflow.permissions).toBeDefined()
  })

  it('runs no code of a pull request beside a secret', () => {
    const steps = stepsOf(workflow)
    if (eventsOf(workflow).some(event => /^(workflow_run|pull_request_target)$/.test(event))) {
      expect(steps.filter(({ run }) => run !== undefined)).toEqual([])
      for (const step of steps.filter(isOurs))
        expect(step.with).toMatchObject({ build: false, 'app-id': expect.any(String) })
      expect(steps.filter(step => step.with?.ref !== undefined)).toEqual([])
    }
    // What builds for forks has nothing to lose. Other builds beside a secret are of the repository's own branches.
    if (file.endsWith('preview-build.yml')) expect(text).not.toMatch(/secrets[.:]|write/)
  })
})

describe.each(own)('%s', file => {
  const text = read(file)

  it('pins what others wrote by a SHA, with its version beside it', () => {
    const uses = [...text.matchAll(/^[\s-]*uses: *(.+)$/gm)].map(([, value]) => value!)
    expect(uses.length).toBeGreaterThan(0)
    const pinned = /^[\w.-]+(\/[\w.-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/
    expect(uses.filter(value => !/^\$\/|^\.\//.test(value) && !pinned.test(value))).toEqual([])
  })

  it('gives a reason for each permission', () => {
    const given = text.split('\n').filter(line => /^ +[a-z-]+: (read|write)\b/.test(line))
    expect(given.filter(line => !/# \w+/.test(line))).toEqual([])
  })

  it('leaves no token in the folder where code is installed and built', () => {
    const checkouts = stepsOf(parse(text) as Workflow).filter(({ uses }) =>
      uses?.startsWith('actions/checkout@'),
    )
    expect(checkouts.filter(step => step.with?.['persist-credentials'] !== false)).toEqual([])
  })
})

describe.each(readyMade)('%s, called from elsewhere,', file => {
  const text = read(file)
  const workflow = parse(text) as Workflow
  const { inputs = {}, secrets = {}, outputs = {} } = workflow.on.workflow_call!

  it('describes every input, secret and output, and passes each on', () => {
    for (const [name, each] of Object.entries({ ...inputs, ...secrets, ...outputs }))
      expect(each.description, name).toMatch(/^.{10,}$/s)
    for (const name of Object.keys(inputs))
      expect(text).toMatch(new RegExp(`\\$\\{\\{.*\\binputs\\.${name}\\b`))
    for (const name of Object.keys(secrets)) expect(text).toContain(`\${{ secrets.${name} }}`)
  })

  it('has the defaults that the action has', () => {
    for (const [name, { default: value = '', required }] of Object.entries(inputs))
      if (name in ownInputs && !required)
        expect(`${name}: ${value}`).toBe(`${name}: ${ownInputs[name]!.default ?? ''}`)
  })

  it('lets no job have what it does not ask for, and ends none that publishes', () => {
    expect(workflow.permissions).toEqual({})
    for (const job of jobsOf(workflow)) {
      expect(job.permissions).toBeDefined()
      expect(job['timeout-minutes']).toBeDefined()
      const { 'cancel-in-progress': cancels } = (job.concurrency ?? {}) as Record<string, unknown>
      if (job.steps!.some(isOurs)) expect(cancels ?? false).toBe(false)
    }
  })
})

describe('what users copy', () => {
  const pins = own.flatMap(file => [...read(file).matchAll(/uses: ([\w./-]+)@[0-9a-f]{40} # (v\d+)\./g)])
  const majors = new Map(pins.map(([, action, major]) => [action!, major!]))

  it.each([...toCopy, ...pages])('%s names the major versions that our own workflows pin', file => {
    const named = [...read(file).matchAll(/uses: ([\w./-]+)@v\d+\b/g)]
    for (const [use, action = ''] of named)
      if (majors.has(action)) expect(use).toBe(`uses: ${action}@${majors.get(action)}`)
  })
})

/** Inputs of action.yml that a ready-made workflow does not take, with the reason; of all of them, or of those that are named. */
const LEFT_OUT: readonly (readonly [
  inputs: readonly string[],
  files: readonly string[] | 'all',
  reason: string,
])[] = [
  [['github-token'], 'all', "its default is the job's own token, whose permissions the workflow names"],
  [['timeout'], 'all', "the job's timeout-minutes ends it"],
  [
    ['files-url', 'database-url', 'database-key', 'console-url', 'plugin-url'],
    'all',
    'api-url tells them; a server that tells them wrong needs a workflow of its own',
  ],
  [['deployments'], 'all', 'the workflow has the permission for them, and asks the caller for it'],
  [
    ['comment'],
    ['publish', 'preview', 'preview-publish', 'promote', 'rollback', 'status'],
    'the workflow has the permission for it, and asks the caller for it',
  ],
  [
    ['source-maps', 'source-maps-artifact', 'source-maps-retention-days'],
    'all',
    'what is done with source maps follows from the service that reads them, which takes steps of its own',
  ],
  [
    ['join-approve', 'join-channels', 'join-groups', 'join-days', 'join-label'],
    ['publish', 'preview', 'preview-publish', 'promote', 'rollback', 'status', 'testers'],
    'join.yml answers requests of testers',
  ],
  [['keep'], 'all', 'none of them deletes old bundles'],
  [['device-filter', 'show-ids'], 'all', 'none of them lists devices'],
  [
    ['min-update-version'],
    'all',
    'it belongs to one release, as a rule to one commit; by default it follows',
  ],
  [['operation'], ['publish', 'preview', 'preview-publish'], 'auto, since the event of the caller decides'],
  [
    ['from', 'to', 'force'],
    ['publish', 'preview', 'preview-publish', 'status', 'testers', 'join'],
    'not of this operation',
  ],
  [['from'], ['rollback'], 'not of this operation'],
  [
    ['channel'],
    ['preview', 'preview-publish', 'promote', 'status', 'testers', 'join'],
    'preview-channel, from and to name channels',
  ],
  [
    ['rollout'],
    ['preview', 'preview-publish', 'rollback', 'status', 'testers', 'join'],
    'goes to all devices of the channel',
  ],
  [
    ['on-active-rollout'],
    ['preview', 'preview-publish', 'status', 'testers', 'join'],
    'no rollout is touched',
  ],
  [['verify', 'dry-run'], ['preview', 'preview-publish'], 'a preview is the trial'],
  [['verify'], ['testers', 'join'], 'nothing is published'],
  [['verify', 'dry-run'], ['status'], 'it reads only'],
  [['version'], ['preview', 'preview-publish'], 'a preview derives its name'],
  [['artifact'], ['publish', 'preview'], 'nothing is taken from another run'],
  [
    ['web-dir', 'build-script', 'build-env', 'build-secrets'],
    ['preview-publish'],
    'the web build is made by preview-build.yml',
  ],
  [
    ['build'],
    ['publish', 'preview'],
    'they build; a build of other kinds of steps needs a workflow of its own',
  ],
  [
    ['preview-channel', 'preview-label', 'preview-drafts'],
    ['publish'],
    'it publishes no pull request, and asks GitHub which are open',
  ],
  [
    ['channels', 'version', 'web-dir', 'build', 'build-script', 'build-env', 'build-secrets', 'artifact'],
    ['promote', 'rollback', 'status', 'testers', 'join'],
    'nothing is built or mapped; where the config needs variables, app-id takes its place',
  ],
  [
    ['check-notify-app-ready', 'delta'],
    ['promote', 'rollback', 'status', 'testers', 'join'],
    'nothing is stored',
  ],
  [
    ['private-key'],
    ['promote', 'rollback', 'status', 'testers', 'join'],
    'nothing is encrypted; the public key of the config reads',
  ],
  [['native-version'], ['status', 'testers', 'join'], 'no bundle is judged'],
  [['on-incompatible'], ['rollback', 'status', 'testers', 'join'], 'no native code is compared'],
  [
    [
      'preview-channel',
      'preview-label',
      'preview-drafts',
      'testers-file',
      'assign-testers',
      'prune',
      'devices-token',
    ],
    ['promote', 'rollback', 'status'],
    'no preview and no device is touched',
  ],
  [['preview-channel'], ['testers', 'join'], 'the notes on the bundles tell the channels of previews'],
]

describe.each(readyMade)('%s', file => {
  const name = file.split('/').at(-1)!.replace('.yml', '')
  const steps = stepsOf(parse(read(file)) as Workflow).filter(isOurs)

  it('passes each input of action.yml, or has a reason not to', () => {
    const reasons = LEFT_OUT.filter(([, files]) => files === 'all' || files.includes(name))
    const leftOut = reasons.flatMap(([inputs]) => inputs)
    for (const step of steps) {
      const passed = Object.keys(step.with ?? {})
      expect([...passed, ...leftOut].sort()).toEqual([...ownNames].sort())
    }
  })

  it('passes inputs and secrets under their own names', () => {
    for (const step of steps)
      for (const [input, value] of Object.entries(step.with ?? {})) {
        const from = /^\$\{\{ (?:inputs|secrets)\.([\w-]+) \}\}$/.exec(String(value))?.[1]
        expect(from ?? input).toBe(input)
      }
  })
})

it('testers.yml does on every event what it is for', () => {
  const { jobs } = parse(read('.github/workflows/testers.yml')) as Workflow
  for (const job of Object.values(jobs)) expect(job.if).toBeUndefined()
})

it('the form of testers is one that GitHub takes, with the labels that the action reads', () => {
  interface Field {
    readonly type: string
    readonly id: string
    readonly attributes: { readonly label: string; readonly options?: readonly string[] }
  }
  const text = read('docs/issue-forms/tester.yml')
  const shown = parse(text) as Readonly<Record<string, unknown>> & { readonly body: readonly Field[] }
  expect(Object.keys(shown)).toEqual(['name', 'description', 'title', 'labels', 'body'])
  // The rest of it is a comment that people uncomment.
  const { body } = parse(text.replace(/^# {2}/gm, '  ').replace(/^#.*\n/gm, '')) as typeof shown
  expect(body.length).toBe(shown.body.length + 3)
  const answerOf = ({ id, attributes: { options } }: Field) =>
    options?.[0] ?? { device: 'e5e00000-0000-4000-8000-000000000003', name: 'Eve', until: '2027-03-31' }[id]
  for (const { type, id } of body)
    expect([type, id]).toEqual([
      expect.stringMatching(/^(input|dropdown)$/),
      expect.stringMatching(/^[a-z]+$/),
    ])
  const written = body.map(field => `### ${field.attributes.label}\n\n${answerOf(field)}`).join('\n\n')
  expect(readTesterForm(written)).toEqual({
    request: {
      action: 'join',
      device: 'e5e00000-0000-4000-8000-000000000003',
      name: 'Eve',
      channel: 'beta',
      group: 'qa',
      until: '2027-03-31',
    },
  })
})

describe.each(blocks)('the block at %s', (_where, { text }) => {
  it('is a workflow or a piece of one, with names that there are', async () => {
    const { text: whole, isPiece } = wrap(text, ownNames)
    expect(await findProblems(whole, '.github/workflows/block.yml', isPiece), whole).toEqual([])
    const workflow = parse(whole) as Workflow
    expect(findUnknownNames(workflow)).toEqual([])
    const isOfOurs =
      jobsOf(workflow).some(({ uses }) => uses?.startsWith(OWN_ACTION)) || stepsOf(workflow).some(isOurs)
    if (!isPiece && isOfOurs) expect(workflow.permissions).toBeDefined()
  })
})

describe('a block', () => {
  const ours = `- uses: ${OWN_ACTION}@v1`
  it.each([
    ['steps', `${ours}\n  with:\n    channel: beta`],
    ['one step', `uses: ${OWN_ACTION}@v1\nwith:\n  channel: beta`],
    ['what our step has', 'with:\n  channels: |\n    main: production # here\n  dry-run: true'],
    ['inputs', 'channel: beta\nverify: true'],
    ['a job', `if: \${{ needs.x.outputs.y }}\nneeds: x\nsteps:\n  ${ours}`],
    ['jobs', `one:\n  runs-on: ubuntu-latest\n  steps:\n    ${ours}`],
    ['events', "on:\n  schedule:\n    - cron: '17 5 * * 1'"],
    ['permissions', 'permissions:\n  contents: read'],
    ['a call', `uses: ${OWN_ACTION}/.github/workflows/publish.yml@v1\nwith:\n  channel: beta`],
    ['what a call has', 'with:\n  channel: beta\nsecrets:\n  capgo-token: x'],
  ])('of %s is wrapped and right', async (_shape, text) => {
    const { text: whole } = wrap(text, ownNames)
    expect(await findProblems(whole, '.github/workflows/block.yml', true), whole).toEqual([])
    expect(findUnknownNames(parse(whole) as Workflow)).toEqual([])
  })

  it.each([
    ['an unknown key', '- uses: a/b@v1\n  wiht: {}', ['wiht']],
    ['an unknown permission', 'permissions:\n  content: read', ['content']],
    ['an unknown event', 'on: [pusch]', ['pusch']],
    ['an unknown context', `- run: echo "\${{ secret.X }}"`, ['secret']],
    ['a wrong schedule', "on:\n  schedule:\n    - cron: '77 5 * * 1'", ['cron']],
  ])('with %s is found out', async (_what, text, words) => {
    const problems = await findProblems(wrap(text, ownNames).text, '.github/workflows/block.yml', true)
    for (const word of words) expect(problems.join('\n')).toContain(word)
  })

  it('with an input that the action has not is found out', () => {
    const workflow = parse(wrap('with:\n  chanel: beta', ownNames).text) as Workflow
    expect(findUnknownNames(workflow)).toEqual(['action.yml has no "chanel"'])
  })

  it('that is something else is refused', () => {
    for (const text of ['packages:\n  - apps/*', 'just text', '- 1\n- 2'])
      expect(() => wrap(text, ownNames)).toThrow('```yaml other')
  })
})

it('the gate of CI waits for every job', () => {
  const { gate, ...jobs } = (parse(read('.github/workflows/ci.yml')) as Workflow).jobs
  expect([...(gate!.needs as string[])].sort()).toEqual(Object.keys(jobs).sort())
  expect(gate!.if).toBe('always()')
})

it('the README shows the workflow that docs/workflows holds', () => {
  const shown = yamlBlocks('README.md').find(({ text }) =>
    text.startsWith('# .github/workflows/live-update.yml'),
  )
  expect(parse(shown!.text)).toEqual(parse(read('docs/workflows/live-update.yml')))
})

it('the artifact that one workflow keeps is the one that the other takes', () => {
  const build = parse(read('docs/workflows/preview-build.yml')) as Workflow
  const kept = stepsOf(build).find(({ uses }) => uses?.startsWith('actions/upload-artifact@'))
  expect(kept?.with?.name).toBe(ownInputs.artifact?.default)
})
