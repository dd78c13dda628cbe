import { describe, expect, it } from 'vitest'
import { describeContents, describeUpdate, listStored } from '../../../src/bundle/contents.ts'

const stored = (file_name: string, file_size: number | null) => ({
  file_name,
  s3_path: `orgs/o/apps/a/delta/x_${file_name}`,
  file_hash: `hash of ${file_name}`,
  file_size,
})
const file = (path: string, size: number, content = `${path} ${size}`) => ({ path, size, content })

describe('listStored', () => {
  it('tells files by their own names, in bytes as devices download them', () => {
    expect(listStored([stored('app.js.br', 900), stored('img/logo.png', 40)], 2)).toEqual([
      { path: 'app.js', size: 900, content: 'hash of app.js.br' },
      { path: 'img/logo.png', size: 40, content: 'hash of img/logo.png' },
    ])
  })

  it.each([
    ['a file is missing', [stored('app.js.br', 900)], 2],
    ['a size is not known yet', [stored('app.js.br', 900), stored('b', 0)], 2],
    ['a size was never told', [stored('app.js.br', 900), stored('b', null)], 2],
  ])('tells nothing where %s', (_, files, count) => {
    expect(listStored(files, count)).toBeNull()
  })
})

describe('describeContents', () => {
  const before = { name: '1.0.0', files: [file('same', 1), file('grown', 10), file('gone', 7)] }

  it('compares by content, whatever the size', () => {
    const now = [file('same', 1), file('grown', 10, 'other'), file('new', 3)]
    expect(describeContents(before, now)).toMatchObject({
      change: {
        since: '1.0.0',
        added: [{ path: 'new', size: 3, sizeBefore: 0 }],
        changed: [{ path: 'grown', size: 10, sizeBefore: 10 }],
        removed: [{ path: 'gone', size: 0, sizeBefore: 7 }],
      },
      sizes: [{ type: 'Other', files: 3, size: 14, sizeBefore: 18 }],
    })
  })

  it('says what it is made of where there is nothing to compare with, and nothing where nothing is known', () => {
    expect(describeContents(null, [file('a.js', 5)])).toEqual({
      change: null,
      sizes: [{ type: 'Scripts', files: 1, size: 5, sizeBefore: null }],
      updateSize: null,
    })
    expect(describeContents(before, null)).toEqual({ change: null, sizes: null, updateSize: null })
  })
})

it('an update has the files that are new or differ, and not those that are gone', () => {
  const before = { name: '1.0.0', files: [file('same', 1), file('changed', 10), file('gone', 7)] }
  const update = describeUpdate(before, [file('same', 1), file('changed', 20, 'other'), file('new', 3)])
  expect(update).toMatchObject({ updateSize: 23, change: { since: '1.0.0' } })
  expect(update.sizes).toEqual([{ type: 'Other', files: 3, size: 24, sizeBefore: 18 }])
  expect(describeUpdate(before, before.files).updateSize).toBe(0)
})
