// Trees, commits and refs that are written through GitHub's API.
import { type Call, created, type Handler, notFound, ok, Refusal } from '../answers.ts'
import type { WrittenFile } from '../git.ts'

const NO_COMMIT = '0'.repeat(40)
const PROTECTED = 'Repository rule violations found\n\nChanges must be made through a pull request.\n\n'

export const branches: Readonly<Record<string, Handler>> = {
  'git/list-matching-refs': async ({ repository, resources, path }) => {
    const refs = await repository.git.refs(`refs/${path.ref}`)
    return ok(refs.map(({ ref, sha }) => resources.gitRef(repository, ref, sha)))
  },

  'git/create-tree': async ({ repository, resources, body }) => {
    const base = body.base_tree === undefined ? null : String(body.base_tree)
    if (base !== null && (await repository.git.resolve(base, 'object')) === null) throw notFound()
    const sha = await repository.git.writeTree(base, body.tree as WrittenFile[])
    const entries = await repository.git.children(sha, '')
    return created(resources.gitTree(repository, sha, entries))
  },

  'git/create-commit': async call => {
    const { repository, resources, body, clock, login } = call
    const parents = (body.parents as string[] | undefined) ?? []
    const objects = await Promise.all(
      [String(body.tree), ...parents].map(sha => repository.git.resolve(sha, 'object')),
    )
    if (objects.includes(null)) throw new Refusal(422, 'Tree SHA or a parent does not exist')
    const sha = await repository.git.writeCommit(
      { message: String(body.message), tree: String(body.tree), parents },
      { name: login, email: `${login}@users.noreply.github.com`, date: clock.now() },
    )
    return created(resources.gitCommit(repository, await repository.git.commit(sha)))
  },

  'git/create-ref': async call => {
    const { repository, resources, body } = call
    const [ref, sha] = [String(body.ref), String(body.sha)]
    if ((await repository.git.resolve(sha)) === null) throw new Refusal(422, 'Object does not exist')
    if (!(await repository.git.moveRef(ref, sha, NO_COMMIT)))
      throw new Refusal(422, 'Reference already exists')
    return created(resources.gitRef(repository, ref, sha))
  },

  'git/update-ref': async call => {
    const { repository, resources, path, body } = call
    const [ref, sha] = [`refs/${path.ref}`, String(body.sha)]
    const before = await repository.git.resolve(ref)
    if (before === null) throw new Refusal(422, 'Reference does not exist')
    const branch = ref.replace('refs/heads/', '')
    if (branch === repository.defaultBranch && repository.protectsDefaultBranch)
      throw new Refusal(422, PROTECTED)
    const isForward = await repository.git.isAncestor(before, sha)
    if (!isForward && body.force !== true) throw new Refusal(422, 'Update is not a fast forward')
    if (!(await repository.git.moveRef(ref, sha, before)))
      throw new Refusal(422, 'Reference cannot be updated')
    followBranch(call, branch, sha)
    return ok(resources.gitRef(repository, ref, sha))
  },
}

/** An open pull request has the newest commit of its branch. */
function followBranch({ repository }: Call, branch: string, sha: string): void {
  for (const { state, pull } of repository.issues.values())
    if (state === 'open' && pull?.head.ref === branch && pull.head.repository === repository.name)
      pull.head.sha = sha
}
