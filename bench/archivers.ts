// Compares zip writers: time, memory and size for the same files.
import { createWriteStream, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { makeScratch, removeScratch } from '../local/runner/scratch.ts'
import { createApp } from './app.ts'
import { child, MB, say, tell } from './child.ts'
import type { UploadResults } from './uploads-page.ts'

const ARCHIVERS = ['this action', 'this action, 1 thread', 'archiver', 'yazl', 'fflate zip()'] as const

/** The fastest of three runs of each. */
export async function measureArchivers(): Promise<NonNullable<UploadResults['archivers']>> {
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
  return rows
}

/** Neither brings types. */
const load = (name: string) => import(name)

export async function archive(name: string, directory: string, root: string): Promise<void> {
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
