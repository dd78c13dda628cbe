import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'

const SRC = join(import.meta.dirname, '../../src')

interface Import {
  readonly from: string
  readonly to: string
  readonly typeOnly: boolean
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.ts'))
const imports: Import[] = files.flatMap(from => {
  const text = readFileSync(join(SRC, from), 'utf8')
  return [...text.matchAll(/^(?:import|export)\s(type\s)?(?:[^'"]*?\sfrom\s)?'([^']+)'/gm)].map(match => {
    const target = match[2]!
    const names = match[0].replace(/'.*$/, '')
    const allTypes = match[1] !== undefined || /\{\s*(type\s+\w+(\s+as\s+\w+)?,?\s*)+\}/.test(names)
    return {
      from,
      to: target.startsWith('.') ? relative(SRC, join(SRC, dirname(from), target)) : target,
      typeOnly: allTypes,
    }
  })
})
const folder = (path: string) => (path.includes('/') ? path.slice(0, path.indexOf('/')) : path)
const found = (wrong: (it: Import) => boolean) =>
  imports.filter(wrong).map(({ from, to }) => `${from} -> ${to}`)

describe('who may import whom', () => {
  it('reads imports at all', () => expect(imports.length).toBeGreaterThan(50))

  it('plan, event and render are pure: types and each other', () => {
    const pure = (file: string) =>
      folder(file) === 'plan' ||
      file === 'event.ts' ||
      /^report\/(render|markdown|format|contents|makeup|outcome|comment|testers|status|qr)\.ts$/.test(file)
    const libraries = new Set(['semver', 'picomatch', 'uqr', 'zod/mini'])
    expect(
      found(
        ({ from, to, typeOnly }) =>
          pure(from) && !typeOnly && !pure(to) && !/^(system-)?errors?\.ts$/.test(to) && !libraries.has(to),
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
  it('paths are made relative in one place, which knows how they are told', () => {
    const others = files.filter(
      file =>
        file !== 'bundle/paths.ts' &&
        /\brelative\b[^'\n]*from 'node:path'/.test(readFileSync(join(SRC, file), 'utf8')),
    )
    expect(others).toEqual([])
  })
  it('bundle, capgo and github know only themselves, errors and how files are read', () => {
    const leaves = new Set(['bundle', 'capgo', 'github'])
    const ground = new Set(['errors.ts', 'system-error.ts', 'file-range.ts'])
    expect(
      found(
        ({ from, to }) =>
          leaves.has(folder(from)) && to.endsWith('.ts') && folder(to) !== folder(from) && !ground.has(to),
      ),
    ).toEqual([])
  })
  it('nothing of the lower layers imports the upper ones', () => {
    const level = (file: string): number =>
      ({
        'index.ts': 4,
        'run.ts': 3,
        'errors.ts': 0,
        'system-error.ts': 0,
        'file-range.ts': 0,
        bundle: 1,
        capgo: 1,
        github: 1,
      })[folder(file)] ?? 2
    expect(
      found(({ from, to, typeOnly }) => to.endsWith('.ts') && !typeOnly && level(to) > level(from)),
    ).toEqual([])
  })
  it('the toolkit is touched in index.ts alone; children are started in bundle/ alone', () => {
    expect(found(({ from, to }) => to === '@actions/core' && from !== 'index.ts')).toEqual([])
    expect(
      found(
        ({ from, to }) => (to === 'cross-spawn' || to === 'node:child_process') && folder(from) !== 'bundle',
      ),
    ).toEqual([])
    expect(
      found(({ from, to }) => to === 'undici' && !/^(capgo\/http|index|network)\.ts$/.test(from)),
    ).toEqual([])
  })
  it('the environment is read in index.ts, and in launch.ts that starts it', () => {
    // The evaluator is a program of its own: it runs the user's config, which may read the environment.
    const readers = files.filter(
      file =>
        /\bprocess\.env\b|\{ env \} = process/.test(readFileSync(join(SRC, file), 'utf8')) &&
        file !== 'bundle/evaluate-config.ts',
    )
    expect(readers.sort()).toEqual(['index.ts', 'launch.ts'])
  })
  it("GitHub's client for artifacts is in a program of its own", () => {
    expect(found(({ to }) => to === '@actions/artifact')).toEqual([
      'github/upload-artifact.ts -> @actions/artifact',
    ])
    expect(found(({ to, typeOnly }) => to === 'github/upload-artifact.ts' && !typeOnly)).toEqual([])
  })
  it('src never imports server, tests or scripts', () => {
    expect(found(({ to }) => to.startsWith('..'))).toEqual([])
  })
  it('no file is called utils, helpers or misc', () => {
    expect(files.filter(file => /(^|\/)(utils|helpers|misc)\.ts$/.test(file))).toEqual([])
  })
})
