/** The testers file on the default branch, and a change of it that nobody has to review. */
import { ActionError } from '../../errors.ts'
import { GitHubError } from '../../github/errors.ts'
import { addTester, removeTester, updateTester } from '../../inputs/testers-edits.ts'
import { parseTesters } from '../../inputs/testers-file.ts'
import {
  type EnrolmentChange,
  type EnrolmentPlan,
  entryOf,
  isChange,
  isSameEntry,
} from '../../plan/enrolment.ts'
import type { Tester } from '../../plan/tester-list.ts'
import { titleOf } from '../../report/enrolment.ts'
import type { Enrolling } from './enrolment-thread.ts'
import { pathOf, readAtCommit, today } from './testers-file.ts'

/** Pushes of others may come first. */
const MAX_ATTEMPTS = 3

/** The file as the newest commit of the default branch has it. */
export interface FileAtHead {
  readonly branch: string
  readonly commit: string
  readonly path: string
  /** Null = there is none. */
  readonly text: string | null
  readonly testers: readonly Tester[]
}

/** Throws `testers_file_invalid`, and `event_invalid` where the event does not name the default branch. */
export async function readFileAtHead(context: Enrolling): Promise<FileAtHead> {
  const branch = context.trigger.defaultBranch
  const commit = branch === null ? null : await context.github.readHead(`refs/heads/${branch}`)
  if (branch === null || commit === null)
    throw new ActionError('event_invalid', 'The event does not name the default branch of the repository.', {
      hint: 'Run the workflow on issues, push, schedule or workflow_dispatch.',
    })
  const file = await readAtCommit(commit, context.github, context)
  return {
    branch,
    commit,
    path: pathOf(context.inputs),
    text: file?.text ?? null,
    testers: file?.testers ?? [],
  }
}

/** The file's text with the change. Throws where anything else would be changed: that is a fault of this action. */
export function changeText(
  { text, testers }: FileAtHead,
  change: EnrolmentChange,
  context: Enrolling,
): string {
  const { entry } = change
  if (text?.includes('\ufffd'))
    throw new ActionError('testers_file_invalid', `${pathOf(context.inputs)} has bytes that are not UTF-8.`, {
      hint: 'Nothing was changed, because a new commit would lose them. Save the file as UTF-8.',
    })
  const changed =
    change.do === 'add'
      ? addTester(text, entry)
      : change.do === 'update'
        ? updateTester(text ?? '', entry)
        : removeTester(text ?? '', entry.device)
  const isOther = ({ device }: Tester) => device !== entry.device
  const { problems, testers: now } = parseTesters(changed, today(context))
  const own = now.filter(each => !isOther(each)).map(entryOf)
  const isRight =
    problems.length === 0 &&
    (change.do === 'remove'
      ? own.length === 0
      : own.every(each => isSameEntry(each, entry)) && own.length === 1)
  const others = (list: readonly Tester[]) => JSON.stringify(list.filter(isOther).map(entryOf))
  if (!isRight || others(now) !== others(testers))
    throw new Error('The change of the testers file is not the one that was asked for.')
  return changed
}

/**
 * Commits the change to the default branch; `plan` makes it anew where others push meanwhile. Whether the file is as
 * the plan wants it: a rule of the repository may let nobody push there.
 */
export async function commitDirectly(
  issue: number,
  plan: (file: FileAtHead) => EnrolmentPlan,
  context: Enrolling,
): Promise<boolean> {
  for (let attempts = 1; attempts <= MAX_ATTEMPTS; attempts++) {
    const file = await readFileAtHead(context)
    const change = plan(file)
    if (!isChange(change)) return change.do === 'nothing'
    const sha = await context.github.commitFile({
      message: () => titleOf(change, issue),
      path: file.path,
      text: changeText(file, change, context),
      base: file.commit,
      parents: [file.commit],
    })
    try {
      if (await context.github.advanceBranch(file.branch, sha)) return true
    } catch (error) {
      if (!(error instanceof GitHubError) || ![403, 409, 422].includes(error.status ?? 0)) throw error
      context.deps.log.warning(`Nobody can push to ${file.branch} without a pull request: ${error.reason}.`)
      return false
    }
  }
  return false
}
