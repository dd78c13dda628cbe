/** What must be true, each with a name. A check returns what is wrong, in words; nothing when all is well. */
import { isDeepStrictEqual } from 'node:util'
import { Device } from '../../local/device.ts'
import { CHANNEL_OF, FOREIGN, type Model, type ModelJob, type ModelPull, STAGES, webFiles } from './model.ts'
import type { Tally } from './tally.ts'
import { APP_ID, type Ended } from './world.ts'

/** Refusals of promotions and roll-backs that are right without any fault. */
const REFUSALS =
  /^(channel_unknown|nothing_to_promote|promotion_older|bundle_rolled_back|bundle_not_ready|no_earlier_bundle|rollback_refused|promotion_refused)$/

type Check = (model: Model) => string[] | Promise<string[]>

/** After a history and one calm run. */
const AT_REST: Readonly<Record<string, Check>> = {
  async 'every channel of a branch serves what the newest commit says'(model) {
    const wrong: string[] = []
    for (const channel of STAGES) {
      const allowed = model.allowed(channel)
      const served = await model.served(channel)
      if (allowed !== null && !allowed.some(content => content === served))
        wrong.push(`${channel} serves ${served}, wanted is ${allowed.join(' or ')}`)
    }
    return wrong
  },

  async 'every open pull request has its head on its channel, or what a person put there'(model) {
    const wrong: string[] = []
    for (const pull of model.pulls.filter(({ open }) => open)) wrong.push(...(await judgePull(model, pull)))
    return wrong
  },

  async 'a phone gets exactly these files'(model) {
    const { capgo } = model.world
    // The server takes up delta files after some seconds.
    capgo.clock.advance(30_000)
    const wrong: string[] = []
    for (const name of servingChannels(model)) {
      const content = await model.served(name)
      const device = new Device({ capgoUrl: capgo.url, appId: APP_ID, defaultChannel: name })
      const installed = await device.update().catch((error: Error) => error.message)
      if (installed === null || typeof installed === 'string')
        wrong.push(`a phone on ${name} gets nothing: ${installed}`)
      else {
        const files = Object.fromEntries([...installed.files].map(([path, bytes]) => [path, `${bytes}`]))
        if (!isDeepStrictEqual(files, webFiles(`${content}`)))
          wrong.push(`a phone on ${name} gets ${JSON.stringify(files)}, not ${content}`)
      }
    }
    return wrong
  },

  'no bundle is in progress'({ world: { capgo } }) {
    return capgo.store
      .list('app_versions', { app_id: APP_ID, storage_provider: 'r2-direct', deleted: false })
      .filter(({ name }) => !FOREIGN.bundles.includes(name as never))
      .map(({ name, comment }) => `${name} is in progress (${comment})`)
  },

  'no channel is there that nobody wants, and none is missing'(model) {
    const names = model.world.capgo.store.list('channels', { app_id: APP_ID }).map(({ name }) => name)
    const mayStay = (number: number) => names.includes(`pr-${number}`)
    const previews = model.pulls.filter(pull => {
      const wanted = model.wantedOf(pull)
      return wanted.includes(undefined) ? wanted.length > 1 && mayStay(pull.number) : true
    })
    const wanted = [
      ...FOREIGN.channels,
      ...Object.values(CHANNEL_OF),
      ...previews.map(({ number }) => `pr-${number}`),
    ]
    return different('channels', names.sort(), wanted.sort())
  },

  'nothing is left of a pull request that wants no preview'(model) {
    const closed = new Set(model.pulls.filter(pull => !model.isWanted(pull)).map(({ number }) => `${number}`))
    return model.world.capgo.store
      .list('app_versions', { app_id: APP_ID, deleted: false })
      .filter(({ name }) => closed.has(/-pr\.(\d+)\./.exec(name)?.[1] ?? ''))
      .map(({ name }) => `bundle ${name} is left`)
  },

  'overrides are as the file, the pull requests and people say'(model) {
    return different('overrides', model.overrides(), model.expectedOverrides())
  },

  'a pull request has one comment of ours'(model) {
    return model.pulls.flatMap(pull => {
      const { number } = pull
      const open = model.isWanted(pull)
      const ours = model.world.hosted
        .commentsOf(number)
        .filter(({ author }) => author === 'github-actions[bot]')
      const title = /^### .*$/m.exec(ours[0]?.body ?? '')?.[0] ?? ''
      if (open && ours.length === 1 && title.includes('Preview ready')) return []
      // A person's bundle on the channel is not replaced, and the comment says so.
      if (pull.byHand !== null && ours.length === 1 && title.includes('preview channel taken')) return []
      // A promotion that came late, and whose note was refused: nothing tells that the preview is there after all.
      const served = model.world.capgo.store.find('channels', {
        app_id: APP_ID,
        name: `pr-${number}`,
      })?.version
      const bundle = model.world.capgo.store.find('app_versions', { id: served ?? 0 })
      const isUnnoted = !`\n${bundle?.comment}`.includes(`\npr-${number}: `)
      const isLate = isUnnoted && Number.isFinite(model.lateSince)
      if (open && ours.length === 1 && isLate && title.includes('Preview missing')) return []
      // A pull request whose preview never got as far as a comment gets none when it is closed.
      if (!open && (ours.length === 0 || (ours.length === 1 && title.includes('Preview removed')))) return []
      return [
        `#${number} has ${ours.length} comments of ours, the first: ${title}; served: ${bundle?.name} (${bundle?.comment})`,
      ]
    })
  },

  'what is not ours is as it was'(model) {
    const { capgo, hosted } = model.world
    const bundles = FOREIGN.bundles.flatMap(name => {
      const bundle = capgo.store.find('app_versions', { app_id: APP_ID, name })
      const isThere = bundle !== undefined && !bundle.deleted
      const isWhole =
        bundle?.storage_provider === 'r2-direct' || capgo.store.objects.stat(bundle?.r2_path ?? '')
      return isThere && isWhole ? [] : [`bundle ${name} of a person is gone`]
    })
    const channels = FOREIGN.channels.flatMap(name => {
      const channel = capgo.store.find('channels', { app_id: APP_ID, name })
      const bundle = capgo.store.find('app_versions', { app_id: APP_ID, name: FOREIGN.bundles[0] })
      return channel?.version === bundle?.id ? [] : [`channel ${name} of a person was changed`]
    })
    const comments = model.pulls.flatMap(({ number }) =>
      hosted.commentsOf(number).some(({ author, body }) => author === 'mallory' && body === FOREIGN.comment)
        ? []
        : [`the comment of a person on #${number} was changed`],
    )
    return [...bundles, ...channels, ...comments]
  },

  'nobody asked to delete everything'({ world: { capgo } }) {
    return capgo.deleteAllAttempts.map(({ body }) => `DELETE /bundle ${JSON.stringify(body)}`)
  },

  'every request is one that GitHub knows'({ world: { github } }) {
    return github.violations.map(({ request, problems }) => `${request}: ${problems.join('; ')}`)
  },
}

/** After each attempt of a job. */
export function judgeRun(job: ModelJob, { isGreen, isKilled, outputs, errors }: Ended): string[] {
  if (isGreen || isKilled) return []
  const code = outputs['error-code'] ?? ''
  const title = `${job.name} ended with ${code || 'no error code'}`
  if (!/^(?!internal)[a-z0-9_]+$/.test(code)) return [`${title}: ${errors?.join(' / ')}`]
  return errors !== null && errors.length === 0 ? [`${title} and no annotation`] : []
}

/** Of the calm run. */
export function judgeCalm(job: ModelJob, { isGreen, outputs, errors }: Ended): string[] {
  const mayRefuse = job.kind === 'promote' || job.kind === 'rollback'
  if (isGreen || (mayRefuse && REFUSALS.test(outputs['error-code'] ?? ''))) return []
  return [`${job.name} is red without any fault: ${errors?.join(' / ')}`]
}

export interface Before {
  readonly served: ReadonlyMap<string, string | null | undefined>
}

export async function look(model: Model): Promise<Before> {
  const names = [...STAGES, ...model.pulls.map(({ number }) => `pr-${number}`)]
  const served = new Map<string, string | null | undefined>()
  for (const name of names) served.set(name, await model.served(name))
  return { served }
}

/** A run alone changes a channel only to what is wanted: it brings nothing older back, and takes no preview away. */
export async function judgeStep(model: Model, before: Before): Promise<string[]> {
  const { served } = await look(model)
  const wrong: string[] = []
  for (const channel of STAGES) {
    const now = served.get(channel)
    const allowed = model.allowed(channel)
    // Where nothing was served, nothing is brought back.
    if (before.served.get(channel) === undefined) continue
    if (now === before.served.get(channel) || allowed === null || allowed.some(each => each === now)) continue
    wrong.push(
      `${channel} went from ${before.served.get(channel)} to ${now}, wanted is ${allowed.join(' or ')}`,
    )
  }
  for (const pull of model.pulls.filter(({ open }) => open)) {
    const name = `pr-${pull.number}`
    const now = served.get(name)
    if (now !== before.served.get(name) && !model.wantedOf(pull).includes(now))
      wrong.push(`${name} of an open pull request went from ${before.served.get(name)} to ${now}`)
  }
  return wrong
}

/** Green means that the pull request has what it wants, whichever event of it started the run. */
export async function judgeState(model: Model, job: ModelJob, ended: Ended): Promise<string[]> {
  const pull = model.pulls.find(({ last }) => last === job)
  if (pull === undefined || !ended.isGreen) return []
  return judgePull(model, pull)
}

async function judgePull(model: Model, pull: ModelPull): Promise<string[]> {
  const served = await model.served(`pr-${pull.number}`)
  const wanted = model.wantedOf(pull)
  return wanted.some(each => each === served)
    ? []
    : [`pr-${pull.number} serves ${served}, wanted is ${wanted.join(' or ')}`]
}

/** Green means served. */
export async function judgeGreen(model: Model, job: ModelJob, ended: Ended): Promise<string[]> {
  if (!ended.isGreen || ended.outputs.outcome !== 'published') return []
  const channel = ended.outputs.channel ?? ''
  const row = model.world.capgo.store.find('channels', { app_id: APP_ID, name: channel })
  return row !== undefined && String(row.version) === ended.outputs['bundle-id']
    ? []
    : [`${job.name} is green, and ${channel} does not serve bundle ${ended.outputs['bundle-id']}`]
}

export const ALONG_THE_WAY = {
  error: 'a red run has a code and an annotation',
  calm: 'the calm run is green',
  step: 'a run alone brings nothing older back',
  green: 'green means served',
  state: 'a green run of a pull request leaves it as it is to be',
} as const

export async function checkAtRest(model: Model, tally: Tally): Promise<string[]> {
  const wrong: string[] = []
  for (const [name, check] of Object.entries(AT_REST)) {
    tally.count('invariants', name)
    wrong.push(...(await check(model)).map(each => `${name}: ${each}`))
  }
  tally.loose += STAGES.filter(channel => model.allowed(channel)?.length !== 1).length
  return wrong
}

function servingChannels(model: Model): string[] {
  return [...STAGES, ...model.pulls.filter(pull => model.isWanted(pull)).map(({ number }) => `pr-${number}`)]
}

function different(what: string, found: unknown, wanted: unknown): string[] {
  return isDeepStrictEqual(found, wanted)
    ? []
    : [`${what} are ${JSON.stringify(found)}, wanted are ${JSON.stringify(wanted)}`]
}
