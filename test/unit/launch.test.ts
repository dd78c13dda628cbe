import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { makeScratch } from '../../local/runner/scratch.ts'

const LAUNCH = join(import.meta.dirname, '../../src/launch.ts')

/** An action that takes a second to be loaded, and listens then. */
const SLOW = `
console.log('loading')
const end = Date.now() + 1000
while (Date.now() < end);
for (const name of ['SIGINT', 'SIGTERM'])
  process.on(name, () => {
    console.log('heard ' + name)
    process.exit(1)
  })
setTimeout(() => process.exit(3), 5000)
await new Promise(() => {})
`

it.each(['SIGINT', 'SIGTERM'] as const)(
  '%s while the action is being loaded is heard by it',
  async signal => {
    const folder = makeScratch('launch')
    mkdirSync(join(folder, 'launch'))
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
    writeFileSync(join(folder, 'launch/index.ts'), `import ${JSON.stringify(LAUNCH)}`)
    writeFileSync(join(folder, 'index.js'), SLOW)
    const child = spawn(process.execPath, [join(folder, 'launch/index.ts')], {
      env: { PATH: process.env.PATH, 'INPUT_CAPGO-TOKEN': 'a-secret' },
    })
    let log = ''
    child.stdout.on('data', piece => {
      if (log === '') child.kill(signal)
      log += piece
    })
    const [code, killedBy] = await once(child, 'exit')
    expect([code, killedBy, log]).toEqual([1, null, `loading\nheard ${signal}\n`])
  },
)
