import { ActionError } from '../errors.ts'
import { type ChannelMapping, matchChannel, type Ref } from './channel.ts'

/** What a run is about. */
export type Operation =
  | { readonly kind: 'publish'; readonly channelName: string; readonly why: string }
  | { readonly kind: 'skip'; readonly reason: string }

/** Names the channel for the ref, or says how to map it. */
export function decideOperation(
  ref: Ref & { readonly type: 'branch' | 'tag' | 'other' },
  inputs: { readonly channel: string | null; readonly channels: readonly ChannelMapping[] },
): Operation {
  if (inputs.channel !== null) return { kind: 'publish', channelName: inputs.channel, why: 'input "channel"' }
  if (ref.type === 'other')
    throw new ActionError('ref_unknown', `The ref "${ref.full}" is neither a branch nor a tag.`, {
      hint: 'A channel follows from a branch or tag. Run the workflow on one, or set the input "channel".',
    })
  const match = matchChannel(ref, inputs.channels)
  if (match !== undefined)
    return {
      kind: 'publish',
      channelName: match.channel,
      why: `${ref.type} ${ref.name} matches "${match.pattern}"`,
    }
  return {
    kind: 'skip',
    reason: `No channel is mapped to ${ref.type} ${ref.name}. To publish it, add a line such as "${ref.name}: ${suggestChannel(ref.name)}" to the input "channels".`,
  }
}

function suggestChannel(name: string): string {
  return (
    name
      .replace(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[._-]+|[._-]+$/g, '')
      .slice(0, 64) || 'beta'
  )
}
