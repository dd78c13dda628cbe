import { Octokit as Core } from '@octokit/core'
import { paginateRest } from '@octokit/plugin-paginate-rest'
import { restEndpointMethods } from '@octokit/plugin-rest-endpoint-methods'
import { afterEach, expect, onTestFinished } from 'vitest'
import { type LocalGitHub, type Permissions, startGitHub } from '../../../../local/github/index.ts'
import { createRepository } from '../../../../local/repository.ts'

export const REPOSITORY = 'octo-org/daybreak'
/** What every call names. */
export const where = { owner: 'octo-org', repo: 'daybreak' } as const

const RestOctokit = Core.plugin(restEndpointMethods, paginateRest)
export type Octokit = InstanceType<typeof RestOctokit>
export type World = Awaited<ReturnType<typeof createWorld>>

const ALL: Permissions = {
  actions: 'write',
  administration: 'write',
  contents: 'write',
  deployments: 'write',
  issues: 'write',
  'pull-requests': 'write',
}

const running = new Set<LocalGitHub>()

afterEach(async () => {
  for (const github of running) await github.stop()
  running.clear()
})

/** A repository with one commit on a GitHub of its own. `strict: false`: the test expects violations. */
export async function createWorld(options: { private?: boolean; strict?: boolean } = {}) {
  const github = await startGitHub()
  running.add(github)
  if (options.strict !== false) onTestFinished(() => expect(github.violations).toEqual([]))
  const git = createRepository({ files: { 'README.md': 'Daybreak\n' } })
  const hosted = github.addRepository({
    name: REPOSITORY,
    gitDir: git.path,
    private: options.private ?? false,
  })
  const connect = (token: string): Octokit =>
    new RestOctokit({ auth: token, baseUrl: github.url, log: silent })
  return {
    github,
    git,
    hosted,
    connect,
    /** Octokit with the token of a workflow. */
    as: (permissions: Permissions = ALL): Octokit =>
      connect(github.addToken({ repository: REPOSITORY, permissions })),
  }
}

const silent = { debug() {}, info() {}, warn() {}, error() {} }

/** What Octokit throws. */
export async function failure(call: Promise<unknown>): Promise<{
  status: number
  message: string
  response: { headers: Record<string, string>; data: Record<string, unknown> }
}> {
  try {
    await call
  } catch (error) {
    return error as Awaited<ReturnType<typeof failure>>
  }
  throw new Error('It did not fail.')
}
