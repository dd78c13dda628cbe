import { describe, expect, it } from 'vitest'
import { readBuildVariables, secretValues } from '../../../src/inputs/build-variables.ts'

const OWN = ['capgo-key-1234', '', 'k']
const read = (env: string, secrets = '') =>
  readBuildVariables(
    name => (name === 'build-env' ? env : name === 'build-secrets' ? secrets : 'x'),
    OWN,
    error => {
      throw error
    },
  )

describe('build-env and build-secrets', () => {
  it('are read line by line, with comments, quotes and values of several lines', () => {
    expect(
      read(
        '\n# Vite\nVITE_API=https://api.example.com/?a=b#c\r\n  EMPTY =\nQUOTED=" a b "\nJSON={"a":1}\nlower_1=x y ',
        `NODE_AUTH_TOKEN=npm_abc==\nGITHUB_TOKEN=ghs_x\nCAPGO_ANALYTICS_KEY=y\nPEM='-----BEGIN\n# no comment\n-----END' \nAFTER=z`,
      ),
    ).toEqual({
      VITE_API: 'https://api.example.com/?a=b#c',
      EMPTY: '',
      QUOTED: ' a b ',
      JSON: '{"a":1}',
      lower_1: 'x y',
      NODE_AUTH_TOKEN: 'npm_abc==',
      GITHUB_TOKEN: 'ghs_x',
      CAPGO_ANALYTICS_KEY: 'y',
      PEM: '-----BEGIN\n# no comment\n-----END',
      AFTER: 'z',
    })
    expect(read('')).toEqual({})
  })

  it.each([
    ['INPUT_CAPGO-TOKEN=x', 'is not NAME=value'],
    ['input_build=x', 'input_build is an input of this action'],
    ['GITHUB_ENV=x', 'GITHUB_ENV is set by the runner'],
    ['GITHUB_SHA=x', 'GITHUB_SHA is set by the runner'],
    ['RUNNER_TEMP=x', 'RUNNER_TEMP is set by the runner'],
    ['ACTIONS_RUNTIME_TOKEN=x', 'ACTIONS_RUNTIME_TOKEN is set by the runner'],
    ['NODE_OPTIONS=--require ./x.js', 'NODE_OPTIONS changes Node itself'],
    ['LD_PRELOAD=x', 'LD_PRELOAD changes which code'],
    ['DYLD_INSERT_LIBRARIES=x', 'DYLD_INSERT_LIBRARIES changes which code'],
    ['Path=x', 'Path decides which programs run'],
    ['GITHUB_TOKEN=x', 'GITHUB_TOKEN is a secret: set it in build-secrets'],
    ['CAPGO_TOKEN=x', 'CAPGO_TOKEN is a secret: set it in build-secrets'],
    ['A=Bearer capgo-key-1234', 'A has the value of a key of this action'],
    ['A=k', 'A has the value of a key of this action'],
    ['A=1\na=2', 'a is set twice (first: build-env, line 1)'],
    ['just words', 'is not NAME=value'],
    ['A="open\nB=1', 'A begins with ", but no line ends with it'],
    ['A=\0', 'A contains a null character'],
  ])('%j is refused', (line, why) => {
    expect(() => read(line)).toThrow(`Input "build-env", line ${line.startsWith('A=1') ? 2 : 1}: ${why}`)
  })

  it('says every wrong line at once, with its number and without its value', () => {
    const text = 'OK=1\nhunter2\n\nNODE_OPTIONS=s3cret\nCAPGO_TOKEN=capgo-key-1234'
    const error = (() => {
      try {
        return read('OK=1', text)
      } catch (thrown) {
        return thrown as Error & { code: string; hint: string }
      }
    })()
    expect(error).toMatchObject({
      code: 'invalid_input',
      message:
        'Input "build-secrets": 4 lines are not valid:\nline 1: OK is set twice (first: build-env, line 1).\nline 2: is not NAME=value.\nline 4: NODE_OPTIONS changes Node itself, so set it in the build script.\nline 5: CAPGO_TOKEN has the value of a key of this action, which the build does not see.',
      hint: expect.stringContaining('one NAME=value per line'),
    })
    // What could not be read is masked too.
    expect(secretValues(text)).toEqual(['1', 'hunter2', 's3cret', 'capgo-key-1234'])
    expect(secretValues('A="open\nB=two')).toEqual(['"open', 'two'])
  })
})
