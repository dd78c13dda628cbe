import { describe, expect, test } from 'vitest'
import { RunnerLog } from '../../../../local/runner/log.ts'

function read(...lines: string[]): RunnerLog {
  const log = new RunnerLog()
  for (const line of lines) log.write(line)
  return log
}

describe('workflow commands', () => {
  test('an annotation has its place, title and unescaped text', () => {
    const log = read(
      '::error title=Bad%3A version,file=src/a%2Cb.ts,line=14,col=3::100%25%0Awrong: %250A, a,b',
    )
    expect(log.annotations).toEqual([
      {
        level: 'error',
        title: 'Bad: version',
        file: 'src/a,b.ts',
        line: 14,
        column: 3,
        message: '100%\nwrong: %0A, a,b',
      },
    ])
    expect(log.visible).toBe('Error: 100%\nwrong: %0A, a,b')
  })

  test('a command is obeyed after leading space and in any case, but not in the middle of a line', () => {
    const log = read('  ::WARNING::indented', 'see ::error::text', '::unknown::text', '::error')
    expect(log.annotations).toEqual([{ level: 'warning', message: 'indented' }])
    expect(log.visible).toBe('Warning: indented\nsee ::error::text\n::unknown::text\n::error')
  })

  test('the older form is obeyed anywhere in a line, which is how untrusted text injects it', () => {
    const log = read('branch is ##[error file=a.ts;line=2]gotcha%5D', '##[command]git status')
    expect(log.annotations).toEqual([{ level: 'error', file: 'a.ts', line: 2, message: 'gotcha]' }])
    expect(log.visible).toContain('##[command]git status')
  })

  test('while commands are stopped a command is text, also another stop or a wrong token', () => {
    const log = read(
      '::stop-commands::pause-8d1f',
      '::add-mask::visible',
      '::error::from a build',
      '::stop-commands::second',
      '::second::',
      '::pause-8d1f::',
      '::error::real visible',
    )
    expect(log.annotations).toEqual([{ level: 'error', message: 'real visible' }])
    expect(log.masks).toEqual(['pause-8d1f'])
    expect(log.visible.split('\n')).toEqual([
      '::stop-commands::***',
      '::add-mask::visible',
      '::error::from a build',
      '::stop-commands::second',
      '::second::',
      '::***::',
      'Error: real visible',
    ])
  })

  test.each(['', 'error', 'pause-logging'])('"%s" cannot be a stop token', token => {
    const log = read(`::stop-commands::${token}`, '::notice::still obeyed')
    expect(log.annotations.map(each => each.level)).toEqual(['error', 'notice'])
  })

  test('the disabled commands are errors, the deprecated outputs still count', () => {
    const log = read(
      '::set-env name=A::1',
      '::add-path::/bin',
      '::set-output name=a::1',
      '::save-state name=b::2',
    )
    expect(log.annotations.map(each => each.level)).toEqual(['error', 'error'])
    expect(log.outputs).toEqual({ a: '1' })
    expect(log.state).toEqual({ b: '2' })
  })
})

test('groups head their lines, and debug is not shown', () => {
  const log = read(
    'before',
    '::group::Build',
    'vite',
    '::notice::ok',
    '::endgroup::',
    '::debug::hidden',
    'after',
  )
  expect(log.visible).toBe('before\n▸ Build\n  vite\n  Notice: ok\nafter')
  expect(log.groups).toEqual([{ title: 'Build', lines: ['vite', 'Notice: ok'] }])
  expect(log.debug).toEqual(['hidden'])
})

test('a mask covers the value, each of its lines, and encoded forms, but not what was said before', () => {
  const log = read('early s3cret-value', '::add-mask::s3cret-value%0Asecond/line', 's3cret-value second/line')
  log.write(`${encodeURIComponent('second/line')} ${Buffer.from('key:s3cret-value').toString('base64')}`)
  expect(log.visible).toContain('early s3cret-value\n*** ***\n*** ')
  expect(log.visible).not.toContain(Buffer.from('s3cret-value').toString('base64').slice(4, 12))
})
