/** Pages of GitHub about testers: where a phone is added, and the line of the file that has a device. */
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunContext } from '../../context.ts'
import type { Tester } from '../../plan/tester-list.ts'
import type { TestersRun } from './tester-facts.ts'
import type { TestersFile } from './testers-file.ts'

type Repository = Pick<RunContext['trigger'], 'repositoryUrl' | 'defaultBranch'>

const FORM = 'tester.yml'

/**
 * The form for testers where the repository has one, else the default branch's file in GitHub's editor, or a new one
 * there (`text` is empty). Null without a checkout, which is what says whether there is a form.
 */
export async function pageToAddPhone(
  { path, text }: Pick<TestersFile, 'path' | 'text'>,
  workspace: string,
  { repositoryUrl, defaultBranch }: Repository,
): Promise<string | null> {
  const has = (...names: string[]) =>
    access(join(workspace, ...names)).then(
      () => true,
      () => false,
    )
  if (await has('.github', 'ISSUE_TEMPLATE', FORM)) return `${repositoryUrl}/issues/new?template=${FORM}`
  if (defaultBranch === null || !(await has('.git'))) return null
  return text === ''
    ? `${repositoryUrl}/new/${inAddress(defaultBranch)}?filename=${encodeURIComponent(path)}`
    : `${repositoryUrl}/edit/${inAddress(`${defaultBranch}/${path}`)}`
}

/** The line of an entry, in the default branch's file or in that of the pull request; null where neither has it now. */
export function pageOfEntry(
  tester: Tester,
  { scope: { published }, lists: { newest, proposed } }: Pick<TestersRun, 'scope' | 'lists'>,
  { repositoryUrl, defaultBranch }: Repository,
): string | null {
  const isProposed = proposed?.includes(tester) ?? false
  const ref = newest.testers.includes(tester) ? defaultBranch : isProposed ? published?.headSha : null
  return ref ? `${repositoryUrl}/blob/${inAddress(`${ref}/${newest.path}`)}#L${tester.line}` : null
}

function inAddress(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/')
}
