/** The first lines of our comment on a tester's issue: what was proposed, for this action's eyes, and the proof that it wrote it. */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import * as z from 'zod/mini'
import type { RunContext } from '../../context.ts'
import { isProven, type Mark, type Proof } from '../../github/comments.ts'
import { hmac, signatureOf } from '../../runtime/digest.ts'

const Text = z.nullable(z.string())

/** The proposal for an issue. */
const Proposal = z.object({
  /** `waits`: an answer is due. The others are final, but for a lead who opens the issue again. */
  state: z.enum(['waits', 'done', 'declined', 'withdrawn']),
  do: z.enum(['add', 'update', 'remove']),
  author: z.string(),
  asked: z.object({
    action: z.enum(['join', 'leave']),
    device: z.string(),
    name: Text,
    group: Text,
    channel: Text,
    until: Text,
  }),
  /** As the newest commit has it. */
  entry: z.object({
    device: z.string(),
    name: Text,
    github: Text,
    groups: z.readonly(z.array(z.string())),
    channel: Text,
    until: Text,
  }),
  /** The commit that holds the entry. */
  head: z.string(),
  /** The commit of the default branch that the newest builds on. */
  base: z.string(),
  pull: z.nullable(z.int()),
})
export type Proposal = z.infer<typeof Proposal>

export interface EnrolmentMark extends Mark {
  /** `comment` is the number that GitHub gave it; null where it has none yet. */
  head(proposal: Proposal | null, comment: number | null): string
  /** The message of a commit with this tree and these parents, which proves that this action made it for the issue. */
  writeMessage(title: string, commit: { readonly tree: string; readonly parents: readonly string[] }): string
  /** Null where nothing was proposed, or the text is not what this action wrote for this issue. */
  read(comment: { readonly id: number; readonly body: string }): Proposal | null
}

const BEGINS = '<!-- capgo-tester -->'
const HEAD = /^<!-- capgo-tester -->\r?\n<!-- state ([\w-]*) ([0-9a-f]+)(?:\.([0-9a-f]+))? -->/
/** Bytes of AES-GCM's nonce and tag. */
const NONCE = 12
const TAG = 16

/** The comments on one issue of this repository. */
export function markOfIssue(issue: number, { inputs, trigger }: RunContext): EnrolmentMark {
  const key = hmac(inputs.capgoToken, 'capgo-publish-action: enrolments')
  const secret = hmac(key, 'encryption')
  const place = `${trigger.repositoryId ?? trigger.repository} issue ${issue}`
  const sign = (state: string) => signatureOf(key, `${place} state ${state}`)
  const seal = (state: string, comment: number) =>
    signatureOf(key, `${place} comment ${comment} state ${state}`)
  const prove = ({ id, body }: { readonly id: number; readonly body: string }): Proof => {
    const [, state, signature, sealed] = HEAD.exec(body) ?? []
    if (state === undefined) return 'marked'
    if (signature !== sign(state)) return 'former'
    return sealed === seal(state, id) ? 'sealed' : 'signed'
  }
  return {
    begins: BEGINS,
    prove,
    head(proposal, comment) {
      const state = proposal === null ? '' : encrypt(JSON.stringify(proposal), secret)
      return `${BEGINS}\n<!-- state ${state} ${sign(state)}${comment === null ? '' : `.${seal(state, comment)}`} -->\n`
    },
    writeMessage: (title, { tree, parents }) =>
      `${title}\n\nCapgo-Request: ${signatureOf(key, `${place} tree ${tree} parents ${parents.join(' ')}`)}`,
    read(comment) {
      if (!isProven(prove(comment))) return null
      const [, state = ''] = HEAD.exec(comment.body) ?? []
      const proposal = state === '' ? null : JSON.parse(decrypt(state, secret))
      // Another release may have written another form.
      return Proposal.safeParse(proposal).data ?? null
    },
  }
}

/**
 * The author may take a device id out of the issue again, so nobody else reads it here. The nonce comes from the text:
 * the same text gives the same comment, which is then not written again.
 */
function encrypt(text: string, key: Buffer): string {
  const nonce = hmac(key, text).subarray(0, NONCE)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  const encrypted = [cipher.update(text), cipher.final()]
  return Buffer.concat([nonce, cipher.getAuthTag(), ...encrypted]).toString('base64url')
}

function decrypt(state: string, key: Buffer): string {
  const bytes = Buffer.from(state, 'base64url')
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE))
  decipher.setAuthTag(bytes.subarray(NONCE, NONCE + TAG))
  return Buffer.concat([decipher.update(bytes.subarray(NONCE + TAG)), decipher.final()]).toString()
}
