import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { readCommands } from '../../scripts/docs/first-publish.ts'
import { readActionMetadata, readInputExamples } from '../../scripts/docs/main.ts'
import { inputSections } from '../../scripts/docs/reference.ts'
import { LITTER } from '../../src/bundle/web-folder.ts'
import { ERROR_CODES } from '../../src/error-codes.ts'
import { readInputs } from '../../src/inputs/inputs.ts'

const ROOT = join(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const { inputs } = readActionMetadata()
const defaults = Object.fromEntries(
  Object.entries(inputs).map(([name, { default: value }]) => [name, value ?? '']),
)
/** GitHub fills in what `${{ … }}` stands for. */
const reader = (given: Readonly<Record<string, string>>) =>
  readInputs(name => (given[name] ?? defaults[name] ?? '').replace(/\$\{\{ *([\w.]+) *\}\}/g, 'value-of-$1'))

describe('docs/inputs.yml', () => {
  const examples = Object.values(readInputExamples()).flatMap(task =>
    Object.entries(task).map(([name, { with: fragment }]) => [name, fragment] as const),
  )

  it.each(examples)('%s: the action takes %j', (name, fragment) => {
    const given = Object.fromEntries(
      Object.entries(parse(fragment) as Record<string, unknown>).map(([key, value]) => [key, String(value)]),
    )
    expect(Object.keys(given)).toContain(name)
    expect(Object.keys(inputs)).toEqual(expect.arrayContaining(Object.keys(given)))
    const taken = reader(given)
    // An example that changes nothing shows nothing; and it is this input that makes the difference.
    expect(taken).not.toEqual(reader({}))
    const { [name]: _, ...others } = given
    if (isReadable(others)) expect(taken).not.toEqual(reader(others))
  })

  it('has one example of every input, and of nothing else', () => {
    expect(examples.map(([name]) => name).sort()).toEqual(Object.keys(inputs).sort())
    const { Testers, 'Self-hosted Capgo': _, ...others } = readInputExamples()
    expect(() => inputSections(inputs, { ...others, Testers: Testers! })).toThrow(
      /The input "api-url" has no example. Add one to docs\/inputs.yml/,
    )
    expect(() => inputSections(inputs, { ...readInputExamples(), More: { chanels: { with: 'x' } } })).toThrow(
      /example of "chanels", which is not an input/,
    )
    expect(() =>
      inputSections(inputs, { ...readInputExamples(), Testers: { ...Testers, prune: { with: '' } } }),
    ).toThrow(/example of "prune" .* lacks/)
  })
})

/** Without the input in question the fragment may be refused, as a promotion without `from`. */
function isReadable(given: Readonly<Record<string, string>>): boolean {
  try {
    reader(given)
    return true
  } catch {
    return false
  }
}

it('docs/development/first-publish.md is the log of the commands that the README gives', () => {
  const logged = [...read('docs/development/first-publish.md').matchAll(/^\$ (.+)$/gm)].map(
    ([, command]) => command,
  )
  expect(logged).toEqual(readCommands(read('README.md')))
})

describe('README.md', () => {
  const readme = read('README.md')

  it('names the version that package.json has', () => {
    const { version } = JSON.parse(read('package.json')) as { version: string }
    expect(readme).toContain(`now ${version}. To pin one release`)
    expect(readme).toContain(`@<sha> # v${version}`)
  })

  it('is read in two minutes', () => {
    expect(readme.split('\n').length).toBeLessThanOrEqual(151)
    expect(readme.split(/\s+/).length).toBeLessThanOrEqual(1300)
  })

  it('has the defaults of the inputs of every day', () => {
    const row = /^\| \[`([a-z-]+)`\]\(docs\/reference\.md#\1\) \|[^|]+\|([^|]*)\|$/gm
    const rows = [...readme.matchAll(row)].map(([, name = '', said = '']) => [name, said.trim()] as const)
    expect(rows).toHaveLength(8)
    for (const [name, said] of rows)
      if (/^`[^`]+`$/.test(said)) expect(said, name).toBe(`\`${inputs[name]?.default}\``)
      else expect(inputs[name]?.default, name).toBeUndefined()
  })
})

describe('docs/troubleshooting.md', () => {
  const page = read('docs/troubleshooting.md')
  const headings = [...page.matchAll(/^### ([a-z0-9_]+)$/gm)].map(([, code]) => code!)
  /** Of codes that are not in the list: statuses, and codes of Capgo's own. */
  const SHARED = ['http_status', 'capgo_code', 'github_status']

  it('has a heading for each code that the action can end with, in the order of the list, and no other', () => {
    expect(headings.filter(code => !SHARED.includes(code))).toEqual([...new Set(ERROR_CODES)])
    expect(headings.filter(code => SHARED.includes(code))).toEqual(SHARED)
  })

  it('says something under each heading, once', () => {
    const anchors = anchorsOf(page)
    expect(anchors.filter((anchor, index) => anchors.indexOf(anchor) !== index)).toEqual([])
    expect([...page.matchAll(/^### (.+)\n\n(?=#)/gm)].map(([, heading]) => heading)).toEqual([])
  })

  it('names what stays out of every bundle, and nothing else', () => {
    const [, names = ''] = /left out in every folder: ([\s\S]+?`)\.\n/.exec(page) ?? []
    expect([...names.matchAll(/`([^`]+)`/g)].map(([, name]) => name)).toEqual([...LITTER.keys()])
  })
})

it('every error code of the list is one that the code gives', () => {
  const source = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.ts') && file !== 'error-codes.ts')
    .map(file => read(join('src', file)))
    .join('\n')
  const isGiven = (code: string) => new RegExp(`(?<!=== )'${code}'|^  ${code}: \\{$`, 'm').test(source)
  expect(ERROR_CODES.filter(code => !isGiven(code))).toEqual([])
})

describe('links', () => {
  const pages = [
    'README.md',
    'CONTRIBUTING.md',
    ...readdirSync(join(ROOT, 'docs'))
      .filter(file => file.endsWith('.md'))
      .map(file => `docs/${file}`),
    ...readdirSync(join(ROOT, 'docs/development'))
      .filter(file => file.endsWith('.md'))
      .map(file => `docs/development/${file}`),
  ]

  it.each(pages)('of %s lead somewhere', page => {
    const text = read(page).replace(/^(```|~~~)[\s\S]*?^\1/gm, '')
    const links = [...text.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"/g)]
      .map(([, link, attribute]) => link ?? attribute!)
      .filter(link => !/^[a-z]+:/.test(link))
    for (const link of links) {
      const [path = '', anchor] = link.split('#')
      const file = path === '' ? page : join(dirname(page), path)
      expect(existsSync(join(ROOT, file)), link).toBe(true)
      if (anchor !== undefined) expect(anchorsOf(read(file)), link).toContain(anchor)
    }
  })
})

/** The headings as GitHub names them. */
function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

describe('pages for who works on the action', () => {
  it.each(['AGENTS.md', 'CONTRIBUTING.md', 'docs/development/architecture.md', 'test/README.md'])(
    '%s names files that are there',
    page => {
      const base = page === 'test/README.md' ? 'test' : '.'
      const named = [...read(page).matchAll(/`((?:[\w.-]+\/)+[\w.-]+(?:\.\w+)?)`/g)].map(([, path]) => path!)
      expect(named.length).toBeGreaterThan(5)
      expect(
        named.filter(path => ![base, '.', 'src'].some(folder => existsSync(join(ROOT, folder, path)))),
      ).toEqual([])
    },
  )
})
