/** What a user copies from examples/. That each is published and runs on a device: `npm run examples`. */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const find = (pattern: string) =>
  globSync(pattern, { cwd: ROOT, exclude: ['**/node_modules'] }).map(path => path.replaceAll('\\', '/'))

interface Lockfile {
  readonly packages: Readonly<Record<string, { readonly optionalDependencies?: object }>>
}

/** Optional dependencies that stand nowhere from the folder of the package up. */
function findMissing({ packages }: Lockfile): string[] {
  const isThere = (path: string, name: string): boolean => {
    const folder = path === '' ? '' : `${path}/`
    if (`${folder}node_modules/${name}` in packages) return true
    return path !== '' && isThere(path.slice(0, Math.max(path.lastIndexOf('node_modules/') - 1, 0)), name)
  }
  return Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter(name => !isThere(path, name))
      .map(name => `${path}: ${name}`),
  )
}

describe.each(find('examples/**/package-lock.json'))('%s', file => {
  // Tools come as a package for each system; npm ci refuses a lockfile that has only some of them.
  it('has the packages of every system', () => {
    expect(findMissing(JSON.parse(read(file)))).toEqual([])
  })
})

describe.each(find('examples/**/{package-lock.json,pnpm-lock.yaml,bun.lock}'))('%s', file => {
  it('names no place that packages come from', () => {
    expect(read(file)).not.toMatch(/"resolved": "http|tarball: |registry\./)
  })
})

describe('the pages on examples', () => {
  it('have every example', () => {
    const links = [
      ...read('docs/monorepos-and-frameworks.md').matchAll(/\]\(\.\.\/examples\/([^)/]+)\/README\.md\)/g),
    ].map(([, name]) => name!)
    expect(links.sort()).toEqual(
      find('examples/*/README.md')
        .map(path => dirname(path).split('/')[1]!)
        .sort(),
    )
  })

  it('name as the ones that CI builds those that it builds', () => {
    const [, built] = /npm run examples -- ([a-z -]+[a-z])/.exec(read('.ci/run'))!
    expect(read('docs/development/examples.md')).toContain(`npm run examples -- ${built}`)
  })
})
