import { describe, expect, it } from 'vitest'
import type { App, ChannelRow } from '../../../src/capgo/wire.ts'
import { channelDeepLink, previewChannelName, webPreview } from '../../../src/plan/preview.ts'

describe('previewChannelName', () => {
  it.each([
    ['pr-{number}', 'feature/x', 'pr-12'],
    ['preview', 'feature/x', 'preview'],
    ['{branch}', 'feature/x', 'feature-x'],
    ['{branch}-{number}', 'fix: a, b', 'fix-a-b-12'],
    ['{branch}', '../..', 'branch'],
    ['{branch}', '--x--', 'x'],
    ['{branch}', '\u202e\u200b', 'branch'],
    ['{branch}', 'x'.repeat(200), 'x'.repeat(64)],
  ])('%s of %j is %s', (template, headRef, name) =>
    expect(previewChannelName(template, { number: 12, headRef })).toBe(name),
  )
})

describe('webPreview', () => {
  const app = (appId: string, allowed = true) => ({ app_id: appId, allow_preview: allowed }) as App
  const channel = { id: 9 } as ChannelRow
  const delta = { manifest_count: 3, session_key: null }
  it.each([
    ['com.example.app', 'https://c9-com-0example-0app.preview.capgo.app/'],
    ['com.My-App', 'https://c9-com-0-my-1-app.preview.capgo.app/'],
    ['com.a_b', 'https://c9-com-0a_b.preview.capgo.app/'],
  ])('of %s is %s', (appId, url) => expect(webPreview(app(appId), channel, delta, true)).toEqual({ url }))
  it.each([
    ['a self-hosted server', app('com.a'), delta, false, /cloud/],
    ['an app that does not allow it', app('com.a', false), delta, true, /switched off/],
    ['an encrypted bundle', app('com.a'), { manifest_count: 3, session_key: 'iv:key' }, true, /encrypted/],
    ['a bundle without delta files', app('com.a'), { manifest_count: 0, session_key: null }, true, /delta/],
    ['a long app id', app(`com.${'a'.repeat(60)}`), delta, true, /too long/],
  ])('there is none for %s', (_what, of, bundle, cloud, why) =>
    expect(webPreview(of, channel, bundle, cloud)).toEqual({ why: expect.stringMatching(why) }),
  )
})

it('the deep link names app and channel, encoded', () => {
  const link = channelDeepLink('com.example.app', { id: 9, name: 'a&b=c d' })
  const url = new URL(link)
  expect(link.startsWith('capgo://preview/channel?')).toBe(true)
  expect(Object.fromEntries(url.searchParams)).toEqual({
    appId: 'com.example.app',
    channel: 'a&b=c d',
    channelId: '9',
  })
})
