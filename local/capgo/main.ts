// `npm run capgo`: a Capgo on this machine, to try the action with or to click through.
import { parseArgs, styleText } from 'node:util'
import { startCapgo } from './start.ts'
import type { LocalCapgo, LocalCapgoOptions } from './types.ts'

const APP = 'com.example.app'

const usage = `The local Capgo.

  --port <n>         default 8787
  --database <dir>   keep everything there; without it all is in memory and gone at the end
  --runtime <name>   workerd (like the cloud, default) or edge (like a self-hosted one)
  --profile <name>   base (default) or new (what newer servers do differently)
  --latency <ms>     waited on the way in and again on the way out of every request
  --no-limits        switch the rate limits off
`

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8787' },
    database: { type: 'string' },
    runtime: { type: 'string', default: 'workerd' },
    profile: { type: 'string', default: 'base' },
    latency: { type: 'string', default: '0' },
    'no-limits': { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

if (values.help) process.stdout.write(usage)
else await run()

async function run(): Promise<void> {
  const options = readOptions()
  if (typeof options === 'string') {
    process.stderr.write(`${options}\n\n${usage}`)
    process.exitCode = 1
    return
  }
  let capgo: LocalCapgo
  try {
    capgo = await startCapgo(options)
  } catch (error) {
    const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
    process.stderr.write(
      isTaken ? `Port ${options.port} is taken. Choose another with --port.\n` : `${error}\n`,
    )
    process.exitCode = 1
    return
  }
  const key = demoKey(capgo)
  process.stdout.write(banner(capgo.url, key, options))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void capgo.stop())
}

function readOptions(): LocalCapgoOptions | string {
  const { runtime, profile } = values
  const port = Number(values.port)
  const latencyMs = Number(values.latency)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) return `--port ${values.port} is not a port.`
  if (!(latencyMs >= 0)) return `--latency ${values.latency} is not a number of milliseconds.`
  if (runtime !== 'workerd' && runtime !== 'edge') return `--runtime is workerd or edge, not ${runtime}.`
  if (profile !== 'base' && profile !== 'new') return `--profile is base or new, not ${profile}.`
  const database = values.database === undefined ? {} : { database: values.database }
  return { port, latencyMs, runtime, profile, limits: !values['no-limits'], ...database }
}

/** On the first start a demo app with a public channel, one that testers join, and a key; later the key it got then. */
function demoKey(capgo: LocalCapgo): string {
  const known = capgo.store.list('apikeys').find(key => key.key !== null)?.key
  if (known) return known
  capgo.seedApp({ appId: APP, name: 'Example app', allowPreview: true })
  capgo.seedChannel({ appId: APP, name: 'production', public: true })
  capgo.seedChannel({ appId: APP, name: 'beta', allow_device_self_set: true })
  return capgo.seedKey({ appId: APP, role: 'app_admin' })
}

function banner(url: string, key: string, options: LocalCapgoOptions): string {
  const bold = (text: string) => styleText('bold', text)
  const dim = (text: string) => styleText('dim', text)
  const notes = [
    options.runtime === 'edge' ? 'edge runtime' : 'workerd runtime',
    `profile ${options.profile}`,
    options.database ? `kept in ${options.database}` : 'in memory',
    options.limits ? 'rate limits on' : 'rate limits off',
    ...(options.latencyMs ? [`${options.latencyMs} ms each way`] : []),
  ]
  return `
  ${bold('Local Capgo')}  ${dim(notes.join(' · '))}

  Open   ${styleText(['cyan', 'underline'], url)}
  App    ${APP}  ${dim('(public channel: production; testers: beta)')}
  Key    ${key}  ${dim('(role app_admin)')}

  ${dim('In a workflow, or for a run on this machine:')}

    with:
      capgo-token: ${key}
      api-url: ${url}
      app-id: ${APP}

  ${dim('Ctrl+C stops it.')}

`
}
