/** Where the testers file is read: in the checkout, on the default branch, in its history, in a pull request. */
import { readFile, realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import type { RunContext } from '../../context.ts'
import { ActionError } from '../../errors.ts'
import type { PullRequest } from '../../event.ts'
import type { GitHub } from '../../github/client.ts'
import { isNotFound } from '../../github/errors.ts'
import type { Inputs } from '../../inputs/inputs.ts'
import { MAX_PROBLEMS } from '../../inputs/json-document.ts'
import { type ParsedTesters, parseTesters } from '../../inputs/testers-file.ts'
import { ENROLMENT_BRANCH } from '../../plan/enrolment.ts'
import { type FileVersion, mergeTesters, type Tester, versionsThatCount } from '../../plan/tester-list.ts'

const DEFAULT_FILE = 'testers.json'
const CONTENTS = 'contents: read'
/** GitHub lists so many commits at once. */
const COMMITS = 100

/** A version of the testers file. */
export interface TestersFile {
  readonly path: string
  readonly text: string
  readonly testers: readonly Tester[]
}

export const pathOf = ({ testersFile }: Inputs) => testersFile ?? DEFAULT_FILE

/** The moment by which "until" and what must be renewed are decided. */
export const timeOf = ({ capgo }: RunContext): Date => capgo.now()

export const today = (context: RunContext) => timeOf(context).toISOString().slice(0, 10)

/**
 * The file of the checkout, null where there is none. Throws `testers_file_invalid` with everything that is wrong
 * in it, so that a broken file stops a run before anything is built; and `testers_file_missing` where the workflow
 * names a file that the default branch has not either.
 */
export async function readCheckedOut(context: RunContext): Promise<TestersFile | null> {
  const path = pathOf(context.inputs)
  return required(path, await readInside(context.deps.workspace, path), context)
}

/** The file as a pull request's branch has it; null where there is none, and for forks, whose file decides nothing. */
export async function readProposed(pull: PullRequest, context: RunContext): Promise<TestersFile | null> {
  const path = pathOf(context.inputs)
  if (pull.fork || isEnrolment(pull)) return required(path, null, context)
  // Other events check out another branch.
  if (context.trigger.event === 'pull_request') return readCheckedOut(context)
  const text = await context.bestEffort(`read ${path} of the pull request`, CONTENTS, github =>
    github.readFile(path, pull.headSha),
  )
  return required(path, text, context)
}

/** A branch of `operation: enroll`: its file is a stranger's wish, which decides nothing before a lead has merged it. */
function isEnrolment({ headRef }: PullRequest): boolean {
  return headRef.startsWith(ENROLMENT_BRANCH)
}

/** Throws `testers_file_missing` where the workflow names a file that neither the checkout nor the default branch has. */
export async function requireFile(context: RunContext): Promise<void> {
  const { deps, inputs } = context
  if (inputs.testersFile === null || (await readInside(deps.workspace, inputs.testersFile)) !== null) return
  await required(inputs.testersFile, null, context)
}

async function required(path: string, text: string | null, context: RunContext): Promise<TestersFile | null> {
  if (text !== null) return parseAloud(path, text, context)
  if (context.inputs.testersFile === null) return null
  const newest = await askForNewest(context)
  const isMissing = newest === null ? isOnDefaultBranch(context) : newest.text === null
  if (isMissing) throw missingFile(path)
  if (newest !== null)
    context.deps.log.info(`${path} is not in this checkout. The default branch's file is used.`)
  return null
}

/**
 * The file that holds for everybody: the newest of the default branch, whatever is checked out. Null where the
 * repository has none. `checkedOut` is the default branch's as this run has it, and counts where GitHub does not report it.
 */
export async function readNewest(
  checkedOut: TestersFile | null,
  context: RunContext,
): Promise<TestersFile | null | 'unknown'> {
  const newest = await askForNewest(context)
  if (newest === null) return checkedOut ?? 'unknown'
  if (newest.text === null) return null
  return newest.text === checkedOut?.text ? checkedOut : parse(pathOf(context.inputs), newest.text, context)
}

/** The file as a commit has it; null where there is none. Throws `testers_file_invalid`. */
export async function readAtCommit(
  sha: string,
  github: GitHub,
  context: RunContext,
): Promise<TestersFile | null> {
  const path = pathOf(context.inputs)
  const text = await github.readFile(path, sha)
  return text === null ? null : parse(path, text, context)
}

/**
 * For a run that releases former testers: a deleted file has no testers. A token that cannot read the
 * repository sees no file either, so only its history proves the deletion.
 */
export async function readNewestOrRemoved(
  checkedOut: TestersFile | null,
  context: RunContext,
): Promise<TestersFile | null | 'unknown'> {
  const newest = await readNewest(checkedOut, context)
  if (newest !== null) return newest
  const path = pathOf(context.inputs)
  const changes = await context.bestEffort(`check whether ${path} was deleted`, CONTENTS, github =>
    github.listCommits(path, 1),
  )
  if (changes === null || changes.length === 0) return checkedOut
  if (context.inputs.testersFile !== null) throw missingFile(path)
  return { path, text: '', testers: [] }
}

/** Null when GitHub does not report it; the text is null where the file does not exist. */
function askForNewest({ bestEffort, inputs }: RunContext): Promise<{ readonly text: string | null } | null> {
  const path = pathOf(inputs)
  const what = `read ${path} of the default branch, and its removed devices`
  return bestEffort(what, CONTENTS, async github => ({ text: await github.readFile(path, null) }))
}

const earlierByRun = new WeakMap<RunContext, Promise<readonly Tester[] | null>>()

/** Former testers within the life of an override, the newest last; null when GitHub does not report it. Read once. */
export function readEarlier(context: RunContext): Promise<readonly Tester[] | null> {
  const answer = earlierByRun.get(context) ?? askForEarlier(context)
  earlierByRun.set(context, answer)
  return answer
}

async function askForEarlier(context: RunContext): Promise<readonly Tester[] | null> {
  const { bestEffort, deps, inputs, trigger } = context
  const path = pathOf(inputs)
  return bestEffort(
    `find the devices that were removed from ${path}, so they keep their channels`,
    CONTENTS,
    async github => {
      const [changes, heads, dropped] = await Promise.all([
        github.listCommits(path, COMMITS),
        github.listCommits(null, 1),
        trigger.defaultBranch === null ? [] : github.listDroppedHeads(trigger.defaultBranch),
      ])
      const until = heads[0]?.at ?? null
      const { counted, leftOut } = versionsThatCount(changes, until)
      // Commits that a force-push removed are in no history.
      const gone = [...new Set([...dropped, ...(trigger.before === null ? [] : [trigger.before])])]
      const others = await Promise.all(gone.map(sha => listDropped(path, sha, github)))
      if (leftOut > 0)
        deps.log.info(
          `${path} has many versions. Testers who left it before ${counted.at(-1)?.at ?? 'its newest changes'} are not looked for.`,
        )
      const versionsOf = [counted, ...others.map(list => versionsThatCount(list, until).counted)]
      const shas = [...new Set(versionsOf.flat().map(({ sha }) => sha))]
      const texts = await Promise.all(shas.map(sha => github.readFile(path, sha)))
      const versions = [...new Set(texts)].flatMap(text => (text === null ? [] : [text]))
      return versions.toReversed().flatMap(text => parseTesters(text, today(context)).testers)
    },
  )
}

/** The versions of the file up to a commit that no branch has any more; none where GitHub has forgotten it. */
async function listDropped(path: string, sha: string, github: GitHub): Promise<FileVersion[]> {
  try {
    return await github.listCommits(path, COMMITS, sha)
  } catch (error) {
    if (isNotFound(error)) return []
    throw error
  }
}

/**
 * The file as it would be for a pull request's own preview: `newest` with what its branch changed. Null where it
 * changes nothing, comes from a fork, or GitHub does not report it.
 */
export async function readMerged(
  pull: PullRequest,
  proposed: TestersFile | null,
  newest: TestersFile,
  context: RunContext,
): Promise<readonly Tester[] | null> {
  const { path } = newest
  if (pull.fork || isEnrolment(pull) || (proposed?.text ?? '') === newest.text) return null
  return context.bestEffort(`read the changes of the pull request to ${path}`, CONTENTS, async github => {
    const began = await github.readMergeBase(pull.baseRef, pull.headSha)
    if (began === null) return null
    const [old, own] = await Promise.all([github.readFile(path, began), github.readFile(path, pull.headSha)])
    if (old === own) return null
    const testers = (text: string | null) => (text === null ? [] : parseTesters(text, today(context)).testers)
    const merged = mergeTesters(
      testers(old),
      newest.testers,
      own === null ? [] : parse(path, own, context).testers,
    )
    const isChange =
      merged.length !== newest.testers.length || merged.some(tester => !newest.testers.includes(tester))
    return isChange ? merged : null
  })
}

export function isOnDefaultBranch({ trigger }: RunContext): boolean {
  const { defaultBranch, event, ref } = trigger
  return ref.type === 'branch' && ref.name === defaultBranch && !event.startsWith('pull_request')
}

/** Throws `testers_file_invalid`. */
function parse(
  path: string,
  text: string,
  context: RunContext,
): TestersFile & Pick<ParsedTesters, 'warnings'> {
  const { problems, warnings, testers } = parseTesters(text, today(context))
  if (problems.length > 0) throw invalidFile(path, problems)
  return { path, text, testers, warnings }
}

/** Of a file of the checkout, whose places annotations can name, what is odd is a warning. */
function parseAloud(path: string, text: string, context: RunContext): TestersFile {
  const { warnings, ...file } = parse(path, text, context)
  for (const { message, ...place } of warnings)
    context.deps.log.warning(`${path}:${place.line}:${place.column}: ${message}`, { file: path, ...place })
  return file
}

/** A file of the checkout; null where there is none. A link that leads out of the checkout is refused. */
async function readInside(workspace: string, path: string): Promise<string | null> {
  const [root, real] = await Promise.all([
    realpath(workspace),
    realpath(join(workspace, path)).catch(() => null),
  ])
  if (real === null) return null
  if (!real.startsWith(root + sep))
    throw new ActionError('testers_file_invalid', `${path} is a link to a file outside of the checkout.`, {
      hint: 'Add the file itself to the repository.',
    })
  try {
    return await readFile(real, 'utf8')
  } catch (cause) {
    throw new ActionError('testers_file_invalid', `${path} cannot be read: ${(cause as Error).message}.`, {
      hint: 'It must be a text file. Set the input "testers-file" to the right file.',
      cause,
    })
  }
}

function missingFile(path: string): ActionError {
  return new ActionError(
    'testers_file_missing',
    `${path} does not exist in the checkout or on the default branch.`,
    {
      hint: 'Correct the input "testers-file" (a path from the root of the repository). To remove all testers, keep the file with an empty list: [].',
    },
  )
}

function invalidFile(path: string, problems: ParsedTesters['problems']): ActionError {
  const located = problems.map(({ message, line, column }) => ({
    message: `${path}:${line}:${column}: ${message}`,
    at: { file: path, line, column },
  }))
  const [first, ...more] = located
  return new ActionError(
    'testers_file_invalid',
    first !== undefined && more.length === 0
      ? first.message
      : `${path} has ${problems.length}${problems.length === MAX_PROBLEMS ? ' and more' : ''} errors.`,
    {
      hint: 'Nothing was changed. Correct the file. A "$schema" line in it lets editors check it.',
      ...(first === undefined ? {} : { at: first.at }),
      problems: more.length === 0 ? [] : located,
    },
  )
}
