/** Writes what a run did with a bundle into the bundle's comment. */
import type { Capgo } from '../../capgo/client.ts'
import type { BundleRow } from '../../capgo/schema.ts'
import { withNoteOf } from '../../plan/bundle-comment.ts'

/** Other runs write on a bundle too, each for its own channel. */
const MAX_ATTEMPTS = 5

/**
 * Writes the line of a channel on a bundle as `noted` (a whole comment) has it. Lines that others wrote meanwhile stay.
 * False when the key is not allowed to.
 */
export async function noteOn(
  bundle: Pick<BundleRow, 'id' | 'comment' | 'link'>,
  channelName: string,
  { noted, link }: { readonly noted: string; readonly link: string },
  { appId, capgo }: { readonly appId: string; readonly capgo: Capgo },
): Promise<boolean> {
  let seen = bundle.comment
  let comment = noted
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    if (await capgo.noteOnBundle(bundle.id, seen, { link, comment })) return true
    const now = await capgo.readBundleById(appId, bundle.id).catch(() => null)
    // Nobody wrote on it: then it was the permission.
    if (now === null || now.comment === seen) return false
    seen = now.comment
    comment = withNoteOf(seen, channelName, noted)
  }
  return false
}
