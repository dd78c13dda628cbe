/** The first lines of a section of a comment: of which app, by which run, and the proof that it is ours. */
import { isProven, type Mark, type Proof } from '../../github/comments.ts'
import { MARK, parseSections, type Section } from '../../report/comment-sections.ts'
import { hmac, signatureOf } from '../../runtime/digest.ts'

export interface RunNumber {
  readonly id: number
  readonly attempt: number
}

/** The content of a section: the run that wrote it, the changes since, and its text without the head. */
export interface Statement {
  readonly run: RunNumber
  readonly revision: number
  readonly text: string
}

interface CommentMark extends Mark {
  /** A section; `comment` is the number that GitHub gave it, null where it has none yet, so that nothing can be sealed. */
  write(appId: string, statement: Statement, comment: number | null): Section
  /** Whether this key's holder wrote the section. */
  owns(section: Section, comment: number): boolean
}

const HEAD =
  /^<!-- capgo-publish-action (\S+) -->\r?\n<!-- run (\d+)\.(\d+) -->(?:\r?\n<!-- key ([0-9a-f]+)(?:\.([0-9a-f]+))? -->)?(?:\r?\n<!-- revision (\d+) -->)?(?:\r?\n)?/
/** From the strongest to the weakest. */
const PROOFS: readonly Proof[] = ['sealed', 'signed', 'former', 'marked']

/**
 * How sections are made and known, by the Capgo key. `signed` texts can be copied to another comment; a seal holds for
 * the one whose number it is about.
 */
export function markOf(capgoToken: string): CommentMark {
  // A key of its own: what is signed here can never stand for anything else that the token might sign.
  const key = hmac(capgoToken, 'capgo-publish-action: comments')
  const sign = (appId: string) => signatureOf(key, `app ${appId}`)
  const seal = (appId: string, comment: number) => signatureOf(key, `app ${appId} comment ${comment}`)

  function proofOf({ text }: Section, comment: number): Proof {
    const [, appId, , , signature, sealed] = HEAD.exec(text) ?? []
    if (appId === undefined) return 'marked'
    if (signature !== sign(appId)) return 'former'
    return sealed === seal(appId, comment) ? 'sealed' : 'signed'
  }

  return {
    begins: MARK,
    /** As well as its best section is proven. */
    prove({ id, body }) {
      const proofs = parseSections(body).map(section => proofOf(section, id))
      return PROOFS.find(proof => proofs.includes(proof)) ?? 'marked'
    },
    owns: (section, comment) => isProven(proofOf(section, comment)),
    write(appId, { run, revision, text }, comment) {
      const sealed = comment === null ? '' : `.${seal(appId, comment)}`
      const lines = [
        `${MARK}${appId} -->`,
        `<!-- run ${run.id}.${run.attempt} -->`,
        `<!-- key ${sign(appId)}${sealed} -->`,
        ...(revision === 0 ? [] : [`<!-- revision ${revision} -->`]),
        text,
      ]
      return { appId, text: lines.join('\n') }
    },
  }
}

/** The content of a section; without a head it counts as older than any. */
export function readSection({ text }: Pick<Section, 'text'>): Statement {
  const [head, , id = 0, attempt = 0, , , revision = 0] = HEAD.exec(text) ?? []
  return {
    run: { id: Number(id), attempt: Number(attempt) },
    revision: Number(revision),
    text: text.slice(head?.length ?? text.indexOf('\n') + 1),
  }
}

export function compareRuns(one: RunNumber, other: RunNumber): number {
  return one.id - other.id || one.attempt - other.attempt
}

/** The newer of two sections of an app. */
export function newer(one: Section, other: Section | undefined): Section {
  if (other === undefined) return one
  const [first, second] = [readSection(one), readSection(other)]
  const order = compareRuns(first.run, second.run) || first.revision - second.revision
  return order >= 0 ? one : other
}
