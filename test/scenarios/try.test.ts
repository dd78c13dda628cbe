/** `npm run try`: somebody's own app, before there is an account or a workflow. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startCapgo } from '../../server/index.ts'
import { createRepository, type Files, type Repository } from '../helpers/repository.ts'
import { makeScratch } from '../helpers/scratch.ts'
import { APP_ID, tinyApp } from './scenario.ts'

const SCRIPT = fileURLToPath(new URL('../../scripts/try.ts', import.meta.url))

async function attempt(folder: string, ...words: string[]): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, [SCRIPT, folder, ...words], {
    env: {
      ...process.env,
      npm_config_userconfig: '/dev/null',
      NO_COLOR: '1',
      INIT_CWD: undefined,
      VITEST: undefined,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const chunks: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => chunks.push(chunk))
  const code = await new Promise<number | null>(resolve => child.once('close', resolve))
  return { code, said: stripVTControlCharacters(Buffer.concat(chunks).toString()) }
}

function repositoryOf(files: Files, branch = 'main'): Repository {
  const repository = createRepository({ files, branch, message: 'Greet' })
  onTestFinished(() => repository.remove())
  return repository
}

describe('npm run try', () => {
  it('publishes the commit, not what lies beside it, and a device takes it', async () => {
    const repository = repositoryOf(tinyApp('Good morning'))
    repository.write({ 'greeting.txt': 'not committed' })
    const { code, said } = await attempt(repository.path)
    expect(said).toContain(`${repository.head.slice(0, 7)} "Greet"`)
    expect(said).toContain('1 changed files are not committed')
    expect(said).toContain('built <h1>Good morning</h1>')
    expect(said).toContain('Channel production serves bundle 1.2.0.')
    expect(said).toMatch(
      /✓ a device with native version 1\.0 .* takes 1\.2\.0 from channel production: 2 files/,
    )
    expect(said).not.toContain('✗')
    expect(code).toBe(0)
    expect(repository.git(['status', '--porcelain'])).toBe('M greeting.txt')
  })

  it('goes on with a Capgo that runs, in a folder of a monorepo, as the branch and inputs say', async () => {
    const files = Object.entries(tinyApp()).map(([name, content]) => [`apps/tiny/${name}`, content])
    const { path } = repositoryOf(Object.fromEntries(files), 'feature')
    const capgo = await startCapgo()
    onTestFinished(() => capgo.stop())
    capgo.seedApp({ appId: APP_ID })
    const key = capgo.seedKey({ appId: APP_ID, role: 'app_admin' })
    const words = [`${path}/apps/tiny`, '--capgo', capgo.url, '--key', key, '--branch', 'develop'] as const
    const first = await attempt(...words)
    expect(first.said).toMatch(/✓ a device .* takes 1\.2\.0 from channel development/)
    const again = await attempt(...words, '--input', 'version=1.3.0')
    expect(again.said).toMatch(/outcome +unchanged/)
    expect(again.code).toBe(0)
  })

  it('finds the app in a config that is code', async () => {
    const { 'capacitor.config.json': config, ...files } = tinyApp()
    const appId = 'com.example.other'
    const script = `export default ${config?.toString().replace(APP_ID, appId)}`
    const { path } = repositoryOf({ ...files, 'capacitor.config.ts': script })
    const { code, said } = await attempt(path)
    expect(said).toMatch(/app +com\.example\.other in repository-/)
    expect(said).toMatch(/✓ a device with native version 1\.0 .* takes 1\.2\.0 from channel production/)
    expect(code).toBe(0)
  })

  it('is red when the action is', async () => {
    const { code, said } = await attempt(repositoryOf(tinyApp()).path, '--input', 'build=yes')
    expect(said).toContain('Write true or false, in lower case.')
    expect(said).toContain('✗ the step is green (exit code 1)')
    expect(code).toBe(1)
  })

  it.each([
    [[makeScratch('empty')], /has no commit, and a commit is what is published/],
    [['/no/such/folder'], /There is no folder/],
    [['.', '--capgo', 'https://api.capgo.app', '--key', 'k'], /is not on this machine/],
    [['.', '--input', 'build'], /--input build is not name=value/],
  ])('%j is refused', async ([folder, ...words], message) => {
    const { code, said } = await attempt(folder!, ...words)
    expect(said).toMatch(message)
    expect(said).not.toContain('    at ')
    expect(code).toBe(1)
  })
})
