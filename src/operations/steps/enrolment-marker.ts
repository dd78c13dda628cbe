/** The first lines of our comment on a tester's issue: what was proposed, and the proof that this action wrote it. */
import { createHmac } from 'node:crypto'
import * as z from 'zod/mini'
import type { RunContext } from '../../context.ts'
import type { Mark, Proof } from '../../github/comments.ts'

/** The proposal for an issue: the branch can hold these commits of ours, and no other. */
const Proposal = z.object({
  /** Whether the answer is still due. */
  waits: z.boolean(),
  do: z.enum(['add', 'update', 'remove']),
  entry: z.object({
    device: z.string(),
    name: z.nullable(z.string()),
    github: z.nullable(z.string()),
    groups: z.array(z.string()),
    channel: z.nullable(z.string()),
    until: z.nullable(z.string()),
  }),
  /** The newest, and the one that it replaces: a run may end in between. Empty without a branch. */
  heads: z.array(z.string()),
  /** The commit of the default branch that the newest builds on. */
  base: z.nullable(z.string()),
  pull: z.nullable(z.int()),
})
export type Proposal = z.infer<typeof Proposal>

export interface EnrolmentMark extends Mark {
  /** `comment` is the number that GitHub gave it; null where it has none yet. */
  head(proposal: Proposal | null, comment: number | null): string
  /** Null where nothing was proposed, or the text is not what this action wrote for this issue. */
  read(comment: { readonly id: number; readonly body: string }): Proposal | null
}

const BEGINS = '<!-- capgo-tester -->'
const HEAD = /^<!-- capgo-tester -->\r?\n<!-- state ([\w-]*) ([0-9a-f]+)(?:\.([0-9a-f]+))? -->/
/** Bytes of an HMAC that are shown: more than anybody guesses. */
const SHOWN = 16

/** The comments on one issue of this repository. */
export function markOfIssue(issue: number, { inputs, trigger }: RunContext): EnrolmentMark {
  const key = hmac(inputs.capgoToken, 'capgo-publish-action: enrolments')
  const place = `${trigger.repositoryId ?? trigger.repository} issue ${issue}`
  const sign = (state: string) => shown(hmac(key, `${place} state ${state}`))
  const seal = (state: string, comment: number) =>
    shown(hmac(key, `${place} comment ${comment} state ${state}`))
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
      const state = proposal === null ? '' : Buffer.from(JSON.stringify(proposal)).toString('base64url')
      return `${BEGINS}\n<!-- state ${state} ${sign(state)}${comment === null ? '' : `.${seal(state, comment)}`} -->\n`
    },
    read(comment) {
      if (!['sealed', 'signed'].includes(prove(comment))) return null
      const [, state = ''] = HEAD.exec(comment.body) ?? []
      return state === '' ? null : Proposal.parse(JSON.parse(Buffer.from(state, 'base64url').toString()))
    },
  }
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function shown(digest: Buffer): string {
  return digest.subarray(0, SHOWN).toString('hex')
}
