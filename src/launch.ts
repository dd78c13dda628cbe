/**
 * The program that the runner starts: hands the tokens to the action without leaving them in the environment of a process that
 * a build could look at. A program of its own, so that this takes no time.
 */
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { childEnvironment, SECRET_INPUTS } from './runtime/environment.ts'
import { HANDED_OVER, handOver } from './runtime/handover.ts'

const { env } = process
const own = process.argv[1] ?? ''
const action = join(dirname(own), '..', 'index.js')

/** The signal by which the run was cancelled before the action was there to hear it. */
let early: string | undefined = process.argv[3]
const SIGNALS = ['SIGINT', 'SIGTERM'] as const
// Without a listener a signal ends the process without a word.
for (const name of SIGNALS)
  process.on(name, () => {
    early ??= name
  })

/**
 * Garbage goes early: compressing makes some 100 kB of it for each file, mostly beside V8's heap, where V8 counts
 * it by the size of its young generation, and glibc keeps what is smaller than a threshold for later, for each thread
 * apart. Without these, delta files of a large bundle take half as much memory again.
 */
const LEAN_FLAGS = ['--max-semi-space-size=2']
const LEAN_ENVIRONMENT = { MALLOC_MMAP_THRESHOLD_: '65536', MALLOC_ARENA_MAX: '2' }

if (process.argv[2] !== HANDED_OVER) {
  // A listener is called between two turns, and none outlives the replacement of the process.
  await nextTurn()
  const secrets = SECRET_INPUTS.map(name => env[`INPUT_${name.toUpperCase()}`]?.trim() ?? '')
  handOver(own, {
    all: env,
    open: { ...LEAN_ENVIRONMENT, ...childEnvironment(env, secrets) },
    flags: LEAN_FLAGS,
    more: early === undefined ? [] : [early],
    // Memory first: nothing of it comes to a disk.
    folders: ['/dev/shm', env.RUNNER_TEMP || tmpdir(), tmpdir()],
  })
}
process.argv[1] = action
const running = import(/* webpackIgnore: true */ pathToFileURL(action).href)
// The action listens before it does anything that takes time, and hears then what came earlier.
const waiting = setInterval(() => {
  if (SIGNALS.some(name => process.listenerCount(name) < 2)) return
  clearInterval(waiting)
  if (early !== undefined) process.emit(early as NodeJS.Signals, early as NodeJS.Signals)
}, 5)
waiting.unref()
await running
