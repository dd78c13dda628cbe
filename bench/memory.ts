import { generateKeyPairSync } from 'node:crypto'
import { pushEvent } from '../local/runner/event.ts'
import { runAction } from '../local/runner/runner.ts'
import { removeScratch } from '../local/runner/scratch.ts'
import { createApp } from './app.ts'
import { startCapgoProcess } from './capgo.ts'
import type { OurAction } from './contestants.ts'
import { startProxy } from './latency.ts'
import { measuring, readUsage } from './measure.ts'

export interface BundleMemory {
  readonly title: string
  /** Bytes of the web folder. */
  readonly bytes: number
  readonly files: number
  readonly seconds: number
  /** Bytes: the peak of what is resident. */
  readonly memory: number
  readonly outcome: string
}

/** Publishes a large app in each form, and tells the peak memory of the action. */
export async function measureBundle(
  ours: OurAction,
  megabytes: number,
  fileCount: number,
  say: (text: string) => void,
): Promise<BundleMemory[]> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'pkcs1', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  })
  const app = createApp({ label: '', megabytes, files: fileCount }, 'http://127.0.0.1:9')
  app.repository.write({
    'capacitor.config.json': JSON.stringify({
      appId: 'com.example.large',
      webDir: 'dist',
      plugins: { CapacitorUpdater: { publicKey } },
    }),
  })
  const rows: BundleMemory[] = []
  for (const [at, [title, inputs]] of (
    [
      ['zip', { delta: 'false' }],
      ['delta files and zip', { delta: 'true' }],
      ['delta files and zip, encrypted', { delta: 'true', 'private-key': privateKey }],
    ] as const
  ).entries()) {
    const proxy = await startProxy()
    const capgo = await startCapgoProcess(proxy.port, { limits: false })
    proxy.target = capgo.port
    const appId = `com.example.large${at}`
    await capgo.seed(appId, 'production')
    const key = await capgo.key(appId, 'app_admin')
    const sha = app.repository.commit({}, title)
    const run = await runAction({
      action: ours.folder,
      repo: app.repository.path,
      event: pushEvent({ branch: 'main', sha }),
      inputs: {
        'capgo-token': key,
        'api-url': `http://127.0.0.1:${proxy.port}`,
        'app-id': appId,
        build: 'false',
        'native-version': '1.0.0',
        deployments: 'false',
        comment: 'false',
        ...inputs,
      },
      env: measuring(),
      secrets: [key],
      runNumber: at + 1,
    })
    const outcome = run.outputs.outcome ?? 'failed'
    if (outcome !== 'published') say(run.visibleLog.slice(-2_000))
    const { memory } = readUsage() ?? { memory: Number.NaN }
    rows.push({
      title,
      bytes: app.bytes,
      files: app.files.length,
      seconds: run.durationMs / 1000,
      memory,
      outcome,
    })
    say(`${title}: ${outcome}, ${(run.durationMs / 1000).toFixed(1)} s, ${(memory / 2 ** 20).toFixed(0)} MiB`)
    proxy.stop()
    capgo.stop()
  }
  removeScratch(app.repository.path)
  return rows
}
