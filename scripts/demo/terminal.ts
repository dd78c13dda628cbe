import { styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

/** Plain where the output is not a terminal, or `NO_COLOR` is set. */
const paint = (style: Style, text: string) => styleText(style, text, { stream: process.stdout })

export const bold = (text: string) => paint('bold', text)
export const dim = (text: string) => paint('dim', text)
export const cyan = (text: string) => paint('cyan', text)
export const red = (text: string) => paint('red', text)

/** A story on the terminal; it remembers what of it was not true. */
export class Story {
  readonly broken: string[] = []
  /** Shows every check, every request and whole comments. */
  readonly isFull: boolean
  #statements = 0

  constructor({ isFull = false } = {}) {
    this.isFull = isFull
  }

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

  /** A claim that the reader sees only where it is not true, or in the full story. */
  check(what: string, isTrue: boolean, otherwise = ''): void {
    if (this.isFull || !isTrue) this.claim(what, isTrue, otherwise)
    else this.#statements++
  }

  get statements(): number {
    return this.#statements
  }
}
