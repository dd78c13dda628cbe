/** `build-env` and `build-secrets`: what install, build and config are given on purpose. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createWorld, tinyApp } from './scenario.ts'

const TOKEN = 'npm_0123456789abcdefghij'
const PEM = ['c4nary-first-line-of-a-key', 'c4nary-second-line-of-a-key']

it('install, build and config get what build-env and build-secrets say, and nobody else sees the secrets', async () => {
  const look = (file: string) =>
    `require('fs').writeFileSync('${file}', JSON.stringify(Object.fromEntries(Object.entries(process.env).filter(([name]) => /^(VITE_|APP_|NODE_AUTH|GITHUB_TOKEN|GH_TOKEN|SIGNING)/.test(name)))))\n`
  const app = tinyApp()
  const world = await createWorld({
    files: {
      ...app,
      'capacitor.config.json': null,
      'capacitor.config.js': `${look('config.seen.json')}module.exports = { appId: process.env.APP_ID, appName: 'Tiny', webDir: 'www' }\n`,
      'package.json': JSON.stringify({
        name: 'tiny',
        version: '1.2.0',
        scripts: { build: 'node build.js', preinstall: 'node look.js' },
      }),
      'package-lock.json': JSON.stringify({
        name: 'tiny',
        version: '1.2.0',
        lockfileVersion: 3,
        packages: { '': { name: 'tiny', version: '1.2.0', hasInstallScript: true } },
      }),
      'look.js': look('install.seen.json'),
      'build.js': `${look('build.seen.json')}${app['build.js']}
for (const name of ['NODE_AUTH_TOKEN', 'SIGNING_KEY']) console.log(name, process.env[name], Buffer.from(process.env[name]).toString('base64'))
require('fs').writeFileSync('www/token.txt', 'public')\n`,
    },
  })
  const inputs = {
    'build-env': '# what Vite reads\nVITE_API=https://api.example.com\nAPP_ID=com.example.app',
    'build-secrets': `NODE_AUTH_TOKEN=${TOKEN}\nGITHUB_TOKEN=${TOKEN}-github\nSIGNING_KEY="${PEM.join('\n')}"`,
  }
  // What is in "env:" of the step under the name of a token is still taken away.
  const run = await world.push('main', { inputs, env: { GH_TOKEN: 'gho_of-the-step' } })
  expect(run.outputs.outcome, run.visibleLog).toBe('published')
  for (const file of ['config', 'install', 'build'])
    expect(JSON.parse(readFileSync(join(world.repo.path, `${file}.seen.json`), 'utf8')), file).toEqual({
      VITE_API: 'https://api.example.com',
      APP_ID: 'com.example.app',
      NODE_AUTH_TOKEN: TOKEN,
      GITHUB_TOKEN: `${TOKEN}-github`,
      SIGNING_KEY: PEM.join('\n'),
    })
  const said = run.log.lines.filter(({ command }) => command !== 'add-mask').map(({ raw }) => raw)
  for (const secret of [TOKEN, ...PEM]) {
    expect(said.join('\n')).not.toContain(secret)
    expect(said.join('\n')).not.toContain(Buffer.from(secret).toString('base64'))
    expect(run.log.lines.some(({ raw }) => raw === `::add-mask::${secret}`)).toBe(true)
  }
  // build-env is no secret: a mask for "1" or "true" would blacken the log.
  expect(run.log.lines.some(({ raw }) => raw.includes('::add-mask::https://api'))).toBe(false)

  const refused = await world.push('main', {
    inputs: { 'build-env': 'NODE_OPTIONS=-r x\nFINE=1', 'build-secrets': `${TOKEN}` },
  })
  expect(refused.outputs).toMatchObject({
    'error-code': 'invalid_input',
    reason: expect.stringContaining('build-env'),
  })
  expect(refused.visibleLog).toContain('"build-env", line 1: NODE_OPTIONS changes Node itself')
})
