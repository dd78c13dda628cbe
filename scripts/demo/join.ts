/** A tester joins from the page in the app, through an issue, and leaves. */
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { serveJoinPage } from '../../local/join-page.ts'
import { Phone } from '../../local/phone.ts'
import { issuesEvent, pushEvent, type WorkflowEvent } from '../../local/runner/event.ts'
import { findBrowser, startBrowser } from '../pictures/browser.ts'
import { headlineOf } from './app.ts'
import { showComment } from './comment.ts'
import { act, NATIVE, type Stage } from './stage.ts'

const AUTHOR = 'eve'
const DEVICE = 'e5e00000-1111-4222-8333-000000000005'
const REPOSITORY = 'octo-org/daybreak'
const FORM = fileURLToPath(new URL('../../docs/issue-forms/tester.yml', import.meta.url))
const PICTURE = join(tmpdir(), 'join-the-beta.png')
/** Capgo takes the same device and channel once a minute. */
const SAME_DEVICE = 61_000

export async function tellJoin(stage: Stage): Promise<void> {
  const { story, app, github, capgo } = stage
  const { main, night } = app
  const permissions = { contents: 'write', issues: 'write', 'pull-requests': 'write' } as const
  const asJoin = { ...stage, githubToken: github.addToken({ repository: REPOSITORY, permissions }) }
  story.chapter('10  Eve joins from the page in her app')
  await see(stage, main.headline)
  const answers = Object.fromEntries((await openForm(stage)).searchParams)
  story.check('the page opens the form of testers', answers.template === 'tester.yml', answers.template)
  story.check('with the id of her phone', answers.device === DEVICE, answers.device)
  await request(asJoin, answers, 45, 9)
  await see(stage, night.headline)

  story.chapter('11  She leaves')
  capgo.server.clock.advance(SAME_DEVICE)
  await request(asJoin, { ...answers, action: 'Leave' }, 47, 11)
  await see(stage, main.headline)
}

/** The address that the page's button opens, or would open without Chromium. */
async function openForm({ story, capgo }: Stage): Promise<URL> {
  const program = findBrowser()
  if (program === undefined) {
    story.fact('page', 'skipped: it needs Chromium, on the PATH or named in CHROMIUM')
    const fields = new URLSearchParams({ template: 'tester.yml', device: DEVICE, name: 'Android phone' })
    return new URL(`https://github.com/${REPOSITORY}/issues/new?${fields}`)
  }
  const browser = await startBrowser(program)
  try {
    await using page = await serveJoinPage()
    const tab = await browser.newPage({ viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 })
    const phone = new Phone({ capgoUrl: capgo.url, appId: capgo.appId, deviceId: DEVICE, native: NATIVE })
    await page.open(tab, phone, { github: REPOSITORY })
    await tab.locator('[aria-busy="false"]').waitFor()
    await tab.screenshot({ path: PICTURE, fullPage: true })
    const address = await tab.getByRole('link', { name: 'Join on GitHub' }).getAttribute('href')
    story.fact('page', `${PICTURE}; its button opens the issue form, filled in`)
    return new URL(address ?? '')
  } finally {
    await browser.close()
  }
}

/** She sends the form, and a lead merges the pull request. */
async function request(
  stage: Stage,
  answers: Readonly<Record<string, string>>,
  number: number,
  runNumber: number,
): Promise<void> {
  const { story, app, hosted } = stage
  const { repository, main } = app
  const happen = (event: WorkflowEvent, runNumber: number) =>
    act(stage, { ...main, sha: repository.shaOf('main') }, event, {
      runNumber,
      // Entries of the form have logins, so previews would go to their authors only.
      inputs: { operation: 'enroll', 'assign-testers': 'all' },
    })
  const say = () => {
    for (const { body } of hosted.commentsOf(number)) showComment(body, story, 1)
  }
  const body = fillIn(answers)
  hosted.addIssue({ number, author: AUTHOR, body, title: 'Tester' })
  const before = repository.shaOf('main')
  const asked = await happen(issuesEvent('opened', { number, author: AUTHOR, body, sha: before }), runNumber)
  story.check('proposed', asked.run.outputs.outcome === 'proposed', asked.run.outputs.outcome)
  say()
  const pull = number + 1
  repository.git(['checkout', '--quiet', '--force', 'main'])
  const sha = repository.merge(hosted.pull(pull).pull.head.ref)
  hosted.closePull(pull, { merged: true })
  const merged = await happen(pushEvent({ branch: 'main', sha, before }), runNumber + 1)
  story.check('enrolled', merged.run.outputs.outcome === 'enrolled', merged.run.outputs.outcome)
  say()
  const { state } = hosted.issues.get(number) ?? {}
  story.check('the issue is closed', state === 'closed', state)
}

interface Form {
  readonly body: readonly {
    readonly id: string
    readonly attributes: { readonly label: string; readonly options?: readonly string[] }
  }[]
}

/** The issue as GitHub writes it: the form's labels, with the answers of its address. */
function fillIn(answers: Readonly<Record<string, string>>): string {
  const { body } = parse(readFileSync(FORM, 'utf8')) as Form
  return body
    .map(({ id, attributes }) => `### ${attributes.label}\n\n${answers[id] ?? attributes.options?.[0] ?? ''}`)
    .join('\n\n')
}

async function see({ story, capgo }: Stage, expected: string): Promise<void> {
  const bundle = await capgo.device({ versionBuild: NATIVE, deviceId: DEVICE }).update()
  const shown = bundle === null ? 'nothing' : headlineOf(bundle.files)
  story.claim(`Eve's phone: "${expected}"`, shown === expected, `it shows "${shown}"`)
}
