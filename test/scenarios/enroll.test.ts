import { describe, expect, it } from 'vitest'
import { scheduleEvent } from '../../local/runner/event.ts'
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
  PERMISSIONS,
  pulls,
  timeless,
} from './enrolment.ts'
import { APP_ID } from './scenario.ts'

describe('a tester joins', () => {
  it('by a pull request that a lead merges', async () => {
    const world = await createTeam({ inputs: { operation: 'enroll' } })
    const asked = await ask(world, { Channel: 'beta' })
    expect(asked.outputs, asked.visibleLog).toMatchObject({
      outcome: 'proposed',
      'comment-url': /#issuecomment-/,
    })
    expect(branches(world)).toEqual(['capgo/tester-45', 'main'])
    expect(fileOn(world, 'capgo/tester-45')).toBe(
      FILE.replace(
        ' }\n]',
        ` },\n  { "device": "${EVE}", "name": "Eve's phone", "github": "eve", "channel": "beta" }\n]`,
      ).trim(),
    )
    const { issue } = world.hosted.pull(46)
    expect(issue.title).toBe('Add a tester (#45)')
    expect(timeless(issue.body!)).toMatchSnapshot()
    expect(commentsOn(world)).toMatchSnapshot()

    const early = await followUp(world)
    expect(early.outputs, early.visibleLog).toMatchObject({ outcome: 'proposed' })
    expect(world.hosted.issues.get(45)!.state).toBe('open')
    expect(channelOf(world, EVE)).toBeUndefined()

    merge(world)
    const merged = await followUp(world)
    expect(merged.outputs, merged.visibleLog).toMatchObject({ outcome: 'enrolled', 'error-code': '' })
    expect(JSON.parse(merged.outputs.testers!)).toMatchObject({ assigned: 2 })
    expect(channelOf(world, EVE)).toBe('beta')
    expect(world.hosted.issues.get(45)!.state).toBe('closed')
    expect(commentsOn(world)).toMatchSnapshot()

    const requests = world.github.requests.length
    const quiet = await followUp(world)
    expect(quiet.outputs.outcome).toBe('unchanged')
    expect(world.github.requests.slice(requests).filter(({ method }) => method !== 'GET')).toEqual([])
  })

  it('without a review where the workflow trusts members, for a device of their own', async () => {
    const world = await createTeam({
      inputs: { 'join-approve': 'members', 'join-days': '30', 'join-groups': 'qa' },
    })
    world.hosted.collaborators.add('eve')
    const run = await ask(world, { Channel: 'beta', Group: 'qa' })
    expect(run.outputs, run.visibleLog).toMatchObject({ outcome: 'enrolled' })
    expect(branches(world)).toEqual(['main'])
    expect(fileOn(world, 'main')).toContain(
      `"github": "eve", "groups": ["qa"], "channel": "beta", "until": "`,
    )
    expect(world.repo.git(['log', '-1', '--format=%s', 'main'])).toBe('Add a tester (#45)')
    expect(channelOf(world, EVE)).toBe('beta')
    expect(world.hosted.issues.get(45)!.state).toBe('closed')

    // Another's device: a member is no lead.
    const other = await ask(world, { 'Device id': BOB, Channel: 'beta' }, { number: 50 })
    expect(other.outputs.outcome, other.visibleLog).toBe('refused')
    expect(commentsOn(world, 50)[0]).toContain('is in the testers file already, and not as yours')
    world.hosted.closeIssue(50)

    const leave = await ask(world, { 'Join or leave': 'Leave' }, { number: 51 })
    expect(leave.outputs.outcome, leave.visibleLog).toBe('enrolled')
    expect(fileOn(world, 'main')).toBe(FILE.trim())
    expect(channelOf(world, EVE)).toBeUndefined()
    expect(commentsOn(world, 51)).toMatchSnapshot()
  })

  it('is proposed where a rule keeps everybody from pushing to the default branch', async () => {
    const world = await createTeam({ inputs: { 'join-approve': 'members' } })
    world.hosted.collaborators.add('eve')
    world.hosted.protectsDefaultBranch = true
    const run = await ask(world)
    expect(run.outputs.outcome, run.visibleLog).toBe('proposed')
    expect(fileOn(world, 'main')).toBe(FILE.trim())
    expect(pulls(world).map(({ number }) => number)).toEqual([46])
  })

  it('with a link where GitHub Actions cannot open pull requests', async () => {
    const world = await createTeam()
    world.hosted.letsActionsOpenPulls = false
    const run = await ask(world)
    expect(run.exitCode, run.visibleLog).toBe(0)
    expect(commentsOn(world)).toMatchSnapshot()
    // A person opens it.
    await world.hosted.addPull({ number: 46, head: { ref: 'capgo/tester-45' }, base: { ref: 'main' } })
    await followUp(world)
    expect(commentsOn(world)[0]).toContain('Pull request #46 adds')
    merge(world)
    await followUp(world)
    expect(world.hosted.issues.get(45)!.state).toBe('closed')
  })

  it('with a key for previews, and another one for devices', async () => {
    const world = await createTeam({ role: 'app_preview', inputs: { 'join-approve': 'members' } })
    world.hosted.collaborators.add('eve')
    const devices = world.capgo.seedKey({ appId: APP_ID, role: 'app_developer' })
    world.hosted.addIssue({ number: 45, author: 'eve', body: form({ Channel: 'beta' }) })
    const run = await happen(world, 'opened', 45, { run: { inputs: { 'devices-token': devices } } })
    expect(run.outputs.outcome, run.visibleLog).toBe('enrolled')
    expect(channelOf(world, EVE)).toBe('beta')
  })

  it('where there is no testers file yet', async () => {
    const world = await createTeam({ files: { 'testers.json': null } })
    await ask(world, { Name: '_No response_' })
    expect(fileOn(world, 'capgo/tester-45')).toBe(`[\n  { "device": "${EVE}", "github": "eve" }\n]`)
  })

  it('without a review, and hears that Capgo has never seen the device', async () => {
    const world = await createTeam({ inputs: { 'join-approve': 'members' } })
    world.hosted.collaborators.add('eve')
    await ask(world, { 'Device id': ADA, Channel: 'beta' })
    expect(commentsOn(world)[0]).toContain('You are a tester')
    expect(commentsOn(world)[0]).toContain('Capgo has never seen this device')
  })

  it('or hears that Capgo has never seen the device', async () => {
    const world = await createTeam()
    await ask(world, { 'Device id': ADA })
    expect(commentsOn(world)[0]).toContain('Capgo has never seen this device')
  })

  it('or hears that a lead declined, and is not asked again', async () => {
    const world = await createTeam()
    await ask(world, { Channel: 'beta' })
    world.hosted.closePull(46)
    await followUp(world)
    expect(world.hosted.issues.get(45)!.state).toBe('closed')
    expect(commentsOn(world)[0]).toContain('A lead declined this request')
    expect(fileOn(world, 'main')).toBe(FILE.trim())

    // The author alone brings no other pull request; a lead does.
    world.hosted.issues.get(45)!.state = 'open'
    await happen(world, 'reopened')
    expect(pulls(world)).toHaveLength(1)
    expect(world.hosted.issues.get(45)!.state).toBe('closed')
    world.hosted.issues.get(45)!.state = 'open'
    const again = await happen(world, 'reopened', 45, { sender: 'lead' })
    expect(again.outputs.reason, again.visibleLog).toBe('#45 waits for a review of pull request #47.')
    merge(world, 47)
    await followUp(world)
    expect(channelOf(world, EVE)).toBe('beta')

    // Removed later, and asked for again.
    world.repo.commit({ 'testers.json': FILE })
    world.hosted.issues.get(45)!.state = 'open'
    const third = await happen(world, 'reopened', 45, { sender: 'lead' })
    expect(third.outputs.reason, third.visibleLog).toBe('#45 waits for a review of pull request #48.')
  })

  it('or hears what keeps the device from its channel, until that is put right', async () => {
    const world = await createTeam({ inputs: { 'join-channels': 'alpha' } })
    await ask(world, { Channel: 'alpha' })
    merge(world)
    const run = await followUp(world)
    expect(run.exitCode).toBe(1)
    expect(commentsOn(world)[0]).toContain('Channel "alpha" does not exist')
    expect(world.hosted.issues.get(45)!.state).toBe('open')
    world.capgo.seedChannel({ appId: APP_ID, name: 'alpha' })
    await followUp(world)
    expect(channelOf(world, EVE)).toBe('alpha')
    expect(world.hosted.issues.get(45)!.state).toBe('closed')
  })

  it('and the second of two has no conflict when the first is merged', async () => {
    const world = await createTeam()
    await ask(world)
    await ask(world, { 'Device id': ADA, Name: 'Ada' }, { number: 50, author: 'ada' })
    merge(world, 46)
    await followUp(world)
    expect(() => merge(world, 51)).not.toThrow()
    await followUp(world)
    const text = fileOn(world, 'main')
    expect(text).toContain(EVE)
    expect(text).toContain(ADA)
    expect([45, 50].map(number => world.hosted.issues.get(number)!.state)).toEqual(['closed', 'closed'])
  })

  it('or takes it back, by closing the issue or by an edit', async () => {
    const world = await createTeam()
    await ask(world)
    const run = await edit(world, { 'Join or leave': 'Leave' })
    expect(run.outputs, run.visibleLog).toMatchObject({ outcome: 'enrolled', reason: '#45 was withdrawn.' })
    expect(world.hosted.issues.get(45)!.state).toBe('closed')
    expect(world.hosted.issues.get(46)!.state).toBe('closed')
    expect(branches(world)).toEqual(['main'])

    // A lead closes the next one.
    await ask(world, {}, { number: 50 })
    const declined = await close(world, 50, 'lead')
    expect(declined.outputs.reason, declined.visibleLog).toBe('#50 was declined.')
    expect(world.hosted.issues.get(51)!.state).toBe('closed')

    // Closed by a lead who has merged it.
    await ask(world, {}, { number: 60 })
    merge(world, 61)
    const done = await close(world, 60, 'lead')
    expect(done.outputs.outcome, done.visibleLog).toBe('enrolled')
    expect(channelOf(world, EVE)).toBeUndefined()
    expect(commentsOn(world, 60)[0]).toContain('You are a tester')
    expect(branches(world)).toEqual(['main'])
  })

  it('also where runs were missed: the schedule reads what nobody answered, and ends what was closed', async () => {
    const world = await createTeam()
    world.hosted.addIssue({ number: 45, author: 'eve', body: form({}) })
    const run = await followUp(world)
    expect(run.outputs.reason, run.visibleLog).toBe('#45 waits for a review of pull request #46.')
    world.hosted.closeIssue(45, 'eve')
    const ended = await followUp(world)
    expect(ended.outputs.reason, ended.visibleLog).toBe('#45 was withdrawn.')
    expect(branches(world)).toEqual(['main'])
    expect((await followUp(world)).outputs.outcome).toBe('unchanged')
  })

  it('while another request fails', async () => {
    const world = await createTeam()
    await ask(world)
    await ask(world, { 'Device id': ADA, Name: 'Ada' }, { number: 50, author: 'ada' })
    world.hosted.addIssue({ number: 60, author: 'mo', body: form({ 'Device id': BOB }) })
    merge(world, 51)
    for (const number of [45, 60])
      world.github.faults.add({
        match: { method: 'GET', path: new RegExp(`issues/${number}/comments`) },
        do: { status: 500, body: { message: `Unicorn ${number}` } },
        times: Infinity,
      })
    const dryRun = await world.run(scheduleEvent({ sha: world.repo.shaOf('main') }), {
      inputs: { 'dry-run': 'true' },
    })
    expect(dryRun.exitCode, dryRun.visibleLog).toBe(1)
    const run = await followUp(world)
    expect(run.exitCode, run.visibleLog).toBe(1)
    for (const number of [45, 60]) expect(run.visibleLog).toContain(`Unicorn ${number}`)
    expect(run.visibleLog).toContain('#50 joined: device ada00000')
    expect(world.hosted.issues.get(50)!.state).toBe('closed')
  })

  it('and keeps what a lead changes in the entry meanwhile', async () => {
    const own = (more: string) =>
      FILE.replace(' }\n]', ` },\n  { "device": "${EVE}", "github": "eve"${more} }\n]`)
    const world = await createTeam({ files: { 'testers.json': own(', "until": "2099-01-01"') } })
    await ask(world, { Channel: 'beta' })
    expect(fileOn(world, 'capgo/tester-45')).toContain('"until": "2099-01-01"')
    world.repo.commit({ 'testers.json': own(', "groups": ["qa"]') })
    const run = await followUp(world)
    expect(run.outputs.outcome, run.visibleLog).toBe('proposed')
    expect(fileOn(world, 'capgo/tester-45')).toContain(
      '"github": "eve", "groups": ["qa"], "name": "Eve\'s phone", "channel": "beta" }',
    )
  })

  it('while another run of this action does the same', async () => {
    const world = await createTeam()
    await ask(world)
    world.hosted.issues.get(45)!.body = form({ Name: 'Eve 2' })
    await Promise.all([happen(world, 'edited'), happen(world, 'edited'), happen(world, 'labeled')])
    expect(commentsOn(world)).toHaveLength(1)
    expect(commentsOn(world)[0]).toContain('Pull request #46 adds')
    expect(fileOn(world, 'capgo/tester-45')).toContain('Eve 2')
    expect(pulls(world)).toHaveLength(1)
    expect((await edit(world, { Name: 'Eve 3' })).outputs.outcome).toBe('proposed')
  })

  it('with the form of one of two apps', async () => {
    const world = await createTeam({ inputs: { 'join-label': 'tester-web' } })
    const without = await ask(world)
    expect(without.outputs.reason).toBe('#45 does not have the label "tester-web".')
    world.hosted.addIssue({ number: 50, author: 'eve', body: form({}), labels: ['Tester-Web'] })
    const run = await happen(world, 'opened', 50)
    expect(run.outputs.outcome, run.visibleLog).toBe('proposed')
    merge(world, 51)
    expect((await followUp(world)).outputs.reason).toMatch(/^#50 joined/)
  })

  it('in a dry run in words alone', async () => {
    const world = await createTeam({ inputs: { 'dry-run': 'true' } })
    const run = await ask(world)
    expect(run.outputs).toMatchObject({ outcome: 'planned', reason: '#45 would add device e5e00000….' })
    expect(world.github.requests.filter(({ method }) => method !== 'GET')).toEqual([])
  })
})

describe('nobody else than a lead can', () => {
  it('take over or remove a device of somebody else', async () => {
    const world = await createTeam()
    for (const [number, what] of [
      [45, 'Join'],
      [50, 'Leave'],
    ] as const) {
      const run = await ask(world, { 'Join or leave': what, 'Device id': BOB }, { number })
      expect(run.outputs.outcome, run.visibleLog).toBe('refused')
      expect(commentsOn(world, number)[0]).toContain('Ask a lead')
      world.hosted.closeIssue(number)
    }
    expect(branches(world)).toEqual(['main'])
  })

  it('choose a channel, a group or a day that the workflow does not allow', async () => {
    const world = await createTeam({ inputs: { 'join-days': '30' } })
    const run = await ask(world, { Channel: 'production', Group: 'admins', 'Last day': '2199-01-01' })
    expect(run.outputs.outcome).toBe('refused')
    expect(timeless(run.outputs.reason!).replace(/from \S+ to \S+,/, 'from A to B,')).toBe(
      '#45 was refused: The channel must be beta, not "production". This form cannot choose a group. The last day must be from A to B, not 2199-01-01.',
    )
    expect(branches(world)).toEqual(['main'])
    expect((await edit(world, { Channel: 'beta' })).outputs.outcome).toBe('proposed')
  })

  it('gain anything by the template of a fork, with more fields and other choices', async () => {
    const world = await createTeam()
    const body = form({
      Channel: 'production',
      Approved: '- [X] by a lead',
      'join-approve': 'members',
      'Testers file': 'package.json',
      GitHub: 'lead',
    })
    const run = await ask(world, {}, { body })
    expect(run.outputs.reason, run.visibleLog).toBe(
      '#45 was refused: The channel must be beta, not "production".',
    )
    const again = await edit(world, { Channel: 'beta', Approved: 'yes', GitHub: 'lead' })
    expect(again.outputs.outcome, again.visibleLog).toBe('proposed')
    expect(fileOn(world, 'capgo/tester-45')).toContain('"github": "eve", "channel": "beta" }')
    expect(branches(world)).toEqual(['capgo/tester-45', 'main'])
  })

  it.each([
    ['Markdown', '**x** [a](https://evil.example) ![b](c) <img src=x> @octocat #1 | `z`'],
    ['a workflow command', '::set-output name=outcome::hacked ##[error]x'],
    ['JSON', '", "channel": "production", "x": "\\'],
    ['right to left', '\u202eadA\u2066\u200bx'],
  ])('write anything but a name: %s', async (_what, name) => {
    const world = await createTeam()
    const run = await ask(world, { Name: name })
    expect(run.outputs.outcome, run.visibleLog).toBe('proposed')
    expect(run.visibleLog).not.toMatch(/^(::|##\[)/m)
    const entries = JSON.parse(fileOn(world, 'capgo/tester-45').replace('// The team', '')) as {
      name: string
    }[]
    const seen = name.replace(/[\u202e\u2066\u200b]/g, '')
    expect(entries.at(-1)).toEqual({ device: EVE, name: seen, github: 'eve' })
    const { issue } = world.hosted.pull(46)
    const written = issue.title + world.repo.git(['log', '-1', '--format=%B', 'capgo/tester-45'])
    expect(written).toMatch(/^Add a tester \(#45\)Add a tester \(#45\)\n\nCapgo-Request: [0-9a-f]{32}$/)
    expect(issue.body).not.toMatch(/[^<]@octocat|!\[b\]|<img|\(https:|\u202e/)
  })

  it('change what people have reviewed, by an edit of the issue', async () => {
    const world = await createTeam()
    await ask(world)
    const head = world.repo.shaOf('capgo/tester-45')
    await edit(world, { Name: 'Eve 2' })
    expect(world.repo.shaOf('capgo/tester-45')).not.toBe(head)
    const reviewed = world.repo.shaOf('capgo/tester-45')
    const { pull } = world.hosted.pull(46)
    pull.reviews.push({
      id: 1,
      author: 'lead',
      state: 'APPROVED',
      body: '',
      submittedAt: '2026-01-01T00:00:00Z',
      commitSha: reviewed,
    })
    const run = await edit(world, { 'Device id': ADA })
    expect(run.outputs.outcome).toBe('refused')
    expect(commentsOn(world)[0]).toContain('is in review')
    pull.reviews.length = 0
    pull.mergesItself = true
    expect((await edit(world, { 'Device id': ADA })).outputs.outcome).toBe('refused')
    expect(world.repo.shaOf('capgo/tester-45')).toBe(reviewed)

    // Merged, and edited before the follow-up: another proposal, never a change.
    merge(world)
    world.hosted.collaborators.add('lead')
    const later = await edit(world, { 'Device id': ADA }, { sender: 'lead' })
    expect(later.outputs.outcome, later.visibleLog).toBe('proposed')
    expect(fileOn(world, 'main')).not.toContain(ADA)
    expect(pulls(world).map(({ number, state }) => [number, state])).toEqual([
      [46, 'closed'],
      [47, 'open'],
    ])
  })

  it("speak for a member, by an edit or a label of the member's issue", async () => {
    const world = await createTeam({ inputs: { 'join-approve': 'members' } })
    world.hosted.collaborators.add('eve')
    world.hosted.addIssue({ number: 45, author: 'eve', body: form({ 'Device id': ADA }) })
    const edited = await happen(world, 'edited', 45, { sender: 'mallory' })
    expect(edited.outputs.outcome, edited.visibleLog).toBe('proposed')
    expect(fileOn(world, 'main')).toBe(FILE.trim())
    const late = await happen(world, 'edited', 45, { body: form({}) })
    expect(late.outputs.reason).toBe('#45 was edited meanwhile: the run of that edit reads it.')
  })

  it('have a second request open, for a device or a person', async () => {
    const world = await createTeam()
    await ask(world)
    const same = await ask(world, {}, { number: 50, author: 'mallory' })
    const person = await ask(world, { 'Device id': ADA }, { number: 51 })
    expect([same.outputs.outcome, person.outputs.outcome]).toEqual(['refused', 'refused'])
    for (const number of [50, 51]) expect(commentsOn(world, number)[0]).toContain('#45 is open already')
    expect(branches(world)).toEqual(['capgo/tester-45', 'main'])
  })

  it('flood the repository: of a thousand issues few are answered, and thirty wait for a lead', async () => {
    const world = await createTeam()
    for (let number = 100; number < 1100; number++)
      world.hosted.addIssue({
        number,
        author: number < 600 ? 'mallory' : `mallory-${number}`,
        body: form({ 'Device id': `${String(number).padStart(8, '0')}-0000-4000-8000-000000000000` }),
      })
    const own = await happen(world, 'opened', 599)
    expect(own.outputs.reason, own.visibleLog).toBe('#599 has to wait for older requests of its author.')
    const second = await happen(world, 'opened', 101)
    expect(second.outputs.reason, second.visibleLog).toBe('#101 was refused: #100 is open already.')
    // Those of one account keep nobody else waiting.
    const other = await happen(world, 'opened', 700)
    expect(other.outputs.outcome, other.visibleLog).toBe('proposed')
    for (let number = 701; number < 730; number++)
      world.repo.git(['branch', `capgo/tester-${number}`, 'main'])
    const before = world.github.requests.length
    const others = await happen(world, 'opened', 1099)
    expect(others.outputs.reason).toBe('#1099 has to wait: 30 requests are open.')
    expect(world.github.requests.length - before).toBeLessThan(25)
    expect([599, 101, 1099].flatMap(number => commentsOn(world, number))).toHaveLength(2)
    expect(pulls(world)).toHaveLength(1)
  })

  it('open one pull request after another, and close the issue each time', async () => {
    const world = await createTeam()
    for (let count = 1; count <= 6; count++) {
      const number = 45 + 2 * (count - 1)
      const run = await ask(world, {}, { number })
      expect(run.outputs.outcome, run.visibleLog).toBe(count <= 5 ? 'proposed' : 'refused')
      expect(pulls(world).filter(({ state }) => state === 'open')).toHaveLength(count <= 5 ? 1 : 0)
      await close(world, number)
      expect(pulls(world).filter(({ state }) => state === 'open')).toEqual([])
      expect(branches(world)).toEqual(['main'])
    }
    expect(commentsOn(world, 55)[0]).toContain('many requests within a day')
    expect(commentsOn(world, 45)[0]).toContain('This request is withdrawn')
    // Nor by opening the same issue again.
    world.hosted.issues.get(45)!.state = 'open'
    const again = await happen(world, 'reopened')
    expect(again.outputs.reason, again.visibleLog).toBe('#45 was withdrawn.')
    expect(world.hosted.issues.get(45)!.state).toBe('closed')
    expect(pulls(world)).toHaveLength(5)
  })

  it('have two pull requests, by opening an older issue again', async () => {
    const world = await createTeam()
    world.hosted.addIssue({ number: 45, author: 'eve', body: form({}) })
    world.hosted.closeIssue(45, 'eve')
    await ask(world, { 'Device id': ADA }, { number: 50 })
    world.hosted.issues.get(45)!.state = 'open'
    const run = await happen(world, 'reopened')
    expect(run.outputs.reason, run.visibleLog).toBe('#45 was refused: #50 is open already.')
    expect(pulls(world)).toHaveLength(1)
  })

  it('skip the review with the right to read alone', async () => {
    const world = await createTeam({ inputs: { 'join-approve': 'members' } })
    world.hosted.readers.add('eve')
    const run = await ask(world)
    expect(run.outputs.outcome, run.visibleLog).toBe('proposed')
    expect(fileOn(world, 'main')).toBe(FILE.trim())
  })

  it('have an earlier edit pushed after the review, which a run did not get to push', async () => {
    const world = await createTeam()
    await ask(world)
    const head = world.repo.shaOf('capgo/tester-45')
    world.github.faults.add({
      match: { method: 'PATCH', path: /git\/refs/ },
      do: { status: 500, body: { message: '' } },
      times: Infinity,
    })
    await edit(world, { 'Device id': ADA })
    world.github.faults.clear()
    world.hosted.pull(46).pull.reviews.push({
      id: 1,
      author: 'lead',
      state: 'APPROVED',
      body: '',
      submittedAt: '2026-01-01T00:00:00Z',
      commitSha: head,
    })
    const run = await followUp(world)
    expect(run.outputs.reason, run.visibleLog).toBe('#45 was left alone: pull request #46 is in review.')
    expect(world.repo.shaOf('capgo/tester-45')).toBe(head)
  })

  it('become a tester because somebody else has the device', async () => {
    const world = await createTeam()
    await ask(world)
    world.repo.commit({ 'testers.json': FILE.replace(BOB, EVE) })
    const run = await followUp(world)
    expect(run.outputs.reason, run.visibleLog).toBe('#45 was declined.')
    expect(world.hosted.issues.get(46)!.state).toBe('closed')
  })

  it('read the device id in the comment, when its author has taken it out of the issue', async () => {
    const world = await createTeam()
    await ask(world)
    const { body } = world.hosted.commentsOf(45)[0]!
    const [, state = ''] = /<!-- state ([\w-]+)/.exec(body) ?? []
    expect(state.length).toBeGreaterThan(100)
    expect(Buffer.from(state, 'base64url').toString('latin1') + body).not.toContain(EVE.slice(9))
  })

  it('start work at Capgo with ids that the file does not have', async () => {
    const world = await createTeam()
    const run = await ask(world, { 'Join or leave': 'Leave' })
    expect(run.outputs.reason, run.visibleLog).toBe(
      '#45 was refused: Device e5e00000… is not in the testers file. Check the id.',
    )
    expect(world.capgo.requests).toEqual([])
  })

  it('change the branch of the pull request', async () => {
    const world = await createTeam()
    await ask(world)
    world.repo.checkout('capgo/tester-45')
    const theirs = world.repo.commit({ 'testers.json': '[]' })
    world.repo.checkout('main')
    const run = await edit(world, { Name: 'Eve 2' })
    expect(run.outputs.reason).toBe('#45 was left alone: somebody else changed branch capgo/tester-45.')
    expect(world.repo.shaOf('capgo/tester-45')).toBe(theirs)
    expect(commentsOn(world)).toHaveLength(1)
    expect(commentsOn(world)[0]).toContain('A lead finishes this request')
    // A lead's correction there is merged and answered.
    world.repo.checkout('capgo/tester-45')
    world.repo.commit({ 'testers.json': FILE.replace(BOB, EVE) })
    world.repo.checkout('main')
    merge(world)
    await followUp(world)
    expect(channelOf(world, EVE)).toBe('beta')
    expect(world.hosted.issues.get(45)!.state).toBe('closed')
  })

  it('write or copy a comment of ours', async () => {
    const world = await createTeam()
    await ask(world)
    const [own] = world.hosted.commentsOf(45)
    world.hosted.addIssue({ number: 60, author: 'ada', body: form({ 'Device id': ADA }) })
    world.hosted.addComment(60, { body: own!.body, author: 'mallory' })
    world.repo.git(['branch', 'capgo/tester-60', 'capgo/tester-45'])
    const run = await happen(world, 'opened', 60)
    expect(run.outputs.reason).toContain('was left alone')
    expect(world.hosted.commentsOf(60).map(({ author }) => author)).toEqual([
      'mallory',
      'github-actions[bot]',
    ])
    // Edited by somebody: the commits of the branch still prove whose they are.
    own!.body = own!.body.replace(/state [\w-]{8}/, 'state AAAAAAAA')
    expect((await edit(world, { Name: 'Eve 2' })).outputs.reason).toContain('waits for a review')
  })
})

describe('nothing is done for', () => {
  it.each([
    ['another issue', 'It does not work on my phone.', 'the headings of the form are missing'],
    ['another form', '### What happened\n\nx\n\n### Device id\n\n1', 'the headings of the form are missing'],
    ['text before the form', `Hello\n\n${form({})}`, 'the headings of the form are missing'],
    ['a text without end', `${form({})}${'x'.repeat(20_000)}`, 'the headings of the form are missing'],
  ])('%s', async (_what, body, why) => {
    const world = await createTeam()
    const run = await ask(world, {}, { body })
    expect(run.exitCode).toBe(0)
    expect(run.outputs).toMatchObject({ outcome: 'skipped', reason: expect.stringContaining(why) })
    expect(world.github.requests.filter(({ method }) => method !== 'GET')).toEqual([])
    expect(world.capgo.requests).toEqual([])
  })

  it('an issue that is closed, or of a bot', async () => {
    const world = await createTeam()
    const bot = await ask(world, {}, { author: 'helper[bot]' })
    expect(bot.outputs.reason).toBe('#45 is not of a person.')
    world.hosted.closeIssue(45)
    expect((await happen(world, 'edited')).outputs.outcome).toBe('unchanged')
    expect((await happen(world, 'closed')).outputs.outcome).toBe('unchanged')
  })
})

it('a request that cannot be answered says so in the issue, and the run is red', async () => {
  const world = await createTeam({ files: { 'testers.json': '[{ "nmae": 1 }]' } })
  const run = await ask(world)
  expect(run.outputs['error-code']).toBe('testers_file_invalid')
  expect(commentsOn(world)[0]).toContain('This request is not answered yet')
})

it.each(['contents', 'pull-requests'] as const)('the token needs %s: write', async permission => {
  const world = await createTeam({ permissions: { ...PERMISSIONS, [permission]: 'read' } })
  const run = await ask(world)
  expect(run.outputs['error-code'], run.visibleLog).toBe('permission_missing')
  expect(run.visibleLog).toContain('needs contents: write, issues: write and pull-requests: write')
  expect(commentsOn(world)[0]).toContain('This request is not answered yet')
})

describe('a run that ends half way is finished by the next one', () => {
  it.each(
    ['git/trees', 'git/commits', 'comments', 'git/refs', 'pulls'].flatMap(path =>
      (['before', 'after'] as const).map(at => [at, path] as const),
    ),
  )('%s POST of %s', async (at, path) => {
    const world = await createTeam()
    world.github.faults.add({
      match: { method: 'POST', path: new RegExp(`/${path}$`) },
      at,
      do: { status: 502, body: { message: '' } },
    })
    const broken = await ask(world, { Channel: 'beta' })
    expect(broken.outputs['error-code'], broken.visibleLog).toBe('github_502')
    world.github.faults.clear()
    const run = await happen(world, 'edited')
    expect(run.outputs.reason, run.visibleLog).toBe('#45 waits for a review of pull request #46.')
    expect(pulls(world)).toHaveLength(1)
    expect(commentsOn(world)).toHaveLength(1)
    expect(world.repo.git(['diff', '--stat', 'main...capgo/tester-45'])).toContain('1 file changed')
    merge(world)
    await followUp(world)
    expect(channelOf(world, EVE)).toBe('beta')
    expect(world.hosted.issues.get(45)!.state).toBe('closed')
  })
})
