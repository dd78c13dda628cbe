/** Pictures by name, and those that pages show: `<sample>[-phone][-open]-<theme>`, as in `comment-ready-phone-dark`. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { documentsOf } from '../../src/documents.ts'
import { renderComment } from '../../src/report/comment.ts'
import { renderEnrolment } from '../../src/report/enrolment.ts'
import { renderSummary } from '../../src/report/summary.ts'
import { THEMES, type Theme } from './browser.ts'
import { comments } from './comments.ts'
import { enrolments } from './enrolments.ts'
import { samples } from './samples.ts'

const ROOT = join(import.meta.dirname, '../..')
/** Pictures of the pages. */
export const IMAGES = join(ROOT, 'docs/images')
const GUIDE = documentsOf({})('on-your-phone', 'join-the-list')
/** In CSS pixels. */
const PHONE = 390

interface Sample {
  readonly markdown: () => string
  /** Of the column that GitHub gives it on a desktop, in CSS pixels. */
  readonly width: number
  readonly fontSize: number
}

export interface Picture extends Sample {
  readonly name: string
  readonly theme: Theme
  /** All folds are open. */
  readonly isOpen: boolean
}

export const gallery: Readonly<Record<string, Sample>> = {
  ...prefixed('summary', samples, result => ({
    markdown: () => renderSummary(result),
    width: 1012,
    fontSize: 16,
  })),
  ...prefixed('comment', comments, comment => ({
    markdown: () => renderComment(comment),
    width: 780,
    fontSize: 14,
  })),
  ...prefixed('issue', enrolments, comment => ({
    markdown: () => renderEnrolment(comment, GUIDE),
    width: 780,
    fontSize: 14,
  })),
}

/** A sample light and dark, on a desktop and a phone, folded and open. */
export function picturesOf(sample: string): Picture[] {
  const found = gallery[sample]
  if (found === undefined)
    throw new Error(`No sample "${sample}". Samples: ${Object.keys(gallery).join(', ')}.`)
  return THEMES.flatMap(theme =>
    ['', '-open', '-phone', '-phone-open'].map(form => ({
      ...found,
      ...(form.startsWith('-phone') ? { width: PHONE } : {}),
      name: `${sample}${form}-${theme}`,
      theme,
      isOpen: form.endsWith('-open'),
    })),
  )
}

/** Files of `docs/images` that README and docs show. */
export function imagesOnPages(): string[] {
  const docs = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
  const pages = ['README.md', ...docs.filter(file => file.endsWith('.md')).map(file => join('docs', file))]
  const shown = pages.flatMap(page =>
    [...readFileSync(join(ROOT, page), 'utf8').matchAll(/\bimages\/([\w.-]+\.(?:png|svg))/g)].map(
      ([, file = '']) => file,
    ),
  )
  return [...new Set(shown)].sort()
}

/** Whether a file of `docs/images` is made here. */
export const isPicture = (file: string) => /^(?:summary|comment|issue)-.*\.png$/.test(file)

export function pictureOf(file: string): Picture {
  const name = file.slice(0, -'.png'.length)
  const sample = name.replace(/(?:-phone)?(?:-open)?-(?:light|dark)$/, '')
  const found = picturesOf(sample).find(picture => picture.name === name)
  if (found === undefined)
    throw new Error(`docs/images/${file}: name it <sample>[-phone][-open]-<theme>.png.`)
  return found
}

function prefixed<T>(kind: string, of: Readonly<Record<string, T>>, sample: (it: T) => Sample) {
  return Object.fromEntries(Object.entries(of).map(([name, it]) => [`${kind}-${name}`, sample(it)]))
}
