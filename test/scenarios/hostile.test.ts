import { expect, it } from 'vitest'
import { renderAsGitHub } from '../../scripts/pictures/github.ts'
import { openPull } from './pull.ts'
import { createWorld, tinyApp } from './scenario.ts'

/** What git takes as a branch's name, and file systems as a file's. */
const BRANCH = 'x/`<img-src=x>`-@everyone-#1-$(id)-__b__-\u200b-\u202e-::error::boo'.replaceAll(':', '\uff1a')
const FILE = '<b>&amp; @octocat #1 ![x](y) `$(id)` \u00fcml.js'
const LINES = [
  '::set-output name=outcome::hacked',
  '::error file=a.js,line=1::hacked',
  '::add-mask::e',
  '::warning::hacked',
  '##[error]hacked',
  // What .NET takes off a line, or may not see in it.
  ...['\u0085', '\u00a0', '\u2003', '\u3000', '\ufeff', '\u200b', '\v\f\t'].map(
    space => `${space}::error::hacked`,
  ),
  'a\r\u0085::error::hacked',
  '::stop-commands::hacked',
  '@everyone <script>alert(1)</script> ![x](https://evil.example) #1',
  '```',
  '</details><h1>hacked</h1>',
  '\u001b[31mred\u001b[0m \u202eright to left\u200b',
]

/** Elements that text must never become; the links of commit, run and documents are ours. */
const ACTIVE =
  /<script|<img|<h1|class="(user-mention|issue-link|math)|href="(?!https:\/\/github\.com\/(?:octo-org\/daybreak|capgo-publish-action\/capgo-publish-action)\/|#)/

function build(fails: boolean): string {
  return `${LINES.map(line => `console.log(${JSON.stringify(line)})`).join('\n')}
require('fs').mkdirSync('www', { recursive: true })
require('fs').writeFileSync('www/index.html', require('fs').readFileSync('greeting.txt', 'utf8') + '<script src="app.js"></script>')
require('fs').writeFileSync('www/app.js', 'CapacitorUpdater.notifyAppReady()')
require('fs').writeFileSync('www/' + ${JSON.stringify(FILE)}, '1')
${fails ? "throw new Error('::error::hacked <img src=x> @everyone')" : ''}
`
}

it.each([
  ['published', false],
  ['failed', true],
])(
  'strange names and a strange build log change nothing but the text that they are: %s',
  async (outcome, fails) => {
    const world = await createWorld({ builtAction: true, role: 'app_admin', files: tinyApp() })
    await world.push('main')
    const pull = await openPull(world, {
      branch: BRANCH,
      files: { 'build.js': build(fails), 'greeting.txt': '<h1>Evening</h1>\n' },
      title: '# <img src=x> @everyone ::error::',
    })
    const run = await pull.run('opened')

    expect(run.outputs.outcome, run.visibleLog).toBe(outcome)
    expect(run.exportedEnv).toEqual({})
    expect(run.exportedPath).toEqual([])
    const errors = run.log.annotations.filter(({ level }) => level !== 'notice')
    expect(errors.filter(({ message }) => /^hacked/.test(message))).toEqual([])
    expect(errors).toHaveLength(fails ? 1 : 0)
    expect(run.visibleLog).toContain('::set-output name=outcome::hacked')

    const [comment = ''] = pull.comments()
    for (const markdown of [comment, run.summary]) {
      const html = renderAsGitHub(markdown)
      expect(html).not.toMatch(ACTIVE)
      for (const unseen of ['\u200b', '\u202e', '\u001b']) expect(markdown).not.toContain(unseen)
    }
    if (fails) {
      expect(comment).toContain('::set-output name=outcome::hacked')
      return
    }
    // It is there, as text.
    expect(renderAsGitHub(comment).replace(/<\/?span>/g, '')).toContain(
      '&#x3C;b>&#x26;amp; @octocat #1 ![x](y) `$(id)` üml.js',
    )
  },
)

it('what the build was given and prints is not in the comment', async () => {
  const world = await createWorld({ builtAction: true, role: 'app_admin' })
  const pull = await openPull(world, {
    files: {
      'build.js': `console.log('key', process.env.MAPS_API_KEY, 'pem', process.env.SIGNING_PRIVATE_PEM, 'mode', process.env.MODE)
throw new Error('no maps for ' + process.env.MAPS_API_KEY)`,
    },
  })
  const env = {
    MAPS_API_KEY: 'AIza-not-for-you',
    SIGNING_PRIVATE_PEM: 'BEGIN\nsecond-line-of-it',
    MODE: 'staging',
  }
  const run = await pull.run('opened', {}, { env })
  expect(run.exitCode).toBe(1)
  const [comment = ''] = pull.comments()
  expect(comment).toContain('no maps for ***')
  expect(comment).toContain('mode staging')
  expect(comment).not.toMatch(/not-for-you|second-line/)
})
