/** That the runner of the tests does as GitHub does, so that what passes there means something. */
import { describe, expect, it } from 'vitest'
import { dispatchEvent } from '../../local/runner/event.ts'
import { createWorld } from '../scenarios/scenario.ts'
import { evaluate, holds, resolve } from '../workflow-runner/expressions.ts'
import { runWorkflow } from '../workflow-runner/run.ts'
import { readWorkflow } from '../workflow-runner/workflow.ts'

describe('expressions', () => {
  const contexts = { inputs: { yes: true, no: false, name: 'beta', count: 3 }, github: { event: {} } }

  it('keep their type alone, and are text among text', () => {
    expect(resolve('${{ inputs.yes }}', contexts)).toBe(true)
    expect(resolve('v${{ inputs.count }}-${{ inputs.no }}', contexts)).toBe('v3-false')
    expect(resolve({ a: ['${{ inputs.name }}'] }, contexts)).toEqual({ a: ['beta'] })
    expect(resolve('${{ github.event.pull_request.number || inputs.name }}', contexts)).toBe('beta')
    expect(evaluate("format('{0}!', inputs.name)", contexts)).toBe('beta!')
  })

  it('fail on a context that there is not', () => {
    expect(() => evaluate('secret.X', contexts)).toThrow()
  })

  it('ask for success where they ask for no status', () => {
    expect(holds(undefined, contexts, 'success')).toBe(true)
    expect(holds('inputs.yes', contexts, 'failure')).toBe(false)
    expect(holds('failure() && inputs.yes', contexts, 'failure')).toBe(true)
    expect(holds('${{ always() }}', contexts, 'failure')).toBe(true)
    expect(holds("inputs.name == 'other'", contexts, 'success')).toBe(false)
  })
})

describe('a workflow', () => {
  const run = async (jobs: string, inputs: Record<string, string> = {}) => {
    const world = await createWorld()
    const text = `on:
  workflow_dispatch:
    inputs:
      flag: { type: boolean }
permissions: {}
env: { GREETING: hello }
jobs:\n${jobs.replaceAll(/^/gm, '  ')}`
    const event = dispatchEvent({ ref: 'refs/heads/main', sha: world.repo.head, inputs })
    return runWorkflow(readWorkflow('test.yml', text), { world, event })
  }

  it('hands on outputs and variables, and skips what comes after a failure', async () => {
    const result = await run(
      `first:
  outputs: { told: '\${{ steps.tell.outputs.told }}' }
  steps:
    - run: echo "ADDED=$GREETING world" >> "$GITHUB_ENV"
    - id: tell
      run: echo "told=$ADDED, \${{ env.ADDED }}, \${{ inputs.flag }}" >> "$GITHUB_OUTPUT"
second:
  needs: first
  steps:
    - run: test "$TOLD" = "hello world, hello world, true"
      env: { TOLD: '\${{ needs.first.outputs.told }}' }
    - run: exit 3
    - run: echo never
    - if: failure()
      run: echo after
third:
  needs: second
  steps: [{ run: echo never }]
last:
  if: always()
  needs: [second, third]
  steps:
    - run: test "\${{ join(needs.*.result, ' ') }}" = "failure skipped"`,
      { flag: 'true' },
    )
    expect(result.jobs.map(job => job.result)).toEqual(['success', 'failure', 'skipped', 'success'])
    expect(result.jobs[1]!.steps.map(step => step.result)).toEqual([
      'success',
      'failure',
      'skipped',
      'success',
    ])
    expect(result.result).toBe('failure')
  })

  it.each([
    ['an action that nobody knows', 'a:\n  steps: [{ uses: someone/else@v1 }]', 'no someone/else@v1'],
    [
      'an input that the action has not',
      'a:\n  steps: [{ uses: actions/checkout@v7, with: { reff: x } }]',
      'reff',
    ],
    ['a key that the runner does not know', 'a:\n  container: x\n  steps: []', 'container'],
    ['jobs that wait for one another', 'a:\n  needs: a\n  steps: []', 'wait for one another'],
  ])('with %s is refused', async (_what, jobs, message) => {
    await expect(run(jobs)).rejects.toThrow(message)
  })

  it('that does not start on the event is refused', async () => {
    const world = await createWorld()
    const event = dispatchEvent({ ref: 'refs/heads/main', sha: world.repo.head })
    const workflow = readWorkflow('test.yml', 'on: push\npermissions: {}\njobs: {}')
    await expect(runWorkflow(workflow, { world, event })).rejects.toThrow('does not start')
  })
})
