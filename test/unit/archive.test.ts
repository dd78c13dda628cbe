import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { archive, archiveSize } from '../../scripts/archive-size.ts'

const ROOT = join(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const files = execFileSync('tar', ['-t'], { input: archive(), encoding: 'utf8' })
  .split('\n')
  .filter(name => name !== '' && !name.endsWith('/'))

describe('the archive that a job downloads', () => {
  it('is smaller than 1.1 MB, and docs/development/performance.md says how large it is', () => {
    const megabytes = archiveSize() / 1e6
    expect(megabytes).toBeLessThan(1.1)
    const [, said] =
      /## What a job downloads\n[^#]*\*\*(\d\.\d\d) MB\*\*/.exec(read('docs/development/performance.md')) ??
      []
    expect(Math.abs(Number(said) - megabytes)).toBeLessThan(0.03)
  })

  it('has dist/ whole, the metadata, the nested action, and what people read', () => {
    const others = files.filter(name => !/^(dist|\.github)\//.test(name))
    expect(others).toEqual(['LICENSE', 'README.md', 'SECURITY.md', 'action.yml'])
    expect(files).toContain('.github/actions/capgo/action.yml')
    const dist = execFileSync('git', ['ls-tree', '-r', '--name-only', 'HEAD', 'dist/'], {
      cwd: ROOT,
      encoding: 'utf8',
    })
    expect(files.filter(name => name.startsWith('dist/'))).toEqual(dist.trim().split('\n'))
    for (const { runs } of [parse(read('action.yml')), parse(read('.github/actions/capgo/action.yml'))])
      expect(existsSync(join(ROOT, 'dist', runs.main.split('dist/')[1]))).toBe(true)
  })

  it('has the workflows that others call, and none of this repository alone', () => {
    const folder = '.github/workflows'
    const called = readdirSync(join(ROOT, folder)).filter(
      // The release calls the self-test.
      name =>
        name !== 'self-test.yml' &&
        'workflow_call' in ((parse(read(join(folder, name))).on as object | undefined) ?? {}),
    )
    expect(called.length).toBeGreaterThan(5)
    expect(files.filter(name => name.startsWith(folder))).toEqual(
      called.map(name => `${folder}/${name}`).sort(),
    )
  })
})
