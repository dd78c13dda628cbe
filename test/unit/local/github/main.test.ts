import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createRepository, type Repository } from '../../../../local/repository.ts'
import { makeScratch, removeScratch } from '../../../../local/runner/scratch.ts'

const MAIN = join(import.meta.dirname, '../../../../local/github/main.ts')
let repository: Repository
let folder: string
const started = new Set<ChildProcess>()

beforeEach(() => {
  repository = createRepository()
  repository.git(['branch', 'evening'])
  folder = makeScratch('github-main')
})
afterEach(() => {
  for (const child of started) child.kill('SIGKILL')
  started.clear()
  repository.remove()
  removeScratch(folder)
})

function start(...words: string[]) {
  const child = spawn(process.execPath, [MAIN, '--port', '0', ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  started.add(child)
  const output = { text: '' }
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output.text += text
    })
  return { child, output }
}

/** Until it says how it is stopped. */
async function open(...words: string[]) {
  const { child, output } = start('--repository', repository.path, '--name', 'you/app', ...words)
  while (!output.text.includes('Ctrl+C'))
    await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])
  const token = /Bearer (\S+)"/.exec(output.text)?.[1] ?? ''
  const api = /curl .* (\S+)\/pulls/.exec(output.text)?.[1] ?? ''
  const ask = async (path: string, body?: object) => {
    const response = await fetch(`${api}${path}`, {
      headers: { authorization: `Bearer ${token}`, 'user-agent': 'test' },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    })
    return { status: response.status, json: (await response.json()) as never }
  }
  const stop = async () => {
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
  return { text: output.text, ask, stop }
}

describe('npm run github', () => {
  it('has the commits of a git repository, and pull requests of its branches', async () => {
    const { ask, text, stop } = await open('--pull', 'evening')
    expect(text).toContain('#1 of evening')
    const pulls = await ask('/pulls')
    expect(pulls.json).toMatchObject([
      { number: 1, head: { ref: 'evening', sha: repository.git(['rev-parse', 'evening']).trim() } },
    ])
    await stop()
  })
  it('keeps in --file what was written, and opens no second pull request for a branch', async () => {
    const words = ['--pull', 'evening', '--file', join(folder, 'github.json')]
    const first = await open(...words)
    expect((await first.ask('/issues/1/comments', { body: 'Good evening' })).status).toBe(201)
    await first.stop()
    const second = await open(...words)
    expect((await second.ask('/issues/1/comments')).json).toMatchObject([{ body: 'Good evening' }])
    expect((await second.ask('/pulls')).json).toHaveLength(1)
    await second.stop()
  })
  it.each([
    [['--port', 'x'], '--port x is not a port.'],
    [['--name', 'app'], '--name app is not owner/name.'],
    [['--repository', '/'], '/ is not a git repository.'],
    [['--pull', 'nowhere'], 'nowhere'],
  ])('%j ends with what is wrong', async (words, message) => {
    const { child, output } = start('--repository', repository.path, ...words)
    const [code] = await once(child, 'close')
    expect(code).toBe(1)
    expect(output.text).toContain(message)
  })
})
