/*
 * What many testers cost: the built action against the local Capgo with its limits on. Counts, not seconds, are what
 * is held to; seconds are shown.
 *
 *   node bench/testers.ts          10,000 testers with 12 changes
 *   node bench/testers.ts --long   and 3,000 changes, and 1,500 that are killed in the middle (seven minutes)
 */

import { startTestCapgo } from '../local/app.ts'
import { startGitHub } from '../local/github/index.ts'
import { createRepository } from '../local/repository.ts'
import { pushEvent } from '../local/runner/event.ts'
import { type ActionProcess, runAction } from '../local/runner/runner.ts'

const REPOSITORY = 'octo-org/daybreak'
const idOf = (n: number) => `${n.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`
const fileOf = (from: number, to: number) =>
  JSON.stringify(
    Array.from({ length: to - from }, (_, n) => ({ device: idOf(from + n), channel: 'beta' })),
    null,
    1,
  )

export interface Measured {
  readonly requests: number
  readonly writes: number
  readonly refused: number
  readonly seconds: number
  readonly outcome: string
}

/** Testers `known` are on the channel already; the file that is pushed lists `wanted`. Both from and to. */
async function converge(
  known: readonly [number, number],
  wanted: readonly [number, number],
  killAfter: number | null,
): Promise<Measured[]> {
  const capgo = await startTestCapgo({ role: 'app_developer' })
  const github = await startGitHub()
  try {
    const { server, appId } = capgo
    server.seedChannel({ appId, name: 'beta', public: false })
    const { store } = server
    store.transaction(() => {
      for (let n = known[0]; n < known[1]; n++)
        server.seedOverride({ appId, deviceId: idOf(n), channel: 'beta' })
    })
    const files = (range: readonly [number, number]) => ({ 'testers.json': fileOf(...range) })
    const repository = createRepository({ files: files(known) })
    const before = repository.head
    repository.commit(files(wanted))
    github.addRepository({ name: REPOSITORY, gitDir: repository.path, private: true })
    const githubToken = github.addToken({ repository: REPOSITORY, permissions: { contents: 'read' } })
    const once = async (kill: number | null): Promise<Measured> => {
      const first = server.requests.length
      const action: ActionProcess = runAction({
        repo: repository.path,
        event: pushEvent({ branch: 'main', sha: repository.head, before }),
        // Nothing is published: the branch is mapped to no channel.
        inputs: { ...capgo.inputs, 'app-id': appId, channels: 'live: production' },
        secrets: [capgo.token],
        githubToken,
        apiUrl: github.url,
        runNumber: 1,
      })
      const watch =
        kill === null
          ? undefined
          : setInterval(() => {
              if (server.requests.length - first > kill) action.kill('SIGKILL')
            }, 50)
      const run = await action
      clearInterval(watch)
      const requests = server.requests.slice(first)
      return {
        requests: requests.length,
        writes: requests.filter(({ method, path }) => method !== 'GET' && !path.includes('/rpc/')).length,
        refused: requests.filter(({ status }) => status === 429).length,
        seconds: run.durationMs / 1000,
        outcome: run.signal ?? (run.exitCode === 0 ? (run.outputs.testers ?? '') : run.visibleLog),
      }
    }
    const runs = killAfter === null ? [] : [await once(killAfter)]
    return [...runs, await once(null)]
  } finally {
    await Promise.all([capgo.stop(), github.stop()])
  }
}

/** 10,000 testers, of whom 6 are new and 6 have left. */
export const manyTesters = () => converge([0, 10_000], [6, 10_006], null)
/** 3,000 testers that are all new. */
const manyChanges = () => converge([0, 0], [0, 3_000], null)
/** 1,500 of them; the first run is killed after a third. */
const killed = () => converge([0, 0], [0, 1_500], 500)

function show(title: string, runs: readonly Measured[]): void {
  console.log(title)
  for (const { requests, writes, refused, seconds, outcome } of runs)
    console.log(
      `  ${requests} requests, ${writes} of them write, ${refused} refused with 429, ${seconds.toFixed(1)} s: ${outcome}`,
    )
}

if (import.meta.main) {
  show('10,000 testers, 12 changes', await manyTesters())
  if (process.argv.includes('--long')) {
    show('3,000 changes', await manyChanges())
    show('1,500 changes, killed in the middle and run again', await killed())
  }
}
