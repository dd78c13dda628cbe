/** The input `channels`: one `pattern: channel` per line. */
import { type ChannelMapping, matchChannel, type Ref } from '../plan/channel.ts'
import { checkPattern, isGlob } from '../plan/ref-pattern.ts'

/** Our own rule: Capgo takes any name, but commas, slashes and spaces break its CLI and URLs. */
const CHANNEL_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
const NAME_RULE = 'Use at most 64 letters, digits, ".", "_" and "-". Begin with a letter or digit.'

/** Why a channel cannot have this name, or null. */
export function refuseChannelName(name: string): { why: string; hint: string } | null {
  return CHANNEL_NAME.test(name) ? null : { why: `"${name}" is not a valid channel name.`, hint: NAME_RULE }
}

/**
 * The mappings, in order. `#` begins a comment. `refuse` hears of each line that could never publish anything:
 * `message` names the line.
 */
export function readChannelLines(
  value: string,
  refuse: (message: string, hint: string) => void,
): ChannelMapping[] {
  const mappings: (ChannelMapping & { readonly line: number })[] = []
  value.split('\n').forEach((text, index) => {
    const content = text.replace(/(^|\s)#.*$/, '').trim()
    if (content === '') return
    const line = index + 1
    const mapping = readLine(content, (why, hint) => refuse(`line ${line}, ${why}`, hint))
    if (mapping === null) return
    const earlier = shadowedBy(mapping.pattern, mappings)
    if (earlier === null) mappings.push({ ...mapping, line })
    else
      refuse(
        `line ${line}, "${content}", never applies: line ${earlier.line} ("${earlier.pattern}") matches all of it first.`,
        'The first match wins. Remove one of the two lines, or put the more specific pattern first.',
      )
  })
  return mappings.map(({ pattern, channel }) => ({ pattern, channel }))
}

function readLine(content: string, refuse: (why: string, hint: string) => void): ChannelMapping | null {
  const at = content.lastIndexOf(':')
  const pattern = unquoted(content.slice(0, Math.max(at, 0)))
  const channel = unquoted(content.slice(at + 1))
  if (pattern === '' || channel === '') {
    refuse(
      `"${content}", is not "pattern: channel".`,
      'Use lines such as "main: production" or "release/*: beta".',
    )
    return null
  }
  const unmatchable = checkPattern(pattern)
  if (unmatchable !== null)
    refuse(`"${content}", matches nothing: "${pattern}" ${unmatchable.why}.`, unmatchable.hint)
  const unnameable = refuseChannelName(channel)
  if (unnameable !== null) refuse(`"${content}": ${unnameable.why}`, unnameable.hint)
  return unmatchable === null && unnameable === null ? { pattern, channel } : null
}

function unquoted(text: string): string {
  return text.trim().replace(/^(['"])(.*)\1$/, '$2')
}

/** The earlier line that takes whatever this pattern matches; null when something may be left for it. */
function shadowedBy<T extends ChannelMapping>(pattern: string, earlier: readonly T[]): T | null {
  const same = earlier.find(other => other.pattern === pattern)
  if (same !== undefined) return same
  const refs = examplesOf(pattern).filter(ref => matchChannel(ref, [{ pattern, channel: '' }]) !== undefined)
  const takers = refs.map(ref => matchChannel(ref, earlier))
  return takers.length > 0 && takers.every(taker => taker !== undefined) ? (takers[0] as T) : null
}

/** Refs that a pattern matches, such that no other pattern matches them all by chance; none where that is not easily said. */
function examplesOf(pattern: string): Ref[] {
  if (isGlob(pattern.replace(/\*/g, ''))) return []
  const names = ['q7/q7.7.7', 'q7', '7.7.7-q7'].map(any =>
    pattern.replace(/\*\*/g, any).replace(/\*/g, any.replace('/', '-')),
  )
  return names.flatMap(name =>
    name.startsWith('refs/')
      ? [{ full: name, name: name.replace(/^refs\/(heads|tags)\//, '') }]
      : [
          { full: `refs/heads/${name}`, name },
          { full: `refs/tags/${name}`, name },
        ],
  )
}
