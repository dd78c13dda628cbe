import type { BundleMemory } from './memory.ts'

/** What `bench/uploads.ts` keeps. */
export interface UploadResults {
  readonly machine?: string
  readonly tus?: readonly {
    readonly title: string
    readonly client: 'ours' | 'tus-js-client'
    /** Null = the object was stored. */
    readonly error: string | null
    readonly seconds: number
    readonly cpu: number
    readonly memory: number
    readonly requests: number
    /** Bytes that were sent, as a share of the object's. */
    readonly sent: number
  }[]
  readonly archivers?: readonly {
    readonly app: string
    readonly name: string
    readonly seconds: number
    readonly cpu: number
    readonly memory: number
    readonly bytes: number
  }[]
  readonly memory?: readonly BundleMemory[]
}

export function renderUploadsPage({ machine, tus = [], archivers = [], memory = [] }: UploadResults): string {
  const stored = (client: string) => tus.filter(row => row.client === client && row.error === null).length
  const faults = tus.length / 2
  const titles = [...new Set(tus.map(({ title }) => title))]
  const parts = [
    `<!-- Made by \`node bench/uploads.ts\`. -->
# Uploads

How bundles get to Capgo, and why they are made with what they are made with. Measured on ${machine ?? 'one machine'}.

## What a lost connection costs

- An upload goes to Capgo's files service as TUS, in chunks of what the server takes at most (99 MiB). The first chunk
  goes along with the creation, so a small bundle is one request.
- After a cut, a lost answer, a 5xx or an offset conflict the server is asked how far it got, and only the rest is sent.
- A server that has answered before may be out of reach for 90 seconds: the runner has lost its network. A wrong
  address fails after five tries. A transfer in which nothing moves for a minute is given up and taken up again.
- A job that was killed, run again, finds its row in progress (same content, same name), asks what is stored, and sends
  the rest: of a zip from the byte where it stopped, of delta files those that are missing. An encrypted bundle goes on
  with the session key of the row, so that the same bytes come out.
- On a server whose uploads have drawn addresses (the edge runtime) a killed upload begins anew.
- A bundle that is deleted takes along its delta files that no other bundle's list names. So every file of a new list is
  looked at once the list is stored (one byte of each, 32 at once), and sent again where it is gone. The channel moves
  after that.`,
  ]
  if (tus.length > 0)
    parts.push(`## Our own client or tus-js-client

The same object of 32 MB in chunks of 8 MB to the same local Capgo, with the same faults. tus-js-client has the settings
of Capgo's CLI. **Sent** counts every byte that the server received, as a multiple of the object. The time begins when the
client is loaded. Without a fault ours takes longer by two requests: it asks what the server takes, and whether an
earlier run has begun. After a fault it pauses, where tus-js-client tries again at once.

${table(
  ['Fault', 'Ours', 's', 'Requests', 'Sent', 'tus-js-client', 's', 'Requests', 'Sent'],
  titles.map(title => [
    title,
    ...(['ours', 'tus-js-client'] as const).flatMap(client => {
      const row = tus.find(one => one.title === title && one.client === client)
      return row === undefined
        ? ['–', '–', '–', '–']
        : [
            row.error === null ? 'stored' : '**lost**',
            row.seconds.toFixed(1),
            String(row.requests),
            `${row.sent.toFixed(2)}×`,
          ]
    }),
  ]),
)}
Stored: ours ${stored('ours')} of ${faults}, tus-js-client ${stored('tus-js-client')} of ${faults}. Peak memory: ours ${peak(tus, 'ours')}, tus-js-client ${peak(tus, 'tus-js-client')}.

So the client is our own, on undici: it goes on where a creation was cut, waits out a lost network, obeys \`Retry-After\`,
and shares the connections, the retries and the error messages with every other request of the action.`)
  if (archivers.length > 0)
    parts.push(`## Who writes the zip

Deflate level 6; the best of three runs, each in a process of its own.

${table(
  ['App', 'Writer', 'Time, s', 'CPU, s', 'Peak memory, MB', 'Zip, MB'],
  archivers.map(row => [
    row.app,
    row.name,
    row.seconds.toFixed(2),
    row.cpu.toFixed(2),
    (row.memory / 1e6).toFixed(0),
    (row.bytes / 1e6).toFixed(2),
  ]),
)}
The zip's SHA-256 is what tells a bundle's content apart, so its bytes must be the same on every machine and with every
Node. archiver and yazl deflate with Node's zlib, whose bytes change with its version; what deflates here is zlib
in WebAssembly, on all cores where there is much. Formats that are compressed already are stored.`)
  if (memory.length > 0)
    parts.push(`## Memory

A publish of ${(memory[0]!.bytes / 2 ** 30).toFixed(2)} GiB in ${memory[0]!.files.toLocaleString('en')} files: peak of what is resident.

${table(
  ['Publish', 'Peak, MiB', 'Time, s'],
  memory.map(row => [row.title, (row.memory / 2 ** 20).toFixed(0), row.seconds.toFixed(0)]),
)}
Nothing is held that grows with the bundle but its list of files.`)
  return `${parts.join('\n\n')}\n`
}

function peak(rows: NonNullable<UploadResults['tus']>, client: string): string {
  return `${(Math.max(...rows.filter(row => row.client === client).map(({ memory }) => memory)) / 1e6).toFixed(0)} MB`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`
  const rule = head.map((_, at) => (at === 0 ? '---' : '---:'))
  return [head, rule, ...rows].map(line).join('')
}
