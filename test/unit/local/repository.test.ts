import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createRepository } from '../../../local/repository.ts'

test('the same history has the same shas, and a clone looks like that of actions/checkout', () => {
  const make = () => {
    const repository = createRepository({ files: { 'a.txt': '1' } })
    const second = repository.commit({ 'b/c.txt': '2', 'a.txt': null }, 'Second')
    repository.branch('develop')
    repository.tag('v1.0.0')
    repository.checkout('main')
    return { repository, second }
  }
  const [one, two] = [make(), make()]
  expect(one.second).toBe(two.second)
  expect(one.repository.git(['ls-tree', '-r', '--name-only', 'HEAD'])).toBe('b/c.txt')

  const shallow = one.repository.clone('develop')
  expect(shallow.head).toBe(one.second)
  expect(shallow.git(['rev-list', '--count', 'HEAD'])).toBe('1')
  expect(one.repository.clone('develop', { depth: 0 }).git(['rev-list', '--count', 'HEAD'])).toBe('2')
  shallow.detach()
  expect(() => shallow.git(['symbolic-ref', '-q', 'HEAD'])).toThrow()
  shallow.remove()
  expect(existsSync(shallow.path)).toBe(false)
})
