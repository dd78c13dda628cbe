/** The versions that an iOS project is built with. */
import { dirname, join, resolve } from 'node:path'
import { shownPath } from '../runtime/paths.ts'
import {
  type FoundVersion,
  isLikeVersion,
  lineAt,
  type NativeProject,
  readNativeFile,
  sayLine,
  type UnreadPlace,
} from './native-file.ts'
import { at, type Leaf, leafAt, listAt, type Node, parsePropertyList } from './property-list.ts'

const APPLICATION = 'com.apple.product-type.application'
const VERSION_KEY = 'CFBundleShortVersionString'
const DEFAULT_PLIST = 'App/Info.plist'

/** A setting and the file that it stands in (as messages name it). */
interface Setting extends Leaf {
  readonly file: string
}

/** Settings of one level; those of the target go before those of the project. */
type Level = (name: string) => Setting | undefined

/**
 * The versions that the Xcode project in `folder` (absolute; `ios/App`) declares for its apps, as they are released:
 * app extensions, tests and apps for watches have versions of their own that no updater sends. Null without a project.
 */
export async function readXcode(root: string, folder: string): Promise<NativeProject | null> {
  const file = join(folder, 'App.xcodeproj/project.pbxproj')
  const text = await readNativeFile(root, file)
  const shown = shownPath(root, file)
  if (text === null) {
    const plist = await readPlist(root, join(folder, DEFAULT_PLIST))
    if (plist === null) return null
    return plist.value !== null && !plist.value.includes('$')
      ? { versions: [{ version: plist.value, source: plist.source }], unread: [] }
      : { versions: [], unread: [{ source: shown, says: 'is missing' }] }
  }
  const list = parsePropertyList(text)
  const objects = at(list ?? undefined, 'objects')
  if (!(objects instanceof Map))
    return { versions: [], unread: [{ source: shown, says: 'is not an Xcode project' }] }
  const found = new Map<string, FoundVersion>()
  const unread = new Map<string, UnreadPlace>()
  for (const levels of await readReleases(root, folder, shown, objects)) {
    const version = await readVersion(root, folder, shown, levels)
    if ('version' in version) found.set(version.version, found.get(version.version) ?? version)
    else unread.set(version.source, version)
  }
  if (found.size === 0 && unread.size === 0) unread.set(shown, { source: shown, says: 'has no app target' })
  return { versions: [...found.values()], unread: [...unread.values()] }
}

/** The settings of each app that is released: a list of levels for every target and configuration. */
async function readReleases(
  root: string,
  folder: string,
  shown: string,
  objects: ReadonlyMap<string, Node>,
): Promise<Level[][]> {
  const ofKind = (kind: string) => [...objects.values()].filter(each => leafAt(each, 'isa')?.text === kind)
  const [project] = ofKind('PBXProject')
  const levelsOf = async (
    owner: Node | undefined,
    name?: string,
  ): Promise<{ name: string; levels: Level[] }[]> => {
    const ids = listAt(
      objects.get(leafAt(owner, 'buildConfigurationList')?.text ?? ''),
      'buildConfigurations',
    )
    const configurations = ids.map(({ text }) => objects.get(text))
    const found = []
    for (const each of configurations) {
      const own = leafAt(each, 'name')?.text ?? ''
      if (name !== undefined && own !== name) continue
      const settings: Level = key => {
        const leaf = leafAt(each, 'buildSettings', key)
        return leaf === undefined ? undefined : { ...leaf, file: shown }
      }
      const reference = objects.get(leafAt(each, 'baseConfigurationReference')?.text ?? '')
      const path = leafAt(reference, 'path')?.text
      found.push({
        name: own,
        levels: [settings, ...(path === undefined ? [] : [await readConfig(root, folder, path)])],
      })
    }
    return found
  }
  const releases: Level[][] = []
  for (const target of ofKind('PBXNativeTarget')) {
    if (leafAt(target, 'productType')?.text !== APPLICATION) continue
    for (const { name, levels } of released(await levelsOf(target))) {
      const [inherited] = await levelsOf(project, name)
      const all = [...levels, ...(inherited?.levels ?? [])]
      if (!/^watch/.test(look(all, 'SDKROOT')?.text ?? '')) releases.push(all)
    }
  }
  return releases
}

/** Those that apps for the stores are made with. */
function released<Configuration extends { readonly name: string }>(
  all: readonly Configuration[],
): readonly Configuration[] {
  const tests = [/^release$/i, /release/i, /^(?!.*debug)/i, /^/]
  return tests.map(test => all.filter(({ name }) => test.test(name))).find(some => some.length > 0) ?? []
}

function look(levels: readonly Level[], name: string): Setting | undefined {
  for (const level of levels) {
    const setting = level(name)
    if (setting !== undefined && setting.text !== '$(inherited)') return setting
  }
  return undefined
}

/** The version of one app: a literal of its Info.plist, else the setting that stands there. */
async function readVersion(
  root: string,
  folder: string,
  shown: string,
  levels: readonly Level[],
): Promise<FoundVersion | UnreadPlace> {
  const path = expand(look(levels, 'INFOPLIST_FILE')?.text ?? DEFAULT_PLIST, levels)?.replace(/^\/+/, '')
  const plist = path === undefined ? null : await readPlist(root, join(folder, path))
  const written = plist?.value ?? look(levels, 'MARKETING_VERSION')?.text
  if (written === undefined) return { source: shown, says: 'has no MARKETING_VERSION' }
  const version = expand(written, levels)
  const name = plist?.value == null ? 'MARKETING_VERSION' : /^\$[({](\w+)[)}]$/.exec(written)?.[1]
  const named = name === undefined ? undefined : look(levels, name)
  const source = named === undefined ? (plist?.source ?? shown) : `${named.file}:${named.line}`
  if (version !== undefined && isLikeVersion(version)) return { version, source }
  return {
    source,
    says: sayLine(named === undefined ? `${VERSION_KEY}: ${written}` : `${name} = ${named.text}`),
  }
}

/** `$(NAME)` and `${NAME}` as the settings say; undefined where they do not. */
function expand(text: string, levels: readonly Level[], depth = 0): string | undefined {
  let isKnown = depth < 10
  const expanded = text.replace(/\$[({]([^)}]*)[)}]/g, (_, name: string) => {
    const value = /^(?:SRCROOT|PROJECT_DIR)$/.test(name) ? '' : look(levels, name)?.text
    const inner = value === undefined || !isKnown ? undefined : expand(value, levels, depth + 1)
    isKnown &&= inner !== undefined
    return inner ?? ''
  })
  return isKnown ? expanded.trim() : undefined
}

/** Its version, null where it has none; null for a file that is none. */
async function readPlist(
  root: string,
  file: string,
): Promise<{ value: string | null; source: string } | null> {
  const text = await readNativeFile(root, file)
  if (text === null) return null
  const plain = text.replace(/<!--[\s\S]*?-->/g, comment => comment.replace(/[^\n]/g, ' '))
  const match = /<key>\s*CFBundleShortVersionString\s*<\/key>\s*<string>([^<]*)<\/string>/.exec(plain)
  const shown = shownPath(root, file)
  if (match === null) return { value: null, source: shown }
  const line = lineAt(plain, match.index + match[0].lastIndexOf('<string>'))
  return { value: (match[1] ?? '').trim(), source: `${shown}:${line}` }
}

/** The settings of an `.xcconfig`, and of those that it includes. */
async function readConfig(root: string, folder: string, path: string): Promise<Level> {
  const settings = new Map<string, Setting>()
  const read = async (file: string, depth: number): Promise<boolean> => {
    const text = depth > 5 ? null : await readNativeFile(root, file)
    if (text === null) return false
    for (const [index, content] of text.split(/\r?\n/).entries()) {
      const included = /^\s*#include\??\s*"([^"]+)"/.exec(content)?.[1]
      if (included !== undefined) await read(resolve(dirname(file), included), depth + 1)
      const [, key, value] = /^\s*(\w+)\s*=\s*(.*?)\s*;?\s*$/.exec(content.replace(/\/\/.*$/, '')) ?? []
      if (key !== undefined)
        settings.set(key, { text: value ?? '', line: index + 1, file: shownPath(root, file) })
    }
    return true
  }
  // The groups of the project that lead to the file have paths too, mostly that of the app.
  for (const place of ['.', 'App', 'Pods']) if (await read(join(folder, place, path), 0)) break
  return name => settings.get(name)
}
