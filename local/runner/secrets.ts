import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** The forms of a secret that the runner masks too; the masker of actions/runner knows these encodings. */
export function formsOf(secret: string): string[] {
  const json = JSON.stringify(secret).slice(1, -1)
  const forms = [secret, json, encodeURIComponent(secret), ...base64Forms(secret)]
  return longestFirst(forms)
}

/** Base64 at each of the three alignments, without the characters that depend on the neighbours. */
function base64Forms(secret: string): string[] {
  const bytes = Buffer.from(secret)
  return [0, 1, 2]
    .map(shift => bytes.subarray(shift, bytes.length - ((bytes.length - shift) % 3)))
    .filter(whole => whole.length >= 6)
    .map(whole => whole.toString('base64'))
}

function longestFirst(forms: readonly string[]): string[] {
  return [...new Set(forms)].filter(form => form !== '').sort((a, b) => b.length - a.length)
}

/** A shorter text is found anywhere. */
const SHORTEST = 6

/** Every form that is searched for: of the whole secret and of each of its lines, also those that the runner does not mask. */
function searchedForms(secret: string): string[] {
  const decoded = Buffer.from(secret, 'base64').toString('latin1')
  const texts = [secret, ...(decoded.includes('-----BEGIN') ? [decoded] : [])]
  const parts = texts
    .flatMap(text => [text, ...text.split(/[\r\n]+|\\n/)])
    .map(part => part.trim())
    // The lines around a PEM text are the same in every key.
    .filter(part => part.length >= SHORTEST && !/^-----[A-Z ]+-----$/.test(part))
  return longestFirst(
    parts.flatMap(part => {
      const hex = Buffer.from(part).toString('hex')
      const forms = formsOf(part)
      const urlSafe = forms.map(form => form.replaceAll('+', '-').replaceAll('/', '_'))
      // Files and bodies of requests are searched as Latin-1: whatever is in them, no byte is lost.
      const bytes = forms.map(form => Buffer.from(form).toString('latin1'))
      return [...forms, ...urlSafe, ...bytes, hex, hex.toUpperCase()]
    }),
  )
}

/** Where a text stands, for the message, and the text. */
export type Place = readonly [where: string, text: string]

/** Searches texts for secrets. Throws and says where one is, without telling it. */
export class LeakSearch {
  readonly #forms: readonly string[]

  constructor(secrets: readonly string[]) {
    for (const secret of secrets)
      if (secret.length < SHORTEST) throw new Error('A secret this short cannot be searched for.')
    this.#forms = longestFirst(secrets.flatMap(searchedForms))
  }

  /** What was found, or null. */
  find(places: Iterable<Place>): string | null {
    for (const [where, text] of places)
      for (const form of this.#forms)
        if (text.includes(form)) {
          const line = text.split(/[\n\0]/).find(each => each.includes(form)) ?? ''
          return `A secret is in ${where}: ${line.slice(0, 2000).replaceAll(form, '<SECRET>')}`
        }
    return null
  }
}

/** What of a run's traces is searched. */
interface Traces {
  readonly log: {
    readonly lines: readonly {
      readonly command: string | null
      readonly raw: string
      readonly stream: string
    }[]
    readonly annotations: readonly { readonly message: string; readonly title?: string }[]
  }
  readonly visibleLog: string
  readonly summary: string
  readonly outputs: Readonly<Record<string, string>>
  readonly state: Readonly<Record<string, string>>
  readonly exportedEnv: Readonly<Record<string, string>>
  readonly exportedPath: readonly string[]
}

/**
 * All that a run leaves behind. The log as it was written, before GitHub masks it: there the `::add-mask::` commands
 * are the only place where a secret may stand. And as people see it: there it may stand nowhere.
 */
export function* placesOf(run: Traces): Generator<Place> {
  for (const { command, raw, stream } of run.log.lines)
    if (command !== 'add-mask') yield [`the log (${stream})`, raw]
  yield ['the visible log', run.visibleLog]
  for (const { message, title = '' } of run.log.annotations) yield ['an annotation', `${title}\n${message}`]
  yield ['the summary', run.summary]
  for (const [name, value] of Object.entries(run.outputs)) yield [`output ${name}`, value]
  for (const [name, value] of Object.entries(run.state)) yield [`state ${name}`, value]
  for (const [name, value] of Object.entries(run.exportedEnv)) yield [`variable ${name}`, value]
  yield ['an exported path', run.exportedPath.join('\n')]
}

/** Names and contents of all files in a folder. */
export function* placesIn(folder: string): Generator<Place> {
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    yield ['the name of a file', name]
    const path = join(folder, name)
    if (statSync(path, { throwIfNoEntry: false })?.isFile())
      yield [`file ${name}`, readFileSync(path, 'latin1')]
  }
}

/** Throws when a secret, or a form of it, is anywhere in what a run leaves behind. */
export function failOnLeak(run: Traces, secrets: readonly string[]): void {
  const found = new LeakSearch(secrets).find(placesOf(run))
  if (found !== null) throw new Error(found)
}
