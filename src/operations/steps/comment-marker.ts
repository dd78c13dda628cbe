/** The first lines of a section of a comment: of which app, by which run, and the proof that it is ours. */
import { createHmac } from 'node:crypto'
import type { Mark, Proof } from '../../github/comments.ts'
import { MARK, parseSections, type Section } from '../../report/comment-sections.ts'

export interface RunNumber {
  readonly id: number
  readonly attempt: number
}

interface CommentMark extends Mark {
  /** The head of an app's section. `comment` is the number that GitHub gave the comment; null where it has none yet, so that nothing can be sealed. */
  head(appId: string, run: RunNumber, comment: number | null): string
  /** Whether this key's holder wrote the section. */
  owns(section: Section, comment: number): boolean
}

const HEAD =
  /^<!-- capgo-publish-action (\S+) -->\r?\n<!-- run (\d+)\.(\d+) -->(?:\r?\n<!-- key ([0-9a-f]+)(?:\.([0-9a-f]+))? -->)?(?:\r?\n)?/
/** Bytes of an HMAC that are shown: more than anybody guesses. */
const SHOWN = 16
/** From the strongest to the weakest. */
const PROOFS: readonly Proof[] = ['sealed', 'signed', 'former', 'marked']

/**
 * How sections are made and known, by the Capgo key. `signed` texts can be copied to another comment; a seal holds for
 * the one whose number it is about. Nothing of the key can be learned from either: HMAC-SHA256.
 */
export function markOf(capgoToken: string): CommentMark {
  // A key of its own: what is signed here can never stand for anything else that the token might sign.
  const key = hmac(capgoToken, 'capgo-publish-action: comments')
  const signatureOf = (appId: string) => shown(hmac(key, `app ${appId}`))
  const sealOf = (appId: string, comment: number) => shown(hmac(key, `app ${appId} comment ${comment}`))

  function proofOf({ text }: Section, comment: number): Proof {
    const [, appId, , , signature, seal] = HEAD.exec(text) ?? []
    if (appId === undefined) return 'marked'
    if (signature !== signatureOf(appId)) return 'former'
    return seal === sealOf(appId, comment) ? 'sealed' : 'signed'
  }

  return {
    begins: MARK,
    /** As well as its best section is proven. */
    prove({ id, body }) {
      const proofs = parseSections(body).map(section => proofOf(section, id))
      return PROOFS.find(proof => proofs.includes(proof)) ?? 'marked'
    },
    owns: (section, comment) => ['sealed', 'signed'].includes(proofOf(section, comment)),
    head(appId, run, comment) {
      const seal = comment === null ? '' : `.${sealOf(appId, comment)}`
      return `${MARK}${appId} -->\n<!-- run ${run.id}.${run.attempt} -->\n<!-- key ${signatureOf(appId)}${seal} -->\n`
    },
  }
}

/** The run that wrote a section, and what stands below the head; the run is older than any where it has no such head. */
export function readSection(text: string): { readonly run: RunNumber; readonly text: string } {
  const [head, , id, attempt] = HEAD.exec(text) ?? []
  if (head === undefined) return { run: { id: 0, attempt: 0 }, text: text.slice(text.indexOf('\n') + 1) }
  return { run: { id: Number(id), attempt: Number(attempt) }, text: text.slice(head.length) }
}

export function compareRuns(one: RunNumber, other: RunNumber): number {
  return one.id - other.id || one.attempt - other.attempt
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function shown(digest: Buffer): string {
  return digest.subarray(0, SHOWN).toString('hex')
}
