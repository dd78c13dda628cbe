import { createHash } from 'node:crypto'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { brotliCompressSync, crc32 } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { Device, type DeviceOptions, type Update } from '../../../local/device.ts'
import { unzip } from '../../../local/device-files.ts'

const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex')

/** A zip of stored entries with exactly these names, the bad ones too. */
function zipOf(entries: Readonly<Record<string, string>>): Buffer {
  const locals: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const [name, text] of Object.entries(entries)) {
    const [nameBytes, content] = [Buffer.from(name), Buffer.from(text)]
    const header = Buffer.alloc(26)
    header.writeUInt16LE(20, 0)
    header.writeUInt16LE(0x800, 2)
    header.writeUInt32LE(crc32(content), 10)
    header.writeUInt32LE(content.length, 14)
    header.writeUInt32LE(content.length, 18)
    header.writeUInt16LE(nameBytes.length, 22)
    locals.push(Buffer.from('PK\x03\x04', 'latin1'), header, nameBytes, content)
    const place = Buffer.alloc(14)
    place.writeUInt32LE(offset, 10)
    directory.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), header, place, nameBytes)
    offset += 30 + nameBytes.length + content.length
  }
  const end = Buffer.alloc(18)
  const count = Object.keys(entries).length
  end.writeUInt16LE(count, 4)
  end.writeUInt16LE(count, 6)
  end.writeUInt32LE(Buffer.concat(directory).length, 8)
  end.writeUInt32LE(offset, 12)
  return Buffer.concat([...locals, ...directory, Buffer.from('PK\x05\x06', 'latin1'), end])
}

const servers: ReturnType<typeof createServer>[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.closeAllConnections()
})

/** A server for one device: its answer to `/updates`, and files; `stats` is what the device reported. */
async function serve(answer: unknown, files: Readonly<Record<string, Buffer | RequestListener>> = {}) {
  const stats: string[] = []
  const bodies: Record<string, unknown>[] = []
  const server = createServer(async (request, response) => {
    const path = request.url ?? ''
    if (request.method === 'POST') {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>
      if (path === '/stats') stats.push(`${body.action} ${body.version_name}`)
      else bodies.push(body)
      const origin = `http://${request.headers.host}`
      response.end(
        JSON.stringify(path === '/stats' ? { status: 'ok' } : answer).replaceAll('{origin}', origin),
      )
      return
    }
    const file = files[path]
    if (typeof file === 'function') return file(request, response)
    response.writeHead(file === undefined ? 404 : 200).end(file)
  })
  servers.push(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const capgoUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const device = (options: Partial<DeviceOptions> = {}) =>
    new Device({ capgoUrl, appId: 'com.example.daybreak', ...options })
  return { device, stats, bodies, capgoUrl }
}

const zip = zipOf({ 'index.html': '<h1>hi</h1>', 'assets/a.js': 'notifyAppReady()' })
const bundle = { version: '1.0.1', url: '{origin}/zip', checksum: sha256(zip), session_key: '' }

test('installs what is announced, says so, and then has it', async () => {
  const { device, stats, bodies } = await serve(bundle, { '/zip': zip })
  const phone = device({ versionBuild: '1.0', defaultChannel: 'beta' })
  const installed = await phone.update()
  expect(installed).toMatchObject({ version: '1.0.1', checksum: sha256(zip), downloaded: zip.length })
  expect(installed?.files.get('index.html')?.toString()).toBe('<h1>hi</h1>')
  await phone.checkForUpdate()
  expect(bodies).toMatchObject([
    {
      version_name: 'builtin',
      version_build: '1.0',
      defaultChannel: 'beta',
      is_prod: true,
      is_emulator: false,
    },
    { version_name: '1.0.1' },
  ])
  expect(stats).toEqual(['download_complete 1.0.1', 'set 1.0.1'])
})

test.each([
  [{ error: 'no_new_version_available', kind: 'up_to_date', message: '' }, 'up_to_date'],
  [{ error: 'disable_auto_update_under_native', kind: 'blocked', message: '' }, 'blocked'],
  [{ error: 'no_channel' }, 'failed'],
])('%j with HTTP 200 is no update', async (answer, kind) => {
  const { device } = await serve(answer)
  expect(await device().checkForUpdate()).toMatchObject({ kind, error: answer.error })
  expect(await device().update()).toBeNull()
})

test('goes on where a download broke off', async () => {
  const ranges: (string | undefined)[] = []
  const { device } = await serve(bundle, {
    '/zip': (request, response) => {
      ranges.push(request.headers.range)
      if (ranges.length === 1) {
        response.writeHead(200, { 'content-length': zip.length })
        response.write(zip.subarray(0, 50), () => setTimeout(() => response.destroy(), 50))
      } else response.writeHead(206).end(zip.subarray(50))
    },
  })
  expect((await device().update())?.checksum).toBe(sha256(zip))
  expect(ranges).toEqual([undefined, 'bytes=50-'])
})

describe('refuses', () => {
  const cases: [string, Readonly<Record<string, string>>, object, string][] = [
    ['another checksum', { 'index.html': 'x' }, { checksum: 'ff' }, 'checksum_fail'],
    ['no checksum', { 'index.html': 'x' }, { checksum: null }, 'checksum_required'],
    ['no index.html', { 'a/index.html': 'x', 'b.js': 'x' }, {}, 'update_fail'],
    ['a backslash', { 'index.html': 'x', 'a\\b.js': 'x' }, {}, 'windows_path_fail'],
    ['a path that leaves', { 'index.html': 'x', 'a/../../b.js': 'x' }, {}, 'canonical_path_fail'],
    ['an absolute path', { 'index.html': 'x', '/etc/passwd': 'x' }, {}, 'canonical_path_fail'],
    ['an encrypted bundle without a key', { 'index.html': 'x' }, { session_key: 'a:b' }, 'decrypt_fail'],
  ]
  test.each(cases)('%s', async (_, entries, change, code) => {
    const bytes = zipOf(entries)
    const { device, stats } = await serve(
      { ...bundle, checksum: sha256(bytes), ...change },
      { '/zip': bytes },
    )
    const phone = device()
    await expect(phone.update()).rejects.toMatchObject({ code })
    expect(stats).toEqual([`${code} 1.0.1`])
    expect(phone.installed).toBe('builtin')
    // A name that failed once is never taken again.
    await expect(phone.update()).rejects.toMatchObject({ code: 'update_fail' })
  })

  test('an upper-case checksum: the plugin compares strings', async () => {
    const { device } = await serve({ ...bundle, checksum: sha256(zip).toUpperCase() }, { '/zip': zip })
    await expect(device().update()).rejects.toMatchObject({ code: 'checksum_fail' })
  })

  test('what is no zip', async () => {
    await expect(unzip(Buffer.from('<html>not found</html>'))).rejects.toMatchObject({ code: 'unzip_fail' })
  })
})

test('takes files out of one enclosing folder, next to which Android allows hidden ones', async () => {
  const bytes = zipOf({ 'dist/index.html': 'x', 'dist/a.js': 'y', '.DS_Store': 'z' })
  const { device } = await serve({ ...bundle, checksum: sha256(bytes) }, { '/zip': bytes })
  expect([...((await device().update())?.files.keys() ?? [])]).toEqual(['index.html', 'a.js'])
  await expect(device({ platform: 'ios' }).update()).rejects.toMatchObject({ code: 'update_fail' })
})

test.each(['5.9.5', '6.14.26', '7.0.0', '9.0.0'])('plugin %s compares CRC32', async pluginVersion => {
  const { device } = await serve(bundle, { '/zip': zip })
  await expect(device({ pluginVersion }).update()).rejects.toMatchObject({ code: 'checksum_fail' })
  const old = await serve({ ...bundle, checksum: crc32(zip).toString(16).padStart(8, '0') }, { '/zip': zip })
  expect(await old.device({ pluginVersion }).update()).not.toBeNull()
})

test('with a public key only an encrypted bundle is taken: on iOS, and on Android since 8.51.23', async () => {
  const { device } = await serve(bundle, { '/zip': zip })
  const decrypt = { content: (bytes: Buffer) => bytes, checksum: (signed: string) => signed }
  const code = 'session_key_required'
  await expect(device({ decrypt }).update()).rejects.toMatchObject({ code })
  await expect(device({ decrypt, platform: 'ios', pluginVersion: '8.0.0' }).update()).rejects.toMatchObject({
    code,
  })
  expect(await device({ decrypt, pluginVersion: '8.51.22' }).update()).not.toBeNull()
})

describe('a delta bundle', () => {
  const big = 'console.log(1);'.repeat(1000)
  const entry = (file_name: string, content: string) => ({
    file_name,
    file_hash: sha256(content),
    download_url: `{origin}/${file_name}`,
  })
  const manifest = [entry('index.html', 'x'), entry('a.js.br', big), entry('same.css', 'body{}')]
  const files = {
    '/index.html': Buffer.from('x'),
    '/a.js.br': brotliCompressSync(big),
    '/raw.br': Buffer.from('x'),
  }

  test('downloads what the device has not, and decompresses', async () => {
    const { device } = await serve({ ...bundle, manifest }, files)
    const installed = await device({ builtin: new Map([['old.css', Buffer.from('body{}')]]) }).update()
    expect([...(installed?.files ?? [])].map(([name, content]) => [name, content.toString()])).toEqual([
      ['index.html', 'x'],
      ['a.js', big],
      ['same.css', 'body{}'],
    ])
    expect(installed?.downloaded).toBe(1 + files['/a.js.br'].length)
  })

  test.each([
    [[{ ...entry('index.html', 'x'), file_hash: sha256('y') }], 'download_manifest_checksum_fail'],
    [[{ ...entry('index.html', 'x'), file_hash: '' }], 'manifest_path_fail'],
    [[entry('index.html', 'x'), entry('index.html', 'x')], 'manifest_path_fail'],
    [[entry('a.js', big), entry('a.js.br', big)], 'manifest_path_fail'],
    // The name is the file's own: a device undoes brotli all the same.
    [[entry('raw.br', 'x')], 'download_manifest_checksum_fail'],
    [[entry('../index.html', 'x')], 'manifest_path_fail'],
    [[entry('a/../index.html', 'x')], 'manifest_path_fail'],
    [[entry('gone.html', 'x')], 'download_fail'],
  ])('%j is refused', async (bad, code) => {
    const { device } = await serve({ ...bundle, manifest: bad }, files)
    const phone = device()
    await expect(phone.download((await phone.checkForUpdate()) as Update)).rejects.toMatchObject({ code })
  })
})
