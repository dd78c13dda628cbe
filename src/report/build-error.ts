/** The line of an output that says what is wrong: of a build, an install, a script. */
import { terminalLines } from './format.ts'

/** Announces an error that a line below it says. */
const ANNOUNCES =
  /error during build:$|failed with \d+ errors?:$|Failed to compile\b|^\W*(?:App\W+)?error\W+(?:\w+\s+)?in \S|\bERROR in \S|^Module (?:build failed|Error|Warning) .*:$|^This dependency was not found:$|^\[eslint\]$/i

/** A place in the code alone on its line; with `ERROR in`, the one that the line below is about. */
const PLACE =
  /^(?:.*\b(?:ERROR|error)\W+(?:\w+\s+)?in )?(\S+\.\w+(?::\d+:\d+|\(\d+,\d+\))?)(?:[ :]\d+:[\d:-]+)?$/
const RANGE = /^\d+:[\d:-]+$/

/** The first kind that a line is of counts: what a compiler says of the code, what is thrown, what a tool says. */
const KINDS: readonly RegExp[] = [
  /\berror TS\d+: |^TS\d+: |\[ERROR\] |: ERROR: |failed to resolve import|^Module not found: |^(?:\[\S+ [APM]+\]\s+)?(?:\[?\w+\]?\s+(?:•\s+)?)?ERROR\s+\S/,
  /^(?:\[!\] |Uncaught |An unhandled exception occurred|(?:\w+ )*[A-Z]\w*(?:Error|Exception)\b|Error\b|FATAL ERROR|fatal)[^:]*: ./,
  /^npm (?:ERR!|error) (?!code |errno |syscall |path |dest |workspace |location |command |signal |A complete log |Lifecycle script |Exit status |Failed at |This is probably |\S+@\S+ \w+: )\S|\bERR_PNPM_(?!RECURSIVE)\w+ +\S|^(?:➤ )?YN(?!0000)\d{4}: |^error:? (?!Command failed|script ")\S|^\w+ • ⚠️ |^✖ |(?:not found|No such file or directory|Permission denied|is not recognized as an internal or external command,)$/,
]

/** Says no more than that something failed. */
const NOISE =
  /^(?:npm (?:ERR!|error)|error:? (?:Command failed|script ")|info Visit |ELIFECYCLE|ERR_PNPM_RECURSIVE|Exit status |Node\.js v\d|at \S|\W*Build failed|Command failed)/i

const RUNNER_FOLDER = /(?:file:\/\/)?\/home\/runner\/work\/[^/\s]+\/[^/\s]+\//g

/** Null where the output is empty. */
export function findErrorLine(output: string): string | null {
  const lines = terminalLines(output)
    .map(line => line.trim())
    .filter(line => line !== '')
  const at = [
    findAnnounced(lines),
    ...KINDS.map(kind => lines.findIndex(line => kind.test(line) && !ANNOUNCES.test(line))),
    lines.findLastIndex(line => !NOISE.test(line)),
    lines.length - 1,
  ].find(index => index >= 0)
  const line = at === undefined ? undefined : lines[at]
  if (at === undefined || line === undefined) return null
  const said = line.replace(/^(?:[✘✖✗×]|\[!\])\s+/, '')
  return withPlace(said, lines.slice(0, at)).replace(RUNNER_FOLDER, '')
}

/** The first line below an announcement that says more; -1 without one. */
function findAnnounced(lines: readonly string[]): number {
  const from = lines.findIndex(line => ANNOUNCES.test(line))
  if (from < 0) return -1
  return lines.findIndex(
    (line, index) =>
      index > from && !ANNOUNCES.test(line) && !PLACE.test(line) && !RANGE.test(line) && !NOISE.test(line),
  )
}

/** Some tools say the place on the lines above. */
function withPlace(line: string, above: readonly string[]): string {
  const before = above.findLast(each => !RANGE.test(each)) ?? ''
  const place = PLACE.exec(before)?.[1]
  return place === undefined || line.includes(place) ? line : `${place}: ${line}`
}
