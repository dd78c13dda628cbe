import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { APP, append, call, create, lab, noise, offsetOf, rest } from './client.ts'

const MIB = 1024 * 1024
const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('base64')

describe('an upload', () => {
  it('in the creation request is stored and read back byte for byte, with range, without a key', async () => {
    const { capgo, admin, path } = await lab()
    const bytes = noise(70_000)
    const made = await create(capgo, admin, path('1.0.1.zip'), { bytes })
    expect(made.status).toBe(201)
    expect(made.headers.get('upload-offset')).toBe('70000')
    expect(made.headers.get('location')).toBe(`${capgo.url}/files/upload/attachments/${path('1.0.1.zip')}`)
    const url = `${capgo.url}/files/read/attachments/${encodeURIComponent(path('1.0.1.zip'))}`
    const whole = await fetch(url)
    expect(Buffer.from(await whole.arrayBuffer()).equals(Buffer.from(bytes))).toBe(true)
    expect(whole.headers.get('content-type')).toBe('application/zip')
    const part = await fetch(url, { headers: { range: 'bytes=69990-' } })
    expect(part.status).toBe(206)
    expect(part.headers.get('content-range')).toBe('bytes 69990-69999/70000')
    expect(Buffer.from(await part.arrayBuffer()).equals(Buffer.from(bytes.subarray(69_990)))).toBe(true)
    const beyond = await fetch(url, { headers: { range: 'bytes=70000-' } })
    expect([beyond.status, beyond.headers.get('content-range'), await beyond.text()]).toEqual([
      206,
      'bytes */70000',
      '',
    ])
    const head = await fetch(url, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '70000'])
  })

  it('in chunks, with an offset conflict and the length told late', async () => {
    const { capgo, admin, path } = await lab()
    const bytes = noise(1000)
    const made = await create(capgo, admin, path('1.0.1.zip'), { headers: { 'upload-defer-length': '1' } })
    const location = made.headers.get('location')!
    expect(
      (await append(capgo, admin, location, 0, bytes.subarray(0, 400))).headers.get('upload-offset'),
    ).toBe('400')
    const wrong = await append(capgo, admin, location, 0, bytes)
    expect([wrong.status, wrong.body]).toEqual([409, 'incorrect upload offset'])
    const last = await call(capgo, 'PATCH', location, {
      key: admin,
      headers: {
        'tus-resumable': '1.0.0',
        'upload-offset': '400',
        'upload-length': '1000',
        'content-type': 'application/offset+octet-stream',
      },
      body: bytes.subarray(400),
    })
    expect(last.status).toBe(204)
    expect(await offsetOf(capgo, admin, location)).toEqual({ status: 200, offset: 1000, length: 1000 })
  })

  it('created twice: the second creation destroys the first and is refused, the third works', async () => {
    const { capgo, admin, path } = await lab()
    const made = await create(capgo, admin, path('1.0.1.zip'), { length: 100 })
    const location = made.headers.get('location')!
    await append(capgo, admin, location, 0, noise(40))
    const again = await create(capgo, admin, path('1.0.1.zip'), { length: 100 })
    expect(again).toMatchObject({
      status: 409,
      body: { error: 'duplicate_upload', moreInfo: { existingUploadOffset: 40 } },
    })
    expect((await offsetOf(capgo, admin, location)).status).toBe(404)
    expect((await create(capgo, admin, path('1.0.1.zip'), { length: 100 })).status).toBe(201)
  })

  it('can replace a finished object while the bundle is in progress, not once it is ready', async () => {
    const { capgo, admin, path } = await lab()
    await create(capgo, admin, path('1.0.1.zip'), { bytes: noise(100) })
    expect((await create(capgo, admin, path('1.0.1.zip'), { bytes: noise(50) })).status).toBe(201)
    expect(capgo.store.objects.stat(path('1.0.1.zip'))?.size).toBe(50)
    capgo.seedBundle({ appId: APP, name: '1.0.1' })
    const refused = await create(capgo, admin, path('1.0.1.zip'), { bytes: noise(50) })
    expect(refused).toMatchObject({ status: 409, body: { error: 'bundle_already_ready' } })
  })

  it('with a wrong checksum is refused and discarded, with the right one it is kept as a header', async () => {
    const { capgo, admin, path } = await lab()
    const bytes = noise(500)
    const wrong = await create(capgo, admin, path('1.0.1.zip'), {
      bytes,
      headers: { 'x-checksum-sha256': sha(noise(499)) },
    })
    expect(wrong.status).toBe(415)
    expect(
      (await offsetOf(capgo, admin, `${capgo.url}/files/upload/attachments/${path('1.0.1.zip')}`)).status,
    ).toBe(404)
    expect(
      (await create(capgo, admin, path('1.0.1.zip'), { bytes, headers: { 'x-checksum-sha256': sha(bytes) } }))
        .status,
    ).toBe(201)
    const read = await fetch(`${capgo.url}/files/read/attachments/${path('1.0.1.zip')}`)
    expect(read.headers.get('x-checksum-sha256')).toBe(sha(bytes))
  })

  it('longer than declared is 413 and keeps what was there; over 1 GiB is accepted only as an announcement', async () => {
    const { capgo, admin, path } = await lab()
    const made = await create(capgo, admin, path('1.0.1.zip'), { length: 100 })
    const location = made.headers.get('location')!
    await append(capgo, admin, location, 0, noise(60))
    expect((await append(capgo, admin, location, 60, noise(60))).status).toBe(413)
    expect((await offsetOf(capgo, admin, location)).offset).toBe(60)
    expect((await create(capgo, admin, path('1.0.2.zip'), { length: 2 ** 30 + 1 })).status).toBe(201)
  })

  it('is forgotten after a day', async () => {
    const { capgo, admin, path } = await lab()
    const made = await create(capgo, admin, path('1.0.1.zip'), { length: 100 })
    await append(capgo, admin, made.headers.get('location')!, 0, noise(60))
    capgo.clock.advance(24 * 3_600_000)
    const late = await append(capgo, admin, made.headers.get('location')!, 60, noise(40))
    expect([late.status, late.body]).toEqual([404, 'Not Found'])
  })

  it('keeps odd keys apart: plus signs and percent signs of delta files', async () => {
    const { capgo, admin, path } = await lab()
    const plus = await create(capgo, admin, path('1.0.0+pr.5.zip'), { bytes: noise(10) })
    expect(plus.headers.get('location')).toContain('1.0.0%2Bpr.5.zip')
    await create(capgo, admin, path('delta/ab_my%20file.js'), { bytes: noise(20) })
    const read = (key: string) => fetch(`${capgo.url}/files/read/attachments/${key}`)
    expect((await read(path('1.0.0+pr.5.zip'))).headers.get('content-length')).toBe('10')
    expect((await read(path('delta/ab_my%20file.js'))).headers.get('content-length')).toBe('20')
    expect(
      (await read(encodeURIComponent(path('delta/ab_my%20file.js')))).headers.get('content-length'),
    ).toBe('20')
  })

  it('of 256 MiB does not cost the server its size in memory', async () => {
    const { capgo, admin, path } = await lab()
    const length = 256 * MIB
    const made = await create(capgo, admin, path('1.0.1.zip'), { length })
    const piece = Buffer.alloc(MIB, 7)
    let sent = 0
    const body = new ReadableStream({
      pull(controller) {
        if (sent >= length) return controller.close()
        sent += MIB
        controller.enqueue(piece)
      },
    })
    const before = process.memoryUsage().arrayBuffers
    let most = 0
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before)
    }, 5)
    const response = await fetch(made.headers.get('location')!, {
      method: 'PATCH',
      headers: {
        capgkey: admin,
        'tus-resumable': '1.0.0',
        'upload-offset': '0',
        'content-type': 'application/offset+octet-stream',
      },
      body,
      duplex: 'half',
    } as RequestInit)
    clearInterval(watch)
    expect([response.status, response.headers.get('upload-offset')]).toEqual([204, String(length)])
    expect(most).toBeLessThan(128 * MIB)
  })
})

describe('who may upload', () => {
  it.each([
    ['nobody', 401, 'no_key_provided'],
    ['a wrong key', 401, 'invalid_apikey'],
    ['a reader', 403, 'insufficient_permissions'],
  ])('%s: %i %s', async (who, status, error) => {
    const { capgo, key, path } = await lab()
    const keys: Record<string, string> = {
      nobody: '',
      'a wrong key': crypto.randomUUID(),
      'a reader': key('app_reader'),
    }
    expect(await create(capgo, keys[who]!, path('1.0.1.zip'), { bytes: noise(5) })).toMatchObject({
      status,
      body: { error },
    })
  })

  it('checks path, org and plan in that order', async () => {
    const { capgo, admin } = await lab()
    const poor = capgo.seedApp({ appId: 'com.poor.app', planValid: false })
    const key = capgo.seedKey({ appId: 'com.poor.app', role: 'app_uploader' })
    const error = async (secret: string, name: string) => {
      const { status, body } = await create(capgo, secret, name, { bytes: noise(5) })
      return [status, body.error]
    }
    expect(await error(admin, 'foo.zip')).toEqual([400, 'invalid_file_path'])
    expect(await error(admin, `orgs/${crypto.randomUUID()}/apps/${APP}/1.0.1.zip`)).toEqual([
      403,
      'owner_org_mismatch',
    ])
    expect(await error(key, `orgs/${poor.owner_org}/apps/com.poor.app/1.0.1.zip`)).toEqual([
      429,
      'on_premise_app',
    ])
    expect((await call(capgo, 'POST', '/files/upload/attachments', { key: admin })).status).toBe(404)
  })
})

describe('presigned PUT', () => {
  async function linked() {
    const setup = await lab()
    const { capgo, admin } = setup
    const user = (await rest(capgo, 'POST', 'rpc/request_actor_user_id', { key: admin, body: {} })).body
    await rest(capgo, 'POST', 'app_versions', {
      key: admin,
      body: { app_id: APP, name: '1.0.1', storage_provider: 'r2-direct', user_id: user },
    })
    const link = () =>
      call(capgo, 'POST', '/files/upload_link', {
        key: admin,
        body: { app_id: APP, name: '1.0.1', version: 0 },
      })
    return { ...setup, link }
  }

  it('stores the zip once; the path is set with the link', async () => {
    const { capgo, link, path } = await linked()
    const { url } = (await link()).body
    expect(capgo.store.find('app_versions', { name: '1.0.1' })?.r2_path).toBe(path('1.0.1.zip'))
    expect(
      (await call(capgo, 'PUT', url, { headers: { 'content-type': 'application/zip' }, body: noise(300) }))
        .status,
    ).toBe(200)
    expect(capgo.store.objects.stat(path('1.0.1.zip'))?.size).toBe(300)
    expect((await link()).body.error).toBe('error_already_exist')
  })

  it('expires after 1200 s and does not work for another key', async () => {
    const { capgo, link } = await linked()
    const { url } = (await link()).body
    expect((await call(capgo, 'PUT', url.replace('1.0.1.zip', '1.0.2.zip'), { body: noise(3) })).status).toBe(
      403,
    )
    capgo.clock.advance(1_201_000)
    const late = await call(capgo, 'PUT', url, { body: noise(3) })
    expect([late.status, late.body]).toEqual([403, expect.stringContaining('Request has expired')])
  })

  it('needs a row of the same user', async () => {
    const { capgo, admin } = await lab()
    await rest(capgo, 'POST', 'app_versions', {
      key: admin,
      body: { app_id: APP, name: '1.0.1', storage_provider: 'r2-direct' },
    })
    const link = await call(capgo, 'POST', '/files/upload_link', {
      key: admin,
      body: { app_id: APP, name: '1.0.1' },
    })
    expect(link).toMatchObject({ status: 404, body: { error: 'error_version_not_found' } })
  })
})
