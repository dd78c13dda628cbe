/** Patterns of the input `channels`: what they match, and why some can never match anything. Pure. */
import picomatch from 'picomatch'

/** Whether a pattern matches a name; `*` stops at a slash, `**` does not, as in GitHub's own filters. */
export function matchesPattern(pattern: string, name: string): boolean {
  // A name may hold characters that a glob reads otherwise: `fix(api)`.
  return pattern === name || picomatch(pattern, { dot: true, nonegate: true })(name)
}

/** Whether a pattern can match more than one name. */
export function isGlob(pattern: string): boolean {
  return /[*?[{(]/.test(pattern)
}

/** Why a pattern is wrong that no branch and no tag can ever match, and what to write; null when one can. */
export function checkPattern(pattern: string): { why: string; hint: string } | null {
  return checkSyntax(pattern) ?? checkRefName(pattern) ?? checkNamespace(pattern)
}

/** Habits of other places. A name that really looks like this is mapped in full: `refs/heads/origin/main`. */
function checkSyntax(pattern: string): { why: string; hint: string } | null {
  if (pattern.startsWith('- '))
    return {
      why: 'is an item of a YAML list',
      hint: `Write "${pattern.slice(2).trim()}", without the dash.`,
    }
  if (pattern.startsWith('!'))
    return {
      why: 'excludes refs, which is not supported',
      hint: 'The first match wins, so put the more specific pattern first.',
    }
  const isFull = pattern.startsWith('refs/')
  if (/^\^|^\/.*\/$|\\|(?:^|\/)\.[*+]/.test(pattern) || (!isFull && pattern.endsWith('$')))
    return {
      why: 'is a regular expression',
      hint: 'Patterns are globs, such as "main", "release/*" or "v*".',
    }
  if (isFull) return null
  if (/[,|]/.test(withoutGroups(pattern)))
    return {
      why: 'lists several names',
      hint: 'Write one line for each, or a group such as "{main,next}".',
    }
  const prefix = /^(origin|upstream|remotes|heads|tags)\/(.+)/.exec(pattern)
  if (prefix === null) return null
  const [, namespace, rest] = prefix
  const meant = namespace === 'tags' ? `refs/tags/${rest}` : rest
  return {
    why: `begins with "${namespace}/", which is not part of a branch's or tag's name`,
    hint: `Write "${meant}", or "refs/heads/${pattern}" for a branch of exactly that name.`,
  }
}

/** The rules of `git check-ref-format`, for all that a glob leaves literal. */
function checkRefName(pattern: string): { why: string; hint: string } | null {
  const hint =
    'Use the name of a branch or tag as git shows it. The wildcards are "*", "?", "[...]" and "{...}".'
  const not = (why: string) => ({ why: `${why}, so no branch or tag can have that name`, hint })
  // Within brackets "^" negates.
  const character = /[\s~^:\\\u007f]|\p{Cc}/u.exec(pattern.replace(/\[\^/g, '['))?.[0]
  if (character !== undefined) return not(/\s/.test(character) ? 'has a space' : `has "${character}"`)
  const name = withoutGroups(pattern)
    .replace(/\[[^\]]*\]/g, 'x')
    .replace(/[*?]+/g, 'x')
  if (name.includes('[')) return not('has a "[" without "]"')
  if (name.startsWith('-')) return not('begins with "-"')
  if (/^\/|\/$|\/\//.test(name)) return not('begins or ends with a slash, or has two in a row')
  if (/(?:^|\/)\./.test(name)) return not('has a part that begins with "."')
  if (name.includes('..')) return not('has ".."')
  if (name.includes('@{')) return not('has "@{"')
  if (/\.$/.test(name)) return not('ends with "."')
  if (/\.lock(?:\/|$)/.test(name)) return not('has a part that ends with ".lock"')
  if (/^(?:HEAD|@)$/.test(name)) return not('is reserved by git')
  return null
}

/** Runs of this action are of branches and tags: `refs/heads/` and `refs/tags/`. */
function checkNamespace(pattern: string): { why: string; hint: string } | null {
  const [refs, namespace = '', ...rest] = pattern.split('/')
  if (refs !== 'refs') return null
  const anywhere = [namespace, ...rest].includes('**')
  const fits = namespace === '**' || ['heads', 'tags'].some(known => matchesPattern(namespace, known))
  if (fits && (anywhere || rest.length > 0)) return null
  return {
    why: 'is neither below "refs/heads/" nor below "refs/tags/"',
    hint: 'Only branches and tags can be mapped. Pull requests get previews ("preview-channel").',
  }
}

function withoutGroups(pattern: string): string {
  return pattern.replace(/[!+@*?]?\([^()]*\)/g, 'x').replace(/\{[^{}]*\}/g, (group, at: number) =>
    // Git gives "@{" a meaning of its own.
    pattern[at - 1] === '@' ? group : 'x',
  )
}
