import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeScratch } from '../../local/runner/scratch.ts'

/**
 * What a child of the action runs that is out for secrets: reads what a process of the same user can read, up to the
 * action itself, and keeps it in a file. Linux.
 */
const SOURCE = `
const fs = require('node:fs'), path = require('node:path')
const attempt = (act, otherwise) => { try { return act() } catch { return otherwise } }
const read = file => attempt(() => fs.readFileSync(file, 'latin1'), '')
const list = folder => attempt(() => fs.readdirSync(folder), [])
const walk = folder => list(folder).flatMap(name => {
  const file = path.join(folder, name)
  return attempt(() => fs.lstatSync(file).isDirectory(), false) ? walk(file) : [file]
})
const loot = ['own environment', JSON.stringify(process.env), 'own arguments', JSON.stringify([process.argv, process.execArgv])]
let pid = process.pid
for (let generation = 0; generation < 8; generation++) {
  const command = read('/proc/' + pid + '/cmdline')
  loot.push('command line', command, 'environment', read('/proc/' + pid + '/environ'))
  for (const number of list('/proc/' + pid + '/fd')) {
    const link = attempt(() => fs.readlinkSync('/proc/' + pid + '/fd/' + number), '')
    const isFile = link.startsWith('/') && (link.startsWith('/dev/shm/') || !/^\\/(dev|proc)\\//.test(link))
    loot.push('open ' + number, link, isFile ? read('/proc/' + pid + '/fd/' + number) : '')
  }
  if (command.includes('--handed-over')) {
    loot.push('the action is ' + pid)
    // Asks Node to open a debugger.
    attempt(() => process.kill(pid, 'SIGUSR1'))
    break
  }
  pid = Number(read('/proc/' + pid + '/stat').split(') ').at(-1).split(' ')[1])
}
for (const folder of [process.env.RUNNER_TEMP, process.env.TMPDIR]) for (const file of walk(folder)) loot.push(file, read(file))
loot.push(...list('/dev/shm').filter(name => name.startsWith('capgo-')))
fs.writeFileSync(path.join(process.env.LOOT, 'WHO-' + process.pid), loot.join('\\n'))
`

/** A folder for what is found, the variable that leads there, and the code; `who` names the child. */
export function createSpy() {
  const folder = makeScratch('loot')
  return {
    env: { LOOT: folder },
    code: (who: string) => SOURCE.replace('WHO', who),
    /** A script of that name that comes before the real program on the `PATH`. */
    shadow(program: string, real: string): string {
      const bin = makeScratch('bin')
      const spy = join(bin, 'spy.cjs')
      writeFileSync(spy, this.code(program))
      writeFileSync(
        join(bin, program),
        `#!/bin/sh\n"${process.execPath}" "${spy}" "$@"\nexec "${real}" "$@"\n`,
        { mode: 0o755 },
      )
      return bin
    },
    /** By child: all that it found. */
    loot(): Readonly<Record<string, string>> {
      const found: Record<string, string> = {}
      for (const name of readdirSync(folder)) {
        const who = name.replace(/-\d+$/, '')
        found[who] = `${found[who] ?? ''}${readFileSync(join(folder, name), 'latin1')}`
      }
      return found
    },
  }
}
