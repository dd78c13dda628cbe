import { randomUUID } from 'node:crypto'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { type Context, Hono } from 'hono'
import { FaultList } from '../capgo/faults.ts'
import { acceptedPermissions, authorize, loginOf, personOf, type TokenSeed, Tokens } from './access.ts'
import { type Answer, type Call, type Handler, notFound, ok, Refusal } from './answers.ts'
import { createArtifactService } from './artifact-service.ts'
import { createFileStore } from './file-store.ts'
import { answerGraphql } from './graphql.ts'
import {
  API_VERSION,
  answerHeaders,
  type Bindings,
  type GitHubRequest,
  listen,
  recordRequest,
  send,
  strike,
} from './http.ts'
import { checkAnswer, checkRequestBody, findOperation, type Operation, readParameters } from './openapi.ts'
import { actions } from './operations/actions.ts'
import { branches } from './operations/branches.ts'
import { commits } from './operations/commits.ts'
import { deployments } from './operations/deployments.ts'
import { issues } from './operations/issues.ts'
import { pulls } from './operations/pulls.ts'
import type { Clock } from './records.ts'
import { createResources } from './resources.ts'
import type { RepositorySeed } from './seeds.ts'
import { HostedRepository } from './state.ts'

export type { Permissions, TokenSeed } from './access.ts'
export { runtimeToken } from './artifact-service.ts'
export { primaryRateLimit, secondaryRateLimit } from './rate-limits.ts'
export type * from './records.ts'
export type * from './records.ts'
export type * from './seeds.ts'
export type * from './seeds.ts'
export type * from './state.ts'

export interface GitHubOptions {
  /** Default: a free one. */
  readonly port?: number
  /** Origin of the pages that answers link to. */
  readonly serverUrl?: string
  /** Default: the machine's. */
  readonly now?: () => Date
}

/** Something that GitHub's description of its API does not allow. */
interface Violation {
  /** `POST /repos/…`. */
  readonly request: string
  /** `server`: this server itself failed. */
  readonly where: 'operation' | 'headers' | 'path' | 'query' | 'request body' | 'answer' | 'server'
  readonly problems: readonly string[]
}

export interface LocalGitHub extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`: the runner's `GITHUB_API_URL`. */
  readonly url: string
  /** Origin from which artifacts are downloaded. */
  readonly filesUrl: string
  /** The runner's `ACTIONS_RESULTS_URL`, where `runtimeToken` is taken. */
  readonly resultsUrl: string
  /** In order; tokens are not in them. */
  readonly requests: readonly GitHubRequest[]
  /** A test asserts that it is empty. */
  readonly violations: readonly Violation[]
  readonly faults: FaultList
  addRepository(seed: RepositorySeed): HostedRepository
  /** As its owner does in the settings: who asks for the old name is led to the repository. */
  renameRepository(name: string, to: string): void
  /** Throws where there is none. */
  repository(name: string): HostedRepository
  /** Returns the token. */
  addToken(seed: TokenSeed): string
  stop(): Promise<void>
}

const handlers: Readonly<Record<string, Handler>> = {
  ...actions,
  ...branches,
  ...commits,
  ...deployments,
  ...issues,
  ...pulls,
}

/**
 * A GitHub of one's own on 127.0.0.1. Every request and answer is held against GitHub's description of its REST API:
 * what that does not know is answered with status 500 and kept in `violations`.
 */
export async function startGitHub(options: GitHubOptions = {}): Promise<LocalGitHub> {
  const { port = 0, serverUrl = 'https://github.com', now = () => new Date() } = options
  let lastId = 1000
  const clock: Clock = {
    now: () => now().toISOString().replace(/\.\d+/, ''),
    nextId: () => ++lastId,
    skipIds: last => {
      lastId = Math.max(lastId, last)
    },
  }
  const repositories = new Map<string, HostedRepository>()
  /** Ids of repositories by the names that they had. */
  const renamed = new Map<string, number>()
  const tokens = new Tokens()
  const requests: GitHubRequest[] = []
  const violations: Violation[] = []
  const faults = new FaultList()
  const signatures = new Map<string, Uint8Array>()

  const app = new Hono<Bindings>()
  app.all('*', async context => {
    const request = await recordRequest(context, requests.length + 1)
    requests.push(request)
    const struck = faults.strike(request)
    const before = await strike(struck, 'before', request, context)
    if (before !== null) return before
    const response = await respond(context, request)
    request.status = response.status
    return (await strike(struck, 'after', request, context)) ?? response
  })
  app.onError((error, { req, env }) => {
    // Who sent it is gone before all of it was here.
    if (env.incoming.socket.destroyed) return RESPONSE_ALREADY_SENT
    violations.push({
      request: `${req.method} ${req.path}`,
      where: 'server',
      problems: [String(error.stack)],
    })
    return send({ status: 500, json: { message: String(error) } })
  })
  // First, as it fails where the port is taken.
  const api = await listen(app, port)
  const files = await listen(createFileStore(signatures), 0)
  // Of its one repository are all runs that nobody described here.
  const repositoryOf = (runId: number) =>
    [...repositories.values()].find(({ runs }) => runs.some(({ id }) => id === runId)) ??
    [...repositories.values()][0] ??
    null
  const results = await listen(
    createArtifactService(() => results.url, repositoryOf),
    0,
  )
  const resources = createResources(api.url, serverUrl)

  async function respond(context: Context<Bindings>, request: GitHubRequest): Promise<Response> {
    const url = new URL(context.req.url)
    const moved = movedTo(url.pathname)
    if (moved !== null)
      return send({ status: 301, headers: { location: `${api.url}${moved}${url.search}` }, json: MOVED })
    if (request.method === 'POST' && url.pathname === '/graphql') return askGraphql(context, request)
    url.pathname = byName(url.pathname)
    const found = findOperation(request.method, url.pathname)
    request.operation = found?.operation.id ?? null
    const violate = (where: Violation['where'], problems: readonly string[]): Response => {
      violations.push({ request: `${request.method} ${request.path}`, where, problems })
      return send({
        status: 500,
        json: { message: `Not as GitHub describes it, ${where}: ${problems.join('; ')}` },
      })
    }
    if (found === null)
      return violate('operation', ['GitHub has no such operation, or openapi.json is without it'])
    const { operation } = found
    const headers = { ...answerHeaders(), ...acceptedPermissions(operation) }

    const version = request.headers['x-github-api-version'] ?? API_VERSION
    if (version !== API_VERSION)
      return violate('headers', [`X-GitHub-Api-Version ${version} is not described here`])
    const path = readParameters(operation, 'path', found.values)
    if (path.problems.length > 0) return violate('path', path.problems)
    const query = readParameters(operation, 'query', Object.fromEntries(url.searchParams))
    if (query.problems.length > 0) return violate('query', query.problems)
    const problems = checkRequestBody(operation, request.body)
    if (problems.length > 0) return violate('request body', problems)

    const answer = await answerOf(operation, {
      authorization: context.req.header('authorization'),
      userAgent: request.headers['user-agent'],
      call: {
        operation,
        path: path.values,
        query: query.values,
        body: (request.body ?? {}) as Call['body'],
        accept: request.headers.accept ?? '',
        url: new URL(url.pathname + url.search, api.url),
        clock,
        resources,
        signArtifact,
      },
    })
    // Raw content is described as JSON and is not.
    const wrong = answer.bytes === undefined ? checkAnswer(operation, answer.status, answer.json) : []
    return wrong.length > 0 ? violate('answer', wrong) : send(answer, headers)
  }

  async function askGraphql(context: Context<Bindings>, request: GitHubRequest): Promise<Response> {
    try {
      const token = tokens.read(context.req.header('authorization'))
      const answer = await answerGraphql(request.body, token, repositories.values())
      if (answer !== null) return send(answer, answerHeaders())
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return send({ status: error.status, json: { message: error.message } })
    }
    violations.push({ request: 'POST /graphql', where: 'operation', problems: ['graphql.ts is without it'] })
    return send({ status: 500, json: { message: 'Nobody described this query.' } })
  }

  async function answerOf(
    operation: Operation,
    given: {
      authorization: string | undefined
      userAgent: string | undefined
      call: Omit<Call, 'repository' | 'login'>
    },
  ): Promise<Answer> {
    try {
      if (!given.userAgent) throw new Refusal(403, 'Request forbidden by administrative rules.')
      const token = tokens.read(given.authorization)
      if (operation.id === 'users/get-authenticated') return ok(resources.publicUser(personOf(token)))
      const { owner, repo } = given.call.path
      const repository = repositories.get(`${owner}/${repo}`.toLowerCase())
      if (repository === undefined) throw notFound()
      authorize(operation, token, repository)
      const handler = handlers[operation.id]
      if (handler === undefined) throw new Error(`Nobody handles ${operation.id}.`)
      return await handler({ ...given.call, repository, login: loginOf(token) })
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return refuse(operation, error)
    }
  }

  /** Where a path under a name leads that a repository had; null where it has none of those. */
  function movedTo(path: string): string | null {
    const [, name = '', rest = ''] = /^\/repos\/([^/]+\/[^/]+)(.*)$/.exec(path) ?? []
    const id = renamed.get(name.toLowerCase())
    return id === undefined || repositories.has(name.toLowerCase()) ? null : `/repositories/${id}${rest}`
  }

  /** The path under the repository's name, where it is given by its id. */
  function byName(path: string): string {
    const [, id, rest = ''] = /^\/repositories\/(\d+)(.*)$/.exec(path) ?? []
    const repository = [...repositories.values()].find(each => String(each.id) === id)
    return repository === undefined ? path : `/repos/${repository.name}${rest}`
  }

  function signArtifact(repository: HostedRepository, id: number): string {
    const artifact = repository.artifacts.find(each => each.id === id)!
    const signature = randomUUID()
    signatures.set(signature, artifact.zip)
    return `${files.url}/artifacts/${id}.zip?sig=${signature}`
  }

  async function stop(): Promise<void> {
    await Promise.all([api.close(), files.close(), results.close()])
  }

  return {
    url: api.url,
    filesUrl: files.url,
    resultsUrl: results.url,
    requests,
    violations,
    faults,
    addRepository(seed) {
      const repository = new HostedRepository(seed, clock)
      repositories.set(repository.name.toLowerCase(), repository)
      return repository
    },
    renameRepository(name, to) {
      const repository = repositories.get(name.toLowerCase())
      if (repository === undefined) throw new Error(`No repository ${name} here.`)
      repositories.delete(name.toLowerCase())
      renamed.set(name.toLowerCase(), repository.id)
      tokens.rename(name, to)
      const [owner = '', repo = ''] = to.split('/')
      Object.assign(repository, { owner, repo })
      for (const { pull } of repository.issues.values())
        if (pull?.head.repository === name) pull.head.repository = to
      repositories.set(to.toLowerCase(), repository)
    },
    repository(name) {
      const repository = repositories.get(name.toLowerCase())
      if (repository === undefined) throw new Error(`No repository ${name} here.`)
      return repository
    },
    addToken: seed => tokens.add(seed),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

const MOVED = {
  message: 'Moved Permanently',
  documentation_url:
    'https://docs.github.com/rest/guides/best-practices-for-using-the-rest-api#follow-redirects',
}

/** Some errors of GitHub's carry the status too; its description does not know it in those of validation. */
function refuse({ docs, responses }: Operation, { status, message, more, headers }: Refusal): Answer {
  const hasOwnForm = responses[status] !== undefined && responses[status]?.$ref !== '#/$defs/basic-error'
  return {
    status,
    headers,
    json: {
      message,
      ...more,
      documentation_url: status === 401 ? 'https://docs.github.com/rest' : docs,
      ...(hasOwnForm ? {} : { status: String(status) }),
    },
  }
}
