import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { CapacitorConfig } from './capacitor-config.ts'
import { shownPath } from './paths.ts'

/** A native version that the repository tells. */
export interface NativeVersion {
  readonly platform: 'android' | 'ios' | 'any'
  /** As written, for example `1.0`. */
  readonly version: string
  /** For example `android/app/build.gradle:12`, relative to the checkout. */
  readonly source: string
}

/** Bytes; a project file of ten thousand sources has some 3 MB. */
const LONGEST_FILE = 16 * 1024 * 1024

/** A version and the line where it stands. */
interface Literal {
  readonly version: string
  readonly line: number
}

/**
 * The native versions that the repository tells, each once. `plugins.CapacitorUpdater.version` is what
 * devices say instead of their store version, so it is then the only one. What is a variable or an
 * expression is left out.
 */
export async function readNativeVersions(options: {
  readonly root: string
  readonly directory: string
  readonly config: CapacitorConfig | null
}): Promise<NativeVersion[]> {
  const { root, directory, config } = options
  if (config?.updater.version !== undefined)
    return [
      {
        platform: 'any',
        version: config.updater.version,
        source: `${shownPath(root, config.file)} (plugins.CapacitorUpdater.version)`,
      },
    ]
  const look = async (platform: 'android' | 'ios', path: string, find: (text: string) => Literal[]) => {
    const file = join(directory, path)
    const text = await readShort(file)
    const literals = text === null ? [] : find(text)
    return literals.map(({ version, line }) => ({
      platform,
      version,
      source: `${shownPath(root, file)}:${line}`,
    }))
  }
  const { android = 'android', ios = 'ios' } = config?.nativePaths ?? {}
  const gradle = [
    ...(await look('android', `${android}/app/build.gradle`, findVersionNames)),
    ...(await look('android', `${android}/app/build.gradle.kts`, findVersionNames)),
  ]
  // A literal here is what the app is built with, whatever the project's setting says.
  const plist = await look('ios', `${ios}/App/App/Info.plist`, findShortVersion)
  const xcode =
    plist.length > 0
      ? []
      : await look('ios', `${ios}/App/App.xcodeproj/project.pbxproj`, findMarketingVersions)
  return withoutRepeats([...gradle, ...plist, ...xcode])
}

/** Null when there is no such file, or one that no tool writes. */
async function readShort(file: string): Promise<string | null> {
  const found = await stat(file).catch(() => null)
  if (found === null || !found.isFile() || found.size > LONGEST_FILE) return null
  return readFile(file, 'utf8').catch(() => null)
}

function withoutRepeats(versions: readonly NativeVersion[]): NativeVersion[] {
  const known = new Map<string, NativeVersion>()
  for (const each of versions) {
    const key = `${each.platform} ${each.version}`
    if (!known.has(key)) known.set(key, each)
  }
  return [...known.values()]
}

/** `versionName "1.0"` or `versionName = "1.0"`, in any flavour, when the line says nothing else. */
function findVersionNames(text: string): Literal[] {
  return lines(withoutComments(text)).flatMap(({ content, line }) => {
    const match =
      /(?:^|[\s{;])versionName(?:\s*=\s*|\s+|\s*\(\s*)(["'])([^"'$]+)\1\s*(?:\)\s*)?(?:[;}]|$)/.exec(content)
    return match ? [{ version: match[2]!.trim(), line }] : []
  })
}

/** Comments of Gradle files as blanks, so that lines keep their numbers; strings stay (`"https://"`). */
function withoutComments(text: string): string {
  return text.replace(
    /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|\/\*(?:[\s\S]*?\*\/|[\s\S]*$)|\/\/[^\n]*/g,
    (comment, string?: string) => string ?? comment.replace(/[^\n]/g, ' '),
  )
}

function findShortVersion(text: string): Literal[] {
  const match = /<key>CFBundleShortVersionString<\/key>\s*<string>([^<$]+)<\/string>/.exec(text)
  return match
    ? [{ version: match[1]!.trim(), line: lineAt(text, match.index + match[0].lastIndexOf('<string>')) }]
    : []
}

/**
 * `MARKETING_VERSION` of the application targets, of their Release configuration where there is one, else as
 * the project's configuration of that name says. The file is a list of objects that name each other by id.
 */
function findMarketingVersions(text: string): Literal[] {
  const objects = readObjects(text)
  const ofKind = (kind: string) => [...objects.values()].filter(({ body }) => property(body, 'isa') === kind)
  const project = ofKind('PBXProject')[0]
  return ofKind('PBXNativeTarget')
    .filter(({ body }) => property(body, 'productType') === 'com.apple.product-type.application')
    .flatMap(({ body }) => {
      const own = configurations(body)
      const release = own.filter(each => each.name === 'Release')
      return (release.length > 0 ? release : own).flatMap(each => {
        const inherited = project
          ? configurations(project.body).find(({ name }) => name === each.name)
          : undefined
        const version = each.version ?? inherited?.version
        return version && version !== 'variable' ? version : []
      })
    })

  function configurations(owner: string): { name: string | null; version: Literal | 'variable' | null }[] {
    const list = objects.get(property(owner, 'buildConfigurationList') ?? '')
    const ids =
      /buildConfigurations = \(([\s\S]*?)\);/.exec(list?.body ?? '')?.[1]?.match(/[0-9A-Fa-f]{24}/g) ?? []
    return ids.flatMap(id => {
      const found = objects.get(id)
      return found ? [{ name: property(found.body, 'name'), version: marketingVersion(found) }] : []
    })
  }
}

/** By id: what stands between `= {` and `};`, and the number of its first line. One pass: such files are long. */
function readObjects(text: string): Map<string, { body: string; line: number }> {
  const objects = new Map<string, { body: string; line: number }>()
  let open: { id: string; from: number } | null = null
  const all = text.split('\n')
  for (const [index, content] of all.entries()) {
    const id = /^\t\t([0-9A-Fa-f]{24})(?: \/\*.*\*\/)? = \{\r?$/.exec(content)?.[1]
    if (id !== undefined) open ??= { id, from: index + 1 }
    else if (open !== null && content.startsWith('\t\t};')) {
      objects.set(open.id, { body: `${all.slice(open.from, index).join('\n')}\n`, line: open.from + 1 })
      open = null
    }
  }
  return objects
}

function marketingVersion({ body, line }: { body: string; line: number }): Literal | 'variable' | null {
  const match = /^[ \t]*MARKETING_VERSION = "?([^";]+)"?;/m.exec(body)
  if (match === null) return null
  const version = match[1]!.trim()
  return version.includes('$') ? 'variable' : { version, line: line + lineAt(body, match.index) - 1 }
}

function property(body: string, name: string): string | null {
  return new RegExp(`^\\t{3}${name} = "?([^";\\s]+)`, 'm').exec(body)?.[1] ?? null
}

function lines(text: string): { content: string; line: number }[] {
  return text.split(/\r?\n/).map((content, index) => ({ content, line: index + 1 }))
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length
}
