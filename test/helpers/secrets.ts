import type { ActionRun } from './runner.ts'

/** The forms of a secret that the runner masks too; the masker of actions/runner knows these encodings. */
export function formsOf(secret: string): string[] {
  const json = JSON.stringify(secret).slice(1, -1)
  const forms = [secret, json, encodeURIComponent(secret), ...base64Forms(secret)]
  return [...new Set(forms)].filter(form => form !== '').sort((a, b) => b.length - a.length)
}

/** Base64 at each of the three alignments, without the characters that depend on the neighbours. */
function base64Forms(secret: string): string[] {
  const bytes = Buffer.from(secret)
  return [0, 1, 2]
    .map(shift => bytes.subarray(shift, bytes.length - ((bytes.length - shift) % 3)))
    .filter(whole => whole.length >= 6)
    .map(whole => whole.toString('base64'))
}

/**
 * Throws when a secret, or an encoded form of it, is anywhere in what a run leaves behind: its log (the
 * `::add-mask::` commands excepted), summary, outputs, state, exported variables and paths.
 * Stricter than GitHub: it looks at the text before masking.
 */
export function failOnLeak(run: ActionRun, secrets: readonly string[]): void {
  const places: [string, string][] = [
    [
      'the log',
      run.log.lines
        .filter(line => line.command !== 'add-mask')
        .map(line => line.raw)
        .join('\n'),
    ],
    ['the visible log', run.visibleLog],
    ['the summary', run.summary],
    ...Object.entries(run.outputs).map(([name, value]): [string, string] => [`output ${name}`, value]),
    ...Object.entries(run.state).map(([name, value]): [string, string] => [`state ${name}`, value]),
    ...Object.entries(run.exportedEnv).map(([name, value]): [string, string] => [`variable ${name}`, value]),
    ['an exported path', run.exportedPath.join('\n')],
  ]
  for (const secret of secrets) {
    if (secret.length < 4) throw new Error('A secret this short cannot be searched for.')
    for (const form of formsOf(secret))
      for (const [place, text] of places)
        if (text.includes(form)) {
          const line = text.split('\n').find(each => each.includes(form)) ?? ''
          throw new Error(`A secret is in ${place}: ${line.replaceAll(form, '<SECRET>')}`)
        }
  }
}
