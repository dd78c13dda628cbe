/** Attacks on `operation: enroll`: by people, by runs at the same moment, and by runs that end half way. */
import { describe, expect, it } from 'vitest'
import { pullRequestEvent, scheduleEvent } from '../../local/runner/event.ts'
import type { ActionProcess } from '../../local/runner/runner.ts'
import {
  ADA,
  ask,
  BOB,
  branches,
  channelOf,
  close,
  commentsOn,
  createTeam,
  EVE,
  edit,
  FILE,
  fileOn,
  followUp,
  form,
  happen,
  merge,
  pulls,
} from './enrolment.ts'
import type { World, WorldOptions } from './scenario.ts'

const MEMBERS = { 'join-approve': 'members' }
const LEAVE = { 'Join or leave': 'Leave' }
/** The file with Eve's device in it. */
const withEve = (more = '') =>
  FILE.replace(' }\n]', ` },\n  { "device": "${EVE}", "github": "eve", "channel": "beta"${more} }\n]`)
const deviceOf = (number: number) => `${String(number).padStart(8, '0')}-0000-4000-8000-000000000000`
const openPulls = (world: World) => pulls(world).filter(({ state }) => state === 'open')
const stateOf = ({ hosted }: World, number = 45) => hosted.issues.get(number)!.state

/** The author changes the first post of an issue. */
function rewrite(world: World, body: string, number = 45) {
  world.hosted.issues.get(number)!.body = body
  return happen(world, 'edited', number)
}

const approvalOf = (commitSha: string) => ({
  id: 1,
  author: 'lead',
  state: 'APPROVED' as const,
  body: '',
  submittedAt: '2026-01-01T00:00:00Z',
  commitSha,
})

describe('nobody can', () => {
  it('show a lead another request than the branch has', async () => {
    const world = await createTeam({ files: { 'testers.json': FILE.replace('"bob"', '"eve"') } })
    await ask(world)
    await edit(world, { Name: 'Eve 2' })
    const { issue } = world.hosted.pull(46)
    expect(issue.body).toContain('Eve 2')
    await edit(world, { ...LEAVE, 'Device id': BOB })
    expect(issue.title).toBe('Remove a tester (#45)')
    expect(issue.body).not.toContain('Eve 2')
    // A lead's own words in the text stay when only the file is newer.
    issue.body += '\n\nCall her first.'
    world.repo.commit({ 'testers.json': FILE.replace('"bob"', '"eve"').replace('team', 'team of us') })
    await followUp(world)
    expect(fileOn(world, 'capgo/tester-45')).toContain('team of us')
    expect(issue.body).toContain('Call her first.')
  })

  it('have many requests open, by editing each into another text', async () => {
    const world = await createTeam()
    for (let number = 45; number < 55; number += 2) {
      await ask(world, { 'Device id': deviceOf(number) }, { number })
      await rewrite(world, 'Never mind.', number)
    }
    expect(openPulls(world)).toHaveLength(1)
  })

  it('have more requests in a day, by issues of last week that become other texts again', async () => {
    const world = await createTeam()
    const lastWeek = new Date(Date.now() - 7 * 86_400_000).toISOString().replace(/\.\d+/, '')
    for (let number = 100; number < 108; number++)
      world.hosted.addIssue({ number, author: 'eve', body: 'Hello' }).createdAt = lastWeek
    for (let number = 100; number < 108; number++) {
      await rewrite(world, form({}), number)
      await close(world, number)
      world.hosted.issues.get(number)!.body = 'Hello'
    }
    expect(pulls(world)).toHaveLength(5)
  })

  it('be answered for each of many forms with mistakes', async () => {
    const world = await createTeam()
    for (let number = 45; number < 55; number++) await ask(world, { 'Device id': 'x' }, { number })
    expect(world.hosted.comments).toHaveLength(3)
  })

  it('take a device that waits for a lead, by editing an older request', async () => {
    const world = await createTeam()
    await ask(world, { 'Device id': ADA }, { author: 'mallory' })
    await ask(world, {}, { number: 50 })
    const run = await edit(world, { 'Device id': EVE })
    expect(run.outputs.reason, run.visibleLog).toBe('#45 was refused: #50 is open already.')
    expect(fileOn(world, 'capgo/tester-45')).not.toContain(EVE)
    const own = await rewrite(world, form({ Name: 'Mine' }), 50)
    expect(own.outputs.reason, own.visibleLog).toBe('#50 waits for a review of pull request #51.')
  })

  it('keep others from their answers, with a hundred accounts, or use up the limit of requests', async () => {
    const world = await createTeam()
    for (let number = 100; number < 210; number++)
      world.hosted.addIssue({
        number,
        author: `mallory-${number}`,
        body: form({ 'Device id': deviceOf(number), Channel: 'x' }),
      })
    await ask(world, {}, { number: 300 })
    merge(world, 301)
    const requests = () => world.github.requests.length
    const before = requests()
    await followUp(world)
    expect(stateOf(world, 300)).toBe('closed')
    expect(requests() - before).toBeLessThan(700)
    const again = requests()
    await followUp(world)
    expect(requests() - again).toBeLessThan(350)
  })

  it('keep members waiting, with thirty accounts', async () => {
    const world = await createTeam({ inputs: MEMBERS })
    world.hosted.collaborators.add('eve')
    for (let number = 100; number < 130; number++) {
      world.hosted.addIssue({ number, author: `mallory-${number}`, body: form({}) })
      world.repo.git(['branch', `capgo/tester-${number}`, 'main'])
    }
    const run = await ask(world, { 'Device id': ADA }, { number: 300 })
    expect(run.outputs.outcome, run.visibleLog).toBe('enrolled')
  })

  it('have an edit pushed that is under way while a lead approves', async () => {
    const world = await createTeam()
    await ask(world)
    const head = world.repo.shaOf('capgo/tester-45')
    world.github.faults.add({
      match: { method: 'POST', path: /git\/commits$/ },
      at: 'after',
      do: () => {
        world.hosted.pull(46).pull.reviews.push(approvalOf(head))
      },
    })
    const run = await edit(world, { 'Device id': ADA })
    expect(run.outputs.reason, run.visibleLog).toBe('#45 was left alone: pull request #46 is in review.')
    expect(world.repo.shaOf('capgo/tester-45')).toBe(head)
    expect((await edit(world, {})).outputs.reason).toBe('#45 waits for a review of pull request #46.')
  })

  it('have an edit pushed that is under way while a lead merges', async () => {
    const world = await createTeam()
    await ask(world)
    world.github.faults.add({
      match: { method: 'POST', path: /git\/commits$/ },
      at: 'after',
      do: () => merge(world),
    })
    const run = await edit(world, { 'Device id': ADA })
    expect(run.outputs.reason, run.visibleLog).toBe('#45 waits for a review of pull request #47.')
    expect(fileOn(world, 'main')).toContain(EVE)
    expect(fileOn(world, 'main')).not.toContain(ADA)
    expect(fileOn(world, 'capgo/tester-45')).toContain(ADA)
  })

  it('be left in the file, where a lead merges while a run reads that the author takes it back', async () => {
    const world = await createTeam()
    await ask(world)
    world.github.faults.add({
      match: { method: 'GET', path: /contents\/testers\.json/ },
      at: 'after',
      do: () => merge(world),
    })
    const run = await edit(world, LEAVE)
    expect(run.outputs.reason, run.visibleLog).toBe('#45 waits for a review of pull request #47.')
    expect(world.hosted.pull(47).issue.title).toBe('Remove a tester (#45)')
    expect(fileOn(world, 'main')).toContain(EVE)
    merge(world, 47)
    expect((await followUp(world)).outputs.reason).toMatch(/^#45 left/)
  })

  it('freeze a request by a review, without the right to push', async () => {
    const world = await createTeam()
    await ask(world)
    world.hosted
      .pull(46)
      .pull.reviews.push({ ...approvalOf(world.repo.shaOf('capgo/tester-45')), author: 'mallory' })
    expect((await edit(world, { Name: 'Eve 2' })).outputs.outcome).toBe('proposed')
    expect(fileOn(world, 'capgo/tester-45')).toContain('Eve 2')
  })

  it.each(['labeled', 'reopened'] as const)(
    "have a member's event speak for a text that somebody else wrote: %s",
    async action => {
      const world = await createTeam({ inputs: MEMBERS })
      world.hosted.collaborators.add('eve')
      world.hosted.addIssue({ number: 45, author: 'eve', body: form({ 'Device id': ADA }) })
      const run = await happen(world, action)
      expect(run.outputs.outcome, run.visibleLog).toBe('proposed')
      expect(fileOn(world, 'main')).toBe(FILE.trim())
    },
  )

  it("have a preview published of a request, which would take the testers' phones", async () => {
    const world = await createTeam()
    await ask(world)
    const event = pullRequestEvent('opened', {
      number: 46,
      headRef: 'capgo/tester-45',
      headSha: world.repo.shaOf('capgo/tester-45'),
      baseSha: world.repo.shaOf('main'),
    })
    const inputs = { operation: 'auto', 'join-channels': '', 'assign-testers': 'all' }
    const run = await world.run(event, { inputs })
    expect(run.outputs, run.visibleLog).toMatchObject({
      outcome: 'skipped',
      reason: "#46 is a tester's request, so it gets no preview.",
    })
  })

  it.each([
    ['admin', 'admin', true],
    ['write', 'maintain', true],
    ['read', 'triage', false],
    ['none', 'none', false],
    [null, 'no account', false],
  ])('skip the review without the right to push: %s, as %s', async (permission, role, isMember) => {
    const world = await createTeam({ inputs: MEMBERS })
    world.github.faults.add({
      match: { path: /collaborators\/\w+\/permission/ },
      times: Infinity,
      do:
        permission === null
          ? { status: 404, body: { message: 'Not Found' } }
          : { status: 200, body: { permission, role_name: role, user: null } },
    })
    world.hosted.addIssue({ number: 45, author: 'eve', body: form({}) })
    for (const action of ['opened', 'edited', 'labeled', 'reopened'] as const)
      await happen(world, action, 45, { sender: 'lead' })
    await followUp(world)
    expect(fileOn(world, 'main')).toBe(FILE.trim())
    const own = await happen(world, 'edited')
    expect(own.outputs.outcome, own.visibleLog).toBe(isMember ? 'enrolled' : 'proposed')
    expect(fileOn(world, 'main').includes(EVE)).toBe(isMember)
  })
})

it('of two apps, each answers the requests with its own label alone', async () => {
  const world = await createTeam({ files: { 'web/testers.json': '[]\n', 'ios/testers.json': '[]\n' } })
  const of = (app: string) => ({
    inputs: { 'join-label': `Tester-${app}`, 'testers-file': `${app}/testers.json` },
  })
  world.hosted.addIssue({ number: 45, author: 'eve', body: form({}), labels: ['tester-ios'] })
  const own = await happen(world, 'opened', 45, { run: of('ios') })
  expect(own.outputs.outcome, own.visibleLog).toBe('proposed')
  const requests = world.github.requests.length
  const other = await world.run(scheduleEvent({ sha: world.repo.shaOf('main') }), of('web'))
  expect(other.outputs.outcome, other.visibleLog).toBe('unchanged')
  expect(world.github.requests.slice(requests).filter(({ method }) => method !== 'GET')).toEqual([])
})

describe('a request is answered', () => {
  it('where a rule keeps the branches of those before', async () => {
    const world = await createTeam()
    world.hosted.keepsBranches = true
    for (let number = 100; number < 210; number++) {
      world.hosted.addIssue({ number, author: `former-${number}`, body: form({}) })
      world.hosted.closeIssue(number)
      world.repo.git(['branch', `capgo/tester-${number}`, 'main'])
    }
    const run = await ask(world, {}, { number: 300 })
    expect(run.outputs.outcome, run.visibleLog).toBe('proposed')
    merge(world, 301)
    await followUp(world)
    expect(stateOf(world, 300)).toBe('closed')
  })

  it.each([
    ['deleted', { status: 410, body: { message: 'This issue was deleted' } }],
    [
      'in another repository',
      {
        status: 200,
        body: {
          number: 7,
          repository_url: 'https://api.github.com/repos/octo-org/other',
          state: 'open',
          labels: [],
          created_at: '2026-01-01T00:00:00Z',
        },
      },
    ],
  ])('where the issue of another one is %s', async (_what, answer) => {
    const world = await createTeam()
    await ask(world)
    await ask(world, { 'Device id': ADA }, { number: 50, author: 'ada' })
    world.hosted.issues.delete(45)
    world.github.faults.add({ match: { path: /issues\/45(\/|$)/ }, do: answer, times: Infinity })
    merge(world, 51)
    const run = await followUp(world)
    expect(run.exitCode, run.visibleLog).toBe(0)
    expect(stateOf(world, 50)).toBe('closed')
    expect(openPulls(world).map(({ number }) => number)).toEqual([46])
  })

  it('where the issue of another one is locked', async () => {
    const world = await createTeam()
    await ask(world)
    world.hosted.addIssue({ number: 60, author: 'mo', body: form({ 'Device id': ADA }) }).locked = true
    merge(world)
    const run = await followUp(world)
    expect(run.exitCode, run.visibleLog).toBe(0)
    expect((await happen(world, 'edited', 60)).outputs.reason).toBe('#60 is locked.')
  })

  it('as it was edited while a run answered others', async () => {
    const world = await createTeam()
    await ask(world)
    await ask(world, { 'Device id': ADA, Name: 'Ada' }, { number: 50, author: 'ada' })
    merge(world, 51)
    world.capgo.faults.add({
      match: { method: 'POST', path: '/device' },
      do: async () => {
        await edit(world, { Name: 'Eve 2' })
      },
    })
    const run = await followUp(world)
    expect(run.outputs.reason, run.visibleLog).toContain('#45 waits for a review of pull request #46.')
    expect(fileOn(world, 'capgo/tester-45')).toContain('Eve 2')
  })

  it('when runs change its branch at the same moment', async () => {
    const world = await createTeam()
    await ask(world)
    for (let round = 2; round < 6; round++) {
      const name = `Eve ${round}`
      world.hosted.issues.get(45)!.body = form({ Name: name })
      // Others merge meanwhile, so that schedules change the branch too.
      world.repo.commit({ 'testers.json': FILE.replace('Bob', `Bob ${round}`) })
      await Promise.all([followUp(world), happen(world, 'edited'), followUp(world), happen(world, 'labeled')])
      await followUp(world)
      expect(fileOn(world, 'capgo/tester-45'), name).toContain(name)
      expect(fileOn(world, 'capgo/tester-45')).toContain(`Bob ${round}`)
      expect(commentsOn(world)).toHaveLength(1)
      expect(commentsOn(world)[0]).toContain('Pull request #46 adds')
    }
    expect(pulls(world)).toHaveLength(1)
  })

  it.each([
    ['is opened', async () => {}, (world: World) => [happen(world, 'opened'), followUp(world)]],
    [
      'is merged, closed and edited',
      async (world: World) => {
        await happen(world, 'opened')
        merge(world)
        world.hosted.closeIssue(45, 'lead')
      },
      (world: World) => [
        followUp(world),
        happen(world, 'closed', 45, { sender: 'lead' }),
        happen(world, 'edited'),
        followUp(world),
      ],
    ],
  ])('once, by runs at the same moment, where it %s', async (_what, before, runs) => {
    const world = await createTeam()
    world.hosted.addIssue({ number: 45, author: 'eve', body: form({}) })
    await before(world)
    for (const run of await Promise.all(runs(world))) expect(run.exitCode, run.visibleLog).toBe(0)
    expect(commentsOn(world)).toHaveLength(1)
    expect(pulls(world)).toHaveLength(1)
    const isOpen = stateOf(world) === 'open'
    const [name] = /Eve.*/.exec(world.hosted.issues.get(45)!.body!)!
    expect(fileOn(world, isOpen ? 'capgo/tester-45' : 'main')).toContain(`"name": "${name}"`)
    expect(commentsOn(world)[0]).toContain(isOpen ? 'Pull request #46 adds' : 'You are a tester')
  })

  it('as merged, where a lead merges while a run reads', async () => {
    const world = await createTeam()
    await ask(world)
    world.github.faults.add({
      match: { method: 'GET', path: /issues\/45\/comments/ },
      do: () => merge(world),
    })
    const run = await followUp(world)
    expect(run.outputs.reason, run.visibleLog).toBe('#45 joined: device e5e00000… is a tester.')
  })

  it('as merged, where the run of its last edit ended before it said so', async () => {
    const world = await createTeam()
    await ask(world, { 'Device id': ADA })
    world.github.faults.add({ match: { method: 'PATCH', path: /comments/ }, do: 'drop', times: 3 })
    await edit(world, {})
    world.github.faults.clear()
    merge(world)
    const run = await followUp(world)
    expect(run.outputs.reason, run.visibleLog).toBe('#45 joined: device e5e00000… is a tester.')
  })

  it('once, of a member whose runs do the same at the same moment', async () => {
    const world = await createTeam({ inputs: MEMBERS })
    world.hosted.collaborators.add('eve')
    for (const [number, answers] of [
      [45, {}],
      [50, LEAVE],
    ] as const) {
      world.hosted.addIssue({ number, author: 'eve', body: form(answers) })
      await Promise.all([happen(world, 'opened', number), happen(world, 'edited', number)])
      expect(fileOn(world, 'main').includes(EVE)).toBe(number === 45)
      expect(commentsOn(world, number)).toHaveLength(1)
      expect(stateOf(world, number)).toBe('closed')
    }
    expect(pulls(world)).toEqual([])
    expect(branches(world)).toEqual(['main'])
  })

  it('anew, where a lead opens it again and it has a mistake', async () => {
    const world = await createTeam()
    await ask(world)
    await close(world, 45, 'lead')
    world.hosted.issues.get(45)!.state = 'open'
    world.hosted.issues.get(45)!.body = form({ Channel: 'x' })
    const wrong = await happen(world, 'reopened', 45, { sender: 'lead' })
    expect(wrong.outputs.reason, wrong.visibleLog).toContain('#45 was refused')
    const right = await edit(world, { Channel: 'beta' })
    expect(right.outputs.reason, right.visibleLog).toBe('#45 waits for a review of pull request #47.')
  })

  it.each([
    ['closing of the issue', { method: 'PATCH', path: /issues\/45$/ }],
    ['deletion of the branch', { method: 'POST', path: /graphql/ }],
  ])('for good, also where the %s fails', async (_what, match) => {
    const world = await createTeam()
    await ask(world)
    world.hosted.closePull(46)
    // The next run has only the rest to do.
    for (let runs = 0; runs < 2; runs++) {
      world.github.faults.add({ match, do: { status: 422, body: { message: 'No' } } })
      await followUp(world)
      expect(commentsOn(world)[0]).toContain('A lead declined this request')
    }
    world.github.faults.clear()
    await followUp(world)
    expect(stateOf(world)).toBe('closed')
    expect(branches(world)).toEqual(['main'])
  })

  it('for good, also where the closing of the issue of a member fails', async () => {
    const world = await createTeam({ inputs: MEMBERS })
    world.hosted.collaborators.add('eve')
    world.github.faults.add({
      match: { method: 'PATCH', path: /issues\/45$/ },
      at: 'after',
      do: { status: 422, body: { message: 'No' } },
    })
    const run = await ask(world)
    expect(run.exitCode, run.visibleLog).toBe(1)
    expect(commentsOn(world)[0]).toContain('You are a tester')
  })

  it('of a member when the device is on its channel, not before', async () => {
    const world = await createTeam({ inputs: MEMBERS })
    world.hosted.collaborators.add('eve')
    const { faults } = world.github
    faults.add({
      match: { method: 'PATCH', path: /heads/ },
      at: 'after',
      do: () =>
        faults.add({
          match: { method: 'GET', path: /contents\/testers.json/ },
          do: { status: 500, body: { message: '' } },
          times: 3,
        }),
    })
    const run = await ask(world, { Channel: 'beta' })
    expect(run.exitCode, run.visibleLog).toBe(1)
    expect(commentsOn(world)[0]).toContain('A lead must look at this')
    await followUp(world)
    expect(channelOf(world, EVE)).toBe('beta')
    expect(commentsOn(world)[0]).toContain('is on channel <code>beta</code>')
  })

  it.each(['merged', 'closed'])('where the issue of another one is %s and locked', async end => {
    const world = await createTeam()
    await ask(world)
    world.hosted.issues.get(45)!.locked = true
    const [{ id } = { id: 0 }] = world.hosted.commentsOf(45)
    const message = 'Unable to create comment because issue is locked.'
    world.github.faults.add({
      match: { path: new RegExp(`comments/${id}$`) },
      do: { status: 403, body: { message } },
      times: Infinity,
    })
    if (end === 'merged') merge(world)
    else world.hosted.closeIssue(45, 'lead')
    await ask(world, { 'Device id': ADA, Name: 'Ada' }, { number: 50, author: 'ada' })
    merge(world, 51)
    const run = await followUp(world)
    expect(run.exitCode, run.visibleLog).toBe(0)
    expect([45, 50].map(number => stateOf(world, number))).toEqual(['closed', 'closed'])
    expect(branches(world)).toEqual(['main'])
  })

  it('while Capgo refuses what another one needs', async () => {
    const world = await createTeam()
    await ask(world)
    merge(world)
    world.hosted.addIssue({ number: 50, author: 'ada', body: form({ 'Device id': ADA }) })
    world.capgo.faults.add({
      match: { path: /channel_devices/ },
      do: { status: 400, body: { message: 'No' } },
      times: Infinity,
    })
    const run = await followUp(world)
    expect(run.exitCode, run.visibleLog).toBe(1)
    expect(commentsOn(world)[0]).toContain('A lead must look at this')
    expect(commentsOn(world, 50)[0]).toContain('Pull request #51 adds')
    world.capgo.faults.clear()
    expect((await followUp(world)).outputs.reason).toContain('#45 joined')
  })

  it('of somebody whose last day is over', async () => {
    const files = { 'testers.json': withEve(', "until": "2020-01-01"') }
    const world = await createTeam({ files, inputs: { 'join-days': '30' } })
    const run = await ask(world, { Name: '_No response_' })
    expect(run.outputs.outcome, run.visibleLog).toBe('proposed')
    expect(fileOn(world, 'capgo/tester-45')).not.toContain('2020-01-01')
    const other = await createTeam({ files })
    const refused = await ask(other, { Name: '_No response_' })
    expect(refused.outputs.reason, refused.visibleLog).toBe(
      '#45 was refused: The last day was 2020-01-01. Ask a lead for another one.',
    )
  })

  it('of somebody whose account has another name now', async () => {
    const world = await createTeam()
    await ask(world)
    const issue = world.hosted.issues.get(45)!
    issue.author = 'eve-2'
    await edit(world, { Name: 'Eve 2' })
    expect(fileOn(world, 'capgo/tester-45')).toContain('"github": "eve-2"')
    issue.author = 'eve-3'
    merge(world)
    await followUp(world)
    expect(stateOf(world)).toBe('closed')
  })

  it('merged by squash as a lead corrected it, with its branch deleted', async () => {
    const world = await createTeam()
    await ask(world)
    world.repo.commit({ 'testers.json': withEve(', "name": "Ms Eve"') })
    world.hosted.closePull(46, { merged: true })
    world.repo.git(['branch', '-D', 'capgo/tester-45'])
    const run = await followUp(world)
    expect(run.outputs.reason, run.visibleLog).toContain('#45 joined')
    expect(pulls(world)).toHaveLength(1)
  })

  it('on a default branch that was forced to another history', async () => {
    const world = await createTeam()
    await ask(world)
    world.repo.git(['checkout', '--quiet', '--orphan', 'other'])
    world.repo.commit({ 'testers.json': '[]\n' })
    world.repo.git(['branch', '--force', 'main', 'other'])
    world.repo.checkout('main')
    const run = await followUp(world)
    expect(run.outputs.reason, run.visibleLog).toBe('#45 waits for a review of pull request #46.')
    expect(fileOn(world, 'capgo/tester-45')).not.toContain(BOB)
    expect(world.repo.git(['diff', '--name-only', 'main...capgo/tester-45'])).toBe('testers.json')
  })
})

describe('of the testers file', () => {
  it('groups at its top stay where they are', async () => {
    const text = `{\n  "testers": [{ "device": "${EVE}", "github": "eve" }],\n  "groups": { "qa": ["${EVE}"] }\n}\n`
    const world = await createTeam({ files: { 'testers.json': text } })
    await ask(world, { Name: 'Eve' })
    expect(fileOn(world, 'capgo/tester-45')).toBe(
      text.replace('"github": "eve"', '"github": "eve", "name": "Eve"').trim(),
    )
  })

  it('line ends stay as they are', async () => {
    const world = await createTeam({ files: { 'testers.json': FILE.replaceAll('\n', '\r\n') } })
    await ask(world)
    expect(world.repo.git(['diff', '--numstat', 'main...capgo/tester-45'])).toBe('2\t1\ttesters.json')
  })

  it('bytes that are not UTF-8 are not written anew', async () => {
    const world = await createTeam({ inputs: MEMBERS })
    world.hosted.collaborators.add('eve')
    const text = Buffer.from(FILE.replace('"Bob"', '"J\u00fcrgen"'), 'latin1')
    world.repo.commit({ 'testers.json': text as unknown as string })
    const run = await ask(world)
    expect(run.outputs['error-code'], run.visibleLog).toBe('testers_file_invalid')
    expect(run.visibleLog).toContain('testers.json has bytes that are not UTF-8.')
    expect(branches(world)).toEqual(['main'])
  })
})

describe('a dry run writes nothing about a request that', () => {
  const opened = (world: World, answers: Record<string, string> = {}, author = 'eve') =>
    world.hosted.addIssue({ number: 45, author, body: form(answers) })
  const edited = async (world: World, answers: Record<string, string>) => {
    await ask(world)
    world.hosted.issues.get(45)!.body = form(answers)
  }
  const states: Readonly<Record<string, (world: World) => unknown>> = {
    'is new': opened,
    waits: world => ask(world),
    'was edited': world => edited(world, { Name: 'Eve 2' }),
    'is taken back': world => edited(world, LEAVE),
    'is in review': async world => {
      await edited(world, { Name: 'Eve 2' })
      world.hosted.pull(46).pull.mergesItself = true
    },
    'has a branch that somebody changed': async world => {
      await edited(world, { Name: 'Eve 2' })
      world.repo.checkout('capgo/tester-45')
      world.repo.commit({ 'testers.json': '[]' })
      world.repo.checkout('main')
    },
    'is merged': async world => {
      await ask(world)
      merge(world)
    },
    'its author closed': async world => {
      await ask(world)
      world.hosted.closeIssue(45, 'eve')
    },
    'a lead closed': async world => {
      await ask(world)
      world.hosted.closeIssue(45, 'lead')
    },
    'a lead declined': async world => {
      await ask(world)
      world.hosted.closePull(46)
    },
    'was answered, and is open again': async world => {
      await ask(world)
      world.hosted.closePull(46)
      await followUp(world)
      world.hosted.issues.get(45)!.state = 'open'
    },
    'is refused': world => opened(world, { Channel: 'x' }),
    'has mistakes': world => opened(world, { 'Device id': 'x' }),
    'is a second one': async world => {
      await ask(world, {}, { number: 40 })
      opened(world)
    },
    'is fulfilled': world => opened(world, { 'Device id': BOB, Name: '_No response_' }, 'bob'),
    'is to leave': world => opened(world, { ...LEAVE, 'Device id': BOB }, 'bob'),
    'meets a broken file': world => {
      world.repo.commit({ 'testers.json': '[{' })
      opened(world)
    },
  }
  it.each(Object.keys(states))('%s', async state => {
    const world = await createTeam({ inputs: MEMBERS })
    await states[state]!(world)
    world.hosted.collaborators.add('eve').add('bob')
    const before = [world.github.requests.length, world.capgo.requests.length]
    const run = { inputs: { 'dry-run': 'true' } }
    for (const action of ['opened', 'edited', 'labeled', 'closed', 'reopened'] as const) {
      await happen(world, action, 45, { run })
      await happen(world, action, 45, { run, sender: 'lead' })
    }
    await world.run(scheduleEvent({ sha: world.repo.shaOf('main') }), run)
    const written = [world.github, world.capgo].flatMap(({ requests }, index) =>
      requests.slice(before[index]).filter(({ method }) => method !== 'GET'),
    )
    expect(written.filter(({ path }) => !path.includes('/rpc/'))).toEqual([])
  })
})

describe('a run that is killed at any of its writes is finished by the next ones:', () => {
  interface Flow extends WorldOptions {
    readonly before: (world: World) => unknown
    readonly run: (world: World) => Promise<unknown>
    /** An event of the issue that comes later. */
    readonly later?: 'edited' | 'labeled'
  }
  const opened = (world: World, answers: Record<string, string>) => {
    world.hosted.collaborators.add('eve')
    world.hosted.addIssue({ number: 45, author: 'eve', body: form(answers) })
  }
  const edited = (answers: Record<string, string>) => async (world: World) => {
    await ask(world)
    world.hosted.issues.get(45)!.body = form(answers)
  }
  const merged = (answers: Record<string, string>) => async (world: World) => {
    await ask(world, answers)
    merge(world)
  }
  const closed = (by: string) => async (world: World) => {
    await ask(world)
    world.hosted.closeIssue(45, by)
  }
  const on = (action: Parameters<typeof happen>[1], sender?: string) => (world: World) =>
    happen(world, action, 45, sender === undefined ? {} : { sender })
  const flows: Readonly<Record<string, Flow>> = {
    'somebody asks': { before: world => opened(world, {}), run: on('opened') },
    'somebody edits': { before: edited({ Name: 'Eve 2' }), run: on('edited'), later: 'edited' },
    'somebody takes it back': { before: edited(LEAVE), run: on('edited'), later: 'labeled' },
    'a lead merges': { before: merged({ Channel: 'beta' }), run: followUp },
    'a lead merges that somebody leaves': {
      files: { 'testers.json': withEve() },
      before: merged(LEAVE),
      run: followUp,
    },
    'the author closes': { before: closed('eve'), run: on('closed') },
    'a lead closes': { before: closed('lead'), run: on('closed', 'lead') },
    'a lead declines': {
      before: async world => {
        await ask(world)
        world.hosted.closePull(46)
      },
      run: followUp,
    },
    'a member joins': {
      inputs: MEMBERS,
      before: world => opened(world, { Channel: 'beta' }),
      run: on('opened'),
      later: 'edited',
    },
    'a member leaves': {
      inputs: MEMBERS,
      files: { 'testers.json': withEve() },
      before: world => opened(world, LEAVE),
      run: on('opened'),
      later: 'edited',
    },
  }

  /** What people see in the end. */
  async function finish(world: World, { later }: Flow) {
    if (later !== undefined) await happen(world, later)
    await followUp(world)
    await followUp(world)
    const timeless = (text: string | null) =>
      (text ?? '').replace(/<!--.*?-->/gs, '').replace(/last seen .*/, '')
    return {
      issue: stateOf(world),
      pulls: pulls(world).map(({ number, state, title, body }) => [number, state, title, timeless(body)]),
      files: branches(world).map(branch => [branch, fileOn(world, branch)]),
      comments: commentsOn(world).map(timeless),
      channel: channelOf(world, EVE),
    }
  }

  it.each(Object.keys(flows))('%s', async name => {
    const flow = flows[name]!
    const begin = async () => {
      const world = await createTeam(flow)
      await flow.before(world)
      return world
    }
    const world = await begin()
    const seen = world.github.requests.length
    await flow.run(world)
    const written = world.github.requests.slice(seen).filter(({ method }) => method !== 'GET')
    const expected = await finish(world, flow)
    expect(written.length).toBeGreaterThan(1)
    // Before a write the world is as after the one before.
    const last = written.length - 1
    // The first, the middle and the last one; KILLS=all tries every write.
    const tried = process.env.KILLS === 'all' ? [...written.keys()] : [0, Math.ceil(last / 2), last]
    // Before a write the world is as after the one before.
    const kills = [...new Set(tried)].flatMap(index =>
      (index === 0 ? (['before', 'after'] as const) : (['after'] as const)).map(at => ({ index, at })),
    )
    for (const { index, at } of kills) {
      const { method, path } = written[index]!
      const other = await begin()
      const nth = written.slice(0, index + 1).filter(each => each.method === method).length
      const { faults } = other.github
      let run: Promise<unknown> | null = null
      faults.add({ match: { method, nth }, at, do: () => (run as ActionProcess).kill('SIGKILL') })
      faults.add({ match: { method, nth }, at, do: 'drop' })
      run = flow.run(other)
      await run
      faults.clear()
      expect(await finish(other, flow), `killed ${at} ${method} ${path}`).toEqual(expected)
    }
  })
})
