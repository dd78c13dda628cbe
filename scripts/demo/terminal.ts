import { styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

/** Plain where the output is not a terminal, or `NO_COLOR` is set. */
const paint = (style: Style, text: string) => styleText(style, text, { stream: process.stdout })

export const bold = (text: string) => paint('bold', text)
export const dim = (text: string) => paint('dim', text)
export const cyan = (text: string) => paint('cyan', text)
export const red = (text: string) => paint('red', text)

/** Writes the story, and remembers what of it was not true. */
export class Story {
  readonly broken: string[] = []
  #statements = 0

  chapter(title: string): void {
    this.line(`\n${paint(['bold', 'magenta'], title)}`)
  }

  line(text: string): void {
    process.stdout.write(`${text}\n`)
  }

  fact(name: string, value: string): void {
    this.line(`  ${dim(name.padEnd(9))} ${value}`)
  }

  /** Says `what`, which must be true; `otherwise` tells what is true instead. */
  claim(what: string, isTrue: boolean, otherwise = ''): void {
    this.#statements++
    if (!isTrue) this.broken.push(what)
    const instead = isTrue || otherwise === '' ? '' : red(` (${otherwise})`)
    this.line(`  ${isTrue ? paint('green', '✓') : paint('red', '✗')} ${what}${instead}`)
  }

  get statements(): number {
    return this.#statements
  }
}
