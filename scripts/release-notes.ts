/** Prints what CHANGELOG.md says of a version; fails where the tag is not the version that everything else tells. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Project {
  /** `version` of package.json. */
  readonly version: string
  readonly changelog: string
}

/** The notes of the release, Markdown. Throws where package.json or the changelog do not have the tag's version. */
export function releaseNotes(tag: string, { version, changelog }: Project): string {
  if (tag !== `v${version}`) throw new Error(`The tag is ${tag}, and package.json says ${version}.`)
  const [, ...sections] = changelog.split(/^## /m)
  const section = sections.find(each => each.startsWith(`[${version}]`))
  if (section === undefined) throw new Error(`CHANGELOG.md has no section "## [${version}]".`)
  const notes = section
    .replace(/^.*\n/, '')
    .replace(/^\[[^\]]+\]: .*$/gm, '')
    .trim()
  if (notes === '') throw new Error(`CHANGELOG.md says nothing of ${version}.`)
  return `${notes}\n`
}

if (import.meta.main) {
  const read = (file: string) => readFileSync(join(import.meta.dirname, '..', file), 'utf8')
  const { version } = JSON.parse(read('package.json')) as { version: string }
  try {
    process.stdout.write(releaseNotes(process.argv[2] ?? '', { version, changelog: read('CHANGELOG.md') }))
  } catch (error) {
    console.error((error as Error).message)
    process.exitCode = 1
  }
}
