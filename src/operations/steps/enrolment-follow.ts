/** Requests of testers that wait for a lead: those that are done or declined are answered, and the others kept mergeable. */
import { readTesterForm } from '../../inputs/tester-form.ts'
import { isSameLogin } from '../../plan/enrolment.ts'
import { judgeProgress } from '../../plan/enrolment-progress.ts'
import type { EnrolmentResult } from '../../report/list-results.ts'
import { enrolmentResult } from '../../report/results.ts'
import type { TestersReport } from '../../report/testers.ts'
import { readAppId } from './app-config.ts'
import { endRequests } from './enrolment-end.ts'
import { type FileAtHead, readFileAtHead } from './enrolment-file.ts'
import type { Proposal } from './enrolment-marker.ts'
import { propose, readProposed } from './enrolment-proposal.ts'
import { type Answered, answer, type Enrolling, readThread, type Thread } from './enrolment-thread.ts'
import { connectForDevices, readKnownDevices } from './tester-facts.ts'

/** A team has some; each takes requests. */
const MAX_FOLLOWED = 100

/** A request whose answer is due. */
interface Waiting {
  readonly thread: Thread
  readonly proposal: Proposal
}

/** Reads the open issues that are the form, the newest first. Needs no memory but our own comments. */
export async function followRequests(context: Enrolling): Promise<EnrolmentResult> {
  const issues = (await context.github.listOpenIssues(null)).filter(
    ({ body }) => readTesterForm(body) !== null,
  )
  const waiting: (Waiting & { readonly progress: ReturnType<typeof judgeProgress> })[] = []
  const file = await readFileAtHead(context)
  for (const { number } of issues.slice(0, MAX_FOLLOWED)) {
    const thread = await readThread(number, context)
    const { proposal } = thread
    if (!proposal?.waits) continue
    const pull = await readProposed(thread, context)
    waiting.push({ thread, proposal, progress: judgeProgress(proposal, pull, file.testers) })
  }
  const of = (wanted: (typeof waiting)[number]['progress']) =>
    waiting.filter(({ progress }) => progress === wanted)
  if (context.inputs.dryRun)
    return {
      ...enrolmentResult([]),
      outcome: 'planned',
      reason: `${of('done').length} of ${waiting.length} waiting requests would be answered.`,
    }
  const answered: Answered[] = []
  let testers: TestersReport | null = null
  if (of('done').length > 0) {
    const settled = of('done').map(({ thread, proposal }) => ({ thread, change: proposal }))
    const ended = await endRequests(settled, await readAppId(context), context)
    answered.push(...ended.answered)
    testers = ended.testers
  }
  for (const each of of('declined')) answered.push(await decline(each, each.proposal.pull, context))
  for (const each of of('open')) answered.push(await renew(each, file, context))
  return enrolmentResult(answered, testers)
}

/** `pull` is named where it was closed. */
async function decline(
  { thread, proposal }: Waiting,
  pull: number | null,
  context: Enrolling,
): Promise<Answered> {
  const says = { state: 'declined', pull } as const
  const answered = await answer(thread, { says, proposal: { ...proposal, waits: false } }, context)
  await context.github.closeIssue(thread.issue, 'not_planned')
  return answered
}

/** The pull request builds on the newest file; what a run did not finish is finished. */
async function renew({ thread, proposal }: Waiting, file: FileAtHead, context: Enrolling): Promise<Answered> {
  const { do: what, entry } = proposal
  const now = file.testers.find(({ device }) => device === entry.device)
  // The entry was removed, or given to somebody else, since the form was sent.
  if (what !== 'add' && !isSameLogin(now?.github ?? null, entry.github ?? ''))
    return decline({ thread, proposal }, null, context)
  const appId = await readAppId(context)
  const known = await readKnownDevices(appId, [entry.device], connectForDevices(context), context)
  const seen = known === null ? undefined : (known.get(entry.device) ?? null)
  return propose(thread, { change: { do: what, entry, seen }, file }, context)
}
