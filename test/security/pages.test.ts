/** docs/security.md says what the tests and the sources say. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const page = read('docs/security.md')

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
      const [, path = '', title = ''] = /^\[\w+\]\(\.\.\/([^)]+)\): (.+)$/.exec(link) ?? []
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
})
