import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')
const SRC = join(ROOT, 'src')

interface Import {
  readonly from: string
  readonly to: string
  readonly typeOnly: boolean
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.ts'))
const imports: Import[] = files.flatMap(from =>
  importsOf(join(SRC, from)).map(({ target, typeOnly }) => ({
    from,
    to: target.startsWith('.') ? relative(SRC, join(SRC, dirname(from), target)) : target,
    typeOnly,
  })),
)

function importsOf(file: string): { target: string; typeOnly: boolean }[] {
  const text = readFileSync(file, 'utf8')
  return [...text.matchAll(/^(?:import|export)\s(type\s)?(?:[^'"]*?\sfrom\s)?'([^']+)'/gm)].map(match => {
    const names = match[0].replace(/'.*$/, '')
    const allTypes = match[1] !== undefined || /\{\s*(type\s+\w+(\s+as\s+\w+)?,?\s*)+\}/.test(names)
    return { target: match[2]!, typeOnly: allTypes }
  })
}
const folder = (path: string) => (path.includes('/') ? path.slice(0, path.indexOf('/')) : path)
const found = (wrong: (it: Import) => boolean) =>
  imports.filter(wrong).map(({ from, to }) => `${from} -> ${to}`)

describe('who may import whom', () => {
  it('reads imports at all', () => expect(imports.length).toBeGreaterThan(50))

  it('plan, event and what renders are pure: types and each other', () => {
    const pure = (file: string) =>
      folder(file) === 'plan' ||
      file === 'event.ts' ||
      (folder(file) === 'report' && !/^report\/(report|progress)\.ts$/.test(file))
    const libraries = new Set(['semver', 'picomatch', 'uqr', 'zod/mini'])
    const ground = new Set([
      'documents.ts',
      'errors.ts',
      'releases.ts',
      'runtime/bytes.ts',
      'runtime/system-error.ts',
    ])
    expect(
      found(
        ({ from, to, typeOnly }) =>
          pure(from) && !typeOnly && !pure(to) && !ground.has(to) && !libraries.has(to),
      ),
    ).toEqual([])
  })
  it('pure files touch neither process nor the clock', () => {
    const touching = files.filter(
      file =>
        (folder(file) === 'plan' || file === 'event.ts') &&
        /\bprocess\.|Date\.now|new Date\(\)|performance\./.test(readFileSync(join(SRC, file), 'utf8')),
    )
    expect(touching).toEqual([])
  })
  it('paths are made relative in one place, which knows how they are shown', () => {
    const others = files.filter(
      file =>
        file !== 'runtime/paths.ts' &&
        /\brelative\b[^'\n]*from 'node:path'/.test(readFileSync(join(SRC, file), 'utf8')),
    )
    expect(others).toEqual([])
  })
  it('checkout, bundle, capgo and github know only themselves, errors and the runtime', () => {
    const leaves = new Set(['checkout', 'bundle', 'capgo', 'github'])
    const ground = new Set(['error-codes.ts', 'errors.ts', 'releases.ts', 'runtime'])
    expect(
      found(
        ({ from, to }) =>
          leaves.has(folder(from)) &&
          to.endsWith('.ts') &&
          folder(to) !== folder(from) &&
          !ground.has(folder(to)),
      ),
    ).toEqual([])
  })
  it('nothing before report imports report, not even a type', () => {
    const before = new Set(['errors.ts', 'event.ts', 'log.ts'])
    const folders = new Set(['runtime', 'checkout', 'bundle', 'capgo', 'github', 'plan', 'inputs'])
    const isBefore = (file: string) => before.has(file) || folders.has(folder(file))
    expect(found(({ from, to }) => isBefore(from) && folder(to) === 'report')).toEqual([])
  })
  it('the toolkit is touched in index.ts alone; children are started in runtime/ alone', () => {
    expect(
      found(({ from, to, typeOnly }) => to === '@actions/core' && !typeOnly && from !== 'index.ts'),
    ).toEqual([])
    const starters = new Set(['runtime/child-process.ts', 'checkout/evaluator.ts'])
    expect(
      found(({ from, to }) => (to === 'cross-spawn' || to === 'node:child_process') && !starters.has(from)),
    ).toEqual([])
    expect(
      found(
        ({ from, to }) => to === 'undici' && !/^(capgo\/exchange|index|runtime\/network)\.ts$/.test(from),
      ),
    ).toEqual([])
  })
  it('the environment is read in index.ts, and in launch.ts that starts it', () => {
    // The evaluator is a program of its own: it runs the user's config, which may read the environment.
    const readers = files.filter(
      file =>
        /\bprocess\.env\b|\{ env \} = process/.test(readFileSync(join(SRC, file), 'utf8')) &&
        file !== 'checkout/evaluate-config.ts',
    )
    expect(readers.sort()).toEqual(['index.ts', 'launch.ts'])
  })
  it("GitHub's client for artifacts is in a program of its own", () => {
    expect(found(({ to }) => to === '@actions/artifact')).toEqual([
      'github/upload-artifact.ts -> @actions/artifact',
    ])
    expect(found(({ to, typeOnly }) => to === 'github/upload-artifact.ts' && !typeOnly)).toEqual([])
  })
  it('src never imports local, tests or scripts; local imports no tests or scripts', () => {
    expect(found(({ to }) => to.startsWith('..'))).toEqual([])
    expect(foreign('local', /^(test|scripts|bench)\//)).toEqual([])
  })
  it('scripts and bench import nothing of test', () => {
    // Decisions of planners are written once: the tests assert the cases, and docs/development/decisions.md prints them.
    const cases = /^scripts\/docs\/decisions\.ts -> test\/unit\/plan\/cases\//
    const imports = [...foreign('scripts', /^test\//), ...foreign('bench', /^test\//)]
    expect(imports.filter(each => !cases.test(each))).toEqual([])
  })
  it('cases are data: types and each other, and constants of the planners', () => {
    const allowed =
      /-> (test\/unit\/plan\/cases|src\/plan|src\/capgo\/schema\.ts|src\/event\.ts|src\/bundle\/zip\.ts)/
    expect(foreign('test/unit/plan/cases', /./).filter(each => !allowed.test(each))).toEqual([])
  })
  it('each kind of operation is one file of its name', () => {
    const text = readFileSync(join(SRC, 'plan/operation.ts'), 'utf8')
    const kinds = [...text.matchAll(/readonly kind: '([a-z-]+)'/g)].map(([, kind]) => kind)
    expect(kinds).toContain('publish')
    const own = files.filter(file => /^operations\/[^/]+\.ts$/.test(file))
    const names = own.map(file => file.replace(/^operations\/|\.ts$/g, ''))
    expect(names.sort()).toEqual(kinds.sort())
  })
  it('no file is called utils, helpers or misc', () => {
    expect(files.filter(file => /(^|\/)(utils|helpers|misc)\.ts$/.test(file))).toEqual([])
  })
})

/** Imports of a folder of the project that lead to where it must not. */
function foreign(start: string, forbidden: RegExp): string[] {
  return readdirSync(join(ROOT, start), { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.ts') && !file.includes('node_modules'))
    .flatMap(file =>
      importsOf(join(ROOT, start, file))
        .map(({ target }) => relative(ROOT, join(ROOT, start, dirname(file), target)))
        .filter(to => forbidden.test(to))
        .map(to => `${start}/${file} -> ${to}`),
    )
}
