/** The section of an app in a comment that runs write which do not know each other. */
import type { GitHub } from '../../github/client.ts'
import type { OwnComment } from '../../github/comments.ts'
import type { CommentLayout } from '../../plan/types.ts'
import { parseSections, renderSections, type Section } from '../../report/comment-sections.ts'
import { compareRuns, type markOf, newer, readSection, type Statement } from './comment-marker.ts'

interface SectionEdit {
  readonly appId: string
  readonly layout: CommentLayout
  readonly mark: ReturnType<typeof markOf>
  /** The section's new content; null where it is kept as it is, or is not created. */
  readonly change: (current: Statement | null) => Statement | null
  /** The newest sections of other apps that this run saw, by comment and app. An older one means a lost write. */
  readonly seen: Map<string, Section>
}

type Step =
  | { readonly do: 'create'; readonly body: string }
  | { readonly do: 'update'; readonly id: number; readonly body: string }
  | { readonly do: 'delete'; readonly id: number }

/** A comment of ours with its sections. */
interface Document extends OwnComment {
  readonly sections: readonly Section[]
}

/** The next change, by our comments as they are now, the oldest first. */
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

/** Runs disturb one another a few times at most. */
const MAX_STEPS = 12

/**
 * Makes the change. GitHub has no conditional update: a run that read the comment earlier may overwrite this one's text.
 * Where other apps write too, the run reads back after its `last` word, once every such write has arrived. It writes
 * again what was lost: its own section, and newer ones of others that it saw. Returns the comment's page, or null.
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
 * The oldest comment counts: runs that create one each at the same moment agree on it. Each moves its own section there
 * and removes it from the others. Sections of other apps stay byte for byte.
 */
function planStep(found: readonly OwnComment[], edit: SectionEdit): NextStep {
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
    const body = change === null ? null : write(change, null, edit).text
    return { step: body === null ? null : { do: 'create', body }, url: null, isShared: false, isOnly: false }
  }
  const stray = documents.find(
    each => each !== target && each.sections.some(section => isOwn(section) && mark.owns(section, each.id)),
  )
  const others = recall(target, edit)
  const about = { url: target.url, isShared: others.length > 0, isOnly: stray === undefined }
  const body = renderSections([...others, ...ownSection(target, current, change, edit)])
  if (body.trimEnd() !== target.body.trimEnd())
    return { ...about, step: { do: 'update', id: target.id, body } }
  return { ...about, step: stray === undefined ? null : withoutOwn(stray, isOwn) }
}

/** The newest run's word, wherever it stands. */
export function newest(sections: readonly Section[]): Statement | null {
  const [first, ...others] = sections
  if (first === undefined) return null
  const statement = readSection(others.reduce<Section>(newer, first))
  return { ...statement, text: statement.text.replace(LEADING_SEPARATE, '') }
}

/** The sections of other apps, each as new as this run ever saw it there. */
function recall({ id, sections }: Document, { appId, seen }: SectionEdit): Section[] {
  for (const section of sections) {
    const key = `${id} ${section.appId}`
    if (section.appId !== appId) seen.set(key, newer(section, seen.get(key)))
  }
  return [...seen].flatMap(([key, section]) => (key === `${id} ${section.appId}` ? [section] : []))
}

/** As it stands in the comment, unless the run has something else to say. */
function ownSection(
  { id, sections }: Document,
  current: Statement | null,
  change: Statement | null,
  edit: SectionEdit,
): Section[] {
  const standing = sections.filter(({ appId }) => appId === edit.appId)
  if (change === null) return standing.length > 0 || current === null ? standing : [write(current, id, edit)]
  if (current === null || compareRuns(current.run, change.run) !== 0) return [write(change, id, edit)]
  const revision =
    current.text === change.text ? current.revision : Math.max(change.revision, current.revision + 1)
  return [write({ ...change, revision }, id, edit)]
}

function write(statement: Statement, comment: number | null, { appId, layout, mark }: SectionEdit): Section {
  const text = layout === 'separate' ? SEPARATE + statement.text : statement.text
  return mark.write(appId, { ...statement, text }, comment)
}

function isSeparate(section: Section): boolean {
  return LEADING_SEPARATE.test(readSection(section).text)
}

/** A comment that holds nothing else is deleted. */
function withoutOwn({ id, sections }: Document, isOwn: (section: Section) => boolean): Step {
  const others = sections.filter(section => !isOwn(section))
  return others.length === 0 ? { do: 'delete', id } : { do: 'update', id, body: renderSections(others) }
}
