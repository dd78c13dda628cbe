import { expect, it } from 'vitest'
import { sizeByFileType } from '../../../src/bundle/contents.ts'
import { renderSizes } from '../../../src/report/sizes.ts'

const file = (path: string, size: number) => ({ path, size })
const NOW = [
  file('index.html', 800),
  file('assets/index-Dp9aQw2k.js', 300_000),
  file('assets/VENDOR.JS', 100_000),
  file('assets/logo.png', 50_000),
  file('LICENSE', 1_000),
  file('.well-known/x', 10),
]

it('files are counted by type, the largest type first', () => {
  expect(sizeByFileType(null, NOW)).toEqual([
    { type: 'Scripts', files: 2, size: 400_000, sizeBefore: null },
    { type: 'Images', files: 1, size: 50_000, sizeBefore: null },
    { type: 'Other', files: 2, size: 1_010, sizeBefore: null },
    { type: 'Pages', files: 1, size: 800, sizeBefore: null },
  ])
})

it('types that came and that went are told', () => {
  const before = [file('a.js', 500_000), file('b.woff2', 20_000)]
  const types = sizeByFileType(before, NOW)
  expect(types.find(({ type }) => type === 'Fonts')).toEqual({
    type: 'Fonts',
    files: 0,
    size: 0,
    sizeBefore: 20_000,
  })
  expect(renderSizes(types)).toMatchInlineSnapshot(`
    "<details><summary><b>Size:</b> −68.2 kB: scripts −100 kB, images +50 kB, fonts −20 kB …</summary>

    \`\`\`mermaid
    pie showData
      title Download in kB
      "Scripts" : 400.0
      "Images" : 50.0
      "Other" : 1.0
      "Pages" : 0.8
    \`\`\`

    | files | download | difference |  |
    | --- | --: | --: | --- |
    | Scripts (2) | 400 kB | −100 kB | 🟩🟩🟩🟩 |
    | Images (1) | 50 kB | +50 kB | 🟥🟥 |
    | Other (2) | 1 kB | +1 kB | 🟥 |
    | Pages (1) | 800 B | +800 B | 🟥 |
    | Fonts (0) | 0 B | −20 kB | 🟩 |

    </details>"
  `)
})

it('without a bundle before there is nothing to compare', () => {
  expect(renderSizes(sizeByFileType(null, NOW))).toMatchInlineSnapshot(`
    "<details><summary><b>Size:</b> scripts 400 kB, images 50 kB, other 1 kB …</summary>

    \`\`\`mermaid
    pie showData
      title Download in kB
      "Scripts" : 400.0
      "Images" : 50.0
      "Other" : 1.0
      "Pages" : 0.8
    \`\`\`

    | files | download |
    | --- | --: |
    | Scripts (2) | 400 kB |
    | Images (1) | 50 kB |
    | Other (2) | 1 kB |
    | Pages (1) | 800 B |

    </details>"
  `)
})

it('no name of a file gets into the chart', () => {
  const nasty = sizeByFileType(null, [
    file('x".js"\n```\n<script>.exe"click"', 5),
    file('constructor', 5),
    file('a.__proto__', 5),
  ])
  expect(nasty).toEqual([{ type: 'Other', files: 3, size: 15, sizeBefore: null }])
})

it('is left out where nothing was looked at', () => {
  expect(renderSizes(null)).toBe('')
  expect(renderSizes([])).toBe('')
})
