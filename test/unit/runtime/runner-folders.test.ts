import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseKeyValueFile } from '../../../local/runner/file-commands.ts'
import { makeScratch as makeFolder } from '../../../local/runner/scratch.ts'
import { ActionError } from '../../../src/errors.ts'
import { failure } from '../../../src/report/results.ts'
import { appendWhole, keyValueLines } from '../../../src/runtime/command-file.ts'
import { makeScratch, replaceHome, requireWorkspace } from '../../../src/runtime/runner-folders.ts'
import { explainSystemError, nullIfMissing } from '../../../src/runtime/system-error.ts'

describe('a folder for temporary files', () => {
  it('is in the first that can be used, and the others are told', async () => {
    const folder = makeFolder('temp')
    const file = join(folder, 'file')
    writeFileSync(file, '')
    const { scratch, notes } = await makeScratch([join(folder, 'missing'), file, '/dev/null', folder, '/'])
    expect(scratch.startsWith(join(folder, 'capgo-publish-'))).toBe(true)
    expect(readdirSync(scratch)).toEqual([])
    expect(notes).toHaveLength(3)
    expect(notes.join()).toMatch(/missing.*ENOENT.*file.*ENOTDIR.*null.*ENOTDIR/)
  })

  it('is needed', async () => {
    await expect(makeScratch(['/dev/null', '/dev/null'])).rejects.toMatchObject({
      code: 'temp_unusable',
      message: expect.stringMatching(/^The temporary folder \/dev\/null cannot be used \([^)]*\)\.$/),
    })
  })
})

describe('a home folder', () => {
  it('stays where it can be written to', async () => {
    expect(await replaceHome(makeFolder('home'), makeFolder('scratch'))).toBeNull()
  })

  it('is replaced where it is missing or no folder', async () => {
    for (const home of ['/nonexistent/home', '/dev/null']) {
      const scratch = makeFolder('scratch')
      const replaced = await replaceHome(home, scratch)
      expect(replaced).toMatchObject({ home: join(scratch, 'home'), note: expect.stringContaining(home) })
      expect(readdirSync(replaced!.home)).toEqual([])
    }
  })
})

it('a workspace is a folder that can be read', async () => {
  const folder = makeFolder('workspace')
  mkdirSync(join(folder, 'empty'))
  expect(await requireWorkspace(join(folder, 'empty'))).toBe(join(folder, 'empty'))
  for (const path of [join(folder, 'missing'), '/dev/null'])
    await expect(requireWorkspace(path)).rejects.toMatchObject({ code: 'workspace_unusable' })
})

describe('a file for outputs', () => {
  it('gets them all, whatever the values are', () => {
    const file = join(makeFolder('output'), 'file')
    writeFileSync(file, 'before=1\n')
    const values = { one: 'a\nb=<<c\n', two: '', three: 'end_' }
    appendWhole(file, keyValueLines(values))
    expect(parseKeyValueFile(readFileSync(file, 'utf8'))).toEqual({ before: '1', ...values })
  })

  it('is made where it is missing, and its folder is not', () => {
    const folder = makeFolder('output')
    appendWhole(join(folder, 'file'), 'x')
    expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('x')
    expect(() => appendWhole(join(folder, 'missing', 'file'), 'x')).toThrow('ENOENT')
  })
})

const systemError = (code: string, syscall: string) =>
  Object.assign(new Error(`${code}: x`), { code, syscall })

describe('an error of the system', () => {
  it.each([
    ['disk_full', 'ENOSPC', 'write'],
    ['disk_full', 'EDQUOT', 'open'],
    ['disk_full', 'EFBIG', 'write'],
    ['file_denied', 'EACCES', 'open'],
    ['file_denied', 'EPERM', 'chmod'],
    ['file_denied', 'EROFS', 'mkdir'],
    ['too_many_open_files', 'EMFILE', 'open'],
    ['too_many_open_files', 'ENFILE', 'scandir'],
    ['file_unusable', 'ENOENT', 'stat'],
    ['file_unusable', 'ENOTDIR', 'scandir'],
    ['file_unusable', 'EIO', 'read'],
    ['process_not_started', 'EAGAIN', 'spawn git'],
    ['process_not_started', 'E2BIG', 'spawn npm'],
    ['process_not_started', 'EACCES', 'spawn npm'],
  ])('is %s for %s of %s', (code, errno, syscall) => {
    const result = failure(systemError(errno, syscall))
    expect(result).toMatchObject({ code, reason: expect.stringContaining(errno) })
    expect(result.hint).not.toContain('open an issue')
  })

  it('is none of these where the network or this action is the reason', () => {
    for (const error of [
      systemError('EACCES', 'connect'),
      systemError('ENOTFOUND', 'getaddrinfo'),
      systemError('EPIPE', 'write'),
      new TypeError('x'),
      Object.assign(new Error('x'), { code: 'ENOENT' }),
      new ActionError('internal', 'y'),
      'text',
      null,
    ])
      expect(explainSystemError(error)).toBeNull()
    expect(failure(new TypeError('x')).code).toBe('internal')
  })

  it('says that a file is missing, or that nobody knows', () => {
    for (const code of ['ENOENT', 'ENOTDIR', 'EISDIR'])
      expect(nullIfMissing(systemError(code, 'open'))).toBeNull()
    expect(() => nullIfMissing(systemError('EACCES', 'open'))).toThrow('EACCES')
    expect(() => nullIfMissing(systemError('EMFILE', 'open'))).toThrow('EMFILE')
  })
})
