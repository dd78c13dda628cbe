import { expect, test } from 'vitest'
import { startTestCapgo, writesOf } from '../../../local/app.ts'

test('has an app, a key that works and channels that devices can ask for', async () => {
  await using capgo = await startTestCapgo({ channels: ['production', { name: 'beta', ios: false }] })
  const { result, requests } = await capgo.record(() =>
    fetch(`${capgo.url}/app/${capgo.appId}`, { headers: { capgkey: capgo.token } }),
  )
  expect(result.status).toBe(200)
  expect(requests).toMatchObject([{ method: 'GET', path: `/app/${capgo.appId}`, status: 200 }])
  expect(writesOf(requests)).toEqual([])

  // Without a bundle there is nothing to take; an unknown channel is another answer.
  expect((await capgo.device({ defaultChannel: 'production' }).checkForUpdate()).kind).not.toBe('update')
  expect(await capgo.device({ defaultChannel: 'no-such' }).checkForUpdate()).toMatchObject({
    error: 'no_channel',
  })
  expect(writesOf(capgo.requests).map(request => request.path)).toEqual(['/updates', '/updates'])
})
