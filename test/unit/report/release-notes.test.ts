import { expect, it } from 'vitest'
import { comments } from '../../../scripts/pictures/comments.ts'
import { renderComment } from '../../../src/report/comment.ts'
import { describeReleaseNotes, renderReleaseNotes } from '../../../src/report/release-notes.ts'

const hostile = {
  titles: [
    '@octo/team see #12 and octo/shop#3 $x$ https://evil.example :fire:',
    '</details><script>',
    '1. `a` |b|',
    'a\u202eb',
  ],
  more: 1_240,
}

it('as Markdown ping nobody, link nothing and break out of nothing', () => {
  expect(renderReleaseNotes(hostile)).toMatchInlineSnapshot(`
    "- <span>@</span>octo/team see <span>#</span>12 and octo/shop<span>#</span>3 <span>$</span>x<span>$</span> https<span>:</span>//evil.example <span>:</span>fire:
    - &#60;/details&#62;&#60;script&#62;
    - 1&#46; &#96;a&#96; &#124;b&#124;
    - a&#92;u202eb
    - and 1,240 more"
  `)
  expect(renderReleaseNotes({ titles: [], more: 0 })).toBe('')
})

it('as plain text are a line each, in which everything can be seen', () => {
  expect(describeReleaseNotes(hostile)).toMatchInlineSnapshot(`
    "- @octo/team see #12 and octo/shop#3 $x$ https://evil.example :fire:
    - </details><script>
    - 1. \`a\` |b|
    - a\\u202eb
    - and 1,240 more"
  `)
  expect(describeReleaseNotes({ titles: [], more: 0 })).toBe('')
})

it('stand in the comment above the files that changed, and without those by themselves', () => {
  const releaseNotes = { titles: ['Add a wallet (#12)'], more: 2 }
  const list = '- Add a wallet (<span>#</span>12)\n- and 2 more\n\n'
  expect(renderComment({ ...comments.ready, releaseNotes })).toContain(`${list}| file |`)
  expect(renderComment({ ...comments.ready, change: null, releaseNotes })).toContain(`${list}</details>`)
  expect(renderComment(comments.ready)).not.toContain('What changed')
})
