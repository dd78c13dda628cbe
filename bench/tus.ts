// Our client for resumable uploads and tus-js-client under the same faults.
import { createCipheriv, createHash } from 'node:crypto'
import { createReadStream, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type FaultInput, startCapgo } from '../local/capgo/index.ts'
import { makeScratch, removeScratch } from '../local/runner/scratch.ts'
import { readRange } from '../src/runtime/file-range.ts'
import { child, MB, say, tell } from './child.ts'
import type { UploadResults } from './uploads-page.ts'

const APP_ID = 'com.example.daybreak'
const OBJECT = 32 * MB
const CHUNK = 8 * MB

const creation = { method: 'POST', path: /upload/ }
const patch = { method: 'PATCH', path: /upload/ }
const FAULTS: readonly { readonly title: string; readonly faults: readonly FaultInput[] }[] = [
  { title: 'none', faults: [] },
  { title: 'creation cut in the middle', faults: [{ match: creation, at: 'middle', do: 'drop' }] },
  { title: "creation's answer lost", faults: [{ match: creation, at: 'after', do: 'drop' }] },
  {
    title: 'every chunk cut in the middle once',
    faults: [{ match: patch, at: 'middle', do: 'drop', times: 4 }],
  },
  { title: "every chunk's answer lost", faults: [{ match: patch, at: 'after', do: 'drop', times: 4 }] },
  {
    title: '503 with Retry-After: 2, twice',
    faults: [
      {
        match: patch,
        do: { status: 503, headers: { 'Retry-After': '2' }, body: { error: 'upload_retryable' } },
        times: 2,
      },
    ],
  },
  {
    title: '429 with Retry-After: 2',
    faults: [
      {
        match: patch,
        do: { status: 429, headers: { 'Retry-After': '2' }, body: { error: 'too_many_requests' } },
      },
    ],
  },
  {
    title: '409, offset conflict',
    faults: [{ match: patch, do: { status: 409, body: 'incorrect upload offset' } }],
  },
  { title: '502 six times', faults: [{ match: patch, do: { status: 502 }, times: 6 }] },
  { title: 'network gone for 30 s', faults: [] },
  { title: 'run again after it was killed', faults: [{ match: patch, at: 'middle', do: 'drop' }] },
]

/** Both clients under each fault, each in a process of its own. */
export async function measureTus(): Promise<NonNullable<UploadResults['tus']>> {
  const folder = makeScratch('bench-uploads')
  const file = join(folder, 'object')
  const noise = createCipheriv('aes-128-ctr', Buffer.alloc(16, 1), Buffer.alloc(16))
  writeFileSync(file, noise.update(Buffer.alloc(OBJECT)))
  const rows: NonNullable<UploadResults['tus']>[number][] = []
  for (const { title, faults } of FAULTS)
    for (const client of ['ours', 'tus-js-client'] as const) {
      const capgo = await startCapgo({ limits: false, filesConfig: { maxChunkSize: CHUNK } })
      const { owner_org: org } = capgo.seedApp({ appId: APP_ID })
      const key = capgo.seedKey({ appId: APP_ID, role: 'app_admin' })
      for (const fault of faults) capgo.faults.add(fault)
      const words = ['--client', client, capgo.url, key, `orgs/${org}/apps/${APP_ID}/1.0.0.zip`, file]
      if (title.startsWith('network'))
        capgo.faults.add({
          match: { ...patch, nth: 2 },
          at: 'middle',
          async do() {
            const gone: FaultInput = { match: {}, do: 'drop', times: Number.POSITIVE_INFINITY }
            capgo.faults.add(gone)
            setTimeout(() => capgo.faults.clear(), 30_000)
            throw new Error('the network is gone')
          },
        })
      if (title.startsWith('run again')) {
        // The first run ends with its first cut; what it sent is there.
        await child('--client', client, ...words.slice(2), 'once').catch(() => {})
        capgo.faults.clear()
        capgo.requests.splice(0)
      }
      const told = await child<{ error: string | null; seconds: number; cpu: number; memory: number }>(
        ...words,
      )
      const uploads = capgo.requests.filter(({ path }) => path.includes('/upload/'))
      const sent = uploads.reduce((sum, { requestBytes }) => sum + requestBytes, 0)
      rows.push({ title, client, ...told, requests: uploads.length, sent: sent / OBJECT })
      say(
        `${title} · ${client}: ${told.error ?? 'stored'}, ${told.seconds.toFixed(1)} s, ${uploads.length} requests, ${(sent / OBJECT).toFixed(2)} of the bytes`,
      )
      await capgo.stop()
    }
  removeScratch(folder)
  return rows
}

/** `once`: the process ends with its first fault. */
interface Uploading {
  readonly client: string
  readonly url: string
  readonly key: string
  /** Of the object. */
  readonly path: string
  readonly file: string
  readonly once: boolean
}

const load = async () => ({ ...(await import('undici')), ...(await import('../src/capgo/client.ts')) })

/** One upload, measured from when the client is loaded and the file's SHA-256 is known. */
export async function upload({ client, url, key, path, file, once }: Uploading): Promise<void> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk)
  const sha256 = hash.digest('hex')
  const { size } = statSync(file)
  // The sources are TypeScript here: loading them and stripping their types is not part of an upload.
  const ours = client === 'ours' ? await load() : null
  const { Upload } = await import('tus-js-client')
  const began = performance.now()
  let error: string | null = null
  try {
    if (ours !== null) {
      const { Agent, createCapgo } = ours
      const capgo = createCapgo({
        token: key,
        api: url,
        files: url,
        plugin: url,
        database: null,
        dispatcher: new Agent(),
        userAgent: 'bench',
        redact: text => text,
        signal: new AbortController().signal,
        onRetry: () => {},
        sleep: async ms => {
          if (once) process.exit(1)
          await new Promise(resolve => setTimeout(resolve, ms))
        },
      })
      const config = await capgo.readFilesConfig()
      const open = (start: number, length: number) => readRange(file, start, length)
      const object = { key: path, what: 'the object', type: 'application/zip', size, sha256, open }
      await capgo.uploadFile(object, { config, mayBeStarted: true })
    } else {
      await new Promise<void>((resolve, reject) => {
        const upload = new Upload(createReadStream(file) as never, {
          endpoint: `${url}/files/upload/attachments/`,
          chunkSize: CHUNK,
          uploadSize: size,
          // As Capgo's own CLI has it.
          retryDelays: once ? [] : [0, 1000, 3000, 5000, 10_000],
          headers: { Authorization: key },
          metadata: { filename: path, filetype: 'application/zip' },
          onError: reject,
          onSuccess: () => resolve(),
        })
        upload.start()
      })
    }
  } catch (caught) {
    error = (caught as Error).message.slice(0, 90)
  }
  tell({ error, seconds: (performance.now() - began) / 1000 })
  process.exit(0)
}
