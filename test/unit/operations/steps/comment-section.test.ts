/** Runs that do not know each other write one comment: whatever the order of their requests, every app's last word stays. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { GitHub } from '../../../../src/github/client.ts'
import { markOf, type Statement } from '../../../../src/operations/steps/comment-marker.ts'
import { editSection, newest } from '../../../../src/operations/steps/comment-section.ts'
import { parseSections } from '../../../../src/report/comment-sections.ts'

/** The longest that a request takes on its way there, and on its way back. */
const LONGEST = 5
/** From the moment a comment is read to the arrival of what is written for it. */
const WINDOW = 2 * LONGEST

/** Time that passes when everybody waits. */
function createClock() {
  const waiting: { at: number; wake: () => void }[] = []
  let now = 0
  let counted = 100
  return {
    /** A number that is given once. */
    count: () => ++counted,
    sleep: (time: number) =>
      new Promise<void>(wake => {
        waiting.push({ at: now + time, wake })
      }),
    async run(): Promise<void> {
      for (;;) {
        // Until nothing goes on but what waits.
        await new Promise(setImmediate)
        waiting.sort((one, other) => one.at - other.at)
        const next = waiting.shift()
        if (next === undefined) return
        now = next.at
        next.wake()
      }
    },
  }
}

interface Comment {
  readonly id: number
  body: string
}

/** The comments of a pull request, as one run reaches them: each request takes its time there and back. */
function connect(
  comments: Comment[],
  clock: ReturnType<typeof createClock>,
  delays: readonly number[],
  settling: number,
) {
  let used = 0
  const travel = () => clock.sleep(delays[used++ % delays.length] ?? 0)
  const request = async <T>(work: () => T): Promise<T> => {
    await travel()
    const result = work()
    await travel()
    return result
  }
  const shown = ({ id, body }: Comment) => ({ id, body, url: `#${id}` })
  return {
    findComments: () => request(() => comments.map(shown)),
    createComment: (_pull: number, body: string) =>
      request(() => {
        const made = { id: clock.count(), body }
        comments.push(made)
        return shown(made)
      }),
    updateComment: (id: number, body: string) =>
      request(() => {
        const found = comments.find(each => each.id === id)
        if (found !== undefined) found.body = body
        return found === undefined ? null : shown(found)
      }),
    deleteComment: (id: number) =>
      request(() => {
        comments.splice(0, comments.length, ...comments.filter(each => each.id !== id))
      }),
    settle: () => clock.sleep(settling + (delays[used++ % delays.length] ?? 0)),
  } as unknown as GitHub
}

/** A run: when it begins, how long it works between its two words, and what its requests take. */
interface Plan {
  readonly app: number
  readonly begins: number
  readonly works: number
  readonly delays: readonly number[]
}

/** Every run writes "building", and its last word. Returns what is there in the end. */
async function play(plans: readonly Plan[], former: readonly number[], settling: number): Promise<Comment[]> {
  const clock = createClock()
  const appOf = (app: number) => `com.app${app}`
  const keyOf = (app: number) => markOf(`key of ${app % 2}`)
  const comments: Comment[] = former.map((app, at) => ({
    id: at + 1,
    body: keyOf(app).write(appOf(app), { run: { id: 0, attempt: 1 }, revision: 0, text: 'former' }, at + 1)
      .text,
  }))
  const runs = plans.map(async ({ app, begins, works, delays }, at) => {
    const run = { id: at + 1, attempt: 1 }
    const github = connect(comments, clock, delays, settling)
    const seen = new Map()
    const say = (text: string, last: boolean) => {
      const change = (current: Statement | null) =>
        current !== null && current.run.id > run.id ? null : { run, revision: last ? 1 : 0, text }
      const edit = { appId: appOf(app), layout: 'shared', mark: keyOf(app), change, seen } as const
      return editSection(edit, { pull: 12, last, expectsOthers: true }, github)
    }
    await clock.sleep(begins)
    await say('building', false)
    await clock.sleep(works)
    await say('ready', true)
  })
  await clock.run()
  await Promise.all(runs)
  return comments
}

const plan = (apps: number): fc.Arbitrary<Plan> =>
  fc.record({
    app: fc.nat(apps - 1),
    begins: fc.nat(30),
    works: fc.nat(40),
    delays: fc.array(fc.integer({ min: 0, max: LONGEST }), { minLength: 1, maxLength: 12 }),
  })
const stories = fc.tuple(
  fc.array(plan(4), { minLength: 1, maxLength: 6 }),
  fc.uniqueArray(fc.nat(3), { maxLength: 3 }),
)

/** An old section comes back in a write that read it from another write: found by 20,000 stories. */
const RETURNING: [[Plan[], number[]]] = [
  [
    [
      { app: 0, begins: 0, works: 0, delays: [1] },
      { app: 1, begins: 0, works: 0, delays: [5, 1] },
      { app: 1, begins: 0, works: 0, delays: [0, 2, 3, 2, 1, 5, 4, 0] },
    ],
    [0],
  ],
]

describe('runs at the same moment', () => {
  it('end with one comment that has the newest word of every app', async () => {
    await fc.assert(
      fc.asyncProperty(stories, async ([plans, former]) => {
        const comments = await play(plans, former, WINDOW + 1)
        const written = new Set(plans.map(({ app }) => app))
        const [first] = comments
        const sections = parseSections(first?.body ?? '')
        for (const app of written) {
          const own = sections.filter(({ appId }) => appId === `com.app${app}`)
          const newestRun = plans.findLastIndex(each => each.app === app) + 1
          expect(newest(own)).toMatchObject({ run: { id: newestRun, attempt: 1 }, text: 'ready' })
        }
        // Of an app that nobody wrote for, its former comment is where it was.
        const lonely = former.filter(app => !written.has(app))
        expect(
          comments
            .flatMap(({ body }) => parseSections(body))
            .map(({ appId }) => appId)
            .sort(),
        ).toEqual([...written, ...lonely].map(app => `com.app${app}`).sort())
        expect(comments.length - 1).toBeLessThanOrEqual(lonely.length)
      }),
      { numRuns: 300, examples: [RETURNING] },
    )
  })

  it('that did not wait for writes under way would lose one', async () => {
    const fails = fc.check(
      fc.asyncProperty(fc.array(plan(3), { minLength: 3, maxLength: 5 }), async plans => {
        const [first] = await play(plans, [], 0)
        const sections = parseSections(first?.body ?? '')
        return plans.every(({ app }) =>
          sections.some(({ appId, text }) => appId === `com.app${app}` && text.endsWith('ready')),
        )
      }),
      { numRuns: 2_000 },
    )
    expect((await fails).failed).toBe(true)
  })
})
