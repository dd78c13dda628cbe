/** Branches and tags of a try. */
import type { Wishes } from './arguments.ts'
import type { TriedRepository } from './repository.ts'

export const refOf = (given: string | null, { tag }: Wishes, branch: string) =>
  given === null && tag !== null ? `refs/tags/${tag}` : fullRef(given ?? branch, 'branch')
export const fullRef = (name: string, type: 'branch' | 'tag') =>
  name.startsWith('refs/') ? name : `refs/${type === 'branch' ? 'heads' : 'tags'}/${name}`

export function find(repository: TriedRepository, name: string, problems: string[]): string {
  const found = repository.find(name)
  if (found === null)
    problems.push(
      `${name.replace(/^refs\/heads\//, 'The branch ').replace(/^refs\/tags\//, 'The tag ')} is not in the repository. Fetch it there first.`,
    )
  return found ?? ''
}
