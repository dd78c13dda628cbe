/** docs/development/security.md says what the tests and the sources say. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { childEnvironment, RUNNER_NAMES, TOKEN_NAMES } from '../../src/runtime/environment.ts'

const ROOT = join(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const page = read('docs/development/security.md')

/** Rows of the table under a heading. */
function rowsOf(heading: string): string[][] {
  const chapter = page.split(/^## /m).find(each => each.startsWith(`${heading}\n`))
  const rows = (chapter ?? '').split('\n').filter(line => line.startsWith('| '))
  return rows.slice(1).map(line =>
    line
      .slice(1, -1)
      .split('|')
      .map(cell => cell.trim()),
  )
}

/** Whether a file has a test, or a group of tests, of that title. */
const hasTitle = (path: string, title: string) =>
  [`'${title}'`, `"${title}"`, `\`${title}\``].some(quoted => read(path).includes(quoted))

describe('the table of attacks', () => {
  const rows = rowsOf('Who can make it do what')
  const tests = rows.flatMap(row =>
    row[3]!.split('<br>').map(link => {
      const [, path = '', title = ''] = /^\[[\w-]+\]\(\.\.\/\.\.\/([^)]+)\): (.+)$/.exec(link) ?? []
      return [path, title] as const
    }),
  )

  it.each(tests)('%s has "%s"', (path, title) => {
    expect(hasTitle(path, title)).toBe(true)
  })

  it('has a row for every attack that is tried', () => {
    const tried = [
      ...read('test/security/authority.test.ts').matchAll(/^ {2}(?:it\(|\]\)\()(['"])(.+)\1, async/gm),
    ]
    expect(tried.length).toBeGreaterThan(15)
    const named = tests.filter(([path]) => path.endsWith('authority.test.ts')).map(([, title]) => title)
    expect(named.sort()).toEqual(tried.map(([, , title]) => title!).sort())
  })

  it('says of each row what stopped it', () => {
    expect(rows.length).toBeGreaterThan(35)
    for (const [who, attack, stopped, shown] of rows) {
      expect(who === '' || /^[a-zA-Z]/.test(who!)).toBe(true)
      for (const cell of [attack, stopped, shown]) expect(cell).not.toBe('')
    }
  })
})

describe('the table of bounds', () => {
  const UNITS: Readonly<Record<string, number>> = { s: 1000, min: 60_000, MiB: 1024 * 1024 }

  it.each(rowsOf('Bounds of time and size'))('%s: %s', (_what, bound, _then, where) => {
    const [, file = '', name] = /^`(.+)` `([A-Z_]+)`$/.exec(where!) ?? []
    const [, source = ''] = new RegExp(`const ${name} = ([\\d_* ]+)$`, 'm').exec(read(file)) ?? []
    const value = source
      .replaceAll('_', '')
      .split('*')
      .reduce((product, factor) => product * Number(factor), 1)
    const [amount, unit] = bound!.split(' ')
    expect(source).not.toBe('')
    expect(value).toBe(Number(amount) * (unit === undefined ? 1 : UNITS[unit]!))
  })

  it('has a row for every bound of what is read, sent, stored or waited for', () => {
    const BOUND =
      /^(?:export )?const ((?:LONGEST|MOST|MAX|LARGEST|DEEPEST)\w*|\w*(?:TIMEOUT|ENDS|SILENT|STALLED|STALL|OUTAGE|GRACE|WITHIN|CHARACTERS|LINES)) = /gm
    // Not bounds of what comes from outside: forms of a format, what is done at once, what an input may say, pages of known counts.
    const OTHERS = [
      'bundle/deflate.ts MAX_THREADS',
      'bundle/web-start.ts MAX_POINTER',
      'bundle/zip-listing.ts MAX_END',
      'capgo/apps.ts MAX_PAGES',
      'capgo/bundles.ts MAX_FILTER',
      'capgo/manifests.ts MAX_PAGES',
      'capgo/overrides.ts MAX_PAGES',
      'capgo/rows.ts MAX_PAGES',
      'capgo/updates.ts MAX_PAUSE',
      'github/deployments.ts MAX_DESCRIPTION',
      'github/deployments.ts MAX_RETIRED',
      'github/errors.ts MAX_REASON',
      'inputs/device-filter.ts MAX_DAYS',
      'inputs/enrolment-rules.ts MAX_DAYS',
      'inputs/inputs.ts MAX_RETENTION',
      'inputs/inputs.ts MAX_TIMEOUT',
      'inputs/json-document.ts MAX_DEPTH',
      'inputs/json-document.ts MAX_SHOWN',
      'inputs/operation.ts MAX_KEPT',
      'operations/delete-old-bundles.ts MAX_ERRORS',
      'operations/rollback.ts MAX_DEVICES',
      'operations/status.ts MAX_COUNTED',
      'operations/steps/delta-upload.ts MAX_ROUNDS',
      'operations/steps/missing-previews.ts MAX_PULLS',
      'operations/steps/note.ts MAX_ATTEMPTS',
      'operations/steps/repository.ts MAX_NAMES',
      'operations/steps/served-contents.ts MAX_RUN_TIME',
      'operations/steps/standing.ts MAX_COMMITS',
      'operations/steps/verify-files.ts MAX_UNFOLDED',
    ]
    const bounds = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
      // Those of `plan` and `report` are of names and of what is shown.
      .filter(file => file.endsWith('.ts') && !/^(plan|report)\//.test(file))
      .flatMap(file => [...read(`src/${file}`).matchAll(BOUND)].map(([, name]) => `${file} ${name}`))
    const rows = rowsOf('Bounds of time and size').map(([, , , where]) =>
      where!.replace(/^`src\/(.+)` `([A-Z_]+)`$/, '$1 $2'),
    )
    expect(bounds.filter(bound => !rows.includes(bound)).sort()).toEqual(OTHERS.sort())
  })
})

describe('what a build does not get', () => {
  const rows = rowsOf('What a build does not get')
  const names = rows.flatMap(([cell]) => [...cell!.matchAll(/`([A-Z_*]+)`/g)].map(([, name]) => name!))
  const examples = names
    .filter(name => !['PAT', 'TOKEN', 'KEY', 'SECRET', 'PASSWORD', 'PUBLIC', 'CAPGO_*'].includes(name))
    .map(name => name.replace('*', 'X'))
    .concat('GITHUB_PAT', 'GH_ENTERPRISE_PAT', 'CAPGO_TOKEN', 'CAPGO_ANALYTICS_KEY', 'CAPGO_X_PASSWORD')

  it.each(examples)('%s', name =>
    expect(childEnvironment({ [name]: 'x', OTHER: 'y' })).toEqual({ OTHER: 'y' }),
  )

  it('names what every pattern in the code takes away', () => {
    for (const pattern of [...RUNNER_NAMES, ...TOKEN_NAMES])
      expect(examples.filter(name => pattern.test(name)).length, String(pattern)).toBeGreaterThan(0)
    const [, files] = /\((OUTPUT[A-Z_|]+)\)/.exec(RUNNER_NAMES.join()) ?? []
    expect(names).toEqual(expect.arrayContaining(files!.split('|').map(name => `GITHUB_${name}`)))
    expect(childEnvironment({ CAPGO_PUBLIC_KEY: 'x', GITHUB_SHA: 'y' })).toEqual({
      CAPGO_PUBLIC_KEY: 'x',
      GITHUB_SHA: 'y',
    })
  })
})
