import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import type { RunContext } from '../../../../src/context.ts'
import { withDeployment } from '../../../../src/operations/steps/deployment.ts'

it('a deployment whose beginning fails while the work goes on ends by the error of the work', async () => {
  const stopped = new Error('stopped')
  const context = {
    deps: { workspace: '/' },
    inputs: { deployments: true, workingDirectory: '.' },
    trigger: { runUrl: 'https://github.com/octo-org/daybreak/actions/runs/1' },
    bestEffort: () => Promise.reject(stopped),
    finalUpdate: async () => null,
  } as unknown as RunContext
  const unseen: unknown[] = []
  const note = (error: unknown) => void unseen.push(error)
  process.on('unhandledRejection', note)
  const target = {
    environment: 'production',
    commit: { sha: 'a'.repeat(40) },
    purpose: { kind: 'branch' },
  } as const
  const work = async () => {
    await sleep(30)
    throw stopped
  }
  await expect(withDeployment(target, { appId: 'a.b', channelName: 'c' }, context, work)).rejects.toBe(
    stopped,
  )
  process.off('unhandledRejection', note)
  expect(unseen).toEqual([])
})
