/** The end of a request: the device is where the testers file wants it, the comment says so, and the issue is closed. */
import type { EnrolmentComment } from '../../report/enrolment.ts'
import type { TestersReport } from '../../report/testers.ts'
import type { FileChange } from './enrolment-file.ts'
import type { Proposal } from './enrolment-marker.ts'
import { type Answered, answer, type Enrolling, type Thread } from './enrolment-thread.ts'
import { byDevice } from './tester-facts.ts'
import { reconcileOnSchedule } from './testers.ts'

/** A request whose change the testers file has. */
export interface SettledRequest {
  readonly thread: Thread
  readonly change: Pick<FileChange, 'do' | 'entry'>
}

/** Puts all devices where the file wants them, once, and answers each of these requests. */
export async function endRequests(
  requests: readonly SettledRequest[],
  appId: string,
  context: Enrolling,
): Promise<{ readonly answered: readonly Answered[]; readonly testers: TestersReport | null }> {
  const testers = await reconcileOnSchedule(appId, context)
  const [channels, overrides] = await Promise.all([
    context.capgo.listChannels(appId),
    context.capgo.listOverrides(appId),
  ])
  const now = byDevice(overrides, channels)
  const answered: Answered[] = []
  for (const { thread, change } of requests) {
    const { device } = change.entry
    const failure = testers?.failures.find(({ devices }) => devices.includes(device))
    const says: EnrolmentComment =
      failure !== undefined
        ? { state: 'stuck', device, why: failure.message }
        : change.do === 'remove'
          ? { state: 'left', device }
          : { state: 'joined', device, channel: now.get(device)?.channel ?? null }
    const proposal: Proposal = {
      heads: [],
      base: null,
      pull: null,
      ...thread.proposal,
      do: change.do,
      entry: { ...change.entry, groups: [...change.entry.groups] },
      waits: failure !== undefined,
    }
    answered.push(await answer(thread, { says, proposal }, context))
    if (failure === undefined) await context.github.closeIssue(thread.issue, 'completed')
  }
  return { answered, testers }
}
