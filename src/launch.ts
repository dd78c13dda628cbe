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

/**
 * What is garbage goes early: compressing makes some 100 kB of it for each file, mostly beside V8's heap, where V8 counts
 * it by the size of its young generation, and glibc keeps what is smaller than a threshold for later, for each thread
 * apart. Without these, delta files of a large bundle take half as much memory again.
 */
const LEAN_FLAGS = ['--max-semi-space-size=2']
const LEAN_ENVIRONMENT = { MALLOC_MMAP_THRESHOLD_: '65536', MALLOC_ARENA_MAX: '2' }

sealInto(action, {
  all: env,
  open: { ...LEAN_ENVIRONMENT, ...childEnvironment(env, secrets) },
  flags: LEAN_FLAGS,
  // Memory first: nothing of it comes to a disk.
  folders: ['/dev/shm', env.RUNNER_TEMP || tmpdir(), tmpdir()],
})
process.argv[1] = action
await import(/* webpackIgnore: true */ pathToFileURL(action).href)
