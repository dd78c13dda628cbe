/** The pictures of the documents show what the code renders today: each carries the Markdown that it was made of. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { IMAGES, imagesOnPages, isPicture, pictureOf } from '../../../scripts/pictures/gallery.ts'
import { readText, writeText } from '../../../scripts/pictures/png-text.ts'

const REMEDY = 'Make the pictures again: npm run preview'
const shown = imagesOnPages()

it('the pages show pictures, and the folder has no other files', () => {
  expect(shown.filter(isPicture).length).toBeGreaterThan(2)
  expect(readdirSync(IMAGES).sort(), REMEDY).toEqual(shown)
})

it.each(shown.filter(isPicture))('%s', file => {
  const text = readText(readFileSync(join(IMAGES, file)))
  expect(text, REMEDY).toBe(pictureOf(file).markdown())
})

it('a picture without its text has none, and one with it keeps every byte of the picture', () => {
  const file = join(IMAGES, shown.filter(isPicture)[0]!)
  const png = readFileSync(file)
  expect(readText(png.subarray(0, 33))).toBeNull()
  const other = writeText(png, 'Grüße 👋')
  expect(other.subarray(0, png.length - 12).equals(png.subarray(0, png.length - 12))).toBe(true)
  expect(other.subarray(-12).equals(png.subarray(-12))).toBe(true)
})
