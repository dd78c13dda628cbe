/*
 * Why uploads and zips are made as they are: measured against what is published for it.
 *
 *   node bench/uploads.ts tus         our client for resumable uploads and tus-js-client under the same faults (minutes)
 *   node bench/uploads.ts archivers   who writes the same zip fastest
 *   node bench/uploads.ts memory      what a bundle of 1 GiB takes (some minutes, 4 GB of disk)
 *
 * Results are kept in bench/uploads.json, and docs/development/uploads.md is made of them.
 */
import { execFile } from 'node:child_process'
import { createCipheriv, createHash } from 'node:crypto'
import {
  createReadStream,
  createWriteStream,
  existsSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type FaultInput, startCapgo } from '../local/capgo/index.ts'
import { makeScratch, removeScratch } from '../local/runner/scratch.ts'
import { readRange } from '../src/runtime/file-range.ts'
import { createApp } from './app.ts'
import { renderUploadsPage, type UploadResults } from './uploads-page.ts'

const KEPT = new URL('uploads.json', import.meta.url)
const PAGE = new URL('../docs/development/uploads.md', import.meta.url)
const APP_ID = 'com.example.daybreak'
const MB = 1_000_000
const OBJECT = 32 * MB
const CHUNK = 8 * MB

const say = (text: string) => process.stderr.write(`${text}\n`)

function keep(part: Partial<UploadResults>): void {
  const before = existsSync(KEPT) ? (JSON.parse(readFileSync(KEPT, 'utf8')) as UploadResults) : {}
  const machine = `${availableParallelism()} cores of ${cpus()[0]?.model.trim() ?? 'an unknown processor'}, Node ${process.version}`
  const all = { ...before, ...part, machine }
  writeFileSync(KEPT, `${JSON.stringify(all, null, 2)}\n`)
  writeFileSync(PAGE, renderUploadsPage(all))
}

/** Runs this file as a child with the words, and returns what it tells of itself. */
async function child<T>(...words: string[]): Promise<T> {
  const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(import.meta.url), ...words], {
    maxBuffer: 1 << 26,
  })
  return JSON.parse(stdout) as T
}

/** What this process took, to its parent. */
function tell(more: object): void {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
  process.stdout.write(
    JSON.stringify({ ...more, cpu: (userCPUTime + systemCPUTime) / 1e6, memory: maxRSS * 1024 }),
  )
}

/* Resumable uploads. */

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

async function measureTus(): Promise<void> {
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
  keep({ tus: rows })
}

async function upload(
  client: string,
  url: string,
  key: string,
  path: string,
  file: string,
  once: boolean,
): Promise<void> {
  const began = performance.now()
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk)
  const sha256 = hash.digest('hex')
  const { size } = statSync(file)
  let error: string | null = null
  try {
    if (client === 'ours') {
      const [{ Agent }, { createCapgo }] = await Promise.all([
        import('undici'),
        import('../src/capgo/client.ts'),
      ])
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
      const { Upload } = await import('tus-js-client')
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

/* Writers of zips. */

const ARCHIVERS = ['this action', 'this action, 1 thread', 'archiver', 'yazl', 'fflate zip()'] as const

async function measureArchivers(): Promise<void> {
  const rows: NonNullable<UploadResults['archivers']>[number][] = []
  for (const [megabytes, files] of [
    [5, 300],
    [50, 2_000],
  ] as const) {
    const app = createApp({ label: '', megabytes, files }, 'http://127.0.0.1:9')
    for (const name of ARCHIVERS) {
      const runs: { seconds: number; cpu: number; memory: number; bytes: number }[] = []
      for (let run = 0; run < 3; run++)
        runs.push(await child('--archiver', name, app.webDirectory, app.repository.path))
      const best = runs.toSorted((one, other) => one.seconds - other.seconds)[0]!
      rows.push({ app: `${megabytes} MB, ${files.toLocaleString('en')} files`, name, ...best })
      say(
        `${megabytes} MB · ${name}: ${best.seconds.toFixed(2)} s, CPU ${best.cpu.toFixed(2)} s, ${(best.memory / MB).toFixed(0)} MB, ${best.bytes} bytes`,
      )
    }
    removeScratch(app.repository.path)
  }
  keep({ archivers: rows })
}

/** Neither brings types. */
const load = (name: string) => import(name)

async function archive(name: string, directory: string, root: string): Promise<void> {
  const { checkWebDirectory } = await import('../src/bundle/web-directory.ts')
  const options = { root, directory, requireNotifyAppReady: false, dropSourceMaps: true, maxBytes: 2 ** 40 }
  const { files } = await checkWebDirectory(options)
  const to = join(makeScratch('bench-zip'), 'out.zip')
  const date = new Date(1980, 0, 1, 12)
  const modules = {
    archiver: name === 'archiver' ? await load('archiver') : null,
    yazl: name === 'yazl' ? (await load('yazl')).default : null,
    fflate: await import('fflate'),
    ours: await import('../src/bundle/zip.ts'),
    built: await import('../local/zlib.ts'),
  }
  const began = performance.now()
  if (modules.archiver !== null) {
    const zip = new modules.archiver.ZipArchive({ zlib: { level: 6 } })
    for (const { path } of files) zip.file(join(directory, path), { name: path, date, mode: 0o644 })
    await Promise.all([pipeline(zip, createWriteStream(to)), zip.finalize()])
  } else if (modules.yazl !== null) {
    const zip = new modules.yazl.ZipFile()
    for (const { path } of files)
      zip.addFile(join(directory, path), path, { mtime: date, mode: 0o100644, compressionLevel: 6 })
    zip.end()
    await pipeline(zip.outputStream, createWriteStream(to))
  } else if (name === 'fflate zip()') {
    const contents = Object.fromEntries(
      files.map(({ path }) => [path, new Uint8Array(readFileSync(join(directory, path)))]),
    )
    const zipped = await new Promise<Uint8Array>((resolve, reject) =>
      modules.fflate.zip(contents, { level: 6, mem: 5, mtime: date }, (error, data) =>
        error ? reject(error) : resolve(data),
      ),
    )
    writeFileSync(to, zipped)
  } else
    await modules.ours.zipDirectory({
      directory,
      files,
      to,
      worker: name === 'this action' ? modules.built.worker : null,
      zlib: modules.built.zlib,
    })
  tell({ seconds: (performance.now() - began) / 1000, bytes: statSync(to).size })
}

/* Memory. */

async function measureMemory(megabytes: number, files: number): Promise<void> {
  const { ourAction } = await import('./contestants.ts')
  const { measureBundle } = await import('./memory.ts')
  keep({ memory: await measureBundle(ourAction(), megabytes, files, say) })
}

const [what, ...words] = process.argv.slice(2)
if (what === '--client')
  await upload(words[0]!, words[1]!, words[2]!, words[3]!, words[4]!, words[5] === 'once')
else if (what === '--archiver') await archive(words[0]!, words[1]!, words[2]!)
else if (what === 'tus') await measureTus()
else if (what === 'archivers') await measureArchivers()
else if (what === 'memory') await measureMemory(Number(words[0] ?? 1_074), Number(words[1] ?? 9_000))
else if (what === 'page') keep({})
else {
  process.stderr.write('node bench/uploads.ts tus | archivers | memory [MB] [files] | page\n')
  process.exitCode = 2
}
