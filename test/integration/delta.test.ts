/** Delta objects that another bundle's deletion takes away, and what a publish makes of that. */
import { describe, expect, it } from 'vitest'
import { Device } from '../../local/device.ts'
import { APP_ID, createBuiltWorld, type World, webFolder } from '../scenarios/scenario.ts'
import { runHere } from './in-process.ts'

/** Until the server's queues have run. */
const ROUND = 10_000
const PLUGIN = {
  'node_modules/@capgo/capacitor-updater/package.json': JSON.stringify({
    name: '@capgo/capacitor-updater',
    version: '8.51.23',
  }),
}

async function world(): Promise<World> {
  const made = await createBuiltWorld({ role: 'app_admin', server: { profile: 'new', limits: false } })
  for (const name of ['production', 'beta'])
    made.capgo.seedChannel({ appId: APP_ID, name, allow_device_self_set: true })
  made.repo.write(PLUGIN)
  return made
}

let runs = 0
const publish = ({ capgo, repo, key }: World, channel = 'production', inputs = {}) =>
  runHere({
    repo: repo.path,
    sha: repo.head,
    runId: 9_000_000_001 + ++runs,
    inputs: {
      build: 'false',
      deployments: 'false',
      comment: 'false',
      delta: 'true',
      'capgo-token': key,
      'api-url': capgo.url,
      channels: `main: ${channel}`,
      ...inputs,
    },
  })
const installed = async ({ capgo }: World, channel = 'production') => {
  const device = new Device({ capgoUrl: capgo.url, appId: APP_ID, defaultChannel: channel })
  const bundle = await device.update()
  return Object.fromEntries([...bundle!.files].map(([path, bytes]) => [path, bytes.toString()]))
}
const www = (web: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(web).map(([path, text]) => [path.replace('www/', ''), text]))
const servedBy = ({ capgo }: World, channel: string) =>
  capgo.store.find('channels', { app_id: APP_ID, name: channel })!.version!
/** Its channel goes first, as that of a pull request that is closed. */
const remove = ({ capgo }: World, id: number) => {
  for (const channel of capgo.store.list('channels', { version: id }))
    capgo.store.update('channels', channel, { version: null })
  const bundle = capgo.store.find('app_versions', { id })!
  capgo.store.update('app_versions', bundle, { deleted: true })
}
const objects = ({ capgo }: World) =>
  capgo.store.list('objects').filter(({ key }) => key.startsWith('orgs/') && key.includes('/delta/'))

describe('the bundle whose objects are taken is deleted', () => {
  it.each([
    ['before the row is made', { method: 'POST', path: /\/app_versions/ }, 'Uploaded all 2 files'],
    [
      'right before the list of files is handed over',
      { method: 'POST', path: /\/set_manifest/ },
      'Uploaded 1 file again: it was deleted with another bundle.',
    ],
  ])('%s: what went is sent again before the channel moves', async (_when, match, told) => {
    const here = await world()
    await publish(here, 'beta')
    const { capgo } = here
    const old = servedBy(here, 'beta')
    const since = capgo.requests.length
    capgo.faults.add({
      match,
      do() {
        remove(here, old)
        capgo.clock.advance(ROUND)
      },
    })
    // The script is the same.
    here.repo.commit(webFolder('Evening'))
    const run = await publish(here)
    expect(run.outputs.outcome, run.errors.join('\n')).toBe('published')
    expect(run.log.join('\n')).toContain(told)
    const order = capgo.requests.slice(since).map(({ method, path }) => `${method} ${path}`)
    const lastLook = order.findLastIndex(line => line.includes('/files/read/'))
    expect(order.findIndex(line => line.startsWith('PUT /bundle'))).toBeGreaterThan(lastLook)
    expect(await installed(here)).toEqual(www(webFolder('Evening')))
    // Nothing of what went stands in the way of the next publish.
    here.repo.commit(webFolder('Next'))
    expect((await publish(here)).outputs.outcome).toBe('published')
    expect(await installed(here)).toEqual(www(webFolder('Next')))
  })
})

describe('a channel serves a bundle whose objects are gone, as older runs left it', () => {
  const broken = async (): Promise<World> => {
    const here = await world()
    await publish(here, 'beta')
    here.repo.commit(webFolder('Evening'))
    await publish(here)
    // The old one went, and with it what both had: so it was while both names led to the same key.
    remove(here, servedBy(here, 'beta'))
    for (const { key } of objects(here)) here.capgo.store.objects.remove(key)
    await expect(installed(here)).rejects.toThrow()
    return here
  }

  it('the next publish takes no row as a proof', async () => {
    const here = await broken()
    here.repo.commit(webFolder('Next'))
    expect((await publish(here)).outputs.outcome).toBe('published')
    expect(await installed(here)).toEqual(www(webFolder('Next')))
  })

  it('the same commit again is published under another name', async () => {
    const here = await broken()
    const again = await publish(here)
    expect(again.outputs, again.errors.join('\n')).toMatchObject({ outcome: 'published' })
    expect(await installed(here)).toEqual(www(webFolder('Evening')))
    expect((await publish(here)).outputs.outcome).toBe('unchanged')
  })
})

it('a file that is renamed to what the key of the old name shows stays when the old bundle goes', async () => {
  const here = await world()
  const folder = (name: string) => ({ ...webFolder('Hello'), [`www/${name}`]: 'a photo' })
  here.repo.commit(folder('my photo.txt'))
  await publish(here)
  const old = servedBy(here, 'production')
  // As older versions of this action stored it.
  const row = here.capgo.store.find('manifest', { file_name: 'my photo.txt' })!
  const key = row.s3_path.replace(/-[0-9a-f]{64}_my_photo/, '_my_photo')
  here.capgo.store.objects.move(row.s3_path, key)
  here.capgo.store.update('manifest', row, { s3_path: key })
  here.repo.commit({ ...folder('my_photo.txt'), 'www/my photo.txt': null })
  expect((await publish(here)).outputs.outcome).toBe('published')
  remove(here, old)
  here.capgo.clock.advance(ROUND)
  expect(await installed(here)).toEqual(www(folder('my_photo.txt')))
})

it('a run that changes nothing asks for delta files only where a bundle was deleted', async () => {
  const here = await world()
  await publish(here, 'beta')
  here.repo.commit(webFolder('Next'))
  await publish(here)
  const looks = async () => {
    const since = here.capgo.requests.length
    expect((await publish(here)).outputs.outcome).toBe('unchanged')
    const requests = here.capgo.requests.slice(since)
    return requests.filter(({ path }) => path.includes('/delta/')).length
  }
  expect(await looks()).toBe(0)
  remove(here, servedBy(here, 'beta'))
  expect(await looks()).toBe(2)
})

it('a bundle that was begun keeps the list of files that it has, whatever keys that names', async () => {
  const here = await world()
  const { capgo } = here
  const finish = { method: 'PATCH', path: /\/app_versions/ }
  capgo.faults.add({ match: finish, times: Number.POSITIVE_INFINITY, do: { status: 503, body: {} } })
  expect((await publish(here)).outputs.outcome).toBe('failed')
  capgo.faults.clear()
  const [row] = capgo.store.list('manifest', { file_name: 'app.js' })
  const key = `${row!.s3_path}.older`
  capgo.store.objects.move(row!.s3_path, key)
  capgo.store.update('manifest', row!, { s3_path: key })
  const again = await publish(here)
  expect(again.outputs.outcome, again.errors.join('\n')).toBe('published')
  expect(capgo.store.list('app_versions')).toHaveLength(1)
  expect(await installed(here)).toEqual(www(webFolder('Hello')))
})
