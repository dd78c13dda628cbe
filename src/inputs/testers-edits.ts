/** Edits of the text of a testers file: what they do not change stays, byte for byte, comments included. */
import { applyEdits, createScanner, type Edit, findNodeAtLocation, type Node, parseTree } from 'jsonc-parser'
import type { TesterEntry } from '../plan/enrolment.ts'

/** With the entry at the end of the list; null = no file yet. The text must be one that `parseTesters` accepts. */
export function addTester(source: string | null, entry: TesterEntry): string {
  if (source === null) return `[\n  ${render(entry)}\n]\n`
  return edit(source, (text, tree) => {
    const list = tree.type === 'array' ? tree : findNodeAtLocation(tree, ['testers'])
    if (list !== undefined) return append(text, list, render(entry))
    const eol = eolOf(text)
    const comma = childrenOf(tree).length > 0 ? ',' : eol
    return [insert(tree.offset + 1, `${eol}  "testers": [${eol}    ${render(entry)}${eol}  ]${comma}`)]
  })
}

/** With the fields of the device's own entry that differ. */
export function updateTester(source: string, entry: TesterEntry): string {
  return edit(source, (_text, tree) => {
    const elsewhere = groupsOf(tree)
      .filter(({ list }) => list.some(node => deviceOf(node) === entry.device))
      .map(({ name }) => name)
    return entriesOf(tree)
      .filter(node => node.type === 'object' && deviceOf(node) === entry.device)
      .flatMap(node => {
        const own = childrenOf(findNodeAtLocation(node, ['groups'])).map(({ value }) => value)
        const groups = entry.groups.filter(each => own.includes(each) || !elsewhere.includes(each))
        return updateFields(node, { ...entry, groups })
      })
  })
}

/** Without the device, in the list and in all groups. */
export function removeTester(source: string, device: string): string {
  return edit(source, (text, tree) => {
    const listed = [...entriesOf(tree), ...groupsOf(tree).flatMap(({ list }) => list)]
    return listed.filter(node => deviceOf(node) === device).flatMap(node => cut(text, node))
  })
}

/** Leaves a byte order mark, which is not JSON, where it is. */
function edit(source: string, change: (text: string, tree: Node) => Edit[]): string {
  const mark = source.startsWith('\ufeff') ? 1 : 0
  const text = source.slice(mark)
  const tree = parseTree(text, [], { allowTrailingComma: true })
  if (tree === undefined) throw new Error('The text is not JSON.')
  return source.slice(0, mark) + applyEdits(text, change(text, tree))
}

function append(text: string, list: Node, item: string): Edit[] {
  const eol = eolOf(text)
  const bracket = endOf(list) - 1
  /** Behind the last entry or comment. */
  const place = text.slice(0, bracket).trimEnd().length
  const last = childrenOf(list).at(-1)
  if (last === undefined) {
    const [, indent = ''] = /(?:^|\n)([ \t]*)[^\n]*$/.exec(text.slice(0, list.offset)) ?? []
    const isOpen = text.slice(list.offset, bracket).includes('\n')
    return [insert(place, `${eol}${indent}  ${item}${isOpen ? '' : `${eol}${indent}`}`)]
  }
  const comma = commaBehind(text, last)
  const [, indent] = /(?:^|\n)([ \t]*)$/.exec(text.slice(0, last.offset)) ?? []
  if (indent === undefined)
    return [comma === null ? insert(endOf(last), `, ${item}`) : insert(comma + 1, ` ${item},`)]
  const line = `${eol}${indent}${item}`
  if (comma !== null) return [insert(place, `${line},`)]
  return place === endOf(last) ? [insert(place, `,${line}`)] : [insert(endOf(last), ','), insert(place, line)]
}

/** Without an entry, its comma, and the line that this leaves blank. */
function cut(text: string, node: Node): Edit[] {
  const siblings = childrenOf(node.parent)
  const before = siblings[siblings.indexOf(node) - 1]
  const own = commaBehind(text, node)
  const comma = own ?? (before === undefined ? null : commaBehind(text, before))
  if (comma === null) return [cutRange(text, node.offset, endOf(node))]
  const [start, end] = own === null ? [comma, endOf(node)] : [node.offset, comma + 1]
  const between = own === null ? text.slice(comma + 1, node.offset) : text.slice(endOf(node), comma)
  return /^[ \t]*$/.test(between)
    ? [cutRange(text, start, end)]
    : [{ offset: comma, length: 1, content: '' }, cutRange(text, node.offset, endOf(node))]
}

function cutRange(text: string, start: number, end: number): Edit {
  const [blankBefore = ''] = /[ \t]*$/.exec(text.slice(0, start)) ?? []
  const [blankBehind = ''] = /^[ \t]*/.exec(text.slice(end)) ?? []
  const [lineEnd] = /^\r?\n/.exec(text.slice(end + blankBehind.length)) ?? []
  const isLine = lineEnd !== undefined && /(?:^|\n)$/.test(text.slice(0, start - blankBefore.length))
  const [from, to] = isLine
    ? [start - blankBefore.length, end + blankBehind.length + lineEnd.length]
    : [start, end + (text[start] === ',' || lineEnd !== undefined ? 0 : blankBehind.length)]
  return { offset: from, length: to - from, content: '' }
}

function updateFields(node: Node, entry: TesterEntry): Edit[] {
  const added: string[] = []
  const edits = fieldsOf(entry).flatMap(([key, value]) => {
    const content = JSON.stringify(value)
    const old = findNodeAtLocation(node, [key])
    if (old === undefined) added.push(`, "${key}": ${content}`)
    const isSame = old === undefined || key === 'device' || JSON.stringify(readValue(old)) === content
    return isSame ? [] : [{ offset: old.offset, length: old.length, content }]
  })
  const last = childrenOf(node).at(-1)
  return last === undefined || added.length === 0 ? edits : [...edits, insert(endOf(last), added.join(''))]
}

function render(entry: TesterEntry): string {
  return `{ ${fieldsOf(entry)
    .map(([key, value]) => `"${key}": ${JSON.stringify(value)}`)
    .join(', ')} }`
}

function fieldsOf({ device, name, github, groups, channel, until }: TesterEntry) {
  const fields = { device, name, github, groups: groups.length === 0 ? null : groups, channel, until }
  return Object.entries(fields).filter(([, value]) => value !== null)
}

function entriesOf(tree: Node): readonly Node[] {
  return childrenOf(tree.type === 'array' ? tree : findNodeAtLocation(tree, ['testers']))
}

/** The groups at the top of the file. */
function groupsOf(tree: Node): { readonly name: string; readonly list: readonly Node[] }[] {
  const groups = tree.type === 'array' ? undefined : findNodeAtLocation(tree, ['groups'])
  return childrenOf(groups).map(({ children: [key, list] = [] }) => ({
    name: String(key?.value),
    list: childrenOf(list),
  }))
}

function deviceOf(node: Node): string {
  return String((findNodeAtLocation(node, ['device']) ?? node).value).toLowerCase()
}

function readValue(node: Node): unknown {
  return node.type === 'array' ? childrenOf(node).map(({ value }) => value) : node.value
}

/** The offset of the comma that follows a value; null where none does. */
function commaBehind(text: string, node: Node): number | null {
  const scanner = createScanner(text, true)
  scanner.setPosition(endOf(node))
  scanner.scan()
  return text[scanner.getTokenOffset()] === ',' ? scanner.getTokenOffset() : null
}

const childrenOf = (node: Node | undefined): readonly Node[] => node?.children ?? []
const endOf = ({ offset, length }: Node) => offset + length
const insert = (offset: number, content: string): Edit => ({ offset, length: 0, content })
const eolOf = (text: string) => (text.includes('\r\n') ? '\r\n' : '\n')
