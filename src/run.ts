import { relative } from 'node:path'
import type { Deps } from './deps.ts'
import { ActionError } from './errors.ts'
import { readTrigger } from './event.ts'
import { comparer, gatherChange, gatherForContent, gatherProject, gatherRemote } from './gather.ts'
import { type Inputs, readInputs } from './inputs.ts'
import { buildBundle } from './operations/build.ts'
import { publish } from './operations/publish.ts'
import { decideOperation } from './plan/operation.ts'
import { checkBeforeBuild, planPublish } from './plan/plan.ts'
import { failure, plannedResult, publishedResult } from './report/outcome.ts'
import { progressReporter } from './report/progress.ts'
import { renderLogPlan } from './report/render.ts'
import { report } from './report/report.ts'
import type { Result } from './report/result.ts'

/** inputs -> gather -> plan -> execute -> report. Never throws; says whether the run is green. */
export async function run(deps: Deps): Promise<boolean> {
  const result = await execute(deps).catch(failure)
  await report(result, deps)
  return result.kind !== 'failed'
}

async function execute(deps: Deps): Promise<Result> {
  const { log, clock } = deps
  const began = clock()
  const inputs = readInputs(deps.readInput)
  const trigger = readTrigger(deps)
  const operation = decideOperation(trigger.ref, inputs)
  if (operation.kind === 'skip') return { kind: 'skipped', outcome: 'skipped', reason: operation.reason }
  requireToken(inputs)

  const capgo = deps.connectCapgo(inputs.capgoToken, inputs.hosts)
  const { project, app, facts } = await log.group('Read the project and Capgo', async () => {
    const project = await gatherProject(inputs, trigger, deps)
    log.info(`App ${project.appId}, web folder ${relative(project.root, project.webDirectory)}.`)
    return { project, ...(await gatherRemote(project, operation, trigger, capgo)) }
  })
  const names = checkBeforeBuild(facts)
  const built = await buildBundle(project, inputs, deps)
  const compare = comparer(project, inputs, trigger, deps)
  const known = await gatherForContent(facts, names, built.zip, capgo, compare)
  const plan = planPublish(known)
  await log.group('Plan', async () => {
    for (const line of renderLogPlan(plan.decisions)) log.info(line)
  })

  const change = gatherChange(known.channel?.version ?? null, built.zip.path, built.zip.sha256, capgo)
  const findings = { plan, known, built, consoleUrl: inputs.hosts.console }
  if (inputs.dryRun)
    return plannedResult({ ...findings, change: await change, upload: null, total: clock() - began })
  const publishing = clock()
  const published = await log.group('Publish', () =>
    publish(plan, {
      capgo,
      app,
      channel: known.channel,
      commit: trigger.commit,
      zip: built.zip,
      compare,
      log: message => log.info(message),
      onProgress: progressReporter(log, clock),
    }),
  )
  const upload = clock() - publishing
  return publishedResult({ ...findings, change: await change, upload, total: clock() - began }, published)
}

function requireToken({ capgoToken }: Inputs): void {
  if (capgoToken === '')
    throw new ActionError('no_token', 'The input "capgo-token" is empty.', {
      hint: 'Store a Capgo API key as a repository secret and pass it: capgo-token: ${{ secrets.CAPGO_TOKEN }}. Workflows of forks and Dependabot get no secrets.',
    })
}
