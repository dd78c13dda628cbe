/** The repository in the notes on bundles, under its former names too. */
import type { BundleRow } from '../../capgo/schema.ts'
import type { RunContext } from '../../context.ts'
import { type NotedRepository, readPulls } from '../../plan/bundle-comment.ts'

/** So many names are asked about; an app has few repositories. */
const MAX_NAMES = 20

/** Older notes have no id: GitHub knows who had the name. */
export async function readRepository(
  bundles: readonly Pick<BundleRow, 'comment'>[],
  { trigger, bestEffort }: RunContext,
): Promise<NotedRepository> {
  const { repository: name, repositoryId: id } = trigger
  const names = bundles.flatMap(readPulls).flatMap(({ pull, repository }) => {
    const noted = pull.slice(0, pull.lastIndexOf('#'))
    return repository === null && noted.toLowerCase() !== name.toLowerCase() ? [noted] : []
  })
  const unknown = [...new Set(names)].slice(0, MAX_NAMES)
  if (unknown.length === 0) return { name, id, formerNames: [] }
  const former = await bestEffort(
    'ask for former names of the repository',
    'metadata: read',
    async github => {
      const own = await github.readRepositoryId(name)
      const ids = await Promise.all(unknown.map(each => github.readRepositoryId(each)))
      return unknown.filter((_, at) => own !== null && ids[at] === own)
    },
  )
  return { name, id, formerNames: former ?? [] }
}
