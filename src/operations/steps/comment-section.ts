/** How the section of an app comes into the comment of a pull request, beside those of runs that do not know each other. */
import type { GitHub } from '../../github/client.ts'
import type { OwnComment } from '../../github/comments.ts'
import type { CommentLayout } from '../../plan/types.ts'
import { parseSections, renderSections, type Section } from '../../report/comment-sections.ts'
import { compareRuns, type markOf, type RunNumber, readSection } from './comment-marker.ts'

/** What a section says: the run that wrote it, and its text without the head. */
export interface Statement {
  readonly run: RunNumber
  readonly text: string
}

export interface SectionEdit {
  readonly appId: string
  readonly layout: CommentLayout
  readonly mark: ReturnType<typeof markOf>
  /** What the section is to say instead; null where it stays as it is, or is not made. */
  readonly change: (current: Statement | null) => Statement | null
}

type Step =
  | { readonly do: 'create'; readonly body: string }
  | { readonly do: 'update'; readonly id: number; readonly body: string }
  | { readonly do: 'delete'; readonly id: number }

/** A comment of ours with its sections. */
interface Document extends OwnComment {
  readonly sections: readonly Section[]
}

/** What is still to do, judged by our comments as they are now, the oldest first. */
interface NextStep {
  /** Null where all is as it should be. */
  readonly step: Step | null
  /** Page of the comment that the section belongs to. */
  readonly url: string | null
  /** Other apps have a section there. */
  readonly isShared: boolean
  /** Whether more is to be done after it. */
  readonly isOnly: boolean
}

/** The section is to stay in a comment of its own. */
const SEPARATE = '<!-- separate -->\n'
const LEADING_SEPARATE = /^<!-- separate -->\r?\n/

/** Runs that write at the same moment, each at last after the others. */
const MAX_STEPS = 12

/**
 * Makes the change. GitHub has no conditional update: a run that read the comment before this one wrote may write its
 * own version over it. So where other apps write too, a text that is the run's `last` is read back once such a write
 * must have arrived, and written again. Returns the comment's page; null where there is none.
 */
export async function editSection(
  edit: SectionEdit,
  { pull, last, expectsOthers }: { pull: number; last: boolean; expectsOthers: boolean },
  github: GitHub,
): Promise<string | null> {
  let url: string | null = null
  for (let steps = 0; steps < MAX_STEPS; steps++) {
    const next = planStep(await github.findComments(pull, edit.mark), edit)
    const { step } = next
    url = next.url
    if (step === null) break
    if (step.do === 'create') await github.createComment(pull, step.body)
    else if (step.do === 'delete') await github.deleteComment(step.id)
    else {
      const isThere = (await github.updateComment(step.id, step.body)) !== null
      const isContested = edit.layout === 'shared' && last && (next.isShared || expectsOthers)
      if (isThere && next.isOnly && !isContested) break
      if (isContested) await github.settle()
    }
  }
  return url
}

/**
 * The oldest comment counts, so that runs that made one each at the same moment agree: each moves its own section there,
 * and removes its own from the others. Sections of other apps stay as they are.
 */
export function planStep(found: readonly OwnComment[], edit: SectionEdit): NextStep {
  const { appId, layout, mark } = edit
  const documents: Document[] = found
    .map(each => ({ ...each, sections: parseSections(each.body) }))
    .filter(({ sections }) => sections.length > 0)
  const isOwn = (section: Section) => section.appId === appId
  const current = newest(documents.flatMap(({ sections }) => sections.filter(isOwn)))
  const change = edit.change(current)
  const target = documents.find(({ sections }) =>
    sections.every(section => isOwn(section) || (layout === 'shared' && !isSeparate(section))),
  )
  if (target === undefined) {
    const step = change === null ? null : create(change, edit)
    return { step, url: null, isShared: false, isOnly: false }
  }
  const others = target.sections.filter(section => !isOwn(section))
  const stray = documents.find(
    each => each !== target && each.sections.some(section => isOwn(section) && mark.owns(section, each.id)),
  )
  const about = { url: target.url, isShared: others.length > 0, isOnly: stray === undefined }
  const statement = change ?? (target.sections.some(isOwn) ? null : current)
  if (statement !== null) {
    const body = renderSections([...others, write(statement, target.id, edit)])
    if (body.trimEnd() !== target.body.trimEnd())
      return { ...about, step: { do: 'update', id: target.id, body } }
  }
  return { ...about, step: stray === undefined ? null : withoutOwn(stray, isOwn) }
}

/** The newest run's word, wherever it stands. */
export function newest(sections: readonly Section[]): Statement | null {
  return sections.reduce<Statement | null>((best, { text }) => {
    const { run, text: said } = readSection(text)
    const isOlder = best !== null && compareRuns(best.run, run) >= 0
    return isOlder ? best : { run, text: said.replace(LEADING_SEPARATE, '') }
  }, null)
}

function create(statement: Statement, edit: SectionEdit): Step {
  return { do: 'create', body: write(statement, null, edit).text }
}

function write(
  { run, text }: Statement,
  comment: number | null,
  { appId, layout, mark }: SectionEdit,
): Section {
  const separate = layout === 'separate' ? SEPARATE : ''
  return { appId, text: `${mark.head(appId, run, comment)}${separate}${text}` }
}

function isSeparate({ text }: Section): boolean {
  return LEADING_SEPARATE.test(readSection(text).text)
}

/** Where nothing else stands in it, the comment goes. */
function withoutOwn({ id, sections }: Document, isOwn: (section: Section) => boolean): Step {
  const others = sections.filter(section => !isOwn(section))
  return others.length === 0 ? { do: 'delete', id } : { do: 'update', id, body: renderSections(others) }
}
