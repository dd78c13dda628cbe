/*
 * Why uploads and zips are made as they are: measured against what is published for it.
 *
 *   node bench/uploads.ts tus         our client for resumable uploads and tus-js-client under the same faults (minutes)
 *   node bench/uploads.ts archivers   who writes the same zip fastest
 *   node bench/uploads.ts memory      what a bundle of 1 GiB takes (some minutes, 4 GB of disk)
 *
 * Results are kept in bench/uploads.json, and docs/development/uploads.md is made of them.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { archive, measureArchivers } from './archivers.ts'
import { say } from './child.ts'
import { measureTus, upload } from './tus.ts'
import { renderUploadsPage, type UploadResults } from './uploads-page.ts'

const KEPT = new URL('uploads.json', import.meta.url)
const PAGE = new URL('../docs/development/uploads.md', import.meta.url)

function keep(part: Partial<UploadResults>): void {
  const before = existsSync(KEPT) ? (JSON.parse(readFileSync(KEPT, 'utf8')) as UploadResults) : {}
  const machine = `${availableParallelism()} cores of ${cpus()[0]?.model.trim() ?? 'an unknown processor'}, Node ${process.version}`
  const all = { ...before, ...part, machine }
  writeFileSync(KEPT, `${JSON.stringify(all, null, 2)}\n`)
  writeFileSync(PAGE, renderUploadsPage(all))
}

async function measureMemory(megabytes: number, files: number): Promise<void> {
  const { ourAction } = await import('./contestants.ts')
  const { measureBundle } = await import('./memory.ts')
  keep({ memory: await measureBundle(ourAction(), megabytes, files, say) })
}

const [what, ...words] = process.argv.slice(2)
if (what === '--client') {
  const [client, url, key, path, file, once] = words as [string, string, string, string, string, string?]
  await upload({ client, url, key, path, file, once: once === 'once' })
} else if (what === '--archiver') await archive(words[0]!, words[1]!, words[2]!)
else if (what === 'tus') keep({ tus: await measureTus() })
else if (what === 'archivers') keep({ archivers: await measureArchivers() })
else if (what === 'memory') await measureMemory(Number(words[0] ?? 1_074), Number(words[1] ?? 9_000))
else if (what === 'page') keep({})
else {
  process.stderr.write('node bench/uploads.ts tus | archivers | memory [MB] [files] | page\n')
  process.exitCode = 2
}
