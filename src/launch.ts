/**
 * What the runner starts: hands the tokens to the action without leaving them in the environment of a process that
 * a build could look at. A program of its own, so that this takes no time.
 */
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { childEnvironment, SECRET_INPUTS } from './bundle/environment.ts'
import { sealInto } from './sealed.ts'

const { env } = process
const action = join(dirname(process.argv[1] ?? ''), '..', 'index.js')
const secrets = SECRET_INPUTS.map(name => env[`INPUT_${name.toUpperCase()}`]?.trim() ?? '')

sealInto(action, {
  all: env,
  open: childEnvironment(env, secrets),
  // Memory first: nothing of it comes to a disk.
  folders: ['/dev/shm', env.RUNNER_TEMP ?? tmpdir(), tmpdir()],
})
process.argv[1] = action
await import(/* webpackIgnore: true */ pathToFileURL(action).href)
