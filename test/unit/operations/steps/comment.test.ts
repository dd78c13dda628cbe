/** Whose comment it is, what becomes of it, and what is said where GitHub refuses: against the local GitHub. */
import { createHmac } from 'node:crypto'
import { describe, expect, it, onTestFinished } from 'vitest'
import { primaryRateLimit, startGitHub, type TokenSeed } from '../../../../local/github/index.ts'
import { createRepository } from '../../../../local/repository.ts'
import { comments as samples } from '../../../../scripts/pictures/comments.ts'
import type { RunContext } from '../../../../src/context.ts'
import { connectGitHub } from '../../../../src/github/client.ts'
import { createBestEfforts } from '../../../../src/operations/steps/best-effort.ts'
import {
  findCommentedApps,
  updateTesterSection,
  writeComment,
} from '../../../../src/operations/steps/comment.ts'
import { markOf, readSection } from '../../../../src/operations/steps/comment-marker.ts'
import { withDeployment } from '../../../../src/operations/steps/deployment.ts'
import type { CommentLayout } from '../../../../src/plan/types.ts'
import { parseSections } from '../../../../src/report/comment-sections.ts'
import type { PreviewComment } from '../../../../src/report/preview-comment.ts'
import { createCancellation } from '../../../../src/runtime/cancellation.ts'

const REPOSITORY = 'octo-org/daybreak'
const APP_ID = 'com.example.shop'
const KEY = '7c1e4b0a-8a3f-4a57-9a43-0d5d3f9f2b11'
const BOT = 'github-actions[bot]'
const MARKER = `<!-- capgo-publish-action ${APP_ID} -->`
/** As former versions wrote it. */
const FORMER = `${MARKER}\n<!-- run 7.1 -->\n### 📱 Preview ready`
const git = createRepository({ files: { 'README.md': 'Daybreak\n' } })
const { building, ready } = samples

async function createWorld() {
  const server = await startGitHub()
  onTestFinished(() => server.stop())
  const hosted = server.addRepository({ name: REPOSITORY, gitDir: git.path, private: true })
  await hosted.addPull({ number: 12, head: { ref: 'x', sha: git.head } })
  let runs = 100
  return {
    server,
    hosted,
    all: () => hosted.commentsOf(12).map(({ author, body }) => `${author}: ${titleOf(body)}`),
    say: (body: string, author = 'mallory') => hosted.addComment(12, { body, author }),
    /** What a run works with; each is a newer one. */
    run(
      token: Partial<TokenSeed> = {},
      { key = KEY, id = ++runs, fault = null as Parameters<typeof server.faults.add>[0] | null } = {},
    ) {
      const permissions = { 'pull-requests': 'write', deployments: 'write' } as const
      const githubToken = server.addToken({ repository: REPOSITORY, permissions, ...token })
      const connect = (signal: AbortSignal) =>
        connectGitHub({
          // GitHub asks for a minute.
          sleep: async () => {},
          token: githubToken,
          repository: REPOSITORY,
          apiUrl: server.url,
          userAgent: 'test',
          redact: text => text,
          signal,
          fetch,
          firstPause: 1,
          settling: 1,
        })
      if (fault !== null) server.faults.add(fault)
      const warnings: string[] = []
      const context = {
        deps: { workspace: '/' },
        inputs: {
          comment: 'shared',
          dryRun: false,
          deployments: true,
          capgoToken: key,
          workingDirectory: '.',
          hosts: { console: null },
        },
        seenSections: new Map(),
        trigger: { commit: { runId: id, runAttempt: 1 }, runUrl: 'https://github.com/octo-org/daybreak' },
        ...createBestEfforts(connect, createCancellation(), warnings),
      } as unknown as RunContext
      return { context, warnings, github: connect(new AbortController().signal), id }
    },
  }
}

/** The first line of a section. */
const headOf = (
  key: string,
  appId: string,
  { run = 7, comment = null }: { run?: number; comment?: number | null },
) => markOf(key).write(appId, { run: { id: run, attempt: 1 }, revision: 0, text: '' }, comment).text

const titleOf = (body: string) => /^### \S+ (\w+)/m.exec(body)?.[1] ?? body.split('\n').at(-1)

const TOKENS: Readonly<Record<string, Partial<TokenSeed>>> = {
  "a workflow's": {},
  "another GitHub App's": { login: 'our-app[bot]' },
  'a fine-grained one': { login: 'grace' },
  'a classic one': { login: 'grace', prefix: 'ghp_' },
  "an OAuth app's": { login: 'grace', prefix: 'gho_' },
  "a GitHub App user's": { login: 'grace', prefix: 'ghu_' },
}

describe.each(Object.entries(TOKENS))('with %s token', (_, token) => {
  const author = token.login ?? BOT

  it('runs after one another change one comment', async () => {
    const world = await createWorld()
    for (let run = 0; run < 2; run++) {
      const { context } = world.run(token)
      await writeComment(building, context)
      expect(world.all()).toEqual([`${author}: Building`])
      await writeComment(ready, context)
      expect(world.all()).toEqual([`${author}: Preview`])
    }
    expect(world.server.violations).toEqual([])
  })

  it('comments of people and of other bots stay, also copies of ours, word for word', async () => {
    const world = await createWorld()
    const older = ['mallory', 'copycat[bot]', 'dependabot[bot]'].flatMap(who => [
      world.say(`${MARKER}\nMine!`, who),
      world.say(FORMER, who),
    ])
    if (author !== BOT) older.push(world.say(`${MARKER}\nI can write that`, author))
    await writeComment(ready, world.run(token).context)
    const ours = world.hosted.comments.find(({ id }) => older.every(other => other.id !== id))!
    const copies = ['mallory', 'copycat[bot]'].map(who => world.say(ours.body, who))
    const before = structuredClone([...older, ...copies])
    for (const text of [building, ready, samples.closed]) await writeComment(text, world.run(token).context)
    const others = world.hosted.comments.filter(({ id }) => id !== ours.id)
    expect(others).toEqual(before)
    expect(titleOf(ours.body)).toBe('Preview')
  })

  it('a list that is older than what was written changes nothing', async () => {
    const world = await createWorld()
    const { context } = world.run(token)
    const match = { method: 'GET', path: /\/issues\/12\/comments/ }
    const lag = (body: unknown[]) => world.server.faults.add({ match, do: { status: 200, body }, times: 40 })
    lag([])
    await writeComment(building, context)
    await writeComment(ready, context)
    expect(world.all(), 'without what was made').toEqual([`${author}: Preview`])

    world.server.faults.clear()
    const { id, body } = world.hosted.comments.pop()!
    lag([{ id, body, html_url: 'https://github.com/', user: { login: author } }])
    await writeComment(building, context)
    expect(world.all(), 'with what is gone').toEqual([`${author}: Building`])
  })

  it('of two that its key wrote at once the first stays', async () => {
    const world = await createWorld()
    const [one, other] = [world.run(token), world.run(token)]
    // Both found none, and write.
    await one.github.createComment(12, headOf(KEY, APP_ID, { run: one.id }))
    await writeComment(building, other.context)
    expect(world.all()).toEqual([`${author}: Building`])
  })
})

describe('a comment of', () => {
  const taken = async (world: Awaited<ReturnType<typeof createWorld>>, token: Partial<TokenSeed> = {}) => {
    const count = world.hosted.comments.length
    for (let run = 0; run < 2; run++) await writeComment(ready, world.run(token).context)
    return world.hosted.comments.length === count
  }

  it('a former version of the action is taken over', async () => {
    const bot = await createWorld()
    bot.say(FORMER, BOT)
    expect(await taken(bot)).toBe(true)
    const person = await createWorld()
    person.say(FORMER, 'grace')
    expect(await taken(person, { login: 'grace', prefix: 'ghp_' })).toBe(true)
    const changed = await createWorld()
    changed.say(FORMER, BOT)
    expect(await taken(changed, { login: 'grace' }), 'from a workflow to a person').toBe(true)
  })

  it('another key (rotated, or for other channels) is taken over where the author is ours', async () => {
    const world = await createWorld()
    await writeComment(ready, world.run({}, { key: 'an-older-key' }).context)
    expect(await taken(world)).toBe(true)
    const app = await createWorld()
    await writeComment(ready, app.run({ login: 'our-app[bot]' }, { key: 'an-older-key' }).context)
    expect(await taken(app, { login: 'our-app[bot]' }), 'an author that is known once it has written').toBe(
      true,
    )
  })

  it('a former version is neither changed nor deleted where this key has one', async () => {
    const world = await createWorld()
    await writeComment(ready, world.run().context)
    const former = { ...world.say(FORMER, BOT) }
    await writeComment(building, world.run().context)
    expect(world.hosted.comments).toContainEqual(former)
    expect(world.all()).toEqual([`${BOT}: Building`, `${BOT}: Preview`])
  })

  it('another app keeps its section, byte for byte, whatever its key', async () => {
    const world = await createWorld()
    const other = 'com.example.shop.other'
    await writeComment({ ...ready, appId: other }, world.run({}, { key: 'of-another-app' }).context)
    const [comment] = world.hosted.comments
    const before = comment!.body
    const { context } = world.run()
    for (const text of [building, ready, samples.failed, samples.closed]) {
      await writeComment(text, context)
      expect(parseSections(comment!.body).map(({ appId }) => appId)).toEqual([APP_ID, other])
      expect(parseSections(comment!.body)[1]!.text).toBe(before.trimEnd())
    }
    expect(world.hosted.comments).toEqual([comment])
    expect(comment!.body).toContain('### 📱 2 previews: 1 ready, 1 removed')
    world.say(FORMER.replaceAll(APP_ID, 'com.evil'), 'mallory')
    expect(await findCommentedApps(12, context)).toEqual([APP_ID, other])
  })

  it('each app, of a former version, becomes a section of the oldest', async () => {
    const world = await createWorld()
    const others = ['com.example.a', 'com.example.z']
    for (const appId of others) {
      const { id } = world.say('x', BOT)
      const head = headOf(KEY, appId, { comment: id })
      world.hosted.comments.at(-1)!.body = `${head}### 📱 Preview ready: of ${appId}`
    }
    await writeComment(ready, world.run().context)
    expect(world.all()).toHaveLength(2)
    await writeComment({ ...ready, appId: 'com.example.z' }, world.run().context)
    expect(world.all()).toEqual([`${BOT}: 3`])
    const [comment] = world.hosted.comments
    expect(parseSections(comment!.body).map(({ appId }) => appId)).toEqual([
      'com.example.a',
      APP_ID,
      'com.example.z',
    ])
  })

  it('apps that want one each is one each, and becomes one for all again', async () => {
    const world = await createWorld()
    const write = async (appId: string, comment: CommentLayout) => {
      const { context } = world.run()
      await writeComment({ ...ready, appId }, { ...context, inputs: { ...context.inputs, comment } })
      return world.hosted.comments.map(({ body }) => parseSections(body).map(section => section.appId))
    }
    expect(await write('com.a', 'shared')).toEqual([['com.a']])
    expect(await write('com.b', 'shared')).toEqual([['com.a', 'com.b']])
    expect(await write('com.b', 'separate'), 'leaves').toEqual([['com.a'], ['com.b']])
    expect(await write('com.c', 'shared'), 'joins none that is separate').toEqual([
      ['com.a', 'com.c'],
      ['com.b'],
    ])
    expect(await write('com.a', 'separate')).toEqual([['com.c'], ['com.b'], ['com.a']])
    expect(await write('com.a', 'separate'), 'again').toEqual([['com.c'], ['com.b'], ['com.a']])
    expect(await write('com.a', 'shared'), 'comes back').toEqual([['com.a', 'com.c'], ['com.b']])
    expect(await write('com.b', 'shared')).toEqual([['com.a', 'com.b', 'com.c']])
  })

  it('a newer run stays, and that of an older one does not', async () => {
    const world = await createWorld()
    await writeComment(ready, world.run({}, { id: 300 }).context)
    await writeComment(building, world.run({}, { id: 299 }).context)
    expect(world.all()).toEqual([`${BOT}: Preview`])
    await writeComment(building, world.run({}, { id: 301 }).context)
    expect(world.all()).toEqual([`${BOT}: Building`])
  })

  it('ours that was edited on the website (its line ends change) is still ours, also for its testers', async () => {
    const world = await createWorld()
    const { context, github } = world.run()
    await writeComment({ ...ready, testers: samples.testers.testers }, context)
    const [comment] = world.hosted.comments
    comment!.body = comment!.body.replaceAll('\n', '\r\n')
    await updateTesterSection(
      { appId: APP_ID, pull: 12, testers: { rows: [], addPhone: null } },
      github,
      context,
    )
    expect(comment!.body).not.toContain('Pixel 9')
    await writeComment(building, context)
    expect(world.all()).toEqual([`${BOT}: Building`])
  })
})

it('a head tells nothing of the key, and another for each app, comment and key', () => {
  const head = (app: string, key: string, comment: number | null) => headOf(key, app, { comment })
  const one = head(APP_ID, KEY, 5)
  expect(one).toMatch(
    /^<!-- capgo-publish-action \S+ -->\n<!-- run 7\.1 -->\n<!-- key [0-9a-f]{32}\.[0-9a-f]{32} -->\n$/,
  )
  expect(readSection({ text: `${one}Text` })).toEqual({
    run: { id: 7, attempt: 1 },
    revision: 0,
    text: 'Text',
  })
  for (const text of [KEY, KEY.replaceAll('-', ''), createHmac('sha256', KEY).update('').digest('hex')])
    expect(one).not.toContain(text.slice(0, 12))
  const prove = (body: string, id = 5) => markOf(KEY).prove({ id, body })
  expect(
    [
      prove(one),
      prove(one, 6),
      prove(head(APP_ID, KEY, null)),
      prove(head(APP_ID, 'other', 5)),
      prove(one.replace(APP_ID, 'com.evil')),
      prove(FORMER),
      prove(`${MARKER}\nMine!\n${one}`),
    ].join(' '),
  ).toBe('sealed signed signed former former former marked')
})

describe('a run that ends without a preview', () => {
  const kept: PreviewComment = { ...building, state: 'kept', reason: 'A newer commit is served.' }

  it('has ended its own "building", and no one else\'s word', async () => {
    const world = await createWorld()
    await writeComment(ready, world.run().context)
    const mine = world.run()
    await writeComment(building, mine.context)
    await writeComment(kept, mine.context)
    const [comment] = world.hosted.comments
    expect(comment!.body).toContain('### 📱 Preview ready')
    expect(comment!.body).toContain('was not published. A newer commit is served.')
    expect(comment!.body).not.toContain('🔨')

    await writeComment(ready, mine.context)
    await writeComment(kept, mine.context)
    expect(comment!.body, 'it said already how it ended').toContain('1.4.1-pr.12.57.1')
    const newer = world.run()
    await writeComment(building, newer.context)
    await writeComment(kept, mine.context)
    expect(world.all(), "a newer run's").toEqual([`${BOT}: Building`])
    await writeComment({ ...kept, served: null }, newer.context)
    expect(comment!.body).toContain('### 💤 No preview yet')
  })

  it('makes no comment', async () => {
    const world = await createWorld()
    await writeComment(kept, world.run().context)
    expect(world.all()).toEqual([])
  })
})

describe("GitHub's own reason is said, once", () => {
  const lacking = (permission: string) => `lacks the permission "${permission}"`

  async function refused(
    prepare: (world: Awaited<ReturnType<typeof createWorld>>) => Partial<TokenSeed> | undefined,
  ) {
    const world = await createWorld()
    const { context, warnings } = world.run(prepare(world) ?? {})
    await writeComment(building, context)
    await writeComment(ready, context)
    await writeComment(samples.failed, context)
    return warnings
  }

  it('a locked conversation', async () => {
    expect(
      await refused(world => {
        world.hosted.pull(12).issue.locked = true
        return {}
      }),
    ).toEqual([
      'Could not write the comment: GitHub answered 403: Unable to create comment because issue is locked.',
    ])
  })

  it('an archived repository', async () => {
    expect(
      await refused(world => {
        world.hosted.isArchived = true
        return {}
      }),
    ).toEqual(['Could not write the comment: GitHub answered 403: Repository was archived so is read-only.'])
  })

  it('a limit of requests, single sign-on and a list of addresses', async () => {
    const says = (message: string) => (world: Awaited<ReturnType<typeof createWorld>>) => {
      world.server.faults.add({ match: {}, times: Infinity, do: { status: 403, body: { message } } })
      return {}
    }
    expect(
      await refused(world => {
        world.server.faults.add(primaryRateLimit({ match: {}, times: Infinity }))
        return {}
      }),
    ).toEqual([
      'Could not write the comment: GitHub answered 403: API rate limit exceeded for installation ID 12345678.',
    ])
    for (const message of [
      'You have exceeded a secondary rate limit and have been temporarily blocked from content creation',
      'Resource protected by organization SAML enforcement. You must grant your token access to this organization',
      'Although you appear to have the correct authorization credentials, the organization has an IP allow list enabled, and your IP address is not permitted to access this resource',
    ])
      expect(await refused(says(message))).toEqual([
        `Could not write the comment: GitHub answered 403: ${message}.`,
      ])
  })

  it('a permission that is missing, of a job and of a token', async () => {
    expect(await refused(() => ({ permissions: {} }))).toEqual([
      `Could not write the comment: the job's token ${lacking('pull-requests: write')}. Add it under "permissions:" of the job. GitHub says: Resource not accessible by integration.`,
    ])
    expect(await refused(() => ({ permissions: {}, login: 'grace' }))).toEqual([
      `Could not write the comment: the token in "github-token" ${lacking('pull-requests: write')}. Add it to the token. GitHub says: Resource not accessible by personal access token.`,
    ])
  })

  it('a page of a proxy is not quoted, and what passes is said for each thing that failed', async () => {
    const world = await createWorld()
    const { context, warnings } = world.run()
    world.server.faults.add({ match: {}, times: Infinity, do: { status: 502, body: '<html>Bad</html>' } })
    await writeComment(building, context)
    await writeComment(ready, context)
    await context.bestEffort('see it', 'pull-requests: write', github => github.readPull(12))
    expect(warnings).toEqual([
      'Could not write the comment: GitHub answered 502.',
      'Could not see it: GitHub answered 502.',
    ])
  })
})

describe('deployments', () => {
  const states = (world: Awaited<ReturnType<typeof createWorld>>) =>
    world.hosted.deployments.map(({ statuses }) => statuses.at(-1)?.state ?? 'none')

  it.each(['preview/pr-12', 'development'])('of others in %s stay as they are', async environment => {
    const world = await createWorld()
    const seed = async (github: ReturnType<typeof world.run>['github'], appId: string) => {
      const request = { appId, sha: git.head, environment, channel: 'pr-12', logUrl: 'https://example.com' }
      const id = await github.beginDeployment({ ...request, transient: false, production: false })
      await github.setDeploymentState(id!, 'success')
      return world.hosted.deployments.at(-1)!
    }
    const { github, context } = world.run()
    const person = await seed(github, APP_ID)
    Object.assign(person, { payload: { note: APP_ID }, description: 'by hand', creator: 'ada' })
    const text = await seed(github, APP_ID)
    Object.assign(text, { payload: 'capgo-publish-action', description: null })
    await seed(github, 'com.example.other')
    const former = await seed(github, APP_ID)
    former.payload = {}
    await seed(github, APP_ID)
    expect(states(world)).toEqual(Array(5).fill('success'))

    const kind = environment === 'development' ? 'branch' : 'preview'
    const target = { environment, commit: { sha: git.head }, purpose: { kind } } as const
    await withDeployment(target, { appId: APP_ID, channelName: 'pr-12' }, context, async () => ({
      outcome: 'published',
      channel: null as never,
    }))
    const others = ['success', 'success', 'success']
    expect(states(world)).toEqual([...others, 'inactive', 'inactive', 'success'])
    expect(await github.readDeployedApps(environment)).toEqual([APP_ID, 'com.example.other'])
    expect(await github.endDeployments(environment, APP_ID)).toBe(1)
    expect(states(world)).toEqual([...others, 'inactive', 'inactive', 'inactive'])
  })
})
