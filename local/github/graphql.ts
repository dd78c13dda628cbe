// Of GitHub's GraphQL API the one mutation that its REST API has no like of: a branch goes only where it still is as seen.
import { type TokenSeed, writes } from './access.ts'
import { type Answer, ok } from './answers.ts'
import { nodeId } from './resources/repositories.ts'
import type { HostedRepository } from './state.ts'

const NO_COMMIT = '0'.repeat(40)

interface UpdateRefs {
  readonly repositoryId: string
  readonly refUpdates: readonly {
    readonly name: string
    readonly beforeOid: string
    readonly afterOid: string
  }[]
}

/** Null: a query that nobody described here. */
export async function answerGraphql(
  body: unknown,
  token: TokenSeed | null,
  repositories: Iterable<HostedRepository>,
): Promise<Answer | null> {
  const { query = '', variables = {} } = body as { query?: string; variables?: { input?: UpdateRefs } }
  const { input } = variables
  if (!/^mutation\s*\(\$input: UpdateRefsInput!\)\s*{\s*updateRefs\(input: \$input\)/.test(query) || !input)
    return null
  const refuse = (type: string, message: string) =>
    ok({ data: { updateRefs: null }, errors: [{ type, path: ['updateRefs'], message }] })
  const repository = [...repositories].find(({ id }) => nodeId('R', id) === input.repositoryId)
  if (repository === undefined) return refuse('NOT_FOUND', 'Could not resolve to a node with the global id.')
  if (!writes(token, 'contents', repository))
    return refuse('FORBIDDEN', 'Resource not accessible by integration')
  for (const { name, beforeOid, afterOid } of input.refUpdates) {
    if ((await repository.git.resolve(name)) !== beforeOid || afterOid !== NO_COMMIT)
      return refuse('UNPROCESSABLE', `Reference update rejected: ${name} is not at ${beforeOid}`)
    if (repository.keepsBranches)
      return refuse('UNPROCESSABLE', 'Repository rule violations found\n\nCannot delete this branch\n\n')
    await repository.git.moveRef(name, afterOid, beforeOid)
  }
  return ok({ data: { updateRefs: { clientMutationId: null } } })
}
