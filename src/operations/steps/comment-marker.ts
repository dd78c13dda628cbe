/** The first lines of a comment of ours: of which app, by which run, and the proof that it is ours. */
import { createHmac } from 'node:crypto'
import type { Mark, Proof } from '../../github/comments.ts'

export interface RunNumber {
  readonly id: number
  readonly attempt: number
}

interface CommentMark extends Mark {
  /** `comment` is the number that GitHub gave it; null where it has none yet, so that nothing can be sealed. */
  head(run: RunNumber, comment: number | null): string
}

const BEGINS = '<!-- capgo-publish-action '
const HEAD =
  /^<!-- capgo-publish-action (\S+) -->\r?\n<!-- run (\d+)\.(\d+) -->(?:\r?\n<!-- key ([0-9a-f]+)(?:\.([0-9a-f]+))? -->)?/
/** Bytes of an HMAC that are shown: more than anybody guesses. */
const SHOWN = 16

/**
 * How the comments about an app are made and known, by the Capgo key. `signed` texts can be copied to another comment;
 * a seal holds for the one whose number it is about. Nothing of the key can be learned from either: HMAC-SHA256.
 */
export function markOf(appId: string, capgoToken: string): CommentMark {
  const key = keyOf(capgoToken)
  return {
    begins: `${BEGINS}${appId} -->`,
    prove: comment => prove(comment, key),
    head(run, comment) {
      const seal = comment === null ? '' : `.${sealOf(appId, comment, key)}`
      return `${BEGINS}${appId} -->\n<!-- run ${run.id}.${run.attempt} -->\n<!-- key ${signatureOf(appId, key)}${seal} -->\n`
    },
  }
}

/** How our comments are known, whatever the app. */
export function anyMark(capgoToken: string): Mark {
  const key = keyOf(capgoToken)
  return { begins: BEGINS, prove: comment => prove(comment, key) }
}

/** Null where the text is not in the form of ours. */
export function readHead(body: string): { readonly appId: string; readonly run: RunNumber } | null {
  const [, appId, id, attempt] = HEAD.exec(body) ?? []
  return appId === undefined ? null : { appId, run: { id: Number(id), attempt: Number(attempt) } }
}

function prove({ id, body }: { readonly id: number; readonly body: string }, key: Buffer): Proof {
  const [, appId, , , signature, seal] = HEAD.exec(body) ?? []
  if (appId === undefined) return 'marked'
  if (signature !== signatureOf(appId, key)) return 'former'
  return seal === sealOf(appId, id, key) ? 'sealed' : 'signed'
}

// A key of its own: what is signed here can never stand for anything else that the token might sign.
const keyOf = (capgoToken: string) => hmac(capgoToken, 'capgo-publish-action: comments')
const signatureOf = (appId: string, key: Buffer) => shown(hmac(key, `app ${appId}`))
const sealOf = (appId: string, comment: number, key: Buffer) =>
  shown(hmac(key, `app ${appId} comment ${comment}`))

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function shown(digest: Buffer): string {
  return digest.subarray(0, SHOWN).toString('hex')
}
